"""smolagents, the real package: whole trees of agents and tools."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import get_current_span

import agentops_otel
from agentops_otel.testing import capture
from tests.frameworks.runs import assert_unchanged
from tests.frameworks.shown import holds_together, names, shown
from tests.frameworks.whole_program import spans
from tests.loopback.llm_server import LlmServer

pytest.importorskip("smolagents", reason="smolagents is not installed")

from smolagents import OpenAIServerModel, ToolCallingAgent, tool

pytestmark = pytest.mark.filterwarnings("ignore")  # of its own


@agentops_otel.record_action("look up")
def look_up(city: str) -> str:
    """Work of the program's own."""
    return f"sunny in {city}"


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


def guide(server: LlmServer) -> Any:
    """An agent with a tool that works and one that fails; it answers after one step."""
    model = OpenAIServerModel("gpt-4.1", api_base=f"{server.url}/v1", api_key="none")
    return ToolCallingAgent(
        [weather, broken], model, name="guide", description="Knows.", max_steps=1, verbosity_level=0
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


def test_a_stream(model: LlmServer) -> None:
    """A stream is told as a plain run, nothing of it is current in its reader, and one that is left is no error."""
    with capture() as captured:
        for _ in guide(model).run("weather(Paris)", stream=True):
            assert not get_current_span().get_span_context().is_valid
        left = guide(model).run("weather(Paris)", stream=True)
        next(left)
        left.close()

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            "invoke_agent guide",
            ["chat gpt-4.1"],
        ]
    )
    holds_together(captured, model, traces=2)


def test_two_runs_at_once(model: LlmServer) -> None:
    """Runs beside each other have a trace each."""
    with capture() as captured, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda city: guide(model).run(f"weather({city})"), ("Oslo", "Bern")))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
        ]
    )
    holds_together(captured, model, traces=2)


@pytest.mark.parametrize("stream", [False, True])
def test_the_program_gets_what_it_gets_without_us(model: LlmServer, stream: bool) -> None:
    """Result, or the kinds of what is streamed, and requests are the same with us as without."""

    def work() -> Any:
        result = guide(model).run("weather(Paris) broken(Rome)", stream=stream)
        return list(map(type, result)) if stream else result

    assert_unchanged(work, model)


def test_content_off(model: LlmServer) -> None:
    """Without content the steps are there, and none of what was said."""
    with capture(capture_content=False) as captured:
        guide(model).run("weather(Paris)")

    assert "execute_tool weather" in str(captured.tree())
    assert "Paris" not in str(captured.tree())


IMPORTS = "from smolagents import OpenAIServerModel, ToolCallingAgent"
WORK = """
model = OpenAIServerModel("gpt-4.1", api_base="{}/v1", api_key="none")
ToolCallingAgent([], model, name="guide", max_steps=1, verbosity_level=0).run("hello")
"""


@pytest.mark.parametrize(
    ("how", "agents"),
    [({"imported": "before"}, 1), ({"imported": "after"}, 1), ({"disabled": "smolagents"}, 0)],
    ids=str,
)
def test_a_whole_program(model: LlmServer, how: dict[str, str], agents: int) -> None:
    """It does not matter whether the package is imported before `init()`, and its name switches it off."""
    assert spans(IMPORTS, WORK.format(model.url), **how).count("invoke_agent guide") == agents
