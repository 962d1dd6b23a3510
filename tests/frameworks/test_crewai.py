"""CrewAI, the real package: whole trees of crews and flows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import get_current_span

from agentops_otel.frameworks.crewai import CREWAI
from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.runs import cancel
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer
from tests.program import TIMEOUT_S

pytest.importorskip("crewai", reason="crewai is not installed")

from crewai import LLM, Agent, Crew, Task
from crewai.events import crewai_event_bus
from crewai.events.base_events import BaseEvent
from crewai.flow.flow import Flow, listen, start
from crewai.tools import tool

pytestmark = pytest.mark.filterwarnings("ignore")  # of its own, in each crew

crewai_event_bus._ensure_executor_initialized()
_all = Barrier(crewai_event_bus._sync_executor._max_workers)
for _ in range(_all.parties):  # its threads stay
    crewai_event_bus._sync_executor.submit(_all.wait)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes to its makers."""
    monkeypatch.setenv("CREWAI_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("CREWAI_DISABLE_TRACKING", "true")
    monkeypatch.setenv("CREWAI_TRACING_ENABLED", "false")


@tool("weather")
def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


@tool("broken")
def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def crew(server: LlmServer, question: str, *tools: Any, **more: Any) -> Any:
    """A crew of one agent with one task; by default with a tool that works and one that fails."""
    llm = LLM(model="openai/gpt-4.1", base_url=f"{server.url}/v1", api_key="none")
    guide = Agent(
        role="guide", goal="Say the weather.", backstory="Local.", llm=llm, tools=list(tools or (weather, broken))
    )
    task = Task(name="trip", description=question, expected_output="The weather.", agent=guide)
    return Crew(**{"name": "travel", "agents": [guide], "tasks": [task], "verbose": False, **more})


def test_a_crew_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """Crew, task, agent and tools are below each other, and a tool that fails is an error of its own alone."""
    with capture() as captured:
        result = crew(model, "weather(Paris) broken(Rome)").kickoff()

    assert result.raw == "It is 21 degrees in Paris."
    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_workflow travel",
                "attributes": {
                    "agentops.entity.output": '"It is 21 degrees in Paris."',
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "travel",
                },
                "children": [
                    {
                        "name": "task trip",
                        "attributes": {
                            "agentops.entity.input": '"weather(Paris) broken(Rome)"',
                            "agentops.entity.output": '"It is 21 degrees in Paris."',
                            "agentops.span.kind": "task",
                        },
                        "children": [
                            {
                                "name": "invoke_agent guide",
                                "attributes": {
                                    "agentops.entity.output": '"It is 21 degrees in Paris."',
                                    "gen_ai.agent.description": "Say the weather.",
                                    "gen_ai.agent.name": "guide",
                                    "gen_ai.operation.name": "invoke_agent",
                                },
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
                                            "gen_ai.tool.call.result": '"sunny in Paris"',
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
                                ],
                            }
                        ],
                    }
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_a_crew_that_is_awaited(model: LlmServer) -> None:
    """Both of its async forms are told as the sync one."""

    async def both() -> None:
        await crew(model, "weather(Paris)").kickoff_async()
        await crew(model, "weather(Rome)").akickoff()

    with capture() as captured:
        asyncio.run(both())

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow travel",
            [
                "task trip",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
            ],
            "invoke_workflow travel",
            [
                "task trip",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
            ],
        ]
    )
    holds_together(captured, model, traces=2)


def test_crews_at_once(model: LlmServer) -> None:
    """Crews beside each other, in threads or in tasks, have a trace each."""

    async def together() -> None:
        await asyncio.gather(*(crew(model, f"weather({city})").akickoff() for city in ("Paris", "Rome")))

    with capture() as captured, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda city: crew(model, f"weather({city})").kickoff(), ("Oslo", "Bern")))
        asyncio.run(together())

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow travel",
            [
                "task trip",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
            ],
            "invoke_workflow travel",
            [
                "task trip",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
            ],
            "invoke_workflow travel",
            [
                "task trip",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
            ],
            "invoke_workflow travel",
            [
                "task trip",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
            ],
        ]
    )
    holds_together(captured, model, traces=4)


def test_a_run_in_a_thread_that_is_cancelled(model: LlmServer) -> None:
    """`kickoff_async` goes on in its thread when it is cancelled, and so do its spans, to their own ends."""

    async def cancelled() -> None:
        loop, began, go_on = asyncio.get_running_loop(), asyncio.Event(), Event()

        @tool("wait")
        def wait(city: str) -> str:
            """Wait."""
            loop.call_soon_threadsafe(began.set)
            go_on.wait(TIMEOUT_S)
            return city

        asyncio.get_running_loop().set_default_executor(pool := ThreadPoolExecutor(4))
        try:
            await cancel(crew(model, "wait(Paris)", wait).kickoff_async(), began)
            ended.extend(captured.spans)
        finally:
            go_on.set()
            pool.shutdown()

    ended: list[Any] = []
    with capture() as captured:
        asyncio.run(cancelled())

    assert [span.name for span in ended] == snapshot(["chat gpt-4.1"])
    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow travel",
            ["task trip", ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool wait"]]],
        ]
    )
    holds_together(captured, model)


