"""The hooks on TaskWeaver's functions: they make the spans and carry their context."""

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
from agentops_otel.taskweaver import builtin_tracing, calls
from agentops_otel.taskweaver.kernel import Kernel
from agentops_otel.taskweaver.posts import error_of, execution, message
from agentops_otel.taskweaver.rounds import Round, current_round
from agentops_otel.tracing import Recorder, attached

Wrapped = Callable[..., Any]
Hook = Callable[["Hooks", Wrapped, Any, tuple[Any, ...], dict[str, Any]], Any]


Stopped = Callable[[str, int, int], None]
"""`on_stop(session id, rounds, nanoseconds from the first round's start to the last one's end)`."""


def ignore(session_id: str, rounds: int = 0, duration_ns: int = 0) -> None:
    """The callback that does nothing."""


@dataclass(slots=True)
class _SessionState:
    """A session of TaskWeaver, from round to round."""

    session_id: str
    started: int
    ended: int
    last: SpanContext
    rounds: int = 0
    running: Round | None = None


class Hooks:
    """One method a hooked function. Without a client each only calls the function."""

    def __init__(
        self,
        get_recorder: Callable[[], Recorder | None],
        on_stop: Stopped = ignore,
        on_round: Callable[[str], None] = ignore,
    ) -> None:
        self.get_recorder = get_recorder
        self.on_stop = on_stop
        self.on_round = on_round
        self.patch: Callable[[type, str, Hook], None] = lambda owner, name, hook: None
        self._sessions: WeakKeyDictionary[Any, _SessionState] = WeakKeyDictionary()
        self._usage_supported: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
        """Whether the server of a client supports `stream_options`; absent until a request has shown it."""
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
            if (state := self._sessions.get(session)) is not None:  # it was not stopped meanwhile
                state.rounds += 1
                state.ended = round_.recorder.clock()
                self.on_round(state.session_id)
        return result

    def stop(self, wrapped: Wrapped, session: Any, args: Any, kwargs: Any) -> Any:
        """`Session.stop`; TaskWeaver may call it twice."""
        try:
            return wrapped(*args, **kwargs)
        finally:
            self._report(session)

    def report_all(self) -> None:
        """End and report all sessions that were not stopped."""
        for session in list(self._sessions):
            self._report(session)

    def _report(self, session: Any) -> None:
        with guard("summing up a session of TaskWeaver"):
            if (state := self._sessions.pop(session, None)) is not None:
                if state.running is not None:
                    state.running.end(state="created")
                self.on_stop(state.session_id, state.rounds, state.ended - state.started)

    def reply(self, wrapped: Wrapped, role: Any, args: Any, kwargs: Any) -> Any:
        """`reply` of a role: one post. A role that calls its base class's `reply` is still one."""
        round_ = current_round()
        if round_ is None or round_.replying is role:
            return wrapped(*args, **kwargs)
        return round_.reply(role, partial(wrapped, *args, **kwargs))

    def emit(self, wrapped: Wrapped, emitter: Any, args: Any, kwargs: Any) -> Any:
        """`SessionEventEmitter.emit`: every event of every session."""
        with guard("reading an event of TaskWeaver"):
            if (round_ := current_round()) is not None:
                round_.handle_event(_argument(args, kwargs, 0, "event"))
        return wrapped(*args, **kwargs)

    def chat_completion(self, wrapped: Wrapped, api: Any, args: Any, kwargs: Any) -> Any:
        """`LLMApi.chat_completion`: not streamed, on the caller's thread."""
        call = self._call(lambda recorder: calls.chat(recorder, api, _bound(wrapped, args, kwargs)))
        if call is None:
            return wrapped(*args, **kwargs)
        with call:
            response = wrapped(*args, **kwargs)
        call.add_chunk(response)
        call.end()
        return response

    def chat_completion_stream(self, wrapped: Wrapped, api: Any, args: Any, kwargs: Any) -> Any:
        """`LLMApi.chat_completion_stream`: a generator, usually that of `_stream_smoother`."""
        call = self._call(lambda recorder: calls.chat(recorder, api, _bound(wrapped, args, kwargs)))
        if call is None:
            return wrapped(*args, **kwargs)
        with call:
            stream = wrapped(*args, **kwargs)
            return stream if call.is_in_context else call.in_context(lambda: stream)()

    def stream_smoother(self, wrapped: Wrapped, api: Any, args: Any, kwargs: Any) -> Any:
        """`LLMApi._stream_smoother`: runs the call on another thread, without our context."""
        call = calls.current_call()
        if call is None or len(args) != 1:
            return wrapped(*args, **kwargs)
        return wrapped(call.in_context(args[0]))

    def ask_for_usage(self, wrapped: Wrapped, completions: Any, args: Any, kwargs: Any) -> Any:
        """`Completions.create` of openai: adds `stream_options`, without which a stream has no usage."""
        call = calls.current_call()
        asks = call is not None and call.asks_usage and kwargs.get("stream") and "stream_options" not in kwargs
        supported = self._usage_supported.get(completions)
        if call is None or not asks or supported is False:
            return wrapped(*args, **kwargs)
        ask = partial(wrapped, *args, **kwargs, stream_options={"include_usage": True})
        if supported:
            return ask()
        openai = sys.modules["openai"]
        with suppress(openai.BadRequestError, openai.UnprocessableEntityError):
            stream = ask()
            self._usage_supported[completions] = call.has_client_span  # only that span reads the usage
            return stream
        # Refused, perhaps because the server is too old to support it.
        stream = wrapped(*args, **kwargs)
        self._usage_supported[completions] = False
        return stream

    def read_ollama(self, wrapped: Wrapped, service: Any, args: Any, kwargs: Any) -> Any:
        """`OllamaService._stream_process`: the chunks of Ollama's response; TaskWeaver uses no client library."""
        chunks, call = wrapped(*args, **kwargs), calls.current_call()
        return chunks if call is None else call.read_chunks(calls.OLLAMA, chunks)

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
        attributes = execution(str(_argument(args, kwargs, 0, "exec_id")))
        with guard("reading the mode of TaskWeaver's kernel"):
            attributes[semconv.TASKWEAVER_KERNEL_MODE] = str(executor.exec_mgr.get_kernel_mode())
        before = partial(_executing, round_, _argument(args, kwargs, 1, "code"))
        return round_.run(
            "execute_tool python", attributes, work, before=before, after=partial(_executed, round_.recorder)
        )

    def start_executor(self, wrapped: Wrapped, executor: Any, args: Any, kwargs: Any) -> Any:
        """`CodeExecutor.start`: requests a kernel, which starts on a thread without our context."""
        with guard("expecting TaskWeaver's kernel"):
            if not executor.client_started and current_round() is not None:
                self._kernel_wanted[executor.session_id] = get_current()
        return wrapped(*args, **kwargs)

    def start_kernel(self, wrapped: Wrapped, environment: Any, args: Any, kwargs: Any) -> Any:
        """`Environment.start_session`: the start of a kernel, which takes seconds."""
        work = partial(wrapped, *args, **kwargs)
        context = self._kernel_wanted.pop(_argument(args, kwargs, 0, "session_id"), None)
        round_ = current_round(context)
        if round_ is None:
            return work()
        after = partial(_started, environment)
        result = round_.run(semconv.TASKWEAVER_KERNEL_START_SPAN, {}, work, context=context, after=after)
        # Before the plugins are loaded, so that their calls get spans.
        self._enter_kernel(environment, args, kwargs, round_.recorder, get_current() if context is None else context)
        return result

    def execute_in_kernel(self, wrapped: Wrapped, environment: Any, args: Any, kwargs: Any) -> Any:
        """`Environment.execute_code`: runs the code, then reads the spans made in the kernel."""
        round_, context = current_round(), get_current()
        if round_ is None:
            return wrapped(*args, **kwargs)
        kernel = self._enter_kernel(environment, args, kwargs, round_.recorder, context)
        try:
            return wrapped(*args, **kwargs)
        finally:
            with guard("reading the spans of TaskWeaver's kernel"):
                if kernel is not None:
                    kernel.leave(round_.recorder, context)

    def stop_kernel(self, wrapped: Wrapped, environment: Any, args: Any, kwargs: Any) -> Any:
        """`Environment.stop_session`: the kernel is killed."""
        with guard("reading the last spans of TaskWeaver's kernel"):
            kernel, recorder, context = self._kernels.pop(_argument(args, kwargs, 0, "session_id"), (None, None, None))
            if kernel is not None and recorder is not None and context is not None:
                kernel.close(recorder, context)
        return wrapped(*args, **kwargs)

    def disable_builtin_tracing(self, wrapped: Wrapped, tracing: Any, args: Any, kwargs: Any) -> Any:
        """`Tracing.__init__`: may enable TaskWeaver's built-in tracing."""
        wrapped(*args, **kwargs)
        with guard("disabling TaskWeaver's built-in tracing"):
            if self.get_recorder() is not None:
                builtin_tracing.disable(sys.modules[builtin_tracing.MODULE])

    def _round(self, session: Any, args: Any, kwargs: Any) -> Round | None:
        recorder = self.get_recorder()
        if recorder is None or current_round() is not None:
            return None
        planner = getattr(session, "planner", None)
        for role in (*session.worker_instances.values(), *([] if planner is None else [planner])):
            self.patch(next(kind for kind in type(role).__mro__ if "reply" in vars(kind)), "reply", Hooks.reply)
        attributes: dict[str, AttributeValue] = {
            semconv.TASKWEAVER_ROUND_INDEX: session.round_index,
            semconv.TASKWEAVER_ROLES: tuple(session.config.roles),
        }
        if files := _argument(args, kwargs, 2, "files"):
            attributes[semconv.TASKWEAVER_FILE_COUNT] = len(files)
        before = self._sessions.get(session)
        links = () if before is None else (Link(before.last),)
        round_ = Round(recorder, conversation=str(session.session_id), attributes=attributes, links=links)
        request = message("user", str(_argument(args, kwargs, 0, "message")))
        recorder.set_content(round_.span, semconv.GEN_AI_INPUT_MESSAGES, [request])
        last, now = round_.span.get_span_context(), recorder.clock()
        state = self._sessions.setdefault(session, _SessionState(str(session.session_id), now, now, last))
        state.last, state.running = last, round_
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
            recorder = self.get_recorder()
            return None if recorder is None else make(recorder)
        return None


