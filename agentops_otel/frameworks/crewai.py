"""CrewAI: crews, flows, tasks, agents, tools, memory and knowledge, recorded from its events.

Handlers of its event bus run in other threads, in no order. So the bus itself is wrapped: it is called where the work
runs, and sets in the event the ids of the event around it and of the one that it ends.
"""

import sys
from asyncio import CancelledError
from collections.abc import Callable
from types import ModuleType
from typing import Any

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field
from agentops_otel.instrumentation.gen_ai import parsed
from agentops_otel.wrapping.patch import Hook, Patch

_PARAMETERS = ("source", "event")

Started = dict[str, Any]
"""The event that began a step, its type and its source."""


def _listen_to_bus(module: ModuleType, steps: Steps) -> Callable[[], None]:
    def emit(wrapped: Any, bus: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = wrapped(*args, **kwargs)
        source: Any
        event: Any
        source, event = map({**dict(zip(_PARAMETERS, args, strict=False)), **kwargs}.get, _PARAMETERS)
        if event.type.endswith("_started"):
            started = {"type": event.type.removesuffix("_started"), "event": event, "source": source}
            steps.begin(event.event_id, started, parent=event.parent_event_id, is_current=True)
        elif began := event.started_event_id:
            steps.end(began, event, error=_error(event))
        return result

    return Patch(module.CrewAIEventsBus, "emit", Hook(emit)).undo


def _end_cancelled_runs(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """End the crew of a cancelled run, and what was running in it: CrewAI has no event for that."""

    async def kickoff(wrapped: Any, crew: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return await wrapped(*args, **kwargs)
        except CancelledError as error:
            steps.end(field(crew, "_kickoff_event_id"), error=error)
            raise

    return Patch(module.Crew, "akickoff", Hook(kickoff)).undo


def _error(event: Any) -> BaseException | None:
    """The exception of a failure event. Many events have its text alone; they are emitted while it is being handled."""
    if not event.type.endswith(("_failed", "_error")):
        return None
    error = field(event, "error")
    return error if isinstance(error, BaseException) else sys.exception()


def _failure(event: Any) -> str | None:
    if event.type.endswith(("_failed", "_error")):
        return "error"
    return "tool_error" if field(event, "failure") else None


def _is(*types: str) -> Callable[[Started], bool]:
    return lambda started: started["type"] in types


def _is_of_program(*types: str) -> Callable[[Started], bool]:
    """Matches flows of the program, not the flow that an agent's loop is."""
    return lambda started: started["type"] in types and not field(started["source"], "suppress_flow_events")


def _crew_name(started: Started) -> object:
    return None if (name := started["event"].crew_name) in ("crew", "Crew") else name


def _role(started: Started) -> object:
    role = field(started["event"], "agent", "role") or field(started["event"], "agent_info", "role")
    return str(role).strip() if role else None


def _goal(started: Started) -> object:
    return field(started["event"], "agent", "goal") or field(started["event"], "agent_info", "goal")


def _raw(output: Any) -> object:
    return field(output, "raw") or output


_OUTPUT = {semconv.AGENTOPS_ENTITY_OUTPUT: lambda event: _raw(field(event, "output"))}

WORKFLOW = Step(
    operation="invoke_workflow",
    matches=_is("crew_kickoff"),
    name=_crew_name,
    content={semconv.AGENTOPS_ENTITY_INPUT: "event.inputs"},
    result=_OUTPUT,
    failure=_failure,
)
FLOW = Step(
    operation="invoke_workflow",
    matches=_is_of_program("flow"),
    name="event.flow_name",
    content={semconv.AGENTOPS_ENTITY_INPUT: "event.inputs"},
    result={semconv.AGENTOPS_ENTITY_OUTPUT: lambda event: _raw(field(event, "result"))},
    failure=_failure,
)
METHOD = Step(
    operation="method",
    matches=_is_of_program("method_execution"),
    name="event.method_name",
    result={semconv.AGENTOPS_ENTITY_OUTPUT: lambda event: _raw(field(event, "result"))},
    failure=_failure,
)
TASK = Step(
    operation="task",
    matches=_is("task"),
    name="event.task.name",
    content={semconv.AGENTOPS_ENTITY_INPUT: "event.task.description"},
    result=_OUTPUT,
    failure=_failure,
)
AGENT = Step(
    operation="invoke_agent",
    matches=_is("agent_execution", "lite_agent_execution"),
    name=_role,
    attributes={semconv.GEN_AI_AGENT_DESCRIPTION: _goal},
    result=_OUTPUT,
    failure=_failure,
)
TOOL = Step(
    operation="execute_tool",
    matches=_is("tool_usage"),
    name="event.tool_name",
    attributes={semconv.GEN_AI_TOOL_TYPE: lambda started: "function"},
    content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: lambda started: parsed(started["event"].tool_args)},
    result={semconv.GEN_AI_TOOL_CALL_RESULT: "output"},
    failure=_failure,
)
MEMORY_QUERY = Step(
    operation="search_memory",
    matches=_is("memory_query"),
    content={semconv.AGENTOPS_ENTITY_INPUT: "event.query"},
    result={semconv.AGENTOPS_ENTITY_OUTPUT: "results"},
    failure=_failure,
)
MEMORY_SAVE = Step(
    operation="upsert_memory",
    matches=_is("memory_save"),
    content={semconv.AGENTOPS_ENTITY_INPUT: "event.value"},
    failure=_failure,
)
KNOWLEDGE = Step(
    operation="retrieval",
    matches=_is("knowledge_search_query"),
    result={
        semconv.GEN_AI_RETRIEVAL_QUERY_TEXT: "query",
        semconv.GEN_AI_RETRIEVAL_DOCUMENTS: "retrieved_knowledge",
    },
    failure=_failure,
)
GUARDRAIL = Step(operation="guardrail", matches=_is("llm_guardrail"), name="event.guardrail_name", failure=_failure)

CREWAI = FrameworkSpec(
    name="crewai",
    module="crewai",
    steps=(WORKFLOW, FLOW, METHOD, TASK, AGENT, TOOL, MEMORY_QUERY, MEMORY_SAVE, KNOWLEDGE, GUARDRAIL),
    listeners={"crewai.events.event_bus": _listen_to_bus, "crewai.crew": _end_cancelled_runs},
)
