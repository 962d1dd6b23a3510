"""LangChain and LangGraph, the real packages: whole trees, and the program gets what it would get without us."""

import asyncio
import json
import operator
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, ClassVar, TypedDict

import httpx
import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import get_current_span

import agentops_otel
from agentops_otel.testing import capture
from tests.content.secret_examples import EXAMPLES
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.runs import assert_unchanged, cancel
from tests.frameworks.shown import holds_together, names, shown
from tests.frameworks.whole_program import PRINT, START_TRACING, UNWARNED
from tests.loopback.llm_server import LlmServer
from tests.program import run

pytest.importorskip("langgraph", reason="langgraph is not installed")

from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import ToolException, tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from agentops_otel.langchain_callback_handler import LangchainCallbackHandler

ABANDONED = "agentops.stream.abandoned"


class State(TypedDict):
    """What the graphs pass on."""

    said: Annotated[list[str], operator.add]


def chat(server: LlmServer) -> Any:
    """The model."""
    return ChatOpenAI(
        model="gpt-4.1",
        base_url=f"{server.url}/v1",
        api_key="none",
        max_retries=0,
        http_async_client=httpx.AsyncClient(),  # it keeps one for all otherwise, with its event loop
    )


def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


def sunny(city: str) -> str:
    """Say the weather of a city, and do nothing else."""
    return f"sunny in {city}"


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def guide(server: LlmServer, *tools: Any) -> Any:
    """An agent; by default with a tool that works and one that fails."""
    return create_agent(chat(server), [tool(one) for one in tools or (weather, broken)], name="guide")


def ask(question: str) -> Any:
    """What an agent is given."""
    return {"messages": [("user", question)]}


def last(result: Any) -> Any:
    """What an agent answered."""
    return result["messages"][-1].content


AGENT_WITH_TWO_TOOLS = snapshot(
    [
        {
            "name": "invoke_agent guide",
            "attributes": {
                "agentops.entity.input": '{"messages":[["user","weather(Paris) wea...',
                "agentops.entity.output": '{"messages":[{"role":"user","content":"w...',
                "gen_ai.agent.name": "guide",
                "gen_ai.operation.name": "invoke_agent",
            },
            "children": [
                {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}},
                {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}},
                {
                    "name": "execute_tool weather",
                    "attributes": {
                        "gen_ai.agent.name": "guide",
                        "gen_ai.operation.name": "execute_tool",
                        "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                        "gen_ai.tool.call.id": "call_1",
                        "gen_ai.tool.call.result": '"sunny in Paris"',
                        "gen_ai.tool.description": "Say the weather of a city.",
                        "gen_ai.tool.name": "weather",
                        "gen_ai.tool.type": "function",
                    },
                    "children": [
                        {
                            "name": "look up",
                            "attributes": {
                                "agentops.entity.input": '{"city":"Paris"}',
                                "agentops.entity.output": '"sunny in Paris"',
                                "agentops.span.kind": "operation",
                                "gen_ai.agent.name": "guide",
                                "operation.name": "look up",
                            },
                        }
                    ],
                },
                {
                    "name": "execute_tool weather",
                    "attributes": {
                        "gen_ai.agent.name": "guide",
                        "gen_ai.operation.name": "execute_tool",
                        "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                        "gen_ai.tool.call.id": "call_2",
                        "gen_ai.tool.call.result": '"sunny in Rome"',
                        "gen_ai.tool.description": "Say the weather of a city.",
                        "gen_ai.tool.name": "weather",
                        "gen_ai.tool.type": "function",
                    },
                    "children": [
                        {
                            "name": "look up",
                            "attributes": {
                                "agentops.entity.input": '{"city":"Rome"}',
                                "agentops.entity.output": '"sunny in Rome"',
                                "agentops.span.kind": "operation",
                                "gen_ai.agent.name": "guide",
                                "operation.name": "look up",
                            },
                        }
                    ],
                },
            ],
        }
    ]
)


