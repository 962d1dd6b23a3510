"""How a stream of the openai package may end, and what its span then says; once, at once, and never in the way."""

import asyncio
import gc
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncStream, OpenAI, Stream
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from agentops_otel.tracing import gc_safe, qualified_name
from tests.clients.capture import Captured
from tests.clients.openai_calls import ASKED, async_client, sync_client
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import chunks, completion
from tests.program import WARNINGS
from tests.python_process import run_python

LEFT = {"agentops.stream.abandoned": True, "gen_ai.response.finish_reasons": ("error",)}


@pytest.fixture
def client(server: LlmServer) -> Iterator[OpenAI]:
    """A client of the server."""
    with sync_client(server) as opened:
        yield opened


def begin(client: OpenAI) -> Any:
    """A stream of which one chunk is read."""
    stream = client.chat.completions.create(**ASKED, stream=True)
    next(stream)
    return stream


def closed(client: OpenAI) -> None:
    """Closed."""
    begin(client).close()


def left_by_with(client: OpenAI) -> None:
    """Left inside `with`."""
    with begin(client):
        pass


def left_by_error(client: OpenAI) -> None:
    """Left by an exception of the reader."""
    with pytest.raises(ZeroDivisionError), begin(client):
        raise ZeroDivisionError


def response_closed(client: OpenAI) -> None:
    """Closed through the HTTP response under it."""
    begin(client).response.close()


def dropped(client: OpenAI) -> None:
    """Dropped after a chunk."""
    begin(client)


def never_read(client: OpenAI) -> None:
    """Dropped unread."""
    client.chat.completions.create(**ASKED, stream=True)


def broken_off(client: OpenAI) -> None:
    """A loop left by `break`."""
    for _ in client.chat.completions.create(**ASKED, stream=True):
        break


def left_in_generator(client: OpenAI) -> None:
    """Inside a generator of the program's own, which is closed."""

    def texts() -> Generator[Any, None, None]:
        yield from client.chat.completions.create(**ASKED, stream=True)

    reading = texts()
    next(reading)
    reading.close()


def closed_in_thread(client: OpenAI) -> None:
    """Closed by another thread."""
    thread = threading.Thread(target=begin(client).close)
    thread.start()
    thread.join(20)


def helper_left(client: OpenAI) -> None:
    """The stream() helper, left by its `with`."""
    with client.chat.completions.stream(**ASKED) as events:
        next(events)


def raw_left(client: OpenAI) -> None:
    """A response that is closed before it is read."""
    with client.chat.completions.with_streaming_response.create(**ASKED, stream=True):
        pass


WAYS = [
    closed,
    left_by_with,
    left_by_error,
    response_closed,
    dropped,
    never_read,
    broken_off,
    left_in_generator,
    closed_in_thread,
    helper_left,
    raw_left,
]


@pytest.mark.parametrize("way", WAYS)
def test_stream_left_early_ends_its_span_at_once(
    way: Callable[[OpenAI], None], client: OpenAI, captured: Captured, server: LlmServer
) -> None:
    """However the program leaves a stream: UNSET, "error" for the finish reason that never came, and the flag."""
    server.answer(Answer.events(chunks(completion())))

    way(client)

    (span,) = captured.spans
    assert span.status.status_code is trace.StatusCode.UNSET
    assert LEFT.items() <= dict(span.attributes or {}).items()


async def async_closed(stream: AsyncStream[Any]) -> None:
    """Closed."""
    await stream.close()


async def async_left_by_with(stream: AsyncStream[Any]) -> None:
    """Left inside `async with`."""
    async with stream:
        pass


async def async_response_closed(stream: AsyncStream[Any]) -> None:
    """Closed through the HTTP response under it."""
    await stream.response.aclose()


async def async_cancelled(stream: AsyncStream[Any]) -> None:
    """The task that reads it is cancelled."""

    async def read() -> None:
        async for _ in stream:
            reading.set()

    reading = asyncio.Event()
    task = asyncio.create_task(read())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def async_timed_out(stream: AsyncStream[Any]) -> None:
    """The wait for a chunk has a limit."""
    await anext(stream)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream.__anext__(), 0.05)


@pytest.mark.parametrize(
    "way", [async_closed, async_left_by_with, async_response_closed, async_cancelled, async_timed_out]
)
def test_asynchronous_stream_left_early_ends_its_span_at_once(
    way: Callable[[Any], Any], captured: Captured, server: LlmServer
) -> None:
    """The same rule holds for cancellation, timeouts and asynchronous closing."""
    gate = threading.Event()
    server.answer(Answer.events(chunks(completion()), gate=gate))

    async def run() -> None:
        async with async_client(server) as client:
            stream = await client.chat.completions.create(**ASKED, stream=True)
            await way(stream)
            assert len(captured.spans) == 1

    asyncio.run(run())
    gate.set()

    (span,) = captured.spans
    assert span.status.status_code is trace.StatusCode.UNSET
    assert LEFT.items() <= dict(span.attributes or {}).items()


