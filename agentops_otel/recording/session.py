"""Sessions: the root span of a run, and the session id and tags of every span in it."""

import functools
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack, get_args

from opentelemetry.context import Context, attach, create_key, get_current, get_value, set_value
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.compat_settings import CompatEndSettings, log_ignored
from agentops_otel.recording.event_spans import record
from agentops_otel.recording.events import Event
from agentops_otel.recording.tags import distinct
from agentops_otel.tracing import SPAN_KEY, OwnSpan, Recorder

T = TypeVar("T")
EndState = Literal["Success", "Fail", "Indeterminate"]
END_STATES: tuple[EndState, ...] = get_args(EndState)

_SESSION = create_key("agentops_otel_session")


class Session:
    """A running session: a root span under which everything that starts in its context nests.

    As a context manager it ends with "Success", or with "Fail" when an exception leaves the block:

    ```python
    with agentops_otel.start_session(name="nightly") as session:
        session.add_tags(["staging"])
    ```
    """

    def __init__(
        self, sessions: "Sessions", recorder: Recorder | None, session_id: str, name: str, tags: Iterable[str]
    ) -> None:
        self.span: Span = INVALID_SPAN
        """The root span; a non-recording one if tracing is disabled."""
        self.session_id = session_id
        self.name = name
        self._set_tags(distinct(tags))
        self.end_state: EndState | None = None
        self._sessions = sessions
        self._recorder = recorder
        self._failed = False
        self._outer = self._inner = get_current()
        if recorder is not None:
            self._begin(recorder)

    def _begin(self, recorder: Recorder) -> None:
        self.span = recorder.start(
            f"invoke_workflow {self.name}",
            context=set_value(_SESSION, self, set_span_in_context(INVALID_SPAN)),
            attributes={
                semconv.GEN_AI_OPERATION_NAME: "invoke_workflow",
                semconv.GEN_AI_WORKFLOW_NAME: self.name,
                semconv.AGENTOPS_SPAN_KIND: "session",
            },
            links=_links(self._outer),
        )
        self.process_id = os.getpid()
        """The process that ends the session: a fork has a copy of it."""
        self._inner = set_value(_SESSION, self, set_span_in_context(self.span))
        attach(self._inner)

    @property
    def context(self) -> Context:
        """The context with the session's root span."""
        return self._inner

    @property
    def around(self) -> "Session | None":
        """The enclosing session, if there is one."""
        return self._outer.get(_SESSION)  # type: ignore[return-value]  # a Context says of no value what it is

    @property
    def trace_id(self) -> str:
        """The id of the session's trace, 32 hex digits, as trace viewers take it."""
        return f"{self.span.get_span_context().trace_id:032x}"

    def _repr_html_(self) -> str | None:
        """The trace so far, for `display(session)` in a notebook."""
        return self._sessions.as_html(self)

    @property
    def duration_ns(self) -> int:
        """From the start of the root span to its end, in nanoseconds; 0 while it runs."""
        span = self.span
        times = (span.start_time, span.end_time) if isinstance(span, ReadableSpan) else (None, None)
        return times[1] - times[0] if times[0] is not None and times[1] is not None else 0

    def add_tags(self, tags: Iterable[str]) -> None:
        """Add tags to the session: its root span and every span that starts from now on carry them."""
        self.set_tags((*self.tags, *tags))

    def set_tags(self, tags: Iterable[str]) -> None:
        """Replace the session's tags, on its root span and on every span that starts from now on."""
        self._set_tags(distinct(tags))
        self.span.set_attribute(semconv.AGENTOPS_TAGS, self.tags)

    def _set_tags(self, tags: tuple[str, ...]) -> None:
        self.tags = tags
        self._span_attributes = _attributes(self.session_id, tags)
        """Attributes of every span in the session."""

    def end(
        self, end_state: str | Enum = "Indeterminate", *, rating: object = None, end_state_reason: str | None = None
    ) -> None:
        """End the session; a second call does nothing.

        Args:
            end_state: "Success", "Fail" or "Indeterminate", also as a member of `EventState`.
            rating: The user's rating: a string or a number.
            end_state_reason: The reason for the end state, as text.

        Raises:
            ValueError: *end_state* is none of the three.
        """
        state = _end_state(end_state)
        if not self._sessions.close(self) or self._recorder is None:
            return
        self.end_state = state
        self.span.set_attribute(semconv.AGENTOPS_SESSION_END_STATE, state)
        if rating is not None:
            self._record_rating(self._recorder, rating)
        self._record_reason(self._recorder, state, end_state_reason)
        self._recorder.end(self.span)
        if get_current() is self._inner:
            attach(self._outer)
        self._sessions.ended(self)

    def _record_rating(self, recorder: Recorder, rating: object) -> None:
        """Record the rating: a number as text; anything else is content, under the content policy."""
        if isinstance(rating, str):
            recorder.set_text(self.span, semconv.AGENTOPS_SESSION_RATING, rating)
        elif type(rating) in (int, float, bool):
            self.span.set_attribute(semconv.AGENTOPS_SESSION_RATING, str(rating))
        else:
            recorder.set_content(self.span, semconv.AGENTOPS_SESSION_RATING, rating)

    def _record_reason(self, recorder: Recorder, state: EndState, reason: str | None) -> None:
        text = recorder.content.text(semconv.AGENTOPS_SESSION_END_STATE_REASON, reason) if reason else None
        if text is not None:
            self.span.set_attribute(semconv.AGENTOPS_SESSION_END_STATE_REASON, text)
        if state == "Fail" and not self._failed:
            recorder.set_error(self.span, semconv.SESSION_FAILED, text or "the session ended as failed")

    @property
    def has_ended(self) -> bool:
        """True once the session has ended."""
        return self.end_state is not None

    def record(self, event: Event) -> None:
        """Record an event in this session, even if another one is current; see `agentops_otel.record`."""
        if self._recorder is not None:
            record(self._recorder, event, context=self.context, agents=self._sessions.agents)

    def end_session(
        self,
        end_state: str | Enum = "Indeterminate",
        *,
        rating: object = None,
        end_state_reason: str | None = None,
        **compat: Unpack[CompatEndSettings],
    ) -> None:
        """End the session: `end`, by the name that AgentOps had for it."""
        log_ignored("end_session(video=..., is_auto_end=...)", *compat.values())
        self.end(end_state, rating=rating, end_state_reason=end_state_reason)

    def create_agent(self, name: str, agent_id: object = None) -> str:
        """Name an agent; see `agentops_otel.create_agent`."""
        return self._sessions.name_agent(name, agent_id)

    def set_video(self, video: str) -> None:
        """Does nothing: AgentOps no longer shows a session's video."""
        log_ignored("Session.set_video()", video)

    def get_analytics(self) -> dict[str, str] | None:
        """The session's totals so far, in the format of AgentOps 0.3; None if nothing is recorded.

        Returns:
            Texts by "LLM calls", "Tool calls", "Actions", "Errors", "Duration" and "Cost".
        """
        return None if self._recorder is None else self._sessions.analytics(self)

    def patch(self, function: Callable[..., T]) -> Callable[..., T]:
        """Bind the function's argument `session` to this session: AgentOps 0.3's way to choose among several."""
        return functools.partial(function, session=self)

    def say(self, attributes: Mapping[str, object]) -> None:
        """Set attributes of the root span. Numbers and booleans are set as they are; other values are content.

        Args:
            attributes: By the attributes' full names.
        """
        if self._recorder is None:
            return
        for name, value in attributes.items():
            if isinstance(value, str):
                self._recorder.set_text(self.span, name, value)
            elif isinstance(value, bool | int | float):
                self.span.set_attribute(name, value)
            elif value is not None:
                self._recorder.set_content(self.span, name, value)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self.end_state is None and self._recorder is not None:
            self._recorder.fail(self.span, error)
            self._failed = True
        self.end("Success" if error is None else "Fail")


