"""`-p tests.processes --processes=4`: the tests in so many forks of the process that has collected them.

Clients and tests are imported once, where pytest-xdist's workers import all for themselves. The tests that share a
fixture of a module or a package stay together and come first; of the others, each process takes the next that nobody
has begun.
"""

import os
import struct
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from signal import SIGKILL
from typing import Any

import pytest

NUMBER = struct.Struct("H")
"""A place in the queue, which is a pipe: no process reads a part of one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--processes`."""
    parser.addoption("--processes", type=int, default=0, help="run the tests in so many processes")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Here nobody changes a snapshot, and inline-snapshot need not look for where each stands."""
    if config.getoption("processes") and config.getoption("inline_snapshot", None) is None:
        config.option.inline_snapshot = "disable"


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run them, unless they are only to be listed, or in one process."""
    number = session.config.getoption("processes")
    if not number or session.config.option.collectonly or session.testsfailed:
        return None
    groups = grouped(session.items)
    queue = _queue(len(groups))
    processes = [_forked(session, groups, queue, each) for each in range(number)]
    os.close(queue)
    try:
        _report(session, processes)
    finally:
        for process in processes:
            process.end()
    return True


def grouped(items: list[pytest.Item]) -> list[list[pytest.Item]]:
    """Those that share a fixture together, the largest group first, and then each of the others alone."""
    shared: dict[str, list[pytest.Item]] = {}
    alone = []
    for item in items:
        if owners := _owners_of_shared_fixtures(item):
            shared.setdefault(min(owners, key=len), []).append(item)
        else:
            alone.append([item])
    return [*sorted(shared.values(), key=len, reverse=True), *alone]


def _owners_of_shared_fixtures(item: pytest.Item) -> list[str]:
    """The modules and packages whose fixtures it shares with others; what is of a whole session each process has."""
    definitions = item._fixtureinfo.name2fixturedefs.values() if isinstance(item, pytest.Function) else ()
    return [one.baseid for several in definitions for one in several if one.scope in ("class", "module", "package")]


def _queue(length: int) -> int:
    """A pipe that holds the place of each group, in their order."""
    reading, writing = os.pipe()
    for place in range(length):
        os.write(writing, NUMBER.pack(place))
    os.close(writing)
    return reading


@dataclass(eq=False)
class Process:
    """One of the forks."""

    pid: int
    said: Connection
    """What it reports."""
    begun: str = ""
    """The test that it runs."""

    def end(self) -> None:
        """Kill it, if it has not ended."""
        if not self.said.closed:
            os.kill(self.pid, SIGKILL)
            self.ended()

    def ended(self) -> int:
        """Its exit code."""
        self.said.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _forked(session: pytest.Session, groups: list[list[pytest.Item]], queue: int, number: int) -> Process:
    said, saying = Pipe(duplex=False)
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        saying.close()
        return Process(pid, said)
    code = 1
    try:
        said.close()
        _run(session, _taken(groups, queue), number, saying)
        code = 0
    except BaseException:  # noqa: BLE001 # the process ends with it
        traceback.print_exc()
    finally:
        os._exit(code)


def _taken(groups: list[list[pytest.Item]], queue: int) -> Iterator[pytest.Item]:
    """The tests that this process takes from the queue, one group after the other."""
    while place := os.read(queue, NUMBER.size):
        yield from groups[NUMBER.unpack(place)[0]]


def _run(session: pytest.Session, items: Iterator[pytest.Item], number: int, saying: Connection) -> None:
    """In the fork: run the tests, and report them to where it comes from."""
    config = session.config
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(_Reporting(config, saying))
    _have_own_files(config, number)
    item = next(items, None)
    while item and not (session.shouldfail or session.shouldstop):
        following = next(items, None)
        config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        item = following
    if controller := getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None):  # pytest-cov's
        controller.cov.save()


def _have_own_files(config: pytest.Config, number: int) -> None:
    """A folder of its own for the tests' files, and others for what they print."""
    factory: Any = config._tmp_path_factory  # type: ignore[attr-defined]
    factory._basetemp = factory.getbasetemp() / f"process-{number}"
    factory._basetemp.mkdir()
    if capture := config.pluginmanager.getplugin("capturemanager"):
        capture.stop_global_capturing()
        capture.start_global_capturing()
        capture.suspend_global_capture()


class _Reporting:
    """Says what happens to each test."""

    def __init__(self, config: pytest.Config, saying: Connection) -> None:
        self._config = config
        self._saying = saying

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._saying.send({"begun": nodeid})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of it has ended."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._saying.send({"report": data})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """It has ended."""
        self._saying.send({"ended": nodeid, "location": location})


def _report(session: pytest.Session, processes: list[Process]) -> None:
    """Report what they say, as if the tests ran here, and fail each test of which nothing was said."""
    waiting = {item.nodeid: item for item in session.items}
    running = {process.said: process for process in processes}
    while running:
        for said in wait(list(running)):
            process = running[said]  # type: ignore[index]
            try:
                _pass_on(session, process, process.said.recv(), waiting)
            except EOFError:
                del running[process.said]
                if code := process.ended():
                    _report_failed(waiting.pop(process.begun), f"its process has ended with exit code {code}")
    for item in list(waiting.values()):
        _report_failed(item, "its process had ended")


def _pass_on(session: pytest.Session, process: Process, message: Any, waiting: dict[str, pytest.Item]) -> None:
    hook, config = session.config.hook, session.config
    process.begun = message.get("begun", process.begun)
    if "report" in message:
        report = hook.pytest_report_from_serializable(config=config, data=message["report"])
        hook.pytest_runtest_logreport(report=report)
    if "ended" in message:
        del waiting[message["ended"]]
        hook.pytest_runtest_logfinish(nodeid=message["ended"], location=message["location"])
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def _report_failed(item: pytest.Item, why: str) -> None:
    report = pytest.TestReport(
        nodeid=item.nodeid, location=item.location, keywords={}, outcome="failed", longrepr=why, when="call"
    )
    item.ihook.pytest_runtest_logreport(report=report)