def _bound(wrapped: Wrapped, args: Any, kwargs: Any) -> Mapping[str, Any]:
    return inspect.signature(wrapped).bind(*args, **kwargs).arguments


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], position: int, name: str) -> Any:
    # A decorator of TaskWeaver hides the signatures of half the functions.
    return args[position] if len(args) > position else kwargs.get(name)


def _started(environment: Any, span: Span, result: Any) -> None:
    span.set_attribute(semconv.TASKWEAVER_KERNEL_MODE, str(environment.mode.value))


def _executing(round_: Round, code: object, span: Span) -> None:
    if round_.post is not None:
        round_.post.describe_execution(span)
    round_.recorder.set_content(span, semconv.GEN_AI_TOOL_CALL_ARGUMENTS, {"code": code})


def _executed(recorder: Recorder, span: Span, result: Any) -> None:
    fields = {"output": result.output, "stdout": "".join(result.stdout), "stderr": "".join(result.stderr)}
    fields |= {"error": result.error, "log": result.log}
    recorder.set_content(span, semconv.GEN_AI_TOOL_CALL_RESULT, {name: some for name, some in fields.items() if some})
    attributes: dict[str, AttributeValue] = {
        semconv.TASKWEAVER_EXECUTION_STATUS: "SUCCESS" if result.is_success else "FAILURE",
        semconv.TASKWEAVER_ARTIFACT_COUNT: len(result.artifact),
    }
    span.set_attributes(attributes)
    if result.artifact:
        recorder.set_content(span, semconv.TASKWEAVER_ARTIFACTS, [artifact.file_name for artifact in result.artifact])
    if not result.is_success:
        kind, text = error_of(result.error or "")
        recorder.set_error(span, kind, recorder.content.text(semconv.EXCEPTION_MESSAGE, text))
