"""The litellm package over HTTP on loopback: one span a call, and none of the client beneath."""

import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.clients.forms.form import STREAMED

# It cannot be installed beside the newest openai: the dependency group `litellm` has it.
pytestmark = pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="litellm is not installed")


@pytest.fixture(scope="module")
def ran() -> dict[str, Any]:
    """What became of the calls."""
    script = [sys.executable, "-m", "tests.clients.litellm_calls"]
    alone = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # its prices come from the network otherwise
    done = subprocess.run(script, capture_output=True, text=True, timeout=300, env=alone)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def told(ran: dict[str, Any]) -> Any:
    """What the spans of each call say."""
    return ran["told"]


@pytest.fixture
def sent(ran: dict[str, Any]) -> Any:
    """Pairs of requests, without us and with us."""
    return ran["sent"]


@pytest.fixture
def unsaid(ran: dict[str, Any]) -> Any:
    """What spans say with content off."""
    return ran["unsaid"]


@pytest.mark.parametrize(
    "form",
    [
        *("plain", "of_a_class", "async_plain", "routed", "streamed", "async_streamed", "async_routed_streamed"),
        *("bound_plain", "async_bound_plain", "bound_streamed", "async_bound_streamed", "bound_in_main"),
        *("bound_in_part", "retried", "bound_retried"),
    ],
)
def test_every_form_of_a_completion_makes_the_same_span(form: str, told: dict[str, list[dict[str, Any]]]) -> None:
    """One span a call, not two and not none."""
    (node,) = told[form]

    attributes = node["attributes"]
    if "streamed" in form:
        assert {name: attributes.pop(name) for name in STREAMED} == STREAMED
    assert node == snapshot(
        {
            "name": "chat gpt-4.1",
            "kind": "CLIENT",
            "attributes": {
                "agentops.usage.cost": 7.2e-05,
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4.1",
                "gen_ai.request.temperature": 0.5,
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
    "form",
    [
        *("responses", "async_responses", "routed_responses"),
        *("responses_streamed", "async_responses_streamed", "async_routed_responses_streamed"),
    ],
)
def test_every_form_of_a_response_makes_the_same_span(form: str, told: dict[str, list[dict[str, Any]]]) -> None:
    """One span a call of the Responses API, by the functions and by a Router."""
    (node,) = told[form]

    attributes = node["attributes"]
    assert attributes.pop("agentops.usage.cost") > 0  # by litellm's own prices
    if "streamed" in form:
        assert {name: attributes.pop(name) for name in STREAMED} == STREAMED
    assert attributes.pop("gen_ai.response.id").startswith("resp_")  # litellm's own, with the deployment in it
    assert node == snapshot(
        {
            "name": "chat gpt-5",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.conversation.id": "conv_1",
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {
                        "role": "assistant",
                        "parts": [
                            {"type": "reasoning", "content": "Look it up."},
                            {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
                            {"type": "text", "content": "It is 21 degrees in Paris."},
                        ],
                    }
                ],
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-5",
                "gen_ai.response.finish_reasons": ["tool_call"],
                "gen_ai.response.model": "gpt-5-2026-01-01",
                "gen_ai.usage.cache_creation.input_tokens": 2,
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.cache_write.input_tokens": 2,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 3,
                "server.address": "127.0.0.1",
            },
        }
    )


@pytest.mark.parametrize("form", ["anthropic_messages", "anthropic_messages_routed"])
def test_every_form_of_anthropics_messages_makes_the_same_span(
    form: str, told: dict[str, list[dict[str, Any]]]
) -> None:
    """One span a call of Anthropic's API, by the function and by a Router."""
    (node,) = told[form]

    assert node == snapshot(
        {
            "name": "chat claude-test",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "anthropic",
                "gen_ai.request.max_tokens": 100,
                "gen_ai.request.model": "claude-test",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.id": "msg_1",
                "gen_ai.response.model": "claude-test-1",
                "gen_ai.usage.cache_creation.input_tokens": 30,
                "gen_ai.usage.cache_read.input_tokens": 64,
                "gen_ai.usage.cache_write.input_tokens": 30,
                "gen_ai.usage.input_tokens": 114,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 3,
                "server.address": "127.0.0.1",
            },
        }
    )


