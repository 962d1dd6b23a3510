"""Encoding is judged by OpenTelemetry's own encoder and message classes."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from opentelemetry.util.types import AttributeValue

import agentops_otel
from agentops_otel import guard
from agentops_otel.content import MAX_DEPTH
from agentops_otel.export.encode import Encoder
from agentops_otel.export.otlp_json import dumps, loads
from tests.loopback.otlp_sink import OtlpSink, attributes_of
from tests.stock_encoder import complete_stock_encoder
from tests.view.spans import over_its_limits

ids = st.integers(1, 2**64 - 1)
times = st.integers(0, 2**63 - 1)
values = st.one_of(
    st.text(max_size=200),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=20),
    st.none(),
)
nested = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
attributes = st.dictionaries(st.text(max_size=150), nested, max_size=6)
contexts = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    ids,
    st.booleans(),
    st.just(TraceFlags(1)),
    st.sampled_from([TraceState(), TraceState([("a", "1"), ("b", "2")])]),
)
spans = st.builds(
    ReadableSpan,
    name=st.text(max_size=200),
    context=contexts,
    parent=st.none() | contexts,
    resource=st.sampled_from([Resource({"service.name": "a"}), Resource({"n": (1, 2)}, "https://schema")]),
    attributes=attributes,
    events=st.lists(st.builds(Event, st.text(max_size=9), attributes, times), max_size=2),
    links=st.lists(st.builds(Link, contexts, attributes), max_size=2),
    kind=st.sampled_from(SpanKind),
    status=st.sampled_from([Status(), Status(StatusCode.OK), Status(StatusCode.ERROR, "broken")]),
    start_time=times,
    end_time=times,
    instrumentation_scope=st.sampled_from(
        [None, InstrumentationScope("one", "1.0", "https://schema", {"k": True}), InstrumentationScope("two")]
    ),
)


def a_span(name: str = "a", attributes: Mapping[str, object] | None = None, **more: object) -> ReadableSpan:
    """A span with the attributes as they are, past the SDK's own cleaning."""
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    return ReadableSpan(name, context, attributes=attributes, resource=Resource({}), **more)  # type: ignore[arg-type]  # on purpose


def decoded(spans: Sequence[ReadableSpan]) -> ExportTraceServiceRequest:
    """What a receiver reads from our bytes."""
    request: ExportTraceServiceRequest = ExportTraceServiceRequest.FromString(Encoder().batch(spans).body)
    return request


def decoded_attributes(attributes: Mapping[str, object]) -> dict[str, object]:
    """What a receiver reads from a span with these attributes."""
    return attributes_of(decoded([a_span("a", attributes)]).resource_spans[0].scope_spans[0].spans[0])


@complete_stock_encoder
def test_lengths_about_the_longest_one_that_is_made_ready_decode_as_any_other() -> None:
    """Of a text, of the attribute that has it, and of what the two are in: lengths up to 1024 come from a table."""
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    lengths = [*range(120, 132), *range(880, 1030)]
    found = [
        ReadableSpan("a", context, attributes={"b": "x" * n, "c": ("y" * n,), "d": b"z" * n}, resource=Resource({}))
        for n in lengths
    ]
    alone = [ReadableSpan("a", context, attributes={"b": "x" * n}, resource=Resource({})) for n in lengths]

    for span in [*found, *alone]:
        assert ExportTraceServiceRequest.FromString(Encoder().batch([span]).body) == encode_spans([span])


@complete_stock_encoder
def test_an_integer_takes_as_few_bytes_as_with_the_stock_encoder() -> None:
    """About each length that one byte more begins at."""
    numbers = [0, -1, *(n + d for n in (1 << 7, 1 << 10, 1 << 14, 1 << 21, 1 << 62) for d in (-1, 0, 1))]
    spans = [a_span(attributes={"n": number, "text": "x" * min(abs(number), 1 << 21)}) for number in numbers]

    ours = [len(Encoder().batch([span]).body) for span in spans]
    stock = [len(encode_spans([span]).SerializeToString()) for span in spans]
    # Ours says of each status what it is.
    assert {own - other for own, other in zip(ours, stock, strict=True)} == {ours[0] - stock[0]}


