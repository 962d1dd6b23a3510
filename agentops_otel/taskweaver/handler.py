"""The handler that TaskWeaver's documentation asks for: a session's events, and nothing else, as traces."""

from threading import local
from typing import ClassVar
from weakref import WeakValueDictionary

from opentelemetry.trace import Span, set_span_in_context

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.taskweaver.posts import Event, error_of, execution
from agentops_otel.taskweaver.rounds import Round, current_round
from agentops_otel.tracing import Recorder

# Two handlers, or one that is registered twice, get the same event objects: the first one tells them.
_told: WeakValueDictionary[int, Event] = WeakValueDictionary()


class _Thread(local):
    round: "_ToldRound | None" = None


_here = _Thread()
"""TaskWeaver runs a round on one thread, and tells nobody when a handler's exception has ended it."""


class TaskWeaverEventHandler:
    """Traces a TaskWeaver session from its events.

    With `init(instrument_taskweaver=True)`, the default, TaskWeaver is traced without it, and it stays silent. Without,
    it tells rounds, replies and executions: all that events say. Pass it or register it, once or many times.

    Args:
        session_id: Whose events it gets: `session.session_id`, which no event says. It ties the session's rounds
            together; leave it out for a handler that several sessions share.

    Example:
        session.send_message("What is 6 * 7?", event_handler=TaskWeaverEventHandler(session.session_id))
    """

    current: "ClassVar[staticmethod[[], Recorder | None]]" = staticmethod(lambda: None)
    """The client's recorder; `agentops_otel.init()` decides."""

    def __init__(self, session_id: str | None = None) -> None:
        self._session_id = session_id
        self._rounds: dict[str, _ToldRound] = {}

    def handle(self, event: Event) -> None:
        """Take one event; never raises into TaskWeaver, which would fail the round."""
        with guard("reading an event of TaskWeaver"):
            if current_round() is None and _told.get(id(event)) is not event:
                _told[id(event)] = event
                self._tell(event)

    def _tell(self, event: Event) -> None:
        recorder, round_id = self.current(), event.round_id
        if recorder is None or round_id is None:
            return
        if event.t.value == "round_start":
            self._begin(recorder, round_id)
        elif event.t.value == "round_end":
            if (ended := self._rounds.pop(round_id, None)) is not None:
                ended.end()
        elif (told := self._rounds.get(round_id)) is not None:
            told.tell(event)

    def _begin(self, recorder: Recorder, round_id: str) -> None:
        left = _here.round
        if left is not None and left.between_posts:
            left.end(state="created")
        round_ = _ToldRound(recorder, round_id=round_id, conversation=self._session_id)
        self._rounds[round_id] = _here.round = round_


class _ToldRound(Round):
    """A round of which nobody but the events says when a reply and an execution begin and end."""

    _execution: Span | None = None

    @property
    def between_posts(self) -> bool:
        """Whether no role replies: a round that begins now on the same thread is not one within this."""
        return self.post is None or self.post.ended_at is not None

    def tell(self, event: Event) -> None:
        """Take what the event says, and open and close replies and executions as it does."""
        if event.t.value == "post_start":
            self.close_post()
            self.open_post(str(event.extra["role"]))
        super().tell(event)
        if event.t.value == "post_status_update" and event.msg == "executing code":
            self._open_execution()
        if event.t.value == "post_attachment_update":
            self._close_execution()

    def close_post(self, end_time: int | None = None) -> None:
        """The reply ended with its last `post_end`; there may be two of them, or none."""
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
