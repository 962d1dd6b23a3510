"""AutoGen's AgentChat, the real package: whole trees of teams, agents, tools and handoffs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer

pytest.importorskip("autogen_agentchat", reason="AutoGen is not installed")

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import HandoffTermination, MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat, Swarm
from autogen_agentchat.tools import AgentTool
from autogen_core import SingleThreadedAgentRuntime
from autogen_ext.models.openai import OpenAIChatCompletionClient

pytestmark = pytest.mark.filterwarnings("ignore")  # of its own


def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def agent(server: LlmServer, name: str = "guide", tools: Any = (weather, broken), **more: Any) -> Any:
    """An agent with a tool that works and one that fails, which answers after its tools."""
    llm = OpenAIChatCompletionClient(model="gpt-4.1", base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    more = {"reflect_on_tool_use": True, **more}
    return AssistantAgent(name, llm, description="Knows.", tools=list(tools), **more)


def team(server: LlmServer, *tools: Any) -> Any:
    """A team of one agent."""
    return RoundRobinGroupChat([agent(server, tools=(weather, broken, *tools))], max_turns=1)


class TestAgent(Contract):
    """An agent of its own."""

    run: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    left: ClassVar = ["invoke_agent guide"]
    cancelled: ClassVar = ["invoke_agent guide ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]]
    program = (
        "from autogen_agentchat.agents import AssistantAgent\n"
        "from autogen_ext.models.openai import OpenAIChatCompletionClient",
        """
import asyncio
llm = OpenAIChatCompletionClient(model="gpt-4.1", base_url="{}/v1", api_key="none")
asyncio.run(AssistantAgent("guide", llm).run(task="hello"))
""",
    )
    found: ClassVar = ["chat gpt-4.1", "invoke_agent guide"]
    disabled: ClassVar = {"autogen": ["create_agent guide", "chat gpt-4.1", "invoke_agent guide"]}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        result = await agent(server, tools=(weather, broken, *tools)).run(task=task)
        return [message.content for message in result.messages if isinstance(message.content, str)]

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        found: AsyncIterator[object] = agent(server, model_client_stream=True).run_stream(task=task)
        return found


class TestTeam(Contract):
    """A team of one agent."""

    run: ClassVar = [
        "invoke_workflow",
        ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
    ]
    left: ClassVar = run  # a team waits for its agents
    program = (
        "from autogen_agentchat.teams import RoundRobinGroupChat\n" + TestAgent.program[0],
        """
import asyncio
llm = OpenAIChatCompletionClient(model="gpt-4.1", base_url="{}/v1", api_key="none")
asyncio.run(RoundRobinGroupChat([AssistantAgent("guide", llm)], max_turns=1).run(task="hello"))
""",
    )
    found: ClassVar = ["chat gpt-4.1", "invoke_agent guide", "invoke_workflow"]
    disabled: ClassVar = {}

    def test_a_run_that_is_cancelled(self, model: LlmServer) -> None:
        """It waits for its agent, and that for its tool, without us too; then all its spans end."""
        meanwhile: list[Any] = []

        async def cancelled() -> None:
            began, go_on = asyncio.Event(), asyncio.Event()

            async def wait(city: str) -> str:
                """Wait."""
                began.set()
                await go_on.wait()
                return city

            running = asyncio.create_task(team(model, wait).run(task="wait(Paris)"))
            await began.wait()
            running.cancel()
            await asyncio.sleep(0)
            meanwhile.extend(self.names(captured))
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await running

        with capture() as captured:
            asyncio.run(cancelled())

        assert meanwhile == ["chat gpt-4.1"]
        assert self.names(captured) == snapshot(
            ["invoke_workflow", ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool wait"]]]
        )
        holds_together(captured, model)

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the team."""
        result = await team(server, *tools).run(task=task)
        return [message.content for message in result.messages if isinstance(message.content, str)]

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        found: AsyncIterator[object] = team(server).run_stream(task=task)
        return found


