"""Google ADK, the real package: its own spans, with what we know of the calls and of the tools."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names
from tests.frameworks.whole_program import spans
from tests.loopback.llm_server import LlmServer

pytest.importorskip("google.adk", reason="google-adk is not installed")

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types


def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def guide(server: LlmServer, **more: Any) -> Any:
    """An agent with a tool that works and one that fails."""
    model = LiteLlm("openai/gpt-4.1", api_base=f"{server.url}/v1", api_key="none")
    return LlmAgent(**{"name": "guide", "model": model, "tools": [weather, broken], **more})


async def started(agent: Any, question: str, **more: Any) -> Any:
    """The events of a run."""
    runner = InMemoryRunner(agent=agent, app_name="travel")
    session = await runner.session_service.create_session(app_name="travel", user_id="me", session_id="thread-1")
    asked = types.Content(role="user", parts=[types.Part(text=question)])
    return runner.run_async(user_id="me", session_id=session.id, new_message=asked, **more)


async def ask(agent: Any, question: str, *, read: int = 1_000) -> list[str]:
    """The texts of the run's events, of the first *read* ones."""
    said: list[str] = []
    events = await started(agent, question)
    async for event in events:
        said += [part.text for part in (event.content.parts if event.content else ()) if part.text]
        read -= 1
        if not read:
            await events.aclose()
            break
    return said


TOOL = ("gen_ai.tool.name", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.transfer.")


def tools(captured: Any) -> list[dict[str, Any]]:
    """What the spans of tools say of arguments, results and transfers."""
    found = (span.attributes or {} for span in captured.spans if span.name.startswith("execute_tool "))
    told = ({name: value for name, value in sorted(said.items()) if name.startswith(TOOL)} for said in found)
    return sorted(told, key=str)


pytestmark = [pytest.mark.usefixtures("one_provider"), pytest.mark.filterwarnings("ignore")]  # of LiteLLM


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """ADK warns that LiteLLM reaches no Gemini of its own."""
    logging.getLogger("google_adk").setLevel(logging.CRITICAL)
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)


def test_an_agent_and_its_parallel_tools(model: LlmServer) -> None:
    """Its agents and tools are spans, with arguments and results; each LLM call is one."""
    with capture() as captured:
        assert asyncio.run(ask(guide(model), "weather(Paris) weather(Rome)")) == ["It is 21 degrees in Paris."]

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow guide",
            [
                "invoke_agent guide",
                [
                    "execute_tool (merged)",
                    "execute_tool weather",
                    ["look up"],
                    "execute_tool weather",
                    ["look up"],
                    "generate_content openai/gpt-4.1",
                    "generate_content openai/gpt-4.1",
                ],
            ],
        ]
    )
    assert tools(captured) == snapshot(
        [
            {
                "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                "gen_ai.tool.call.result": '"sunny in Paris"',
                "gen_ai.tool.name": "weather",
            },
            {
                "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                "gen_ai.tool.call.result": '"sunny in Rome"',
                "gen_ai.tool.name": "weather",
            },
            {"gen_ai.tool.name": "(merged tools)"},
        ]
    )
    holds_together(captured, model)


def test_a_transfer(model: LlmServer) -> None:
    """The tool that hands over says to whom."""
    critic = guide(model, name="critic", description="Judges.")
    with capture() as captured:
        asyncio.run(ask(guide(model, sub_agents=[critic]), "transfer_to_agent(critic)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow guide",
            [
                "invoke_agent critic",
                ["generate_content openai/gpt-4.1"],
                "invoke_agent guide",
                ["execute_tool transfer_to_agent", "generate_content openai/gpt-4.1"],
            ],
        ]
    )
    assert tools(captured) == snapshot(
        [
            {
                "gen_ai.tool.call.arguments": '{"agent_name":"critic"}',
                "gen_ai.transfer.mode": "pass_control",
                "gen_ai.transfer.target.type": "agent",
                "gen_ai.transfer.target.name": "critic",
                "gen_ai.tool.name": "transfer_to_agent",
            }
        ]
    )
    holds_together(captured, model)


def test_a_tool_that_fails(model: LlmServer) -> None:
    """A failing tool fails the run, and the program gets its exception."""
    with capture() as captured, pytest.raises(ValueError, match="no weather in Rome"):
        asyncio.run(ask(guide(model), "broken(Rome)"))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow guide ERROR",
            ["invoke_agent guide ERROR", ["execute_tool broken ERROR", "generate_content openai/gpt-4.1"]],
        ]
    )
    holds_together(captured, model)


def test_a_run_that_is_left(model: LlmServer) -> None:
    """A run whose events are read no further leaves nothing behind."""
    with capture() as captured:
        asyncio.run(ask(guide(model), "weather(Paris)", read=1))

    assert names(captured.tree()) == snapshot(
        ["invoke_workflow guide", ["invoke_agent guide", ["generate_content openai/gpt-4.1"]]]
    )
    holds_together(captured, model)


IMPORTS = """
import asyncio
from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
"""
WORK = """
def weather(city: str) -> str:
    return "sunny"

model = LiteLlm("openai/gpt-4.1", api_base="{}/v1", api_key="none")
runner = InMemoryRunner(agent=LlmAgent(name="guide", model=model, tools=[weather]))
asyncio.run(runner.run_debug("weather(Paris)", quiet=True))
(tool,) = (span for span in exporter.get_finished_spans() if span.name == "execute_tool weather")
assert ("gen_ai.tool.call.arguments" in tool.attributes) is {}
"""


@pytest.mark.parametrize(
    ("how", "told"),
    [({"imported": "before"}, True), ({"imported": "after"}, True), ({"disabled": "google-adk"}, False)],
    ids=str,
)
def test_a_whole_program(model: LlmServer, how: dict[str, str], told: bool) -> None:
    """It does not matter whether the package is imported before `init()`, and its name leaves its spans as they are."""
    found = spans(IMPORTS, WORK.format(model.url, told), **how)
    assert sorted(found) == snapshot(
        [
            "execute_tool weather",
            "generate_content openai/gpt-4.1",
            "generate_content openai/gpt-4.1",
            "invoke_agent guide",
            "invoke_workflow guide",
        ]
    )


class TestAgent(Contract):
    """An agent whose events are read."""

    test_parallel_tools = None  # type: ignore[assignment]  # there is a span of its own for both: see above
    test_a_whole_program = None  # type: ignore[assignment]  # see above
    run: ClassVar = [
        "invoke_workflow guide",
        [
            "invoke_agent guide",
            [
                "execute_tool weather",
                ["look up"],
                "generate_content openai/gpt-4.1",
                "generate_content openai/gpt-4.1",
            ],
        ],
    ]
    left: ClassVar = ["invoke_workflow guide", ["invoke_agent guide", ["generate_content openai/gpt-4.1"]]]
    cancelled: ClassVar = [
        "invoke_workflow guide",
        ["invoke_agent guide", ["execute_tool wait", "generate_content openai/gpt-4.1"]],
    ]

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        return await ask(guide(server, tools=[weather, broken, *tools]), task)

    async def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the words of the run."""
        config = RunConfig(streaming_mode=StreamingMode.SSE)
        async for event in await started(guide(server), task, run_config=config):
            yield event
