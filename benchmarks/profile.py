"""Where the time of one decorated call goes, a line a step: `python -m benchmarks.profile`.

Each step is timed alone, in CPU time of the thread; the least of fifteen blocks counts. Indented steps are part of the
one above them. Nothing is delivered meanwhile.
"""

import time
import timeit
from collections.abc import Callable
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider

import agentops_otel
from agentops_otel import sdk
from agentops_otel.content import snapshot
from agentops_otel.recording.decorated import DecoratedCall
from agentops_otel.tracing import SPAN_KEY, attach_context, current_context, detach_context

CALLS, BLOCKS = 400, 15
ARGUMENTS = (1, "two", 3.0)
BACK = {"answer": 42, "text": "some", "ok": True}


def three(a: int, b: str, c: float = 0.5) -> dict[str, object]:
    return BACK


def steps(decorated: Callable[..., Any], client: Any) -> dict[str, Callable[[], object]]:
    """What is timed, by its name."""
    call: DecoratedCall = next(
        cell.cell_contents for cell in decorated.__closure__ or () if isinstance(cell.cell_contents, DecoratedCall)
    )
    recorder, current = client.recorder, current_context()
    span = call.begin(recorder, current, ARGUMENTS, {})
    assert span is not None
    form, names, tracer = span._form, call.names(), recorder.tracer

    def end_call() -> None:
        running = tracer.begin("three", None, 0, form, ARGUMENTS)
        running._start_time = 1
        recorder.end_call(running, BACK)

    def end() -> None:
        running = tracer.begin("three", None)
        running._start_time = 1
        running.end(2)

    return {
        "the whole call": lambda: decorated(*ARGUMENTS),
        "the bare function": lambda: three(*ARGUMENTS),
        "the running recorder": sdk.current,
        "start: DecoratedCall.begin": lambda: call.begin(recorder, current, ARGUMENTS, {}),
        "  the session's attributes and parent": lambda: recorder.defaults.at(current),
        "  the arguments: whether they may be kept": lambda: names.plain(ARGUMENTS),
        "  Recorder.begin": lambda: recorder.begin(form, ARGUMENTS, None, current),
        "    Tracer.begin: the span and its ids": lambda: tracer.begin("three", None, 0, form, ARGUMENTS),
        "    which processors there are": tracer.dispatch,
        "    the clock": time.time_ns,
        "the context of the body": lambda: Context({**current, SPAN_KEY: span}),
        "attach and detach": lambda: detach_context(attach_context(current)),
        "the result's snapshot": lambda: snapshot(BACK),
        "Tracer.begin and Recorder.end_call": end_call,
        "an empty span, begun and ended": end,
    }


def main() -> None:
    """Print the table."""
    client = agentops_otel.init(console=False, trace_file=False, spool_dir=False, instrument_llm_calls=False)
    raw = TracerProvider().get_tracer("raw")

    def raw_span() -> None:
        with raw.start_as_current_span("raw"):
            pass

    decorated = agentops_otel.record_action(three)
    decorated(*ARGUMENTS)
    rows = {"a raw span of the SDK, no processor": raw_span, **steps(decorated, client)}
    for name, step in rows.items():
        print(f"{name:40} {_least_ns(step, client):7.0f} ns")


def _least_ns(step: Callable[[], object], client: Any) -> float:
    least = float("inf")
    for _ in range(BLOCKS):
        client.pipeline.drain(10)
        least = min(least, timeit.timeit(step, timer=time.thread_time, number=CALLS) / CALLS * 1e9)
    return least


if __name__ == "__main__":
    main()
