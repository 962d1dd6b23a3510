"""What `decorated_call.py` and `peers.py` measure: the functions that are decorated, and blocks of calls of them."""

import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

CALLS = 150
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


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "no arguments": (none, ()),
    "three arguments": (three, (1, "two", 3.0)),
    "20 KB dict": (large, (LARGE,)),
    "async, three arguments": (three_async, (1, "two", 3.0)),
}
NESTED = "nested, one of ten"


def with_sdk() -> TracerProvider:
    """An SDK provider whose batches go nowhere."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere(), max_queue_size=100_000))
    return provider


def decorated_calls(decorate: Callable[[Callable[..., Any]], Callable[..., Any]]) -> dict[str, Callable[[], Any]]:
    """Each case decorated, and bare; ten nested calls."""

    @decorate
    def nested(depth: int) -> Any:
        return depth and nested(depth - 1)

    kinds: dict[str, Callable[[], Any]] = {NESTED: lambda: nested(9)}
    for name, (function, arguments) in CASES.items():
        kinds[name] = _call(decorate(function), arguments)
        kinds[f"bare {name}"] = _call(function, arguments)
    return kinds


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[[], Any]:
    return lambda: function(*arguments)


@dataclass(frozen=True)
class Cost:
    """What a call costs, in nanoseconds of CPU time."""

    thread: float
    """In the program's thread."""
    process: float
    """In all threads, until everything has been exported."""


async def median_cost(kinds: dict[str, Callable[[], Any]], drain: Callable[[], object], blocks: int) -> dict[str, Cost]:
    """The median of the blocks of each kind, which take turns in random order."""
    thread: dict[str, list[float]] = {name: [] for name in kinds}
    process: dict[str, list[float]] = {name: [] for name in kinds}
    order = list(kinds) * blocks
    random.Random(1).shuffle(order)
    for name in order:
        call = kinds[name]
        began, start = time.process_time_ns(), time.thread_time_ns()
        for _ in range(CALLS):
            result = call()
            if isinstance(result, Awaitable):
                await result
        thread[name].append((time.thread_time_ns() - start) / CALLS)
        drain()
        process[name].append((time.process_time_ns() - began) / CALLS)
    return {name: Cost(statistics.median(thread[name]), statistics.median(process[name])) for name in kinds}
