"""Events: what a program has done already and tells us about, in the words of every AgentOps generation."""

import math
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from time import time
from typing import TypeVar
from uuid import UUID, uuid4

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.recording.actions import OPERATION, TOOL, ActionKind
from agentops_otel.recording.decorated import as_tags, with_tags
from agentops_otel.tracing import Recorder, inheriting

W = TypeVar("W", bound=StrEnum)


CHAT = ActionKind(word="llm", operation="chat", name_attribute=semconv.GEN_AI_REQUEST_MODEL)
_CLASS_WORDS = ("actions", "llms", "tools", "errors")
"""Event types that say no more than the event's class."""
_KINDS = {"llm": CHAT, "tool": TOOL}

_YEAR_10000 = 253_402_300_800


class EventState(StrEnum):
    """How an event went."""

    SUCCESS = "Success"
    FAIL = "Fail"
    INDETERMINATE = "Indeterminate"


class ActionType(StrEnum):
    """What sort of action an event was."""

    ACTION = "action"
    LLM = "llm"
    API = "api"
    SCREENSHOT = "screenshot"
    TOOL = "tool"


class Models(StrEnum):
    """The models that AgentOps 0.0 to 0.2 had names for; any other is a string."""

    GPT_3_5_TURBO = "gpt-3.5-turbo"
    GPT_3_5_TURBO_0301 = "gpt-3.5-turbo-0301"
    GPT_3_5_TURBO_0613 = "gpt-3.5-turbo-0613"
    GPT_3_5_TURBO_16K = "gpt-3.5-turbo-16k"
    GPT_3_5_TURBO_16K_0613 = "gpt-3.5-turbo-16k-0613"
    GPT_4_0314 = "gpt-4-0314"
    GPT_4 = "gpt-4"
    GPT_4_32K = "gpt-4-32k"
    GPT_4_32K_0314 = "gpt-4-32k-0314"
    GPT_4_0613 = "gpt-4-0613"
    TEXT_EMBEDDING_ADA_002 = "text-embedding-ada-002"


Time = float | str
"""Seconds since the epoch, or an ISO 8601 text (UTC where it names no zone)."""


