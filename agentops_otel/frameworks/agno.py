"""Agno: agents, teams, workflows and tools. It has no listener for all runs, so runs and tool calls are wrapped."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field, whole_call
from agentops_otel.wrapping.patch import Hook, Patch

Told = dict[str, Any]
"""What runs, of which kind it is, and what it was given."""


def _listen_to(kind: str, owner: str, *methods: str) -> Callable[[ModuleType, Steps], Callable[[], None]]:
    def listen(module: ModuleType, steps: Steps) -> Callable[[], None]:
        def run(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            given = {**dict(zip(("input",), args, strict=False)), **kwargs}
            # A tool that is a generator, as the one that asks a member of a team, runs when its result is read.
            holders = (instance,) if kind == "tool" else ()
            told = {"kind": kind, "of": instance, "given": given}
            return whole_call(steps, told, wrapped, args, kwargs, holders=holders)

        cls = getattr(module, owner)
        return partial(_undo, [Patch(cls, method, Hook(run)) for method in methods])

    return listen


def _undo(patches: list[Patch]) -> None:
    for patch in patches:
        patch.undo()


def _is(kind: str) -> Callable[[Told], bool]:
    return lambda told: told["kind"] == kind


_CONVERSATION = {semconv.GEN_AI_CONVERSATION_ID: lambda told: told["given"].get("session_id") or told["of"].session_id}
_INPUT = {semconv.AGENTOPS_ENTITY_INPUT: "given.input"}
_OUTPUT = {semconv.AGENTOPS_ENTITY_OUTPUT: "content"}

AGENT = Step(
    operation="invoke_agent",
    matches=_is("agent"),
    name="of.name",
    attributes={semconv.GEN_AI_AGENT_DESCRIPTION: "of.description"},
    inherited=_CONVERSATION,
    content=_INPUT,
    result=_OUTPUT,
    failure=lambda result: "error" if field(result, "status", "value") == "ERROR" else None,
)
WORKFLOW = Step(
    operation="invoke_workflow",
    matches=_is("workflow"),
    name="of.name",
    inherited=_CONVERSATION,
    content=_INPUT,
    result=_OUTPUT,
    failure=lambda result: "error" if field(result, "status", "value") == "ERROR" else None,
)
TOOL = Step(
    operation="execute_tool",
    matches=_is("tool"),
    name="of.function.name",
    attributes={
        semconv.GEN_AI_TOOL_CALL_ID: "of.call_id",
        semconv.GEN_AI_TOOL_DESCRIPTION: "of.function.description",
        semconv.GEN_AI_TOOL_TYPE: lambda told: "function",
    },
    content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: "of.arguments"},
    result={semconv.GEN_AI_TOOL_CALL_RESULT: "result"},
    failure=lambda result: "tool_error" if field(result, "status") == "failure" else None,
)

AGNO = FrameworkSpec(
    name="agno",
    module="agno",
    steps=(AGENT, WORKFLOW, TOOL),
    listeners={
        "agno.agent.agent": _listen_to("agent", "Agent", "run", "arun"),
        "agno.team.team": _listen_to("workflow", "Team", "run", "arun"),
        "agno.workflow.workflow": _listen_to("workflow", "Workflow", "run", "arun"),
        "agno.tools.function": _listen_to("tool", "FunctionCall", "execute", "aexecute"),
    },
)
