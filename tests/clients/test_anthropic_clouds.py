"""Streams of Anthropic's models on Bedrock and Vertex: the same span, whichever way the events are framed."""

import base64
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from anthropic import AnthropicBedrock, AnthropicVertex

from tests.clients.capture import Captured
from tests.clients.forms.anthropic import ASKED
from tests.clients.forms.form import TEXT
from tests.loopback.anthropic_server import answer, events, text
from tests.loopback.llm_server import Answer, LlmServer


def frame(event: dict[str, Any]) -> bytes:
    """An event as Amazon frames it."""
    payload = json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode()
    said = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in said.items()
    )
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


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
