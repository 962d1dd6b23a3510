"""A program that calls others: over HTTP, by a message to a subprocess, through a pool of processes."""

import os
import subprocess
import sys
from pathlib import Path

from inline_snapshot import snapshot

from tests.e2e.servers import ROOT
from tests.loopback.otlp_sink import OtlpSink

CALLS = [
    ("by http", "trip"),
    ("by message", "trip"),
    ("by pool", "trip"),
    ("trip", None),
]


def traced(tmp_path: Path, propagators: str) -> tuple[int, list[tuple[str, str | None]]]:
    """How many traces the example makes, and every span with its parent's name."""
    with OtlpSink() as sink:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": sink.endpoint,
            "OTEL_PROPAGATORS": propagators,
        }
        subprocess.run([sys.executable, "examples/distributed.py"], cwd=ROOT, env=environment, check=True, timeout=90)
    spans = [span for received in sink.received for span in received.spans]
    names = {span.span_id: span.name for span in spans}
    pairs = [(span.name, names.get(span.parent_span_id)) for span in spans]
    return len({span.trace_id for span in spans}), sorted(pairs, key=str)


def test_one_trace_goes_through_every_process(tmp_path: Path) -> None:
    """The tool that ran in another process stands under the call that asked for it, in one trace."""
    traces, spans = traced(tmp_path, "tracecontext")

    assert traces == 1
    assert spans == snapshot(
        [
            ("by http", "trip"),
            ("by message", "trip"),
            ("by pool", "trip"),
            ("execute_tool weather", "by http"),
            ("execute_tool weather", "by message"),
            ("execute_tool weather", "by pool"),
            ("execute_tool weather", "by pool"),
            ("trip", None),
        ]
    )


def test_no_context_travels_where_no_propagator_is_wanted(tmp_path: Path) -> None:
    """OTEL_PROPAGATORS is honoured: with none, each process has traces of its own, and every span is there."""
    traces, spans = traced(tmp_path, "none")

    assert traces == 5
    assert spans == sorted([*CALLS, *[("execute_tool weather", None)] * 4], key=str)