def test_an_agent_and_its_parallel_tools(model: LlmServer) -> None:
    """An agent is a span, each of its tools one below it, and its LLM calls say whose they are."""
    with capture() as captured:
        result = guide(model).invoke(ask("weather(Paris) weather(Rome)"))

    assert last(result) == "It is 21 degrees in Paris."
    assert shown(captured.tree()) == AGENT_WITH_TWO_TOOLS
    holds_together(captured, model)


def test_what_an_agent_was_given_and_answered(model: LlmServer) -> None:
    """The state of an agent has role, content and tool calls of its messages, and nothing that is new in each run."""
    with capture() as captured:
        guide(model).invoke(ask("weather(Paris)"))

    call = {"name": "weather", "args": {"city": "Paris"}, "id": "call_1", "type": "tool_call"}
    (agent,) = (span for span in captured.spans if span.name == "invoke_agent guide")
    assert json.loads(str((agent.attributes or {})["agentops.entity.output"])) == {
        "messages": [
            {"role": "user", "content": "weather(Paris)"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "content": "sunny in Paris"},
            {"role": "assistant", "content": "It is 21 degrees in Paris."},
        ]
    }


def test_an_agent_that_is_awaited(model: LlmServer) -> None:
    """An async run is told as a sync one."""
    with capture() as captured:
        asyncio.run(guide(model).ainvoke(ask("weather(Paris) weather(Rome)")))

    assert shown(captured.tree()) == AGENT_WITH_TWO_TOOLS
    holds_together(captured, model)


def test_a_stream_is_told_as_a_plain_run(model: LlmServer) -> None:
    """Nothing is current in the consumer of a stream, and the tree is that of a run that is not streamed."""
    with capture() as captured:
        for _ in guide(model).stream(ask("weather(Paris) weather(Rome)"), stream_mode="updates"):
            assert not get_current_span().get_span_context().is_valid

    assert shown(captured.tree()) == AGENT_WITH_TWO_TOOLS
    holds_together(captured, model)


def test_a_tool_that_fails(model: LlmServer) -> None:
    """A failing tool fails its span and the run that it ends, and the program gets its exception."""
    with capture() as captured, pytest.raises(ValueError, match="no weather in Rome"):
        guide(model).invoke(ask("broken(Rome)"))

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent guide",
                "status": "ERROR: no weather in Rome",
                "attributes": {
                    "agentops.entity.input": '{"messages":[["user","broken(Rome)"]]}',
                    "error.type": "ValueError",
                    "gen_ai.agent.name": "guide",
                    "gen_ai.operation.name": "invoke_agent",
                },
                "children": [
                    {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}},
                    {
                        "name": "execute_tool broken",
                        "status": "ERROR: no weather in Rome",
                        "attributes": {
                            "error.type": "ValueError",
                            "gen_ai.agent.name": "guide",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                            "gen_ai.tool.call.id": "call_1",
                            "gen_ai.tool.description": "Fail.",
                            "gen_ai.tool.name": "broken",
                            "gen_ai.tool.type": "function",
                        },
                    },
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_a_tool_whose_failure_the_agent_handles(model: LlmServer) -> None:
    """A failure that is told to the model fails the tool's span alone."""

    def refuse(city: str) -> str:
        """Refuse."""
        raise ToolException(f"not in {city}")

    refusing = tool(refuse)
    refusing.handle_tool_error = True
    with capture() as captured:
        create_agent(chat(model), [refusing, tool(weather)], name="guide").invoke(ask("refuse(Rome) weather(Paris)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool refuse ERROR", "execute_tool weather", ["look up"]],
        ]
    )
    holds_together(captured, model)


