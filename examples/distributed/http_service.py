"""HTTP: the context travels in the request's headers, and the service says that it trusts its callers."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

from carry import carried, taken_up

import agentops_otel
from agentops_otel import record_action, record_tool


@record_tool("weather")
def weather(city: str) -> str:
    return f"21 degrees in {city}"


class Service(BaseHTTPRequestHandler):
    """Any web framework does the same with its headers."""

    def do_GET(self) -> None:
        """Answer, as a part of the caller's trace."""
        with taken_up(self.headers):
            body = weather(self.path[1:]).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def serve() -> None:
    agentops_otel.init(service_name="weather service")
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        print(server.server_address[1], flush=True)
        server.handle_request()


@record_action("ask")
def ask(port: str, city: str) -> str:
    with urlopen(Request(f"http://127.0.0.1:{port}/{city}", headers=carried()), timeout=60) as answer:
        return str(answer.read().decode())


def main() -> None:
    agentops_otel.init(service_name="http")
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True) as service:
        port = service.stdout.readline().strip() if service.stdout else ""
        print(ask(port, "Rome"))


if __name__ == "__main__":
    serve() if sys.argv[1:] else main()
