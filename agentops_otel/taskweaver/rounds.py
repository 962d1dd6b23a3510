"""One round of TaskWeaver as one trace: the spans that are open in it, and their context."""

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
    """One round as one trace; whatever is still open when it ends is ended with it.

    Args:
        recorder: Makes the spans.
        round_id: TaskWeaver's round id, where it is known at the start.
        conversation: TaskWeaver's session id, where it is known.
        attributes: What else is known at the start.
        links: The round before.
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
        base = with_inherited(_Everywhere(recorder, get_current(), conversation))
        told = {semconv.GEN_AI_OPERATION_NAME: "invoke_workflow", semconv.GEN_AI_WORKFLOW_NAME: WORKFLOW}
        self.span = self.open(f"invoke_workflow {WORKFLOW}", {**told, **(attributes or {})}, base, links)
        self.context = set_value(_ROUND_KEY, self, set_span_in_context(self.span, base))
        # Ctrl-C in the terminal kills the thread that the round runs on. Exit handlers run last in, first out.
        atexit.register(self.end)

    def open(
        self,
        name: str,
        attributes: Mapping[str, AttributeValue],
        context: Context | None = None,
        links: tuple[Link, ...] = (),
    ) -> Span:
        """A started span that is ended with the round at the latest."""
        span = self.recorder.start(name, attributes=attributes, context=context, links=links)
        with self._lock:
            self._open[span] = None
        return span

    def close(self, span: Span, end_time: int | None = None) -> None:
        """End the span, unless it has been ended with the round already."""
        with self._lock:
            if span not in self._open:
                return
            del self._open[span]
        self.recorder.end(span, end_time)

    def open_post(self, role: str) -> Post:
        """A role begins to reply."""
        attributes = {semconv.GEN_AI_OPERATION_NAME: "invoke_agent", semconv.GEN_AI_AGENT_NAME: role}
        span = self.open(f"invoke_agent {role}", attributes, self.context)
        last = self.last_post
        again = last is not None and last.role == last.send_to == role
        self.post = Post(self.recorder, span, role, attempt=last.attempt + 1 if last is not None and again else 1)
        return self.post

    def close_post(self, end_time: int | None = None) -> None:
        """The role has replied, or will not."""
        post, self.post = self.post, None
        if post is not None:
            self.last_post = post
            post.describe()
            self.close(post.span, end_time)

    def reply(self, role: Any, work: Callable[[], Any]) -> Any:
        """What *work*, a role's reply, returns; told as that role's post."""
        replying, self.replying = self.replying, role
        post: Post | None = None
        with guard("starting a reply of TaskWeaver"):
            post = self.open_post(str(role.get_alias()))
        try:
            with attached(self.context if post is None else set_span_in_context(post.span, self.context)):
                return work()
        except BaseException as error:
            with guard("telling a failed reply of TaskWeaver"):
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
        """What *work* returns; told as a span of that name, below the current one or the one in *context*.

        Args:
            name: The span's name.
            attributes: What is known at the start.
            work: The function; what it raises is told and raised.
            context: Where the parent is; the current context by default.
            before: Tells what goes into it.
            after: Tells what came out of it.
        """
        parent = get_current() if context is None else context
        span: Span = INVALID_SPAN
        with guard(f"starting {name}"):
            span = self.open(name, attributes, parent)
            before(span)
        try:
            with attached(set_span_in_context(span, parent)):
                result = work()
            with guard(f"telling {name}"):
                after(span, result)
            return result
        except BaseException as error:
            with guard(f"telling {name}"):
                self.fail(span, error)
            raise
        finally:
            with guard(f"ending {name}"):
                self.close(span)

    def fail(self, span: Span, error: BaseException) -> None:
        """An exception went through the span's work, and through the round if TaskWeaver does not handle it."""
        self.recorder.fail(span, error)
        self._error = (qualified_name(type(error)), str(error))

    def tell(self, event: Event) -> None:
        """Take what the event says of the round or of the reply that is being made."""
        self.id = self.id or event.round_id
        if event.t.value == "round_error":
            self._error = error_of(str(event.msg))
        elif self.post is not None:
            self.post.tell(event)

    def end(self, *, state: str | None = None, reply: str | None = None) -> None:
        """End the round and all that is open in it; a second time does nothing.

        Args:
            state: TaskWeaver's state of the round: ERROR unless it is "finished". None where only events are known.
            reply: What the user was told; by default what a role has sent to the user.
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
        told = {semconv.TASKWEAVER_ROUND_ID: self.id, semconv.TASKWEAVER_ROUND_STATE: state}
        self.span.set_attributes({name: value for name, value in told.items() if value is not None})
        if reply is None and last is not None and last.send_to == "User":
            reply = last.message
        if reply:
            self.recorder.set_content(self.span, semconv.GEN_AI_OUTPUT_MESSAGES, [message("assistant", reply)])
        if state != "finished" and (state is not None or self._error is not None):
            kind, text = self._error or ("cancelled", "")
            text_kept = self.recorder.content.text(semconv.EXCEPTION_MESSAGE, text)
            self.recorder.set_error(self.span, kind, text_kept)


class _Everywhere(Mapping[str, AttributeValue]):
    """What every span of a round carries; the tags are those of the moment in which it starts."""

    def __init__(self, recorder: Recorder, context: Context, conversation: str | None) -> None:
        self._recorder = recorder
        self._context = context
        self._told: dict[str, AttributeValue] = {semconv.AGENTOPS_TAGS: ()}
        if conversation is not None:
            self._told[semconv.GEN_AI_CONVERSATION_ID] = conversation

    def __getitem__(self, name: str) -> AttributeValue:
        if name != semconv.AGENTOPS_TAGS:
            return self._told[name]
        tags = self._recorder.defaults.attributes(self._context).get(name, ())
        return (*(map(str, tags) if isinstance(tags, Sequence) else ()), TAG)

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)


def current_round(context: Context | None = None) -> Round | None:
    """The round that the calling code runs in, or that the context belongs to."""
    found = get_value(_ROUND_KEY, context)
    return found if isinstance(found, Round) else None
