"""The openai package over HTTP on loopback: what the program gets, and what the spans say."""

from collections.abc import Callable
from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel.view.cost import cost_of
from tests.clients.capture import Captured
from tests.clients.openai_calls import ASKED, PLAIN, STREAMED, STREAMS, plain, said, streamed
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import TEXT, TOOL_CALL, USAGE, answer, completion


@pytest.mark.parametrize("form", [plain, streamed])
@pytest.mark.parametrize("cost", [0.00042, {"input_tokens_cost": 0.0002, "total_cost": 0.00042}])
def test_the_cost_that_a_provider_says_is_on_the_span(
    form: Callable[..., None], cost: object, captured: Captured, server: LlmServer
) -> None:
    """OpenRouter says it as a number, Perplexity with its parts; it comes before a price list's."""
    server.answer(answer(completion(usage={**USAGE, "cost": cost}), stream=form in STREAMS))

    form(server, **ASKED)

    (span,) = captured.spans
    assert (span.attributes or {})["agentops.usage.cost"] == 0.00042
    assert cost_of(span) == 0.00042


@pytest.mark.parametrize("form", [*PLAIN, *STREAMS])
def test_every_form_of_a_chat_makes_the_same_span(
    form: Callable[..., None], captured: Captured, server: LlmServer
) -> None:
    """One span a call, and a stream's says what the plain call's says."""
    server.answer(answer(completion(), stream=form in STREAMS))

    form(server, **ASKED)

    (span,) = said(captured, server)
    attributes = span["attributes"]
    assert isinstance(attributes, dict)
    if form in STREAMS:
        assert {name: attributes.pop(name) for name in STREAMED} == STREAMED
    assert span == snapshot(
        {
            "name": "chat gpt-4.1",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4.1",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.response.model": "gpt-4.1-2025-04-14",
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 3,
                "openai.api.type": "chat_completions",
                "openai.response.service_tier": "default",
                "openai.response.system_fingerprint": "fp_1",
                "server.address": "127.0.0.1",
            },
        }
    )


def test_tools_and_choices_are_told_alike_plain_and_streamed(captured: Captured, server: LlmServer) -> None:
    """Tool calls, definitions, sampling settings and several choices are on the span."""
    asked: dict[str, Any] = {
        "model": "gpt-4.1",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "How warm?"}]},
            {"role": "assistant", "tool_calls": TOOL_CALL["tool_calls"]},
            {"role": "tool", "tool_call_id": "call_1", "content": "21"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        "n": 2,
        "seed": 7,
        "max_completion_tokens": 100,
        "temperature": 0,
        "top_p": 0.5,
        "stop": "END",
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
        "service_tier": "flex",
    }
    whole = completion(TEXT, TOOL_CALL, finish_reason="tool_calls")
    server.answer(answer(whole, stream=False))
    server.answer(answer(whole, stream=True))

    plain(server, **asked)
    streamed(server, **asked)

    first, second = (node["attributes"] for node in said(captured, server))
    assert isinstance(first, dict)
    assert first | STREAMED == second
    assert first == snapshot(
        {
            "gen_ai.input.messages": [
                {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
                {"role": "user", "parts": [{"type": "text", "content": "How warm?"}]},
                {
                    "role": "assistant",
                    "parts": [
                        {
                            "type": "tool_call",
                            "id": "call_1",
                            "name": "weather",
                            "arguments": {"city": "Paris", "unit": "C"},
                        }
                    ],
                },
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "21"}]},
            ],
            "gen_ai.operation.name": "chat",
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]},
                {
                    "role": "assistant",
                    "parts": [
                        {
                            "type": "tool_call",
                            "id": "call_1",
                            "name": "weather",
                            "arguments": {"city": "Paris", "unit": "C"},
                        }
                    ],
                },
            ],
            "gen_ai.output.type": "json",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.choice.count": 2,
            "gen_ai.request.frequency_penalty": 0.1,
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.model": "gpt-4.1",
            "gen_ai.request.presence_penalty": 0.2,
            "gen_ai.request.reasoning.level": "low",
            "gen_ai.request.seed": 7,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.request.temperature": 0.0,
            "gen_ai.request.top_p": 0.5,
            "gen_ai.response.finish_reasons": ["tool_call", "tool_call"],
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4.1-2025-04-14",
            "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.reasoning.output_tokens": 3,
            "openai.api.type": "chat_completions",
            "openai.request.service_tier": "flex",
            "openai.response.service_tier": "default",
            "openai.response.system_fingerprint": "fp_1",
            "server.address": "127.0.0.1",
        }
    )
