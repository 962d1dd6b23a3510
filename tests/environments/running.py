"""Runs suites, each in an environment of its own, two at a time; then, when none runs any more, again what failed."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tests.environments.install import LOCKS, ROOT, CannotInstall, install
from tests.environments.suites import Suite

TEST_S = 2400
NEWEST_S = 900
AT_A_TIME = 2
TESTS_FAILED, NOT_DONE = 1, 124
"""Exit codes, pytest's and that of `timeout`."""


def run(suites: Sequence[Suite]) -> int:
    """Run them; 0 when no test has failed twice."""
    return max(first(suites), again(suites))


def first(suites: Sequence[Suite]) -> int:
    """Run each once; print what it said when it has ended, and a line of each at the end.

    0 also when tests failed, which `again` runs once more.
    """
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return _told(suites, list(pool.map(_installed_and_run, suites)))


def again(suites: Sequence[Suite]) -> int:
    """Run what failed the last time once more, one suite at a time, and alone; 0 when no test failed."""
    failed = [suite for suite in suites if Environment(suite).failed()]
    return _told(failed, [Environment(suite).again() for suite in failed])


def _told(suites: Sequence[Suite], outcomes: Sequence[tuple[str, int]]) -> int:
    for suite, (said, _) in zip(suites, outcomes, strict=True):
        print(f"{suite.name}: {said}", flush=True)
    decisive = [code for suite, (_, code) in zip(suites, outcomes, strict=True) if suite.locked]
    return max(decisive, default=0)


def _installed_and_run(suite: Suite) -> tuple[str, int]:
    began = time.monotonic()
    environment = Environment(suite)
    try:
        python = install(environment.folder, suite.lock, suite.interpreter, locked=suite.locked)
    except CannotInstall as error:
        return f"left out: {error}", 0
    said, code = environment.first()
    said = f"{said} (in all {time.monotonic() - began:.0f} s)"
    return "\n".join([said, *(() if suite.locked else _new(python, suite.lock))]), code


class Environment:
    """Where a suite runs: what was said last, and pytest's exit code, are what its methods give back."""

    def __init__(self, suite: Suite, folder: Path | None = None) -> None:
        self.folder = folder or Path(f".venv-{suite.name}")
        self._suite = suite
        self._cache = self.folder / ".pytest_cache"

    def first(self) -> tuple[str, int]:
        """Every test; 0 also when tests failed that can be run again."""
        said, code = self._run("--cache-clear")
        return said, 0 if code == TESTS_FAILED and self.failed() else code

    def again(self) -> tuple[str, int]:
        """Only what failed, one test after the other."""
        alone = ("-n", "0") if "-n" in self._suite.tests else ()
        said, code = self._run(
            "--last-failed", "--last-failed-no-failures=none", *alone, name=": what failed, once more"
        )
        return f"what failed, once more: {said}", code

    def failed(self) -> bool:
        """Whether tests failed the last time."""
        with suppress(FileNotFoundError):
            return bool(json.loads((self._cache / "v/cache/lastfailed").read_text()))
        return False

    def _run(self, *options: str, name: str = "") -> tuple[str, int]:
        """Run it, with programs that are started really, and print all that it said when it has ended."""
        limit_s = TEST_S if self._suite.locked else NEWEST_S
        try:
            done = subprocess.run(
                [
                    self.folder / "bin/python",
                    "-m",
                    "pytest",
                    "-o",
                    f"cache_dir={self._cache}",
                    *self._suite.tests,
                    *options,
                ],
                cwd=ROOT,
                env={**os.environ, "STARTS": "real"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            self._show(name, (error.stdout or b"").decode())
            return f"not done after {limit_s / 60:.0f} minutes", NOT_DONE
        out = done.stdout.decode()
        self._show(name, out)
        return out.strip().rpartition("\n")[2].strip("= "), done.returncode

    def _show(self, name: str, out: str) -> None:
        print(f"== {self._suite.name}{name}\n{out}", flush=True)


def _new(python: Path, lock: str) -> list[str]:
    """What the registry has beyond the lock, and what in the vendors' surfaces nobody has decided on."""
    pinned = {line.partition(" ")[0] for line in (LOCKS / f"{lock}.txt").read_text().splitlines()}
    there = _said(python, "-m", "uv", "pip", "freeze", "--python", str(python))
    newer = [one for one in there if "==" in one and one not in pinned]
    return [f"not in locks/{lock}.txt: {', '.join(newer)}", *_said(python, "-m", "tests.clients.surfaces")]


def _said(python: Path, *arguments: str) -> list[str]:
    done = subprocess.run([python, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    return (done.stdout if done.returncode == 0 else done.stderr).splitlines()
