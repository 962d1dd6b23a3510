"""Google ADK, the real package: its own spans, with what we know of the calls and of the tools."""

import asyncio
import logging
from typing import Any

import pytest
from inline_snapshot import snapshot

import agentops_otel
from agentops_otel.testing import capture
from tests.frameworks.runs import assert_unchanged, cancel
from tests.frameworks.shown import holds_together, names
from tests.frameworks.whole_program import spans
from tests.loopback.llm_server import LlmServer

pytest.importorskip("google.adk", reason="google-adk is not installed")

from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types


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


def guide(server: LlmServer, **more: Any) -> Any:
    """An agent with a tool that works and one that fails."""
    model = LiteLlm("openai/gpt-4.1", api_base=f"{server.url}/v1", api_key="none")
    return LlmAgent(**{"name": "guide", "model": model, "tools": [weather, broken], **more})


async def ask(agent: Any, question: str, *, read: int = 1_000) -> list[str]:
    """The texts of the run's events, of the first *read* ones."""
    runner = InMemoryRunner(agent=agent, app_name="travel")
    session = await runner.session_service.create_session(app_name="travel", user_id="me", session_id="thread-1")
    asked = types.Content(role="user", parts=[types.Part(text=question)])
    said: list[str] = []
    events = runner.run_async(user_id="me", session_id=session.id, new_message=asked)
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


pytestmark = pytest.mark.usefixtures("one_provider")


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


def test_content_off(model: LlmServer) -> None:
    """Without content there are no arguments and no results."""
    with capture(capture_content=False) as captured:
        asyncio.run(ask(guide(model), "weather(Paris)"))

    assert "execute_tool weather" in str(captured.tree())
    assert "Paris" not in str(captured.tree())


def test_a_run_that_is_cancelled(model: LlmServer) -> None:
    """A cancelled run ends all its spans."""

    async def cancelled() -> None:
        began = asyncio.Event()

        async def wait(city: str) -> str:
            """Wait."""
            began.set()
            await asyncio.Event().wait()
            return city

        await cancel(ask(guide(model, tools=[wait]), "wait(Paris)"), began)

    with capture() as captured:
        asyncio.run(cancelled())

    assert names(captured.tree()) == snapshot(
        ["invoke_workflow guide", ["invoke_agent guide", ["execute_tool wait", "generate_content openai/gpt-4.1"]]]
    )
    holds_together(captured, model)


def test_two_runs_at_once(model: LlmServer) -> None:
    """Runs beside each other have a trace each."""

    async def together() -> None:
        await asyncio.gather(*(ask(guide(model), f"weather({city})") for city in ("Paris", "Rome")))

    with capture() as captured:
        asyncio.run(together())

    assert names(captured.tree()) == snapshot(
        [
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
    )
    holds_together(captured, model, traces=2)


@pytest.mark.parametrize("question", ["weather(Paris) weather(Rome)", "broken(Rome)"])
def test_the_program_gets_what_it_gets_without_us(model: LlmServer, question: str) -> None:
    """Result, exception and requests are the same with us as without."""
    assert_unchanged(lambda: asyncio.run(ask(guide(model), question)), model)


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
