"""Agno, the real package: whole trees of agents, teams, workflows and tools."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import get_current_span

from agentops_otel.testing import capture
from tests.e2e.launcher import launch
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.runs import assert_unchanged
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer
from tests.loopback.otlp_sink import OtlpSink

pytest.importorskip("agno.agent", reason="agno is not installed")

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team
from agno.workflow import Step, Workflow

pytestmark = pytest.mark.filterwarnings("ignore")  # of its own


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes to its makers."""
    monkeypatch.setenv("AGNO_TELEMETRY", "false")


def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def llm(server: LlmServer) -> Any:
    """The model."""
    return OpenAIChat(id="gpt-4.1", base_url=f"{server.url}/v1", api_key="none", max_retries=0)


def guide(server: LlmServer, *more: Any) -> Any:
    """An agent with a tool that works and one that fails."""
    return Agent(
        name="guide",
        description="Knows.",
        model=llm(server),
        tools=[weather, broken, *more],
        session_id="thread-1",
        telemetry=False,
    )


def test_an_agent_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """An agent is a span, and each of its tools; a tool that fails is an error of its own alone."""
    with capture() as captured:
        answered = guide(model).run("weather(Paris) broken(Rome)").content

    assert answered == "It is 21 degrees in Paris."
    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent guide",
                "attributes": {
                    "agentops.entity.input": '"weather(Paris) broken(Rome)"',
                    "agentops.entity.output": '"It is 21 degrees in Paris."',
                    "gen_ai.agent.description": "Knows.",
                    "gen_ai.agent.name": "guide",
                    "gen_ai.conversation.id": "thread-1",
                    "gen_ai.operation.name": "invoke_agent",
                },
                "children": [
                    {
                        "name": "chat gpt-4.1",
                        "attributes": {"gen_ai.agent.name": "guide", "gen_ai.conversation.id": "thread-1"},
                    },
                    {
                        "name": "chat gpt-4.1",
                        "attributes": {"gen_ai.agent.name": "guide", "gen_ai.conversation.id": "thread-1"},
                    },
                    {
                        "name": "execute_tool broken",
                        "status": "ERROR: tool_error",
                        "attributes": {
                            "error.type": "tool_error",
                            "gen_ai.agent.name": "guide",
                            "gen_ai.conversation.id": "thread-1",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                            "gen_ai.tool.call.id": "call_2",
                            "gen_ai.tool.description": "Fail.",
                            "gen_ai.tool.name": "broken",
                            "gen_ai.tool.type": "function",
                        },
                    },
                    {
                        "name": "execute_tool weather",
                        "attributes": {
                            "gen_ai.agent.name": "guide",
                            "gen_ai.conversation.id": "thread-1",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                            "gen_ai.tool.call.id": "call_1",
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
                                    "gen_ai.conversation.id": "thread-1",
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


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_team(model: LlmServer, is_async: bool, stream: bool) -> None:
    """A team is a workflow, and the agent that its leader asks is below the tool that asks it."""
    team = Team(name="travel", members=[guide(model)], model=llm(model), telemetry=False)

    async def run() -> None:
        answered = team.arun("delegate_task_to_member(guide)", stream=stream)
        if stream:
            _ = [one async for one in answered]
        else:
            await answered

    with capture() as captured:
        if is_async:
            asyncio.run(run())
        else:
            answered = team.run("delegate_task_to_member(guide)", stream=stream)
            list(answered if stream else ())

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow travel",
            [
                "chat gpt-4.1",
                "chat gpt-4.1",
                "execute_tool delegate_task_to_member",
                ["invoke_agent guide", ["chat gpt-4.1"]],
            ],
        ]
    )
    holds_together(captured, model)


@pytest.mark.parametrize("fails", [False, True])
def test_a_tool_that_is_a_generator(model: LlmServer, fails: bool) -> None:
    """It runs while its items are read, and ends with the last one or as it fails."""

    def report(city: str) -> Iterator[str]:
        """Report."""
        yield look_up(city)
        if fails:
            raise ValueError("no more")
        yield "and warm"

    with capture() as captured, suppress(ValueError):
        guide(model, report).run("report(Paris)")

    tool = next(span for span in captured.spans if span.name == "execute_tool report")
    assert tool.status.is_ok is not fails
    assert [span.name for span in captured.spans if span.parent and span.parent.span_id == tool.context.span_id] == [
        "look up"
    ]
    holds_together(captured, model)


@pytest.mark.parametrize("stream", [False, True])
def test_a_workflow(model: LlmServer, stream: bool) -> None:
    """A workflow is a span, and the agents of its steps are below it, streamed too."""
    workflow = Workflow(name="trip", steps=[Step(name="first", agent=guide(model))], telemetry=False)
    with capture() as captured:
        answered = workflow.run("weather(Paris)", stream=stream)
        if stream:
            list(answered)

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow trip",
            ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
        ]
    )
    holds_together(captured, model)


def test_a_stream(model: LlmServer) -> None:
    """A stream is told as a plain run, nothing of it is current in its reader, and one that is left is no error."""
    with capture() as captured:
        for _ in guide(model).run("weather(Paris)", stream=True):
            assert not get_current_span().get_span_context().is_valid
        left = guide(model).run("weather(Paris)", stream=True, stream_events=True)
        next(left)
        left.close()

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent guide",
            ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            "invoke_agent guide",
        ]
    )
    holds_together(captured, model, traces=2)


IMPORTS = "from agno.agent import Agent\nfrom agno.models.openai import OpenAIChat"
WORK = """
model = OpenAIChat(id="gpt-4.1", base_url="{}/v1", api_key="none")
Agent(name="guide", model=model, telemetry=False).run("hello")
"""


class TestAgent(Contract):
    """An agent whose runs are awaited."""

    run: ClassVar = ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    left: ClassVar = ["invoke_agent guide"]
    cancelled: ClassVar = ["invoke_agent guide ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]]
    program: ClassVar = (IMPORTS, WORK)
    found: ClassVar = ["chat gpt-4.1", "invoke_agent guide"]
    disabled: ClassVar = {"agno": ["chat gpt-4.1"]}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        return (await guide(server, *tools).arun(task)).content

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        found: AsyncIterator[object] = guide(server).arun(task, stream=True, stream_events=True)
        return found


def test_two_runs_in_threads(model: LlmServer) -> None:
    """Runs beside each other have a trace each."""
    with capture() as captured, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda city: guide(model).run(f"weather({city})"), ("Oslo", "Bern")))

    assert names(captured.tree()) == [*TestAgent.run, *TestAgent.run]
    holds_together(captured, model, traces=2)


@pytest.mark.parametrize("stream", [False, True])
def test_the_program_gets_what_it_gets_without_us(model: LlmServer, stream: bool) -> None:
    """Result, or the kinds of what is streamed, and requests are the same with us as without."""

    def work() -> Any:
        result = guide(model).run("weather(Paris) broken(Rome)", stream=stream)
        return list(map(type, result)) if stream else result.content

    assert_unchanged(work, model)


def test_the_command_of_opentelemetry(model: LlmServer, tmp_path: Path) -> None:
    """Under `opentelemetry-instrument` a framework's agents need no line of code.

    It takes long: the launcher and the program are a process each, and the second imports the framework.
    """
    program = "\n".join((IMPORTS, WORK.format(model.url)))
    with OtlpSink() as sink:
        launch(program, tmp_path, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint)

    assert [span.name for received in sink.received for span in received.spans] == [
        "chat gpt-4.1",
        "invoke_agent guide",
    ]