def test_a_run_that_is_cancelled(model: LlmServer) -> None:
    """A cancelled run ends all its spans when it is cancelled; what was cancelled has failed."""

    async def cancelled() -> None:
        loop, began, go_on = asyncio.get_running_loop(), asyncio.Event(), Event()

        @tool("wait")
        def wait(city: str) -> str:
            """Wait."""
            loop.call_soon_threadsafe(began.set)
            go_on.wait(TIMEOUT_S)
            return city

        asyncio.get_running_loop().set_default_executor(pool := ThreadPoolExecutor(4))
        try:
            await cancel(crew(model, "wait(Paris)", wait).akickoff(), began)
            ended.extend(names(captured.tree()))
        finally:
            go_on.set()
            pool.shutdown()

    ended: list[Any] = []
    with capture() as captured:
        asyncio.run(cancelled())

    assert ended == snapshot(
        [
            "invoke_workflow travel ERROR",
            ["task trip ERROR", ["invoke_agent guide ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]]],
        ]
    )
    holds_together(captured, model)


def test_a_stream_that_is_left(model: LlmServer) -> None:
    """CrewAI lets one that is left run to its end."""

    def left() -> None:
        streamed = crew(model, "weather(Rome)", stream=True).kickoff()
        next(iter(streamed))
        streamed.close()

    with capture() as captured:
        left()
        assert not get_current_span().get_span_context().is_valid

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow travel",
            [
                "task trip",
                ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
            ],
        ]
    )
    holds_together(captured, model)


def test_a_flow(model: LlmServer) -> None:
    """A flow is a workflow, its methods are spans, and a crew in one is below it."""

    class Trip(Flow[Any]):  # type: ignore[misc]  # of a package that is seldom installed
        @start()
        def plan(self) -> str:
            return str(crew(model, "weather(Paris)").kickoff().raw)

        @listen(plan)
        async def check(self, found: str) -> str:
            return str((await crew(model, "weather(Rome)").akickoff()).raw)

    with capture() as captured:
        assert Trip().kickoff() == "It is 21 degrees in Paris."

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow Trip",
            [
                "method check",
                [
                    "invoke_workflow travel",
                    [
                        "task trip",
                        ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
                    ],
                ],
                "method plan",
                [
                    "invoke_workflow travel",
                    [
                        "task trip",
                        ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]],
                    ],
                ],
            ],
        ]
    )
    holds_together(captured, model)


def test_a_crew_that_fails(model: LlmServer) -> None:
    """What fails is an error up to the crew, and the program gets the exception."""

    def refuse(output: Any) -> Any:
        raise KeyError("refused")

    failing = crew(model, "hello")
    failing.tasks[0].callback = refuse
    with capture() as captured, pytest.raises(KeyError):
        failing.kickoff()

    assert names(captured.tree()) == snapshot(
        ["invoke_workflow travel ERROR", ["task trip ERROR", ["invoke_agent guide", ["chat gpt-4.1"]]]]
    )
    holds_together(captured, model)


WORK = """
llm = crewai.LLM(model="openai/gpt-4.1", base_url="{}/v1", api_key="none")
guide = crewai.Agent(role="guide", goal="Talk.", backstory="Local.", llm=llm)
task = crewai.Task(name="trip", description="hello", expected_output="Words.", agent=guide)
crewai.Crew(name="travel", agents=[guide], tasks=[task], verbose=False).kickoff()
"""


def _tool(function: Callable[[str], Coroutine[Any, Any, str]]) -> Any:
    """A tool that waits for the function."""

    @tool(function.__name__)
    def call(city: str) -> str:
        """Wait."""
        return asyncio.run(function(city))

    return call


class TestCrew(Contract):
    """A crew of one agent, awaited."""

    test_a_run_that_is_cancelled = None  # type: ignore[assignment]  # see above
    test_a_stream_that_is_left = None  # type: ignore[assignment]  # see above
    run: ClassVar = [
        "invoke_workflow travel",
        ["task trip", ["invoke_agent guide", ["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]],
    ]
    program: ClassVar = ("import crewai", WORK)
    found: ClassVar = ["chat gpt-4.1", "invoke_agent guide", "task trip", "invoke_workflow travel"]
    disabled: ClassVar = {"crewai": ["chat gpt-4.1"]}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the crew."""
        return (await crew(server, task, weather, broken, *map(_tool, tools)).akickoff()).raw

    async def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        for item in crew(server, task, stream=True).kickoff():
            yield item


@pytest.mark.parametrize(
    ("began", "operation"),
    [
        *(("crew_kickoff", "invoke_workflow"), ("flow", "invoke_workflow"), ("method_execution", "method")),
        *(("task", "task"), ("agent_execution", "invoke_agent"), ("lite_agent_execution", "invoke_agent")),
        *(("tool_usage", "execute_tool"), ("memory_query", "search_memory"), ("memory_save", "upsert_memory")),
        *(("knowledge_search_query", "retrieval"), ("llm_guardrail", "guardrail")),
    ],
)
def test_each_kind_of_event_is_a_step(began: str, operation: str) -> None:
    """Of one kind."""
    started = {"type": began, "event": None, "source": None}

    assert [step.operation for step in CREWAI.steps if step.matches(started)] == [operation]


def test_what_is_kept_in_memory_is_told() -> None:
    """It is what the event has."""
    (saved,) = (step for step in CREWAI.steps if step.operation == "upsert_memory")

    assert saved.content == {"agentops.entity.input": "event.value"}


def test_a_program_gets_the_future_of_its_events_handlers() -> None:
    """What the bus returns is the program's."""

    class Noted(BaseEvent):  # type: ignore[misc]  # crewai is not installed here
        type: str = "noted"

    heard: list[object] = []
    with capture(), crewai_event_bus.scoped_handlers():
        crewai_event_bus.on(Noted)(lambda source, event: heard.append(source))
        future = crewai_event_bus.emit("program", Noted())

        assert future is not None
        assert future.result(60) is None
    assert heard == ["program"]
