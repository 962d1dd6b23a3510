"""The LLM calls of TaskWeaver: each told once, in its place, by the client library or else by us."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import SpanKind

from agentops_otel.testing import Capture, capture
from tests.loopback.taskweaver_llm import Failure, Held, ScriptedLLM, code, final, plan
from tests.taskweaver.conftest import MakeApp
from tests.taskweaver.shown import names, outline


@pytest.fixture(params=[True, False], ids=["client's span", "our span"])
def either(request: pytest.FixtureRequest) -> Iterator[Capture]:
    """The spans of one test, with the LLM client wrapped and without."""
    with capture(tags=("mine",), instrument_llm_calls=request.param) as captured:
        yield captured


@pytest.fixture
def ours() -> Iterator[Capture]:
    """The spans of one test, with the LLM client left alone."""
    with capture(tags=("mine",), instrument_llm_calls=False) as captured:
        yield captured


def test_every_call_once(session: Any, llm: ScriptedLLM, either: Capture) -> None:
    """There is one span a call, of kind CLIENT and under the reply it is for, whoever makes it."""
    llm.script(plan("compute"), code("1"), final("done"))

    session.send_message("compute")

    chats = [span for span in either.spans if span.kind is SpanKind.CLIENT]
    assert len(chats) == len(llm.requests) == 3
    assert [(span.attributes or {})["gen_ai.request.model"] for span in chats] == ["scripted-model"] * 3
    assert [name for name in names(either) if "kernel" not in name] == snapshot(
        [
            "invoke_workflow taskweaver",
            "  invoke_agent Planner",
            "    chat scripted-model",
            "  invoke_agent CodeInterpreter",
            "    chat scripted-model",
            "    execute_tool python",
            "  invoke_agent Planner",
            "    chat scripted-model",
        ]
    )


def test_our_span(session: Any, llm: ScriptedLLM, ours: Capture) -> None:
    """Where the client is not wrapped, our span says what TaskWeaver asked for and what it got."""
    llm.script(final("hello"))

    session.send_message("hello")

    (chat,) = [span for span in ours.spans if span.kind is SpanKind.CLIENT]
    attributes = dict(chat.attributes or {})
    asked = json.loads(str(attributes.pop("gen_ai.input.messages")))
    assert asked[0]["role"] == "system"
    assert "hello" in str(attributes.pop("gen_ai.output.messages"))
    del attributes["gen_ai.conversation.id"], attributes["session.id"]
    assert attributes == snapshot(
        {
            "agentops.tags": ("mine", "taskweaver"),
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "scripted-model",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.stream": True,
            "gen_ai.request.temperature": 0.0,
            "gen_ai.request.max_tokens": 1024,
            "gen_ai.request.top_p": 0.0,
            "gen_ai.request.seed": 123456,
            "gen_ai.request.frequency_penalty": 0.0,
            "gen_ai.request.presence_penalty": 0.0,
        }
    )


def test_our_span_of_a_failure(session: Any, llm: ScriptedLLM, ours: Capture) -> None:
    """A call that fails is told as failed, where the client is not wrapped."""
    llm.script(*[Failure(status=500)] * 3)

    session.send_message("hello")

    assert outline(ours) == snapshot("""\
invoke_workflow taskweaver ERROR: Exception: OpenAI API returned an API Error: Error code: 500 - scripted
  - error.type='Exception'  round.state='failed'
  invoke_agent Planner ERROR: OpenAI API returned an API Error: Error code: 500 - scripted
    - error.type='Exception'
    chat scripted-model ERROR: OpenAI API returned an API Error: Error code: 500 - scripted
      - error.type='Exception'
""")


def test_early_stop(session: Any, llm: ScriptedLLM, either: Capture) -> None:
    """TaskWeaver stops reading when it has its code: the call's span ends then, and says that it was cut short."""
    held = Held(text=code("1"), rest=" " * 40)
    llm.script(plan("compute"), held, final("done"))

    session.send_message("compute", event_handler=Releasing(held))

    for thread in threading.enumerate():
        if "base_stream_puller" in thread.name:
            thread.join(10)
    abandoned = ["agentops.stream.abandoned" in (span.attributes or {}) for span in _chats(either)]
    assert abandoned == [False, True, False]


def test_compression(make_app: MakeApp, llm: ScriptedLLM, either: Capture) -> None:
    """The summary of earlier rounds is a step of the reply, with the call that it makes, tokens and all."""
    app = make_app(
        **{
            "planner.prompt_compression": True,
            "round_compressor.rounds_to_compress": 1,
            "round_compressor.rounds_to_retain": 1,
        }
    )
    session = app.get_session()
    llm.script(final("one"), "the story so far", final("two"))
    session.send_message("first")
    either.clear()

    session.send_message("second")

    assert names(either) == snapshot(
        [
            "invoke_workflow taskweaver",
            "  invoke_agent Planner",
            "    taskweaver.compress",
            "      chat scripted-model",
            "    chat scripted-model",
        ]
    )


def test_embeddings(make_app: MakeApp, llm: ScriptedLLM, either: Capture) -> None:
    """Plugin selection is a step of the reply, with the embedding that it asks for."""
    about = "name: {0}\nenabled: true\ndescription: does {0}\nparameters: []\nreturns: []\n"
    plugins = {f"{name}.yaml": about.format(name) for name in ("one", "two")}
    source = (
        "from taskweaver.plugin import Plugin, register_plugin\n\n"
        "@register_plugin\nclass It(Plugin):\n    def __call__(self):\n        return 1\n"
    )
    plugins |= {f"{name}.py": source for name in ("one", "two")}
    app = make_app(plugins=plugins)
    selector = _selector(app)

    selector.refresh()

    assert [span.name for span in either.spans] == ["embeddings scripted-embedding"]


class Releasing:
    """Lets the rest of the answer come once TaskWeaver has stopped reading it."""

    def __init__(self, held: Held) -> None:
        self.held = held

    def handle(self, event: Any) -> None:
        """Look for what TaskWeaver does next."""
        if event.msg == "verifying code":
            self.held.event.set()


def _selector(app: Any) -> Any:
    from taskweaver.code_interpreter.plugin_selection import PluginSelector
    from taskweaver.llm import LLMApi
    from taskweaver.memory.plugin import PluginRegistry

    return PluginSelector(app.app_injector.get(PluginRegistry), app.app_injector.get(LLMApi))


def _chats(captured: Capture) -> list[Any]:
    return sorted(
        (span for span in captured.spans if span.kind is SpanKind.CLIENT), key=lambda span: span.start_time or 0
    )
