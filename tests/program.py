"""Runs a program in a process of its own: what is global in one (the tracer provider, the exit) needs a new one."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 180.0


def run(
    program: str, *, expect: int = 0, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the program's text with these environment variables besides ours, and check its exit code."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        cwd=cwd or ROOT,
        env={**os.environ, **variables},
    )

    assert finished.returncode == expect, f"exit code {finished.returncode}\n{finished.stdout}\n{finished.stderr}"
    return finished
