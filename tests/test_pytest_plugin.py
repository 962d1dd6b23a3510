"""The pytest plugin, in pytest runs of its own."""

import os
import re
import subprocess
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from agentops_otel.testing import _LIMITS
from tests.program import ROOT, WARNINGS, run
from tests.python_process import run_python

PROGRAM = """
import sys
import agentops_otel

@agentops_otel.record_action("search")
def search(question):
    return question.upper()
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH that says of itself what a wheel's `dist-info` says."""
    info = tmp_path / "site" / "agentops_otel-9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: agentops-otel\nVersion: 9\n")
    (info / "RECORD").write_text("agentops_otel/__init__.py,,\nagentops_otel_pytest.py,,\n")
    (info / "entry_points.txt").write_text("[pytest11]\nagentops_otel = agentops_otel_pytest\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path / "site"


OTHERS = tuple(f"-pno:{one.name}" for one in entry_points(group="pytest11") if one.value != "agentops_otel_pytest")
"""Of the plugins that are installed no other is loaded, which would take longer than the tests."""


def pytest_run(folder: Path, test: str, *args: str, under: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run pytest on the text of a test file."""
    (folder / "test_it.py").write_text(test)
    return run_python(
        *under,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *OTHERS,
        *args,
        "test_it.py",
        timeout=120,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}", "OTEL_TRACES_EXPORTER": "none"},
    )


def test_pytest_starts_without_importing_us(installed: Path, tmp_path: Path) -> None:
    """A test that uses nothing of ours pays nothing for the plugin."""
    done = pytest_run(tmp_path, "import sys\ndef test(): assert 'agentops_otel' not in sys.modules")

    assert (done.returncode, done.stdout.splitlines()[-1][:8]) == (0, "1 passed"), done.stdout + done.stderr


def test_the_fixture_captures_spans(installed: Path, tmp_path: Path) -> None:
    """`agentops_spans` holds what the test's code recorded."""
    test = """
from program import search
def test(agentops_spans):
    search("x")
    assert [span["name"] for span in agentops_spans.tree()] == ["search"]
"""
    done = pytest_run(tmp_path, test)

    assert done.returncode == 0, done.stdout + done.stderr


def test_pytest_runs_under_run_with_warnings_as_errors(installed: Path, tmp_path: Path) -> None:
    """The package was imported before pytest could rewrite its assertions, and there is no warning about it."""
    done = pytest_run(tmp_path, "def test(): pass", *WARNINGS, under=("-m", "agentops_otel", "run"))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("argument", ["", "agentops_spans"])
def test_the_trace_of_a_failing_test_is_printed(installed: Path, tmp_path: Path, argument: str) -> None:
    """`--agentops-trace` adds the trace to the report of the test that failed, and to no other."""
    test = f"""
from program import search
def test_good({argument}): search("good")
def test_bad({argument}): assert search("bad") == "GOOD"
"""
    done = pytest_run(tmp_path, test, "--agentops-trace")

    assert done.returncode == 1
    assert re.findall(r"-+ (agentops_otel trace) -+\n(\w+) +\d.* ms\ntrace ", done.stdout) == [
        ("agentops_otel trace", "search")
    ], done.stdout


def test_the_capture_has_the_same_limits_everywhere() -> None:
    """Whatever the environment says of spans, events and links."""
    names = ("ATTRIBUTE", "SPAN_ATTRIBUTE", "SPAN_EVENT", "SPAN_LINK", "EVENT_ATTRIBUTE", "LINK_ATTRIBUTE")
    lengths = ("ATTRIBUTE_VALUE_LENGTH", "SPAN_ATTRIBUTE_VALUE_LENGTH")
    limits = [f"OTEL_{name}_LIMIT" for name in (*(f"{name}_COUNT" for name in names), *lengths)]
    program = "from agentops_otel.testing import _LIMITS; print(vars(_LIMITS))"

    done = run(program, expect=0, cwd=None, **dict.fromkeys(limits, "1"), STARTS="real")

    assert done.stdout == f"{vars(_LIMITS)}\n"


def test_the_capture_needs_no_pytest() -> None:
    """`agentops_otel.testing` works with any test runner."""
    program = "import sys; from agentops_otel import testing; assert 'pytest' not in sys.modules"

    done = run_python("-c", program, timeout=60, cwd=ROOT)

    assert done.returncode == 0
