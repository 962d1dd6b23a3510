"""What the tests of delivery share: a pipeline as `init()` makes it, and spans to put into it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer

from agentops_otel.config import Config, Destination
from agentops_otel.export import Pipeline, Stats, build
from tests.loopback.otlp_sink import OtlpSink


def destination(sink: OtlpSink, **settings: object) -> Destination:
    """The sink as a destination."""
    return Destination(endpoint=sink.endpoint, protocol=sink.protocol, **settings)  # type: ignore[arg-type]  # by name


@contextmanager
def running(config: Config) -> Iterator[tuple[Pipeline, Tracer]]:
    """A pipeline and a tracer of the SDK that feeds it; closed at the end."""
    pipeline = build(config)
    try:
        yield pipeline, tracer_for(pipeline)
    finally:
        pipeline.close(config.exit_timeout_s)


def tracer_for(pipeline: Pipeline) -> Tracer:
    """A tracer of the SDK that feeds the pipeline."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(pipeline)
    return provider.get_tracer("test")


def make_spans(tracer: Tracer, number: int, name: str = "span", **attributes: str) -> None:
    """End so many spans, `span 0` and so on."""
    for n in range(number):
        tracer.start_span(f"{name} {n}", attributes=attributes).end()


def until_logged(words: str, pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    """Keep the pipeline trying until the log says so."""
    end = time.monotonic() + 60
    while words not in caplog.text:
        assert time.monotonic() < end, caplog.text
        assert not pipeline.force_flush(100)


def adds_up(stats: Stats) -> bool:
    """Whether every span is accounted for and none is on its way."""
    return stats.pending == 0 and stats.produced == stats.sent + stats.spooled + sum(stats.dropped.values())


def within(seconds: float, run: Callable[[], object]) -> bool:
    """Whether it took at most so long."""
    began = time.monotonic()
    run()
    return time.monotonic() - began <= seconds


@contextmanager
def accepting(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port of a server that does this with its one connection."""

    def accept() -> None:
        taken, _ = listener.accept()
        with taken, suppress(OSError):
            taken.settimeout(60)
            serve(taken)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()
