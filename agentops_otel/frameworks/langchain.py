"""LangChain and LangGraph: graphs, nodes, agents, tools and retrievers, recorded from their callbacks.

A handler in every run, registered by `register_configure_hook`, which is public. What runs below a step runs in a
context that LangChain has copied for it; the two private functions that prepare the copy are wrapped. Without them a
later version would lose only what is current; agents, tools and nodes would keep their places.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import ContextVar
from types import ModuleType
from typing import Any
from uuid import UUID

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.instrumentation import FrameworkSpec, Step, Steps, field, items
from agentops_otel.wrapping.patch import Hook, Patch

Run = dict[str, Any]
"""One run: the arguments of its callback, its graph (if it is a graph) and its parent run."""

_graph: ContextVar[Any] = ContextVar("agentops_otel_langgraph", default=None)
"""The graph whose name was read last: LangGraph reads it directly before the callback of its run.

A callback does not say which object runs, and metadata is inherited by what runs below.
"""


def _listen_to_runs(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Add our handler to every run in every thread, without changing the program's own config."""
    handler = _handler(steps)
    hook: ContextVar[Any] = ContextVar("agentops_otel_langchain", default=handler)
    before = list(module._configure_hooks)
    module.register_configure_hook(hook, inheritable=True)

    def undo() -> None:
        for added in [entry for entry in module._configure_hooks if entry[0] is hook and entry not in before]:
            module._configure_hooks.remove(added)

    return undo


def _handler(steps: Steps) -> Any:
    from langchain_core.callbacks.base import BaseCallbackHandler

    def begin(kind: str, given: Any, run_id: Any, parent_run_id: Any, **run: Any) -> None:
        graph = _graph.get()
        if graph is not None:
            _graph.set(None)
        within = steps.kind_of(parent_run_id)
        source = {"kind": kind, "input": given, "parent": parent_run_id, "within": within, "graph": graph, **run}
        # A retriever runs in the context of its caller, everything else in a copied context.
        steps.begin(run_id, source, parent=parent_run_id, is_current=kind == "retriever")

    class Handler(BaseCallbackHandler):  # type: ignore[misc]  # of a package that is seldom installed
        run_inline = True  # in a thread beside an async run no span can be made current
        ignore_llm = True  # the client libraries make the spans of LLM calls
        ignore_chat_model = True

        @property
        def ignore_chain(self) -> bool:
            return steps.off

        ignore_agent = ignore_retriever = ignore_chain  # "agent" is another name of the tools node

        def on_chain_start(
            self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any = None, **run: Any
        ) -> None:
            begin("chain", inputs, run_id, parent_run_id, **run)

        def on_tool_start(
            self, serialized: Any, input_str: Any, *, run_id: Any, parent_run_id: Any = None, **run: Any
        ) -> None:
            begin("tool", run.pop("inputs", None) or input_str, run_id, parent_run_id, tool=serialized, **run)

        def on_retriever_start(
            self, serialized: Any, query: Any, *, run_id: Any, parent_run_id: Any = None, **run: Any
        ) -> None:
            begin("retriever", query, run_id, parent_run_id, **run)

        def on_chain_end(self, outputs: Any, *, run_id: Any, **_: Any) -> None:
            steps.end(run_id, outputs)

        def on_chain_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
            steps.end(run_id, error=error)

        on_tool_end = on_retriever_end = on_chain_end
        on_tool_error = on_retriever_error = on_chain_error

    return Handler()


