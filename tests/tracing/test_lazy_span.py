"""What is made of a span when somebody reads it: ids, copies, content that is redacted while the span runs."""

import copy
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, sampling
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
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content import Content
from agentops_otel.tracing import OwnSpan, Recorder, SpanDefaults, ids_of, is_sampled, parts_of_call
from agentops_otel.tracing.provider import OwnProvider, tracer_of

RESOURCE = Resource({"service.name": "test"})


class NoDefaults(SpanDefaults):
    """No session."""

    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        """None."""
        return {}

    def context(self, current: Context) -> Context:
        """The current one."""
        return current


class Kept(SpanProcessor):
    """Keeps ended spans."""

    def __init__(self) -> None:
        self.ended: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        self.ended.append(span)


def recorder_with(policy: Content, *processors: SpanProcessor) -> Recorder:
    """A recorder on a provider of ours."""
    provider = OwnProvider(resource=RESOURCE)
    for processor in processors:
        provider.add_span_processor(processor)
    return Recorder(tracer=tracer_of(provider, "test", "1", policy), content=policy, defaults=NoDefaults())


STATE = TraceState([("vendor", "1")])


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("state", [STATE, TraceState()], ids=["state", "none"])
@pytest.mark.parametrize("make", [OwnProvider, sdk_trace.TracerProvider])
def test_the_ids_of_any_span_are_those_of_its_contexts(
    make: type[sdk_trace.TracerProvider], state: TraceState, *, remote: bool
) -> None:
    """Of a root, of a span below another process's or library's, and of one below ours."""
    tracer = make(sampler=sampling.DEFAULT_ON, shutdown_on_exit=False).get_tracer("test")
    parent = SpanContext(1, 2, is_remote=remote, trace_flags=TraceFlags(1), trace_state=state)
    below: Any = tracer.start_span("below", set_span_in_context(NonRecordingSpan(parent), Context()))
    inner: Any = tracer.start_span("inner", set_span_in_context(below, Context()))
    root: Any = tracer.start_span("root", Context())

    told = [ids_of(span) for span in (root, below, inner)]

    def of(span: Any, *parent: Any) -> tuple[Any, ...]:
        context = span.get_span_context()
        return context.trace_id, context.span_id, *parent

    assert [(*ids[:2], *ids[3:]) for ids in told] == [
        of(root, None, False),
        (1, of(below)[1], 2, remote),
        (1, of(inner)[1], of(below)[1], False),
    ]
    assert [dict(ids[2] or {}) for ids in told] == [{}, dict(state), dict(state)]
    assert [span.get_span_context().trace_state for span in (below, inner)] == [state, state]


def test_whether_any_span_is_exported() -> None:
    """Ours, the SDK's, and one that has no context."""

    class RecordOnly(sampling.Sampler):
        def should_sample(self, *asked: Any, **settings: Any) -> sampling.SamplingResult:
            return sampling.SamplingResult(sampling.Decision.RECORD_ONLY)

        def get_description(self) -> str:
            return "RecordOnly"

    providers: list[Any] = [OwnProvider, sdk_trace.TracerProvider]
    told = [
        is_sampled(make(sampler=sampler, shutdown_on_exit=False).get_tracer("test").start_span("step"))
        for make in providers
        for sampler in (sampling.DEFAULT_ON, RecordOnly())
    ]

    assert told == [True, False, True, False]
    assert is_sampled(ReadableSpan("bare")) is False
    assert parts_of_call(ReadableSpan("bare")) is None


def ended_span(policy: Content) -> ReadableSpan:
    """An ended span with something of everything, as processors get it."""
    kept = Kept()
    recorder = recorder_with(policy, kept)
    span = recorder.start("step", kind=SpanKind.CLIENT, links=[Link(SpanContext(1, 2, is_remote=True), {"of": "link"})])
    span.set_attributes({"tags": ("a", "b"), "n": 1})
    recorder.set_content(span, semconv.AGENTOPS_ENTITY_INPUT, {"password": "hunter2", "a": [1]})
    span.add_event("looked", {"at": 1})
    span.set_status(Status(StatusCode.ERROR, "why"))
    recorder.end(span)
    return kept.ended[0]


def test_an_ended_span_is_copied_as_it_is() -> None:
    """A copy is the span; a deep copy says the same, and what is changed in it changes the span in nothing."""
    span = ended_span(Content())

    deep = copy.deepcopy(span)

    assert copy.copy(span) is span
    assert deep is not span
    assert type(deep) is type(span)
    assert deep.to_json() == span.to_json()
    assert "hunter2" not in deep.to_json()
    assert dict(deep.attributes or {})[semconv.AGENTOPS_ENTITY_INPUT] == '{"password":"[redacted]","a":[1]}'
    vars(deep)["_values"]["n"] = 2
    assert dict(span.attributes or {})["n"] == 1


