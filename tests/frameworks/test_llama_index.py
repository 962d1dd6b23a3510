"""LlamaIndex, the real package: whole trees of agents, workflows, tools and queries."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import get_current_span

from agentops_otel.frameworks.llama_index import TOOL
from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.runs import assert_unchanged, cancel
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer

pytest.importorskip("llama_index.core", reason="llama-index-core is not installed")

from llama_index.core import Document, SummaryIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.tools import ToolOutput
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step
from llama_index.llms.openai import OpenAI
from workflows.errors import WorkflowCancelledByUser

pytestmark = pytest.mark.filterwarnings("ignore")  # of its own


def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


async def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def llm(server: LlmServer) -> Any:
    """The model."""
    return OpenAI("gpt-4.1", api_base=f"{server.url}/v1", api_key="none", max_retries=0)


def guide(server: LlmServer, *more: Any, streaming: bool = False, **options: Any) -> Any:
    """An agent with a tool that works and one that fails."""
    tools = [weather, broken, *more]
    return FunctionAgent(
        name="guide", description="Knows.", tools=tools, llm=llm(server), streaming=streaming, **options
    )


async def ask(agent: Any, question: str) -> str:
    """The answer."""
    return str(await agent.run(user_msg=question))


def test_an_agent_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """An agent is a span, and each of its tools; a tool that fails is an error of its own alone."""
    with capture() as captured:
        answered = asyncio.run(ask(guide(model), "weather(Paris) broken(Rome)"))

    assert answered == "It is 21 degrees in Paris."
    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent guide",
                "attributes": {
                    "agentops.entity.input": '"weather(Paris) broken(Rome)"',
                    "agentops.entity.output": '"It is 21 degrees in Paris."',
                    "gen_ai.agent.description": "Knows.",
                    "gen_ai.agent.name": "guide",
                    "gen_ai.operation.name": "invoke_agent",
                },
                "children": [
                    {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}},
                    {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}},
                    {
                        "name": "execute_tool broken",
                        "status": "ERROR: no weather in Rome",
                        "attributes": {
                            "error.type": "ValueError",
                            "gen_ai.agent.name": "guide",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                            "gen_ai.tool.call.id": "call_2",
                            "gen_ai.tool.description": """\
broken(city: str) -> str
Fail.\
""",
                            "gen_ai.tool.name": "broken",
                            "gen_ai.tool.type": "function",
                        },
                    },
                    {
                        "name": "execute_tool weather",
                        "attributes": {
                            "gen_ai.agent.name": "guide",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                            "gen_ai.tool.call.id": "call_1",
                            "gen_ai.tool.call.result": '"sunny in Paris"',
                            "gen_ai.tool.description": """\
weather(city: str) -> str
Say the weathe...\
""",
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
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_a_team_whose_agents_hand_over(model: LlmServer) -> None:
    """A team is a workflow with a span for each agent's turn; the tool that hands over says to whom."""
    front = FunctionAgent(name="front", description="First.", llm=llm(model), can_handoff_to=["guide"])
    with capture() as captured:
        asyncio.run(ask(AgentWorkflow(agents=[front, guide(model)], root_agent="front"), "handoff(guide)"))

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_workflow",
                "attributes": {
                    "agentops.entity.input": '"handoff(guide)"',
                    "agentops.entity.output": '"It is 21 degrees in Paris."',
                    "gen_ai.operation.name": "invoke_workflow",
                },
                "children": [
                    {
                        "name": "invoke_agent front",
                        "attributes": {
                            "gen_ai.agent.description": "First.",
                            "gen_ai.agent.name": "front",
                            "gen_ai.operation.name": "invoke_agent",
                        },
                        "children": [
                            {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "front"}},
                            {
                                "name": "execute_tool handoff",
                                "attributes": {
                                    "gen_ai.agent.name": "front",
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.tool.call.arguments": '{"to_agent":"guide","reason":"guide"}',
                                    "gen_ai.tool.call.id": "call_1",
                                    "gen_ai.tool.call.result": '"Agent guide is now handling the request...',
                                    "gen_ai.tool.description": "Useful for handing off to another agent....",
                                    "gen_ai.tool.name": "handoff",
                                    "gen_ai.tool.type": "function",
                                    "gen_ai.transfer.mode": "pass_control",
                                    "gen_ai.transfer.target.name": "guide",
                                    "gen_ai.transfer.target.type": "agent",
                                },
                            },
                        ],
                    },
                    {
                        "name": "invoke_agent guide",
                        "attributes": {
                            "agentops.entity.output": '"It is 21 degrees in Paris."',
                            "gen_ai.agent.description": "Knows.",
                            "gen_ai.agent.name": "guide",
                            "gen_ai.operation.name": "invoke_agent",
                        },
                        "children": [{"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}}],
                    },
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_an_agent_as_a_tool_of_another(model: LlmServer) -> None:
    """The agent that a tool asks is below the tool, with all that it does."""

    async def research(question: str) -> str:
        """Ask the guide."""
        return await ask(guide(model), "weather(Oslo)")

    editor = FunctionAgent(name="editor", tools=[research], llm=llm(model), streaming=False)
    with capture() as captured:
        asyncio.run(ask(editor, "research(Oslo)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent editor",
            [
                "chat gpt-4.1",
                "chat gpt-4.1",
                "execute_tool research",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
            ],
        ]
    )
    holds_together(captured, model)


class Planned(Event):  # type: ignore[misc]  # of a package that is seldom installed
    """What a step gives to the next."""

    question: str


class Travel(Workflow):  # type: ignore[misc]  # as above
    """A workflow of the program's own."""

    def __init__(self, agent: Any) -> None:
        super().__init__()
        self.agent = agent

    @step
    async def plan(self, event: StartEvent) -> Planned:
        """Work of the program's own."""
        return Planned(question=f"weather({look_up('Paris')[-5:]})")

    @step
    async def answer(self, event: Planned) -> StopEvent:
        """Ask the agent."""
        return StopEvent(result=await ask(self.agent, event.question))


def test_a_workflow_of_the_program(model: LlmServer) -> None:
    """A workflow has a span for each of its steps, and what they do is below them."""

    async def run() -> Any:
        return await Travel(guide(model)).run()

    with capture() as captured:
        asyncio.run(run())

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow Travel",
            [
                "step answer",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
                "step plan",
                ["look up"],
            ],
        ]
    )
    holds_together(captured, model)


