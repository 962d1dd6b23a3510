"""A raw response gives what it gives without us, however often the program asks it."""

import asyncio
import importlib.util
import json
from typing import Any

import httpx
import pytest
from anthropic import Anthropic

from tests.clients.capture import capture
from tests.clients.openai_calls import ASKED, async_client, sync_client
from tests.loopback import anthropic_server
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import answer, completion


def told(parsed: list[Any]) -> list[object]:
    """What each of them is, and which are one and the same."""
    return [(type(found).__name__, [found is other for other in parsed]) for found in parsed]


def parsed(server: LlmServer, *, stream: bool) -> list[object]:
    """Parsed three times, once as something else."""
    asked = {**ASKED, "stream": stream}
    with sync_client(server) as client, client.chat.completions.with_streaming_response.create(**asked) as response:
        found = [response.parse(), response.parse()]
        return told(found if stream else [*found, response.parse(to=str)])


def async_parsed(server: LlmServer, *, stream: bool) -> list[object]:
    """The same, in an event loop."""
    asked = {**ASKED, "stream": stream}

    async def run() -> list[object]:
        async with (
            async_client(server) as client,
            client.chat.completions.with_streaming_response.create(**asked) as response,
        ):
            found = [await response.parse(), await response.parse()]
            return told(found if stream else [*found, await response.parse(to=str)])

    return asyncio.run(run())


def groq_client(server: LlmServer) -> Any:
    """A client of the groq package, where it is installed."""
    return pytest.importorskip("groq").Groq(base_url=server.url, api_key="key")


MESSAGE = anthropic_server.text()
POSTS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "openai": (sync_client, "/chat/completions", completion()),
    "groq": (groq_client, "/openai/v1/chat/completions", completion()),
    "anthropic": (lambda server: Anthropic(base_url=server.url, api_key="key"), "/v1/messages", MESSAGE),
}
"""The client, the path, and the response's body."""
NEW_HTTPX: Any = importlib.import_module("httpx2" if importlib.util.find_spec("httpx2") else "httpx")
"""What the anthropic package sends with since its second version."""


def test_text_that_is_none_is_read_as_far_as_it_goes(server: LlmServer) -> None:
    """Half a pair of surrogates, in an encoding that lets it through, breaks neither the text nor the span."""
    headers = {"content-type": "application/json; charset=raw_unicode_escape"}
    body = json.dumps({**completion(), "id": "half"}).encode().replace(b"half", rb"\ud83d")
    server.answer(Answer(headers=headers, body=body))

    with (
        capture() as captured,
        sync_client(server) as client,
        client.chat.completions.with_streaming_response.create(**ASKED) as response,
    ):
        read = "".join(response.iter_text())

    assert "\ud83d" in read
    assert [span.name for span in captured.spans] == ["chat gpt-4.1"]
    assert (captured.spans[0].attributes or {})["gen_ai.usage.output_tokens"] == 7


@pytest.mark.parametrize("cast_to", ["Response", str, object])
@pytest.mark.parametrize("name", POSTS)
def test_a_post_of_any_type_tells_of_the_response(name: str, cast_to: Any, server: LlmServer) -> None:
    """`client.post(path, cast_to=...)` reads the body; model, tokens and answer are on the span."""
    client_of, path, body = POSTS[name]
    if cast_to == "Response":
        cast_to = NEW_HTTPX.Response if name == "anthropic" else httpx.Response
    server.answer(Answer.json(body))

    with capture() as captured, client_of(server) as client:
        client.post(path, body=ASKED, cast_to=cast_to)

    (span,) = captured.spans
    attributes: dict[str, Any] = dict(span.attributes or {})
    assert attributes["gen_ai.response.model"] == body["model"]
    assert attributes["gen_ai.usage.output_tokens"] == 7
    assert json.loads(attributes["gen_ai.output.messages"])[0]["parts"][0]["content"] == "It is 21 degrees in Paris."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", [parsed, async_parsed])
def test_it_is_parsed_as_often_as_the_program_likes(way: Any, stream: bool, server: LlmServer) -> None:
    """The same object where the package gives the same, another where it is asked for another; and one span."""
    server.answer(answer(completion(), stream=stream), times=2)
    bare = way(server, stream=stream)

    with capture() as captured:
        ours = way(server, stream=stream)

    assert ours == bare
    assert len(captured.spans) == 1
