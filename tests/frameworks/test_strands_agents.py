"""Strands, the real package: it makes spans itself, and ours are in their places."""

import asyncio
from collections.abc import AsyncIterator
from inspect import isfunction
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer

pytest.importorskip("strands", reason="Strands is not installed")

from strands import Agent, tool
from strands.models.openai import OpenAIModel

pytestmark = [pytest.mark.usefixtures("one_provider"), pytest.mark.filterwarnings("ignore")]  # of its own


def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def agent(server: LlmServer, *tools: Any, name: str = "guide") -> Any:
    """An agent with the tools."""
    llm = OpenAIModel(client_args={"base_url": f"{server.url}/v1", "api_key": "none"}, model_id="gpt-4.1")
    given = [tool(one) if isfunction(one) else one for one in tools]
    return Agent(llm, name=name, description="Knows.", tools=given, callback_handler=None)


class TestAgent(Contract):
    """An agent. What it has begun in a run that is cancelled, or a stream that is left, never ends, without us too."""

    test_a_stream_that_is_left = None  # type: ignore[assignment]
    test_a_run_that_is_cancelled = None  # type: ignore[assignment]
    is_current_in_reader: ClassVar = True
    run: ClassVar = [
        "invoke_agent guide OK",
        [
            "execute_event_loop_cycle OK",
            ["chat", "execute_tool weather OK", ["look up"]],
            "execute_event_loop_cycle OK",
            ["chat"],
        ],
    ]
    program: ClassVar = (
        "from strands import Agent\nfrom strands.models.openai import OpenAIModel",
        """
llm = OpenAIModel(client_args=dict(base_url="{}/v1", api_key="none"), model_id="gpt-4.1")
Agent(llm, name="guide", callback_handler=None)("hello")
""",
    )
    found: ClassVar = ["chat", "execute_event_loop_cycle", "invoke_agent guide"]
    disabled: ClassVar = {}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        return str(await agent(server, weather, broken, *tools).invoke_async(task))

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        found: AsyncIterator[object] = agent(server, weather, broken).stream_async(task)
        return found


def test_an_agent_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """Its spans of LLM calls have what the client knows, and those of tools are as it makes them."""
    with capture() as captured:
        asyncio.run(TestAgent().ask(model, "weather(Paris) broken(Rome)"))

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent guide",
                "status": "OK",
                "attributes": {
                    "gen_ai.agent.name": "guide",
                    "gen_ai.agent.tools": '["weather", "broken"]',
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.request.model": "gpt-4.1",
                    "gen_ai.system": "strands-agents",
                    "gen_ai.usage.cache_creation.input_tokens": 0,
                    "gen_ai.usage.cache_read.input_tokens": 8,
                    "gen_ai.usage.cache_read_input_tokens": 8,
                    "gen_ai.usage.cache_write_input_tokens": 0,
                    "gen_ai.usage.completion_tokens": 14,
                    "gen_ai.usage.input_tokens": 22,
                    "gen_ai.usage.output_tokens": 14,
                    "gen_ai.usage.prompt_tokens": 22,
                    "gen_ai.usage.total_tokens": 36,
                },
                "children": [
                    {
                        "name": "execute_event_loop_cycle",
                        "status": "OK",
                        "attributes": {
                            "gen_ai.operation.name": "execute_event_loop_cycle",
                            "gen_ai.system": "strands-agents",
                        },
                        "children": [
                            {"name": "chat"},
                            {
                                "name": "execute_tool broken",
                                "status": "ERROR: no weather in Rome",
                                "attributes": {
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.system": "strands-agents",
                                    "gen_ai.tool.call.id": "call_2",
                                    "gen_ai.tool.description": "Fail.",
                                    "gen_ai.tool.json_schema": '{"properties": {"city": {"description": ...',
                                    "gen_ai.tool.name": "broken",
                                    "gen_ai.tool.status": "error",
                                },
                            },
                            {
                                "name": "execute_tool weather",
                                "status": "OK",
                                "attributes": {
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.system": "strands-agents",
                                    "gen_ai.tool.call.id": "call_1",
                                    "gen_ai.tool.description": "Say the weather of a city.",
                                    "gen_ai.tool.json_schema": '{"properties": {"city": {"description": ...',
                                    "gen_ai.tool.name": "weather",
                                    "gen_ai.tool.status": "success",
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
                    },
                    {
                        "name": "execute_event_loop_cycle",
                        "status": "OK",
                        "attributes": {
                            "gen_ai.operation.name": "execute_event_loop_cycle",
                            "gen_ai.system": "strands-agents",
                        },
                        "children": [{"name": "chat"}],
                    },
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_an_agent_as_a_tool(model: LlmServer) -> None:
    """It is below the tool."""
    with capture() as captured:
        asyncio.run(agent(model, agent(model, name="helper").as_tool()).invoke_async("helper(Paris)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide OK",
            [
                "execute_event_loop_cycle OK",
                [
                    "chat",
                    "execute_tool helper OK",
                    ["invoke_agent helper OK", ["execute_event_loop_cycle OK", ["chat"]]],
                ],
                "execute_event_loop_cycle OK",
                ["chat"],
            ],
        ]
    )
    holds_together(captured, model)
