"""A decorated call against a raw OpenTelemetry span: what tracing costs the app, as a ratio within one run.

Blocks of calls of every kind are interleaved in random order; the minimum of a kind's blocks counts, in CPU time of
the calling thread, less the bare call. Both sides end their spans into a `BatchSpanProcessor` whose exporter does
nothing. Run it with `python benchmarks/decorated_call.py`.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import agentops_otel

CALLS, BLOCKS = 200, 60
LARGE = {f"key {n}": {"text": "x" * 40, "numbers": [n, n + 1, 0.5]} for n in range(250)}
"""About 20 KB of JSON."""


class Nowhere(SpanExporter):
    """Takes every span and does nothing with it."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Nothing."""
        return SpanExportResult.SUCCESS


def none() -> None: ...


def three(a: int, b: str, c: float = 0.5) -> int:
    return a


def large(value: object) -> None: ...


async def three_async(a: int, b: str, c: float = 0.5) -> int:
    return a


@agentops_otel.record_action
def nested(depth: int) -> int:
    return depth and nested(depth - 1)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "no arguments": (none, ()),
    "three arguments": (three, (1, "two", 3.0)),
    "20 KB dict": (large, (LARGE,)),
    "async, three arguments": (three_async, (1, "two", 3.0)),
}


async def measure() -> None:
    theirs, ours = TracerProvider(), TracerProvider()
    for provider in (theirs, ours):
        provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    tracer = theirs.get_tracer("raw")

    def raw() -> None:
        with tracer.start_as_current_span("raw"):
            none()

    kinds: dict[str, Callable[[], Any]] = {"raw": raw, "nested": lambda: nested(9)}
    for name, (function, arguments) in CASES.items():
        kinds[name] = _call(agentops_otel.record_action(function), arguments)
        kinds[f"bare {name}"] = _call(function, arguments)
    agentops_otel.init(tracer_provider=ours, console=False, trace_file=False)
    cost = await minimum_ns(kinds)
    agentops_otel.shutdown()
    disabled = await minimum_ns(kinds)
    theirs.shutdown()
    ours.shutdown()
    show(cost, disabled)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[[], Any]:
    return lambda: function(*arguments)


async def minimum_ns(kinds: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The least CPU time of a call of each kind, in nanoseconds."""
    best = dict.fromkeys(kinds, float("inf"))
    order = list(kinds) * BLOCKS
    random.Random(1).shuffle(order)
    for name in order:
        call = kinds[name]
        start = time.thread_time_ns()
        for _ in range(CALLS):
            result = call()
            if isinstance(result, Awaitable):
                await result
        best[name] = min(best[name], (time.thread_time_ns() - start) / CALLS)
    return best


def show(cost: dict[str, float], disabled: dict[str, float]) -> None:
    """Print the table."""
    raw = cost["raw"] - cost["bare no arguments"]
    rows = {name: cost[name] - cost[f"bare {name}"] for name in CASES}
    rows["nested, one of ten"] = (cost["nested"] - cost["bare no arguments"]) / 10
    rows["three arguments, disabled"] = disabled["three arguments"] - disabled["bare three arguments"]
    print(f"{'raw OpenTelemetry span':26} {raw / 1000:6.2f} µs")
    for name, ns in rows.items():
        print(f"{name:26} {ns / 1000:6.2f} µs {ns / raw:6.2f} x")


if __name__ == "__main__":
    asyncio.run(measure())
