"""One round of TaskWeaver as one trace: its open spans and their context."""

import atexit
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

from opentelemetry.context import Context, create_key, get_current, get_value, set_value
from opentelemetry.trace import INVALID_SPAN, Link, Span, set_span_in_context
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.taskweaver.posts import Event, Post, error_of, message
from agentops_otel.tracing import Recorder, attached, qualified_name, with_inherited

TAG = "taskweaver"
WORKFLOW = "taskweaver"
_ROUND_KEY = create_key("agentops_otel-taskweaver-round")


class Round:
    """One round as one trace. Its end ends all spans that are still open.

    Args:
        recorder: Makes the spans.
        round_id: TaskWeaver's round id, if it is known.
        conversation: TaskWeaver's session id, if it is known.
        attributes: Further attributes.
        links: The previous round.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        round_id: str | None = None,
        conversation: str | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: tuple[Link, ...] = (),
    ) -> None:
        self.recorder = recorder
        self.id = round_id
        self.post: Post | None = None
        self.last_post: Post | None = None
        self.replying: Any = None
        self._error: tuple[str, str] | None = None
        self._open: dict[Span, None] = {}
        self._lock = Lock()
        base = with_inherited(_RoundAttributes(recorder, get_current(), conversation))
        operation = {semconv.GEN_AI_OPERATION_NAME: "invoke_workflow", semconv.GEN_AI_WORKFLOW_NAME: WORKFLOW}
        self.span = self.open(f"invoke_workflow {WORKFLOW}", {**operation, **(attributes or {})}, base, links)
        self.context = set_value(_ROUND_KEY, self, set_span_in_context(self.span, base))
        # Ctrl-C kills the thread of the round: end it at exit. Exit handlers run last in, first out: before `shutdown`.
        atexit.register(self.end)

    def open(
        self,
        name: str,
        attributes: Mapping[str, AttributeValue],
        context: Context | None = None,
        links: tuple[Link, ...] = (),
    ) -> Span:
        """Start a span that ends with the round at the latest."""
        span = self.recorder.start(name, attributes=attributes, context=context, links=links)
        with self._lock:
            self._open[span] = None
        return span

    def close(self, span: Span, end_time: int | None = None) -> None:
        """End the span, unless the end of the round has ended it."""
        with self._lock:
            if span not in self._open:
                return
            del self._open[span]
        self.recorder.end(span, end_time)

    def open_post(self, role: str) -> Post:
        """Start the span of a role's reply."""
        attributes = {semconv.GEN_AI_OPERATION_NAME: "invoke_agent", semconv.GEN_AI_AGENT_NAME: role}
        span = self.open(f"invoke_agent {role}", attributes, self.context)
        last = self.last_post
        again = last is not None and last.role == last.send_to == role
        self.post = Post(self.recorder, span, role, attempt=last.attempt + 1 if last is not None and again else 1)
        return self.post

    def close_post(self, end_time: int | None = None) -> None:
        """End the span of the current reply."""
        post, self.post = self.post, None
        if post is not None:
            self.last_post = post
            post.describe()
            self.close(post.span, end_time)

    def reply(self, role: Any, work: Callable[[], Any]) -> Any:
        """Run *work*, a role's reply, in a span, and return its result."""
        replying, self.replying = self.replying, role
        post: Post | None = None
        with guard("starting a reply of TaskWeaver"):
            post = self.open_post(str(role.get_alias()))
        try:
            with attached(self.context if post is None else set_span_in_context(post.span, self.context)):
                return work()
        except BaseException as error:
            with guard("recording a failed reply of TaskWeaver"):
                self.fail(self.span if post is None else post.span, error)
            raise
        finally:
            self.replying = replying
            with guard("ending a reply of TaskWeaver"):
                self.close_post()

    def run(
        self,
        name: str,
        attributes: Mapping[str, AttributeValue],
        work: Callable[[], Any],
        *,
        context: Context | None = None,
        before: Callable[[Span], None] = lambda span: None,
        after: Callable[[Span, Any], None] = lambda span, result: None,
    ) -> Any:
        """Run *work* in a span, and return its result.

        Args:
            name: The span's name.
            attributes: The span's attributes.
            work: The function. An exception is recorded and raised.
            context: The context of the parent; the current one by default.
            before: Records the input, given the span.
            after: Records the result, given the span and the result.
        """
        parent = get_current() if context is None else context
        span: Span = INVALID_SPAN
        with guard(f"starting {name}"):
            span = self.open(name, attributes, parent)
            before(span)
        try:
            with attached(set_span_in_context(span, parent)):
                result = work()
            with guard(f"recording {name}"):
                after(span, result)
            return result
        except BaseException as error:
            with guard(f"recording {name}"):
                self.fail(span, error)
            raise
        finally:
            with guard(f"ending {name}"):
                self.close(span)

    def fail(self, span: Span, error: BaseException) -> None:
        """Record an exception on the span. It is the round's error too, if the round fails."""
        self.recorder.fail(span, error)
        self._error = (qualified_name(type(error)), str(error))

    def handle_event(self, event: Event) -> None:
        """Record an event of the round or of its current reply."""
        self.id = self.id or event.round_id
        if event.t.value == "round_error":
            self._error = error_of(str(event.msg))
        elif self.post is not None:
            self.post.handle_event(event)

    def end(self, *, state: str | None = None, reply: str | None = None) -> None:
        """End the round and its open spans. A second call does nothing.

        Args:
            state: TaskWeaver's state of the round: ERROR unless it is "finished". None if only events are known.
            reply: The reply to the user; by default the last message that a role sent to the user.
        """
        atexit.unregister(self.end)
        self.close_post()
        with self._lock:
            still_open, self._open = reversed(list(self._open)), {}
        for span in still_open:
            if span is self.span:
                self._describe(state, reply)
            self.recorder.end(span)

    def _describe(self, state: str | None, reply: str | None) -> None:
        last = self.last_post
        attributes = {semconv.TASKWEAVER_ROUND_ID: self.id, semconv.TASKWEAVER_ROUND_STATE: state}
        self.span.set_attributes({name: value for name, value in attributes.items() if value is not None})
        if reply is None and last is not None and last.send_to == "User":
            reply = last.message
        if reply:
            self.recorder.set_content(self.span, semconv.GEN_AI_OUTPUT_MESSAGES, [message("assistant", reply)])
        if state != "finished" and (state is not None or self._error is not None):
            kind, text = self._error or ("cancelled", "")
            text_kept = self.recorder.content.text(semconv.EXCEPTION_MESSAGE, text)
            self.recorder.set_error(self.span, kind, text_kept)


class _RoundAttributes(Mapping[str, AttributeValue]):
    """Attributes of every span of a round. The tags are read when a span starts."""

    def __init__(self, recorder: Recorder, context: Context, conversation: str | None) -> None:
        self._recorder = recorder
        self._context = context
        self._fixed: dict[str, AttributeValue] = {semconv.AGENTOPS_TAGS: ()}
        if conversation is not None:
            self._fixed[semconv.GEN_AI_CONVERSATION_ID] = conversation

    def __getitem__(self, name: str) -> AttributeValue:
        if name != semconv.AGENTOPS_TAGS:
            return self._fixed[name]
        tags = self._recorder.defaults.attributes(self._context).get(name, ())
        return (*(map(str, tags) if isinstance(tags, Sequence) else ()), TAG)

    def __iter__(self) -> Iterator[str]:
        return iter(self._fixed)

    def __len__(self) -> int:
        return len(self._fixed)


def current_round(context: Context | None = None) -> Round | None:
    """The round of the context, by default the current one."""
    round_ = get_value(_ROUND_KEY, context)
    return round_ if isinstance(round_, Round) else None
