"""An LLM call until its span is delivered, against a hand-written span with the same attributes: CPU of the process.

Each cell is a process of its own that makes the calls of `llm_call.py` and flushes; the collector is another process,
that answers without looking. The hand-written span goes through `BatchSpanProcessor` and the OTLP exporter; its content
is ready as lists and dicts. The least of a kind's rounds counts, less that of the bare call.
Run it with `python benchmarks/llm_delivered.py`.
"""

import argparse
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from _calls import PLAIN, Call
from delivery import collector, theirs
from llm_call import Bare, by_hand, read, ready
from opentelemetry.sdk.trace import TracerProvider

import agentops_otel
from agentops_otel import sdk
from agentops_otel.instrumentation import install
from agentops_otel.testing import capture

CALLS, WARM_UP, ROUNDS = 1500, 100, 3
KINDS = ("bare", "by hand", "ours")


class Client(Bare):
    """The client that is traced."""

    def request(self, options: object) -> Any:
        """The answer."""
        return super().request(options)


def traced(call: Call) -> None:
    operation = replace(call.operation, methods=("Client.request",))
    install([replace(call.spec, module=__name__, operations=(operation,), also_check=())], sdk.current)


def bare(call: Call, endpoint: str) -> tuple[Callable[[], object], Callable[[], object]]:
    client = Bare(call.answer, [])
    return lambda: read(client, call.options()), lambda: None


def hand(call: Call, endpoint: str) -> tuple[Callable[[], object], Callable[[], object]]:
    traced(call)
    with capture() as captured:
        Client(call.answer, []).request(options=call.options())
        (span,) = captured.spans
    said, provider, client = ready(dict(span.attributes or {})), TracerProvider(), Bare(call.answer, [])
    provider.add_span_processor(theirs(endpoint, "none"))
    tracer = provider.get_tracer("by hand")
    return lambda: by_hand(call, tracer, client, call.options(), said), provider.force_flush


def ours(call: Call, endpoint: str) -> tuple[Callable[[], object], Callable[[], object]]:
    traced(call)
    agentops_otel.init(endpoint=endpoint, console=False, trace_file=False, instrument_llm_calls=False)
    client = Client(call.answer, [])
    return lambda: read(client, call.options()), agentops_otel.flush


def measure(kind: str, number: int, endpoint: str) -> None:
    """Print the CPU time of one call, in microseconds."""
    run, flush = {"bare": bare, "by hand": hand, "ours": ours}[kind](PLAIN[number], endpoint)
    for _ in range(WARM_UP):
        run()
    flush()
    gc.collect()
    gc.freeze()  # one collection of the client's million objects takes as long as a thousand calls
    began = time.process_time()
    for _ in range(CALLS):
        run()
    flush()
    print(json.dumps((time.process_time() - began) / CALLS * 1e6))


def main() -> None:
    """Print the table."""
    print(f"{'CPU of a delivered call, in µs':44}{'by hand':>10}{'ours':>10}")
    with collector() as endpoint:
        for number, call in enumerate(PLAIN):
            us = {kind: min(_cell(kind, number, endpoint) for _ in range(ROUNDS)) for kind in KINDS}
            hand_us, ours_us = us["by hand"] - us["bare"], us["ours"] - us["bare"]
            print(f"{call.name:44}{hand_us:10.0f}{ours_us:10.0f}{ours_us / hand_us:8.2f} x", flush=True)


def _cell(kind: str, number: int, endpoint: str) -> float:
    command = [sys.executable, __file__, kind, str(number), endpoint]
    return float(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cell", nargs="*", help="nothing for the whole comparison")
    match parser.parse_args().cell:
        case [kind, number, endpoint]:
            measure(kind, int(number), endpoint)
        case _:
            main()
