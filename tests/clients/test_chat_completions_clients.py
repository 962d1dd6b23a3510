"""The clients that speak the chat-completions dialect, over HTTP on loopback: what their spans say."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.clients.capture import Captured, capture
from tests.clients.forms.form import QUESTION, forms_of, told
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import TOOL_CALL, completion

OWN: dict[str, dict[str, Any]] = {
    "ai21": {
        "gen_ai.provider.name": "ai21",
        "gen_ai.request.model": "jamba-large",
        "gen_ai.request.max_tokens": 100,
    },
    "groq": {"gen_ai.provider.name": "groq", "gen_ai.request.model": "llama-3.3-70b"},
    "huggingface_hub": {
        "gen_ai.provider.name": "hugging_face",
        "gen_ai.request.model": "meta-llama/Llama-3.1-8B",
        "gen_ai.request.max_tokens": 100,
    },
    "ibm_watsonx_ai": {
        "gen_ai.provider.name": "ibm.watsonx.ai",
        "gen_ai.request.model": "ibm/granite-4-h-small",
        "gen_ai.request.max_tokens": 100,
    },
    "llama_stack_client": {"gen_ai.provider.name": "llama_stack", "gen_ai.request.model": "llama-4"},
    "mistralai": {
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-large",
        "gen_ai.request.seed": 7,
    },
    "together": {
        "gen_ai.provider.name": "together_ai",
        "gen_ai.request.model": "meta-llama/Llama-3.3-70B",
        "gen_ai.request.top_k": 40,
    },
    "zhipuai": {"gen_ai.provider.name": "zhipu_ai", "gen_ai.request.model": "glm-4"},
}
"""What each client's span says of its own."""

FIRST: Any = TOOL_CALL["tool_calls"]
CALLING = {
    **TOOL_CALL,
    "tool_calls": [
        *FIRST,
        {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
    ],
}

UNTOLD = {"huggingface_hub": {"gen_ai.usage.cache_read.input_tokens": 4, "gen_ai.usage.reasoning.output_tokens": 3}}
"""What a client's own types leave out of the answer."""

pytestmark = pytest.mark.filterwarnings(  # ai21's own, about itself and httpx
    "ignore:Use 'content=:DeprecationWarning", "ignore:The 'from_dict' method:DeprecationWarning"
)


@pytest.mark.parametrize("form", ["plain", "streamed", "async_plain", "async_streamed"])
@pytest.mark.parametrize("name", OWN)
def test_every_form_of_a_chat_makes_the_same_span(name: str, form: str, captured: Captured, server: LlmServer) -> None:
    """One span a call, and a stream's says what the plain call's says."""
    client = forms_of(name)
    if form not in client.names:
        pytest.skip("the client has no asynchronous form")

    span = told(client, form, captured, server)

    attributes = span["attributes"]
    assert isinstance(attributes, dict)
    model = OWN[name]["gen_ai.request.model"]
    assert {key: attributes.pop(key, None) for key in OWN[name]} == OWN[name]
    assert span.pop("name") == f"chat {model}"
    assert attributes.keys().isdisjoint(UNTOLD.get(name, {}))
    attributes.update(UNTOLD.get(name, {}))
    assert span == snapshot(
        {
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.response.model": "gpt-4.1-2025-04-14",
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 3,
                "server.address": "127.0.0.1",
            },
        }
    )


@pytest.mark.parametrize("name", OWN)
def test_a_whole_answer_without_a_finish_reason_is_no_error(name: str, captured: Captured, server: LlmServer) -> None:
    """Servers that leave it out have answered all the same."""
    client = forms_of(name)
    whole = completion()
    whole["choices"][0]["finish_reason"] = None

    span = told(replace(client, answer=partial(client.answer, whole=whole)), "plain", captured, server)

    attributes = span["attributes"]
    assert isinstance(attributes, dict)
    assert "gen_ai.response.finish_reasons" not in attributes
    assert attributes["gen_ai.output.messages"] != []
    assert "status" not in span


