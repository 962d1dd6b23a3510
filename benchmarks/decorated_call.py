"""A decorated call against a raw OpenTelemetry span: what tracing costs the app, as a ratio within one run.

Blocks of calls of each kind are interleaved and shuffled; the minimum of a kind's blocks counts, in CPU time of the calling thread, less
the bare call. Run it with `python -m benchmarks.decorated_call`.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import agentops_otel

CALLS = 200
BLOCKS = 60
LARGE = {f"key {n}": {"text": "x" * 60, "numbers": [n, n + 1, 0.5]} for n in range(200)}
"""About 20 KB of JSON."""


class Nowhere(SpanExporter):
    """Takes every span and does nothing with it."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Nothing."""
        return SpanExportResult.SUCCESS


def no_arguments() -> None: ...


def three(a: int, b: str, c: float = 0.5) -> int:
    return a


def one(value: Any) -> None: ...


async def three_async(a: int, b: str, c: float = 0.5) -> int:
    return a


def main() -> None:
    raw_provider, our_provider = TracerProvider(), TracerProvider()
    raw_provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    tracer = raw_provider.get_tracer("raw")
    agentops_otel.init(
        tracer_provider=our_provider, span_processors=[BatchSpanProcessor(Nowhere())], console=False, trace_file=False
    )
    agentops_otel.shutdown()


def minimum_ns(kinds: dict[str, Callable[[], None]]) -> dict[str, float]:
    """The least CPU nanoseconds a call of each kind, over interleaved blocks."""
    best = dict.fromkeys(kinds, float("inf"))
    order = list(kinds) * BLOCKS
    random.Random(1).shuffle(order)
    for name in order:
        run = kinds[name]
        start = time.thread_time_ns()
        for _ in range(CALLS):
            run()
        best[name] = min(best[name], (time.thread_time_ns() - start) / CALLS)
    return best
