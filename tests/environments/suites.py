"""The tests that want an environment of their own: each is made and its tests run there, two at a time."""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.environments.install import ROOT, CannotInstall, install

TEST_S = 2400
AT_A_TIME = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Tests, and what they need."""

    name: str
    tests: Sequence[str]
    lock: str
    interpreter: str = sys.executable
    locked: bool = True
    optional: bool = False
    """Its failures are told, and fail nothing."""


_FIRST = (
    *("contract", "streams", "first_rank", "openai", "openai_apis", "openai_streams", "raw_response"),
    *("anthropic", "google_genai", "google_interactions", "google_live"),
)
_TESTS: dict[str, Sequence[str]] = {
    "clients": ("tests/clients",),
    "litellm": ("--noconftest", "tests/clients/test_litellm.py"),
    "backends": ("tests/taskweaver/test_backends.py",),
    "second": ("tests/instrumentation/test_second_instrumentation.py",),
    "older-1": [f"tests/clients/test_{name}.py" for name in _FIRST],
    "older-2": [f"tests/clients/test_{name}.py" for name in _FIRST],
    "older-together": [f"tests/clients/test_{name}.py" for name in ("contract", "streams", "chat_completions_clients")],
    "lowest": (),
}
SUITES = {name: Suite(name=name, lock=name, tests=tests) for name, tests in _TESTS.items()}


def run(suites: Sequence[Suite]) -> int:
    """Run them; print what each said when it has ended, and a line of each at the end. 0 when no test failed."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        outcomes = list(pool.map(_one, suites))
    for suite, (said, _) in zip(suites, outcomes, strict=True):
        print(f"{suite.name}: {said}")
    return max((code for suite, (_, code) in zip(suites, outcomes, strict=True) if not suite.optional), default=0)


def _one(suite: Suite) -> tuple[str, int]:
    began = time.monotonic()
    folder = Path(f".venv-{suite.name}")
    try:
        python = install(folder, suite.lock, suite.interpreter, locked=suite.locked)
    except CannotInstall as error:
        return f"left out: {error}", 0
    try:
        command = [str(python), "-m", "pytest", *suite.tests]
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TEST_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        print(f"== {suite.name}\n{(error.stdout or b'').decode()}", flush=True)
        return f"not done after {TEST_S / 60:.0f} minutes", 1
    print(f"== {suite.name}\n{done.stdout.decode()}", flush=True)
    last = done.stdout.decode().strip().rpartition("\n")[2].strip("= ")
    return f"{last} (in all {time.monotonic() - began:.0f} s)", done.returncode