def test_an_ended_span_cannot_be_ended_or_changed_by_whoever_keeps_it(caplog: pytest.LogCaptureFixture) -> None:
    """What is tried on the running one afterwards is refused, with the words of the SDK."""
    kept = Kept()
    span: Any = recorder_with(Content(), kept).start("step")
    span.end(7)
    before = kept.ended[0].to_json()
    caplog.set_level(logging.WARNING, "opentelemetry.sdk.trace")

    span.set_attribute("a", 1)
    span.set_attributes({"a": 1})
    span.add_event("late")
    span.add_link(SpanContext(1, 2, is_remote=True))
    span.update_name("late")
    span.set_status(StatusCode.ERROR)
    span.record_exception(ValueError("late"))
    span.start()
    span.end(9)

    assert (span.to_json(), kept.ended[0].to_json()) == (before, before)
    assert len(kept.ended) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "Setting attribute on ended span.",
        "Setting attribute on ended span.",
        "Tried calling _add_event on an ended span.",
        "Tried calling _add_link on an ended span.",
        "Tried calling update_name on an ended span.",
        "Tried calling set_status on an ended span.",
        "Tried calling _add_event on an ended span.",
        "Calling start() on a started span.",
        "Calling end() on an ended span.",
    ]


def test_a_span_has_what_the_sdks_has_for_who_reads_its_fields() -> None:
    """Others' code asks a span for its limits, sampler and processors."""
    limits = sdk_trace.SpanLimits(max_events=3)
    provider = OwnProvider(sampler=sampling.ALWAYS_ON, span_limits=limits, resource=RESOURCE)
    tracer = provider.get_tracer("test", "1")
    span: Any = tracer.start_span("step")

    assert span.tracer is tracer
    assert (span._limits, span._sampler, span._span_processor) == (
        limits,
        sampling.ALWAYS_ON,
        provider._active_span_processor,
    )
    assert (span.resource, span._trace_config) == (RESOURCE, None)
    with pytest.warns(DeprecationWarning, match="instrumentation_scope"):
        assert (span.instrumentation_scope.name, span.instrumentation_info.version) == ("test", "1")
    assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (0, 0, 0)
    assert span._readable_span().to_json() == span.to_json()
    with pytest.raises(TypeError, match="instantiated via a tracer"):
        OwnSpan("step")


def test_what_a_reader_of_a_running_span_holds_is_redacted_when_it_is_set() -> None:
    """A view of the attributes shows content that comes later, none of it raw, and nothing that must not be kept."""
    shown: list[Mapping[str, Any]] = []

    def redact(name: str, text: str) -> str | None:
        return None if name == "none" else text.upper()

    recorder = recorder_with(Content(redact=redact))
    span: Any = recorder.start("step", attributes={"n": 1})
    recorder.set_content(span, "first", {"a": "x"})
    recorder.set_content(span, "none", "secret")
    view = span.attributes
    shown.append(dict(view))
    recorder.set_content(span, "second", "y")
    shown.append(dict(view))
    recorder.set_content(span, "first", "again")
    recorder.set_content(span, "none", "secret")
    span.set_attribute(semconv.GEN_AI_INPUT_MESSAGES, "message")
    shown.append(dict(view))
    span.end()

    first = {"n": 1, "first": '{"A":"X"}'}
    assert shown == [
        first,
        {**first, "second": '"Y"'},
        {"n": 1, "second": '"Y"', "first": '"AGAIN"', semconv.GEN_AI_INPUT_MESSAGES: "MESSAGE"},
    ]
    assert dict(span.attributes) == shown[-1]
    assert list(span.attributes) == ["n", "second", "first", semconv.GEN_AI_INPUT_MESSAGES]


def test_content_that_comes_while_content_is_redacted_is_redacted_too() -> None:
    """As another thread's would: what prints a running span never sees it raw."""
    span: Any = None

    def redact(name: str, text: str) -> str:
        if name == "first":
            recorder.set_content(span, "second", "y")
        return text.upper()

    recorder = recorder_with(Content(redact=redact))
    span = recorder.start("step", attributes={"n": 1})
    recorder.set_content(span, "first", "x")

    assert json.loads(span.to_json())["attributes"] == {"n": 1, "first": '"X"', "second": '"Y"'}


def test_a_read_only_view_is_what_is_handed_out() -> None:
    """Nobody sets an attribute past the policy."""
    span: Any = recorder_with(Content()).start("step", attributes={"n": 1})

    with pytest.raises(TypeError):
        span.attributes["m"] = 2


def test_without_a_policy_all_is_kept_as_it_is() -> None:
    """On a provider that nobody has given one: content, events, links, statuses."""
    span: Any = OwnProvider().get_tracer("test").start_span("step")
    link = SpanContext(1, 2, is_remote=True)
    span.set_attribute(semconv.GEN_AI_INPUT_MESSAGES, "password=hunter2")
    span.add_event("gen_ai.user.message", {"content": "password=hunter2"})
    span.add_link(link, {semconv.GEN_AI_INPUT_MESSAGES: "password=hunter2"})
    span.set_status(StatusCode.ERROR, "password=hunter2")

    assert span.to_json().count("hunter2") == 4
    assert span._new_links([Link(link, {semconv.GEN_AI_INPUT_MESSAGES: "hunter2"})])[0].attributes == {
        semconv.GEN_AI_INPUT_MESSAGES: "hunter2"
    }
