"""Random programs of span operations say the same with our tracer provider as with the SDK's."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, sampling
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Tracer,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace import Span as AnySpan

from agentops_otel.tracing.provider import OwnProvider
from agentops_otel.tracing.tracer import Tracer as OwnTracer
from tests.tracing.span_programs import HOSTILE_PROGRAMS, LIMITS, PROGRAMS, SAMPLERS, VARIABLES
from tests.tracing.this_sdk import THIS_SDK

pytestmark = THIS_SDK

RESOURCE = Resource({"service.name": "test"})


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


def sdk_tracer(provider: sdk_trace.TracerProvider) -> Tracer:
    """The tracer that a program gets."""
    return provider.get_tracer("test", "1", "https://schema", {"scope": "attribute"})


class Alternating:
    """Makes every other span with a tracer of ours, as guest on the program's provider, the rest with the SDK's."""

    def __init__(self, provider: sdk_trace.TracerProvider) -> None:
        theirs = sdk_tracer(provider)
        assert type(theirs) is sdk_trace.Tracer
        self._tracers: list[Tracer] = [OwnTracer(theirs), theirs]

    def __getattr__(self, name: str) -> Any:
        self._tracers.reverse()
        return getattr(self._tracers[0], name)


Program = list[tuple[int, tuple[Any, ...]]]


def run(
    provider: sdk_trace.TracerProvider, program: Program, tracer_of: Callable[..., Any] = sdk_tracer
) -> tuple[Kept, list[str], list[str]]:
    """What the processors were told, the errors that the program got, and what was logged."""
    kept, errors = Kept(), []
    provider.add_span_processor(kept)
    tracer = tracer_of(provider)
    spans: list[AnySpan] = [tracer.start_span("root", start_time=1)]
    with logged() as messages:
        for place, (name, *arguments) in program:
            try:
                _step(tracer, spans, spans[place % len(spans)], name, arguments)
            except (TypeError, ValueError, AttributeError, KeyError, RuntimeError, KeyboardInterrupt) as error:
                errors.append(f"{name}: {type(error).__name__}")
        for span in spans:
            span.end(50)
    return kept, errors, messages


@contextmanager
def logged() -> Iterator[list[str]]:
    """What the SDK says meanwhile, but of attributes: two of its functions say that a name is empty in other words."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(f"{record.name}: {record.getMessage()}")  # type: ignore[method-assign]
    logger = logging.getLogger("opentelemetry.sdk")
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)


def _step(tracer: Any, spans: list[AnySpan], span: AnySpan, name: str, arguments: list[Any]) -> None:
    within = set_span_in_context(span)
    match name, *arguments:
        case "start_child", given, links:
            links = [Link(link.context, dict(link.attributes or {})) for link in links]  # the SDK changes them
            spans.append(tracer.start_span("child", within, links=links, **given))
        case "start_below", remote, attributes:
            context = set_span_in_context(NonRecordingSpan(remote))
            spans.append(tracer.start_span("below", context, attributes=attributes, start_time=4))
        case "block", flags, attributes, error:
            with tracer.start_as_current_span("block", within, attributes=attributes, **flags) as current:
                spans += [current, tracer.start_span("in block")]
                _raise(error)
        case "use", flags, error:
            with use_span(span, **flags):
                spans.append(tracer.start_span("in use"))
                _raise(error)
        case "with", given, error:
            spans.append(tracer.start_span("with", within, **given))
            with spans[-1]:
                _raise(error)
        case _:
            getattr(span, name)(*arguments)


def _raise(error: BaseException | None) -> None:
    if error is not None:
        raise error


def as_json(span: ReadableSpan) -> dict[str, Any]:
    """The span as the SDK writes it; bytes it cannot write."""
    try:
        told: dict[str, Any] = json.loads(span.to_json())
    except TypeError as error:
        return {"name": span.name, "error": str(error)}
    for timed in (told, *told["events"]):
        for field in ("start_time", "end_time", "timestamp"):
            if not (timed.get(field) or "1970").startswith("1970"):
                timed[field] = "now"
    for event in told["events"]:
        event["attributes"].pop("exception.stacktrace", None)
    return told