@pytest.mark.parametrize("form", ["anthropic", "anthropic_streamed"])
def test_anthropic_behind_litellm_is_told_as_anthropic(form: str, told: dict[str, list[dict[str, Any]]]) -> None:
    """The provider is named by the model, and the tokens are those that were reported."""
    (node,) = told[form]

    attributes = node["attributes"]
    assert attributes["gen_ai.provider.name"] == "anthropic"
    assert attributes["gen_ai.request.model"] == "claude-test"
    assert attributes["gen_ai.usage.input_tokens"] == 114
    assert attributes["gen_ai.usage.output_tokens"] == 7


@pytest.mark.parametrize(
    ("form", "provider"),
    [
        ("by_azure", "azure.ai.openai"),
        ("by_azure_streamed", "azure.ai.openai"),
        ("by_groq_streamed", "groq"),
        ("by_huggingface", "hugging_face"),
    ],
)
def test_whoever_is_behind_litellm_there_is_one_span(
    form: str, provider: str, told: dict[str, list[dict[str, Any]]]
) -> None:
    """With its provider, the model without litellm's prefix and the tokens, whether a wrapped client asks or none."""
    (node,) = told[form]

    said = node["attributes"]
    assert node["name"] == "chat gpt-4.1"
    assert said["gen_ai.provider.name"] == provider
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (11, 7)
    assert said["gen_ai.response.finish_reasons"] == ["stop"]


@pytest.mark.parametrize("form", ["embedding", "bound_vectors"])
def test_embeddings_have_a_span(form: str, told: dict[str, list[dict[str, Any]]]) -> None:
    """Vectors are told by their length."""
    assert told[form] == snapshot(
        [
            {
                "name": "embeddings embed-test",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.embeddings.dimension.count": 2,
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "warm"}]}],
                    "gen_ai.operation.name": "embeddings",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "embed-test",
                    "gen_ai.response.model": "embed-test",
                    "gen_ai.usage.input_tokens": 2,
                    "server.address": "127.0.0.1",
                },
            }
        ]
    )


def test_the_program_sends_what_it_would_send_without_us(sent: list[list[Any]]) -> None:
    """The body is the same byte for byte, and no header is added."""
    assert len(sent) == 9
    for bare, ours in sent:
        assert bare
        assert ours == bare


def test_with_content_off_nothing_that_was_said_is_kept(unsaid: list[str]) -> None:
    """Neither prompt nor answer is on a span, nor in its events, nor what a refusal repeats."""
    assert len(unsaid) == 4
    for said in unsaid:
        assert "gen_ai.request.model" in said
        assert "warm" not in said
        assert "21 degrees" not in said


def test_a_stream_left_early_says_so(told: dict[str, list[dict[str, Any]]]) -> None:
    """The same rule as everywhere."""
    (node,) = told["left"]

    assert "status" not in node
    assert node["attributes"]["agentops.stream.abandoned"] is True


def test_an_error_is_litellms(told: dict[str, list[dict[str, Any]]]) -> None:
    """The exception that the program gets names itself."""
    (node,) = told["refused"]

    assert node["status"] == "ERROR"
    assert node["attributes"]["error.type"] == "litellm.exceptions.BadRequestError"


CALLBACK = """
import logging, sys
import litellm
from opentelemetry.sdk.trace import TracerProvider
from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig
from tests.clients.capture import capture

heard = []
handler = logging.Handler()
handler.emit = lambda record: heard.append(record.getMessage())
logging.getLogger("agentops_otel").addHandler(handler)
asked = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hi"}], "mock_response": "Hello"}
with capture() as captured:
    litellm.completion(**asked)
    assert heard == [], heard
with capture() as captured:
    litellm.callbacks = [OpenTelemetry(OpenTelemetryConfig(exporter="console"), tracer_provider=TracerProvider())]
    for _ in range(2):
        litellm.completion(**asked)
    (message,) = heard
    assert "litellm is instrumented by its own callback otel too" in message
    assert len(captured.spans) == 2
"""


def test_litellms_own_tracing_is_noticed() -> None:
    """One warning says how to choose, and a call has one span of ours."""
    alone = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    done = subprocess.run([sys.executable, "-c", CALLBACK], capture_output=True, text=True, timeout=300, env=alone)

    assert done.returncode == 0, done.stderr
