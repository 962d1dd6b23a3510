"""Requests made smaller."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode

from agentops_otel.export.encode import Encoder
from agentops_otel.export.split import truncate_values
from tests.loopback.otlp_sink import attributes_of


def test_every_kind_of_long_value_is_cut_and_the_short_ones_are_whole() -> None:
    """Text and bytes keep their beginning, a long list or mapping keeps its key, on spans and on events alike."""
    long = {"text": "x" * 101, "bytes": b"b" * 101, "list": ["l"] * 101, "mapping": {"key": "m" * 101}}
    short = {"id": "whole", "key": b"whole", "numbers": [1, 2], "count": 1 << 40, "pair": {"a": 1}}
    span = ReadableSpan(
        "n" * 101,
        SpanContext(1, 2, is_remote=False),
        resource=Resource({}),
        attributes={**long, **short},  # type: ignore[dict-item]  # a translation may hold mappings
        events=[Event("event", long, timestamp=1)],  # type: ignore[arg-type]  # the same
        status=Status(StatusCode.ERROR, "s" * 101),
        instrumentation_scope=InstrumentationScope("test"),
    )

    smaller = truncate_values(Encoder().batch([span]).body, 100)

    (found,) = ExportTraceServiceRequest.FromString(smaller.body).resource_spans[0].scope_spans[0].spans
    cut_values = {"text": "x" * 100, "bytes": b"b" * 100, "list": None, "mapping": None}
    assert smaller.spans == 1
    assert (found.name, found.status.message) == ("n" * 100, "s" * 100)
    assert attributes_of(found) == {**cut_values, **short}
    assert attributes_of(found.events[0]) == cut_values
