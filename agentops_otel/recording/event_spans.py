"""Turns a recorded event into a span with the event's own times."""

from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.recording.events import (
    ActionEvent,
    ActionType,
    ErrorEvent,
    Event,
    EventState,
    LLMEvent,
    ToolEvent,
    nanoseconds,
)
from agentops_otel.recording.kinds import CHAT, OPERATION, TOOL, ActionKind
from agentops_otel.recording.tags import distinct, with_tags
from agentops_otel.tracing import Recorder, with_inherited

_CLASS_WORDS = ("actions", "llms", "tools", "errors")
"""The default event types, which repeat the event's class."""
_KINDS = {"llm": CHAT, "tool": TOOL}

FAILED = "the event was recorded as failed"
"""Status description of a failed event without an error message."""


def record(
    recorder: Recorder, event: Event, *, context: Context | None = None, agents: Mapping[str, str] | None = None
) -> None:
    """Turn the event into a span under the current one, with the event's own times.

    Args:
        recorder: The recorder.
        event: The event.
        context: The context that holds the parent; the current one by default.
        agents: Agent names by id, for events that have an id only.

    Raises:
        TypeError: *event* is no Event.
    """
    if not isinstance(event, Event):
        raise TypeError(f"record() takes an Event, not {type(event).__name__}")
    with guard("recording an event"):
        subject, error = _subject(event)
        named = (
            with_inherited({semconv.GEN_AI_AGENT_NAME: name}, context)
            if (name := (agents or {}).get(str(subject.agent_id)))
            else context
        )
        event.span_context = _record(recorder, subject, error, named)


def _subject(event: Event) -> tuple[Event, ErrorEvent | None]:
    """The event to make a span of, and its error. For an error it is the trigger, unless that has a span already."""
    if not isinstance(event, ErrorEvent):
        return event, None
    trigger = event.trigger_event
    return (event if trigger is None or trigger.span_context else trigger), event


def _record(recorder: Recorder, event: Event, error: ErrorEvent | None, context: Context | None) -> SpanContext:
    start, end = _times(recorder, event)
    kind, name = _kind(event), _name(event) if recorder.content.enabled else _name_without_content(event)
    span = recorder.start(
        kind.span_name(name),
        kind=SpanKind.CLIENT if kind is CHAT else SpanKind.INTERNAL,
        attributes=with_tags(recorder, context, distinct(event.tags), _attributes(event, error, kind, name)),
        context=context,
        links=_links(event),
        start_time=start,
    )
    try:
        for attribute, value in _content(event, error, kind).items():
            if value is not None:
                recorder.set_content(span, attribute, value)
        if error is not None or event.result == EventState.FAIL:
            _fail(recorder, span, error)
    finally:
        recorder.end(span, end)
    event.span_context = span.get_span_context()
    return event.span_context


def _links(event: Event) -> tuple[Link, ...]:
    trigger = event.trigger_event if isinstance(event, ErrorEvent) else None
    return (Link(trigger.span_context),) if trigger is not None and trigger.span_context else ()


def _times(recorder: Recorder, event: Event) -> tuple[int, int]:
    """Start and end in nanoseconds; an event without an end ends now."""
    now = recorder.clock()
    start = nanoseconds("init_timestamp", event.init_timestamp, now)
    return start, max(start, nanoseconds("end_timestamp", event.end_timestamp, now))


def _kind(event: Event) -> ActionKind:
    return _KINDS.get(str(event.action_type), OPERATION)


def _name(event: Event) -> str:
    """The name for the span's name: the field of the event's class (a tool's name, a model), or the event's type."""
    match event:
        case ToolEvent(name=str(name)):
            return name
        case ErrorEvent(event_type="errors"):
            return event.error_type or "error"
        case ActionEvent(event_type="actions", action_type=str(action)):
            return str(action)
        case Event(action_type=ActionType.LLM):
            return str(event.model or "")
    return event.event_type


def _name_without_content(event: Event) -> str:
    """The name if content is off: that of an error's span is the user's own text."""
    return "error" if isinstance(event, ErrorEvent) and event.event_type == "errors" else _name(event)


def _attributes(event: Event, error: ErrorEvent | None, kind: ActionKind, name: str) -> Mapping[str, AttributeValue]:
    """The event's attributes without content."""
    result = event.result if error is None else error.result
    attributes: dict[str, AttributeValue | None] = {
        semconv.OPERATION_NAME: None if event.event_type in _CLASS_WORDS else event.event_type,
        **kind.attributes(name),
        semconv.AGENTOPS_ACTION_TYPE: None if event.action_type is None else str(event.action_type),
        semconv.AGENTOPS_EVENT_RESULT: result and str(result),
        semconv.AGENTOPS_EVENT_ERROR_CODE: None if error is None else error.code,
        semconv.GEN_AI_AGENT_ID: None if event.agent_id is None else str(event.agent_id),
        semconv.GEN_AI_USAGE_INPUT_TOKENS: event.prompt_tokens,
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: event.completion_tokens,
    }
    if isinstance(event, LLMEvent):
        attributes[semconv.AGENTOPS_USAGE_COST] = None if event.cost is None else float(event.cost)
        attributes[semconv.GEN_AI_CONVERSATION_ID] = None if event.thread_id is None else str(event.thread_id)
    if isinstance(event, ErrorEvent):
        attributes[semconv.AGENTOPS_EVENT_TRIGGER] = None if event.trigger_event is None else _name(event.trigger_event)
    return {key: value for key, value in attributes.items() if value not in (None, "")}


def _content(event: Event, error: ErrorEvent | None, kind: ActionKind) -> dict[str, object]:
    """The event's content by attribute; None is no attribute."""
    completion = (event.completion if isinstance(event, LLMEvent) else None) or event.returns
    content: dict[str, object] = {
        kind.input_attribute: event.params,
        kind.output_attribute: None if kind is CHAT and completion is event.returns else event.returns,
        semconv.AGENTOPS_EVENT_SCREENSHOT: event.screenshot,
        semconv.AGENTOPS_EVENT_LOGS: getattr(event, "logs", None) or getattr(error, "logs", None),
    }
    if error is not None and event.returns is None and not isinstance(error.details, str):
        content[kind.output_attribute] = error.details
    if kind is CHAT:
        content[semconv.GEN_AI_INPUT_MESSAGES] = _messages("user", event.prompt)
        content[semconv.GEN_AI_OUTPUT_MESSAGES] = _messages("assistant", completion)
    return content


def _messages(role: str, given: object) -> list[dict[str, object]] | None:
    """A text, a message or a list of messages in the shape of the GenAI conventions."""
    if given is None:
        return None
    messages = given if isinstance(given, list | tuple) else [given]
    return [_message(role, message) for message in messages]


def _message(role: str, message: object) -> dict[str, object]:
    content = message
    if isinstance(message, Mapping) and "content" in message:
        role, content = str(message.get("role", role)), message["content"]
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def _fail(recorder: Recorder, span: Span, error: ErrorEvent | None) -> None:
    if error is not None and error.exception is not None:
        recorder.fail(span, error.exception)
        return
    details = error.details if error is not None else None
    message = recorder.content.text(semconv.EXCEPTION_MESSAGE, details) if isinstance(details, str) else None
    named = error.error_type if error is not None and recorder.content.enabled else None
    recorder.set_error(span, named or semconv.EVENT_FAILED, message or named or FAILED)
