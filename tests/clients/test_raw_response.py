"""A raw response gives what it gives without us, however often the program asks it."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.clients.capture import capture
from tests.clients.openai_calls import ASKED, async_client, sync_client
from tests.loopback.llm_server import LlmServer
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


@pytest.mark.parametrize("cast_to", [httpx.Response, str, object])
def test_a_post_of_any_type_tells_of_the_response(cast_to: Any, server: LlmServer) -> None:
    """`client.post(path, cast_to=...)` reads the body; model, tokens and answer are on the span."""
    whole = completion()
    server.answer(answer(whole, stream=False))

    with capture() as captured, sync_client(server) as client:
        client.post("/chat/completions", body=ASKED, cast_to=cast_to)

    (span,) = captured.spans
    said: dict[str, Any] = dict(span.attributes or {})
    assert said["gen_ai.response.model"] == whole["model"]
    assert said["gen_ai.usage.input_tokens"] == whole["usage"]["prompt_tokens"]
    assert "gen_ai.output.messages" in said


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
