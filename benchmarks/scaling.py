"""Whether a decorated call costs the same with many threads, many tasks and many spans, beside a raw span of the SDK.

Each row is a process of its own. CPU time of the process a call, less the bare call, as a ratio to the same with a raw
span of OpenTelemetry's SDK in a batch processor; ours are redacted and counted besides. Both send nothing. The last
columns are the largest resident memory of both. Run it with `python benchmarks/scaling.py`.
"""

import asyncio
import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from _decorated import three, three_async, with_sdk

THREADS, TASKS, SPANS = (1, 2, 8, 32), (1, 100, 10_000), (1_000, 10_000, 100_000, 1_000_000)
CALLS = 20_000
ARGUMENTS = (1, "two", 3.0)


def call_of(who: str) -> tuple[Callable[[], Any], Callable[[], Awaitable[Any]]]:
    """The call that is measured, plain and as a coroutine."""
    if who == "bare":
        return lambda: three(*ARGUMENTS), lambda: three_async(*ARGUMENTS)
    if who == "ours":
        import agentops_otel

        agentops_otel.init(console=False, trace_file=False, spool_dir=False)
        own, own_async = agentops_otel.record_action(three), agentops_otel.record_action(three_async)
        return lambda: own(*ARGUMENTS), lambda: own_async(*ARGUMENTS)
    tracer = with_sdk().get_tracer("raw")

    def raw() -> None:
        with tracer.start_as_current_span("raw"):
            three(*ARGUMENTS)

    async def raw_async() -> None:
        with tracer.start_as_current_span("raw"):
            await three_async(*ARGUMENTS)

    return raw, raw_async


def in_threads(call: Callable[[], Any], count: int) -> int:
    """Call in so many threads at once; the number of calls."""

    def run() -> None:
        for _ in range(CALLS // count):
            call()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CALLS // count * count


async def in_tasks(call: Callable[[], Awaitable[Any]], count: int) -> int:
    """Call in so many tasks at once; the number of calls."""

    async def one() -> None:
        await asyncio.sleep(0)
        await call()
        await asyncio.sleep(0)

    for _ in range(CALLS // count):
        await asyncio.gather(*(one() for _ in range(count)))
    return CALLS // count * count


def one_after_the_other(call: Callable[[], Any], count: int) -> int:
    """Call so often; the number of calls."""
    for _ in range(count):
        call()
    return count


def measure(who: str, what: str, count: int) -> None:
    """Print the nanoseconds of CPU time a call, and the largest resident memory in kilobytes."""
    call, call_async = call_of(who)
    one_after_the_other(call, 100)
    start = time.process_time_ns()
    match what:
        case "threads":
            calls = in_threads(call, count)
        case "tasks":
            calls = asyncio.run(in_tasks(call_async, count))
        case _:
            calls = one_after_the_other(call, count)
    cost = (time.process_time_ns() - start) / calls
    print(json.dumps([cost, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]), flush=True)


def show(what: str, count: int) -> None:
    """Print one row: the least of three processes each; of one where there are a million spans."""
    cost: dict[str, tuple[float, int]] = {}
    for _ in range(3 if count < SPANS[-1] else 1):
        for who in ("bare", "raw", "ours"):
            command = [sys.executable, __file__, who, what, str(count)]
            ns, memory = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=300).stdout)
            cost[who] = min(cost.get(who, (ns, memory)), (ns, memory))
    raw, ours = (cost[who][0] - cost["bare"][0] for who in ("raw", "ours"))
    megabytes = {who: cost[who][1] / 1024 for who in cost}
    print(
        f"{count:>9,} {what:8} {raw / 1000:8.2f} µs {ours / 1000:8.2f} µs {ours / raw:6.2f} x"
        f" {megabytes['raw']:8.0f} MB {megabytes['ours']:8.0f} MB",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    print(f"{'':18} {'raw':>11} {'ours':>11} {'':8} {'raw':>11} {'ours':>11}")
    for what, counts in (("threads", THREADS), ("tasks", TASKS), ("spans", SPANS)):
        for count in counts:
            show(what, count)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))
