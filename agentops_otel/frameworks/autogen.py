"""AutoGen's AgentChat: teams, agents, tools and handoffs. It reports to no listener, so its methods are wrapped.

It makes spans of its own: one for each agent that is constructed, some thirty for the messages of a small team, and
agents' spans that stay current in the reader of a stream. They are left out. A program that uses autogen-core without
AgentChat keeps them.
"""

from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar, copy_context
from copy import copy
from functools import partial
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any
from weakref import WeakValueDictionary

from opentelemetry.trace import INVALID_SPAN, ProxyTracerProvider, get_tracer_provider

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field, items, whole_call
from agentops_otel.wrapping.patch import Hook, Patch

Args = tuple[Any, ...]
Kwargs = dict[str, Any]
Told = dict[str, Any]
"""What runs, of which kind it is, and what it was given."""


class _Run:
    """One run of a team: the key of its step."""


_runs: WeakValueDictionary[str, _Run] = WeakValueDictionary()
"""The topic of a team -> its run. A runtime that was started elsewhere works outside of the team's context."""
_turn: ContextVar[Any] = ContextVar("agentops_otel_autogen_turn", default=None)
"""What takes the answer of the agent whose turn it is in a team."""


def _undoing(*patches: Patch) -> Callable[[], None]:
    return partial(_undo, patches)


def _undo(patches: tuple[Patch, ...]) -> None:
    for patch in patches:
        patch.undo()


def _listen_to_agents(module: ModuleType, steps: Steps) -> Callable[[], None]:
    def run(wrapped: Any, agent: Any, args: Args, kwargs: Kwargs) -> Any:
        return whole_call(steps, {"kind": "agent", "of": agent, "given": kwargs.get("task")}, wrapped, args, kwargs)

    agent = module.BaseChatAgent
    return _undoing(
        *(Patch(agent, name, Hook(run)) for name in ("run", "run_stream")),
        *(Patch(module, name, Hook(_no_span)) for name in ("trace_create_agent_span", "trace_invoke_agent_span")),
    )


def _no_span(wrapped: Any, instance: Any, args: Args, kwargs: Kwargs) -> Any:
    return nullcontext(INVALID_SPAN)


def _listen_to_teams(module: ModuleType, steps: Steps) -> Callable[[], None]:
    def run(wrapped: Any, team: Any, args: Args, kwargs: Kwargs) -> Any:
        key = _runs[team._group_topic_type] = _Run()
        told = {"kind": "team", "of": team, "given": kwargs.get("task")}
        return whole_call(steps, told, wrapped, args, kwargs, key=key)

    return _undoing(Patch(module.BaseGroupChat, "run_stream", Hook(run)), _without_spans_of_messages())


def _without_spans_of_messages() -> Patch:
    """Leave them out, but for a runtime to which the program gave a tracer provider."""
    from autogen_core._telemetry import TraceHelper

    def trace(wrapped: Any, helper: Any, args: Args, kwargs: Kwargs) -> Any:
        provider = helper.tracer_provider
        is_default = isinstance(provider, ProxyTracerProvider) or provider is get_tracer_provider()
        return nullcontext(INVALID_SPAN) if is_default else wrapped(*args, **kwargs)

    return Patch(TraceHelper, "trace_block", Hook(trace))


