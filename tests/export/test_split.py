"""Requests made smaller."""

import pytest
from inline_snapshot import snapshot
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from agentops_otel.export.encode import Encoder
from agentops_otel.export.split import split_in_two, truncate_values
from tests.loopback.otlp_sink import attributes_of, value_of


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
        links=[Link(SpanContext(3, 4, is_remote=False), long)],  # type: ignore[arg-type]  # the same
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
    assert {one.key: value_of(one.value) for one in found.links[0].attributes} == cut_values


@pytest.mark.parametrize("size", [99, 100, 101])
def test_what_is_no_longer_than_the_limit_is_whole(size: int) -> None:
    """Of a list the bytes that it takes in all."""
    empty = ReadableSpan("x", SpanContext(1, 2, is_remote=False), resource=Resource({}), attributes={"a": ("",)})
    [of_nothing] = ExportTraceServiceRequest.FromString(Encoder().batch([empty]).body).resource_spans
    around = of_nothing.scope_spans[0].spans[0].attributes[0].value.ByteSize()
    values = {"text": "x" * size, "list": ("x" * (size - around),)}
    span = ReadableSpan("x", SpanContext(1, 2, is_remote=False), resource=Resource({}), attributes=values)

    [smaller] = ExportTraceServiceRequest.FromString(
        truncate_values(Encoder().batch([span]).body, 100).body
    ).resource_spans

    kept = attributes_of(smaller.scope_spans[0].spans[0])
    assert kept == {"text": "x" * min(size, 100), "list": list(values["list"]) if size <= 100 else None}


def test_halves_have_each_span_once_with_its_resource_and_scope() -> None:
    """In their order, and a resource or a scope that many share is there once."""
    resources = [Resource({"service.name": name}, f"https://{name}.test/1") for name in ("a", "b")]
    scopes = [InstrumentationScope(name, "1", f"https://{name}.test/2", {"of": name}) for name in ("x", "y")]
    owners = [(0, 0), (0, 0), (0, 1), (0, 1), (1, 1), (1, 0), (1, 0)]
    spans = [
        ReadableSpan(
            f"{n}", SpanContext(1, n + 1, is_remote=False), resource=resources[r], instrumentation_scope=scopes[s]
        )
        for n, (r, s) in enumerate(owners)
    ]
    whole = Encoder().batch(spans)

    first, second = split_in_two(whole.body)

    def told(body: bytes) -> list[object]:
        return [
            [
                *(value_of(r.resource.attributes[0].value), r.schema_url, len(r.scope_spans)),
                *(s.scope.name, s.schema_url, value_of(s.scope.attributes[0].value)),
                *(span.name for span in s.spans),
            ]
            for r in ExportTraceServiceRequest.FromString(body).resource_spans
            for s in r.scope_spans
        ]

    assert (first.spans, second.spans) == (3, 4)
    assert [told(whole.body), told(first.body), told(second.body)] == snapshot(
        [
            [
                ["a", "https://a.test/1", 2, "x", "https://x.test/2", "x", "0", "1"],
                ["a", "https://a.test/1", 2, "y", "https://y.test/2", "y", "2", "3"],
                ["b", "https://b.test/1", 2, "y", "https://y.test/2", "y", "4"],
                ["b", "https://b.test/1", 2, "x", "https://x.test/2", "x", "5", "6"],
            ],
            [
                ["a", "https://a.test/1", 2, "x", "https://x.test/2", "x", "0", "1"],
                ["a", "https://a.test/1", 2, "y", "https://y.test/2", "y", "2"],
            ],
            [
                ["a", "https://a.test/1", 1, "y", "https://y.test/2", "y", "3"],
                ["b", "https://b.test/1", 2, "y", "https://y.test/2", "y", "4"],
                ["b", "https://b.test/1", 2, "x", "https://x.test/2", "x", "5", "6"],
            ],
        ]
    )
