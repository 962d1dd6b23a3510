"""Clients of the openai package, a chat in every form, and the attributes of its spans."""

import asyncio
from collections.abc import Callable
from typing import Any

from openai import AsyncOpenAI, OpenAI

from tests.clients.capture import Captured
from tests.loopback.llm_server import LlmServer

ASKED: dict[str, Any] = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "How warm is it in Paris?"}]}
STREAMED = {"gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": 0.001}


def sync_client(server: LlmServer, **options: Any) -> OpenAI:
    """The package's own client, pointed at the server."""
    return OpenAI(base_url=f"{server.url}/v1", api_key="key", **{"max_retries": 0, **options})


def async_client(server: LlmServer, **options: Any) -> AsyncOpenAI:
    """The same, asynchronous."""
    return AsyncOpenAI(base_url=f"{server.url}/v1", api_key="key", **{"max_retries": 0, **options})


def plain(server: LlmServer, **asked: Any) -> None:
    """Create."""
    with sync_client(server) as client:
        client.chat.completions.create(**asked)


def streamed(server: LlmServer, **asked: Any) -> None:
    """Create with stream=True, read to the end."""
    with sync_client(server) as client:
        for _ in client.chat.completions.create(**asked, stream=True):
            pass


def raw(server: LlmServer, **asked: Any) -> None:
    """With the raw response, parsed."""
    with sync_client(server) as client:
        client.chat.completions.with_raw_response.create(**asked).parse()


def raw_streamed(server: LlmServer, **asked: Any) -> None:
    """A raw response whose stream is read to the end."""
    with sync_client(server) as client:
        for _ in client.chat.completions.with_raw_response.create(**asked, stream=True).parse():
            pass


def unread(server: LlmServer, **asked: Any) -> None:
    """A response whose body is read by parsing it."""
    with sync_client(server) as client, client.chat.completions.with_streaming_response.create(**asked) as response:
        response.parse()


def unread_text(server: LlmServer, **asked: Any) -> None:
    """A response whose body is read as text."""
    with sync_client(server) as client, client.chat.completions.with_streaming_response.create(**asked) as response:
        response.text()


def unread_bytes(server: LlmServer, **asked: Any) -> None:
    """A response whose body is read in pieces."""
    with sync_client(server) as client, client.chat.completions.with_streaming_response.create(**asked) as response:
        for _ in response.iter_bytes():
            pass


def unread_lines_streamed(server: LlmServer, **asked: Any) -> None:
    """A stream whose lines the program reads itself."""
    with (
        sync_client(server) as client,
        client.chat.completions.with_streaming_response.create(**asked, stream=True) as response,
    ):
        for _ in response.iter_lines():
            pass


def parsed(server: LlmServer, **asked: Any) -> None:
    """The parse() helper."""
    with sync_client(server) as client:
        client.chat.completions.parse(**asked)


def helped_streamed(server: LlmServer, **asked: Any) -> None:
    """The stream() helper."""
    with sync_client(server) as client, client.chat.completions.stream(**asked) as events:
        for _ in events:
            pass


def asynchronous(body: Callable[..., Any]) -> Callable[..., None]:
    """A form that runs in an event loop, with an asynchronous client."""

    def form(server: LlmServer, **asked: Any) -> None:
        async def run() -> None:
            async with async_client(server) as client:
                await body(client, **asked)

        asyncio.run(run())

    form.__name__ = body.__name__
    return form


@asynchronous
async def async_plain(client: AsyncOpenAI, **asked: Any) -> None:
    """Create."""
    await client.chat.completions.create(**asked)


@asynchronous
async def async_streamed(client: AsyncOpenAI, **asked: Any) -> None:
    """Create with stream=True, read to the end."""
    async for _ in await client.chat.completions.create(**asked, stream=True):
        pass


@asynchronous
async def async_raw(client: AsyncOpenAI, **asked: Any) -> None:
    """With the raw response, parsed."""
    (await client.chat.completions.with_raw_response.create(**asked)).parse()


@asynchronous
async def async_raw_streamed(client: AsyncOpenAI, **asked: Any) -> None:
    """A raw response whose stream is read to the end."""
    async for _ in (await client.chat.completions.with_raw_response.create(**asked, stream=True)).parse():
        pass


@asynchronous
async def async_unread(client: AsyncOpenAI, **asked: Any) -> None:
    """A response whose body is read by parsing it."""
    async with client.chat.completions.with_streaming_response.create(**asked) as response:
        await response.parse()


@asynchronous
async def async_unread_json(client: AsyncOpenAI, **asked: Any) -> None:
    """A response whose body is read as JSON."""
    async with client.chat.completions.with_streaming_response.create(**asked) as response:
        await response.json()


@asynchronous
async def async_unread_text_streamed(client: AsyncOpenAI, **asked: Any) -> None:
    """A stream that the program reads itself."""
    async with client.chat.completions.with_streaming_response.create(**asked, stream=True) as response:
        async for _ in response.iter_text():
            pass


@asynchronous
async def async_helped_streamed(client: AsyncOpenAI, **asked: Any) -> None:
    """The stream() helper."""
    async with client.chat.completions.stream(**asked) as events:
        await events.until_done()


PLAIN = [plain, raw, unread, unread_text, unread_bytes, parsed, async_plain, async_raw, async_unread, async_unread_json]
STREAMS = [
    streamed,
    raw_streamed,
    unread_lines_streamed,
    helped_streamed,
    async_streamed,
    async_raw_streamed,
    async_unread_text_streamed,
    async_helped_streamed,
]


def said(captured: Captured, server: LlmServer) -> list[dict[str, object]]:
    """The tree, with the server's port left out: it is another one each time."""
    tree = captured.tree()
    for node in tree:
        attributes = node["attributes"]
        assert isinstance(attributes, dict)
        assert attributes.pop("server.port") == server.port
    return tree


RESPONSES_ASKED: dict[str, Any] = {
    "model": "gpt-5",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "How warm?"}]},
        {"type": "function_call", "call_id": "call_0", "name": "place", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_0", "output": "Paris"},
        {
            "role": "user",
            "content": [{"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,aGk="}],
        },
    ],
    "conversation": "conv_1",
    "max_output_tokens": 100,
    "reasoning": {"effort": "low"},
    "temperature": 0.5,
    "text": {"format": {"type": "json_object"}},
    "tools": [{"type": "function", "name": "weather", "parameters": {}, "strict": True}],
}
