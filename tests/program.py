"""Runs a program in a process of its own: what is global in one (the tracer provider, the exit) needs a new one."""

import os
import subprocess
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.python_process import run_python

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 180.0
# The second is that of OpenTelemetry itself, up to 1.44, on Python 3.11.
WARNINGS = ("-W", "error", "-W", "ignore:SelectableGroups:DeprecationWarning")


def run(
    program: str, *, expect: int = 0, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the program's text with these environment variables besides ours, and check its exit code."""
    finished = run_python(
        *(*WARNINGS, "-c", textwrap.dedent(program)),
        timeout=TIMEOUT_S,
        cwd=cwd or ROOT,
        env={**os.environ, **variables},
    )

    assert finished.returncode == expect, f"exit code {finished.returncode}\n{finished.stdout}\n{finished.stderr}"
    return finished


def needs(package: str) -> None:
    """Skip the test where its programs could not import the package, which is not imported here."""
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def read_until(terminal: int, wanted: bytes | None) -> bytes:
    """The terminal's output up to the wanted text, or to its end."""
    said = b""
    while wanted is None or wanted not in said:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux: the other side is closed
            data = b""
        if not data:
            assert wanted is None, said
            break
        said += data
    return said
