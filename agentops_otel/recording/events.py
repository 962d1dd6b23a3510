"""Event classes for `record()`: things that have already happened. They accept the arguments of all AgentOps SDKs."""

import math
import sys
import traceback
from collections.abc import Iterable
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from time import time
from typing import TypeVar
from uuid import UUID, uuid4

from opentelemetry.trace import SpanContext

W = TypeVar("W", bound=StrEnum)


_YEAR_10000 = 253_402_300_800


class EventState(StrEnum):
    """The result of an event, and the end state of a session.

    ```python
    agentops_otel.record(agentops_otel.Event("search", result=agentops_otel.EventState.FAIL))
    ```
    """

    SUCCESS = "Success"
    FAIL = "Fail"
    INDETERMINATE = "Indeterminate"


class ActionType(StrEnum):
    """The type of action that an event describes.

    ```python
    agentops_otel.record(agentops_otel.Event("search", action_type=agentops_otel.ActionType.API))
    ```
    """

    ACTION = "action"
    LLM = "llm"
    API = "api"
    SCREENSHOT = "screenshot"
    TOOL = "tool"


class Models(StrEnum):
    """Models with names in AgentOps 0.0 to 0.2. Any other model is given as a string.

    ```python
    agentops_otel.record(agentops_otel.Event("answer", model=agentops_otel.Models.GPT_4, prompt="How warm is it?"))
    ```
    """

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
"""Seconds since the epoch, or an ISO 8601 text (UTC if it names no zone)."""


@dataclass
class Event:
    """Something that has happened, for `agentops_otel.record`. Becomes a span.

    ```python
    event = agentops_otel.Event("api call", params={"city": "Paris"})  # starts now
    event.returns, event.result = {"warm": 21}, "Success"
    agentops_otel.record(event)  # ends now
    ```

    Raises:
        ValueError: The result, the action type or a time is invalid.
    """

    event_type: str
    """The type of event. It names the span, unless the event names a tool, a model or an action type."""
    params: object = None
    """The arguments: any value; recorded as JSON, redacted and truncated."""
    returns: object = None
    """The result value, recorded likewise."""
    result: EventState | str | None = EventState.INDETERMINATE
    """The result. Default: "Indeterminate"; None, no result, for the subclasses."""
    action_type: ActionType | str | list[str] | None = None
    """The type of action. Default: `llm` if a model is named, otherwise `action`."""
    model: Models | str | None = None
    """The model that was called: "gpt-4o"."""
    prompt: object = None
    """The prompt: a text, a message (`{"role", "content"}`) or a list of messages."""
    tags: Iterable[str] | None = None
    """Tags of the span, in addition to those of the session."""
    init_timestamp: Time | None = None
    """Start time. Default: when the event object was made."""
    screenshot: str | None = None
    """A screenshot: a URL, or an image in base64."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """Used tokens, as the model's answer states them."""
    _: KW_ONLY
    timestamp: Time | None = None
    """The time of an event without duration: the default of the start and end times."""
    end_timestamp: Time | None = None
    """End time. Default: when the event is recorded."""
    agent_id: UUID | str | None = None
    """The id of the agent, as `create_agent` returned it."""
    id: UUID | str = field(default_factory=uuid4)
    session_id: UUID | str | None = None
    output: InitVar[object] = None
    """*returns* under its name in AgentOps 0.0.2."""
    span_context: SpanContext | None = field(default=None, init=False, repr=False, compare=False)
    """The context of the event's span; None until it is recorded."""

    def __post_init__(self, output: object) -> None:
        """Check the arguments and fill in the defaults that depend on others."""
        self.returns = output if self.returns is None else self.returns
        if isinstance(self.action_type, list):  # AgentOps 0.0.2 and 0.0.3 had the tags at this position
            self.tags, self.action_type = self.action_type, None
        self.result = None if self.result is None else _member(EventState, "result", self.result)
        self._choose_action_type()
        self.end_timestamp = self.timestamp if self.end_timestamp is None else self.end_timestamp
        self.timestamp = time() if self.timestamp is None else _seconds("timestamp", self.timestamp)
        self.init_timestamp = self.timestamp if self.init_timestamp is None else self.init_timestamp
        _seconds("init_timestamp", self.init_timestamp)
        nanoseconds("end_timestamp", self.end_timestamp, 0)

    def _choose_action_type(self) -> None:
        default = ActionType.ACTION if self.model is None else ActionType.LLM
        self.action_type = default if self.action_type is None else _member(ActionType, "action_type", self.action_type)


@dataclass
class ActionEvent(Event):
    """An action of an agent. Its *action_type* is any text, and the span's name.

    ```python
    agentops_otel.record(agentops_otel.ActionEvent(action_type="search", params={"query": "weather"}))
    ```
    """

    event_type: str = "actions"
    result: EventState | str | None = None
    _: KW_ONLY
    logs: object = None

    def _choose_action_type(self) -> None: ...


@dataclass
class ToolEvent(Event):
    """A call of a tool: a span `execute_tool {name}`.

    ```python
    agentops_otel.record(agentops_otel.ToolEvent(name="weather", params={"city": "Paris"}, returns={"warm": 21}))
    ```
    """

    event_type: str = "tools"
    result: EventState | str | None = None
    _: KW_ONLY
    name: str | None = None
    logs: object = None

    def _choose_action_type(self) -> None:
        self.action_type = ActionType.TOOL


@dataclass
class LLMEvent(Event):
    """A call of a model: a span `chat {model}`.

    ```python
    agentops_otel.record(agentops_otel.LLMEvent(model="gpt-4o", prompt="How warm is it?", completion="21 degrees."))
    ```
    """

    event_type: str = "llms"
    result: EventState | str | None = None
    _: KW_ONLY
    thread_id: UUID | str | None = None
    completion: object = None
    """The model's answer: a text or a message."""
    cost: float | None = None
    """The cost of the call, in USD."""

    def _choose_action_type(self) -> None:
        self.action_type = ActionType.LLM


@dataclass
class ErrorEvent(Event):
    """An error, and the event in which it happened (the trigger).

    ```python
    agentops_otel.record(agentops_otel.ErrorEvent(exception=TimeoutError("too slow"), code="504"))
    ```
    """

    event_type: str = "errors"
    result: EventState | str | None = None
    _: KW_ONLY
    trigger_event: Event | None = None
    exception: BaseException | None = None
    error_type: str | None = None
    code: str | None = None
    details: object = None
    logs: object = None

    def _choose_action_type(self) -> None: ...

    def __post_init__(self, output: object) -> None:
        """Take the type and the message from the exception, if there is one."""
        super().__post_init__(output)
        self.result = EventState.FAIL
        if self.exception is None and self.logs is None and sys.exception() is not None:
            self.logs = traceback.format_exc()
        if self.exception is not None:
            self.error_type = self.error_type or type(self.exception).__name__


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


def nanoseconds(name: str, value: Time | None, default: int) -> int:
    """The time in nanoseconds since the epoch; *default* for None."""
    return default if value is None else int(_seconds(name, value) * 1e9)


def _of_text(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