def _enter_runs(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Make the span of a run the current one in the context that LangChain copies for it."""

    def prepare(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        prepared = wrapped(*args, **kwargs)
        config = kwargs.get("config") or (args[0] if args else None)
        steps.enter(field(config, "callbacks", "parent_run_id"))
        return prepared

    return Patch(module, "_set_config_context", Hook(prepare)).undo


def _listen_to_graphs(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Remember the graph that is about to run."""

    def name(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not args and not kwargs:
            _graph.set(instance)
        return wrapped(*args, **kwargs)

    return Patch(module.Pregel, "get_name", Hook(name)).undo


def _listen_to_left_graphs(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """End the steps of a graph whose stream is left, before LangGraph cancels what runs in it: that is no error."""

    def leave(wrapped: Any, loop: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if any(one is GeneratorExit for one in args):  # not `in`: it asks the error, whose `==` is the program's
            steps.end(field(loop, "manager", "run_id"), error=GeneratorExit())
        return wrapped(*args, **kwargs)

    return Patch(module.AsyncPregelLoop, "__aexit__", Hook(leave)).undo


def _listen_to_left_events(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """The same of `astream_events`, whose run is a task that LangChain cancels."""

    async def read(events: Any) -> AsyncIterator[Any]:
        first: Any = None
        try:
            async for event in events:
                first = first or event
                yield event
        except GeneratorExit:
            with guard("leaving a stream of events"):
                steps.end(UUID(first["run_id"]), error=GeneratorExit())
            raise
        finally:
            await events.aclose()

    def stream(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return read(wrapped(*args, **kwargs))

    return Patch(module, "_astream_events_implementation_v2", Hook(stream)).undo


def _is_node(run: Run) -> bool:
    """True for a node of a graph that the program defined; not for the nodes that `create_agent` adds."""
    in_graph = any(str(tag).startswith("graph:step:") for tag in run.get("tags") or ())
    return in_graph and run["graph"] is None and run["within"] is not AGENT


def _is_agent(run: Run) -> bool:
    # The graph's own metadata: the run's metadata is inherited by everything below it.
    metadata = field(run["graph"], "config", "metadata") or {}
    return bool(metadata.get("ls_integration") == "langchain_create_agent")


def _is_workflow(run: Run) -> bool:
    """True for a graph, and for a chain without a parent run."""
    is_chain = run["kind"] == "chain" and run.get("run_type") in (None, "chain")
    return run["graph"] is not None or (is_chain and run["parent"] is None)


def _metadata(run: Run) -> Mapping[str, Any]:
    return run.get("metadata") or {}


def _name(run: Run) -> object:
    """The name that the program gave; None for the class names that LangChain fills in."""
    name = str(run.get("name") or "")
    return None if name == "LangGraph" or name.startswith("Runnable") else name


def _readable(value: Any, depth: int = 3) -> Any:
    """A state whose messages are reduced to role, content and tool calls."""
    if (role := field(value, "type")) and field(value, "response_metadata") is not None:
        message = {"role": _ROLES.get(role, role), "content": value.content, "tool_calls": field(value, "tool_calls")}
        return {name: part for name, part in message.items() if part}
    if depth and isinstance(value, dict):
        return {name: _readable(part, depth - 1) for name, part in value.items()}
    if depth and isinstance(value, list | tuple):
        return [_readable(part, depth - 1) for part in value]
    return value


_ROLES = {"ai": "assistant", "human": "user"}


def _tool_result(output: Any) -> object:
    return output if (content := field(output, "content")) is None else content


def _documents(documents: Any) -> object:
    return [
        {"id": field(one, "id"), "content": field(one, "page_content"), "metadata": field(one, "metadata")}
        for one in items(documents)
    ]


_CONVERSATION = {semconv.GEN_AI_CONVERSATION_ID: lambda run: _metadata(run).get("thread_id")}
_HANDOFF = "__handoff_destination"  # langgraph-supervisor's and langgraph-swarm's word


def _transfers(value: object) -> Callable[[Run], object]:
    return lambda run: value if _HANDOFF in _metadata(run) else None


_INPUT = {semconv.AGENTOPS_ENTITY_INPUT: lambda run: _readable(run["input"])}
_OUTPUT = {semconv.AGENTOPS_ENTITY_OUTPUT: _readable}

TOOL = Step(
    operation="execute_tool",
    matches=lambda run: run["kind"] == "tool",
    name="tool.name",
    attributes={
        semconv.GEN_AI_TOOL_CALL_ID: "tool_call_id",
        semconv.GEN_AI_TOOL_DESCRIPTION: "tool.description",
        semconv.GEN_AI_TOOL_TYPE: lambda run: "function",
        semconv.GEN_AI_TRANSFER_MODE: _transfers("pass_control"),
        semconv.GEN_AI_TRANSFER_TARGET_TYPE: _transfers("agent"),
        semconv.GEN_AI_TRANSFER_TARGET_NAME: lambda run: _metadata(run).get(_HANDOFF),
    },
    inherited=_CONVERSATION,
    content={semconv.GEN_AI_TOOL_CALL_ARGUMENTS: "input"},
    result={semconv.GEN_AI_TOOL_CALL_RESULT: _tool_result},
    failure=lambda output: "tool_error" if field(output, "status") == "error" else None,
)
RETRIEVER = Step(
    operation="retrieval",
    matches=lambda run: run["kind"] == "retriever",
    name="name",
    inherited=_CONVERSATION,
    content={semconv.GEN_AI_RETRIEVAL_QUERY_TEXT: "input"},
    result={semconv.GEN_AI_RETRIEVAL_DOCUMENTS: _documents},
)
NODE = Step(
    operation="node",
    matches=_is_node,
    name="name",
    attributes={
        semconv.LANGGRAPH_NODE: lambda run: _metadata(run).get("langgraph_node"),
        semconv.LANGGRAPH_STEP: lambda run: _metadata(run).get("langgraph_step"),
    },
    inherited=_CONVERSATION,
    content=_INPUT,
    result=_OUTPUT,
)
AGENT = Step(
    operation="invoke_agent", matches=_is_agent, name=_name, inherited=_CONVERSATION, content=_INPUT, result=_OUTPUT
)
WORKFLOW = Step(
    operation="invoke_workflow",
    matches=_is_workflow,
    name=_name,
    inherited=_CONVERSATION,
    content=_INPUT,
    result=_OUTPUT,
)

LANGCHAIN = FrameworkSpec(
    name="langchain",
    module="langchain_core",
    steps=(TOOL, RETRIEVER, AGENT, NODE, WORKFLOW),
    listeners={
        "langchain_core.tracers.context": _listen_to_runs,
        "langchain_core.runnables.config": _enter_runs,
        "langchain_core.runnables.base": _listen_to_left_events,
        "langgraph._internal._runnable": _enter_runs,
        "langgraph.pregel.main": _listen_to_graphs,
        "langgraph.pregel._loop": _listen_to_left_graphs,
    },
    control_flow=frozenset({"langgraph.errors.GraphBubbleUp"}),
)
