"""Haystack, the real package: whole trees of pipelines and agents."""

from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer

pytest.importorskip("haystack", reason="haystack-ai is not installed")

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import Tool
from haystack.utils import Secret


def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def guide(server: LlmServer, *more: Any) -> Any:
    """An agent with a tool that works and one that fails."""
    model = OpenAIChatGenerator(
        model="gpt-4.1", api_base_url=f"{server.url}/v1", api_key=Secret.from_token("none"), max_retries=0
    )
    tools = [
        Tool(name=one.__name__, description=str(one.__doc__), parameters=CITY, function=one)
        for one in (weather, broken)
    ]
    return Agent(chat_generator=model, tools=[*tools, *more])


def asked(question: str) -> Any:
    """What an agent is given."""
    return [ChatMessage.from_user(question)]


def test_an_agent_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """An agent is a span, and each of its tools; a tool that fails is an error of its own alone."""
    with capture() as captured:
        result = guide(model).run(asked("weather(Paris) broken(Rome)"))

    assert result["messages"][-1].text == "It is 21 degrees in Paris."
    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent",
                "attributes": {
                    "agentops.entity.input": '{"messages":[{"role":"user","content":"w...',
                    "agentops.entity.output": '{"messages":[{"role":"user","content":"w...',
                    "gen_ai.operation.name": "invoke_agent",
                },
                "children": [
                    {"name": "chat gpt-4.1"},
                    {"name": "chat gpt-4.1"},
                    {
                        "name": "execute_tool broken",
                        "status": "ERROR: tool_error",
                        "attributes": {
                            "error.type": "tool_error",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                            "gen_ai.tool.call.result": '{"error":"Failed to invoke Tool `broken`...',
                            "gen_ai.tool.description": "Fail.",
                            "gen_ai.tool.name": "broken",
                            "gen_ai.tool.type": "function",
                        },
                    },
                    {
                        "name": "execute_tool weather",
                        "attributes": {
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


def test_a_pipeline(model: LlmServer) -> None:
    """A pipeline is a workflow, and its components are spans."""
    pipeline = Pipeline()
    pipeline.add_component("prompt", ChatPromptBuilder(template=[ChatMessage.from_user("weather({{city}})")]))
    pipeline.add_component("guide", guide(model))
    pipeline.connect("prompt.prompt", "guide.messages")
    with capture() as captured:
        pipeline.run({"prompt": {"city": "Paris"}})

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow",
            [
                "component guide",
                ["invoke_agent", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
                "component prompt",
            ],
        ]
    )
    holds_together(captured, model)


def test_a_stream(model: LlmServer) -> None:
    """A streamed run is told as a plain one; a reader that fails has failed the run."""

    def stop(chunk: Any) -> None:
        raise EOFError("enough")

    with capture() as captured:
        guide(model).run(asked("weather(Paris)"), streaming_callback=lambda chunk: None)
        with pytest.raises(EOFError):
            guide(model).run(asked("weather(Paris)"), streaming_callback=stop)

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            "invoke_agent ERROR",
            ["chat gpt-4.1"],
        ]
    )
    holds_together(captured, model, traces=2)


IMPORTS = """
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret
"""
WORK = """
model = OpenAIChatGenerator(model="gpt-4.1", api_base_url="{}/v1", api_key=Secret.from_token("none"))
Agent(chat_generator=model).run([ChatMessage.from_user("hello")])
"""


class TestAgent(Contract):
    """An agent whose runs are awaited. What is streamed goes to a callback: there is no stream to read or leave."""

    test_a_stream = None  # type: ignore[assignment]
    test_a_stream_that_is_left = None  # type: ignore[assignment]
    test_a_stream_gives_what_it_gives_without_us = None  # type: ignore[assignment]
    run: ClassVar = ["invoke_agent", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    cancelled: ClassVar = ["invoke_agent ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]]
    program: ClassVar = (IMPORTS, WORK)
    found: ClassVar = ["chat gpt-4.1", "invoke_agent"]
    disabled: ClassVar = {"haystack": ["chat gpt-4.1"]}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        more = [Tool(one.__name__, "Wait.", CITY, async_function=one) for one in tools]
        return (await guide(server, *more).run_async(asked(task)))["messages"]
