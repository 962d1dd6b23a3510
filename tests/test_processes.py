"""How `make test` spreads the tests over processes: each runs once, and is reported as it would be in one."""

import re
from pathlib import Path

from tests.program import ROOT, TIMEOUT_S
from tests.python_process import run_python

TESTS = """
import os
import pytest

@pytest.fixture(scope="module")
def shared():
    return os.getpid()

@pytest.fixture
def broken():
    yield
    raise ValueError("at its end")

@pytest.mark.parametrize("number", range(20))
def test_shares(shared, number):
    assert shared == os.getpid()
    with open("shared", "a") as file:
        print(shared, file=file)

@pytest.mark.parametrize("number", range(5))
def test_passes(number, tmp_path):
    assert os.getpid() != COLLECTED_IN
    (tmp_path / "own").mkdir()

def test_skips():
    pytest.skip("not now")

def test_fails():
    print("said")
    assert 1 == 2

def test_fails_at_its_end(broken):
    pass

COLLECTED_IN = os.getpid()
"""
ENDS = """
import os

def test_passes():
    pass

def test_ends_its_process():
    os._exit(3)

def test_is_never_run():
    pass
"""
COVERED = """
from mine import one, two

def test_one():
    assert one() == 1

def test_two():
    assert two() == 2
"""
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def run(folder: Path, tests: str, *options: str) -> tuple[int, str]:
    """Run these tests in two processes; the exit code, and what was printed."""
    (folder / "test_one.py").write_text(tests)
    alone = ("-p", "no:cacheprovider", "--rootdir", str(folder), "-c", "/dev/null")
    command = ("-m", "pytest", "-ra", *alone, "-p", "tests.processes", "--processes=2", *options, str(folder))
    done = run_python(*command, cwd=folder, timeout=TIMEOUT_S, env=ENVIRONMENT)
    return done.returncode, done.stdout


def test_each_test_runs_once_and_is_reported(tmp_path: Path) -> None:
    """With its outcome, its reason and what it has printed; those that share a module's fixture share a process."""
    code, out = run(tmp_path, TESTS)

    assert code == 1
    assert re.search(r"= 1 failed, 26 passed, 1 skipped, 1 error in ", out), out
    assert re.search(r"SKIPPED \[1\] test_one.py:\d+: not now", out), out
    assert "Captured stdout call" in out
    assert "assert 1 == 2" in out
    assert "ValueError: at its end" in out
    assert len(set((tmp_path / "shared").read_text().split())) == 1


def test_a_test_that_ends_its_process_fails(tmp_path: Path) -> None:
    """The others run in another process; what no process is left for fails too, and is named."""
    code, out = run(tmp_path, ENDS + "".join(f"test_ends_{n} = test_ends_its_process\n" for n in range(3)))

    assert code == 1
    assert "its process has ended with exit code 3" in out
    assert "its process had ended" in out
    assert sum(map(int, re.findall(r"(\d) (?:failed|passed)", out.splitlines()[-1]))) == 6


def test_the_first_failure_ends_the_run(tmp_path: Path) -> None:
    """With `-x`, as in one process."""
    code, out = run(
        tmp_path, "import pytest\n@pytest.mark.parametrize('n', range(99))\ndef test_fails(n):\n    assert 0", "-x"
    )

    assert code == 1
    assert "stopping after 1 failures" in out


def test_coverage_is_of_every_process(tmp_path: Path) -> None:
    """What the tests have run in each of them counts."""
    (tmp_path / "mine.py").write_text("def one():\n    return 1\n\n\ndef two():\n    return 2\n")
    measured = ("-p", "pytest_cov.plugin", "--cov=mine", "--cov-config=/dev/null", "--cov-report=term")
    code, out = run(tmp_path, COVERED, *measured)

    assert code == 0, out
    assert re.search(r"mine\.py +4 +0 +100%", out), out
