"""One trace over several processes: the caller's context travels with the message, and the receiver takes it up.

W3C trace context, by OpenTelemetry's own `inject` and `extract` (`OTEL_PROPAGATORS` chooses another format). Nothing is
read that the program does not read: a service on the open internet does better not to trust its callers' ids.
"""

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

from opentelemetry.context import attach, detach, get_current
from opentelemetry.propagate import extract, inject

import agentops_otel
from agentops_otel import record_action, record_tool


@record_tool("weather")
def weather(city: str) -> str:
    return f"21 degrees in {city}"


def take_up(carrier: Mapping[str, str], city: str) -> str:
    token = attach(extract(carrier, get_current()))
    try:
        return weather(city)
    finally:
        detach(token)


def carried() -> dict[str, str]:
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier


class Service(BaseHTTPRequestHandler):
    """The other end of `by_http`."""

    def do_GET(self) -> None:
        """Take up the caller's trace from the request's headers."""
        body = take_up(self.headers, self.path[1:]).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@record_action("by http")
def by_http(city: str) -> str:
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True) as service:
        port = service.stdout.readline().strip() if service.stdout else ""
        with urlopen(Request(f"http://127.0.0.1:{port}/{city}", headers=carried()), timeout=20) as answer:
            return str(answer.read().decode())


@record_action("by message")
def by_message(city: str) -> str:
    """A queue, a pipe, Celery's or Ray's headers: whatever carries a dict."""
    message = json.dumps({"city": city, "carrier": carried()})
    worker = [sys.executable, __file__, "work"]
    return subprocess.run(worker, input=message, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


@record_action("by pool")
def by_pool(*cities: str) -> list[str]:
    with multiprocessing.get_context("spawn").Pool(1, initializer=start) as pool:
        answers = pool.starmap(take_up, [(carried(), city) for city in cities])
        pool.close()  # unlike the end of `with`, it lets the worker deliver its spans
        pool.join()
    return answers


@record_action("trip")
def trip() -> list[str]:
    return [by_http("Rome"), by_message("Oslo"), *by_pool("Lima", "Bern")]


def start() -> None:
    agentops_otel.init(service_name="distributed")


def main() -> None:
    start()
    match sys.argv[1:]:
        case ["serve"]:
            with HTTPServer(("127.0.0.1", 0), Service) as server:
                server.timeout = 20
                print(server.server_address[1], flush=True)
                server.handle_request()
        case ["work"]:
            message = json.load(sys.stdin)
            print(take_up(message["carrier"], message["city"]), end="")
        case _:
            print(*trip(), sep="\n")


if __name__ == "__main__":
    main()
