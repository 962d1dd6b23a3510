"""The back ends of TaskWeaver: one LLM call is one span with its tokens, whichever package makes it, or none."""

import gc
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import SpanKind

from agentops_otel import semconv
from agentops_otel.testing import Capture
from tests.loopback import anthropic_server
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.taskweaver_llm import final
from tests.taskweaver.conftest import MakeApp
from tests.taskweaver.shown import names, outline

HEAD = {"id": "1", "created": 1, "model": "answering"}
USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}


VECTOR = [0.25, -0.5]


def _pieces(text: str) -> list[str]:
    return [text[start : start + 40] for start in range(0, len(text), 40)]


def _chunks(text: str) -> Answer:
    """Chat completions, as a stream that ends with its usage."""
    said: list[dict[str, Any]] = [{"delta": {"role": "assistant", "content": piece}} for piece in _pieces(text)]
    choices = [{"index": 0, **choice} for choice in [*said, {"delta": {}, "finish_reason": "stop"}]]
    head = {**HEAD, "object": "chat.completion.chunk"}
    last = {**head, "choices": [], "usage": USAGE}
    return Answer.events([*({**head, "choices": [choice]} for choice in choices), last])


def _completion(text: str) -> Answer:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return Answer.json({**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def _anthropic(text: str) -> Answer:
    return anthropic_server.answer(anthropic_server.text(text), stream=True)


def _ollama(text: str) -> Answer:
    head = {"model": "answering", "created_at": "2026-01-01T00:00:00Z"}
    said = [{**head, "message": {"role": "assistant", "content": piece}, "done": False} for piece in _pieces(text)]
    counts = {"done_reason": "stop", "prompt_eval_count": 20, "eval_count": 7}
    last = {**head, "message": {"role": "assistant", "content": ""}, "done": True, **counts}
    lines = [json.dumps(line).encode() + b"\n" for line in [*said, last]]
    return Answer(headers={"content-type": "application/x-ndjson"}, chunks=lines)


def _qwen(text: str) -> Answer:
    said = [{"content": piece, "role": "assistant"} for piece in _pieces(text)]
    usage = {"input_tokens": 20, "output_tokens": 7, "total_tokens": 27}
    choices = [{"message": message, "finish_reason": "null"} for message in said]
    choices[-1]["finish_reason"] = "stop"
    return Answer.events(
        [{"request_id": "1", "output": {"choices": [choice]}, "usage": usage} for choice in choices], done=False
    )


def _gemini(text: str) -> Answer:
    """Google's older package reads a stream as one JSON list."""
    said = [{"candidates": [{"content": {"role": "model", "parts": [{"text": piece}]}}]} for piece in _pieces(text)]
    usage = {"promptTokenCount": 20, "candidatesTokenCount": 7, "totalTokenCount": 27}
    return Answer.json([{**chunk, "usageMetadata": usage} for chunk in said])


def _azure_ml(text: str) -> Answer:
    return Answer.json({"output": [text]})


_VECTORS = Answer.json(
    {
        "object": "list",
        "model": "embedding",
        "data": [{"object": "embedding", "index": 0, "embedding": VECTOR}],
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }
)
_QWEN_VECTORS = Answer.json(
    {
        "request_id": "1",
        "output": {"embeddings": [{"text_index": 0, "embedding": VECTOR}]},
        "usage": {"total_tokens": 5},
    }
)


def _before_anthropic(url: str, patch: pytest.MonkeyPatch) -> None:
    from taskweaver.llm.anthropic import AnthropicService

    patch.setenv("ANTHROPIC_BASE_URL", url)
    patch.setattr(AnthropicService, "client", None)


def _before_groq(url: str, patch: pytest.MonkeyPatch) -> None:
    from taskweaver.llm.groq import GroqService

    patch.setenv("GROQ_BASE_URL", url)
    patch.setattr(GroqService, "client", None)


def _before_qwen(url: str, patch: pytest.MonkeyPatch) -> None:
    import dashscope

    patch.setattr(dashscope, "base_http_api_url", url)


def _after_gemini(url: str) -> None:
    import google.generativeai as genai

    genai.configure(api_key="none", transport="rest", client_options={"api_endpoint": url})


@dataclass(frozen=True, slots=True, kw_only=True)
class BackEnd:
    """One of TaskWeaver's `llm.api_type`s: how it is pointed at a server, and what its server says."""

    answer: Callable[[str], Answer]
    provider: str
    package: str = "requests"
    """What TaskWeaver asks with, as it is imported."""
    below: tuple[str, int] | None = None
    """A distribution and its first major version that TaskWeaver does not work with any more."""
    path: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    before: Callable[[str, pytest.MonkeyPatch], None] = lambda url, patch: None
    after: Callable[[str], None] = lambda url: None
    streams: bool = True
    operation: str = "chat"
    tokens: tuple[int, int] | None = (20, 7)
    vectors: Answer | None = None
    """What it says when it is asked for an embedding; None: TaskWeaver has no embeddings with it."""
    embedding_tokens: int | None = 5

    @property
    def missing(self) -> str | None:
        """Why it cannot be run here."""
        if find_spec(self.package.partition(".")[0]) is None or find_spec(self.package) is None:
            return f"{self.package} is not installed: make clients"
        if self.below is not None and int(version(self.below[0]).partition(".")[0]) >= self.below[1]:
            return f"TaskWeaver needs {self.below[0]}<{self.below[1]}: make clients"
        return None


OPENAI = BackEnd(answer=_chunks, provider="openai", package="openai", path="/v1", vectors=_VECTORS)
BACK_ENDS: Mapping[str, BackEnd] = {
    "openai": OPENAI,
    "azure": BackEnd(
        answer=_chunks,
        provider="azure.ai.openai",
        package="openai",
        settings={"llm.azure.api_version": "2024-10-21"},
        vectors=_VECTORS,
    ),
    "anthropic": BackEnd(
        answer=lambda text: anthropic_server.answer(anthropic_server.text(text), stream=True),
        provider="anthropic",
        package="anthropic",
        below=("anthropic", 1),
        before=_before_anthropic,
        tokens=(114, 7),
        settings={"model": "asked"},  # TaskWeaver looks for it under this name
    ),
    "google_genai": BackEnd(
        answer=_gemini,
        provider="gcp.gemini",
        package="google.generativeai",
        operation="generate_content",
        after=_after_gemini,
        vectors=Answer.json({"embeddings": [{"values": VECTOR}]}),
        embedding_tokens=None,
    ),
    "groq": BackEnd(answer=_completion, provider="groq", package="groq", path="", before=_before_groq, streams=False),
    "ollama": BackEnd(
        answer=_ollama, provider="ollama", vectors=Answer.json({"embedding": VECTOR}), embedding_tokens=None
    ),
    "azure_ml": BackEnd(answer=_azure_ml, provider="azure.ai.inference", tokens=None),
    "qwen": BackEnd(
        answer=_qwen, provider="dashscope", package="dashscope", before=_before_qwen, vectors=_QWEN_VECTORS
    ),
    "zhipuai": BackEnd(
        answer=_chunks,
        provider="zhipu_ai",
        package="zhipuai",
        settings={"llm.api_key": "key.secret"},
        vectors=_VECTORS,
    ),
}


@pytest.fixture(autouse=True)
def _no_socket_for_later() -> Iterator[None]:
    """TaskWeaver closes none of its clients: their sockets are found here, and not by the collector in another test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _made(back: BackEnd, name: str, server: LlmServer, make_app: MakeApp, patch: pytest.MonkeyPatch) -> Any:
    """An app of that back end, which asks the server."""
    back.before(server.url, patch)
    settings = {
        "llm.api_type": name,
        "llm.api_base": server.url + back.path,
        "llm.api_key": "none",
        "llm.model": "asked",
        "llm.embedding_api_type": "groq" if back.vectors is None else name,
        "llm.embedding_model": "embedding",
    }
    app = make_app(**{**settings, **back.settings})
    back.after(server.url)
    return app


@pytest.mark.parametrize("name", BACK_ENDS)
def test_back_end(name: str, make_app: MakeApp, traced: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of each back end is one span in its place, with the tokens that its answer tells."""
    back = BACK_ENDS[name]
    if (missing := back.missing) is not None:
        pytest.skip(missing)
    with LlmServer() as server:
        app = _made(back, name, server, make_app, monkeypatch)
        server.answer(back.answer(final("hello")))

        round_ = app.get_session().send_message("hi")

    assert round_.post_list[-1].message == "hello"
    call = f"    {back.operation} asked"
    assert names(traced) == ["invoke_workflow taskweaver", "  invoke_agent Planner", call]
    (chat,) = [span.attributes or {} for span in traced.spans if span.kind is SpanKind.CLIENT]
    assert chat[semconv.GEN_AI_PROVIDER_NAME] == back.provider
    assert chat.get(semconv.GEN_AI_REQUEST_STREAM, False) == back.streams
    used = [chat.get(name) for name in (semconv.GEN_AI_USAGE_INPUT_TOKENS, semconv.GEN_AI_USAGE_OUTPUT_TOKENS)]
    assert used == list(back.tokens or (None, None))
    assert "hello" in str(chat[semconv.GEN_AI_OUTPUT_MESSAGES])
    assert "hi" in str(chat[semconv.GEN_AI_INPUT_MESSAGES])


@pytest.mark.parametrize("name", [name for name, back in BACK_ENDS.items() if back.vectors is not None])
def test_embedding(name: str, make_app: MakeApp, traced: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedding that TaskWeaver asks for outside of a round is one span, a trace of its own."""
    back = BACK_ENDS[name]
    if (missing := back.missing) is not None:
        pytest.skip(missing)
    from taskweaver.llm import LLMApi

    assert back.vectors is not None
    with LlmServer() as server:
        app = _made(back, name, server, make_app, monkeypatch)
        server.answer(back.vectors)

        vector = app.app_injector.get(LLMApi).get_embedding("hello")

    assert vector == VECTOR
    (span,) = traced.spans
    said = span.attributes or {}
    assert (span.name, span.kind, span.parent) == ("embeddings embedding", SpanKind.CLIENT, None)
    assert said[semconv.GEN_AI_PROVIDER_NAME] == back.provider
    assert said.get(semconv.GEN_AI_USAGE_INPUT_TOKENS) == back.embedding_tokens


def test_no_embeddings(make_app: MakeApp, traced: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TaskWeaver has no embeddings for a back end, it says so as it does without us, and the span does too."""
    from taskweaver.llm import LLMApi

    with LlmServer() as server:
        app = _made(BACK_ENDS["azure_ml"], "azure_ml", server, make_app, monkeypatch)

        with pytest.raises(Exception, match="does not support embeddings"):
            app.app_injector.get(LLMApi).get_embedding("hello")

    assert [(span.name, span.status.is_ok) for span in traced.spans] == [("embeddings", False)]


def test_back_end_that_fails(make_app: MakeApp, traced: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A back end of TaskWeaver's that cannot talk to today's package is told as the failed call it is."""
    if find_spec("anthropic") is None or BACK_ENDS["anthropic"].missing is None:
        pytest.skip("TaskWeaver works with this version of anthropic")
    with LlmServer() as server:
        app = _made(BACK_ENDS["anthropic"], "anthropic", server, make_app, monkeypatch)

        round_ = app.get_session().send_message("hi")

    assert round_.state == "failed"
    assert outline(traced) == snapshot("""\
invoke_workflow taskweaver ERROR: Exception: Anthropic API request failed: Messages.stream() got an unexpected
  keyword argument 'temperature'
  - error.type='Exception'  round.state='failed'
  invoke_agent Planner ERROR: Anthropic API request failed: Messages.stream() got an unexpected keyword
    argument 'temperature'
    - error.type='Exception'
    chat asked ERROR: Anthropic API request failed: Messages.stream() got an unexpected keyword argument
      'temperature'
      - error.type='Exception'
""")
