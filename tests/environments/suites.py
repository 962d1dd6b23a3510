"""The tests that want an environment of their own: each is made and its tests run there, two at a time."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.environments.install import LOCKS, ROOT, CannotInstall, install
from tests.environments.interpreters import NAMED, find
from tests.environments.lock import FRAMEWORKS

TEST_S = 2400
NEWEST_S = 900
AT_A_TIME = 2
TESTS_FAILED = 1
"""pytest's exit code."""
AGAIN = ("--last-failed", "--last-failed-no-failures=none")
"""Only what failed. A test that fails twice fails the suite; both runs are printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Tests, and what they need."""

    name: str
    tests: Sequence[str]
    lock: str
    interpreter: str = sys.executable
    locked: bool = True
    """False takes what the registry has today; its failures are told, and fail nothing."""


_FIRST = (
    *("contract", "streams", "hostile_by_client", "openai", "openai_apis", "openai_streams", "raw_response"),
    *("anthropic", "google_genai", "google_interactions", "google_live"),
)


_MORE = {"claude_agent_sdk": ("claude_code",)}
"""Further tests in the environment of a framework."""


def _of_framework(name: str) -> Sequence[str]:
    """Its own tests, if it has some, which are those of all its versions, and its example."""
    own = name.rstrip("-0123456789").replace("-", "_")
    modules = ("examples", "second_instrumentation", own, *_MORE.get(own, ()))
    # Programs of agents seldom close their clients.
    return (
        *("-W", "ignore::pytest.PytestUnraisableExceptionWarning"),
        *(f"tests/frameworks/test_{module}.py" for module in modules),
    )


_TESTS: dict[str, Sequence[str]] = {
    "clients": ("tests/clients",),
    "litellm": ("--noconftest", "tests/clients/test_litellm.py"),
    "backends": ("tests/taskweaver/test_backends.py",),
    "second": ("tests/instrumentation/test_second_instrumentation.py",),
    "older-1": [f"tests/clients/test_{name}.py" for name in _FIRST],
    "older-2": [f"tests/clients/test_{name}.py" for name in _FIRST],
    "older-together": [f"tests/clients/test_{name}.py" for name in ("contract", "streams", "chat_completions_clients")],
    "lowest": ("-n", "2", "--dist", "worksteal"),
    **{name: _of_framework(name) for name in FRAMEWORKS},
}
SUITES = {name: Suite(name=name, lock=name, tests=tests) for name, tests in _TESTS.items()}

_ANY_PYTHON = ("-m", "not one_version and not wheel", "--ignore=tests/e2e")

# Without the decisions on each surface: what is undecided is printed at the end.
_NEWEST: dict[str, Sequence[str]] = {
    "test": (*_ANY_PYTHON, "--ignore=tests/clients/test_surfaces.py"),
    "clients": ("tests/clients/test_contract.py",),
    "litellm": _TESTS["litellm"],
}
SUITES |= {
    f"newest-{lock}": Suite(name=f"newest-{lock}", lock=lock, tests=tests, locked=False)
    for lock, tests in _NEWEST.items()
}


def named(name: str) -> list[Suite]:
    """The suite of the name; of `pythons`, one for each Python of this machine; of `frameworks`, one for each."""
    if name == "pythons":
        return _pythons()
    return [SUITES[each] for each in (FRAMEWORKS if name == "frameworks" else (name,))]


def _pythons() -> list[Suite]:
    """Those that BESIDE names are tested by another command."""
    found = {version: find(version) for version in NAMED}
    for version, interpreter in found.items():
        print(f"Python {version}: {interpreter or 'not found, and not tested'}", flush=True)
    beside = os.environ.get("BESIDE", "").split()
    return [
        Suite(name=f"python-{version}", lock="test", tests=_ANY_PYTHON, interpreter=interpreter)
        for version, interpreter in found.items()
        if interpreter and version not in beside
    ]


def run(suites: Sequence[Suite]) -> int:
    """Run them; print what each said when it has ended, and a line of each at the end. 0 when no test failed."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        outcomes = list(pool.map(_one, suites))
    for suite, (said, _) in zip(suites, outcomes, strict=True):
        print(f"{suite.name}: {said}")
    decisive = [code for suite, (_, code) in zip(suites, outcomes, strict=True) if suite.locked]
    return max(decisive, default=0)


def _one(suite: Suite) -> tuple[str, int]:
    began = time.monotonic()
    folder = Path(f".venv-{suite.name}")
    limit_s = TEST_S if suite.locked else NEWEST_S
    try:
        python = install(folder, suite.lock, suite.interpreter, locked=suite.locked)
    except CannotInstall as error:
        return f"left out: {error}", 0
    command = [str(python), "-m", "pytest", "-o", f"cache_dir={folder / '.pytest_cache'}", *suite.tests]
    try:
        done = _shown(suite.name, command, limit_s)
        said = [f"{_last_line(done)} (in all {time.monotonic() - began:.0f} s)"]
        if done.returncode == TESTS_FAILED:
            done = _shown(f"{suite.name}: what failed, once more", [*command, *AGAIN], limit_s)
            said.append(f"what failed, once more: {_last_line(done)}")
    except subprocess.TimeoutExpired as error:
        print(f"== {suite.name}\n{(error.stdout or b'').decode()}", flush=True)
        return f"not done after {limit_s / 60:.0f} minutes", 1
    return "\n".join([*said, *(() if suite.locked else _new(python, suite.lock))]), done.returncode


def _shown(name: str, command: Sequence[str], limit_s: float) -> subprocess.CompletedProcess[bytes]:
    """Run it, with programs that are started really, and print all that it said when it has ended."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "STARTS": "real"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=limit_s,
        check=False,
    )
    print(f"== {name}\n{done.stdout.decode()}", flush=True)
    return done


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stdout.decode().strip().rpartition("\n")[2].strip("= ")


def _new(python: Path, lock: str) -> list[str]:
    """What the registry has beyond the lock, and what in the vendors' surfaces nobody has decided on."""
    pinned = {line.partition(" ")[0] for line in (LOCKS / f"{lock}.txt").read_text().splitlines()}
    there = _said(python, "-m", "uv", "pip", "freeze", "--python", str(python))
    newer = [one for one in there if "==" in one and one not in pinned]
    return [f"not in locks/{lock}.txt: {', '.join(newer)}", *_said(python, "-m", "tests.clients.surfaces")]


def _said(python: Path, *arguments: str) -> list[str]:
    done = subprocess.run([python, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    return (done.stdout if done.returncode == 0 else done.stderr).splitlines()
