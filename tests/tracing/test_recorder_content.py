"""What the spans of one recorder may hold."""

from collections.abc import Mapping
from threading import Event, Thread
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace import Tracer as SDKTracer
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content import Content
from agentops_otel.tracing import OwnSpan, Recorder, SpanDefaults
from agentops_otel.tracing.content_policy import MARK_BYTES, SPAN_LIMIT_BYTES, apply_policy
from agentops_otel.tracing.exceptions import FRAMES, stack_text
from agentops_otel.tracing.tracer import Tracer


class _NoDefaults(SpanDefaults):
    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        return {}

    def context(self, current: Context) -> Context:
        return current


def _filled(values: int, filler: str, *, enabled: bool = True) -> list[str]:
    """The content attributes of a span that was given *values* long texts."""
    recorder = Recorder(
        tracer=TracerProvider().get_tracer("test"), content=Content(enabled=enabled), defaults=_NoDefaults()
    )
    span = recorder.start("step")
    for number in range(values):
        recorder.set_content(span, f"text.{number}", filler * 100_000)
    recorder.end(span)
    assert isinstance(span, ReadableSpan)
    return [str(value) for value in (span.attributes or {}).values()]


@pytest.mark.parametrize("filler", ["words ", "é ", "😀 "])
def test_a_full_span_still_says_what_is_missing(filler: str) -> None:
    """The content of a span stays within its bytes; what comes after that is a mark, not silence."""
    texts = _filled(12, filler)

    assert len(texts) == 12
    assert sum(len(text.encode()) for text in texts) <= SPAN_LIMIT_BYTES + 12 * MARK_BYTES
    assert "characters]" in texts[-1]


def test_content_that_is_written_when_it_is_read_has_the_same_bounds() -> None:
    """Each text its 32 kB as long as the span has room, and a mark from then on."""
    sizes = [
        len(text) for text in apply_policy(Content(), {f"text.{n}": ["words " * 9000] for n in range(12)}).values()
    ]

    assert min(sizes[:7]) > 30_000
    assert sum(sizes) <= SPAN_LIMIT_BYTES + 12 * MARK_BYTES
    assert max(sizes[9:]) <= MARK_BYTES


def test_a_span_without_content_holds_none() -> None:
    """With content off the attribute is not there."""
    assert _filled(1, "x", enabled=False) == []


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("name", sorted(semconv.USER_TEXTS))
def test_a_text_of_the_users_among_the_attributes_is_content(name: str, enabled: bool) -> None:
    """With content off it is left out, and the attributes beside it stay."""
    recorder = Recorder(
        tracer=TracerProvider().get_tracer("test"), content=Content(enabled=enabled), defaults=_NoDefaults()
    )

    span = recorder.start("step", attributes={name: "text", "beside": 1})
    recorder.end(span)

    assert isinstance(span, ReadableSpan)
    assert dict(span.attributes or {}) == ({name: "text", "beside": 1} if enabled else {"beside": 1})


def test_an_exception_is_recorded_at_the_recorders_time() -> None:
    """By its own clock, as the span's beginning and end."""
    recorder = Recorder(
        tracer=TracerProvider().get_tracer("test"), content=Content(), defaults=_NoDefaults(), clock=lambda: 7
    )

    span = recorder.start("step")
    recorder.fail(span, ValueError("broken"))
    recorder.end(span)

    assert isinstance(span, ReadableSpan)
    assert [event.timestamp for event in span.events] == [7]
    assert (span.start_time, span.end_time) == (7, 7)


def test_a_text_that_does_not_fit_is_left_out() -> None:
    """A text is kept as it is, bounded; on a span that is full it is left out, and with content off too."""
    recorder = Recorder(tracer=TracerProvider().get_tracer("test"), content=Content(), defaults=_NoDefaults())
    span = recorder.start("step")
    recorder.set_text(span, "kept", "plain")
    for number in range(12):
        recorder.set_content(span, f"text.{number}", "words " * 100_000)
    recorder.set_text(span, "late", "x" * 1000)
    silent = Recorder(tracer=recorder.tracer, content=Content(enabled=False), defaults=_NoDefaults())
    silent.set_text(span, "silent", "x")

    assert isinstance(span, ReadableSpan)
    found = dict(span.attributes or {})
    assert (found["kept"], "late" in found, "silent" in found) == ("plain", False, False)


