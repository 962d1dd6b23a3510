"""The event handler that TaskWeaver's documentation describes: makes traces of a session's events alone."""

from threading import local
from typing import ClassVar
from weakref import WeakValueDictionary

from opentelemetry.trace import Span, set_span_in_context

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.taskweaver.posts import Event, error_of, execution
from agentops_otel.taskweaver.rounds import Round, current_round
from agentops_otel.tracing import Recorder

# Two handlers, or one that is registered twice, get the same event objects: the first one records them.
_handled: WeakValueDictionary[int, Event] = WeakValueDictionary()


class _Thread(local):
    round: "_EventRound | None" = None


_here = _Thread()
"""TaskWeaver runs a round on one thread. A round that a handler's exception ends has no event of its end."""


class TaskWeaverEventHandler:
    """Traces a TaskWeaver session from its events.

    With `init(instrument_taskweaver=True)`, the default, TaskWeaver is traced without it, and it does nothing. With
    False it records rounds, replies and executions, as far as events describe them. It may be
    passed and registered, once or many times.

    Args:
        session_id: The session's `session.session_id`, which no event contains. It ties the session's rounds
            together; leave it out for a handler that several sessions share.

    ```python
    from agentops_otel.taskweaver import TaskWeaverEventHandler

    handler = TaskWeaverEventHandler("20261129-120000-0f1e2d3c")  # session.session_id
    # session.send_message("What is 6 * 7?", event_handler=handler)
    ```
    """

    get_recorder: "ClassVar[staticmethod[[], Recorder | None]]" = staticmethod(lambda: None)
    """Gives the client's recorder; `agentops_otel.init()` sets it."""

    def __init__(self, session_id: str | None = None) -> None:
        self._session_id = session_id
        self._rounds: dict[str, _EventRound] = {}

    def handle(self, event: Event) -> None:
        """Record an event. Never raises, which would fail the round."""
        with guard("reading an event of TaskWeaver"):
            if current_round() is None and _handled.get(id(event)) is not event:
                _handled[id(event)] = event
                self._record(event)

    def _record(self, event: Event) -> None:
        recorder, round_id = self.get_recorder(), event.round_id
        if recorder is None or round_id is None:
            return
        if event.t.value == "round_start":
            self._begin(recorder, round_id)
        elif event.t.value == "round_end":
            if (ended := self._rounds.pop(round_id, None)) is not None:
                ended.end()
        elif (round_ := self._rounds.get(round_id)) is not None:
            round_.handle_event(event)

    def _begin(self, recorder: Recorder, round_id: str) -> None:
        previous = _here.round
        if previous is not None and previous.between_posts:
            previous.end(state="created")
        round_ = _EventRound(recorder, round_id=round_id, conversation=self._session_id)
        self._rounds[round_id] = _here.round = round_


class _EventRound(Round):
    """A round whose replies and executions begin and end with events."""

    _execution: Span | None = None

    @property
    def between_posts(self) -> bool:
        """Whether no reply is in progress: a round that begins now on the same thread is not nested in this one."""
        return self.post is None or self.post.ended_at is not None

    def handle_event(self, event: Event) -> None:
        """Record an event, and begin and end replies and executions."""
        if event.t.value == "post_start":
            self.close_post()
            self.open_post(str(event.extra["role"]))
        super().handle_event(event)
        if event.t.value == "post_status_update" and event.msg == "executing code":
            self._open_execution()
        if event.t.value == "post_attachment_update":
            self._close_execution()

    def close_post(self, end_time: int | None = None) -> None:
        """End the reply, as of its last `post_end`; there may be two of them, or none."""
        if self.post is not None and self.post.ended_at is None and self._error is not None:
            self.recorder.set_error(self.post.span, *self._error)
        super().close_post(end_time or (self.post.ended_at if self.post is not None else None))

    def _open_execution(self) -> None:
        assert self.post is not None
        context = set_span_in_context(self.post.span, self.context)
        self._execution = self.open("execute_tool python", execution(self.post.id), context)

    def _close_execution(self) -> None:
        result = self.post.attachment("execution_result") if self.post is not None else None
        if self.post is None or self._execution is None or result is None:
            return
        span, self._execution = self._execution, None
        self.post.describe_execution(span)
        code = {"code": self.post.attachment("reply_content")}
        self.recorder.set_content(span, semconv.GEN_AI_TOOL_CALL_ARGUMENTS, code)
        self.recorder.set_text(span, semconv.GEN_AI_TOOL_CALL_RESULT, result)
        if self.post.attachment("execution_status") == "FAILURE":
            kind, text = error_of(result)
            self.recorder.set_error(span, kind, self.recorder.content.text(semconv.EXCEPTION_MESSAGE, text))
        self.close(span)
