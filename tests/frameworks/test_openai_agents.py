"""OpenAI Agents, the real package: whole trees, with its own tracing on and off."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import get_current_span

import agentops_otel
from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer

pytest.importorskip("agents", reason="openai-agents is not installed")

import agents
from agents import Agent, Runner, function_tool
from openai import AsyncOpenAI


@pytest.fixture(params=["traced", "untraced"], autouse=True)
def own_tracing(request: pytest.FixtureRequest) -> str:
    """With the package's own tracing, which uploads nothing here, and without."""
    agents.set_trace_processors([])
    agents.set_tracing_disabled(request.param == "untraced")
    return str(request.param)


@function_tool
def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


@function_tool(name_override="weather")
def weather_with_a_span(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


@function_tool
async def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def guide(server: LlmServer, *tools: Any, **more: Any) -> Any:
    """An agent; by default with a tool that works and one that fails."""
    client = AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    chat = agents.OpenAIChatCompletionsModel(model="gpt-4.1", openai_client=client)
    return Agent(**{"name": "guide", "model": chat, "tools": list(tools or (weather, broken)), **more})


def ask(agent: Any, question: str, **more: Any) -> Any:
    """What the agent answers."""
    return asyncio.run(Runner.run(agent, question, **more)).final_output


def test_an_agent_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """A lone agent is a span, and each of its tools; a failure that is told to the model fails the tool alone."""
    with capture() as captured:
        assert ask(guide(model), "weather(Paris) broken(Rome)") == "It is 21 degrees in Paris."

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent guide",
                "attributes": {"gen_ai.agent.name": "guide", "gen_ai.operation.name": "invoke_agent"},
                "children": [
                    {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}},
                    {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}},
                    {
                        "name": "execute_tool broken",
                        "status": "ERROR: no weather in Rome",
                        "attributes": {
                            "error.type": "ValueError",
                            "gen_ai.agent.name": "guide",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                            "gen_ai.tool.call.id": "call_2",
                            "gen_ai.tool.call.result": '"An error occurred while running the too...',
                            "gen_ai.tool.description": "Fail.",
                            "gen_ai.tool.name": "broken",
                            "gen_ai.tool.type": "function",
                        },
                    },
                    {
                        "name": "execute_tool weather",
                        "attributes": {
                            "gen_ai.agent.name": "guide",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                            "gen_ai.tool.call.id": "call_1",
                            "gen_ai.tool.call.result": '"sunny in Paris"',
                            "gen_ai.tool.description": "Say the weather of a city.",
                            "gen_ai.tool.name": "weather",
                            "gen_ai.tool.type": "function",
                        },
                    },
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_a_sync_run(model: LlmServer) -> None:
    """Without asyncio too."""
    with capture() as captured, asyncio.Runner() as loop:
        asyncio.set_event_loop(loop.get_loop())  # it makes one of its own otherwise, and leaves it open
        Runner.run_sync(guide(model), "weather(Paris)")

    assert names(captured.tree()) == snapshot(
        ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather"]]
    )
    holds_together(captured, model)