def test_a_handoff(model: LlmServer) -> None:
    """A tool that hands over to another agent says so, and to whom."""

    def transfer(city: str) -> str:
        """Hand over."""
        return "handed over"

    handing_over = tool(transfer)
    handing_over.metadata = {"__handoff_destination": "critic"}  # as langgraph-supervisor has it
    with capture() as captured:
        create_agent(chat(model), [handing_over], name="guide").invoke(ask("transfer(Paris)"))

    said = next(span.attributes or {} for span in captured.spans if span.name == "execute_tool transfer")
    assert {name: value for name, value in said.items() if name.startswith("gen_ai.transfer.")} == {
        "gen_ai.transfer.mode": "pass_control",
        "gen_ai.transfer.target.name": "critic",
        "gen_ai.transfer.target.type": "agent",
    }


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_stream_that_is_left(model: LlmServer, way: str) -> None:
    """A stream that the program leaves is no error; its spans end, and nothing stays current."""
    agent = guide(model)
    question = ask("weather(Paris)")

    def leave() -> None:
        stream = agent.stream(question)
        next(stream)
        stream.close()

    async def leave_async() -> None:
        stream = agent.astream(question)
        await anext(stream)
        await stream.aclose()

    with capture() as captured:
        leave() if way == "stream" else asyncio.run(leave_async())

    assert names(captured.tree()) == ["invoke_agent guide", ["chat gpt-4.1"]]
    assert captured.tree()[0]["attributes"]["agentops.stream.abandoned"] is True  # type: ignore[index]
    holds_together(captured, model)


class _NotComparable(Exception):
    """An error that fails when it is compared, as those that hold arrays do."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    __hash__ = Exception.__hash__


def test_an_error_of_the_program_is_not_compared() -> None:
    """A graph raises what its node has raised."""

    async def fail(state: State) -> State:
        raise _NotComparable

    graph = StateGraph(State).add_node(fail).add_edge(START, "fail").compile()

    async def stream() -> None:
        async for _ in graph.astream({"said": []}):
            pass

    with capture(), pytest.raises(_NotComparable):
        asyncio.run(stream())


def test_two_runs_at_once(model: LlmServer) -> None:
    """Runs beside each other, in threads or in tasks, have a trace each."""
    agent = guide(model)

    async def together() -> None:
        await asyncio.gather(*(agent.ainvoke(ask(f"weather({city})")) for city in ("Paris", "Rome")))

    with capture() as captured, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda city: agent.invoke(ask(f"weather({city})")), ("Oslo", "Bern")))
        asyncio.run(together())

    assert names(captured.tree()) == TestAgent.run * 4
    holds_together(captured, model, traces=4)


def graph(server: LlmServer) -> Any:
    """Two branches at once, a graph as a node, an agent below a span of the program's own, a question to the user."""
    agent = guide(server)

    @agentops_otel.record_action("research")
    def research() -> str:
        return str(last(agent.invoke(ask("weather(Paris)"))))

    def confirm(state: State) -> State:
        return {"said": [interrupt("sure?")]}

    below: Any = StateGraph(State)
    below.add_node("inner", lambda state: {"said": ["inner"]})
    below.add_edge(START, "inner")
    whole: Any = StateGraph(State)
    whole.add_node("plan", lambda state: {"said": [research()]})
    whole.add_node("left", lambda state: {"said": ["left"]})
    whole.add_node("right", below.compile())
    whole.add_node("confirm", confirm)
    whole.add_edge(START, "plan")
    whole.add_edge("plan", "left")
    whole.add_edge("plan", "right")
    whole.add_edge("right", "confirm")
    return whole.compile(checkpointer=InMemorySaver(), name="trip")


