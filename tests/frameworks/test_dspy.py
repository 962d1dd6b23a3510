"""DSPy, the real package: whole trees of modules, agents and tools."""

import gc
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export.file import read
from agentops_otel.testing import capture
from tests.frameworks import test_examples
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.runs import assert_unchanged
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import Answer, LlmServer, Request
from tests.loopback.openai_server import answer, completion

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # before the import, which fetches it otherwise
pytest.importorskip("dspy", reason="dspy is not installed")

import dspy

pytestmark = pytest.mark.filterwarnings("ignore")  # of its own


def script(request: Request) -> Answer:
    """The fields that the prompt asks for: one tool a turn, as the question says, and then an answer."""
    said = request.json["messages"][-1]["content"]
    question = said.partition("[[ ## question ## ]]")[2].partition("[[ ##")[0]
    calls = [*re.findall(r"(\w+)\((\w+)\)", question), ("finish", "")]
    tool, city = calls[min(said.count("[[ ## observation_"), len(calls) - 1)]
    fields = {
        "next_thought": "So it is.",
        "next_tool_name": tool,
        "next_tool_args": {"city": city} if city else {},
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
    gc.collect()  # what a left stream leaves; within `ast.parse`, which snapshots call, CPython 3.11 fails at that
    said = [record for record in caplog.records if record.name.startswith(("agentops_otel", "opentelemetry"))]
    assert [record.getMessage() for record in said if record.levelname in ("WARNING", "ERROR")] == []


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


def agent(*tools: Any) -> Any:
    """An agent with a tool that works, one that fails, and others."""
    return dspy.ReAct("question -> answer", tools=[weather, broken, *tools], max_iters=3)


def ask(server: LlmServer, question: str) -> str:
    """What the agent answers."""
    with asking(server):
        return str(agent()(question=question).answer)


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


WORK = """
lm = dspy.LM("openai/gpt-4.1", api_base="{}/v1", api_key="none", cache=False, engine="litellm")
dspy.configure(lm=lm, adapter=dspy.JSONAdapter())
dspy.ReAct("question -> answer", tools=[])(question="hello")
"""


class TestAgent(Contract):
    """An agent whose runs are awaited."""

    run: ClassVar = ["invoke_agent", [*["chat gpt-4.1"] * 3, "execute_tool weather", ["look up"]]]
    left: ClassVar = ["invoke_agent", ["chat gpt-4.1"]]
    cancelled: ClassVar = ["invoke_agent ERROR", ["chat gpt-4.1", "execute_tool wait ERROR"]]
    program: ClassVar = ("import dspy", WORK)
    found: ClassVar = ["chat gpt-4.1", "chat gpt-4.1", "invoke_agent"]
    disabled: ClassVar = {"dspy": ["chat gpt-4.1", "chat gpt-4.1"]}
    test_parallel_tools = None  # type: ignore[assignment]  # it runs one tool a turn

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Run the agent."""
        with asking(server):
            return (await agent(*tools).acall(question=task)).answer

    async def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """Stream the run."""
        with asking(server):
            async with aclosing(dspy.streamify(agent(), is_async_program=True)(question=task)) as found:
                async for item in found:
                    yield item

    def test_the_program_gets_what_it_gets_without_us(self, model: LlmServer) -> None:
        """DSPy sends the model a failed tool's traceback, which says whether there is a callback: there is one here."""
        with dspy.context(callbacks=[dspy.utils.BaseCallback()]):
            super().test_the_program_gets_what_it_gets_without_us(model)
        assert_unchanged(lambda: ask(model, "weather(Paris)"), model)
