"""Haystack, the real package: whole trees of pipelines and agents."""

import asyncio
from typing import Any

import pytest
from inline_snapshot import snapshot

import agentops_otel
from agentops_otel.testing import capture
from tests.frameworks.runs import assert_unchanged, cancel
from tests.frameworks.shown import holds_together, names, shown
from tests.frameworks.whole_program import spans
from tests.loopback.llm_server import LlmServer

pytest.importorskip("haystack", reason="haystack-ai is not installed")

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import Tool
from haystack.utils import Secret


@agentops_otel.record_action("look up")
def look_up(city: str) -> str:
    """Work of the program's own."""
    return f"sunny in {city}"


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


def test_an_agent_that_is_awaited(model: LlmServer) -> None:
    """An async run is told as a sync one; two at once have a trace each."""

    async def together() -> None:
        await asyncio.gather(*(guide(model).run_async(asked(f"weather({city})")) for city in ("Paris", "Rome")))

    with capture() as captured:
        asyncio.run(together())

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            "invoke_agent",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
        ]
    )
    holds_together(captured, model, traces=2)


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


def test_a_run_that_is_cancelled(model: LlmServer) -> None:
    """A cancelled run ends all its spans; what was cancelled has failed."""

    async def cancelled() -> None:
        began = asyncio.Event()

        async def wait(city: str) -> str:
            """Wait."""
            began.set()
            await asyncio.Event().wait()
            return city

        await cancel(
            guide(model, Tool("wait", "Wait.", CITY, async_function=wait)).run_async(asked("wait(Paris)")), began
        )

    with capture() as captured:
        asyncio.run(cancelled())

    assert names(captured.tree()) == snapshot(["invoke_agent ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]])
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


def test_the_program_gets_what_it_gets_without_us(model: LlmServer) -> None:
    """Result and requests are the same with us as without."""
    question = asked("weather(Paris) broken(Rome)")
    assert_unchanged(lambda: guide(model).run(question)["messages"], model)
    assert_unchanged(lambda: asyncio.run(guide(model).run_async(question))["messages"], model)


def test_content_off(model: LlmServer) -> None:
    """Without content the steps are there, and none of what was said."""
    with capture(capture_content=False) as captured:
        guide(model).run(asked("weather(Paris)"))

    assert "execute_tool weather" in str(captured.tree())
    assert "Paris" not in str(captured.tree())


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


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"imported": "before"}, ["chat gpt-4.1", "invoke_agent"]),
        ({"imported": "after"}, ["chat gpt-4.1", "invoke_agent"]),
        ({"disabled": "haystack"}, ["chat gpt-4.1"]),
    ],
    ids=str,
)
def test_a_whole_program(model: LlmServer, how: dict[str, str], found: list[str]) -> None:
    """It does not matter whether the package is imported before `init()`, and its name switches it off."""
    assert spans(IMPORTS, WORK.format(model.url), **how) == found