def test_a_graph_with_branches_a_graph_as_a_node_and_an_interrupt(model: LlmServer) -> None:
    """A graph is a workflow and its nodes are spans; an interrupt is no error, and the run that resumes is a trace."""
    thread: Any = {"configurable": {"thread_id": "thread-1"}}
    with capture() as captured:
        first = graph(model)
        stopped = first.invoke({"said": []}, thread)
        result = first.invoke(Command(resume="yes"), thread)

    assert stopped["__interrupt__"][0].value == "sure?"
    assert result["said"][-1] == "yes"
    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_workflow trip",
                "attributes": {
                    "agentops.entity.input": '{"graph":null,"update":null,"resume":"ye...',
                    "agentops.entity.output": '{"said":["It is 21 degrees in Paris.","l...',
                    "gen_ai.conversation.id": "thread-1",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "trip",
                },
                "children": [
                    {
                        "name": "node confirm",
                        "attributes": {
                            "agentops.entity.input": '{"said":["It is 21 degrees in Paris.","l...',
                            "agentops.entity.output": '{"said":["yes"]}',
                            "agentops.span.kind": "node",
                            "gen_ai.conversation.id": "thread-1",
                            "langgraph.node": "confirm",
                            "langgraph.step": 3,
                        },
                    }
                ],
            },
            {
                "name": "invoke_workflow trip",
                "attributes": {
                    "agentops.entity.input": '{"said":[]}',
                    "agentops.entity.output": '{"said":["It is 21 degrees in Paris.","l...',
                    "gen_ai.conversation.id": "thread-1",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "trip",
                },
                "children": [
                    {
                        "name": "node confirm",
                        "attributes": {
                            "agentops.entity.input": '{"said":["It is 21 degrees in Paris.","l...',
                            "agentops.span.kind": "node",
                            "gen_ai.conversation.id": "thread-1",
                            "langgraph.node": "confirm",
                            "langgraph.step": 3,
                        },
                    },
                    {
                        "name": "node left",
                        "attributes": {
                            "agentops.entity.input": '{"said":["It is 21 degrees in Paris."]}',
                            "agentops.entity.output": '{"said":["left"]}',
                            "agentops.span.kind": "node",
                            "gen_ai.conversation.id": "thread-1",
                            "langgraph.node": "left",
                            "langgraph.step": 2,
                        },
                    },
                    {
                        "name": "node plan",
                        "attributes": {
                            "agentops.entity.input": '{"said":[]}',
                            "agentops.entity.output": '{"said":["It is 21 degrees in Paris."]}',
                            "agentops.span.kind": "node",
                            "gen_ai.conversation.id": "thread-1",
                            "langgraph.node": "plan",
                            "langgraph.step": 1,
                        },
                        "children": [
                            {
                                "name": "research",
                                "attributes": {
                                    "agentops.entity.output": '"It is 21 degrees in Paris."',
                                    "agentops.span.kind": "operation",
                                    "gen_ai.conversation.id": "thread-1",
                                    "operation.name": "research",
                                },
                                "children": [
                                    {
                                        "name": "invoke_agent guide",
                                        "attributes": {
                                            "agentops.entity.input": '{"messages":[["user","weather(Paris)"]]}',
                                            "agentops.entity.output": '{"messages":[{"role":"user","content":"w...',
                                            "gen_ai.agent.name": "guide",
                                            "gen_ai.conversation.id": "thread-1",
                                            "gen_ai.operation.name": "invoke_agent",
                                        },
                                        "children": [
                                            {
                                                "name": "chat gpt-4.1",
                                                "attributes": {
                                                    "gen_ai.agent.name": "guide",
                                                    "gen_ai.conversation.id": "thread-1",
                                                },
                                            },
                                            {
                                                "name": "chat gpt-4.1",
                                                "attributes": {
                                                    "gen_ai.agent.name": "guide",
                                                    "gen_ai.conversation.id": "thread-1",
                                                },
                                            },
                                            {
                                                "name": "execute_tool weather",
                                                "attributes": {
                                                    "gen_ai.agent.name": "guide",
                                                    "gen_ai.conversation.id": "thread-1",
                                                    "gen_ai.operation.name": "execute_tool",
                                                    "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                                                    "gen_ai.tool.call.id": "call_1",
                                                    "gen_ai.tool.call.result": '"sunny in Paris"',
                                                    "gen_ai.tool.description": "Say the weather of a city.",
                                                    "gen_ai.tool.name": "weather",
                                                    "gen_ai.tool.type": "function",
                                                },
                                                "children": [
                                                    {
                                                        "name": "look up",
                                                        "attributes": {
                                                            "agentops.entity.input": '{"city":"Paris"}',
                                                            "agentops.entity.output": '"sunny in Paris"',
                                                            "agentops.span.kind": "operation",
                                                            "gen_ai.agent.name": "guide",
                                                            "gen_ai.conversation.id": "thread-1",
                                                            "operation.name": "look up",
                                                        },
                                                    }
                                                ],
                                            },
                                        ],
                                    }
                                ],
                            }
                        ],
                    },
                    {
                        "name": "node right",
                        "attributes": {
                            "agentops.entity.input": '{"said":["It is 21 degrees in Paris."]}',
                            "agentops.entity.output": '{"said":["It is 21 degrees in Paris.","i...',
                            "agentops.span.kind": "node",
                            "gen_ai.conversation.id": "thread-1",
                            "langgraph.node": "right",
                            "langgraph.step": 2,
                        },
                        "children": [
                            {
                                "name": "invoke_workflow",
                                "attributes": {
                                    "agentops.entity.input": '{"said":["It is 21 degrees in Paris."]}',
                                    "agentops.entity.output": '{"said":["It is 21 degrees in Paris.","i...',
                                    "gen_ai.conversation.id": "thread-1",
                                    "gen_ai.operation.name": "invoke_workflow",
                                },
                                "children": [
                                    {
                                        "name": "node inner",
                                        "attributes": {
                                            "agentops.entity.input": '{"said":["It is 21 degrees in Paris."]}',
                                            "agentops.entity.output": '{"said":["inner"]}',
                                            "agentops.span.kind": "node",
                                            "gen_ai.conversation.id": "thread-1",
                                            "langgraph.node": "inner",
                                            "langgraph.step": 1,
                                        },
                                    }
                                ],
                            }
                        ],
                    },
                ],
            },
        ]
    )
    holds_together(captured, model, traces=2)


