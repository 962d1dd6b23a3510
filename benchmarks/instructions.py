"""Instructions of the program's thread for a decorated call and a raw span: a busy machine does not change them.

Each case runs twice under valgrind's callgrind, with a few calls and with more; the difference counts, less that of the
bare call. It takes some minutes, and needs valgrind. Run it with `python benchmarks/instructions.py`.
"""

import asyncio
import gc
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from _decorated import CASES, NESTED, with_sdk
from decorated_call import kinds_of
from opentelemetry import trace

import agentops_otel

WARM_UP, FEW, MORE = 40, 20, 80
"""Calls; so few that the queue takes all their spans, and no thread of the program's encodes any."""
GUEST = "three arguments, guest"


def main() -> None:
    """Print the table."""
    if shutil.which("valgrind") is None:
        print("valgrind is not installed")
        return
    nothing = of_call("bare no arguments")
    raw = of_call("raw") - nothing
    print(f"{'raw OpenTelemetry span':26} {raw:10,.0f} instructions")
    for case in (*CASES, GUEST):
        show(case, of_call(case) - of_call(f"bare {case.removesuffix(', guest')}"), raw)
    show(NESTED, (of_call(NESTED) - nothing) / 10, raw)


def show(case: str, instructions: float, raw: float) -> None:
    """Print a row."""
    print(f"{case:26} {instructions:10,.0f} {instructions / raw:20.2f} x", flush=True)


def of_call(case: str) -> float:
    """Instructions of one call."""
    return (of_process(case, MORE) - of_process(case, FEW)) / (MORE - FEW)


def of_process(case: str, calls: int) -> int:
    """Instructions of the main thread of a process that makes so many calls."""
    with TemporaryDirectory() as folder:
        counts = Path(folder, "counts")
        callgrind = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={counts}"]
        command = [*callgrind, sys.executable, __file__, case, str(calls)]
        # Another order of the entries of sets and dicts is another number of steps.
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "0"})
        counted = re.search(r"^(?:totals|summary): (\d+)", Path(f"{counts}-01").read_text(), re.MULTILINE)
    assert counted is not None
    return int(counted[1])


def make(case: str, calls: int) -> None:
    """Make the calls, and leave."""
    own = with_sdk()
    provider = own if case == GUEST else None
    agentops_otel.init(endpoint="http://127.0.0.1:9", tracer_provider=provider, console=False, spool_dir=False)
    kinds = kinds_of(with_sdk().get_tracer("raw"), trace.get_tracer("ours"))
    call = kinds[case.removesuffix(", guest")]
    asyncio.run(repeat(call, WARM_UP))
    gc.disable()
    asyncio.run(repeat(call, calls))
    os._exit(0)


async def repeat(call: Callable[[], Any], times: int) -> None:
    """Call so often."""
    for _ in range(times):
        result = call()
        if isinstance(result, Awaitable):
            await result


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2])) if sys.argv[1:] else main()
