"""What a program waits for its spans that are delivered meanwhile, and how many are lost: ours beside the SDK's.

A decorated call with three arguments, 10,000 times a second and as fast as it can, delivered over OTLP/HTTP to a
collector on this machine that counts unique span ids. Theirs is a raw span in a `BatchSpanProcessor` with the OTLP
exporter, each with its defaults, which records no values. The longest waits are of the calling thread, in wall time: on
a busy machine look at both. Run it with `python benchmarks/paced.py`.
"""

import gzip
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from _decorated import three
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

RATES, SECONDS, AT_ONCE = (10_000, 0), 4, 40_000


class Collector(BaseHTTPRequestHandler):
    """Keeps every body."""

    protocol_version = "HTTP/1.1"
    bodies: list[bytes]

    def do_POST(self) -> None:
        """Read it and say yes."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.bodies.append(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def collect() -> None:
    """Serve, and print the number of unique spans since the last line of input for each line of input."""
    Collector.bodies = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    for _ in sys.stdin:
        requests = map(ExportTraceServiceRequest.FromString, Collector.bodies)
        print(len({span.span_id for request in requests for span in _spans(request)}), flush=True)
        Collector.bodies = []


def _spans(request: ExportTraceServiceRequest) -> list[Any]:
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def ours(endpoint: str) -> tuple[Callable[..., Any], Callable[[], object]]:
    """The call, and what delivers the rest."""
    import agentops_otel

    agentops_otel.init(endpoint=endpoint, console=False, trace_file=False, spool_dir=False)
    return agentops_otel.record_action(three), lambda: agentops_otel.flush(timeout_s=60)


def theirs(endpoint: str) -> tuple[Callable[..., Any], Callable[[], object]]:
    """The same of the SDK."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    tracer = provider.get_tracer("raw")

    def call(*arguments: Any) -> Any:
        with tracer.start_as_current_span("three"):
            return three(*arguments)

    return call, provider.force_flush


def measure(build: Callable[[str], tuple[Callable[..., Any], Callable[[], object]]], endpoint: str, rate: int) -> None:
    """Print the number of calls, the waits in microseconds, CPU a call and spans a second."""
    call, deliver = build(endpoint)
    logging.disable(logging.CRITICAL)
    count, waits = rate * SECONDS or AT_ONCE, []
    began, cpu = time.perf_counter(), time.process_time()
    for n in range(count):
        while rate and time.perf_counter() < began + n / rate:
            time.sleep(0.0001)
        start = time.perf_counter_ns()
        call(1, "two", 3.0)
        waits.append(time.perf_counter_ns() - start)
    deliver()
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    waits.sort()
    print(json.dumps([count, waits[count // 2] / 1e3, waits[count * 999 // 1000] / 1e3, used / count * 1e6, wall]))


def main() -> None:
    """Print the table."""
    print(f"{'':24}{'median':>11}{'99.9 %':>12}{'CPU a call':>13}{'lost':>9}{'delivered':>14}")
    command = [sys.executable, __file__]
    with subprocess.Popen([*command, "collector"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        endpoint = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1/traces"
        for rate in RATES:
            for who in ("theirs", "ours"):
                ran = subprocess.run([*command, who, endpoint, str(rate)], capture_output=True, check=True, timeout=120)
                count, median, longest, cpu, wall = json.loads(ran.stdout.splitlines()[-1])
                server.stdin.write("how many\n")
                server.stdin.flush()
                lost = count - int(server.stdout.readline())
                pace = f"{rate:,} a second" if rate else "at once"
                print(
                    f"{pace:16}{who:8}{median:8.1f} µs{longest:9.0f} µs{cpu:10.1f} µs{lost:9,}"
                    f"{(count - lost) / wall:12,.0f}/s",
                    flush=True,
                )
        server.stdin.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["collector"]:
            collect()
        case ["ours", endpoint, rate]:
            measure(ours, endpoint, int(rate))
        case ["theirs", endpoint, rate]:
            measure(theirs, endpoint, int(rate))
        case _:
            main()
