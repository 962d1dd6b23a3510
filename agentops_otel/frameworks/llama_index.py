"""LlamaIndex: agents, workflows, tools, retrievers and query engines, recorded by a span handler of its dispatcher.

The handler is called where the work runs, except for the `run` of a workflow, which only starts it. So a run is made
current in each of its steps, which run in copied contexts.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from types import ModuleType
from typing import Any

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field, items

SourceSpan = dict[str, Any]
"""One span of the dispatcher: its method, the object and the arguments."""

_call: ContextVar[object] = ContextVar("agentops_otel_llama_index_call", default=None)
"""The id of the tool call that a step of an agent makes."""


def _listen_to_spans(module: ModuleType, steps: Steps) -> Callable[[], None]:
    root = module.get_dispatcher()
    handler = _handler(steps)
    root.add_span_handler(handler)
    return partial(root.span_handlers.remove, handler)


def _handler(steps: Steps) -> Any:
    from llama_index_instrumentation.span_handlers import BaseSpanHandler

    turns: dict[str, SourceSpan] = {}
    """The agent whose turn it is, by the run of its workflow."""

    def nothing(self: Any, *_: Any, **__: Any) -> None:
        """The class has these for handlers that keep spans of their own."""

    def enter(
        self: Any, id_: str, bound_args: Any, instance: Any = None, parent_id: str | None = None, **_: Any
    ) -> None:
        given = dict(bound_args.arguments)
        method = _method(id_)
        source = {"method": method, "of": instance, "given": given, "within": steps.kind_of(parent_id)}
        if instance is None and _method(parent_id) == "run":
            _call.set(field(given.get("ev"), "tool_id"))
            parent_id = _turn(steps, turns, str(parent_id), given.get("ev"))
            steps.begin(id_, source, parent=parent_id, is_current=source["within"] is WORKFLOW)
            steps.enter(id_)  # where the step is none of ours, the run
        else:
            steps.begin(id_, {**source, "call": _call.get()}, parent=parent_id, is_current=method != "run")
            if source["within"] is None and _is_a(instance, "AgentWorkflow"):
                turns[id_] = {"agents": instance.agents}

    def end(self: Any, id_: str, result: Any = None, err: BaseException | None = None, **_: Any) -> None:
        if turn := turns.pop(id_, None):
            steps.end(turn.get("key"), result, err)
        steps.end(id_, result, err)

    methods = {"span_enter": enter, "span_exit": end, "span_drop": end}
    abstract = dict.fromkeys(("new_span", "prepare_to_exit_span", "prepare_to_drop_span"), nothing)
    return type("Handler", (BaseSpanHandler,), {**abstract, **methods})()


def _turn(steps: Steps, turns: dict[str, SourceSpan], run: str, event: Any) -> Any:
    """The key of what a step of the run is below: of the agent whose turn it is, where there are several."""
    turn = turns.get(run)
    if turn is None:
        return run
    agent = field(event, "current_agent_name")
    if agent and agent != turn.get("agent"):
        steps.end(turn.get("key"))
        turn |= {"agent": agent, "key": (run, object())}
        source = {"method": "turn", "of": turn["agents"].get(agent), "given": {}, "within": steps.kind_of(run)}
        steps.begin(turn["key"], source, parent=run)
    return turn.get("key") or run


def _method(id_: str | None) -> str:
    return (id_ or "").partition("-")[0].rpartition(".")[2]


def _is_a(value: Any, *names: str) -> bool:
    """Whether a class of the value has one of the names: their modules differ by version."""
    return any(kind.__name__ in names for kind in type(value).__mro__)


def _is(kind: str, *methods: str) -> Callable[[SourceSpan], bool]:
    return lambda source: source["method"] in methods and _is_a(source["of"], kind)


def _coordinates(source: SourceSpan) -> bool:
    return _is("AgentWorkflow", "run")(source) and len(source["of"].agents) > 1


def _is_outermost_query(source: SourceSpan) -> bool:
    return source["within"] is None and _is("BaseQueryEngine", "query", "aquery")(source)


def _is_workflow(source: SourceSpan) -> bool:
    return _is("Workflow", "run")(source) and not _is_a(source["of"], "BaseWorkflowAgent", "AgentWorkflow")


def _input(source: SourceSpan) -> object:
    """The input of the run: the user's message, or all fields of the start event."""
    given = field(source["given"].get("start_event"), "_data")
    message = field(given, "user_msg")
    return field(message, "content") or message or given or None


