"""The sink is judged by OpenTelemetry's own exporters."""

import socket
import sys
from collections.abc import Callable
from typing import Literal

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tests.loopback.otlp_sink import Answer, OtlpSink, attributes_of

HTTP: Callable[[OtlpSink], SpanExporter] = lambda sink: HttpExporter(endpoint=sink.endpoint)  # noqa: E731
GRPC: Callable[[OtlpSink], SpanExporter] = lambda sink: GrpcExporter(endpoint=sink.endpoint)  # noqa: E731


def finished_span(name: str) -> ReadableSpan:
    """A span of the SDK with one attribute, ended."""
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span(name, attributes={"n": 7})
    span.end()
    assert isinstance(span, ReadableSpan)
    return span


@pytest.mark.parametrize(("protocol", "exporter"), [("http/protobuf", HTTP), ("grpc", GRPC)])
def test_a_stock_exporter_delivers_a_span(protocol: str, exporter: Callable[[OtlpSink], SpanExporter]) -> None:
    """What a stock exporter sends is there, decoded, once."""
    with OtlpSink(protocol="grpc" if protocol == "grpc" else "http/protobuf") as sink:
        stock = exporter(sink)

        result = stock.export([finished_span("one")])
        stock.shutdown()

    assert result is SpanExportResult.SUCCESS
    assert attributes_of(sink.spans["one"]) == {"n": 7}
    assert len(sink.ids) == 1
    assert sink.duplicates == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no two sockets are bound to one address")
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_sink_that_is_stopped_keeps_its_port(protocol: Literal["http/protobuf", "grpc"]) -> None:
    """Nobody else gets it meanwhile, who connects is refused, and the sink is on it when it comes back."""
    with OtlpSink(protocol) as sink:
        port = sink.port

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
    with sink:
        assert sink.port == port
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_queued_answer_is_given_once_and_its_spans_are_not_taken() -> None:
    """A 400 refuses the first request; the second is taken."""
    with OtlpSink() as sink:
        sink.answer(Answer(status=400))
        stock = HTTP(sink)

        results = [stock.export([finished_span(name)]) for name in ("refused", "taken")]
        stock.shutdown()

    assert results == [SpanExportResult.FAILURE, SpanExportResult.SUCCESS]
    assert set(sink.spans) == {"taken"}
    assert len(sink.received) == 2


def test_a_collector_that_comes_back_is_on_the_same_port() -> None:
    """A sink stopped and another started on its port: the exporter finds it again."""
    with OtlpSink() as first:
        HTTP(first).export([finished_span("before")])

    with OtlpSink(port=first.port) as second:
        HTTP(second).export([finished_span("after")])

    assert set(first.spans) == {"before"}
    assert set(second.spans) == {"after"}
