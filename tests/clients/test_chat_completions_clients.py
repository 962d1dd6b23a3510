"""The clients that speak the chat-completions dialect, over HTTP on loopback: what their spans say."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.clients.capture import Captured
from tests.clients.forms.form import forms_of, told
from tests.loopback.llm_server import LlmServer

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