def said(span: ReadableSpan) -> dict[str, Any]:
    """Everything that a reader of the span sees, but for the text of a stack and times that were not given."""
    context = span.context
    return {
        **as_json(span),
        "flags": context and (context.trace_flags, context.is_remote),
        "parent": span.parent,
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "event_drops": [event.dropped_attributes for event in span.events],
        "link_drops": [link.dropped_attributes for link in span.links],
        "scope": span.instrumentation_scope,
        "order": list(span.attributes or {}),
    }


def encoded(span: ReadableSpan) -> bytes:
    """The span as the SDK's exporter sends it, without the text of a stack and times that were not given."""
    message = encode_spans([span])
    sent = message.resource_spans[0].scope_spans[0].spans[0]
    sent.start_time_unix_nano = min(sent.start_time_unix_nano, _NOW)
    sent.end_time_unix_nano = min(sent.end_time_unix_nano, _NOW)
    for event in sent.events:
        event.time_unix_nano = min(event.time_unix_nano, _NOW)
        for attribute in list(event.attributes):
            if attribute.key == "exception.stacktrace":
                event.attributes.remove(attribute)
    return bytes(message.SerializeToString(deterministic=True))


_NOW = 1000
"""Later than every time that a program gives."""


def same_spans(theirs: Kept, ours: Kept) -> None:
    """Each span says the same, read and sent, at its start and at its end."""
    assert [said(span) for span in ours.ended] == [said(span) for span in theirs.ended]
    assert [encoded(span) for span in ours.ended] == [encoded(span) for span in theirs.ended]
    assert ours.started == theirs.started


def providers(**settings: Any) -> list[sdk_trace.TracerProvider]:
    """The SDK's and ours."""
    make: list[Callable[..., sdk_trace.TracerProvider]] = [sdk_trace.TracerProvider, OwnProvider]
    return [of(resource=RESOURCE, id_generator=Counted(), shutdown_on_exit=False, **settings) for of in make]


@pytest.mark.no_cover
@settings(max_examples=150)
@given(PROGRAMS, LIMITS, SAMPLERS)
def test_a_program_says_the_same(program: Program, limits: SpanLimits, sampler: sampling.Sampler) -> None:
    """Spans, what processors are told at start and end, errors and warnings are those of the SDK."""
    theirs, ours = (run(provider, program) for provider in providers(span_limits=limits, sampler=sampler))

    same_spans(theirs[0], ours[0])
    assert ours[1:] == theirs[1:]


@pytest.mark.no_cover
@settings(max_examples=50)
@given(PROGRAMS, VARIABLES)
def test_limits_of_the_environment_are_the_sdks(program: Program, variables: dict[str, str]) -> None:
    """Each `OTEL_*_LIMIT` leaves out, shortens and counts the same."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        theirs, ours = (run(provider, program) for provider in providers())

    same_spans(theirs[0], ours[0])
    assert ours[1:] == theirs[1:]


@pytest.mark.no_cover
@settings(max_examples=50)
@given(PROGRAMS, LIMITS, SAMPLERS)
def test_a_guests_spans_among_the_sdks_say_the_same(
    program: Program, limits: SpanLimits, sampler: sampling.Sampler
) -> None:
    """On the program's provider every other span may be ours: parents and children of both kinds are alike."""
    alone, shared = (providers(span_limits=limits, sampler=sampler)[0] for _ in range(2))
    theirs, mixed = run(alone, program), run(shared, program, Alternating)

    same_spans(theirs[0], mixed[0])
    assert mixed[1:] == theirs[1:]


@pytest.mark.no_cover
@settings(max_examples=50)
@given(HOSTILE_PROGRAMS)
def test_what_cannot_be_written_is_left_out(program: Program) -> None:
    """Values whose `__str__` raises: the spans are the SDK's, and only the SDK's program gets the exception."""
    sdks, own = providers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agentops_otel.guard.reraise", False)
        theirs, ours = run(sdks, program), run(own, program)

    same_spans(theirs[0], ours[0])
    assert ours[1] == [error for error in theirs[1] if not error.endswith("RuntimeError")]
