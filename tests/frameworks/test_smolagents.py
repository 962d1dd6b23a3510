"""smolagents, the real package: whole trees of agents and tools."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer

pytest.importorskip("smolagents", reason="smolagents is not installed")

from smolagents import OpenAIServerModel, ToolCallingAgent, tool

pytestmark = pytest.mark.filterwarnings("ignore")  # of its own


@tool
def weather(city: str) -> str:
    """Say the weather of a city.

    Args:
        city: The city.
    """
    return look_up(city)


@tool
def broken(city: str) -> str:
    """Fail.

    Args:
        city: The city.
    """
    raise ValueError(f"no weather in {city}")


def guide(server: LlmServer, *more: Any) -> Any:
    """An agent with a tool that works and one that fails; it answers after one step."""
    model = OpenAIServerModel("gpt-4.1", api_base=f"{server.url}/v1", api_key="none")
    return ToolCallingAgent(
        [weather, broken, *more], model, name="guide", description="Knows.", max_steps=1, verbosity_level=0
    )


def test_an_agent_and_its_parallel_tools(model: LlmServer) -> None:
    """An agent is a span, each of its tools one below it, and its LLM calls say whose they are."""
    with capture() as captured:
        assert guide(model).run("weather(Paris) weather(Rome)") == "It is 21 degrees in Paris."

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent guide",
                "attributes": {
                    "agentops.entity.input": '"weather(Paris) weather(Rome)"',
                    "agentops.entity.output": '"It is 21 degrees in Paris."',
                    "gen_ai.agent.description": "Knows.",
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
    holds_together(captured, model)


def test_a_tool_that_fails(model: LlmServer) -> None:
    """A tool that fails is an error of its own alone."""
    with capture() as captured:
        guide(model).run("broken(Rome)")

    assert names(captured.tree()) == snapshot(
        ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool broken ERROR"]]
    )
    holds_together(captured, model)


IMPORTS = "from smolagents import OpenAIServerModel, ToolCallingAgent"
WORK = """
model = OpenAIServerModel("gpt-4.1", api_base="{}/v1", api_key="none")
ToolCallingAgent([], model, name="guide", max_steps=1, verbosity_level=0).run("hello")
"""


def _tool(function: Callable[[str], Coroutine[Any, Any, str]]) -> Any:
    """A tool that waits for the function."""

    def call(city: str) -> str:
        """Wait.

        Args:
            city: The city.
        """
        return asyncio.run(function(city))

    made = tool(call)
    made.name = function.__name__
    return made


class TestAgent(Contract):
    """An agent, in a thread: nothing cancels it."""

    test_a_run_that_is_cancelled = None  # type: ignore[assignment]
    run: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    left: ClassVar = ["invoke_agent guide", ["chat gpt-4.1"]]
    program: ClassVar = (IMPORTS, WORK)
    found: ClassVar = ["chat gpt-4.1", "chat gpt-4.1", "invoke_agent guide"]
    disabled: ClassVar = {"smolagents": ["chat gpt-4.1", "chat gpt-4.1"]}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        return await asyncio.to_thread(guide(server, *map(_tool, tools)).run, task)

    async def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        stream = guide(server).run(task, stream=True)
        try:
            for item in stream:
                yield item
        finally:
            stream.close()
