"""DSPy, the real package: whole trees of modules, agents and tools."""

import asyncio
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import get_current_span

import agentops_otel
from agentops_otel.export.file import read
from agentops_otel.testing import capture
from tests.frameworks import test_examples
from tests.frameworks.runs import assert_unchanged, cancel
from tests.frameworks.shown import holds_together, names, shown
from tests.frameworks.whole_program import spans
from tests.loopback.llm_server import Answer, LlmServer, Request
from tests.loopback.openai_server import answer, completion

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # before the import, which fetches it otherwise
pytest.importorskip("dspy", reason="dspy is not installed")

import dspy

pytestmark = pytest.mark.filterwarnings("ignore")  # of its own


def script(request: Request) -> Answer:
    """The fields that the prompt asks for: one tool a turn, as the question says, and then an answer."""
    said = request.json["messages"][-1]["content"]
    asked = [tool for tool in ("weather", "broken", "wait") if f"{tool}(Paris)" in said]
    tool = [*asked, "finish"][min(said.count("[[ ## observation_"), len(asked))]
    fields = {
        "next_thought": "So it is.",
        "next_tool_name": tool,
        "next_tool_args": {} if tool == "finish" else {"city": "Paris"},
        "reasoning": "It is known.",
        "answer": "It is 21 degrees in Paris.",
    }
    return answer(
        completion({"role": "assistant", "content": json.dumps(fields)}), stream=bool(request.json.get("stream"))
    )


@pytest.fixture
def model(caplog: pytest.LogCaptureFixture) -> Iterator[LlmServer]:
    """The model, asked by litellm, which has spans of its own; neither we nor OpenTelemetry log anything."""
    with LlmServer(script) as server:
        yield server
    said = [record for record in caplog.records if record.name.startswith(("agentops_otel", "opentelemetry"))]
    assert [record.getMessage() for record in said if record.levelname in ("WARNING", "ERROR")] == []


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


def asking(server: LlmServer) -> Any:
    """The settings of a run."""
    lm = dspy.LM(
        "openai/gpt-4.1", api_base=f"{server.url}/v1", api_key="none", cache=False, num_retries=0, engine="litellm"
    )
    return dspy.context(lm=lm, adapter=dspy.JSONAdapter())


def ask(server: LlmServer, question: str) -> str:
    """The answer of an agent with a tool that works and one that fails."""
    with asking(server):
        return str(dspy.ReAct("question -> answer", tools=[weather, broken], max_iters=3)(question=question).answer)


def test_an_agent_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """An agent is a span, and each of its tools; a tool that fails is an error of its own alone."""
    with capture() as captured:
        answered = ask(model, "weather(Paris) broken(Paris)")

    assert answered == "It is 21 degrees in Paris."
    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent",
                "attributes": {
                    "agentops.entity.input": '{"question":"weather(Paris) broken(Paris...',
                    "agentops.entity.output": '{"trajectory":{"thought_0":"So it is.","...',
                    "gen_ai.operation.name": "invoke_agent",
                },
                "children": [
                    {"name": "chat gpt-4.1"},
                    {"name": "chat gpt-4.1"},
                    {"name": "chat gpt-4.1"},
                    {"name": "chat gpt-4.1"},
                    {
                        "name": "execute_tool broken",
                        "status": "ERROR: no weather in Paris",
                        "attributes": {
                            "error.type": "ValueError",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
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


class Travel(dspy.Module):  # type: ignore[misc]  # of a package that is seldom installed
    """A module of the program's own, with one in it."""

    def __init__(self) -> None:
        super().__init__()
        self.plan = Plan()

    def forward(self, question: str) -> Any:
        """Plan, and ask the agent."""
        look_up("Rome")
        return dspy.ReAct("question -> answer", tools=[weather])(question=self.plan(question=question).answer)


class Plan(dspy.Module):  # type: ignore[misc]  # as above
    """A module in a module."""

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.ChainOfThought("question -> answer")

    def forward(self, question: str) -> Any:
        """Ask the model."""
        return self.predict(question=question)


def test_modules_of_the_program(model: LlmServer) -> None:
    """A module of the program is a workflow, those in it spans below it; DSPy's own are none."""
    with capture() as captured, asking(model):
        Travel()(question="weather")

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow Travel",
            ["invoke_agent", ["chat gpt-4.1", "chat gpt-4.1"], "look up", "module Plan", ["chat gpt-4.1"]],
        ]
    )
    holds_together(captured, model)


def test_an_agent_that_is_awaited(model: LlmServer) -> None:
    """An async run is told as a sync one; two at once have a trace each."""

    async def one() -> None:
        with asking(model):
            await dspy.ReAct("question -> answer", tools=[weather]).acall(question="weather(Paris)")

    async def both() -> None:
        await asyncio.gather(one(), one())

    with capture() as captured:
        asyncio.run(both())

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent",
            ["chat gpt-4.1", "chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            "invoke_agent",
            ["chat gpt-4.1", "chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
        ]
    )
    holds_together(captured, model, traces=2)


def test_two_runs_at_once(model: LlmServer) -> None:
    """Runs beside each other in threads have a trace each."""
    with capture() as captured, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: ask(model, "weather(Paris)"), range(2)))

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent",
            ["chat gpt-4.1", "chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            "invoke_agent",
            ["chat gpt-4.1", "chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
        ]
    )
    holds_together(captured, model, traces=2)