def test_two_threads_that_read_a_span_at_once_both_get_it_redacted() -> None:
    """The second one gets no content that the first has not redacted yet."""
    redacting, go_on = Event(), Event()

    def redact(name: str, text: str) -> str:
        if not redacting.is_set():
            redacting.set()
            go_on.wait(30)
        return "redacted"

    recorder = _recorder(Content(redact=redact))
    span = recorder.start("step")
    recorder.set_content(span, "agentops.input", {"name": "value"})
    recorder.end(span)
    assert isinstance(span, ReadableSpan)
    first = Thread(target=lambda: dict(span.attributes or {}))
    first.start()
    assert redacting.wait(30)
    second = dict(span.attributes or {})
    go_on.set()
    first.join(30)

    assert second == dict(span.attributes or {}) == {"agentops.input": "redacted"}


class _Deferred:
    """Attributes of a request that are read once, or not at all."""

    def __init__(self, *, replaces: bool = False) -> None:
        self.read: list[str] = []
        self.replaces = replaces

    def attributes(self) -> Mapping[str, AttributeValue]:
        self.read.append("attributes")
        return {"model": "deferred", "seed": 1}

    def content(self) -> Mapping[str, object]:
        self.read.append("content")
        return {"gen_ai.input.messages": [{"role": "user", "password": "hidden"}]}


def _deferring(
    *, content: bool = True, limit: int | None = None, is_read: bool = False, replaces: bool = False
) -> tuple[OwnSpan, _Deferred]:
    """A span with an attribute, and deferred ones; *is_read*: its attributes were read before."""
    recorder = _recorder(Content(enabled=content), SpanLimits(max_span_attributes=limit))
    span, deferred = recorder.start("chat", attributes={"model": "set"}), _Deferred(replaces=replaces)
    assert isinstance(span, OwnSpan)
    if is_read:
        assert span.attributes == {"model": "set"}
    span.defer(deferred)
    recorder.end(span)
    return span, deferred


def test_deferred_attributes_are_read_when_somebody_asks() -> None:
    """Once, under the content policy; an attribute that is set stays."""
    span, deferred = _deferring()

    assert deferred.read == []
    assert (
        dict(span.attributes or {})
        == dict(span.attributes or {})
        == {
            "model": "set",
            "seed": 1,
            "gen_ai.input.messages": '[{"role":"user","password":"[redacted]"}]',
        }
    )
    assert deferred.read == ["attributes", "content"]
    assert span.dropped_attributes == 0


def test_deferred_attributes_of_a_response_replace_those_of_the_request() -> None:
    """They are the last ones of a span."""
    span, _ = _deferring(replaces=True)

    assert dict(span.attributes or {})["model"] == "deferred"


def test_with_content_off_deferred_content_is_not_read() -> None:
    """Of what is deferred the attributes alone are read."""
    span, deferred = _deferring(content=False)

    assert dict(span.attributes or {}) == {"model": "set", "seed": 1}
    assert deferred.read == ["attributes"]


def test_deferred_attributes_put_out_none() -> None:
    """Those for which a span has no room are counted."""
    span, _ = _deferring(limit=2)

    assert dict(span.attributes or {}) == {"model": "set", "seed": 1}
    assert span.dropped_attributes == 1


def test_what_is_deferred_on_a_span_that_was_read_is_read_at_once() -> None:
    """A view of a live span's attributes that somebody holds gets them, redacted."""
    span, deferred = _deferring(is_read=True)

    assert deferred.read == ["attributes", "content"]
    assert dict(span.attributes or {})["seed"] == 1


def _recorder(content: Content, limits: SpanLimits | None = None) -> Recorder:
    """With our own tracer."""
    tracer = TracerProvider(span_limits=limits).get_tracer("test")
    assert isinstance(tracer, SDKTracer)
    return Recorder(tracer=Tracer(tracer, content), content=content, defaults=_NoDefaults())


def test_a_stack_trace_has_its_innermost_frames() -> None:
    """A hundred; what came before is left out."""
    functions: dict[str, Any] = {}
    exec("\n".join(f"def f{n}(): f{n + 1}()" for n in range(FRAMES + 20)), functions)
    functions[f"f{FRAMES + 20}"] = lambda: 1 / 0
    try:
        functions["f0"]()
    except ZeroDivisionError as error:
        said = stack_text(error)

    assert FRAMES == 100
    assert said.count('  File "') == FRAMES
    assert "in f119\n" in said
    assert "in f0\n" not in said
