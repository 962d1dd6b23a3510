"""Which test runs which line: coverage in every process of the tests, and a plugin of pytest that names the test.

In the process of pytest the plugin tells coverage which test runs; in one that a test starts, coverage finds it in
PYTEST_CURRENT_TEST.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from coverage import Coverage

ROOT = Path(__file__).parent.parent.parent
RC = """\
[run]
include = {copy}/agentops_otel/*
data_file = {data}/coverage
parallel = true
core = ctrace
context = ${{PYTEST_CURRENT_TEST-}}
"""
_SECONDS = "seconds.json"
_PHASE = re.compile(r" \((setup|call|teardown)\)$")

_setup_seconds: dict[str, float] = {}
_seconds: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Covering:
    """What the tests of a copy run."""

    tests: Mapping[str, Mapping[int, frozenset[str]]]
    """By file and line; the line of a module that runs when it is imported has few, or none."""
    seconds: Mapping[str, float]
    """How long each test takes that passed."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The files of these tests, as they are written."""
    at_import: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """By file: the lines that run while no test does. A function that modules call may be noticed by any test."""


def measure(copy: Path, data: Path, pytest_command: Sequence[str]) -> None:
    """Run the tests of a copy of the checkout, and keep in *data* what they run; what is there already is added to."""
    data.mkdir(exist_ok=True)
    (data / "rc").write_text(RC.format(copy=copy, data=data))
    # The plugin is the checkout's, the tests and the package are the copy's.
    paths = os.pathsep.join((str(copy), str(ROOT)))
    environment = {**unmeasured(), "COVERAGE_PROCESS_START": str(data / "rc"), "PYTHONPATH": paths}
    subprocess.run([*pytest_command, "-p", "tests.mutants.covering"], cwd=copy, env=environment, check=False)


def unmeasured() -> dict[str, str]:
    """The environment, without what another run of tests has put there."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_CURRENT"))}


def read(copy: Path, data: Path) -> Covering:
    """What was measured there."""
    seconds: dict[str, float] = json.loads((data / _SECONDS).read_text())
    coverage = Coverage(config_file=str(data / "rc"))
    coverage.load()
    if any(data.glob("coverage.*")):
        coverage.combine()
    measured = coverage.get_data()
    tests: dict[str, dict[int, frozenset[str]]] = {}
    at_import: dict[str, frozenset[int]] = {}
    for file in measured.measured_files():
        lines, name = measured.contexts_by_lineno(file).items(), str(Path(file).relative_to(copy))
        named = {line: frozenset(_PHASE.sub("", context) for context in contexts) for line, contexts in lines}
        tests[name] = {line: names & seconds.keys() for line, names in named.items()}
        at_import[name] = frozenset(line for line, names in named.items() if "" in names)
    files = {test.partition("::")[0] for test in seconds}
    return Covering(tests, seconds, {name: (copy / name).read_text() for name in files}, at_import)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What runs from here on is run by this test."""
    if coverage := Coverage.current():
        coverage.switch_context(item.nodeid)
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test that passes can notice; the others are left out. Its fixtures take their time too."""
    if report.when == "setup":
        _setup_seconds[report.nodeid] = report.duration
    elif report.when == "call" and report.passed:
        _seconds[report.nodeid] = _setup_seconds[report.nodeid] + report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Beside coverage's data, and what earlier runs have left there; where tests run in several processes, in one."""
    if hasattr(session.config, "workerinput"):
        return
    kept = Path(os.environ["COVERAGE_PROCESS_START"]).parent / _SECONDS
    before = json.loads(kept.read_text()) if kept.exists() else {}
    kept.write_text(json.dumps({**before, **_seconds}))
