"""`make clients`: an environment for each group of clients that `make test` leaves out, and their tests in it.

`make older` does the same with older generations of clients.

A client that cannot be installed here is said, and its tests skip; a test that fails, fails the run.
"""

import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path

TESTS = {
    "clients": ("tests/clients",),
    "litellm": ("--noconftest", "tests/clients/test_litellm.py"),
    "backends": ("tests/taskweaver/test_backends.py",),
    "second": ("tests/instrumentation/test_second_instrumentation.py",),
}
"""What is run, by the dependency group that it needs; `tests/<group>.txt` has the versions it is known to pass with."""

_FIRST = (
    *("contract", "streams", "first_rank", "openai", "openai_apis", "openai_streams", "raw_response"),
    *("anthropic", "google_genai", "google_interactions", "google_live"),
)
_OLDER = {
    "older-1": _FIRST,
    "older-2": _FIRST,
    "older-together": ("contract", "streams", "chat_completions_clients"),
}
OLDER = {group: tuple(f"tests/clients/test_{name}.py" for name in names) for group, names in _OLDER.items()}

TOOLS = ("hypothesis", "inline-snapshot", "pytest", "trustme")
INSTALL_S, TEST_S = 1200, 2400


def main() -> int:
    """Run them all; 0 when no test failed."""
    groups = tomllib.loads(Path("pyproject.toml").read_text())["dependency-groups"]
    chosen = OLDER if sys.argv[1:] == ["older"] else TESTS
    return max([_run(name, groups[name], tests) for name, tests in chosen.items()])


def _run(name: str, wanted: Sequence[str | dict[str, str]], tests: Sequence[str]) -> int:
    place = Path(f".venv-{name}")
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    # --group needs a pip of 2025 or later; the one that comes with Python 3.11 is older.
    if not all(_installed(python, name, *what) for what in (("--upgrade", "pip>=25.1"), ("--editable", ".", *TOOLS))):
        print(f"no environment for the tests of {name} here: they are left out", flush=True)
        return 0
    if not _installed(python, name, "--group", name):
        each = [(one,) if isinstance(one, str) else ("--group", one["include-group"]) for one in wanted]
        missing = [what[-1] for what in each if not _installed(python, name, *what)]
        print(f"cannot be installed here, and their tests skip: {', '.join(missing)}", flush=True)
    return subprocess.run([python, "-m", "pytest", *tests], timeout=TEST_S, check=False).returncode


def _installed(python: Path, name: str, *what: str) -> bool:
    command = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    try:
        known = ("--constraint", f"tests/{name}.txt")
        variables = {**os.environ, "BUILD_SOURCEBRANCHNAME": "main"}  # TaskWeaver's version wants it
        return subprocess.run((*command, *known, *what), env=variables, timeout=INSTALL_S, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    sys.exit(main())