def test_a_graph_in_a_tool_of_an_agent(model: LlmServer) -> None:
    """A graph that a tool runs is a workflow below the tool, not a second agent, whatever metadata it inherits."""

    def plan(city: str) -> str:
        """Plan."""
        below: Any = StateGraph(State)
        below.add_node("inner", lambda state: {"said": [city]})
        below.add_edge(START, "inner")
        return str(below.compile().invoke({"said": []})["said"])

    with capture() as captured:
        guide(model, plan).invoke(ask("plan(Paris)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool plan", ["invoke_workflow", ["node inner"]]],
        ]
    )
    holds_together(captured, model)


class Notes(BaseRetriever):  # type: ignore[misc]  # of a package that is seldom installed
    """A retriever that does something on its way."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
        return [find(query)]


@agentops_otel.record_action("find")
def find(query: str) -> Any:
    """A document."""
    return Document(page_content="Take a coat.", id="note-1", metadata={"page": 3})


def test_a_chain_with_a_retriever(model: LlmServer) -> None:
    """A chain that nothing else runs is one trace; what the retriever does is below its span."""
    chain = Notes() | RunnableLambda(lambda found: [("user", found[0].page_content)]) | chat(model)
    with capture() as captured:
        assert chain.invoke("What to take?").content == "It is 21 degrees in Paris."

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_workflow",
                "attributes": {
                    "agentops.entity.input": '"What to take?"',
                    "agentops.entity.output": '{"role":"assistant","content":"It is 21 ...',
                    "gen_ai.operation.name": "invoke_workflow",
                },
                "children": [
                    {"name": "chat gpt-4.1"},
                    {
                        "name": "retrieval Notes",
                        "attributes": {
                            "gen_ai.data_source.id": "Notes",
                            "gen_ai.operation.name": "retrieval",
                            "gen_ai.retrieval.documents": '[{"id":"note-1","content":"Take a coat."...',
                            "gen_ai.retrieval.query.text": '"What to take?"',
                        },
                        "children": [
                            {
                                "name": "find",
                                "attributes": {
                                    "agentops.entity.input": '{"query":"What to take?"}',
                                    "agentops.entity.output": '{"id":"note-1","metadata":{"page":3},"pa...',
                                    "agentops.span.kind": "operation",
                                    "operation.name": "find",
                                },
                            }
                        ],
                    },
                ],
            }
        ]
    )
    holds_together(captured, model)


class Keys(TypedDict):
    """A state with keys in it."""

    said: Annotated[list[str], operator.add]
    api_key: str
    headers: dict[str, str]


def test_no_key_in_a_state_is_in_a_span() -> None:
    """Of the state, of what a node returns, and of a tool's arguments and result."""
    key, password = EXAMPLES["sk-"], "letmein-letmein"

    def log_in(password: str, note: str) -> str:
        """Log in."""
        return f"{note}, token={key}"

    def step(state: Keys) -> Any:
        said = tool(log_in).invoke({"password": password, "note": f"with {state['api_key']}"})
        return {"said": [said], "headers": {"authorization": f"Bearer {password}"}}

    whole: Any = StateGraph(Keys)
    whole.add_node("step", step)
    whole.add_edge(START, "step")
    given: Any = {"said": ["hello"], "api_key": key, "headers": {"authorization": f"Bearer {password}"}}
    with capture() as captured:
        result = whole.compile(name="trip").invoke(given)

    assert (key in str(result), password in str(result)) == (True, True)
    recorded = "".join(span.to_json() for span in captured.spans)
    assert [text for text in ("step", "log_in", "[redacted]", key, password) if text in recorded] == [
        "step",
        "log_in",
        "[redacted]",
    ]


