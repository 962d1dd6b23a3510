"""Semantic Kernel, the real package: it makes spans itself, once switched on, and ours are in their places."""

import asyncio
import os
import warnings
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer

os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"] = "true"  # read at its import
with warnings.catch_warnings(action="ignore"):
    pytest.importorskip("semantic_kernel", reason="Semantic Kernel is not installed")

    from openai import AsyncOpenAI
    from semantic_kernel.agents import ChatCompletionAgent
    from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
    from semantic_kernel.functions import KernelPlugin, kernel_function

pytestmark = [pytest.mark.usefixtures("one_provider"), pytest.mark.filterwarnings("ignore")]  # of its own


@kernel_function
def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


@kernel_function
def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def agent(server: LlmServer, *tools: Any, name: str = "guide") -> Any:
    """An agent with the tools."""
    llm = OpenAIChatCompletion("gpt-4.1", async_client=AsyncOpenAI(api_key="none", base_url=f"{server.url}/v1"))
    plugins: list[Any] = [one for one in tools if isinstance(one, ChatCompletionAgent)]
    if functions := [one for one in tools if one not in plugins]:
        plugins.append(KernelPlugin("Local", functions=functions))
    return ChatCompletionAgent(service=llm, name=name, description="Knows.", plugins=plugins)


class TestAgent(Contract):
    """An agent."""

    is_current_in_reader: ClassVar = True
    run: ClassVar = [
        "invoke_agent guide",
        ["AutoFunctionInvocationLoop", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool Local-weather", ["look up"]]],
    ]
    left: ClassVar = ["invoke_agent guide", ["AutoFunctionInvocationLoop", ["chat gpt-4.1"]]]
    cancelled: ClassVar = [
        "invoke_agent guide",
        ["AutoFunctionInvocationLoop", ["chat gpt-4.1", "execute_tool Local-wait"]],
    ]
    program: ClassVar = (
        """
import os
os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"] = "true"
from openai import AsyncOpenAI
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion""",
        """
import asyncio
llm = OpenAIChatCompletion("gpt-4.1", async_client=AsyncOpenAI(api_key="none", base_url="{}/v1"))
asyncio.run(ChatCompletionAgent(service=llm, name="guide").get_response("hello"))
""",
    )
    found: ClassVar = ["chat gpt-4.1", "AutoFunctionInvocationLoop", "invoke_agent guide"]
    disabled: ClassVar = {}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        more = [kernel_function(one) for one in tools]
        return str(await agent(server, weather, broken, *more).get_response(task))

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        found: AsyncIterator[object] = agent(server, weather, broken).invoke_stream(task)
        return found


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
                    "gen_ai.tool.definitions": '[{"type":"function","function":{"name":"...',
                },
                "children": [
                    {
                        "name": "AutoFunctionInvocationLoop",
                        "attributes": {"sk.available_functions": "Local-weather,Local-broken"},
                        "children": [
                            {"name": "chat gpt-4.1"},
                            {"name": "chat gpt-4.1"},
                            {
                                "name": "execute_tool Local-broken",
                                "status": "ERROR: ValueError: no weather in Rome",
                                "attributes": {
                                    "error.type": "ValueError",
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.tool.call.id": "call_2",
                                    "gen_ai.tool.description": "Fail.",
                                    "gen_ai.tool.name": "Local-broken",
                                },
                            },
                            {
                                "name": "execute_tool Local-weather",
                                "attributes": {
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.tool.call.id": "call_1",
                                    "gen_ai.tool.description": "Say the weather of a city.",
                                    "gen_ai.tool.name": "Local-weather",
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
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_an_agent_as_a_tool(model: LlmServer) -> None:
    """It is below the tool."""
    helper = agent(model, name="helper")
    with capture() as captured:
        asyncio.run(agent(model, helper).get_response("helper(Paris)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            [
                "AutoFunctionInvocationLoop",
                [
                    "chat gpt-4.1",
                    "chat gpt-4.1",
                    "execute_tool helper-helper",
                    ["invoke_agent helper", ["AutoFunctionInvocationLoop", ["chat gpt-4.1"]]],
                ],
            ],
        ]
    )
    holds_together(captured, model)
