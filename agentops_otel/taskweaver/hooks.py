"""Hooks on TaskWeaver: which spans there are, and the context they are in."""

import inspect
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link, Span, SpanContext
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.taskweaver import calls, own_tracing
from agentops_otel.taskweaver.kernel import Kernel
from agentops_otel.taskweaver.posts import error_of, execution, message
from agentops_otel.taskweaver.rounds import Round, current_round
from agentops_otel.tracing import Recorder, attached

Wrapped = Callable[..., Any]
Hook = Callable[["Hooks", Wrapped, Any, tuple[Any, ...], dict[str, Any]], Any]


Stopped = Callable[[str, int, int], None]
"""`stopped(session id, rounds, nanoseconds from the first round's start to the last one's end)`."""


def nobody(session_id: str, rounds: int = 0, duration_ns: int = 0) -> None:
    """Who is told where nobody has asked to be."""


@dataclass(slots=True)
class _Told:
    """What is remembered of a session from round to round."""

    session_id: str
    started: int
    ended: int
    last: SpanContext
    rounds: int = 0
    running: Round | None = None


class Hooks:
    """What is done at each hooked function. Each does nothing but its work while there is no client."""

    def __init__(
        self,
        current: Callable[[], Recorder | None],
        stopped: Stopped = nobody,
        went_on: Callable[[str], None] = nobody,
    ) -> None:
        self.current = current
        self.stopped = stopped
        self.went_on = went_on
        self.patch: Callable[[type, str, Hook], None] = lambda owner, name, hook: None
        self._sessions: WeakKeyDictionary[Any, _Told] = WeakKeyDictionary()
        self._taken: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
        """Whether a client's server takes the question for a stream's tokens, once that is known."""
        self._kernel_wanted: dict[str, Context] = {}
        self._kernels: dict[str, tuple[Kernel, Recorder, Context]] = {}

    def send_message(self, wrapped: Wrapped, session: Any, args: Any, kwargs: Any) -> Any:
        """`Session.send_message`: one round."""
        round_: Round | None = None
        with guard("starting a round of TaskWeaver"):
            round_ = self._round(session, args, kwargs)
        if round_ is None:
            return wrapped(*args, **kwargs)
        try:
            with attached(round_.context):
                result = wrapped(*args, **kwargs)
        except BaseException as error:
            with guard("ending a round of TaskWeaver"):
                round_.fail(round_.span, error)
                round_.end(state="failed")
            raise
        with guard("ending a round of TaskWeaver"):
            finished = result.state == "finished"
            round_.end(state=str(result.state), reply=result.post_list[-1].message if finished else None)
            if (told := self._sessions.get(session)) is not None:  # nobody has stopped it meanwhile
                told.rounds += 1
                told.ended = round_.recorder.clock()
                self.went_on(told.session_id)
        return result

    def stop(self, wrapped: Wrapped, session: Any, args: Any, kwargs: Any) -> Any:
        """`Session.stop`; TaskWeaver may call it twice."""
        try:
            return wrapped(*args, **kwargs)
        finally:
            self._say(session)

    def say_all(self) -> None:
        """End and tell what nobody has stopped."""
        for session in list(self._sessions):
            self._say(session)

    def _say(self, session: Any) -> None:
        with guard("summing up a session of TaskWeaver"):
            if (told := self._sessions.pop(session, None)) is not None:
                if told.running is not None:
                    told.running.end(state="created")
                self.stopped(told.session_id, told.rounds, told.ended - told.started)

    def reply(self, wrapped: Wrapped, role: Any, args: Any, kwargs: Any) -> Any:
        """`reply` of a role: one post. A role that calls its base class's `reply` is still one."""
        round_ = current_round()
        if round_ is None or round_.replying is role:
            return wrapped(*args, **kwargs)
        return round_.reply(role, partial(wrapped, *args, **kwargs))

    def emit(self, wrapped: Wrapped, emitter: Any, args: Any, kwargs: Any) -> Any:
        """`SessionEventEmitter.emit`: every event of every session, whoever listens."""
        with guard("reading an event of TaskWeaver"):
            if (round_ := current_round()) is not None:
                round_.tell(_argument(args, kwargs, 0, "event"))
        return wrapped(*args, **kwargs)

    def chat_completion(self, wrapped: Wrapped, api: Any, args: Any, kwargs: Any) -> Any:
        """`LLMApi.chat_completion`: the whole answer at once, on the caller's thread."""
        call = self._call(lambda recorder: calls.chat(recorder, api, _bound(wrapped, args, kwargs)))
        if call is None:
            return wrapped(*args, **kwargs)
        with call:
            answer = wrapped(*args, **kwargs)
        call.heard(answer)
        call.end()
        return answer

    def chat_completion_stream(self, wrapped: Wrapped, api: Any, args: Any, kwargs: Any) -> Any:
        """`LLMApi.chat_completion_stream`: a generator, in most cases of `_stream_smoother`."""
        call = self._call(lambda recorder: calls.chat(recorder, api, _bound(wrapped, args, kwargs)))
        if call is None:
            return wrapped(*args, **kwargs)
        with call:
            stream = wrapped(*args, **kwargs)
            return stream if call.carried else call.carry(lambda: stream)()

    def stream_smoother(self, wrapped: Wrapped, api: Any, args: Any, kwargs: Any) -> Any:
        """`LLMApi._stream_smoother`: runs the call on a thread of its own, without our context."""
        call = calls.current_call()
        if call is None or len(args) != 1:
            return wrapped(*args, **kwargs)
        return wrapped(call.carry(args[0]))

    def ask_for_usage(self, wrapped: Wrapped, completions: Any, args: Any, kwargs: Any) -> Any:
        """`Completions.create` of openai: a stream tells its tokens to those who ask, and TaskWeaver does not."""
        call = calls.current_call()
        asks = call is not None and call.asks_usage and kwargs.get("stream") and "stream_options" not in kwargs
        taken = self._taken.get(completions)
        if call is None or not asks or taken is False:
            return wrapped(*args, **kwargs)
        ask = partial(wrapped, *args, **kwargs, stream_options={"include_usage": True})
        if taken:
            return ask()
        openai = sys.modules["openai"]
        with suppress(openai.BadRequestError, openai.UnprocessableEntityError):
            stream = ask()
            self._taken[completions] = call.is_told  # else nobody would read the answer
            return stream
        # Refused, perhaps because the server is too old to know the question.
        stream = wrapped(*args, **kwargs)
        self._taken[completions] = False
        return stream

    def read_ollama(self, wrapped: Wrapped, service: Any, args: Any, kwargs: Any) -> Any:
        """`OllamaService._stream_process`: Ollama's answer in chunks, which TaskWeaver asks for without a client."""
        chunks, call = wrapped(*args, **kwargs), calls.current_call()
        return chunks if call is None else call.overheard(calls.OLLAMA, chunks)

    def get_embedding(self, wrapped: Wrapped, api: Any, args: Any, kwargs: Any) -> Any:
        """`LLMApi.get_embedding` and `get_embedding_list`."""
        call = self._call(lambda recorder: calls.embeddings(recorder, api))
        if call is None:
            return wrapped(*args, **kwargs)
        with call:
            vectors = wrapped(*args, **kwargs)
        call.end()
        return vectors

    def execute_code(self, wrapped: Wrapped, executor: Any, args: Any, kwargs: Any) -> Any:
        """`CodeExecutor.execute_code`: one run of generated code."""
        work, round_ = partial(wrapped, *args, **kwargs), current_round()
        if round_ is None:
            return work()
        told = execution(str(_argument(args, kwargs, 0, "exec_id")))
        with guard("reading the mode of TaskWeaver's kernel"):
            told[semconv.TASKWEAVER_KERNEL_MODE] = str(executor.exec_mgr.get_kernel_mode())
        before = partial(_executing, round_, _argument(args, kwargs, 1, "code"))
        return round_.run("execute_tool python", told, work, before=before, after=partial(_executed, round_.recorder))

    def start_executor(self, wrapped: Wrapped, executor: Any, args: Any, kwargs: Any) -> Any:
        """`CodeExecutor.start`: wants a kernel, which is started on a thread without our context."""
        with guard("expecting TaskWeaver's kernel"):
            if not executor.client_started and current_round() is not None:
                self._kernel_wanted[executor.session_id] = get_current()
        return wrapped(*args, **kwargs)

    def start_kernel(self, wrapped: Wrapped, environment: Any, args: Any, kwargs: Any) -> Any:
        """`Environment.start_session`: a kernel's start, seconds long."""
        work = partial(wrapped, *args, **kwargs)
        context = self._kernel_wanted.pop(_argument(args, kwargs, 0, "session_id"), None)
        round_ = current_round(context)
        if round_ is None:
            return work()
        result = round_.run("taskweaver.kernel.start", {}, work, context=context, after=partial(_started, environment))
        # Before the plugins are loaded: their calls are to be seen.
        self._enter_kernel(environment, args, kwargs, round_.recorder, get_current() if context is None else context)
        return result

    def execute_in_kernel(self, wrapped: Wrapped, environment: Any, args: Any, kwargs: Any) -> Any:
        """`Environment.execute_code`: the code runs; its spans come back when it has."""
        round_, context = current_round(), get_current()
        if round_ is None:
            return wrapped(*args, **kwargs)
        kernel = self._enter_kernel(environment, args, kwargs, round_.recorder, context)
        try:
            return wrapped(*args, **kwargs)
        finally:
            with guard("taking the spans out of TaskWeaver's kernel"):
                if kernel is not None:
                    kernel.leave(round_.recorder, context)

    def stop_kernel(self, wrapped: Wrapped, environment: Any, args: Any, kwargs: Any) -> Any:
        """`Environment.stop_session`: the kernel is killed."""
        with guard("taking the last spans out of TaskWeaver's kernel"):
            kernel, recorder, context = self._kernels.pop(_argument(args, kwargs, 0, "session_id"), (None, None, None))
            if kernel is not None and recorder is not None and context is not None:
                kernel.close(recorder, context)
        return wrapped(*args, **kwargs)

    def set_tracing_aside(self, wrapped: Wrapped, tracing: Any, args: Any, kwargs: Any) -> Any:
        """`Tracing.__init__`: may have switched TaskWeaver's own tracing on."""
        wrapped(*args, **kwargs)
        with guard("setting TaskWeaver's own tracing aside"):
            if self.current() is not None:
                own_tracing.set_aside(sys.modules[own_tracing.MODULE])

    def _round(self, session: Any, args: Any, kwargs: Any) -> Round | None:
        recorder = self.current()
        if recorder is None or current_round() is not None:
            return None
        planner = getattr(session, "planner", None)
        for role in (*session.worker_instances.values(), *([] if planner is None else [planner])):
            self.patch(next(kind for kind in type(role).__mro__ if "reply" in vars(kind)), "reply", Hooks.reply)
        known: dict[str, AttributeValue] = {
            semconv.TASKWEAVER_ROUND_INDEX: session.round_index,
            semconv.TASKWEAVER_ROLES: tuple(session.config.roles),
        }
        if files := _argument(args, kwargs, 2, "files"):
            known[semconv.TASKWEAVER_FILE_COUNT] = len(files)
        before = self._sessions.get(session)
        links = () if before is None else (Link(before.last),)
        round_ = Round(recorder, conversation=str(session.session_id), attributes=known, links=links)
        asked = message("user", str(_argument(args, kwargs, 0, "message")))
        recorder.set_content(round_.span, semconv.GEN_AI_INPUT_MESSAGES, [asked])
        last, now = round_.span.get_span_context(), recorder.clock()
        told = self._sessions.setdefault(session, _Told(str(session.session_id), now, now, last))
        told.last, told.running = last, round_
        return round_

    def _enter_kernel(
        self, environment: Any, args: Any, kwargs: Any, recorder: Recorder, context: Context
    ) -> Kernel | None:
        session_id = _argument(args, kwargs, 0, "session_id")
        with guard("bringing the trace into TaskWeaver's kernel"):
            kernel = self._kernels.get(session_id, (None, None, None))[0]
            if kernel is None:
                folder = Path(environment.session_dict[session_id].session_dir)
                kernel = Kernel(folder, container=environment.mode.value == "container")
            self._kernels[session_id] = (kernel, recorder, context)
            kernel.enter(environment.client_dict[session_id], context, recorder)
            return kernel
        return None

    def _call(self, make: Callable[[Recorder], calls.Call]) -> calls.Call | None:
        with guard("starting an LLM call of TaskWeaver"):
            recorder = self.current()
            return None if recorder is None else make(recorder)
        return None


