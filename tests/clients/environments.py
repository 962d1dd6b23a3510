"""`make clients`: an environment for each group of clients that `make test` leaves out, and their tests in it.

A client that cannot be installed here is said, and its tests skip; a test that fails, fails the run.
"""

import subprocess
import sys
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path

TESTS = {
    "clients": ("--cov=agentops_otel.clients", "tests/clients"),
    "litellm": ("--noconftest", "tests/clients/test_litellm.py"),
}
"""What is run, by the dependency group that it needs."""

INSTALL_S, TEST_S = 1200, 1800


def main() -> int:
    """Run them all; 0 when no test failed."""
    groups = tomllib.loads(Path("pyproject.toml").read_text())["dependency-groups"]
    return max([_run(name, groups[name]) for name in TESTS])


def _run(name: str, wanted: Sequence[str | dict[str, str]]) -> int:
    place = Path(f".venv-{name}")
    venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    # --group needs a pip of 2025 or later; the one that comes with Python 3.11 is older.
    if not _installed(python, "--upgrade", "pip>=25.1") or not _installed(python, "--editable", "."):
        print(f"no environment for the tests of {name} here: they are left out")
        return 0
    if not _installed(python, "--group", name):
        for each in wanted:
            what = (each,) if isinstance(each, str) else ("--group", each["include-group"])
            if not _installed(python, *what):
                print(f"{what[-1]} cannot be installed here: its tests skip")
    return subprocess.run([python, "-m", "pytest", *TESTS[name]], timeout=TEST_S, check=False).returncode


def _installed(python: str, *what: str) -> bool:
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    try:
        command = (*pip, "--constraint", "tests/clients.txt", *what)
        return subprocess.run(command, timeout=INSTALL_S, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    sys.exit(main())
