"""What is printed of a client's suite: each test, and each file that cannot be collected."""

import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.client_suites import __main__ as suites


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite with a test that passes without us alone, and a file that cannot be imported."""
    monkeypatch.setattr(suites, "KEPT", tmp_path)
    monkeypatch.setitem(suites.SUITES, "own", suites.ClientSuite())
    (tmp_path / "test_broken.py").write_text("import no_such_package")
    (tmp_path / "test_own.py").write_text(
        "import sys\n"
        "def test_same(): pass\n"
        "def test_spans():\n"
        "    if 'agentops_otel' in sys.modules:\n"
        "        sys.modules['agentops_otel'].record_action('work')(lambda: None)()\n"
        "    assert 'agentops_otel' not in sys.modules\n"
    )
    return tmp_path


def test_tests_that_differ_and_files_that_cannot_be_collected_are_told(folder: Path) -> None:
    """Counted in the line of the suite; a file is named once, and as a difference where it is one.

    Two runs of pytest, each with a start of Python and of ours.
    """
    told = {way: suites._outcomes(sys.executable, folder, "own", way, "") for way in ("off", "before")}
    told["after"] = told["before"]

    assert suites.compared("own 1.0", told) == snapshot(
        [
            "own 1.0: 2 tests, 2 pass without us, 1 files cannot be collected",
            "  before the import: 1 differ, 1 spans, 0 log records, 1 files cannot be collected",
            "    test_own.py::test_spans: passed, with us failed",
            "  after the import: 1 differ, 1 spans, 0 log records, 1 files cannot be collected",
            "    test_own.py::test_spans: passed, with us failed",
            "  not collected: test_broken.py",
        ]
    )
    assert suites._differing(told["off"], told["before"]).keys() == {"test_own.py::test_spans"}


def test_of_a_run_that_was_cut_short_what_both_have_run_is_compared() -> None:
    """A test that one of them did not come to is no difference; a file that one cannot collect is one."""
    whole: dict[str, Any] = {"outcomes": {"a": "passed", "b": "passed"}, "uncollected": [], "cut": False}
    cut = {"outcomes": {"a": "failed"}, "uncollected": [], "cut": True}

    assert suites._differing(whole, cut) == {"a": ("passed", "failed")}
    assert suites._differing(whole, {**whole, "uncollected": ["c"]}) == {"c": (None, "not collected")}


def test_a_run_that_is_ended_still_tells_what_it_has_run(folder: Path) -> None:
    """As `LIMIT_S` ends it: as Ctrl-C does."""
    (folder / "test_long.py").write_text(
        "import os, signal\n"
        "def test_first(): pass\n"
        "def test_long(): os.kill(os.getpid(), signal.SIGINT)\n"
        "def test_never(): pass\n"
    )

    told = suites._outcomes(sys.executable, folder, "own", "off", "first or long or never")

    assert (told["cut"], told["outcomes"]) == (True, {"test_long.py::test_first": "passed"})
