"""A decorated call against a raw OpenTelemetry span: what tracing costs the app's thread, as a ratio within one run.

Blocks of calls of every kind are interleaved in random order; the median of a kind's blocks counts, in CPU time of the
calling thread, less the bare call. Theirs end in a `BatchSpanProcessor` whose exporter does nothing, ours in our queue;
both are emptied between the blocks. The call returns a small dict, which is captured too. Run it with
`python benchmarks/decorated_call.py`, and with `guest` for the program's own provider and its batch processor.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from _decorated import CASES, NESTED, Cost, decorated_calls, median_cost, none, with_sdk
from opentelemetry import trace

import agentops_otel

BLOCKS = 40


def kinds_of(theirs: trace.Tracer, ours: trace.Tracer) -> dict[str, Callable[[], Any]]:
    """What is measured."""

    def raw() -> None:
        with theirs.start_as_current_span("raw"):
            none()

    return {
        "raw": raw,
        "ten attributes, theirs": lambda: by_hand(theirs),
        "ten attributes, ours": lambda: by_hand(ours),
        "bare ten attributes": ten_attributes,
        **decorated_calls(agentops_otel.record_action),
    }


def by_hand(tracer: trace.Tracer) -> None:
    """A span with ten attributes."""
    with tracer.start_as_current_span("by hand") as span:
        ten_attributes(span.set_attribute)


def ten_attributes(use: Callable[[str, str], object] = lambda key, value: None) -> None:
    """Make ten attributes, each of which *use* gets."""
    for n in range(10):
        use(f"key {n}", "value")


async def measure(*, guest: bool) -> None:
    theirs, own = with_sdk(), with_sdk()
    client = agentops_otel.init(tracer_provider=own if guest else None, console=False, trace_file=False)
    tracer = own.get_tracer("ours") if guest else trace.get_tracer("ours")
    kinds = kinds_of(theirs.get_tracer("raw"), tracer)

    def drain() -> None:
        client.pipeline.drain(10)
        theirs.force_flush()
        own.force_flush()

    cost = await median_cost(kinds, drain, BLOCKS)
    agentops_otel.shutdown(timeout_s=0.1)
    disabled = await median_cost(kinds, drain, BLOCKS)
    theirs.shutdown()
    own.shutdown()
    show(cost, disabled)


def show(cost: dict[str, Cost], disabled: dict[str, Cost]) -> None:
    """Print the table: the program's thread, and the whole process with the exporting thread."""
    nothing = cost["bare no arguments"]
    raw = Cost(cost["raw"].thread - nothing.thread, cost["raw"].process - nothing.process)
    rows = {name: more(cost, name) for name in CASES}
    nested = cost[NESTED]
    rows[NESTED] = Cost((nested.thread - nothing.thread) / 10, (nested.process - nothing.process) / 10)
    rows["three arguments, disabled"] = more(disabled, "three arguments")
    print(f"{'raw OpenTelemetry span':26} {raw.thread / 1000:6.2f} µs {raw.process / 1000:17.2f} µs in all threads")
    for name, row in rows.items():
        print(
            f"{name:26} {row.thread / 1000:6.2f} µs {row.thread / raw.thread:6.2f} x"
            f" {row.process / 1000:8.2f} µs {row.process / raw.process:6.2f} x"
        )
    bare = cost["bare ten attributes"].thread
    ours, theirs = cost["ten attributes, ours"].thread - bare, cost["ten attributes, theirs"].thread - bare
    print(f"{'by hand, ten attributes':26} {ours / 1000:6.2f} µs {ours / theirs:6.2f} x of the SDK's")


def more(cost: dict[str, Cost], name: str) -> Cost:
    """What tracing adds to the bare call."""
    traced, bare = cost[name], cost[f"bare {name}"]
    return Cost(traced.thread - bare.thread, traced.process - bare.process)


if __name__ == "__main__":
    asyncio.run(measure(guest="guest" in sys.argv))