def test_frameworks_left_alone(model: LlmServer) -> None:
    """`init(instrument_frameworks=False)` leaves the LLM calls, as they are made without a framework."""
    with capture(instrument_frameworks=False) as captured:
        guide(model, sunny).invoke(ask("sunny(Paris)"))

    assert names(captured.tree()) == ["chat gpt-4.1", "chat gpt-4.1"]


def test_uninstrument(model: LlmServer) -> None:
    """After `uninstrument()` nothing is recorded, and a run that is open then ends its spans."""
    with capture() as captured:
        stream = guide(model, sunny).stream(ask("sunny(Paris)"))
        next(stream)
        agentops_otel.uninstrument()
        list(stream)
        assert names(captured.tree()) == ["invoke_agent guide", ["chat gpt-4.1"]]


def test_the_program_gets_what_it_gets_without_us(model: LlmServer) -> None:
    """Result and requests are the same with us as without."""
    thread: Any = {"configurable": {"thread_id": "thread-1"}}
    assert_unchanged(lambda: graph(model).invoke({"said": []}, thread)["said"], model)


IMPORTS = "from langchain.agents import create_agent\nfrom langchain_openai import ChatOpenAI"
WORK = """
chat = ChatOpenAI(model="gpt-4.1", base_url="{}/v1", api_key="none")
create_agent(chat, [], name="guide").invoke({{"messages": [("user", "Hello!")]}})
"""


