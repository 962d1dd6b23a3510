"""How suites are run: what fails once more, and what that means."""

import os
import sys
from pathlib import Path

import pytest

from tests.environments.running import Environment
from tests.environments.suites import Suite

SECOND_TIME = """
from pathlib import Path

def test_passes():
    pass

def test_passes_the_second_time():
    once = Path(__file__).with_name("once")
    was_run = once.exists()
    once.touch()
    assert was_run
"""


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """To import them takes longer than all else."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def environment(folder: Path, tests: str) -> Environment:
    """This Python, and these tests alone."""
    (folder / "bin").mkdir()
    python = folder / "bin/python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (folder / "test_one.py").write_text(tests)
    rootdir = ("--noconftest", "--rootdir", str(folder), "-c", os.devnull)
    return Environment(Suite(name="one", lock="test", tests=(*rootdir, str(folder / "test_one.py"))), folder)


def test_what_fails_is_run_once_more(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The first run leaves it to the second, which runs nothing else; both are printed."""
    suite = environment(tmp_path, SECOND_TIME)

    first, second = suite.first(), suite.again()

    assert (first[1], second[1]) == (0, 0)
    assert first[0].startswith("1 failed, 1 passed in ")
    assert second[0].startswith("what failed, once more: 1 passed")
    assert not suite.failed()
    out = capfd.readouterr().out
    assert out.count("== one\n") == out.count("== one: what failed, once more\n") == 1


def test_what_fails_twice_fails_the_suite(tmp_path: Path) -> None:
    """It is still what failed."""
    suite = environment(tmp_path, "def test_fails():\n    assert False\n")

    assert [suite.first()[1], suite.again()[1]] == [0, 1]
    assert suite.failed()


def test_what_cannot_be_run_again_fails_at_once(tmp_path: Path) -> None:
    """A test that ends its process leaves no name behind, also not that of an earlier run."""
    suite = environment(tmp_path, SECOND_TIME)
    suite.first()
    (tmp_path / "test_one.py").write_text("import os\n\ndef test_ends():\n    os._exit(1)\n")

    assert suite.first()[1] == 1
    assert not suite.failed()
