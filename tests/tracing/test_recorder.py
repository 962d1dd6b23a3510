"""How the recorder starts spans: with each tracer, below each parent, in each context."""

import os
from collections.abc import Mapping
from threading import get_ident
from typing import Any

import pytest
from opentelemetry.context import Context, set_value
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, sampling
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from agentops_otel.content import Content
from agentops_otel.tracing import (
    OWN_WORK,
    SUPPRESS_KEY,
    SUPPRESSED_BY_US,
    CallForm,
    CheckedAttributes,
    FallbackClaim,
    OwnSpan,
    Recorder,
    SpanDefaults,
    gc_safe,
    with_inherited,
)
from agentops_otel.tracing.content_policy import MARK_BYTES, SPAN_LIMIT_BYTES
from agentops_otel.tracing.provider import OwnProvider, tracer_of
from agentops_otel.tracing.relay import Relay


class Session(SpanDefaults):
    """A session that its spans name, and are below if they are below nothing else."""

    root = SpanContext(7, 8, is_remote=False, trace_flags=TraceFlags(1))

    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        """Its id."""
        return {"session.id": "s"}

    def context(self, current: Context) -> Context:
        """The session's, where no span is current."""
        return current if current else set_span_in_context(NonRecordingSpan(self.root), current)


SAMPLERS = {"always": sampling.ALWAYS_ON, "default": sampling.DEFAULT_ON}
TRACERS = ["the SDK's", *(f"{whose}, {sampler}" for whose in ("ours", "a guest's") for sampler in SAMPLERS)]
CONTENT = Content()


def recorder_with(tracer: str, **settings: Any) -> Recorder:
    """A recorder with a tracer of that kind."""
    whose, _, name = tracer.partition(", ")
    sampler = SAMPLERS.get(name, sampling.DEFAULT_ON)
    provider: sdk_trace.TracerProvider = (
        OwnProvider(sampler=sampler) if whose == "ours" else sdk_trace.TracerProvider(sampler, shutdown_on_exit=False)
    )
    made: Tracer = provider.get_tracer("test") if whose == "the SDK's" else tracer_of(provider, "test", "", CONTENT)
    return Recorder(tracer=made, **{"content": CONTENT, "defaults": Session(), "clock": lambda: 5, **settings})


def said(span: Any) -> dict[str, Any]:
    """What a span says, apart from its id."""
    assert isinstance(span, ReadableSpan)
    context = span.get_span_context()
    assert context is not None
    return {
        "name": span.name,
        "kind": span.kind,
        "attributes": list((span.attributes or {}).items()),
        "links": [(link.context.span_id, dict(link.attributes or {})) for link in span.links],
        "times": (span.start_time, span.end_time),
        "parent": span.parent and span.parent.span_id,
        "trace": context.trace_id if span.parent else None,
    }


@pytest.mark.parametrize("kind", [dict, CheckedAttributes])
@pytest.mark.parametrize("tracer", TRACERS)
def test_a_span_is_the_same_with_each_tracer(tracer: str, kind: type[dict[str, Any]]) -> None:
    """Its own attributes come after the session's and what it inherits; a parent of ours, or none of the program's."""
    recorder = recorder_with(tracer)
    link = Link(SpanContext(1, 2, is_remote=True), {"of": "link"})
    inherited = with_inherited({"agent": "a", "b": "inherited"}, Context())
    given = kind(a=1, b=2) if kind is CheckedAttributes else {"a": 1, "b": 2, "numbers": [3]}
    settings: dict[str, Any] = {"kind": SpanKind.PRODUCER, "attributes": given, "links": [link]}

    outer = recorder.start("outer", context=Context(), start_time=3)
    inner = recorder.start("inner", context=set_span_in_context(outer, inherited), **settings)
    recorder.end(inner)
    recorder.end(outer, 9)

    checked = () if kind is CheckedAttributes else (("numbers", (3,)),)
    assert said(outer) == {
        "name": "outer",
        "kind": SpanKind.INTERNAL,
        "attributes": [("session.id", "s")],
        "links": [],
        "times": (3, 9),
        "parent": 8,
        "trace": 7,
    }
    assert said(inner) == {
        "name": "inner",
        "kind": SpanKind.PRODUCER,
        "attributes": [("session.id", "s"), ("agent", "a"), ("b", 2), ("a", 1), *checked],
        "links": [(2, {"of": "link"})],
        "times": (5, 5),
        "parent": outer.get_span_context().span_id,
        "trace": 7,
    }