@pytest.mark.parametrize(("is_error", "failure"), [(True, "tool_error"), (False, None)])
def test_a_tool_may_say_that_it_failed(failure: str | None, *, is_error: bool) -> None:
    """In what it returns, without an exception."""
    output = ToolOutput(content="no", tool_name="broken", raw_input={}, raw_output=None, is_error=is_error)

    assert TOOL.failure(output) == failure


def test_a_query(model: LlmServer) -> None:
    """A query is a workflow of a retriever, which has the documents, and of LLM calls."""
    index = SummaryIndex.from_documents([Document(text="Paris is sunny.", id_="one")])
    with capture() as captured:
        index.as_query_engine(llm=llm(model)).query("How is Paris?")
    found = next(span for span in captured.spans if span.name == "retrieval")

    assert names(captured.tree()) == snapshot(["invoke_workflow", ["chat gpt-4.1", "retrieval"]])
    assert (found.attributes or {})["gen_ai.retrieval.query.text"] == snapshot('"How is Paris?"')
    assert "Paris is sunny." in str((found.attributes or {})["gen_ai.retrieval.documents"])
    holds_together(captured, model)


def test_a_stream_that_is_left(model: LlmServer) -> None:
    """Leaving a stream ends nothing early: the run goes on, and so does its span."""

    async def run() -> None:
        left = guide(model, streaming=True).run(user_msg="weather(Rome)")
        async for _ in left.stream_events():
            break
        assert not get_current_span().get_span_context().is_valid
        await left

    with capture() as captured:
        asyncio.run(run())

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
        ]
    )
    holds_together(captured, model)


@pytest.mark.parametrize("how", ["task", "handler"])
def test_a_run_that_is_cancelled(model: LlmServer, how: str) -> None:
    """A cancelled run ends all its spans; the tool has failed, and a run whose task was cancelled."""

    async def cancelled() -> None:
        began = asyncio.Event()

        async def wait(city: str) -> str:
            """Wait."""
            began.set()
            await asyncio.Event().wait()
            return city

        agent = guide(model, wait)
        if how == "task":
            await cancel(ask(agent, "wait(Paris)"), began)
            return
        running = agent.run(user_msg="wait(Paris)")
        await began.wait()
        await running.cancel_run()
        with pytest.raises(WorkflowCancelledByUser):
            await running

    with capture() as captured:
        asyncio.run(cancelled())
        ended = names(captured.tree())

    run = "invoke_agent guide ERROR" if how == "task" else "invoke_agent guide"
    assert ended == [run, ["chat gpt-4.1", "execute_tool wait ERROR"]]
    holds_together(captured, model)


@pytest.mark.parametrize("streaming", [False, True])
def test_the_program_gets_what_it_gets_without_us(model: LlmServer, streaming: bool) -> None:
    """Result and requests are the same with us as without. One tool: LlamaIndex puts two in the order they end in."""
    assert_unchanged(lambda: asyncio.run(ask(guide(model, streaming=streaming), "broken(Rome)")), model)


IMPORTS = """
import asyncio
from llama_index.core.agent.workflow import FunctionAgent
from workflows.errors import WorkflowCancelledByUser
from llama_index.llms.openai import OpenAI
"""
WORK = """
async def run():
    model = OpenAI("gpt-4.1", api_base="{}/v1", api_key="none")
    await FunctionAgent(name="guide", llm=model, streaming=False).run(user_msg="hello")

asyncio.run(run())
"""


class TestAgent(Contract):
    """An agent. LlamaIndex puts two tools in the order they end in: the requests of two are not compared."""

    test_a_stream_that_is_left = None  # type: ignore[assignment]  # see above
    test_the_program_gets_what_it_gets_without_us = None  # type: ignore[assignment]  # see above
    run: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    cancelled: ClassVar = ["invoke_agent guide ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]]
    program: ClassVar = (IMPORTS, WORK)
    found: ClassVar = ["chat gpt-4.1", "invoke_agent guide"]
    disabled: ClassVar = {"llama-index": ["chat gpt-4.1"]}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        return await ask(guide(server, *tools), task)

    async def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the events of the run."""
        running = guide(server, streaming=True).run(user_msg=task)
        async for event in running.stream_events():
            yield event
