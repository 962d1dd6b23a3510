"""Random programs of span operations say the same with our tracer provider as with the SDK's."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, sampling
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from opentelemetry.trace import Span as AnySpan

from agentops_otel.tracing.provider import OwnProvider

RESOURCE = Resource({"service.name": "test"})
KEYS = st.sampled_from(["a", "b", "c", "d", "", "error.type"])
ATOMS = st.one_of(st.text(max_size=8), st.integers(), st.floats(allow_nan=False), st.booleans(), st.binary(max_size=4))
VALUES = st.recursive(
    ATOMS | st.none() | st.builds(object) | st.sampled_from([complex(1, 2), {1, 2}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=4)
STATUS = st.sampled_from([StatusCode.OK, StatusCode.ERROR, StatusCode.UNSET])
CONTEXTS = st.builds(
    SpanContext,
    st.sampled_from([0, 1, 2]),
    st.sampled_from([0, 7]),
    is_remote=st.booleans(),
    trace_flags=st.sampled_from([TraceFlags(0), TraceFlags(1), TraceFlags(3)]),
    trace_state=st.sampled_from([TraceState(), TraceState([("k", "v")])]),
)
LINKS = st.lists(st.builds(Link, CONTEXTS, ATTRIBUTES), max_size=3)

OPERATIONS = st.one_of(
    st.tuples(st.just("set_attribute"), KEYS, VALUES),
    st.tuples(st.just("set_attributes"), ATTRIBUTES),
    st.tuples(st.just("add_event"), st.text(max_size=5), st.none() | ATTRIBUTES, st.integers(1, 9)),
    st.tuples(st.just("add_link"), CONTEXTS, st.none() | ATTRIBUTES),
    st.tuples(st.just("update_name"), st.text(max_size=5)),
    st.tuples(st.just("set_status"), STATUS, st.none() | st.text(max_size=5)),
    st.tuples(st.just("set_status"), st.builds(Status, STATUS, st.just("why")), st.none() | st.just("ignored")),
    st.tuples(st.just("record_exception"), st.builds(ValueError, st.text(max_size=5)), ATTRIBUTES, st.integers(1, 9)),
    st.tuples(st.just("start_child"), st.sampled_from(list(SpanKind)), ATTRIBUTES, LINKS),
    st.tuples(st.just("start_below"), CONTEXTS, ATTRIBUTES),
    st.tuples(st.just("end"), st.sampled_from([0, 99])),
)
PROGRAMS = st.lists(st.tuples(st.integers(0, 3), OPERATIONS), max_size=12)
LIMITS = st.builds(
    SpanLimits,
    max_span_attributes=st.sampled_from([None, 0, 1, 3]),
    max_events=st.sampled_from([None, 0, 2]),
    max_links=st.sampled_from([None, 0, 2]),
    max_event_attributes=st.sampled_from([None, 1]),
    max_span_attribute_length=st.sampled_from([None, 2]),
    max_attribute_length=st.sampled_from([None, 3]),
)
SAMPLERS = st.sampled_from(
    [
        sampling.DEFAULT_ON,
        sampling.ALWAYS_ON,
        sampling.ALWAYS_OFF,
        sampling.ParentBased(sampling.TraceIdRatioBased(0.5)),
    ]
)


class Counted(IdGenerator):
    """The same ids in each run."""

    def __init__(self) -> None:
        self._last = 0

    def generate_span_id(self) -> int:
        """The next number."""
        self._last += 1
        return self._last

    def generate_trace_id(self) -> int:
        """The next number, far up."""
        return self.generate_span_id() << 60


class Kept(SpanProcessor):
    """Keeps what processors are told, as it is told."""

    def __init__(self) -> None:
        self.started: list[tuple[Any, Any]] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: sdk_trace.Span, parent_context: Any = None) -> None:
        """A span starts."""
        self.started.append((as_json(span), parent_context is None))

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        self.ended.append(span)


def run(provider: sdk_trace.TracerProvider, program: list[tuple[int, tuple[Any, ...]]]) -> tuple[Kept, list[str]]:
    """What the processors were told, and the errors that the program got."""
    kept, errors = Kept(), []
    provider.add_span_processor(kept)
    tracer = provider.get_tracer("test", "1", "https://schema", {"scope": "attribute"})
    spans: list[AnySpan] = [tracer.start_span("root", start_time=1)]
    for place, (name, *arguments) in program:
        span = spans[place % len(spans)]
        try:
            _step(tracer, spans, span, name, arguments)
        except (TypeError, ValueError, AttributeError) as error:
            errors.append(f"{name}: {type(error).__name__}")
    for span in spans:
        span.end(50)
    return kept, errors


def _step(tracer: Any, spans: list[AnySpan], span: AnySpan, name: str, arguments: list[Any]) -> None:
    if name == "start_child":
        kind, attributes, links = arguments
        context = set_span_in_context(span)
        links = [Link(link.context, dict(link.attributes or {})) for link in links]  # the SDK changes them
        spans.append(tracer.start_span("child", context, kind=kind, attributes=attributes, links=links, start_time=3))
    elif name == "start_below":
        context = set_span_in_context(NonRecordingSpan(arguments[0]))
        spans.append(tracer.start_span("below", context, attributes=arguments[1], start_time=4))
    else:
        getattr(span, name)(*arguments)


def as_json(span: ReadableSpan) -> dict[str, Any]:
    """The span as the SDK writes it; bytes it cannot write."""
    try:
        return json.loads(span.to_json())  # type: ignore[no-any-return]
    except TypeError as error:
        return {"name": span.name, "error": str(error)}


def said(span: ReadableSpan) -> dict[str, Any]:
    """Everything that a reader of the span sees, but for the text of a stack."""
    told = as_json(span)
    for event in told.get("events", ()):
        event["attributes"].pop("exception.stacktrace", None)
    context = span.context
    return {
        **told,
        "flags": context and (context.trace_flags, context.is_remote),
        "parent": span.parent,
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "event_drops": [event.dropped_attributes for event in span.events],
        "link_drops": [link.dropped_attributes for link in span.links],
        "scope": span.instrumentation_scope,
        "order": list(span.attributes or {}),
    }


def encoded(span: ReadableSpan) -> bytes:
    """The span as the SDK's exporter sends it, without the text of a stack."""
    message = encode_spans([span])
    for event in message.resource_spans[0].scope_spans[0].spans[0].events:
        for attribute in list(event.attributes):
            if attribute.key == "exception.stacktrace":
                event.attributes.remove(attribute)
    return bytes(message.SerializeToString(deterministic=True))


@settings(max_examples=150)
@given(PROGRAMS, LIMITS, SAMPLERS)
def test_a_program_says_the_same(
    program: list[tuple[int, tuple[Any, ...]]], limits: SpanLimits, sampler: sampling.Sampler
) -> None:
    """Spans, what processors are told at start and end, and errors are those of the SDK."""
    make: list[Callable[..., sdk_trace.TracerProvider]] = [sdk_trace.TracerProvider, OwnProvider]
    theirs, ours = (
        run(
            of(resource=RESOURCE, id_generator=Counted(), span_limits=limits, sampler=sampler, shutdown_on_exit=False),
            program,
        )
        for of in make
    )

    assert [said(span) for span in ours[0].ended] == [said(span) for span in theirs[0].ended]
    assert [encoded(span) for span in ours[0].ended] == [encoded(span) for span in theirs[0].ended]
    assert ours[0].started == theirs[0].started
    assert ours[1] == theirs[1]
