"""The LLM calls of TaskWeaver: each told once, in its place, by the client library or else by us."""

import json
import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.context import get_current
from opentelemetry.trace import SpanKind

from agentops_otel import semconv
from agentops_otel.taskweaver import calls
from agentops_otel.testing import Capture, capture
from tests.loopback.taskweaver_llm import Failure, Held, ScriptedLLM, code, final, plan
from tests.taskweaver.conftest import MakeApp
from tests.taskweaver.shown import names, outline

OLLAMA = {"llm.api_type": "ollama", "llm.embedding_api_type": "ollama"}


@pytest.fixture(scope="module")
def ollama(make_app: MakeApp, llm: ScriptedLLM) -> Any:
    """An app whose LLM TaskWeaver asks by itself, without a client: the span is ours."""
    return make_app(**OLLAMA | {"llm.api_base": llm.url.removesuffix("/v1")})


@pytest.fixture(scope="module", params=["client's span", "our span"])
def either(request: pytest.FixtureRequest, app: Any) -> Any:
    """A session whose LLM calls are told by the client library, and one where they are told by us."""
    return (app if request.param == "client's span" else request.getfixturevalue("ollama")).get_session()


def test_every_call_once(either: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """There is one span a call, of kind CLIENT, with its tokens and under the reply it is for, whoever makes it.

    A kernel takes seconds to start.
    """
    llm.script(plan("compute"), code("1"), final("done"))

    either.send_message("compute")

    chats = [span for span in traced.spans if span.kind is SpanKind.CLIENT]
    assert len(chats) == len(llm.requests) == 3
    assert [(span.attributes or {})["gen_ai.request.model"] for span in chats] == ["scripted-model"] * 3
    assert [(span.attributes or {})[semconv.GEN_AI_USAGE_INPUT_TOKENS] for span in chats] == [20] * 3
    assert [name for name in names(traced) if "kernel" not in name] == snapshot(
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


def test_our_span(ollama: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """Where there is no client, our span says what TaskWeaver asked for and what it got."""
    llm.script(final("hello"))

    ollama.get_session().send_message("hello")

    (chat,) = [span for span in traced.spans if span.kind is SpanKind.CLIENT]
    attributes = dict(chat.attributes or {})
    asked = json.loads(str(attributes.pop("gen_ai.input.messages")))
    assert asked[0]["role"] == "system"
    (answer,) = json.loads(str(attributes.pop("gen_ai.output.messages")))
    assert answer == {"role": "assistant", "parts": [{"type": "text", "content": final("hello")}]}
    del attributes["gen_ai.conversation.id"], attributes["session.id"]
    assert attributes == snapshot(
        {
            "agentops.tags": ("mine", "taskweaver"),
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "scripted-model",
            "gen_ai.provider.name": "ollama",
            "gen_ai.request.stream": True,
            "gen_ai.response.model": "scripted-model",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 20,
            "gen_ai.usage.output_tokens": 7,
        }
    )


def test_our_span_of_a_call_that_is_no_generator(ollama: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """`LLMApi.chat_completion` gives the whole answer at once."""
    llm.script("hello yourself")

    said = ollama.get_session().planner.llm_api.chat_completion([{"role": "user", "content": "hello"}])

    (chat,) = [span for span in traced.spans if span.kind is SpanKind.CLIENT]
    assert said["content"] == "hello yourself"
    (answer,) = json.loads(str((chat.attributes or {})["gen_ai.output.messages"]))
    assert answer == {"role": "assistant", "parts": [{"type": "text", "content": "hello yourself"}]}


def test_our_span_of_a_failure(ollama: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """A call that fails is told as failed, where there is no client."""
    llm.script(Failure(status=500))

    ollama.get_session().send_message("hello")

    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver ERROR: Exception: Failed to get completion with error code 500: {"error":
  {"message": "scripted"}}
  - error.type='Exception'  round.state='failed'
  invoke_agent Planner ERROR: Failed to get completion with error code 500: {"error": {"message": "scripted"}}
    - error.type='Exception'
    chat scripted-model ERROR: Failed to get completion with error code 500: {"error": {"message":
      "scripted"}}
      - error.type='Exception'
""")


def test_early_stop(either: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """TaskWeaver stops reading when it has its code: the call's span ends then, and says that it was cut short."""
    held = Held(text=code("1"), rest=" " * 40)
    llm.script(plan("compute"), held, final("done"))

    either.send_message("compute", event_handler=Releasing(held))

    for thread in threading.enumerate():
        if "base_stream_puller" in thread.name:
            thread.join(10)
    abandoned = ["agentops.stream.abandoned" in (span.attributes or {}) for span in _chats(traced)]
    assert abandoned == [False, True, False]


def test_refused_question(make_app: MakeApp, llm: ScriptedLLM, traced: Capture) -> None:
    """A server that refuses to be asked for tokens is asked as TaskWeaver wrote it, then and from then on."""
    session = make_app().get_session()
    llm.script(Failure(status=400), final("one"), final("two"))

    said = [session.send_message("hello").post_list[-1].message for _ in range(2)]

    assert said == ["one", "two"]
    assert ["stream_options" in request for request in llm.requests] == [True, False, False]


def test_refusal_of_its_own(make_app: MakeApp, llm: ScriptedLLM, traced: Capture) -> None:
    """A server that has been seen to take the question refuses something else: it is not asked again."""
    session = make_app().get_session()
    llm.script(final("one"), Failure(status=400))

    states = [session.send_message("hello").state for _ in range(2)]

    assert (states, len(llm.requests)) == (["finished", "failed"], 2)
    assert len(_chats(traced)) == 2


def test_program_wants_no_llm_calls(session: Any, llm: ScriptedLLM) -> None:
    """With LLM clients left alone, those calls are told that are part of a round, and none of the program's own."""
    from openai import OpenAI

    llm.script(final("hello"), "world")
    with capture(instrument_llm_calls=False) as captured, OpenAI(base_url=llm.url, api_key="none") as client:
        session.send_message("hello")
        client.chat.completions.create(model="own", messages=[{"role": "user", "content": "hello"}])

    assert outline(captured) == snapshot("""\
invoke_workflow taskweaver
  - round.state='finished'
  invoke_agent Planner
    - post.send_to='User'
    chat scripted-model
      - usage.input_tokens='20'  usage.output_tokens='7'
""")


def test_tags_of_the_moment(session: Any, llm: ScriptedLLM, traced: Capture) -> None:
    """Tags that are added in the middle of a round are on the spans that start after it."""

    class Tagging:
        def handle(self, event: Any) -> None:
            if event.t.value == "post_end":
                traced.client.add_tags(["late"])

    llm.script(plan("hello?", to="Planner"), final("hello"))

    session.send_message("hello", event_handler=Tagging())

    first, second = [(span.attributes or {})["agentops.tags"] for span in _chats(traced)]
    assert (first, second) == (("mine", "taskweaver"), ("mine", "late", "taskweaver"))


class Releasing:
    """Lets the rest of the answer come once TaskWeaver has stopped reading it."""

    def __init__(self, held: Held) -> None:
        self.held = held

    def handle(self, event: Any) -> None:
        """Look for what TaskWeaver does next."""
        if event.msg == "verifying code":
            self.held.event.set()


def _chats(captured: Capture) -> list[Any]:
    return sorted(
        (span for span in captured.spans if span.kind is SpanKind.CLIENT), key=lambda span: span.start_time or 0
    )


def test_what_follows_a_call_is_in_the_context_from_before_it() -> None:
    """Also where the call fails."""
    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        before = get_current()
        with suppress(ZeroDivisionError), calls.Call(recorder, "chat", "m", {}):
            assert get_current() is not before
            raise ZeroDivisionError

        assert get_current() is before


def test_a_model_with_an_alias_is_told_with_its_own_back_end() -> None:
    """What has none is told with that of the app."""
    own, usual = (
        SimpleNamespace(config=SimpleNamespace(llm_module_config={"api_type": kind}, model=model))
        for kind, model in (("groq", "llama"), (None, "gpt"))
    )
    api = SimpleNamespace(
        ext_llms={"small": own}, completion_service=usual, config=SimpleNamespace(api_type="ollama", model="gpt")
    )
    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        for alias in ("small", None):
            call = calls.chat(recorder, api, {"llm_alias": alias, "messages": []})
            with call:
                pass
            call.end()

    assert [(span.name, (span.attributes or {})["gen_ai.provider.name"]) for span in captured.spans] == [
        ("chat llama", "groq"),
        ("chat gpt", "ollama"),
    ]


@pytest.mark.parametrize(
    ("api_type", "provider"),
    [
        *(("azure", "azure.ai.openai"), ("azure_ad", "azure.ai.openai"), ("azure_ml", "azure.ai.inference")),
        *(("google_genai", "gcp.gemini"), ("qwen", "dashscope"), ("zhipuai", "zhipu_ai")),
        *((name, name) for name in ("openai", "ollama", "groq", "anthropic")),
    ],
)
def test_each_back_end_has_the_name_of_its_provider(api_type: str, provider: str) -> None:
    """That of the conventions, or of its client here; any other is told as TaskWeaver calls it."""
    service = SimpleNamespace(config=SimpleNamespace(llm_module_config={"api_type": api_type}, model="m"))
    api = SimpleNamespace(ext_llms={}, completion_service=service, config=SimpleNamespace(api_type=api_type, model="m"))
    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        call = calls.chat(recorder, api, {"messages": []})
        with call:
            pass
        call.end()

    assert [(span.attributes or {})["gen_ai.provider.name"] for span in captured.spans] == [provider]