@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("by", [SUPPRESSED_BY_US, OWN_WORK, True])
def test_while_tracing_is_suppressed_there_is_no_span_but_of_what_the_collector_runs(tracer: str, by: object) -> None:
    """A finalizer of the program's that runs in a thread of ours is recorded, wherever the program is in its own."""
    recorder, context = recorder_with(tracer), set_value(SUPPRESS_KEY, by, Context())

    assert recorder.start("step", context=context) is INVALID_SPAN
    assert recorder.start("step", context=set_value(SUPPRESS_KEY, False, context)) is not INVALID_SPAN
    for thread, collects in ((get_ident(), True), (-1, False)):
        gc_safe.state.collecting_thread = thread
        try:
            span = recorder.start("step", context=context)
        finally:
            gc_safe.state.collecting_thread = None
        assert (span is not INVALID_SPAN) is (collects and by is OWN_WORK)


@pytest.mark.parametrize("kind", list(SpanKind))
def test_a_call_that_leaves_the_process_takes_the_claim_on_it(kind: SpanKind) -> None:
    """A span of kind CLIENT in its context, and no other."""
    claim = FallbackClaim()

    recorder_with("ours, default").start("step", context=claim.context(), kind=kind)

    assert claim.claimed is (kind is SpanKind.CLIENT)
    assert not FallbackClaim().claimed


def test_a_recorder_that_is_told_nothing_follows_callers_and_makes_no_events() -> None:
    """`init()` says what holds else."""
    recorder = recorder_with("ours, default")

    assert (recorder.trusts_callers, recorder.follows_mcp) == (True, True)
    assert (recorder.event_content, recorder.provider, dict(recorder.open_streams)) == (None, None, {})


class Stream:
    """Counts how often it was ended."""

    ended = 0

    def abandoned(self) -> None:
        """The program reads no further."""
        self.ended += 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_open_streams_are_ended_by_the_process_that_started_them() -> None:
    """A child of a fork leaves its parent's open; one that is gone is none."""
    recorder, inherited, gone = recorder_with("ours, default"), Stream(), Stream()
    recorder.track_stream(inherited)
    recorder.track_stream(gone)
    del gone
    if not (child := os.fork()):
        own = Stream()
        recorder.track_stream(own)
        recorder.end_open_streams()
        os._exit(10 * inherited.ended + own.ended)
    _, status = os.waitpid(child, 0)
    recorder.end_open_streams()

    assert os.waitstatus_to_exitcode(status) == 1
    assert inherited.ended == 1


@pytest.mark.parametrize("tracer", TRACERS)
def test_a_failure_without_a_text_is_told_by_its_kind(tracer: str) -> None:
    """Elsewhere its text is the status, or what it is told to be."""
    recorder = recorder_with(tracer)

    def failed(*error: Any) -> Status:
        span: Any = recorder.start("step")
        recorder.fail(span, *error) if isinstance(error[0], BaseException) else recorder.set_error(span, *error)
        assert span.attributes["error.type"] == ("KeyError" if error[0] != "kind" else "kind")
        assert isinstance(span.status, Status)
        return span.status

    errors: list[Any] = [(KeyError(),), (KeyError("text"),), ("kind",), ("kind", "message"), ("kind", "")]
    texts = [failed(*error).description for error in errors]

    assert texts == ["KeyError", "'text'", "kind", "message", "kind"]
    assert failed("kind").status_code is StatusCode.ERROR


