"""A pytest plugin for clients' own suites: starts tracing when `SUITE_WITH_US` says, and writes what each test came to.

`before`: before the client is imported. `after`: once every module of tests is. `off`: not at all.
"""

import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

WITH_US = os.environ["SUITE_WITH_US"]
outcomes: dict[str, str] = {}
records: list[str] = []
uncollected: list[str] = []
cut: list[bool] = []
written = [time.monotonic()]


class _Records(logging.Handler):
    """Keeps what we and OpenTelemetry log above INFO."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        records.append(f"{record.levelname} {record.name}: {record.getMessage()}"[:500])


class _Counter(SpanProcessor):
    """Counts the spans that ended."""

    ended = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Count it."""
        _Counter.ended += 1


def _start() -> None:
    import agentops_otel

    agentops_otel.init(console=False, trace_file=False, spool_dir=False, span_processors=[_Counter()])


for name in ("agentops_otel", "opentelemetry"):
    logging.getLogger(name).addHandler(_Records(logging.WARNING))
if WITH_US == "before":
    _start()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start tracing with the client's modules imported."""
    if WITH_US == "after":
        _start()


def pytest_collectreport(report: Any) -> None:
    """Keep the files that cannot be collected."""
    if report.outcome == "failed":
        uncollected.append(report.nodeid)


def pytest_keyboard_interrupt() -> None:
    """The time is over: what follows was not run."""
    cut.append(True)


def pytest_runtest_logreport(report: Any) -> None:
    """Keep the worst of a test's three phases."""
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.nodeid] = report.outcome if report.when == "call" else f"{report.outcome} in {report.when}"


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Write what there is once a second: a suite that is ended need not come to its end."""
    if time.monotonic() - written[-1] > 1:
        _write()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write all of it."""
    _write()


def _write() -> None:
    written[:] = [time.monotonic()]
    told = {
        "outcomes": outcomes,
        "records": records,
        "spans": _Counter.ended,
        "uncollected": uncollected,
        "cut": bool(cut),
    }
    path = Path(os.environ["SUITE_OUTCOMES"])
    path.with_suffix(".new").write_text(json.dumps(told))
    path.with_suffix(".new").replace(path)
