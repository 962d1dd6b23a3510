"""A decorated call against a raw OpenTelemetry span: what tracing costs the app's thread, as a ratio within one run.

Blocks of calls of every kind are interleaved in random order; the median of a kind's blocks counts, in CPU time of the
calling thread, less the bare call. Theirs end in a `BatchSpanProcessor` whose exporter does nothing, ours in our queue;
both are emptied between the blocks. The call returns a small dict, which is captured too. Run it with
`python -m benchmarks.decorated_call`, and with `guest` for the program's own provider and its batch processor.
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import agentops_otel

CALLS, BLOCKS = 150, 40
BACK = {"answer": 42, "text": "some", "ok": True}
LARGE = {f"key {n}": {"text": "x" * 40, "numbers": [n, n + 1, 0.5]} for n in range(250)}
"""About 20 KB of JSON."""


class Nowhere(SpanExporter):
    """Takes every span and does nothing with it."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Nothing."""
        return SpanExportResult.SUCCESS


def none() -> None: ...


def three(a: int, b: str, c: float = 0.5) -> dict[str, object]:
    return BACK


def large(value: object) -> dict[str, object]:
    return BACK


async def three_async(a: int, b: str, c: float = 0.5) -> dict[str, object]:
    return BACK


@agentops_otel.record_action
def nested(depth: int) -> int:
    return depth and nested(depth - 1)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "no arguments": (none, ()),
    "three arguments": (three, (1, "two", 3.0)),
    "20 KB dict": (large, (LARGE,)),
    "async, three arguments": (three_async, (1, "two", 3.0)),
}


def with_sdk() -> TracerProvider:
    """An SDK provider whose batches go nowhere."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere(), max_queue_size=100_000))
    return provider


def kinds_of(theirs: trace.Tracer, ours: trace.Tracer) -> dict[str, Callable[[], Any]]:
    """What is measured."""

    def raw() -> None:
        with theirs.start_as_current_span("raw"):
            none()

    kinds: dict[str, Callable[[], Any]] = {"raw": raw, "nested": lambda: nested(9)}
    kinds["ten attributes, theirs"] = lambda: by_hand(theirs)
    kinds["ten attributes, ours"] = lambda: by_hand(ours)
    for name, (function, arguments) in CASES.items():
        kinds[name] = _call(agentops_otel.record_action(function), arguments)
        kinds[f"bare {name}"] = _call(function, arguments)
    return kinds


def by_hand(tracer: trace.Tracer) -> None:
    """A span with ten attributes."""
    with tracer.start_as_current_span("by hand") as span:
        for n in range(10):
            span.set_attribute(f"key {n}", "value")


async def measure(*, guest: bool) -> None:
    theirs, own = with_sdk(), with_sdk()
    client = agentops_otel.init(tracer_provider=own if guest else None, console=False, trace_file=False)
    tracer = own.get_tracer("ours") if guest else trace.get_tracer("ours")
    kinds = kinds_of(theirs.get_tracer("raw"), tracer)

    def drain() -> None:
        client.pipeline.drain(10)
        theirs.force_flush()
        own.force_flush()

    cost = await median_ns(kinds, drain)
    agentops_otel.shutdown(timeout_s=0.1)
    disabled = await median_ns(kinds, drain)
    theirs.shutdown()
    own.shutdown()
    show(cost, disabled)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[[], Any]:
    return lambda: function(*arguments)


async def median_ns(kinds: dict[str, Callable[[], Any]], drain: Callable[[], None]) -> dict[str, float]:
    """The median CPU time of a call of each kind, in nanoseconds."""
    blocks: dict[str, list[float]] = {name: [] for name in kinds}
    order = list(kinds) * BLOCKS
    random.Random(1).shuffle(order)
    for name in order:
        call = kinds[name]
        start = time.thread_time_ns()
        for _ in range(CALLS):
            result = call()
            if isinstance(result, Awaitable):
                await result
        blocks[name].append((time.thread_time_ns() - start) / CALLS)
        drain()
    return {name: statistics.median(times) for name, times in blocks.items()}


def show(cost: dict[str, float], disabled: dict[str, float]) -> None:
    """Print the table."""
    raw = cost["raw"] - cost["bare no arguments"]
    rows = {name: cost[name] - cost[f"bare {name}"] for name in CASES}
    rows["nested, one of ten"] = (cost["nested"] - cost["bare no arguments"]) / 10
    rows["three arguments, disabled"] = disabled["three arguments"] - disabled["bare three arguments"]
    print(f"{'raw OpenTelemetry span':26} {raw / 1000:6.2f} µs")
    for name, ns in rows.items():
        print(f"{name:26} {ns / 1000:6.2f} µs {ns / raw:6.2f} x")
    ours, theirs = cost["ten attributes, ours"], cost["ten attributes, theirs"]
    print(f"{'by hand, ten attributes':26} {ours / 1000:6.2f} µs {ours / theirs:6.2f} x of the SDK's")


if __name__ == "__main__":
    asyncio.run(measure(guest="guest" in sys.argv))