def test_a_stream_forgotten_in_a_cycle_says_what_was_read(
    client: OpenAI, captured: Captured, server: LlmServer
) -> None:
    """Although the collector finds the call before its stream, while a lock is held that the end of a span takes."""
    gc_safe.install_gc_callback()
    lock, found = threading.Lock(), threading.Event()
    captured.provider.add_span_processor(_Locked(lock, found))
    server.answer(Answer.events(chunks(completion())))
    gc.disable()  # it would put what it has seen behind what is newer
    try:
        cycle: list[Any] = [client.chat.completions.create(**ASKED, stream=True)]
        read = [next(cycle[0]) for _ in range(3)]
        cycle.append(cycle)

        del cycle
        with lock:
            gc.collect()
    finally:
        gc.enable()
    assert found.wait(60)

    (span,) = captured.spans
    assert span.status.status_code is trace.StatusCode.UNSET
    assert {**LEFT, "gen_ai.response.id": read[0].id}.items() <= dict(span.attributes or {}).items()
    assert "gen_ai.output.messages" in (span.attributes or {})


class _Locked(SpanProcessor):
    """Takes a lock that cannot be taken twice, as exporters and metrics do; says when it had it."""

    def __init__(self, lock: threading.Lock, had: threading.Event) -> None:
        self._lock, self._had = lock, had

    def on_end(self, span: ReadableSpan) -> None:
        if self._lock.acquire(timeout=60):
            self._lock.release()
            self._had.set()


def test_stream_read_to_its_end_and_closed_has_one_span(client: OpenAI, captured: Captured, server: LlmServer) -> None:
    """What comes after the end changes nothing."""
    server.answer(Answer.events(chunks(completion())))

    with client.chat.completions.create(**ASKED, stream=True) as stream:
        read = list(stream)
        assert next(stream, None) is None
    stream.close()
    del stream
    gc.collect()

    (span,) = captured.spans
    assert len(read) == len(chunks(completion()))
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("stop",)
    assert "agentops.stream.abandoned" not in (span.attributes or {})


@pytest.mark.parametrize(
    "answer",
    [
        Answer.events(chunks(completion())[:3], cut=True),
        Answer.events([*chunks(completion())[:3], {"error": {"message": "overloaded"}}]),
    ],
    ids=["cut", "error"],
)
def test_stream_that_breaks_is_an_error(answer: Answer, client: OpenAI, captured: Captured, server: LlmServer) -> None:
    """A cut connection or an error event: ERROR, the error's class, and what had been said until then."""
    server.answer(answer)

    with pytest.raises(Exception, match=r"overloaded|Connection error|peer closed") as caught:
        list(client.chat.completions.create(**ASKED, stream=True))

    (node,) = captured.tree()
    attributes = node["attributes"]
    assert isinstance(attributes, dict)
    assert node["status"] == "ERROR"
    assert node["events"] == ["exception"]
    assert attributes["error.type"] == qualified_name(type(caught.value))
    assert attributes["gen_ai.response.finish_reasons"] == ["error"]
    assert attributes["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 d"}]}
    ]


def test_stream_is_what_the_client_made(client: OpenAI, captured: Captured, server: LlmServer) -> None:
    """Type, response, headers and attributes of the stream are the client's."""
    server.answer(Answer.events(chunks(completion())))

    with client.chat.completions.create(**ASKED, stream=True) as stream:
        assert isinstance(stream, Stream)
        assert not isinstance(stream, AsyncStream)
        assert not hasattr(stream, "__anext__")
        assert stream.response is stream.response
        assert stream.response.headers["content-type"] == "text/event-stream"
        assert type(next(iter(stream))) is openai.types.chat.ChatCompletionChunk


def test_spans_made_while_reading_are_not_children_of_the_call(
    client: OpenAI, captured: Captured, server: LlmServer
) -> None:
    """The call is current while its client works, never while the program does."""
    tracer = captured.provider.get_tracer("program")
    server.answer(Answer.events(chunks(completion())))

    with tracer.start_as_current_span("answer"):
        for _ in client.chat.completions.create(**ASKED, stream=True):
            with tracer.start_as_current_span("show"):
                pass

    (root,) = captured.tree()
    children = root["children"]
    assert isinstance(children, list)
    assert {child["name"] for child in children} == {"show", "chat gpt-4.1"}
    assert all("children" not in child for child in children)


def test_a_program_may_change_the_chunks_it_gets(client: OpenAI, captured: Captured, server: LlmServer) -> None:
    """The span says what the server said, not what became of it."""
    server.answer(Answer.events(chunks(completion())))

    for chunk in client.chat.completions.create(**ASKED, stream=True):
        chunk.choices.clear()
        chunk.usage = None

    (span,) = captured.spans
    said = span.attributes or {}
    assert "It is 21 degrees in Paris." in str(said["gen_ai.output.messages"])
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.response.finish_reasons"]) == (11, ("stop",))