def _bound(wrapped: Wrapped, args: Any, kwargs: Any) -> Mapping[str, Any]:
    return inspect.signature(wrapped).bind(*args, **kwargs).arguments


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], position: int, name: str) -> Any:
    # TaskWeaver's own decorator hides the signatures of half the functions.
    return args[position] if len(args) > position else kwargs.get(name)


def _started(environment: Any, span: Span, result: Any) -> None:
    span.set_attribute(semconv.TASKWEAVER_KERNEL_MODE, str(environment.mode.value))


def _executing(round_: Round, code: object, span: Span) -> None:
    if round_.post is not None:
        round_.post.describe_execution(span)
    round_.recorder.set_content(span, semconv.GEN_AI_TOOL_CALL_ARGUMENTS, {"code": code})


def _executed(recorder: Recorder, span: Span, result: Any) -> None:
    said = {"output": result.output, "stdout": "".join(result.stdout), "stderr": "".join(result.stderr)}
    said |= {"error": result.error, "log": result.log}
    recorder.set_content(span, semconv.GEN_AI_TOOL_CALL_RESULT, {name: some for name, some in said.items() if some})
    told: dict[str, AttributeValue] = {
        semconv.TASKWEAVER_EXECUTION_STATUS: "SUCCESS" if result.is_success else "FAILURE",
        semconv.TASKWEAVER_ARTIFACT_COUNT: len(result.artifact),
    }
    span.set_attributes(told)
    if result.artifact:
        recorder.set_content(span, semconv.TASKWEAVER_ARTIFACTS, [artifact.file_name for artifact in result.artifact])
    if not result.is_success:
        kind, text = error_of(result.error or "")
        recorder.set_error(span, kind, recorder.content.text(semconv.EXCEPTION_MESSAGE, text))