def test_an_agent_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """An agent is a span, and each of its parallel tools; a tool that fails is an error of its own alone."""
    with capture() as captured:
        asyncio.run(agent(model).run(task="weather(Paris) broken(Rome)"))

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
                            "gen_ai.tool.description": "Fail.",
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
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_a_handoff(model: LlmServer) -> None:
    """A swarm is a workflow, each turn in it an agent's, and the tool that hands over says to whom."""
    one, other = agent(model, handoffs=["critic"]), agent(model, "critic", handoffs=["user"])
    swarm = Swarm([one, other], termination_condition=HandoffTermination("user") | MaxMessageTermination(4))
    with capture() as captured:
        asyncio.run(swarm.run(task="transfer_to_critic()"))

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_workflow",
                "attributes": {
                    "agentops.entity.input": '"transfer_to_critic()"',
                    "agentops.entity.output": '"It is 21 degrees in Paris."',
                    "gen_ai.operation.name": "invoke_workflow",
                },
                "children": [
                    {
                        "name": "invoke_agent critic",
                        "attributes": {
                            "agentops.entity.input": '[{"role":"user","content":"transfer_to_c...',
                            "agentops.entity.output": '"It is 21 degrees in Paris."',
                            "gen_ai.agent.description": "Knows.",
                            "gen_ai.agent.name": "critic",
                            "gen_ai.operation.name": "invoke_agent",
                        },
                        "children": [{"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "critic"}}],
                    },
                    {
                        "name": "invoke_agent critic",
                        "attributes": {
                            "agentops.entity.output": '"It is 21 degrees in Paris."',
                            "gen_ai.agent.description": "Knows.",
                            "gen_ai.agent.name": "critic",
                            "gen_ai.operation.name": "invoke_agent",
                        },
                        "children": [{"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "critic"}}],
                    },
                    {
                        "name": "invoke_agent guide",
                        "attributes": {
                            "agentops.entity.input": '[{"role":"user","content":"transfer_to_c...',
                            "agentops.entity.output": '"Transferred to critic, adopting the rol...',
                            "gen_ai.agent.description": "Knows.",
                            "gen_ai.agent.name": "guide",
                            "gen_ai.operation.name": "invoke_agent",
                        },
                        "children": [
                            {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}},
                            {
                                "name": "execute_tool transfer_to_critic",
                                "attributes": {
                                    "gen_ai.agent.name": "guide",
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.tool.call.id": "call_1",
                                    "gen_ai.tool.call.result": '"Transferred to critic, adopting the rol...',
                                    "gen_ai.tool.description": "Handoff to critic.",
                                    "gen_ai.tool.name": "transfer_to_critic",
                                    "gen_ai.tool.type": "function",
                                    "gen_ai.transfer.mode": "pass_control",
                                    "gen_ai.transfer.target.name": "critic",
                                    "gen_ai.transfer.target.type": "agent",
                                },
                            },
                        ],
                    },
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_an_agent_as_a_tool(model: LlmServer) -> None:
    """It is below the tool; its own last message is the tool's result."""
    helper = AgentTool(agent(model, "helper", tools=(), reflect_on_tool_use=False))
    with capture() as captured:
        asyncio.run(agent(model, tools=(helper,)).run(task="helper(Paris)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool helper", ["invoke_agent helper", ["chat gpt-4.1"]]],
        ]
    )
    holds_together(captured, model)


def test_a_runtime_of_the_programs_own(model: LlmServer) -> None:
    """A team's agents are below the team, though they run in the tasks of a runtime that was started before it."""

    async def work() -> None:
        runtime = SingleThreadedAgentRuntime()
        runtime.start()
        both = [agent(model), agent(model, "critic")]
        await RoundRobinGroupChat(both, name="travel", max_turns=2, runtime=runtime).run(task="weather(Paris)")
        await runtime.stop()

    with capture() as captured:
        asyncio.run(work())

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow travel",
            [
                "invoke_agent critic",
                ["chat gpt-4.1"],
                "invoke_agent guide",
                ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            ],
        ]
    )
    holds_together(captured, model)


def test_a_team_within_a_team(model: LlmServer) -> None:
    """It is a workflow below the other."""
    inner = RoundRobinGroupChat([agent(model)], name="inner", max_turns=1)
    with capture() as captured:
        asyncio.run(RoundRobinGroupChat([inner], name="outer", max_turns=1).run(task="weather(Paris)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow outer",
            [
                "invoke_workflow inner",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
            ],
        ]
    )
    holds_together(captured, model)
