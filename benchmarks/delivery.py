"""Delivering a span against OpenTelemetry's BatchSpanProcessor and OTLP exporter: CPU and throughput, as ratios.

Every cell is a process of its own that ends spans as fast as it can and flushes; the collector is another process that
answers without looking. Ours and the stock one take turns; the best of each counts, as `theirs / ours`, so that more
is better. The stock queue is as long as the run, since at its default of 2048 it would lose most of the spans.
Then the encoders alone, in one process, on the same spans: CPU, `ours / theirs`, so that less is better.
Run it with `python benchmarks/delivery.py`, or the encoders with `python benchmarks/delivery.py encoders`.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanProcessor

SPANS, ROUNDS, BATCH = 20_000, 3, 512
ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 80,
    "agentops.tags": ("demo", "billing"),
    "agentops.entity.input": '{"question": "' + "what is the weather like " * 10 + '"}',
    "agentops.entity.output": '{"answer": "' + "it depends on where you are " * 8 + '"}',
    "session.id": "0123456789abcdef0123456789abcdef",
}


class Collector(BaseHTTPRequestHandler):
    """Takes everything and answers with nothing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read it and say yes."""
        self.rfile.read(int(self.headers["content-length"]))
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n")

    do_PUT = do_POST  # ddtrace's way


def collect() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


def ours(endpoint: str, compression: str) -> SpanProcessor:
    from agentops_otel.config import Config, Destination
    from agentops_otel.export import build

    return build(Config(destinations=(Destination(endpoint=endpoint, compression=compression),)))


def theirs(endpoint: str, compression: str) -> SpanProcessor:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=endpoint, compression=Compression(compression))
    return BatchSpanProcessor(exporter, max_queue_size=2 * SPANS, schedule_delay_millis=200)


def ended_spans() -> list[ReadableSpan]:
    """Ended before the clock starts: what is measured is the way from `on_end` to the collector."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("benchmark")
    spans = [tracer.start_span("chat gpt-5", attributes=ATTRIBUTES) for _ in range(SPANS)]
    for span in spans:
        span.end()
    return [span for span in spans if isinstance(span, ReadableSpan)]


def measure(build: Callable[[str, str], SpanProcessor], endpoint: str, compression: str) -> None:
    processor = build(endpoint, compression)
    spans = ended_spans()
    for span in spans[:100]:  # connected, imported
        processor.on_end(span)
    processor.force_flush()
    cpu, wall = time.process_time(), time.perf_counter()
    for span in spans:
        processor.on_end(span)
    processor.force_flush()
    print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall]))
    processor.shutdown()


def encoders() -> None:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    from agentops_otel.export.encode import Encoder

    spans, encoder = ended_spans(), Encoder()
    batches = [spans[n : n + BATCH] for n in range(0, SPANS, BATCH)]
    encode: dict[str, Callable[[list[ReadableSpan]], object]] = {
        "ours": encoder.batch,
        "theirs": lambda batch: encode_spans(batch).SerializeToString(),
    }
    best = dict.fromkeys(encode, float("inf"))
    for _ in range(ROUNDS):
        for who, run in encode.items():
            began = time.process_time()
            for batch in batches:
                run(batch)
            best[who] = min(best[who], time.process_time() - began)
    print(f"{'encoder':12}{best['ours'] / SPANS * 1e6:8.0f} us {best['ours'] / best['theirs']:6.2f} of theirs")


@contextmanager
def collector() -> Iterator[str]:
    command = [sys.executable, __file__, "collector"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1/traces"
        process.stdin.close()


def main() -> None:
    with collector() as endpoint:
        print(f"{'':12}{'CPU a span':>24}{'spans a second':>28}")
        for compression in ("none", "gzip"):
            results: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
            for _ in range(ROUNDS):
                for who, cells in results.items():
                    command = [sys.executable, __file__, who, endpoint, compression]
                    cells.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
            cpu, wall = ({who: min(cell[n] for cell in cells) for who, cells in results.items()} for n in (0, 1))
            print(
                f"{compression:12}{cpu['ours'] / SPANS * 1e6:8.0f} us {cpu['theirs'] / cpu['ours']:6.1f} x better"
                f"{SPANS / wall['ours']:14,.0f} /s {wall['theirs'] / wall['ours']:4.1f} x better"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", help="nothing for the whole comparison")
    match parser.parse_args().what:
        case ["collector"]:
            collect()
        case ["ours", endpoint, compression]:
            measure(ours, endpoint, compression)
        case ["theirs", endpoint, compression]:
            measure(theirs, endpoint, compression)
        case ["encoders"]:
            encoders()
        case _:
            main()
            encoders()
