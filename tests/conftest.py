"""Every test starts from nothing and leaves nothing: no settings, no client, no files outside its own folder."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from hypothesis import settings
from opentelemetry.context import attach, get_current

import agentops_otel
from agentops_otel import guard

# The tests run from a checkout that is not installed, too.
from agentops_otel_pytest import agentops_spans as agentops_spans

# What a shell runs in the background has SIGINT ignored, and programs inherit that: none could be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A slow machine is no failure.
settings.register_profile("unhurried", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=int(os.environ.get("EXAMPLES", "1000")))
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--reverse`; pytest-randomly has the random orders."""
    parser.addoption("--reverse", action="store_true", help="run the last test first")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """No test counts on what another has left, and each has the same name in every worker."""
    if moving := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"an address in a test's name is another in each worker: {moving[0]}")
    if config.getoption("reverse"):
        items.reverse()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """While the tests and the clients are imported, which stay, nothing is garbage; coverage waits for the tests.

    Not where it is to say which test runs which line, also in what the test starts.
    """
    gc.disable()
    if not session.config.pluginmanager.has_plugin("tests.mutants.covering"):
        _pause_coverage()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Coverage is of what a test runs; not of pytest and of fixtures, which it makes twice as slow.

    Nor of the processes that the test starts, if it does not say so: each would take twice as long.
    """
    if _coverage is None:
        return (yield)
    _coverage.start()
    if not item.get_closest_marker("measured"):
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    try:
        return (yield)
    finally:
        _coverage.stop()
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


_coverage: Any = None
"""It measures nothing but the tests."""


def _pause_coverage() -> None:
    """Until a test runs; of ours, all is imported before."""
    global _coverage
    coverage = sys.modules.get("coverage")
    _coverage = coverage.Coverage.current() if coverage else None
    if _coverage is None:
        return
    for module in walk_packages(agentops_otel.__path__, "agentops_otel."):
        if not module.name.endswith("__main__"):
            with suppress(ImportError):  # of what is not installed
                import_module(module.name)
    _coverage.stop()


_modules = 0
"""How many were imported when `gc` was last told to leave alone what is there."""


def pytest_collection_finish() -> None:
    """Before any test, so that the children of `tests.alone` find it done."""
    _leave_alone_what_is_imported()


def _leave_alone_what_is_imported() -> None:
    """What the tests have imported is for good: `gc.collect()` in a test need not look at a million objects."""
    global _modules
    if len(sys.modules) > _modules + 20:
        gc.collect()
        gc.freeze()
        _modules = len(sys.modules)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What a test before has imported stays."""
    _leave_alone_what_is_imported()


POOLS_OF_OTHERS = ("litellm-logging",)
"""Beginnings of the names of threads that packages start once and keep."""


@pytest.fixture
def _state(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory of the test's own; most need none, and to make a folder for each takes longer than they do."""
    if "tmp_path" in request.fixturenames:
        folder: Path = request.getfixturevalue("tmp_path")
        return folder / "state"
    return tmp_path_factory.getbasetemp() / f"state-{sha256(request.node.nodeid.encode()).hexdigest()}"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, _state: Path) -> Iterator[None]:
    """No OTEL_* or AGENTOPS_* from outside, a state directory of the test's own, and faults of ours that show."""
    for name in os.environ:
        if name.startswith(("OTEL_", "AGENTOPS_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(_state))
    monkeypatch.setattr(guard, "reraise", True)
    threads = set(threading.enumerate())
    context = get_current()
    yield
    agentops_otel.shutdown(timeout_s=1)
    attach(context)
    left = [thread for thread in threading.enumerate() if thread not in threads and not thread.daemon]
    left = [thread for thread in left if not thread.name.startswith(POOLS_OF_OTHERS)]
    assert not left, f"threads left behind: {left}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """At the end: which command runs the tests that skipped as what they are about is not installed."""
    yield
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())]
    if missing := sum("not installed" in reason or "No module named" in reason for reason in reasons):
        commands = "`make clients` or `make programs`"
        terminalreporter.write_line(f"{missing} tests are of packages that are not installed: {commands} runs them")
