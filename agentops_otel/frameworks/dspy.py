"""DSPy: modules, agents and tools, recorded from its callbacks, which are called where the work runs.

The program's `dspy.configure(callbacks=[...])` replaces the callbacks, so ours is added where they are read.
"""

from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction
from types import ModuleType
from typing import Any

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field
from agentops_otel.wrapping.patch import Hook, Patch

Told = dict[str, Any]
"""The kind of a callback, the object that runs and its inputs."""


def _hear_callbacks(module: ModuleType, steps: Steps) -> Callable[[], None]:
    from dspy.dsp.utils.settings import Settings

    callback = _callback(module, steps)

    def get(wrapped: Any, settings: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = wrapped(*args, **kwargs)
        return [*(found or ()), callback] if (args or (None,))[0] == "callbacks" else found

    return Patch(Settings, "get", Hook(get)).undo


def _callback(module: ModuleType, steps: Steps) -> Any:
    def start(kind: str) -> Any:
        def begin(self: Any, call_id: str, instance: Any, inputs: Any) -> None:
            parent = module.ACTIVE_CALL_ID.get()
            told = {"kind": kind, "of": instance, "given": inputs, "within": steps.kind_of(parent)}
            steps.begin(call_id, told, parent=parent, is_current=True)

        return begin

    def end(self: Any, call_id: str, outputs: Any, exception: Any = None) -> None:
        is_left = isinstance(exception, CancelledError) and (reader := _reader.get()) is not None and reader.left
        steps.end(call_id, outputs, GeneratorExit() if is_left else exception)

    kinds = ("module", "tool", "evaluate")
    methods = {f"on_{kind}_start": start(kind) for kind in kinds} | {f"on_{kind}_end": end for kind in kinds}
    return type("Callback", (module.BaseCallback,), methods)()


class _Reader:
    """Who reads a stream of `dspy.streamify`; DSPy cancels the run once the stream is left."""

    left = False


_reader: ContextVar[_Reader | None] = ContextVar("agentops_otel_dspy_reader", default=None)
"""The reader of the run's stream."""


def _watch_readers(module: ModuleType, steps: Steps) -> Callable[[], None]:
    def streamify(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        streamer = wrapped(*args, **kwargs)
        return _watched(streamer) if isasyncgenfunction(streamer) else streamer

    return Patch(module, "streamify", Hook(streamify), patch_code=True).undo


def _watched(streamer: Any) -> Any:
    @wraps(streamer)
    async def stream(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        reader, items = _Reader(), streamer(*args, **kwargs)
        try:
            while True:
                token = _reader.set(reader)  # for the task of the run, which the first step starts
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
                finally:
                    _reader.reset(token)
                yield item
        except GeneratorExit:
            reader.left = True
            raise
        finally:
            await items.aclose()

    return stream


def _is_of_program(told: Told) -> bool:
    return not type(told["of"]).__module__.startswith("dspy.")


def _is_agent(told: Told) -> bool:
    return any(kind.__name__ in ("ReAct", "ReActV2", "CodeAct") for kind in type(told["of"]).__mro__)


def _class(told: Told) -> object:
    """The name that the program gave its class."""
    return type(told["of"]).__name__ if _is_of_program(told) else None


def _given(told: Told) -> object:
    given = told["given"]
    return {**dict(enumerate(given.get("args") or ())), **(given.get("kwargs") or {})}


def _predicted(result: Any) -> object:
    return field(result, "_store") or result


_INPUT = {semconv.AGENTOPS_ENTITY_INPUT: _given}
_OUTPUT = {semconv.AGENTOPS_ENTITY_OUTPUT: _predicted}

AGENT = Step(operation="invoke_agent", matches=_is_agent, name=_class, content=_INPUT, result=_OUTPUT)
TOOL = Step(
    operation="execute_tool",
    matches=lambda told: told["kind"] == "tool" and told["of"].name != "finish",  # that is how an agent ends
    name="of.name",
    attributes={
        semconv.GEN_AI_TOOL_DESCRIPTION: "of.desc",
        semconv.GEN_AI_TOOL_TYPE: lambda told: "function",
    },
    content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: _given},
    result={semconv.GEN_AI_TOOL_CALL_RESULT: lambda result: result},
)
WORKFLOW = Step(
    operation="invoke_workflow",
    matches=lambda told: told["kind"] == "module" and _is_of_program(told) and told["within"] is None,
    name=_class,
    content=_INPUT,
    result=_OUTPUT,
)
MODULE = Step(
    operation="module",
    matches=lambda told: told["kind"] == "module" and _is_of_program(told),
    name=_class,
    content=_INPUT,
    result=_OUTPUT,
)
EVALUATION = Step(operation="evaluate", matches=lambda told: told["kind"] == "evaluate")

DSPY = FrameworkSpec(
    name="dspy",
    module="dspy",
    steps=(AGENT, TOOL, WORKFLOW, MODULE, EVALUATION),
    listeners={"dspy.utils.callback": _hear_callbacks, "dspy.streaming.streamify": _watch_readers},
)
