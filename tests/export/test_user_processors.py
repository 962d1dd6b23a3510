"""Processors of the program's, flushed and shut down beside each other, each on a thread that stands ready."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from agentops_otel import guard
from agentops_otel.export.threads import STARTS_AT_FORK
from agentops_otel.export.user_processors import UserProcessors
from tests.forked import fork

PLACE = ContextVar("place", default="nowhere")


class Noting(SpanProcessor):
    """Notes what it is asked, where and on which thread, and answers as it is told."""

    def __init__(self, answer: Callable[[], object]) -> None:
        self.asked: list[tuple[object, str]] = []
        self.threads: set[str] = set()
        self._answer = answer

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """The answer, whatever it is."""
        return self._note(timeout_millis)

    def shutdown(self) -> None:
        """The same."""
        self._note("shutdown")

    def _note(self, what: object) -> bool:
        self.asked.append((what, PLACE.get()))
        self.threads.add(threading.current_thread().name)
        return self._answer()  # type: ignore[return-value]  # or what a processor should not answer


def fails() -> None:
    """As a processor may."""
    raise ZeroDivisionError


def test_each_is_asked_in_the_callers_context_and_with_the_time_that_there_is() -> None:
    """In milliseconds, and none where there is none left."""
    processors = [Noting(lambda: True), Noting(lambda: None)]
    users = UserProcessors(processors)
    token = PLACE.set("here")
    answers = [users.begin_flush(2.5), users.begin_flush(-1.0), users.begin_shutdown()]
    PLACE.reset(token)
    well = [users.wait(each, 60) for each in answers]
    users.close(60)

    assert well == [True, True, True]
    for processor in processors:
        assert processor.asked == [(2500, "here"), (0, "here"), ("shutdown", "here")]
        assert processor.threads == {"agentops-otel-processor"}


@pytest.mark.parametrize(
    ("answer", "well"), [(lambda: True, True), (lambda: None, True), (lambda: False, False), (fails, False)]
)
def test_one_that_says_no_or_raises_was_not_done(
    answer: Callable[[], object], well: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it answers else is a yes, and the one beside it is done in any case."""
    monkeypatch.setattr(guard, "reraise", False)
    beside = Noting(lambda: True)
    users = UserProcessors([Noting(answer), beside])

    said = users.wait(users.begin_flush(60), 60)
    users.close(60)

    assert said is well
    assert len(beside.asked) == 1


def test_a_fault_of_one_is_told_with_what_it_was_asked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once for each."""
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(guard, "_reported", set())
    users = UserProcessors([Noting(fails)])
    users.wait(users.begin_flush(60), 60)
    users.wait(users.begin_shutdown(), 60)
    users.close(60)

    told = [record.getMessage() for record in caplog.records]
    assert ["flushing a span processor" in told[0], "shutting down a span processor" in told[1]] == [True, True]


def test_the_time_is_for_all_of_them_together(caplog: pytest.LogCaptureFixture) -> None:
    """Those that are not done in it are named, and their threads end when they are."""
    go_on = threading.Event()
    processors = [Noting(lambda: go_on.wait(60)), Noting(lambda: True), Noting(lambda: go_on.wait(60))]
    before = set(threading.enumerate())
    users = UserProcessors(processors)
    threads = set(threading.enumerate()) - before

    with caplog.at_level(logging.WARNING, "agentops_otel"):
        well = users.wait(users.begin_flush(0.0), 0.05)
    users.close(0.0)
    go_on.set()
    for thread in threads:
        thread.join(60)

    assert not well
    assert caplog.messages == ["Noting was not done in time; what it holds may be lost"] * 2
    assert len(threads) == 3
    assert not any(thread.is_alive() for thread in threads)


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on Windows")


def threads() -> set[threading.Thread]:
    """Those that stand ready for a processor, or are at one."""
    return {thread for thread in threading.enumerate() if thread.name == "agentops-otel-processor"}


@forks
def test_after_forks_each_is_asked_as_before() -> None:
    """On Python 3.13 and later no thread stands ready then: it begins with what it is asked."""
    processor = Noting(lambda: True)
    users = UserProcessors([processor])
    for _ in range(2):
        fork()

    assert users.wait(users.begin_flush(2.5), 60)
    users.close(60)
    assert processor.asked == [(2500, "nowhere")]


@forks
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # a processor may take longer than a fork waits
def test_a_processor_that_is_busy_at_a_fork_is_asked_by_both_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On threads of their own; what it is at goes on in the parent, and the thread of that ends with it.

    Another is just about to start one at that moment, too.
    """
    monkeypatch.setattr("agentops_otel.export.user_processors.FORK_WAIT_S", 0.01)
    entered, go_on, held = threading.Event(), threading.Event(), [True]

    def answer() -> bool:
        if held and held.pop():
            entered.set()
            go_on.wait(60)
        return True

    before = threads()
    users = UserProcessors([Noting(answer)])
    busy = threads() - before
    first = users.begin_flush(60)
    assert entered.wait(60)

    with users._callers[0]._thread._starting:
        in_child = fork(lambda: users.wait(users.begin_flush(15), 15))
    in_parent = users.wait(users.begin_flush(15), 15)
    go_on.set()

    assert (in_child, in_parent, users.wait(first, 60)) == (True, True, True)
    for thread in busy:
        thread.join(60)
    assert len(busy) == 1
    assert not busy & threads()
    users.close(60)


@forks
def test_threads_that_stand_ready_end_before_a_fork() -> None:
    """One each; the process has no thread of ours when it forks. Then others do, in the child too, if they may."""
    before = threads()
    users = UserProcessors([Noting(lambda: True), Noting(lambda: True)])
    ready = threads() - before
    assert fork(lambda: len(threads()) == 2)
    for thread in ready:
        thread.join(15)

    assert len(ready) == 2
    assert not ready & threads()
    assert len(threads() - before) == (2 if STARTS_AT_FORK else 0)
    users.close(60)
    assert threads() == before


@forks
def test_where_threads_are_greenlets_one_for_each_stands_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the kind of now: those of before are left. A fork ends none, and makes none beside it."""
    before = threads()
    processor = Noting(lambda: True)
    users = UserProcessors([processor])
    left = threads() - before
    calls = users._callers[0]._calls
    patched = SimpleNamespace(is_module_patched=["threading"].__contains__)
    monkeypatch.setitem(sys.modules, "gevent.monkey", patched)

    made = list[set[threading.Thread]]()
    for _ in range(2):
        assert users.wait(users.begin_flush(60), 60)
        made.append(threads() - before - left)
    fork()
    users.on_end(ReadableSpan("after"))
    made.append(threads() - before - left)

    assert len(made[0]) == 1
    assert made == [made[0]] * 3
    calls.put(None)
    for thread in left:
        thread.join(60)
    users.close(60)
    assert threads() == before


@forks
def test_without_a_processor_nothing_is_done_at_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is closed is left alone."""
    told = list[str]()
    monkeypatch.setattr(os, "register_at_fork", lambda **methods: told.extend(methods))

    UserProcessors([])
    assert told == []
    UserProcessors([Noting(lambda: True)]).close(60)
    assert told == ["before", "after_in_parent", "after_in_child"]
