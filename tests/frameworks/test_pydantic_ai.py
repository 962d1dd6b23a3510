"""Pydantic AI, the real package: its own spans, switched on, with what we know of the calls."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import get_current_span

import agentops_otel
from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names
from tests.loopback.llm_server import LlmServer

pytest.importorskip("pydantic_ai", reason="pydantic-ai is not installed")

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def guide(server: LlmServer, **more: Any) -> Any:
    """An agent with a tool that works and one that fails."""
    provider = OpenAIProvider(base_url=f"{server.url}/v1", api_key="none")
    model = OpenAIChatModel("gpt-4.1", provider=provider)
    return Agent(model, **{"name": "guide", "tools": [weather, broken], **more})


def ask(agent: Any, question: str) -> Any:
    """What the agent says."""
    return asyncio.run(agent.run(question))


def test_an_agent_and_its_parallel_tools(model: LlmServer) -> None:
    """Its agent and tools are spans; each LLM call is one, its own, which has what we know of it."""
    with capture() as captured:
        result = ask(guide(model), "weather(Paris) weather(Rome)")

    assert result.output == "It is 21 degrees in Paris."
    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"], "execute_tool weather", ["look up"]],
        ]
    )
    tools = [span.attributes or {} for span in captured.spans if span.name == "execute_tool weather"]
    assert {tool["gen_ai.tool.call.arguments"] for tool in tools} == {'{"city":"Paris"}', '{"city":"Rome"}'}
    assert {tool["gen_ai.tool.call.result"] for tool in tools} == {"sunny in Paris", "sunny in Rome"}
    holds_together(captured, model)


def test_a_tool_that_fails(model: LlmServer) -> None:
    """A failing tool fails its span and the run that it ends, and the program gets its exception."""
    with capture() as captured, pytest.raises(ValueError, match="no weather in Rome"):
        ask(guide(model), "broken(Rome)")

    assert names(captured.tree()) == snapshot(
        ["invoke_agent guide ERROR", ["chat gpt-4.1", "execute_tool broken ERROR"]]
    )
    holds_together(captured, model)


def test_a_stream(model: LlmServer) -> None:
    """A streamed run is told as a plain one, read to its end or left."""

    async def read(*, whole: bool) -> None:
        async with guide(model).run_stream("weather(Paris)") as result:
            async for _ in result.stream_text():
                if not whole:
                    break

    with capture() as captured:
        asyncio.run(read(whole=True))
        asyncio.run(read(whole=False))
        assert not get_current_span().get_span_context().is_valid

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
        ]
    )
    holds_together(captured, model, traces=2)


def test_what_the_program_has_decided_stays(model: LlmServer) -> None:
    """`Agent.instrument_all` and an agent's own setting are the program's; after `uninstrument()` all is as before."""
    with capture() as captured:
        plain = guide(model)
        plain.instrument = False
        ask(plain, "hello")
        agentops_otel.uninstrument()
        assert Agent._instrument_default is False

    assert names(captured.tree()) == ["chat gpt-4.1"]


def test_redaction(model: LlmServer) -> None:
    """What its spans say of content is redacted as what ours say."""
    with capture() as captured:
        ask(guide(model), "weather(sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)")

    assert "sk-proj-aaaa" not in str(captured.tree())


WORK = """
model = OpenAIChatModel("gpt-4.1", provider=OpenAIProvider(base_url="{}/v1", api_key="none"))
Agent(model, name="guide").run_sync("hello")
"""
IMPORTS = """
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
"""


class TestAgent(Contract):
    """An agent. `run_stream` asks until the answer begins: leaving it leaves the words of the answer alone."""

    is_current_in_reader: ClassVar = True
    run: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    left: ClassVar = run
    cancelled: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "execute_tool wait ERROR"]]
    program: ClassVar = (IMPORTS, WORK)
    found: ClassVar = ["chat gpt-4.1", "invoke_agent guide"]
    disabled: ClassVar = {"pydantic-ai": ["chat gpt-4.1"]}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        return (await guide(server, tools=[weather, broken, *tools]).run(task)).output

    async def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the answer."""
        async with guide(server).run_stream(task) as result:
            async for text in result.stream_text():
                yield text