def _enter_runs(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Make a team's step the current one in the tasks in which its manager and its members handle messages."""

    def handle(wrapped: Any, member: Any, args: Args, kwargs: Kwargs) -> Any:
        topic = field(member, "_parent_topic_type") or field(member, "_group_topic_type")
        steps.enter(_runs.get(topic))
        return wrapped(*args, **kwargs)

    return Patch(module.SequentialRoutedAgent, "on_message_impl", Hook(handle)).undo


def _listen_to_turns(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Make each turn of an agent in a team a step."""

    def take(wrapped: Any, member: Any, args: Args, kwargs: Kwargs) -> Any:
        agent = member._agent
        if not hasattr(agent, "on_messages"):  # a team within the team
            return wrapped(*args, **kwargs)
        return _taken(
            steps, {"kind": "agent", "of": agent, "given": list(member._message_buffer)}, wrapped, args, kwargs
        )

    def publish(wrapped: Any, member: Any, args: Args, kwargs: Kwargs) -> Any:
        response = field(args[0] if args else kwargs.get("message"), "response")
        if response is not None and (step := _turn.get()) is not None:
            step.result = response
        return wrapped(*args, **kwargs)

    member = module.ChatAgentContainer
    return _undoing(
        Patch(member, "handle_request", Hook(take)),
        Patch(member, "publish_message", Hook(publish)),
        Patch(module, "trace_invoke_agent_span", Hook(_no_span)),
    )


async def _taken(steps: Steps, told: Told, wrapped: Any, args: Args, kwargs: Kwargs) -> Any:
    with steps.step(told) as step:
        token = _turn.set(step)
        try:
            return await wrapped(*args, **kwargs)
        finally:
            _turn.reset(token)


def _listen_to_tools(module: ModuleType, steps: Steps) -> Callable[[], None]:
    def call(wrapped: Any, tool: Any, args: Args, kwargs: Kwargs) -> Any:
        given = {**dict(zip(("args", "cancellation_token", "call_id"), args, strict=False)), **kwargs}
        told = {"kind": "tool", "of": tool, "given": given["args"], "call": given.get("call_id")}
        return whole_call(steps, told, wrapped, args, kwargs)

    return _undoing(
        Patch(module.BaseTool, "run_json", Hook(call)),
        Patch(module.BaseStreamTool, "run_json_stream", Hook(call)),
        Patch(module, "trace_tool_span", Hook(_no_span)),
    )


def _carry_context(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Run a tool's function in the context of the call: where it is not async, AutoGen starts it in a bare thread."""

    def run(wrapped: Any, tool: Any, args: Args, kwargs: Kwargs) -> Any:
        if iscoroutinefunction(tool._func) or not hasattr(wrapped, "__func__"):
            return wrapped(*args, **kwargs)
        within = copy(tool)
        within._func = partial(copy_context().run, tool._func)
        return wrapped.__func__(within, *args, **kwargs)

    return Patch(module.FunctionTool, "run", Hook(run)).undo


def _is(kind: str) -> Callable[[Told], bool]:
    return lambda told: told["kind"] == kind


def _name(told: Told) -> object:
    """The name that the program gave; None for the name of the team's class."""
    team = told["of"]
    return None if team.name == field(team, "DEFAULT_NAME") else team.name


def _readable(value: Any) -> Any:
    """Of messages who says what, not all that AutoGen keeps in them."""
    if isinstance(value, list | tuple):
        return [_readable(one) for one in value]
    source, content = field(value, "source"), field(value, "content")
    return value if source is None else {"role": source, "content": content}


def _output(result: Any) -> Any:
    """The last message of a run, or the answer of a turn."""
    messages = items(field(result, "messages"))
    return field(messages[-1] if messages else field(result, "chat_message"), "content")


def _transfers(value: Callable[[Told], object]) -> Callable[[Told], object]:
    return lambda told: value(told) if _target(told) else None


def _target(told: Told) -> Any:
    """The agent that the tool hands over to: the tool's function has the handoff in its closure."""
    function = field(told["of"], "_func")
    is_handoff = field(function, "__module__") == "autogen_agentchat.base._handoff"
    return function.__closure__[0].cell_contents.target if is_handoff else None


_INPUT = {semconv.AGENTOPS_ENTITY_INPUT: lambda told: _readable(told["given"])}
_OUTPUT = {semconv.AGENTOPS_ENTITY_OUTPUT: _output}

TEAM = Step(operation="invoke_workflow", matches=_is("team"), name=_name, content=_INPUT, result=_OUTPUT)
AGENT = Step(
    operation="invoke_agent",
    matches=_is("agent"),
    name="of.name",
    attributes={semconv.GEN_AI_AGENT_DESCRIPTION: "of.description"},
    content=_INPUT,
    result=_OUTPUT,
)
TOOL = Step(
    operation="execute_tool",
    matches=_is("tool"),
    name="of.name",
    attributes={
        semconv.GEN_AI_TOOL_CALL_ID: "call",
        semconv.GEN_AI_TOOL_DESCRIPTION: "of.description",
        semconv.GEN_AI_TOOL_TYPE: lambda told: "function",
        semconv.GEN_AI_TRANSFER_MODE: _transfers(lambda told: "pass_control"),
        semconv.GEN_AI_TRANSFER_TARGET_TYPE: _transfers(lambda told: "agent"),
        semconv.GEN_AI_TRANSFER_TARGET_NAME: _transfers(_target),
    },
    content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: "given"},
    # An agent or team that is a tool gives all messages of its run.
    result={semconv.GEN_AI_TOOL_CALL_RESULT: lambda result: _output(result) or result},
)

AUTOGEN = FrameworkSpec(
    name="autogen",
    module="autogen_agentchat",
    steps=(TEAM, AGENT, TOOL),
    listeners={
        "autogen_agentchat.agents._base_chat_agent": _listen_to_agents,
        "autogen_agentchat.teams._group_chat._base_group_chat": _listen_to_teams,
        "autogen_agentchat.teams._group_chat._chat_agent_container": _listen_to_turns,
        "autogen_agentchat.teams._group_chat._sequential_routed_agent": _enter_runs,
        "autogen_core.tools._base": _listen_to_tools,
        "autogen_core.tools._function_tool": _carry_context,
    },
)
