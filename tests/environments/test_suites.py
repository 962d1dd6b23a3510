"""Which Pythons `make pythons` tests, and what it says of those that are not there."""

import sys
from pathlib import Path

import pytest

from tests import shaken
from tests.environments.install import ROOT
from tests.environments.interpreters import NAMED, find
from tests.environments.suites import SUITES, named

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_a_python_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each that we name, and no suite."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    suites = named("pythons")

    assert suites == []
    assert capsys.readouterr().out.splitlines() == [f"Python {one}: not found, and not tested" for one in NAMED]


def test_a_python_is_found_in_pyenvs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its version, whatever the folder is called; one that is another version is not taken for it."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    for version in (HERE, "3.99"):
        (tmp_path / f"versions/{version}.7/bin").mkdir(parents=True)
        (tmp_path / f"versions/{version}.7/bin/python").symlink_to(sys.executable)

    assert find(HERE) == str(tmp_path / f"versions/{HERE}.7/bin/python")
    assert find("3.99") is None


def test_each_test_file_that_a_command_names_is_there() -> None:
    """One that has moved would make the command fail, or run less."""
    quick = (ROOT / "Makefile").read_text().partition("QUICK = ")[2].partition("\nENVIRONMENTS")[0]
    files = {
        *shaken.TESTS,
        *quick.replace("\\", "").split(),
        *(one for suite in SUITES.values() for one in suite.tests),
    }

    assert [one for one in sorted(files) if one.startswith("tests/") and not (ROOT / one).exists()] == []