def test_a_handoff(model: LlmServer) -> None:
    """Agents that hand over to each other are a workflow; the handoff is a tool that says to whom."""
    critic = guide(model, weather, name="critic")
    with capture() as captured:
        ask(guide(model, weather, handoffs=[critic]), "transfer_to_critic(x)")

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_workflow",
                "attributes": {"gen_ai.operation.name": "invoke_workflow"},
                "children": [
                    {
                        "name": "invoke_agent critic",
                        "attributes": {"gen_ai.agent.name": "critic", "gen_ai.operation.name": "invoke_agent"},
                        "children": [{"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "critic"}}],
                    },
                    {
                        "name": "invoke_agent guide",
                        "attributes": {"gen_ai.agent.name": "guide", "gen_ai.operation.name": "invoke_agent"},
                        "children": [
                            {"name": "chat gpt-4.1", "attributes": {"gen_ai.agent.name": "guide"}},
                            {
                                "name": "execute_tool transfer_to_critic",
                                "attributes": {
                                    "gen_ai.agent.name": "guide",
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.tool.call.id": "call_1",
                                    "gen_ai.tool.description": "Handoff to the critic agent to handle th...",
                                    "gen_ai.tool.name": "transfer_to_critic",
                                    "gen_ai.tool.type": "function",
                                    "gen_ai.transfer.mode": "pass_control",
                                    "gen_ai.transfer.target.name": "critic",
                                    "gen_ai.transfer.target.type": "agent",
                                },
                            },
                        ],
                    },
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_an_agent_as_a_tool(model: LlmServer) -> None:
    """An agent that is another's tool is below that tool, in the same trace."""
    inner = guide(model, weather, name="inner").as_tool(tool_name="inner", tool_description="Ask the inner one.")
    with capture() as captured:
        ask(guide(model, inner), "inner(weather[Paris])")

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow",
            [
                "invoke_agent guide",
                ["chat gpt-4.1", "chat gpt-4.1", "execute_tool inner", ["invoke_agent inner", ["chat gpt-4.1"]]],
            ],
        ]
    )
    holds_together(captured, model)


def test_guardrails(model: LlmServer) -> None:
    """A guardrail is a span, and the run that it stops has failed."""

    @agents.input_guardrail
    async def polite(context: Any, agent: Any, given: Any) -> Any:
        return agents.GuardrailFunctionOutput(output_info=None, tripwire_triggered="rude" in str(given))

    guarded = guide(model, input_guardrails=[polite])
    with capture() as captured:
        ask(guarded, "hello")
    assert names(captured.tree()) == snapshot(["invoke_agent guide", ["chat gpt-4.1", "guardrail polite"]])
    holds_together(captured, model)

    with capture() as captured, pytest.raises(agents.InputGuardrailTripwireTriggered):
        ask(guarded, "rude")
    assert names(captured.tree()) == snapshot(["invoke_agent guide ERROR", ["guardrail polite"]])


def test_a_session_is_a_conversation(model: LlmServer) -> None:
    """All spans of a run with a session are of its conversation."""
    session = agents.SQLiteSession("thread-1")
    with capture() as captured:
        ask(guide(model), "weather(Paris)", session=session)

    assert {(span.attributes or {}).get("gen_ai.conversation.id") for span in captured.spans} == {"thread-1"}
    session.close()


def test_spans_of_the_program_lie_between(model: LlmServer, own_tracing: str) -> None:
    """A span of the program's own is between the tool that opens it and what it calls; its own trace is around."""

    @agentops_otel.record_action("own")
    async def own(city: str) -> Any:
        return (await Runner.run(guide(model, weather, name="inner"), f"weather({city})")).final_output

    @function_tool
    async def look(city: str) -> Any:
        """Look."""
        return await own(city)

    first = ["chat gpt-4.1", "chat gpt-4.1", "execute_tool look"]
    inner = ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather"]
    runs = [
        "invoke_agent guide",
        [*first, ["own", ["invoke_agent inner", inner]]],
        "invoke_agent guide",
        ["chat gpt-4.1"],
    ]
    traced: Any = ["invoke_workflow mine", runs]
    with capture() as captured, agents.trace("mine", group_id="group-1"):
        ask(guide(model, look), "look(Paris)")
        ask(guide(model, look), "hello")

    assert names(captured.tree()) == (traced if own_tracing == "traced" else traced[1])
    holds_together(captured, model, traces=1 if own_tracing == "traced" else 2)


IMPORTS = "import agents\nfrom openai import AsyncOpenAI"
WORK = """
agents.set_tracing_disabled(True)
chat = agents.OpenAIChatCompletionsModel("gpt-4.1", AsyncOpenAI(base_url="{}/v1", api_key="none"))
agents.Runner.run_sync(agents.Agent(name="guide", model=chat), "hello")
"""


class TestAgent(Contract):
    """An agent, with the package's own tracing on and off."""

    run: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    cancelled: ClassVar = ["invoke_agent guide ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]]
    program: ClassVar = (IMPORTS, WORK)
    found: ClassVar = ["chat gpt-4.1", "invoke_agent guide"]
    disabled: ClassVar = {"openai-agents": ["chat gpt-4.1"]}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        agent = guide(server, weather_with_a_span, broken, *map(function_tool, tools))
        return (await Runner.run(agent, task)).final_output

    async def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        async for event in Runner.run_streamed(guide(server, weather_with_a_span), task).stream_events():
            yield event

    def test_a_stream_that_is_left(self, model: LlmServer) -> None:
        """A stream that the program leaves and cancels ends all its spans."""

        async def leave() -> None:
            result = Runner.run_streamed(guide(model), "weather(Paris)")
            async for event in result.stream_events():
                if event.type == "run_item_stream_event":
                    break
            result.cancel()
            assert not get_current_span().get_span_context().is_valid

        with capture() as captured:
            asyncio.run(leave())

        assert names(captured.tree()) == snapshot(["invoke_agent guide", ["chat gpt-4.1"]])
        holds_together(captured, model)