@pytest.mark.no_cover
@complete_stock_encoder
@settings(max_examples=60, deadline=None)
@given(st.lists(spans, max_size=4))
def test_any_spans_decode_to_the_message_of_the_stock_encoder(spans: list[ReadableSpan]) -> None:
    """Field by field the receiver reads what it would read from OpenTelemetry's own encoder."""
    batch = Encoder().batch(spans)

    assert ExportTraceServiceRequest.FromString(batch.body) == encode_spans(spans)
    assert batch.spans == len(spans)


def test_a_span_of_the_sdk_over_its_limits_keeps_its_dropped_counts() -> None:
    """The counts of dropped attributes, events and links arrive."""
    span = over_its_limits()

    request = decoded([span])

    assert request == encode_spans([span])
    [sent] = request.resource_spans[0].scope_spans[0].spans
    assert (sent.dropped_attributes_count, sent.dropped_events_count, sent.dropped_links_count) == (1, 1, 1)


def test_two_bodies_in_a_row_are_one_request() -> None:
    """Requests are joined by putting one after the other."""
    encoder = Encoder()

    joined = encoder.batch([a_span("a")]).body + encoder.batch([a_span("b"), a_span("c")]).body

    request = ExportTraceServiceRequest.FromString(joined)
    names = [s.name for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
    assert names == ["a", "b", "c"]


class Text(str):
    """A kind of str."""


class Number(int):
    """A kind of int."""


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("lone \ud800 surrogate", "lone ? surrogate"),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, str(2**63)),
        (2**1024 - 1, str(2**1024 - 1)),
        (2**1024, "an integer of 1025 bits"),
        (10**5000, "an integer of 16610 bits"),
        (b"\xff\x00", b"\xff\x00"),
        (None, None),
        ([1, "two", None, 2.5, [True]], [1, "two", None, 2.5, [True]]),
        ((["one"], {"a": 1}), [["one"], {"a": 1}]),
        ({"a": {"b": 1}, 2: "x", None: 3}, {"a": {"b": 1}, "2": "x", "NoneType": 3}),
        (Text("subclass"), "subclass"),
        (Number(200), 200),
        (math.inf, math.inf),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_hard_value_arrives_as_near_as_otlp_can_say_it(value: object, arrives: object) -> None:
    """Surrogates, huge integers, bytes, None and mixed lists do not cost their span anything."""
    assert decoded_attributes({"hard": value, "easy": 1}) == {"hard": arrives, "easy": 1}
    [written] = loads(dumps([a_span("a", {"hard": value, "easy": 1})]))
    assert _as_lists(written.attributes) == {"hard": arrives, "easy": 1}


def test_a_value_without_an_otlp_form_costs_itself_and_is_counted() -> None:
    """An object is left out; its neighbours stay and the dropped count says so."""
    span = a_span("a", {"object": object(), "easy": 1})

    [sent] = decoded([span]).resource_spans[0].scope_spans[0].spans
    line = dumps([span])
    [written] = loads(line)

    assert attributes_of(sent) == written.attributes == {"easy": 1}
    assert sent.dropped_attributes_count == 1
    assert b'"droppedAttributesCount":1' in line


def test_what_a_decorated_call_cannot_say_is_counted() -> None:
    """The attributes that all calls of a function share are encoded once, and what is left out is said of each."""
    with OtlpSink() as sink:
        agentops_otel.init(endpoint=sink.endpoint, console=False, spool_dir=False)
        try:

            @agentops_otel.tool(cost=cast(Any, object()))
            def call(text: str) -> int:
                return len(text)

            lengths = [call("one"), call("three")]
            assert agentops_otel.flush(60)
        finally:
            agentops_otel.shutdown()

        assert lengths == [3, 5]
        assert [span.dropped_attributes_count for span in sink.every] == [1, 1]


def test_a_status_that_is_unset_may_have_a_description() -> None:
    """OpenTelemetry's own class drops it; other people's spans may keep it."""
    status = Status()
    status._description = "why"

    [sent] = decoded([a_span(status=status)]).resource_spans[0].scope_spans[0].spans

    assert (sent.status.code, sent.status.message) == (0, "why")


def test_nesting_has_an_end() -> None:
    """A list within lists beyond the depth arrives cut, so that no receiver refuses the request."""
    deep: list[object] = []
    deep.append(deep)

    arrived = decoded_attributes({"deep": deep})["deep"]

    depth = 0
    while isinstance(arrived, list) and arrived:
        [arrived] = arrived
        depth += 1
    assert depth == MAX_DEPTH


