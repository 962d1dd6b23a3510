"""The attributes of a decorated call are made when somebody reads them, and are those of any span."""

import functools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)

from agentops_otel import operation, record_action, sdk
from agentops_otel.config import Config
from agentops_otel.content import Redact, SpanRedaction
from agentops_otel.export.encode import Encoder
from agentops_otel.tracing import attached, parts_of_call
from agentops_otel.tracing.provider import OwnProvider


def recorded(call: Any, config: Config = Config(quiet=True), **limits: int) -> ReadableSpan:  # noqa: B008 - frozen
    """The span of a call, by a provider with these limits."""
    (span,) = all_recorded([call], config, **limits)
    return span


def all_recorded(calls: Iterable[Any], config: Config, **limits: int) -> Sequence[ReadableSpan]:
    """The spans of the calls."""
    exporter = InMemorySpanExporter()
    provider = OwnProvider("test", span_limits=SpanLimits(**limits))
    with sdk.running(config, provider, SimpleSpanProcessor(exporter), clock=time.time_ns):
        for call in calls:
            call()
    return exporter.get_finished_spans()


@record_action
def add(a: int, b: int = 2) -> int:
    """A call whose span has five attributes."""
    return a + b


@record_action
def look(a: int) -> int:
    """Reads its own span's attributes, and sets one, before it returns."""
    span: Any = get_current_span()
    span.set_attribute("seen", span.attributes["agentops.entity.input"])
    return a + 1


def test_the_oldest_attributes_of_a_full_span_go_and_are_counted() -> None:
    """As the SDK does it, with the arguments and the result among the attributes."""
    span = recorded(lambda: add(1), max_span_attributes=2)

    assert dict(span.attributes or {}) == {"agentops.entity.input": '{"a":1,"b":2}', "agentops.entity.output": "3"}
    assert span.dropped_attributes == 3


def test_what_is_read_and_set_within_the_call_stays() -> None:
    """The arguments are there while the function runs, redacted; its result comes last."""
    attributes = dict(recorded(lambda: look(1)).attributes or {})

    assert attributes["seen"] == '{"a":1}'
    assert list(attributes)[-3:] == ["agentops.entity.input", "seen", "agentops.entity.output"]
    assert attributes["agentops.entity.output"] == "2"


@record_action
def echo(value: Any, *, times: int = 2) -> list[Any]:
    """Returns what it gets."""
    return [value] * times


KEY = "8f14e45fceea167a5a36dedd4bea2543"


@operation(version=f"token={KEY}")
def versioned() -> None:
    """Has a secret among what its calls share."""


@record_action(f"token={KEY}")
def named() -> None:
    """Has a secret as its name."""


@pytest.mark.parametrize("capture_content", [True, False])
@pytest.mark.parametrize("tags", [(), ("nightly",), (f"token={KEY}",)])
@pytest.mark.parametrize("redact", [None, lambda name, text: None if "output" in name else text.upper()])
def test_a_span_is_redacted_and_encoded_by_its_parts_as_by_its_attributes(
    capture_content: bool, tags: tuple[str, ...], redact: Redact | None
) -> None:
    """What calls share is searched and encoded once, their content when it is written."""
    config = Config(quiet=True, tags=tags, capture_content=capture_content, redact=redact)
    values = (1, "two", {"key": {"of": "it"}}, {"password": "hunter2"}, object(), "x" * 40_000)
    calls = [versioned, named, lambda: add(1), *(functools.partial(echo, value) for value in values)]
    has_parts = []
    for span in all_recorded(calls, config):
        redaction, encoder = SpanRedaction(capture_content=capture_content), Encoder()
        by_parts = [encoder.batch([redaction(span)]).body for _ in range(2)]
        parts = parts_of_call(span)
        has_parts.append(parts is not None)
        attributes = dict(span.attributes or {})

        if parts is not None:
            form, content, _ = parts
            assert {**form.values, **content} == attributes
        assert parts_of_call(span) is None
        whole = Encoder().batch([SpanRedaction(capture_content=capture_content)(span)]).body
        assert list(map(_message, by_parts)) == [_message(whole)] * 2
        assert KEY.encode() not in whole

    # The attributes of one with a secret are read; an object, and a text to be shortened, are written at once as such.
    assert has_parts == [False, False, *[True] * 5, not capture_content, not capture_content]


BESIDES: list[Callable[[Any], object]] = [
    lambda span: span.set_status(StatusCode.OK),
    lambda span: span.add_event("looked"),
    lambda span: span.add_link(SpanContext(1, 2, is_remote=True)),
    lambda span: span.set_attribute("seen", 1),
    lambda span: span.update_name("other"),
]


@pytest.mark.parametrize("beside", BESIDES)
@pytest.mark.parametrize("parent", [None, "remote", "remote with a state", "ours"])
def test_a_span_that_has_something_besides_is_encoded_as_a_whole(
    beside: Callable[[Any], object], parent: str | None
) -> None:
    """Whatever its parent is: the message is the SDK's own."""
    state = TraceState([("a", "b")]) if parent == "remote with a state" else None
    remote = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    context = set_span_in_context(NonRecordingSpan(remote)) if parent and "remote" in parent else Context()

    def call() -> None:
        with attached(context):
            record_action(lambda: add(1))() if parent == "ours" else add(1)

    plain, *_ = all_recorded([call], Config(quiet=True))
    changed, *_ = all_recorded([lambda: record_action("run")(lambda: beside(get_current_span()))()], Config(quiet=True))

    assert (parts_of_call(plain) is not None) is (parent in (None, "ours"))
    assert parts_of_call(changed) is None
    for span in (plain, changed):
        assert _message(Encoder().batch([span]).body) == encode_spans([span])


def _message(body: bytes) -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    message.ParseFromString(body)
    return message


def test_a_span_with_more_attributes_than_it_may_have_has_no_parts() -> None:
    """The oldest ones have to go."""
    span = recorded(lambda: add(1), max_span_attributes=4)

    assert parts_of_call(span) is None
    assert parts_of_call(recorded(lambda: add(1), max_span_attributes=5)) is not None


def test_the_programs_redaction_sees_each_value_once() -> None:
    """Whether the span is asked for its parts, its attributes or both."""
    seen: list[str] = []
    config = Config(quiet=True, redact=lambda name, text: seen.append(name) or text)  # type: ignore[func-returns-value]
    span = recorded(lambda: add(1), config)
    parts = parts_of_call(span)

    assert parts is not None
    assert {**parts[0].values, **parts[1]} == dict(span.attributes or {})
    assert seen == ["agentops.entity.input", "agentops.entity.output"]
