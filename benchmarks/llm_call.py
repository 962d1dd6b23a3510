"""What tracing costs an LLM call and a streamed chunk, against a hand-written span with the same attributes.

The vendors' own requests, answers and chunks, and clients that answer at once: what is measured is the tracing alone.
Blocks of every kind are interleaved in random order in one process; the minimum of a kind's blocks counts, in CPU time
of the calling thread, less the bare call. The spans by hand end in a `BatchSpanProcessor` whose exporter does nothing,
ours in our queue, which is emptied between the blocks. The hand-written span says the very attributes that ours says;
those of content are ready there as lists and dicts, and cost it `json.dumps` alone: nothing is read, bounded or
redacted. An agent's conversation has 40 messages with calls of tools, 20 kB, of which the last two are new to us with
each call; a long one has 240 messages, 110 kB.
Run it with `python benchmarks/llm_call.py`, and with `guest` for the program's own provider and its batch processor.
"""

import json
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from _calls import PLAIN, STREAMED, Call
from _decorated import Nowhere
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

import agentops_otel
from agentops_otel import sdk
from agentops_otel.instrumentation import install
from agentops_otel.testing import capture

CALLS, BLOCKS, FEW, MANY = 20, 40, 20, 220

Drain = Callable[[], object]


class Stream:
    """A stream whose chunks are there already."""

    def __init__(self, chunks: list[Any]) -> None:
        self._chunks = iter(chunks)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._chunks)


class AsyncStream:
    """The same, asynchronous."""

    def __init__(self, chunks: list[Any]) -> None:
        self._chunks = iter(chunks)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


class Bare:
    """Answers at once, where a vendor's package sends."""

    base_url = "http://model/v1"

    def __init__(self, answer: Any, chunks: list[Any]) -> None:
        self._answer, self._chunks = answer, chunks

    def request(self, options: object) -> Any:
        """The answer, or a stream of it."""
        return self._answer or Stream(self._chunks)

    async def arequest(self, options: object) -> Any:
        """The same, asynchronous."""
        return self._answer or AsyncStream(self._chunks)


def run(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run what never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration:
        return


async def aread(client: Bare, options: object) -> None:
    """Call, and read to the end."""
    answer = await client.arequest(options=options)
    if isinstance(answer, AsyncStream):
        async for _ in answer:
            pass


def read(client: Bare, options: object) -> None:
    """The same, synchronous."""
    answer = client.request(options=options)
    if isinstance(answer, Stream):
        for _ in answer:
            pass


def by_hand(call: Call, tracer: Tracer, client: Bare, options: object, said: dict[str, Any]) -> None:
    """The span that a careful programmer writes."""
    with tracer.start_as_current_span("chat", kind=SpanKind.CLIENT) as span:
        answer = client.request(options=options)
        if isinstance(answer, Stream):
            call.read(answer)
        for name, value in said.items():
            span.set_attribute(name, json.dumps(value) if isinstance(value, list | dict) else value)


def ready(attributes: dict[str, AttributeValue]) -> dict[str, Any]:
    """What our span says, as the programmer has it: content as it was before it became JSON."""
    return {
        name: json.loads(value) if isinstance(value, str) and value.startswith("[") else value
        for name, value in attributes.items()
    }


class Measured:
    """One call in one length: bare, by hand and ours."""

    def __init__(self, call: Call, tracer: Tracer, drain: Drain, chunks: int, *, content: bool) -> None:
        bare = Bare(call.answer, call.pieces(chunks))
        kind = type("Client", (Bare,), {"request": _own(Bare.request), "arequest": _own(Bare.arequest)})
        client = kind(call.answer, call.pieces(chunks))
        globals()[f"client_{id(kind)}"] = kind
        operation = replace(
            call.operation, methods=tuple(f"client_{id(kind)}.{name}" for name in ("request", "arequest"))
        )
        self._installation = install(
            [replace(call.spec, module=__name__, operations=(operation,), also_check=())], sdk.current
        )
        with capture(capture_content=content) as captured:
            read(client, call.options())
            (span,) = captured.spans
        said = ready(dict(span.attributes or {}))
        self._options, self._drain = call.options, drain
        self._kinds: dict[str, Callable[[object], None]] = {
            "bare": lambda options: read(bare, options),
            "by hand": lambda options: by_hand(call, tracer, bare, options, said),
            "ours": lambda options: read(client, options),
            "bare, async": lambda options: run(aread(bare, options)),
            "ours, async": lambda options: run(aread(client, options)),
        }

    def added(self) -> tuple[float, float, float]:
        """What by hand, ours and ours in an asynchronous client add to the bare call, in microseconds."""
        ns = minimum_ns(self._kinds, self._options, self._drain)
        self._installation.uninstall()
        bare, bare_async = ns["bare"], ns["bare, async"]
        return (ns["by hand"] - bare) / 1000, (ns["ours"] - bare) / 1000, (ns["ours, async"] - bare_async) / 1000


def _own(method: Any) -> Any:
    """A function of its own, to be wrapped alone."""
    return type(method)(method.__code__, method.__globals__, method.__name__, method.__defaults__)


def minimum_ns(
    kinds: dict[str, Callable[[object], None]], options: Callable[[], object], drain: Drain
) -> dict[str, float]:
    """The least CPU time of a call of each kind, in nanoseconds."""
    best = dict.fromkeys(kinds, float("inf"))
    order = list(kinds) * BLOCKS
    random.Random(1).shuffle(order)
    for name in order:
        call, asked = kinds[name], [options() for _ in range(CALLS)]
        start = time.thread_time_ns()
        for one in asked:
            call(one)
        best[name] = min(best[name], (time.thread_time_ns() - start) / CALLS)
        drain()
    return best


def show(name: str, hand: float, ours: float, ours_async: float) -> None:
    """One row of the table."""
    ratios = ours / hand, ours_async / hand
    print(f"{name:42} {hand:8.1f} {ours:8.1f} {ratios[0]:6.2f} x {ours_async:8.1f} {ratios[1]:6.2f} x", flush=True)


def measure(tracer: Tracer, drain: Drain, *, content: bool) -> None:
    """Print what everything costs with content, or without."""
    print(f"\n{'with content' if content else 'without content':42} {'by hand':>8} {'ours':>8} {'':8} {'async':>8}")
    for call in PLAIN:
        show(call.name, *Measured(call, tracer, drain, 0, content=content).added())
    for call in STREAMED:
        few, many = (Measured(call, tracer, drain, length, content=content).added() for length in (FEW, MANY))
        show(f"{call.name}, {MANY} chunks", *many)
        hand, ours, ours_async = ((more - less) / (MANY - FEW) for more, less in zip(many, few, strict=True))
        print(f"{'  a further chunk':42} {hand:8.2f} {ours:8.2f} {'':8} {ours_async:8.2f}")


def main(*, guest: bool) -> None:
    """Print both tables."""
    theirs, own = TracerProvider(), TracerProvider()
    for provider in (theirs, own):
        provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    print("CPU time added to a call, in µs")
    for content in (True, False):
        client = agentops_otel.init(
            tracer_provider=own if guest else None,
            console=False,
            trace_file=False,
            spool_dir=False,
            instrument_llm_calls=False,
            capture_content=content,
        )
        measure(theirs.get_tracer("by hand"), partial(client.pipeline.drain, 10), content=content)
        agentops_otel.shutdown(timeout_s=0.1)
    theirs.shutdown()
    own.shutdown()


if __name__ == "__main__":
    main(guest="guest" in sys.argv)
