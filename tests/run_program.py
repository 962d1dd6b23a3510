"""Runs a program of tests/programs to its end, and counts the spans that arrive from it."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.loopback.otlp_sink import OtlpSink
from tests.program import ROOT, TIMEOUT_S
from tests.python_process import run_python

PROGRAMS = ROOT / "tests" / "programs"
# Not measured: coverage holds a lock of its own over a fork, and its children hang.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a program has ended."""

    out: str
    err: str
    code: int


def ended(program: str, *arguments: str, **variables: str) -> Ended:
    """Run one of the programs to its end, with these variables besides ours."""
    done = run_python(
        PROGRAMS / program,
        *arguments,
        timeout=TIMEOUT_S,
        cwd=ROOT,
        env={**ENVIRONMENT, "PYTHONPATH": str(ROOT), **variables},
    )
    return Ended(out=done.stdout, err=done.stderr, code=done.returncode)


def where(sink: OtlpSink, spool: Path) -> dict[str, str]:
    """The variables that send a program's spans to the collector."""
    return {"COLLECTOR": sink.endpoint, "PROTOCOL": sink.protocol, "SPOOL": str(spool)}


def arrived(sink: OtlpSink, spool: Path, *, killed: str = "") -> Counter[str]:
    """How many spans of each name have arrived, once another process has delivered what is on disk; none twice.

    But those of the name *killed* may: their process dies at once, perhaps between a request and its answer.
    """
    if list(spool.rglob("*.spans")):
        ended("delivering.py", **where(sink, spool))
    assert [span.name for span in sink.every if sink.counts[span.span_id] > 1 and span.name != killed] == []
    assert list(spool.rglob("*.spans")) == []
    return Counter(span.name for span in sink.every)
