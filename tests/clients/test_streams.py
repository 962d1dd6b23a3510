"""What holds for every client's streams: however one is read, and left, it ends its one span, and is what it was."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from tests.clients.capture import Captured, capture
from tests.clients.contract import any_client, each_client, outcome, was_left
from tests.clients.contract import pytestmark as of_each_client
from tests.clients.forms.form import CLIENTS, Forms, installed
from tests.loopback.llm_server import LlmServer

__all__ = ["any_client"]

pytestmark = [of_each_client, pytest.mark.no_cover]


@pytest.fixture(params=installed(*CLIENTS))
def client(request: pytest.FixtureRequest) -> Iterator[Forms]:
    """One client after the other."""
    yield from each_client(request)


def left_unread(stream: Any) -> None:
    """Dropped unread."""


def broken_off(stream: Any) -> None:
    """A loop left by `break`."""
    for _ in stream:
        break


def closed(stream: Any) -> None:
    """Closed, where it can be."""
    next(iter(stream))
    if hasattr(stream, "close"):
        stream.close()


@pytest.mark.parametrize("way", [left_unread, broken_off, closed])
def test_a_stream_left_early_ends_its_span(
    way: Callable[[Any], None], any_client: Forms, captured: Captured, server: LlmServer
) -> None:
    """However the program leaves a stream: UNSET, "error" for the finish reason that never came, and the flag."""
    if any_client.lazy and way is left_unread:
        pytest.skip("asks for nothing until its stream is read")
    server.answer(any_client.answer(stream=True))

    with any_client.client(server.url) as opened:
        way(any_client.stream(opened))

    was_left(captured)


async def async_left_unread(stream: Any) -> None:
    """Dropped unread."""


async def async_broken_off(stream: Any) -> None:
    """A loop left by `break`."""
    async for _ in stream:
        break


async def async_closed(stream: Any) -> None:
    """Closed, by whichever name it has for that."""
    await anext(aiter(stream))
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    if close is not None:
        await close()


# What only the garbage collector closes, httpx leaves when the loop is gone; with us and without us.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("way", [async_left_unread, async_broken_off, async_closed])
def test_an_asynchronous_stream_left_early_ends_its_span(
    way: Callable[[Any], Any], any_client: Forms, captured: Captured, server: LlmServer
) -> None:
    """The same rule, in an event loop."""
    if any_client.async_client is None:
        pytest.skip("the client has no asynchronous form")
    if any_client.lazy and way is async_left_unread:
        pytest.skip("asks for nothing until its stream is read")
    opens = any_client.async_client
    server.answer(any_client.answer(stream=True))

    async def run() -> None:
        async with opens(server.url) as opened:
            await way(await any_client.begin(opened))

    asyncio.run(run())
    gc.collect()

    was_left(captured)


def test_a_stream_is_read_in_another_thread(client: Forms, captured: Captured, server: LlmServer) -> None:
    """Handed over, it ends its span there."""
    server.answer(client.answer(stream=True))

    with client.client(server.url) as opened:
        thread = threading.Thread(target=list, args=(client.stream(opened),))
        thread.start()
        thread.join(60)

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("stop",)


def test_an_asynchronous_stream_is_read_in_another_task(client: Forms, captured: Captured, server: LlmServer) -> None:
    """Begun in one and read in the other."""
    if client.async_client is None:
        pytest.skip("the client has no asynchronous form")
    opens = client.async_client
    server.answer(client.answer(stream=True))

    async def read(stream: Any) -> None:
        async for _ in stream:
            pass

    async def run() -> None:
        async with opens(server.url) as opened:
            stream = await asyncio.create_task(client.begin(opened))
            await asyncio.create_task(read(stream))

    asyncio.run(run())

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("stop",)


@pytest.mark.parametrize("form", ["streamed", "async_streamed"])
def test_what_the_program_does_while_it_reads_is_no_part_of_the_call(
    form: str, client: Forms, captured: Captured, server: LlmServer
) -> None:
    """Spans that are made between two chunks are the program's own span's children."""
    if form not in client.names:
        pytest.skip("the client has no asynchronous form")
    opens = client.async_client
    tracer = captured.provider.get_tracer("program")
    server.answer(client.answer(stream=True))

    async def run() -> None:
        assert opens is not None
        async with opens(server.url) as opened:
            async for _ in await client.begin(opened):
                tracer.start_span("show").end()

    with tracer.start_as_current_span("answer"):
        if form == "streamed":
            with client.client(server.url) as opened:
                for _ in client.stream(opened):
                    tracer.start_span("show").end()
        else:
            asyncio.run(run())

    (root,) = captured.tree()
    children = root["children"]
    assert isinstance(children, list)
    assert [name for name in {child["name"] for child in children} if name != "show"]
    assert "show" in {child["name"] for child in children}
    assert all("children" not in child for child in children)


# httpx leaves a generator that only the garbage collector closes, when the loop is gone; with us and without us.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_asynchronous_stream_that_is_cancelled_ends_its_span(
    any_client: Forms, captured: Captured, server: LlmServer
) -> None:
    """The task that reads it is cancelled between two chunks."""
    if any_client.async_client is None:
        pytest.skip("the client has no asynchronous form")
    opens = any_client.async_client
    server.answer(any_client.answer(stream=True))

    async def run() -> None:
        async with opens(server.url) as opened:
            stream = await any_client.begin(opened)
            reading = asyncio.Event()

            async def read() -> None:
                async for _ in stream:
                    reading.set()
                    await asyncio.Event().wait()

            task = asyncio.create_task(read())
            await asyncio.wait_for(reading.wait(), 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    gc.collect()

    was_left(captured)


def test_a_stream_that_is_cut_says_what_came(any_client: Forms, captured: Captured, server: LlmServer) -> None:
    """A broken connection is what the client makes of it: an error of the program is one of the span."""
    whole = any_client.answer(stream=True)
    server.answer(replace(whole, chunks=whole.chunks[:-1][:3], cut=True))

    told = outcome(lambda: any_client.ask("streamed", server.url))

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("error",)
    if span.status.status_code is StatusCode.ERROR:
        assert told.startswith(str((span.attributes or {})["error.type"]))


def test_a_stream_outlives_the_wrappers(client: Forms, server: LlmServer) -> None:
    """One that is begun while they are on is read to its end after they are off, and has its span."""
    server.answer(client.answer(stream=True), times=2)
    bare = outcome(lambda: client.ask("streamed", server.url))

    with client.client(server.url) as opened:
        with capture() as captured:
            stream = client.stream(opened)
        ours = outcome(lambda: list(stream))

    assert ours == bare
    assert len(captured.spans) <= 1
