"""Streams of Anthropic's models on Bedrock and Vertex: the same span, whichever way the events are framed."""

import base64
import importlib
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from anthropic import AnthropicBedrock, AnthropicVertex
from opentelemetry.trace import StatusCode

from tests.clients.capture import Captured
from tests.clients.forms.anthropic import ASKED
from tests.clients.forms.form import TEXT
from tests.loopback.anthropic_server import answer, events, text
from tests.loopback.bedrock_server import converse, packed
from tests.loopback.llm_server import Answer, LlmServer


def frame(event: dict[str, Any]) -> bytes:
    """An event as Amazon frames it."""
    return packed("chunk", json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode())


def bedrock(url: str) -> AnthropicBedrock:
    """A client of Bedrock."""
    pytest.importorskip("botocore", reason="botocore is not installed")
    return AnthropicBedrock(base_url=url, api_key="key", aws_region="us-east-1", max_retries=0)


def vertex(url: str) -> AnthropicVertex:
    """A client of Vertex."""
    return AnthropicVertex(base_url=url, access_token="key", region="r", project_id="p", max_retries=0)


FRAMED = Answer(
    headers={"content-type": "application/vnd.amazon.eventstream"}, chunks=[frame(event) for event in events(text())]
)
CLOUDS: list[tuple[Callable[[str], Any], Answer, str]] = [
    (bedrock, FRAMED, "aws.bedrock"),
    (vertex, answer(text(), stream=True), "gcp.vertex_ai"),
]


@pytest.mark.parametrize(("opens", "said", "provider"), CLOUDS, ids=["bedrock", "vertex"])
def test_a_stream_says_what_a_message_says(
    opens: Callable[[str], Any], said: Answer, provider: str, captured: Captured, server: LlmServer
) -> None:
    """Provider, model, tokens, finish reason and text of the folded stream."""
    server.answer(said)

    with opens(server.url) as client:
        read = list(client.messages.create(**ASKED, stream=True))

    (node,) = captured.tree()
    attributes: Any = node["attributes"]
    assert len(read) == len(events(text()))
    assert node["name"] == "chat claude-test"
    assert attributes["gen_ai.provider.name"] == provider
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert attributes["gen_ai.usage.input_tokens"] == 114
    assert attributes["gen_ai.usage.output_tokens"] == 7
    assert attributes["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": TEXT}]


def converses(url: str) -> None:
    """Bedrock by boto3, in its own dialect."""
    forms = importlib.import_module("tests.clients.forms.boto3")
    with forms.bedrock(url) as client, closing(client.converse_stream(**forms.ASKED)["stream"]) as stream:
        list(stream)


def invokes(url: str) -> None:
    """Bedrock by boto3, in Anthropic's dialect."""
    asked = {"modelId": "anthropic.claude-test", "body": json.dumps({"anthropic_version": "1", **ASKED})}
    forms = importlib.import_module("tests.clients.forms.boto3")
    with forms.bedrock(url) as client, closing(client.invoke_model_with_response_stream(**asked)["body"]) as stream:
        list(stream)


def asks(url: str) -> None:
    """Bedrock by Anthropic's client."""
    client: Any = bedrock(url)
    with client:
        list(client.messages.create(**ASKED, stream=True))


@pytest.mark.parametrize("kind", ["throttlingException", "modelStreamErrorException", "neverHeardOfException"])
@pytest.mark.parametrize("way", [converses, invokes, asks])
def test_an_exception_among_the_events_is_an_error(
    way: Callable[[str], None], kind: str, captured: Captured, server: LlmServer
) -> None:
    """The span says what came before, and the class of the exception that the program gets."""
    pytest.importorskip("boto3", reason="boto3 is not installed")
    said = converse(stream=True) if way is converses else FRAMED
    ending = packed(kind, json.dumps({"message": "Slow down"}).encode(), exception=True)
    server.answer(replace(said, chunks=[*said.chunks[:4], ending]))

    with pytest.raises(Exception) as raised:  # noqa: PT011 - each client has its own
        way(server.url)

    (span,) = captured.spans
    attributes = span.attributes or {}
    assert span.status.status_code is StatusCode.ERROR
    assert attributes["error.type"] == f"{raised.type.__module__}.{raised.type.__qualname__}"
    assert attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert TEXT[:5] in str(attributes["gen_ai.output.messages"])
    assert len(server.requests) == 1


def test_what_botocore_asks_again_is_one_call(captured: Captured, server: LlmServer) -> None:
    """Retries are inside the span."""
    pytest.importorskip("boto3", reason="boto3 is not installed")
    forms = importlib.import_module("tests.clients.forms.boto3")
    server.answer(Answer.json({"message": "Slow down"}, 429, **{"x-amzn-errortype": "ThrottlingException"}), times=2)
    server.answer(converse(stream=False))

    with forms.bedrock(server.url, attempts=3) as client:
        client.converse(**forms.ASKED)

    (span,) = captured.spans
    assert span.status.status_code is StatusCode.UNSET
    assert len(server.requests) == 3