@pytest.mark.parametrize("tracer", TRACERS)
def test_a_text_fits_up_to_the_last_byte_of_a_spans_content(tracer: str) -> None:
    """One more is left out; what is not content counts too, if it is a text."""
    recorder = recorder_with(tracer)
    span: Any = recorder.start("step", attributes={"number": 7})
    half = "é" * (SPAN_LIMIT_BYTES // 4 - 2)
    span.set_attributes({"a": half, "b": half})
    recorder.set_text(span, "c", "1234")
    recorder.set_text(span, "too long", "5678")
    recorder.set_text(span, "d", "567")  # and the session's id is one more
    recorder.set_text(span, "late", "8")

    assert [name for name in span.attributes if len(name) == 1] == ["a", "b", "c", "d"]
    assert "too long" not in span.attributes
    assert "late" not in span.attributes


@pytest.mark.parametrize("policy", [CONTENT, Content()], ids=["the tracer's", "another"])
@pytest.mark.parametrize("tracer", TRACERS)
def test_content_is_set_with_what_the_caller_knows_of_the_span(tracer: str, policy: Content) -> None:
    """How many bytes it holds and what was added; nothing once the span has ended, or with content off."""
    recorder = recorder_with(tracer, content=policy)
    span: Any = recorder.start("step", attributes={"text": "x" * SPAN_LIMIT_BYTES})
    added = [recorder.set_content(span, "full", "y" * 1000), recorder.set_content(span, "free", "y" * 1000, held=0)]
    recorder.end(span)
    added.append(recorder.set_content(span, "late", "y"))
    silent = recorder_with(tracer, content=Content(enabled=False))
    added.append(silent.set_content(silent.start("step"), "off", "y"))

    sizes = {name: len(value.encode()) for name, value in span.attributes.items() if name in ("full", "free", "late")}
    if isinstance(span, OwnSpan) and policy is CONTENT:  # what is read later is counted when it is read
        assert added == [0, 0, 0, 0]
        assert sizes["full"] <= MARK_BYTES
    else:
        assert added == [sizes["full"], sizes["free"], 0, 0]
        assert sizes == {"full": sizes["full"], "free": 1002}
        assert sizes["full"] <= MARK_BYTES


class Contexts(SpanProcessor):
    """Keeps the contexts that spans start in."""

    def __init__(self) -> None:
        self.of: list[tuple[str, Context | None]] = []

    def on_start(self, span: sdk_trace.Span, parent_context: Context | None = None) -> None:
        """A span starts."""
        self.of.append((span.name, parent_context))


@pytest.mark.parametrize("kind", [dict, CheckedAttributes])
@pytest.mark.parametrize("tracer", ["ours, default", "ours, always"])
def test_processors_are_told_the_context_that_a_span_starts_in(tracer: str, kind: type[dict[str, Any]]) -> None:
    """That of the recorder's caller, in which they find the program's own values."""
    recorder, contexts, context = recorder_with(tracer), Contexts(), set_value("mine", 1, Context())
    assert isinstance(recorder.tracer, sdk_trace.Tracer)
    recorder.tracer.span_processor.add_span_processor(contexts)

    recorder.start("step", context=context, attributes=kind())

    assert contexts.of == [("step", context)]


class Ended(SpanProcessor):
    """Keeps the names of spans that have ended, and when."""

    def __init__(self) -> None:
        self.of: list[tuple[str, int | None]] = []

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        self.of.append((span.name, span.end_time))


@pytest.mark.parametrize("by", ["end", "end_call"])
@pytest.mark.parametrize("where", ["nowhere", "here", "elsewhere"])
def test_a_span_that_ends_while_this_thread_collects_ends_later_with_the_time_of_then(where: str, by: str) -> None:
    """In this thread its processors could wait for a lock that it holds; where another one collects, at once."""
    times = iter(range(1, 9))
    recorder, ended = recorder_with("ours, default", clock=lambda: next(times)), Ended()
    assert isinstance(recorder.tracer, sdk_trace.Tracer)
    recorder.tracer.span_processor.add_span_processor(ended)
    form = CallForm("step", {}, "in", "out", dict)
    span = recorder.begin(form, None, None, Context())
    assert span is not None
    gc_safe.state.collecting_thread = {"nowhere": None, "here": get_ident(), "elsewhere": -1}[where]
    try:
        if by == "end":
            recorder.end(span)
        else:
            recorder.end_call(span, "result")
    finally:
        gc_safe.state.collecting_thread = None
    at_once = list(ended.of)
    gc_safe.drain()

    assert ended.of == [("step", 2)]
    assert at_once == ([] if where == "here" else ended.of)
    assert (span.attributes or {}).get("out") == ('"result"' if by == "end_call" else None)


class RecordOnly(sampling.Sampler):
    """Spans are recorded, and not exported."""

    def should_sample(self, *asked: Any, **settings: Any) -> sampling.SamplingResult:
        """Record it."""
        return sampling.SamplingResult(sampling.Decision.RECORD_ONLY)

    def get_description(self) -> str:
        """Its name."""
        return "RecordOnly"


def test_below_a_span_that_is_recorded_and_not_exported_there_is_none() -> None:
    """As OpenTelemetry says of the child of a parent that is not sampled; also of a decorated call."""
    recorder = recorder_with("ours, default")
    parent = OwnProvider(sampler=RecordOnly()).get_tracer("test").start_span("parent")
    assert type(parent) is OwnSpan
    context = set_span_in_context(parent, Context())

    below = recorder.start("below", context=context, attributes=CheckedAttributes())

    assert parent.is_recording()
    assert not below.is_recording()
    assert below.get_span_context().trace_id == parent.get_span_context().trace_id
    assert recorder.begin(CallForm("call", {}, "in", "out", dict), None, parent, context) is None


@pytest.mark.parametrize(("settings", "quick"), [({}, True), ({"content": Content()}, False)])
def test_the_span_of_a_decorated_call_begins_quickly_where_nobody_has_to_be_asked(
    settings: dict[str, Any], *, quick: bool
) -> None:
    """Not with a policy that is not the tracer's, a sampler that is not the default, a tracer or parent of others'."""
    form = CallForm("call", {"a": 1}, "in", "out", dict)

    def begins(tracer: str, parent: Any = None, context: Context | None = None) -> bool:
        span = recorder_with(tracer, **settings).begin(form, None, parent, context or Context())
        assert span is None or (span.start_time, dict(span.attributes or {})) == (5, {"a": 1})
        return span is not None

    ours, theirs = (recorder_with(of).tracer.start_span("parent") for of in ("ours, default", "the SDK's"))
    suppressed = set_value(SUPPRESS_KEY, True, Context())
    assert [begins(tracer) for tracer in TRACERS] == [quick and tracer.endswith("default") for tracer in TRACERS]
    assert [begins("ours, default", parent) for parent in (ours, theirs)] == [quick, False]
    assert not begins("ours, default", context=suppressed)
    ours.end()
    assert not begins("ours, default", ours)  # a span of another scope that has ended lives on in a queue


@pytest.mark.parametrize("kind", [dict, CheckedAttributes])
@pytest.mark.parametrize("tracer", TRACERS)
def test_below_a_librarys_span_that_has_ended_begins_a_trace_of_its_own(
    tracer: str, kind: type[dict[str, Any]]
) -> None:
    """With a link to it, beside those that are given; one that is open is its parent, and so is one of ours."""
    recorder, link = recorder_with(tracer), Link(SpanContext(1, 2, is_remote=True))
    around: Any = OwnProvider().get_tracer("app").start_span("around")
    context = set_span_in_context(around, Context())

    def start(context: Context) -> Any:
        span: Any = recorder.start("step", context=context, attributes=kind(), links=[link])
        return span.parent and span.parent.span_id, [each.context.span_id for each in span.links]

    open_, own = start(context), recorder.tracer.start_span("own")
    around.end()
    own.end()

    number = around.get_span_context().span_id
    assert open_ == (number, [2])
    assert start(context) == (None, [2, number])
    if isinstance(own, OwnSpan):  # whatever the scope of the recorder's tracer is called
        assert start(set_span_in_context(own, Context())) == (own.get_span_context().span_id, [2])


@pytest.mark.parametrize("where", ["on the provider", "behind the relay"])
def test_who_comes_later_is_told_of_the_next_decorated_call(where: str) -> None:
    """Also where nobody was told of a start until then, and once only."""
    recorder, relay, late = recorder_with("ours, default"), Relay(), Contexts()
    assert isinstance(recorder.tracer, sdk_trace.Tracer)
    recorder.tracer.span_processor.add_span_processor(relay)
    form, context = CallForm("call", {}, "in", "out", dict), set_value("mine", 1, Context())

    for _ in range(2):
        span = recorder.begin(form, None, None, context)
        assert span is not None
        assert span.start_time == 5
        span.end()
    if where == "on the provider":
        recorder.tracer.span_processor.add_span_processor(late)
    else:
        relay.targets = (late,)
    told = recorder.begin(form, None, None, context)

    assert told is not None
    assert told.start_time == 5
    assert late.of == [("call", context)]