class TestAgent(Contract):
    """An agent whose runs are awaited."""

    run: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    left: ClassVar = ["invoke_agent guide", ["chat gpt-4.1"]]
    cancelled: ClassVar = ["invoke_agent guide ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]]
    program: ClassVar = (IMPORTS, WORK)
    found: ClassVar = ["chat gpt-4.1", "invoke_agent guide"]
    disabled: ClassVar = {"langchain": ["chat gpt-4.1"]}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        return last(await guide(server, weather, broken, *tools).ainvoke(ask(task)))

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        found: AsyncIterator[object] = guide(server).astream(ask(task), stream_mode="updates")
        return found


class TestMessages(TestAgent):
    """Its messages, streamed word by word."""

    left: ClassVar = ["invoke_agent guide", ["chat gpt-4.1"]]
    test_a_whole_program = None  # type: ignore[assignment]  # the same

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the messages."""
        found: AsyncIterator[object] = guide(server).astream(ask(task), stream_mode="messages")
        return found


def _waiting() -> tuple[Any, asyncio.Event]:
    """A tool that never ends, and what is set once it has begun."""
    began = asyncio.Event()

    async def wait(city: str) -> str:
        """Wait."""
        began.set()
        await asyncio.Event().wait()
        return city

    return wait, began


def _stream(graph: Any, way: str) -> Any:
    """A stream of the graph, whose node waits."""
    given = {"said": ["wait(Paris)"]}
    return graph.astream_events(given) if way == "events" else graph.astream(given, subgraphs=True)


class TestGraph(Contract):
    """A graph, one node of which asks the agent."""

    run: ClassVar = ["invoke_workflow trip", ["node plan", TestAgent.run]]
    cancelled: ClassVar = ["invoke_workflow trip ERROR", ["node plan ERROR", TestAgent.cancelled]]
    test_a_whole_program = None  # type: ignore[assignment]  # the same

    def graph(self, server: LlmServer, *tools: Any) -> Any:
        """The graph."""
        agent = guide(server, weather, broken, *tools)

        async def plan(state: State) -> State:
            return {"said": [str(last(await agent.ainvoke(ask(state["said"][0]))))]}

        whole: Any = StateGraph(State)
        whole.add_node("plan", plan)
        whole.add_edge(START, "plan")
        return whole.compile(name="trip")

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the graph."""
        return (await self.graph(server, *tools).ainvoke({"said": [task]}))["said"]

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run, with that of the agent in it."""
        found: AsyncIterator[object] = self.graph(server).astream({"said": [task]}, subgraphs=True)
        return found

    @pytest.mark.parametrize("way", ["graphs", "events"])
    def test_a_stream_that_is_left(self, model: LlmServer, way: str) -> None:  # type: ignore[override]
        """What runs then is cancelled by LangGraph, which is no error."""

        async def leave() -> None:
            wait, began = _waiting()
            stream = _stream(self.graph(model, wait), way)
            await anext(stream)
            await began.wait()
            await stream.aclose()
            assert not get_current_span().get_span_context().is_valid

        with capture() as captured:
            asyncio.run(leave())

        left = ["chat gpt-4.1", "execute_tool wait"]
        assert names(captured.tree()) == ["invoke_workflow trip", ["node plan", ["invoke_agent guide", left]]]
        assert {span.name for span in captured.spans if not (span.attributes or {}).get(ABANDONED)} == {"chat gpt-4.1"}
        holds_together(captured, model)

    def test_an_event_loop_that_ends_with_a_stream_open(self, model: LlmServer) -> None:
        """It cancels what runs before it closes the stream, which nobody can tell from another cancellation."""

        async def leave() -> None:
            wait, began = _waiting()
            async for _ in _stream(self.graph(model, wait), "graphs"):
                await began.wait()
                break

        with capture() as captured:
            asyncio.run(leave())

        assert names(captured.tree())[1:] == self.cancelled[1:]  # the graph is told of it by Python 3.13 alone
        holds_together(captured, model)

    @pytest.mark.parametrize("way", ["graphs", "events"])
    def test_a_reader_that_is_cancelled(self, model: LlmServer, way: str) -> None:
        """While it waits for the next item, so is the run."""

        async def cancelled() -> None:
            wait, began = _waiting()

            async def read() -> None:
                async for _ in _stream(self.graph(model, wait), way):
                    pass

            await cancel(read(), began)

        with capture() as captured:
            asyncio.run(cancelled())

        assert names(captured.tree()) == self.cancelled
        holds_together(captured, model)


def test_the_handler_of_agentops(model: LlmServer) -> None:
    """A program that passes AgentOps' handler has the same spans as one that passes none."""
    with capture() as captured:
        handler = LangchainCallbackHandler(api_key="none", tags=["x"])
        guide(model).invoke(ask("weather(Paris) weather(Rome)"), {"callbacks": [handler]})
        assert agentops_otel.LangchainCallbackHandler is LangchainCallbackHandler

    assert shown(captured.tree()) == AGENT_WITH_TWO_TOOLS


def test_init_imports_no_framework() -> None:
    """Neither the package nor `init()` imports a framework."""
    finished = run(START_TRACING + "import sys; print(sorted({'langchain_core', 'langgraph'} & set(sys.modules)))")

    assert finished.stdout.splitlines()[-1] == "[]"


def test_under_the_launcher_of_opentelemetry(model: LlmServer) -> None:
    """The entry point that `opentelemetry-instrument` calls listens to the frameworks too, by their names."""
    start = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from importlib.metadata import entry_points

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
(found,) = [one for one in entry_points(group="opentelemetry_instrumentor") if one.name == "agentops_otel"]
found.load()().instrument()
"""
    program = "\n".join((UNWARNED, start, IMPORTS, WORK.format(model.url), PRINT))
    by_default = run(program).stdout.splitlines()[-1]
    disabled = run(program, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="langchain").stdout.splitlines()[-1]

    assert by_default == snapshot("['chat gpt-4.1', 'invoke_agent guide']")
    assert disabled == snapshot("['chat gpt-4.1']")