@dataclass
class Event:
    """Something that happened, for `record`.

        client.record(Event("api call", params={"url": url}, returns=answer, result="Success"))

    Raises:
        ValueError: A result, an action type or a time that is none.
    """

    event_type: str
    """What happened: the span's name."""
    params: object = None
    returns: object = None
    result: EventState | str = EventState.INDETERMINATE
    action_type: ActionType | str | list[str] | None = None
    """`llm` when a model is named, `action` otherwise."""
    model: Models | str | None = None
    prompt: object = None
    """A text, a message (`{"role", "content"}`) or a list of them."""
    tags: Iterable[str] | None = None
    init_timestamp: Time | None = None
    """When it began; the moment the event was made by default."""
    screenshot: str | None = None
    """A URL, or an image in base64."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    _: KW_ONLY
    timestamp: Time | None = None
    """When it happened, if it is to have no duration."""
    end_timestamp: Time | None = None
    """When it ended; the moment it is recorded by default."""
    agent_id: UUID | str | None = None
    id: UUID | str = field(default_factory=uuid4)
    session_id: UUID | str | None = None
    output: InitVar[object] = None
    """What AgentOps 0.0.2 called *returns*."""
    span_context: SpanContext | None = field(default=None, init=False, repr=False, compare=False)
    """The span that the event has become; None until it is recorded."""

    def __post_init__(self, output: object) -> None:
        """Check what can be wrong, and set what follows from the rest."""
        self.returns = output if self.returns is None else self.returns
        if isinstance(self.action_type, list):  # AgentOps 0.0.2 and 0.0.3 had the tags in this place
            self.tags, self.action_type = self.action_type, None
        self.result = _member(EventState, "result", self.result)
        self._choose_action_type()
        self.end_timestamp = self.timestamp if self.end_timestamp is None else self.end_timestamp
        self.timestamp = time() if self.timestamp is None else _seconds("timestamp", self.timestamp)
        self.init_timestamp = self.timestamp if self.init_timestamp is None else self.init_timestamp
        _seconds("init_timestamp", self.init_timestamp)
        _nanoseconds("end_timestamp", self.end_timestamp, 0)

    def _choose_action_type(self) -> None:
        default = ActionType.ACTION if self.model is None else ActionType.LLM
        self.action_type = default if self.action_type is None else _member(ActionType, "action_type", self.action_type)


@dataclass
class ActionEvent(Event):
    """An action of an agent; its *action_type* is any text, and names the span."""

    event_type: str = "actions"
    _: KW_ONLY
    logs: object = None

    def _choose_action_type(self) -> None: ...


@dataclass
class ToolEvent(Event):
    """A call of a tool."""

    event_type: str = "tools"
    _: KW_ONLY
    name: str | None = None
    logs: object = None

    def _choose_action_type(self) -> None:
        self.action_type = ActionType.TOOL


@dataclass
class LLMEvent(Event):
    """A call of a model."""

    event_type: str = "llms"
    _: KW_ONLY
    thread_id: UUID | str | None = None
    completion: object = None
    """A text or a message."""
    cost: float | None = None
    """In USD."""

    def _choose_action_type(self) -> None:
        self.action_type = ActionType.LLM


@dataclass
class ErrorEvent(Event):
    """A failure, and the event in which it happened."""

    event_type: str = "errors"
    _: KW_ONLY
    trigger_event: Event | None = None
    exception: BaseException | None = None
    error_type: str | None = None
    code: str | None = None
    details: object = None
    logs: object = None

    def _choose_action_type(self) -> None: ...

    def __post_init__(self, output: object) -> None:
        """Take the type and the message from the exception, where there is one."""
        super().__post_init__(output)
        self.result = EventState.FAIL
        if self.exception is None and self.logs is None and sys.exception() is not None:
            self.logs = traceback.format_exc()
        if self.exception is not None:
            self.error_type = self.error_type or type(self.exception).__name__


def record(
    recorder: Recorder, event: Event, *, context: Context | None = None, agents: Mapping[str, str] | None = None
) -> None:
    """Make the event a span under the current one, with its own times.

    Args:
        recorder: The recorder.
        event: The event.
        context: Whose span is to be the parent; the current context by default.
        agents: The names of agents by their ids, for an event that has an id alone.

    Raises:
        TypeError: *event* is no Event.
    """
    if not isinstance(event, Event):
        raise TypeError(f"record() takes an Event, not {type(event).__name__}")
    with guard("recording an event"):
        named = (
            inheriting({semconv.GEN_AI_AGENT_NAME: name}, context)
            if (name := (agents or {}).get(str(event.agent_id)))
            else context
        )
        _record(recorder, event, named)


def _record(recorder: Recorder, event: Event, context: Context | None) -> SpanContext:
    trigger = event.trigger_event if isinstance(event, ErrorEvent) else None
    start, end = _times(recorder, event)
    kind, name = _kind(event), _name(event)
    span = recorder.start(
        kind.span_name(name),
        kind=SpanKind.CLIENT if kind is CHAT else SpanKind.INTERNAL,
        attributes=with_tags(recorder, context, as_tags(event.tags), _attributes(event, kind, name)),
        context=context,
        links=[Link(_context_of(recorder, trigger, context))] if trigger is not None else (),
        start_time=start,
    )
    try:
        for attribute, value in _content(event, kind).items():
            if value is not None:
                recorder.content_of(span, attribute, value)
        if event.result == EventState.FAIL:
            _fail(recorder, span, event)
    finally:
        recorder.end(span, end)
    event.span_context = span.get_span_context()
    return event.span_context


def _context_of(recorder: Recorder, event: Event, context: Context | None) -> SpanContext:
    """The span of an event; one that nobody has recorded yet is recorded now, so that it is not lost."""
    return event.span_context or _record(recorder, event, context)


def _times(recorder: Recorder, event: Event) -> tuple[int, int]:
    """Start and end in nanoseconds; an event that nobody ended ends now."""
    now = recorder.clock()
    start = _nanoseconds("init_timestamp", event.init_timestamp, now)
    return start, max(start, _nanoseconds("end_timestamp", event.end_timestamp, now))


def _kind(event: Event) -> ActionKind:
    return _KINDS.get(str(event.action_type), OPERATION)


def _name(event: Event) -> str:
    """What the span is about: the name the event's class has for it, or else the event's type."""
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


def _attributes(event: Event, kind: ActionKind, name: str) -> Mapping[str, AttributeValue]:
    """What is said of the event apart from content."""
    attributes: dict[str, AttributeValue | None] = {
        semconv.OPERATION_NAME: None if event.event_type in _CLASS_WORDS else event.event_type,
        **kind.attributes(name),
        semconv.AGENTOPS_ACTION_TYPE: None if event.action_type is None else str(event.action_type),
        semconv.AGENTOPS_EVENT_RESULT: str(event.result),
        semconv.GEN_AI_AGENT_ID: None if event.agent_id is None else str(event.agent_id),
        semconv.GEN_AI_USAGE_INPUT_TOKENS: event.prompt_tokens,
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: event.completion_tokens,
    }
    if isinstance(event, LLMEvent):
        attributes[semconv.AGENTOPS_USAGE_COST] = None if event.cost is None else float(event.cost)
        attributes[semconv.GEN_AI_CONVERSATION_ID] = None if event.thread_id is None else str(event.thread_id)
    if isinstance(event, ErrorEvent):
        attributes[semconv.AGENTOPS_EVENT_ERROR_CODE] = event.code
        attributes[semconv.AGENTOPS_EVENT_TRIGGER] = None if event.trigger_event is None else _name(event.trigger_event)
    return {key: value for key, value in attributes.items() if value not in (None, "")}


def _content(event: Event, kind: ActionKind) -> dict[str, object]:
    """The event's content by attribute; None is nothing to say."""
    completion = (event.completion if isinstance(event, LLMEvent) else None) or event.returns
    content: dict[str, object] = {
        kind.input_attribute: event.params,
        kind.output_attribute: None if kind is CHAT and completion is event.returns else event.returns,
        semconv.AGENTOPS_EVENT_SCREENSHOT: event.screenshot,
        semconv.AGENTOPS_EVENT_LOGS: getattr(event, "logs", None),
    }
    if isinstance(event, ErrorEvent) and not isinstance(event.details, str):
        content[kind.output_attribute] = event.details
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


