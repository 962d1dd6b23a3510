"""smolagents: agents and tools. Its callbacks report finished steps only, so runs and tool calls are wrapped."""

from collections.abc import Callable, Iterator
from contextvars import copy_context
from functools import partial
from types import ModuleType
from typing import Any

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field
from agentops_otel.wrapping.patch import Hook, Patch

Args = tuple[Any, ...]
Kwargs = dict[str, Any]


def _listen_to_agents(module: ModuleType, steps: Steps) -> Callable[[], None]:
    def run(wrapped: Any, agent: Any, args: Args, kwargs: Kwargs) -> Any:
        given = {**dict(zip(("task", "stream"), args, strict=False)), **kwargs}
        source = {"kind": "agent", "of": agent, "given": given.get("task")}
        if given.get("stream"):
            return _streamed(steps, source, wrapped(*args, **kwargs))
        with steps.step(source) as step:
            step.result = result = wrapped(*args, **kwargs)
            return result

    return Patch(module.MultiStepAgent, "run", Hook(run)).undo


def _streamed(steps: Steps, source: Any, stream: Iterator[Any]) -> Iterator[Any]:
    """Read the stream in a context of its own, in which the run's span is current; it is not current in the reader."""
    context, key, last = copy_context(), object(), None
    context.run(steps.begin, key, source, is_current=True)
    try:
        for last in iter(partial(context.run, next, stream, _END), _END):
            yield last
    except BaseException as error:
        context.run(steps.end, key, None, error)
        raise
    context.run(steps.end, key, field(last, "output"))


_END = object()


def _listen_to_tools(module: ModuleType, steps: Steps) -> Callable[[], None]:
    def call(wrapped: Any, tool: Any, args: Args, kwargs: Kwargs) -> Any:
        given = {name: value for name, value in kwargs.items() if name != "sanitize_inputs_outputs"}
        with steps.step({"kind": "tool", "of": tool, "given": given or list(args)}) as step:
            step.result = result = wrapped(*args, **kwargs)
            return result

    return Patch(module.Tool, "__call__", Hook(call)).undo


AGENT = Step(
    operation="invoke_agent",
    matches=lambda source: source["kind"] == "agent",
    name="of.name",
    attributes={semconv.GEN_AI_AGENT_DESCRIPTION: "of.description"},
    content={semconv.AGENTOPS_ENTITY_INPUT: "given"},
    result={semconv.AGENTOPS_ENTITY_OUTPUT: lambda result: field(result, "output") or result},
)
TOOL = Step(
    operation="execute_tool",
    # An agent ends with the tool "final_answer".
    matches=lambda source: source["kind"] == "tool" and source["of"].name != "final_answer",
    name="of.name",
    attributes={
        semconv.GEN_AI_TOOL_DESCRIPTION: "of.description",
        semconv.GEN_AI_TOOL_TYPE: lambda source: "function",
    },
    content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: "given"},
    result={semconv.GEN_AI_TOOL_CALL_RESULT: lambda result: result},
)

SMOLAGENTS = FrameworkSpec(
    name="smolagents",
    module="smolagents",
    steps=(AGENT, TOOL),
    listeners={"smolagents.agents": _listen_to_agents, "smolagents.tools": _listen_to_tools},
)