def _output(result: Any) -> object:
    given = field(result, "result") or result
    return field(given, "response", "content") or given


def _arguments(source: SourceSpan) -> object:
    given = {**source["given"], **(source["given"].get("kwargs") or {})}
    return {name: value for name, value in given.items() if name not in ("args", "kwargs", "ctx")}


def _query(source: SourceSpan) -> object:
    query = source["given"].get("str_or_query_bundle")
    return field(query, "query_str") or query


def _documents(documents: Any) -> object:
    return [{"id": one.node.node_id, "content": one.text, "score": one.score} for one in items(documents)]


def _transfers(value: Callable[[SourceSpan], object]) -> Callable[[SourceSpan], object]:
    """An attribute of the tool that an agent uses to hand over to another."""
    return lambda source: value(source) if source["of"].metadata.name == "handoff" and _target(source) else None


def _target(source: SourceSpan) -> Any:
    return field(source["given"].get("kwargs"), "to_agent")


_INPUT = {semconv.AGENTOPS_ENTITY_INPUT: _input}
_OUTPUT = {semconv.AGENTOPS_ENTITY_OUTPUT: _output}

TEAM = Step(operation="invoke_workflow", matches=_coordinates, content=_INPUT, result=_OUTPUT)
WORKFLOW = Step(
    operation="invoke_workflow",
    matches=_is_workflow,
    name=lambda source: type(source["of"]).__name__,
    content=_INPUT,
    result=_OUTPUT,
)
QUERY = Step(
    operation="invoke_workflow",
    matches=_is_outermost_query,
    content={semconv.AGENTOPS_ENTITY_INPUT: _query},
    result={semconv.AGENTOPS_ENTITY_OUTPUT: lambda result: field(result, "response")},
)
STEP = Step(
    operation="step", matches=lambda source: source["within"] is WORKFLOW and source["of"] is None, name="method"
)
AGENT = Step(
    operation="invoke_agent",
    matches=_is("BaseWorkflowAgent", "run", "turn"),
    name="of.name",
    attributes={semconv.GEN_AI_AGENT_DESCRIPTION: "of.description"},
    content=_INPUT,
    result=_OUTPUT,
)
TOOL: Step = Step(
    operation="execute_tool",
    # A function that is not async is called by an async wrapper.
    matches=lambda source: _is("BaseTool", "call", "acall")(source) and source["within"] is not TOOL,
    name="of.metadata.name",
    attributes={
        semconv.GEN_AI_TOOL_CALL_ID: "call",
        semconv.GEN_AI_TOOL_DESCRIPTION: "of.metadata.description",
        semconv.GEN_AI_TOOL_TYPE: lambda source: "function",
        semconv.GEN_AI_TRANSFER_MODE: _transfers(lambda source: "pass_control"),
        semconv.GEN_AI_TRANSFER_TARGET_TYPE: _transfers(lambda source: "agent"),
        semconv.GEN_AI_TRANSFER_TARGET_NAME: _transfers(_target),
    },
    content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: _arguments},
    result={semconv.GEN_AI_TOOL_CALL_RESULT: "content"},
    failure=lambda result: "tool_error" if field(result, "is_error") else None,
)
RETRIEVER: Step = Step(
    operation="retrieval",
    matches=lambda source: _is("BaseRetriever", "retrieve", "aretrieve")(source) and source["within"] is not RETRIEVER,
    content={semconv.GEN_AI_RETRIEVAL_QUERY_TEXT: _query},
    result={semconv.GEN_AI_RETRIEVAL_DOCUMENTS: _documents},
)

LLAMA_INDEX = FrameworkSpec(
    name="llama-index",
    module="llama_index",
    steps=(TEAM, WORKFLOW, QUERY, AGENT, TOOL, RETRIEVER, STEP),
    listeners={"llama_index_instrumentation": _listen_to_spans},
)
