"""Microsoft's agent-framework, the real package: it makes spans itself, and ours are in their places."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer

pytest.importorskip("agent_framework", reason="agent-framework is not installed")

from agent_framework import Agent
from agent_framework.openai import OpenAIChatCompletionClient

pytestmark = [pytest.mark.usefixtures("one_provider"), pytest.mark.filterwarnings("ignore")]  # of its own


def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def agent(server: LlmServer, *tools: Any, name: str = "guide") -> Any:
    """An agent with the tools."""
    llm = OpenAIChatCompletionClient("gpt-4.1", api_key="none", base_url=f"{server.url}/v1")
    return Agent(llm, name=name, description="Knows.", tools=list(tools))


class TestAgent(Contract):
    """An agent. Its span of a stream that is left never ends, without us too."""

    test_a_stream_that_is_left = None  # type: ignore[assignment]
    run: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    cancelled: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "execute_tool wait"]]
    program: ClassVar = (
        "from agent_framework import Agent\nfrom agent_framework.openai import OpenAIChatCompletionClient",
        """
import asyncio
llm = OpenAIChatCompletionClient("gpt-4.1", api_key="none", base_url="{}/v1")
asyncio.run(Agent(llm, name="guide").run("hello"))
""",
    )
    found: ClassVar = ["chat gpt-4.1", "invoke_agent guide"]
    disabled: ClassVar = {}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        return (await agent(server, weather, broken, *tools).run(task)).text

    async def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        async for update in agent(server, weather, broken).run(task, stream=True):
            yield update


def test_an_agent_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """Its spans of LLM calls have what the client knows, and those of tools are as it makes them."""
    with capture() as captured:
        asyncio.run(TestAgent().ask(model, "weather(Paris) broken(Rome)"))

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent guide",
                "attributes": {
                    "gen_ai.agent.description": "Knows.",
                    "gen_ai.agent.name": "guide",
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.provider.name": "microsoft.agent_framework",
                    "gen_ai.request.choice.count": 1,
                    "gen_ai.request.model": "gpt-4.1",
                    "gen_ai.response.finish_reasons": '["stop"]',
                    "gen_ai.tool.definitions": '[{"type":"function","name":"weather","de...',
                    "gen_ai.usage.cache_read.input_tokens": 8,
                    "gen_ai.usage.input_tokens": 22,
                    "gen_ai.usage.output_tokens": 14,
                    "gen_ai.usage.reasoning.output_tokens": 6,
                },
                "children": [
                    {"name": "chat gpt-4.1"},
                    {"name": "chat gpt-4.1"},
                    {
                        "name": "execute_tool broken",
                        "status": "ERROR",
                        "attributes": {
                            "error.type": "ValueError",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.id": "call_2",
                            "gen_ai.tool.description": "Fail.",
                            "gen_ai.tool.name": "broken",
                            "gen_ai.tool.type": "function",
                        },
                    },
                    {
                        "name": "execute_tool weather",
                        "attributes": {
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.id": "call_1",
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


def test_an_agent_as_a_tool(model: LlmServer) -> None:
    """It is below the tool."""
    helper = agent(model, name="helper").as_tool(arg_name="city")
    with capture() as captured:
        asyncio.run(agent(model, helper).run("helper(Paris)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool helper", ["invoke_agent helper", ["chat gpt-4.1"]]],
        ]
    )
    holds_together(captured, model)
