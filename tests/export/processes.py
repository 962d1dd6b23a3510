"""Runs code in a process of its own, which sends its spans to a collector."""

import os
import signal
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from tests.loopback.otlp_sink import OtlpSink
from tests.python_process import Python

Protocol = Literal["http/protobuf", "grpc"]
START_S = 60.0
"""What starting Python and importing may take on a busy machine."""
PRELUDE = """
import os, signal, sys, time
import agentops_otel

def start(**settings):
    protocol = "http/protobuf" if "/v1/traces" in sys.argv[1] else "grpc"
    return agentops_otel.init(
        endpoint=sys.argv[1], protocol=protocol, spool_dir=sys.argv[2], console=False, **settings
    )

@agentops_otel.record_action("work")
def work(): ...

def make(n):
    for _ in range(n):
        work()

def settle(client):
    while client.stats().pending:
        time.sleep(0.01)

def say(what="ready"):
    os.write(1, f"{what}\\n".encode())  # whole, though others write there too
"""


@contextmanager
def python(code: str, endpoint: str, spool: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs the code after the prelude; killed at the end if it has not ended."""
    program = PRELUDE + textwrap.dedent(code)
    # Not measured: coverage holds a lock of its own over a fork, and its children hang.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    process = Python(
        *("-c", program, endpoint, spool),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its children too, which hold the pipes
        process.communicate()


def run(code: str, endpoint: str, spool: Path) -> tuple[str, str, int]:
    """Run the code to its end: stdout, stderr, the exit code."""
    with python(code, endpoint, spool) as process:
        out, err = process.communicate(timeout=START_S)
        return out, err, process.returncode


def wait_for(line: str, process: subprocess.Popen[str]) -> None:
    """Until the process says so."""
    assert process.stdout is not None
    assert process.stdout.readline() == line + "\n"


def stopped_sink() -> OtlpSink:
    """A collector that is down; started, it is on its port."""
    with OtlpSink() as sink:
        pass
    return sink