@pytest.mark.parametrize("form", ["plain", "streamed", "async_plain", "async_streamed"])
@pytest.mark.parametrize("name", OWN)
def test_the_use_of_a_tool_is_told_the_same_in_every_form(
    name: str, form: str, captured: Captured, server: LlmServer
) -> None:
    """Two calls of tools, whose arguments a stream brings in pieces."""
    client = forms_of(name)
    if form not in client.names:
        pytest.skip("the client has no asynchronous form")
    said = completion(CALLING, finish_reason="tool_calls")

    span = told(replace(client, answer=partial(client.answer, whole=said)), form, captured, server)

    attributes = span["attributes"]
    assert isinstance(attributes, dict)
    assert attributes["gen_ai.response.finish_reasons"] == ["tool_call"]
    assert attributes["gen_ai.output.messages"] == snapshot(
        [
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "tool_call",
                        "id": "call_1",
                        "name": "weather",
                        "arguments": {"city": "Paris", "unit": "C"},
                    },
                    {"type": "tool_call", "id": "call_2", "name": "time", "arguments": {}},
                ],
            }
        ]
    )


@pytest.mark.parametrize("content", [True, False])
def test_a_chat_that_is_fetched_later_is_linked(content: bool, server: LlmServer) -> None:
    """Zhipu's own way: one span that asks, and one a look at the answer, without tokens, linked to it."""
    client = forms_of("zhipuai")
    begun = {"id": "task-1", "model": "glm-4", "request_id": "1", "task_status": "PROCESSING"}
    server.answer(Answer.json(begun))
    server.answer(Answer.json({**completion(), "id": "task-1", "task_status": "SUCCESS"}))
    server.answer(Answer.json({"id": "task-1", "task_status": "FAIL", "choices": [], "usage": None}))

    with capture(content=content) as captured, client.client(server.url) as opened:
        asking = opened.chat.asyncCompletions
        task = asking.create(model="glm-4", messages=[{"role": "user", "content": QUESTION}])
        for _ in range(2):
            asking.retrieve_completion_result(task.id)

    asked, fetched, failed = captured.spans
    assert [span.name for span in captured.spans] == ["chat glm-4", "fetch_response", "fetch_response"]
    assert [link.context for link in fetched.links] == [asked.context]
    assert ("gen_ai.output.messages" in (fetched.attributes or {})) is content
    assert not [name for name in fetched.attributes or {} if name.startswith("gen_ai.usage.")]
    assert (failed.attributes or {})["error.type"] == "_OTHER"


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("groq", "groq", "nomic-embed-text"),
        ("ibm_watsonx_ai", "ibm.watsonx.ai", "ibm/slate-125m"),
        ("llama_stack_client", "llama_stack", "all-minilm"),
        ("mistralai", "mistral_ai", "mistral-embed"),
        ("together", "together_ai", "m2-bert"),
        ("zhipuai", "zhipu_ai", "embedding-3"),
    ],
)
def test_embeddings_have_a_span(name: str, provider: str, model: str, captured: Captured, server: LlmServer) -> None:
    """The vectors' length, the tokens and the texts are on it; the vectors are not."""
    span = told(forms_of(name), "embed", captured, server)

    attributes = span["attributes"]
    assert isinstance(attributes, dict)
    assert attributes.pop("gen_ai.provider.name") == provider
    assert attributes.pop("gen_ai.request.model") == model
    assert span.pop("name") == f"embeddings {model}"
    assert span == snapshot(
        {
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.embeddings.dimension.count": 2,
                "gen_ai.input.messages": [
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "Paris"}, {"type": "text", "content": "Rome"}],
                    }
                ],
                "gen_ai.operation.name": "embeddings",
                "gen_ai.response.model": "embed-2026",
                "gen_ai.usage.input_tokens": 4,
                "server.address": "127.0.0.1",
            },
        }
    )