class Sessions:
    """The sessions of one client and the tags of all its spans: the `SpanDefaults` of its recorder.

    Args:
        tags: The tags of every span.
        ended: Called with each session when it has ended.
        analytics: Returns the totals of a session, by AgentOps' names.
        parent: The parent of spans that would be roots; None: they are roots.
        as_html: Returns the trace of a session as a notebook shows it; None outside of one.
    """

    def __init__(
        self,
        tags: Iterable[str] = (),
        ended: Callable[[Session], None] = lambda session: None,
        analytics: Callable[[Session], dict[str, str]] = lambda session: {},
        parent: SpanContext | None = None,
        as_html: Callable[[Session], str | None] = lambda session: None,
    ) -> None:
        self._run_id = uuid.uuid4().hex
        self.tags = distinct(tags)
        self.ended = ended
        self.analytics = analytics
        self.as_html = as_html
        self.open: tuple[Session, ...] = ()
        self._ambient: Session | None = None
        """The ambient session: used by code without a session in its context."""
        self.agents: dict[str, str] = {}
        """Names given by `create_agent`, by the agent's id."""
        self._parent = None if parent is None else NonRecordingSpan(parent)
        self._lock = threading.Lock()

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of every span outside of a session."""
        return self._tags

    @tags.setter
    def tags(self, tags: tuple[str, ...]) -> None:
        self._tags = tags
        self._attributes = _attributes(self._run_id, tags)
        self._at = (self._attributes, None)

    def start(
        self,
        recorder: Recorder | None,
        *,
        name: str,
        tags: Iterable[str] = (),
        session_id: str | None = None,
    ) -> Session:
        """Open a session: a trace of its own, linked with the span it was started under.

        Without a recorder the session has no span and is no parent.
        """
        session = Session(self, recorder, session_id or uuid.uuid4().hex, name, (*self.tags, *tags))
        if recorder is not None:
            with self._lock:
                self.open += (session,)
                self._ambient = self._find_ambient()
        return session

    def _find_ambient(self) -> Session | None:
        """The newest open session, if it was started inside all other open ones; otherwise None.

        Sessions that are not nested may belong to two users: code without a session in its context gets neither.
        """
        newest = self.open[-1] if self.open else None
        others, around = len(self.open) - 1, newest and newest.around
        while others > 0 and around is not None:
            others -= around in self.open
            around = around.around
        return newest if others <= 0 else None

    def close(self, session: Session) -> bool:
        """Remove the session from the open ones; False if it has been removed before."""
        with self._lock:
            still_open = session in self.open
            self.open = tuple(other for other in self.open if other is not session)
            self._ambient = self._find_ambient()
            return still_open

    def current(self, context: Context | None = None) -> Session | None:
        """The session of the context, or its enclosing one if it has ended; without any, the ambient session."""
        session: Any = get_value(_SESSION, context)
        if session is None:
            return self._ambient
        while session is not None and session.end_state is not None:
            session = session.around
        return session  # type: ignore[no-any-return]  # a Context says of no value what it is

    def name_agent(self, name: str, agent_id: object = None) -> str:
        """Set an agent's name, for events that have only its id. The id is a new UUID by default."""
        identity = str(agent_id or uuid.uuid4())
        self.agents[identity] = name
        return identity

    def add_tags(self, tags: Iterable[str]) -> None:
        """Add tags to every span that starts from now on, and to the current session."""
        tags = distinct(tags)
        self.tags = distinct((*self.tags, *tags))
        if session := self.current():
            session.add_tags(tags)

    def set_tags(self, tags: Iterable[str]) -> None:
        """Replace the tags of every span that starts from now on, and those of the current session."""
        self.tags = distinct(tags)
        if session := self.current():
            session.set_tags(self.tags)

    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        """`session.id` and the tags, for a span that starts in *current*: the same object until they change."""
        session: Any = current.get(_SESSION) if current else None
        if session is None or session.end_state is not None:
            session = self.current(current)
        return self._attributes if session is None else session._span_attributes

    def at(self, current: Context) -> tuple[Mapping[str, AttributeValue], object]:
        """The attributes and the parent of a span that starts in *current*."""
        if not self.open and self._parent is None:
            if not current:
                return self._at
            span = current.get(SPAN_KEY)
            if type(span) is OwnSpan and _SESSION not in current:
                return self._attributes, span
        return self.attributes(current), self.context(current).get(SPAN_KEY)

    def context(self, current: Context) -> Context:
        """The parent context: *current*, or the open session's root if *current* has no open span."""
        if not current and not self.open and self._parent is None:
            return current
        span: Any = current.get(SPAN_KEY)
        left: Any = current.get(_SESSION)
        if left is None and type(span) is OwnSpan:
            return current
        span = get_current_span(current)
        session = self.current(current)
        if left is not None and left.end_state is not None and span is left.span:
            span = INVALID_SPAN
        elif span.get_span_context().is_valid or (session is None and self._parent is None):
            return current
        root = session.span if session and session.span is not INVALID_SPAN else self._parent or span
        return set_span_in_context(root, current)


def _attributes(session_id: str, tags: tuple[str, ...]) -> Mapping[str, AttributeValue]:
    """Attributes of every span of a session. Immutable: a new mapping is made when the tags change."""
    return {semconv.SESSION_ID: session_id, **({semconv.AGENTOPS_TAGS: tags} if tags else {})}


def _end_state(text: str | Enum) -> EndState:
    for state in END_STATES:
        if str(getattr(text, "value", text)).lower() == state.lower():
            return state
    raise ValueError(f"end_state={text!r} is not one of {', '.join(END_STATES)}")


def _links(outer: Context) -> tuple[Link, ...]:
    span_context = get_current_span(outer).get_span_context()
    return (Link(span_context),) if span_context.is_valid else ()
