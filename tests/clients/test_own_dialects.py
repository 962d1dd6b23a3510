"""The clients that speak a dialect of their own, over HTTP on loopback: what their spans say."""

import pytest
from inline_snapshot import snapshot

from tests.clients.capture import Captured
from tests.clients.forms.form import forms_of, told
from tests.loopback.llm_server import LlmServer

FORMS = ["plain", "streamed", "async_plain", "async_streamed"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_chat_with_cohere_makes_the_same_span(form: str, captured: Captured, server: LlmServer) -> None:
    """What is billed is what counts as tokens."""
    assert told(forms_of("cohere"), form, captured, server) == snapshot(
        {
            "name": "chat command-a",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "cohere",
                "gen_ai.request.model": "command-a",
                "gen_ai.request.top_k": 40,
                "gen_ai.request.top_p": 0.5,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.id": "chat-1",
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "server.address": "127.0.0.1",
            },
        }
    )


def test_embeddings_of_cohere_have_a_span(captured: Captured, server: LlmServer) -> None:
    """The vectors' length and the texts."""
    assert told(forms_of("cohere"), "embed", captured, server) == snapshot(
        {
            "name": "embeddings embed-v4",
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
                "gen_ai.provider.name": "cohere",
                "gen_ai.request.encoding_formats": ["float"],
                "gen_ai.request.model": "embed-v4",
                "gen_ai.usage.input_tokens": 4,
                "server.address": "127.0.0.1",
            },
        }
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_chat_with_ollama_makes_the_same_span(form: str, captured: Captured, server: LlmServer) -> None:
    """Settings are read from the options."""
    assert told(forms_of("ollama"), form, captured, server) == snapshot(
        {
            "name": "chat llama3.2",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "ollama",
                "gen_ai.request.max_tokens": 100,
                "gen_ai.request.model": "llama3.2",
                "gen_ai.request.temperature": 0.5,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.model": "llama3.2",
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "server.address": "127.0.0.1",
            },
        }
    )


def test_embeddings_of_ollama_have_a_span(captured: Captured, server: LlmServer) -> None:
    """The vectors' length, the tokens and the texts."""
    assert told(forms_of("ollama"), "embed", captured, server) == snapshot(
        {
            "name": "embeddings nomic-embed-text",
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
                "gen_ai.provider.name": "ollama",
                "gen_ai.request.model": "nomic-embed-text",
                "gen_ai.response.model": "embed-2026",
                "gen_ai.usage.input_tokens": 4,
                "server.address": "127.0.0.1",
            },
        }
    )