@pytest.mark.parametrize("further", [0, 1])
@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}], ids=["lists", "mappings"])
def test_a_deep_value_is_as_deep_at_the_collector_as_in_the_file(
    wrap: Callable[[object], object], further: int
) -> None:
    """What another library nests is sent and written down to the same depth, which protobuf's own readers take."""
    value: object = "innermost"
    for _ in range(MAX_DEPTH + further):
        value = wrap(value)
    span = a_span("a", events=[Event("e", {"deep": value}, 5)])  # type: ignore[dict-item]  # OTLP takes more

    arrived = decoded([span])
    [written] = loads(dumps([span]))

    [sent] = arrived.resource_spans[0].scope_spans[0].spans
    at_collector, in_file = attributes_of(sent.events[0])["deep"], (written.events[0].attributes or {})["deep"]
    whole = not further
    assert (at_collector == value, _as_lists(in_file) == value) == (whole, whole)
    assert ("innermost" in str(at_collector), "innermost" in str(in_file)) == (whole, whole)


def _as_lists(value: object) -> object:
    match value:
        case tuple():
            return [_as_lists(item) for item in value]
        case Mapping():
            return {key: _as_lists(item) for key, item in value.items()}
    return value


def test_a_span_name_and_an_event_with_surrogates_cost_nothing_else() -> None:
    """Text that is no UTF-8 is replaced wherever it stands."""
    span = a_span("n\ud800", events=[Event("e\ud800", {"k\ud800": "v"}, 5)], status=Status(StatusCode.ERROR, "s\ud800"))

    [sent] = decoded([span, a_span()]).resource_spans[0].scope_spans[0].spans[:1]

    assert (sent.name, sent.events[0].name, sent.status.message) == ("n?", "e?", "s?")
    assert sent.events[0].attributes[0].key == "k?"


def test_a_span_that_cannot_be_read_is_left_out_of_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A span without a context fails alone."""
    monkeypatch.setattr(guard, "reraise", False)
    broken = ReadableSpan("broken", None, resource=Resource({}))

    batch = Encoder().batch([broken, a_span("whole")])

    assert batch.spans == 1
    request = ExportTraceServiceRequest.FromString(batch.body)
    assert [s.name for s in request.resource_spans[0].scope_spans[0].spans] == ["whole"]


def test_a_translation_changes_name_attributes_and_status_of_one_destination() -> None:
    """The other fields, and the span itself, stay."""

    def shout(span: ReadableSpan) -> tuple[str, Mapping[str, AttributeValue], Status]:
        return span.name.upper(), {"loud": True}, Status(StatusCode.OK)

    span = a_span("quiet", {"loud": False}, kind=SpanKind.CLIENT)
    encoder = Encoder()

    plain, loud = (
        ExportTraceServiceRequest.FromString(encoder.batch([span], translation).body)
        .resource_spans[0]
        .scope_spans[0]
        .spans[0]
        for translation in (None, shout)
    )

    assert (plain.name, attributes_of(plain), plain.kind) == ("quiet", {"loud": False}, 3)
    assert (loud.name, attributes_of(loud), loud.kind, loud.status.code) == ("QUIET", {"loud": True}, 3, 1)


def test_more_keys_than_are_remembered_are_still_encoded() -> None:
    """Generated attribute names do not fill the memory nor get lost."""
    many = {f"key {n}": n for n in range(5000)}

    assert decoded_attributes(many) == many


def test_what_is_remembered_of_generated_names_and_values_has_an_end() -> None:
    """Spans of which each has a name and a value that no other has."""
    encoder = Encoder()

    for number in range(3):
        spans = [a_span(attributes={f"key {number} {n}": f"value {n}"}) for n in range(4000)]
        encoder.batch(spans)
    remembered = max(len(cache) for cache in vars(encoder).values())

    assert 0 < remembered < 2 * 4000


def test_long_values_are_not_remembered() -> None:
    """Of four thousand conversations the memory would be full."""
    encoder = Encoder()

    encoder.batch([a_span(attributes={"short": "a" * 64, "long": "a" * 65, "many": ("a",) * 9, "few": ("a", "b")})])

    assert [name for pairs in encoder._pairs.values() for name, _ in pairs] == ["short", "few"]
