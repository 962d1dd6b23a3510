"""OpenAI Agents: runs, agents, tools, handoffs and guardrails, recorded from the package's own spans.

Its spans start and finish where the work runs. Their methods are wrapped, because a trace processor gets nothing once
the program has switched tracing off, which is how it prevents uploads. The run, the tool's context and the handoff
have the few values that the spans lack.
"""

import sys
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field, items
from agentops_otel.instrumentation.gen_ai import parsed
from agentops_otel.wrapping.patch import Hook, Patch

SourceSpan = dict[str, Any]
"""One span of the package: its data, and the values from the run, the tool's context or the handoff."""

_run: ContextVar[Mapping[str, Any] | None] = ContextVar("agentops_otel_openai_agents_run", default=None)
_call: ContextVar[Any] = ContextVar("agentops_otel_openai_agents_call", default=None)
"""The context of the innermost tool call or handoff."""


def _listen_to_spans(module: ModuleType, steps: Steps) -> Callable[[], None]:
    return _listen(steps, module.SpanImpl, module.NoOpSpan)


def _listen_to_traces(module: ModuleType, steps: Steps) -> Callable[[], None]:
    return _listen(steps, module.TraceImpl)


def _listen(steps: Steps, *kinds: type) -> Callable[[], None]:
    from agents.tracing.scope import Scope

    sources: WeakKeyDictionary[Any, SourceSpan] = WeakKeyDictionary()

    def start(wrapped: Any, span: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        parent = Scope.get_current_span() or Scope.get_current_trace()
        result = wrapped(*args, **kwargs)
        data = getattr(span, "span_data", span)
        sources[span] = source = {
            "kind": getattr(data, "type", "trace"),
            "data": data,
            "run": _run.get(),
            "call": _call.get(),
            "group": field(Scope.get_current_trace(), "group_id"),
            "within": steps.kind_of(parent),
            "before": sys.exception(),
        }
        steps.begin(span, source, parent=parent, is_current=bool(kwargs.get("mark_as_current") or args))
        return result

    def finish(wrapped: Any, span: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if source := sources.pop(span, None):
            source["call"] = _call.get()
            # Most spans are finished in a `finally`, without the error.
            error = source.get("error") or _raised(source)
            steps.end(span, source, error=GeneratorExit() if _is_left(source, error) else error)
        return wrapped(*args, **kwargs)

    def set_error(wrapped: Any, span: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if source := sources.get(span):
            source["error"] = _raised(source)
        return wrapped(*args, **kwargs)

    hooks = {"start": start, "finish": finish, "set_error": set_error}
    patches = [Patch(kind, name, Hook(hook)) for kind in kinds for name, hook in hooks.items() if hasattr(kind, name)]
    return partial(_undo, patches)


def _raised(source: SourceSpan) -> BaseException | None:
    """The exception being handled, unless it was being handled when the span started."""
    error = sys.exception()
    return None if error is source["before"] else error


def _is_left(source: SourceSpan, error: BaseException | None) -> bool:
    """Whether the program has stopped reading a stream: the run is cancelled then."""
    is_run = source["kind"] in ("trace", "task", "agent")
    return is_run and isinstance(error, CancelledError) and bool(field(source["run"], "is_streamed"))


def _undo(patches: list[Patch]) -> None:
    for patch in patches:
        patch.undo()


def _listen_to_runs(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Remember the agent that a run starts with: the spans do not have it."""

    def run(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        agent = args[0] if args else kwargs.get("starting_agent")
        arguments = {**kwargs, "agent": agent, "is_streamed": wrapped.__name__ == "run_streamed"}
        token = _run.set(arguments)
        try:
            result = wrapped(*args, **kwargs)
        finally:
            _run.reset(token)
        return _awaited(result, arguments) if isinstance(result, Coroutine) else result

    # A package of the program may have the same name.
    runner = getattr(module, "Runner", None)
    names = ("run", "run_sync", "run_streamed")
    return partial(_undo, [Patch(runner, name, Hook(run)) for name in names if hasattr(runner, name)])


async def _awaited(coroutine: Coroutine[Any, Any, Any], run: Mapping[str, Any]) -> Any:
    token = _run.set(run)
    try:
        return await coroutine
    finally:
        with suppress(ValueError):  # closed from another context
            _run.reset(token)


def _listen_to_tools(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Remember the context of a tool call, which is made inside the tool's span."""

    def made(wrapped: Any, context: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = wrapped(*args, **kwargs)
        _call.set(context)
        return result

    return Patch(module.ToolContext, "__init__", Hook(made)).undo


def _listen_to_handoffs(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Remember the tool call of a handoff, around the handoff's span."""

    def handoff(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = next(iter(items(kwargs.get("run_handoffs"))), None)
        _call.set({"tool_call": field(call, "tool_call"), "tool": field(call, "handoff")})
        return wrapped(*args, **kwargs)

    return Patch(module, "execute_handoffs", Hook(handoff)).undo


def _coordinates(run: Any) -> bool:
    """Whether the run is a workflow: several agents may take part, or the program opened the trace itself."""
    agent = field(run, "agent")
    return agent is None or bool(
        field(agent, "handoffs") or any(field(tool, "_is_agent_tool") for tool in items(field(agent, "tools")))
    )


def _is_workflow(source: SourceSpan) -> bool:
    return source["kind"] in ("trace", "task") and source["within"] is None and _coordinates(source["run"])


def _workflow_name(source: SourceSpan) -> object:
    return None if source["data"].name == "Agent workflow" else source["data"].name


def _conversation(source: SourceSpan) -> object:
    run = source["run"]
    return field(run, "session", "session_id") or field(run, "conversation_id") or source["group"]


def _tool_description(source: SourceSpan) -> object:
    tools = (
        tool for tool in items(field(source["call"], "agent", "tools")) if field(tool, "name") == source["data"].name
    )
    return field(next(tools, None), "description")


def _result(source: SourceSpan) -> object:
    return source["data"].output


_CONVERSATION = {semconv.GEN_AI_CONVERSATION_ID: _conversation}

WORKFLOW = Step(operation="invoke_workflow", matches=_is_workflow, name=_workflow_name, inherited=_CONVERSATION)
AGENT = Step(
    operation="invoke_agent",
    matches=lambda source: source["kind"] == "agent",
    name="data.name",
    inherited=_CONVERSATION,
)
TOOL = Step(
    operation="execute_tool",
    matches=lambda source: source["kind"] == "function",
    name="data.name",
    attributes={semconv.GEN_AI_TOOL_TYPE: lambda source: "function"},
    outcome={
        semconv.GEN_AI_TOOL_CALL_ID: "call.tool_call_id",
        semconv.GEN_AI_TOOL_DESCRIPTION: _tool_description,
    },
    result={
        semconv.GEN_AI_TOOL_CALL_ARGUMENTS: lambda source: parsed(source["data"].input),
        semconv.GEN_AI_TOOL_CALL_RESULT: _result,
    },
)
HANDOFF = Step(
    operation="execute_tool",
    matches=lambda source: source["kind"] == "handoff",
    name="call.tool.tool_name",
    attributes={
        semconv.GEN_AI_TOOL_CALL_ID: "call.tool_call.call_id",
        semconv.GEN_AI_TOOL_DESCRIPTION: "call.tool.tool_description",
        semconv.GEN_AI_TOOL_TYPE: lambda source: "function",
        semconv.GEN_AI_TRANSFER_MODE: lambda source: "pass_control",
        semconv.GEN_AI_TRANSFER_TARGET_TYPE: lambda source: "agent",
    },
    outcome={semconv.GEN_AI_TRANSFER_TARGET_NAME: "data.to_agent"},
    content={
        semconv.GEN_AI_TOOL_CALL_ARGUMENTS: lambda source: parsed(field(source["call"], "tool_call", "arguments"))
    },
)
GUARDRAIL = Step(
    operation="guardrail",
    matches=lambda source: source["kind"] == "guardrail",
    name="data.name",
    outcome={semconv.OPENAI_AGENTS_GUARDRAIL_TRIGGERED: "data.triggered"},
)

OPENAI_AGENTS = FrameworkSpec(
    name="openai-agents",
    module="agents",
    steps=(WORKFLOW, AGENT, TOOL, HANDOFF, GUARDRAIL),
    listeners={
        "agents.tracing.spans": _listen_to_spans,
        "agents.tracing.traces": _listen_to_traces,
        "agents.tool_context": _listen_to_tools,
        "agents.run_internal.turn_resolution": _listen_to_handoffs,
        "agents.run": _listen_to_runs,
    },
)