def test_modules_in_parallel(model: LlmServer) -> None:
    """What DSPy runs in threads of its own is below the module that runs it."""

    class Both(dspy.Module):  # type: ignore[misc]  # as above
        def forward(self, question: str) -> Any:
            agent = dspy.ReAct("question -> answer", tools=[weather])
            given = dspy.Example(question=question).with_inputs("question")
            return dspy.Parallel(disable_progress_bar=True)([(agent, given), (agent, given)])

    with capture() as captured, asking(model):
        Both()(question="weather(Paris)")

    assert names(captured.tree()) == snapshot(
        [
            "invoke_workflow Both",
            [
                "invoke_agent",
                ["chat gpt-4.1", "chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
                "invoke_agent",
                ["chat gpt-4.1", "chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]],
            ],
        ]
    )
    holds_together(captured, model)


def test_a_stream_and_one_that_is_left(model: LlmServer) -> None:
    """A streamed run is told as a plain one, and nothing is current in its reader; one that is left ends."""

    async def run() -> None:
        with asking(model):
            streamed = dspy.streamify(dspy.ReAct("question -> answer", tools=[weather]), is_async_program=True)
            async for _ in streamed(question="weather(Paris)"):
                assert not get_current_span().get_span_context().is_valid
            left = streamed(question="weather(Paris)")
            async for _ in left:
                break
            await left.aclose()

    with capture() as captured:
        asyncio.run(run())
        ended = names(captured.tree())

    assert ended[0:2] == snapshot(
        ["invoke_agent", ["chat gpt-4.1", "chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", ["look up"]]]
    )
    assert [name.removesuffix(" ERROR") for name in ended[2::2]] == ["invoke_agent"]


def test_a_run_that_is_cancelled(model: LlmServer) -> None:
    """A cancelled run ends all its spans; what was cancelled has failed."""

    async def cancelled() -> None:
        began = asyncio.Event()

        async def wait(city: str) -> str:
            """Wait."""
            began.set()
            await asyncio.Event().wait()
            return city

        with asking(model):
            await cancel(dspy.ReAct("question -> answer", tools=[wait]).acall(question="wait(Paris)"), began)

    with capture() as captured:
        asyncio.run(cancelled())

    assert names(captured.tree()) == snapshot(["invoke_agent ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]])
    holds_together(captured, model)


def test_the_example(model: LlmServer, tmp_path: Path) -> None:
    """The program in examples/frameworks has a span for the agent, its tool and each LLM call."""
    test_examples.ask("dspy_agent", model, tmp_path / "spans.jsonl")

    found = sorted(span.name for span in read(tmp_path / "spans.jsonl") if isinstance(span, ReadableSpan))
    assert found == [*["chat gpt-4.1"] * len(model.requests), "execute_tool weather", "invoke_agent"]


def test_callbacks_of_the_program(model: LlmServer) -> None:
    """The program's callbacks are called as without us, and are what its settings hold."""
    heard: list[str] = []

    class Callback(dspy.utils.BaseCallback):  # type: ignore[misc]  # as above
        def on_tool_start(self, call_id: str, instance: Any, inputs: Any) -> None:
            heard.append(instance.name)

    with capture() as captured, dspy.context(callbacks=[Callback()]):
        ask(model, "weather(Paris)")
        assert len(dspy.settings.callbacks) == 1

    assert heard == ["weather", "finish"]
    holds_together(captured, model)


def test_the_program_gets_what_it_gets_without_us(model: LlmServer) -> None:
    """Result and requests are the same with us as without."""
    assert_unchanged(lambda: ask(model, "weather(Paris)"), model)


def test_content_off(model: LlmServer) -> None:
    """Without content the steps are there, and none of what was said."""
    with capture(capture_content=False) as captured:
        ask(model, "weather(Paris)")

    assert "execute_tool weather" in str(captured.tree())
    assert "Paris" not in str(captured.tree())


WORK = """
lm = dspy.LM("openai/gpt-4.1", api_base="{}/v1", api_key="none", cache=False, engine="litellm")
dspy.configure(lm=lm, adapter=dspy.JSONAdapter())
dspy.ReAct("question -> answer", tools=[])(question="hello")
"""


@pytest.mark.parametrize(
    ("how", "agents"),
    [({"imported": "before"}, 1), ({"imported": "after"}, 1), ({"disabled": "dspy"}, 0)],
    ids=str,
)
def test_a_whole_program(model: LlmServer, how: dict[str, str], agents: int) -> None:
    """It does not matter whether the package is imported before `init()`, and its name switches it off."""
    assert spans("import dspy", WORK.format(model.url), **how).count("invoke_agent") == agents
