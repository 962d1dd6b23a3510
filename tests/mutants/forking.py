"""Runs pytest again and again, each time in a child of one process that has imported the clients already.

`Forking` starts that process. It is this file run as a script: it has imported nothing of the package or its tests,
which each child imports with the fault that is in the copy then.
"""

import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PRELOADED = (
    "anthropic",
    "google.genai",
    "groq",
    "hypothesis.strategies",
    "inline_snapshot",
    "mistralai",
    "ollama",
    "openai",
    "opentelemetry.sdk.metrics",
    "opentelemetry.sdk.trace",
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
    "pytest",
    "trustme",
    "vcr",
    "websockets.sync.server",
)
"""What most of the tests import, and takes seconds; one that is not installed is left out."""

COLLECTING_S = 60.0
"""How long pytest may take before its first test, and the fixtures of one."""
SLACK_S = 15.0
PATIENCE = 4
"""So many times what a test took unchanged, and `SLACK_S`: then it hangs."""

FIRST = 25
"""So many tests are run before the rest are so much as collected: most faults are noticed by one of them."""

END = "end"
HANGS = " hangs"


class Forking:
    """A process that forks a pytest for each fault in *copy*."""

    def __init__(self, copy: Path, environment: Mapping[str, str], preloaded: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, *preloaded],
            cwd=copy,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def first_failure(self, tests: Sequence[str], seconds: Mapping[str, float]) -> str | None:
        """The first of the tests that fails or hangs; None if all pass. Those of a file run together, as ever."""
        for part in filter(None, (tests[:FIRST], tests[FIRST:])):
            files = dict.fromkeys(test.partition("::")[0] for test in part)
            by_file = [test for file in files for test in part if test.startswith(f"{file}::")]
            if failed := self._ask([(test, seconds[test]) for test in by_file]):
                return failed
        return None

    def failures(self, tests: Sequence[str], seconds: Mapping[str, float]) -> list[str]:
        """All of the tests that fail or hang."""
        left, failures = list(tests), []
        while failed := self.first_failure(left, seconds):
            failures.append(failed.removesuffix(HANGS))
            if failures[-1] not in left:  # they cannot even be collected
                break
            left.remove(failures[-1])
        return failures

    def _ask(self, tests: list[tuple[str, float]]) -> str | None:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(tests), file=self._process.stdin, flush=True)
        answer: str | None = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        with self._process:  # which closes its stdin
            pass


def _serve() -> None:
    sys.path[0] = os.getcwd()
    for name in sys.argv[1:]:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_failing(dict(json.loads(line)))), flush=True)


def _failing(seconds: dict[str, float]) -> str | None:
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        _run(list(seconds), writing)
    os.close(writing)
    lines, patience_s = ["collecting"], COLLECTING_S
    while (ready := select.select([reading], [], [], patience_s)[0]) and (said := os.read(reading, 1 << 16)):
        lines += said.decode().splitlines()
        if lines[-1] == END:
            lines.pop()
            break
        is_called = lines[-1] in lines[:-1]
        patience_s = SLACK_S + PATIENCE * seconds.get(lines[-1], 0.0) if is_called else COLLECTING_S
    if not ready:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(reading)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # what its tests have left
    if not status:
        return None
    return lines[-1] if ready else lines[-1] + HANGS


def _run(tests: list[str], progress: int) -> None:
    """In the child, which ends here."""
    import pytest

    class Progress:
        def pytest_runtest_logstart(self, nodeid: str) -> None:
            os.write(progress, f"{nodeid}\n".encode())

        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            # A test that is named by what the fault has changed is there no more, and has noticed nothing.
            there = {item.nodeid: item for item in items}
            items[:] = [there[test] for test in tests if test in there]

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_call(self, item: pytest.Item) -> None:
            self.pytest_runtest_logstart(item.nodeid)

    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    sys.modules["__main__"], sys.argv = importlib.import_module("pytest.__main__"), ["pytest"]
    options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={Path.cwd().parent / 'temp'}"]
    preloaded = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    files = dict.fromkeys(test.partition("::")[0] for test in tests)
    said = pytest.main([*options, "-W", preloaded, *files], [Progress()])
    os.write(progress, f"{END}\n".encode())
    os._exit(0 if said == pytest.ExitCode.NO_TESTS_COLLECTED else said)


if __name__ == "__main__":
    _serve()