def _fail(recorder: Recorder, span: Span, event: Event) -> None:
    if isinstance(event, ErrorEvent) and event.exception is not None:
        recorder.fail(span, event.exception)
        return
    kind = event.error_type if isinstance(event, ErrorEvent) else None
    details = event.details if isinstance(event, ErrorEvent) else None
    message = recorder.content.text(semconv.EXCEPTION_MESSAGE, details) if isinstance(details, str) else None
    recorder.mark_failed(span, kind or semconv.EVENT_FAILED, message)


def _member(words: type[W], name: str, value: object) -> W:
    for word in words:
        if str(value).lower() == word.lower():
            return word
    raise ValueError(f"{name}={value!r} is none of {', '.join(words)}")


def _seconds(name: str, value: Time) -> float:
    """The time in seconds since the epoch.

    Raises:
        ValueError: *value* is neither seconds nor an ISO 8601 text.
    """
    try:
        seconds = _of_text(value) if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not 0 <= seconds < _YEAR_10000:
        raise ValueError(f"{name}={value!r} is no time: seconds since the epoch, or a text as ISO 8601 has it")
    return seconds


def _nanoseconds(name: str, value: Time | None, default: int) -> int:
    return default if value is None else int(_seconds(name, value) * 1e9)


def _of_text(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