def test_two_streams_read_in_turns_keep_apart(client: OpenAI, captured: Captured, server: LlmServer) -> None:
    """Each stream tells its own story."""
    first, second = completion(), completion({"role": "assistant", "content": "Rain is on its way."})
    for whole in (first, second):
        server.answer(Answer.events(chunks(whole)))

    streams = [client.chat.completions.create(**ASKED, stream=True) for _ in range(2)]
    for _ in zip(*streams, strict=False):
        pass
    for stream in streams:
        list(stream)

    texts = {
        tuple(part["content"] for message in node["attributes"]["gen_ai.output.messages"] for part in message["parts"])
        for node in captured.tree()
        if isinstance(node["attributes"], dict)
    }
    assert texts == {("It is 21 degrees in Paris.",), ("Rain is on its way.",)}


def test_stream_read_in_another_thread_has_one_span(client: OpenAI, captured: Captured, server: LlmServer) -> None:
    """A stream may be handed over."""
    server.answer(Answer.events(chunks(completion())))
    stream = client.chat.completions.create(**ASKED, stream=True)

    thread = threading.Thread(target=list, args=(stream,))
    thread.start()
    thread.join(20)

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("stop",)


TRACED = """
import sys
import agentops_otel
agentops_otel.init(trace_file=sys.argv[1], console=False, service_name="held")
"""
HELD = """
import os, sys, warnings
import openai

warnings.simplefilter("ignore")  # a fork beside threads, sockets that stay open
client = openai.OpenAI(base_url=sys.argv[2], api_key="key")
stream = client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "Hi"}], stream=True)
next(stream)
if os.fork() == 0:
    sys.exit()
os.wait()
"""


def asked_twice_at_once(server: LlmServer, gate: threading.Event) -> None:
    """Another thread waits for the next chunk already."""
    waits = threading.Event()

    def rest() -> None:
        sys.setprofile(
            lambda _, event, called: waits.set() if event == "c_call" and "recv" in called.__name__ else None
        )
        list(stream)

    with sync_client(server) as client:
        stream = begin(client)
        reading = threading.Thread(target=rest)
        reading.start()
        assert waits.wait(60)
        with pytest.raises(ValueError, match="already executing"):
            next(stream)
        gate.set()
        reading.join()


async def awaited_twice_at_once(server: LlmServer, gate: threading.Event) -> None:
    """Another task waits for the next chunk already."""
    async with async_client(server) as client:
        stream = await client.chat.completions.create(**ASKED, stream=True)
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="already running"):
            await anext(stream)
        gate.set()
        await waiting
        async for _ in stream:
            pass


@pytest.mark.parametrize("ask", [asked_twice_at_once, awaited_twice_at_once])
def test_who_asks_while_another_reads_ends_nothing(
    ask: Callable[..., Any], captured: Captured, server: LlmServer
) -> None:
    """The stream goes on for the other: the error that says so is none of the answer's."""
    gate = threading.Event()
    server.answer(Answer.events(chunks(completion()), gate=gate))

    done = ask(server, gate)
    if asyncio.iscoroutine(done):
        asyncio.run(done)

    (span,) = captured.spans
    assert span.status.status_code is trace.StatusCode.UNSET
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("stop",)


def test_a_stream_that_is_held_when_the_program_ends_has_its_span(server: LlmServer, tmp_path: Path) -> None:
    """It was left, and says what came; a forked child, which holds it too, does not say so again.

    The program ends as it does without us: CPython 3.13.0 crashes if it was not forked. Two programs import openai.
    """
    traces = tmp_path / "traces.jsonl"

    def end_of(program: str) -> subprocess.CompletedProcess[str]:
        server.answer(Answer.events(chunks(completion())))
        return run_python(*WARNINGS, "-c", program, traces, f"{server.url}/v1", timeout=180)

    bare, done = end_of(HELD), end_of(TRACED + HELD)

    assert (done.returncode, done.stderr) == (bare.returncode, "")
    assert bare.returncode == 0 or (bare.returncode == -signal.SIGSEGV and sys.version_info[:3] == (3, 13, 0))
    requests = [json.loads(line) for line in traces.read_text().splitlines()]
    (span,) = (
        span
        for request in requests
        for resource in request["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    )
    said = {attribute["key"]: attribute["value"] for attribute in span["attributes"]}
    assert said["agentops.stream.abandoned"] == {"boolValue": True}
    assert said["gen_ai.response.finish_reasons"] == {"arrayValue": {"values": [{"stringValue": "error"}]}}
    assert (said["gen_ai.response.model"], span["status"]) == ({"stringValue": "gpt-4.1-2025-04-14"}, {})
