"""Processors of the program's, flushed and shut down beside each other, each on a thread that stands ready."""

import logging
import os
import threading
from collections.abc import Callable
from contextvars import ContextVar

import pytest
from opentelemetry.sdk.trace import SpanProcessor

from agentops_otel import guard
from agentops_otel.export.user_processors import UserProcessors

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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on Windows")
def test_after_forks_each_is_asked_as_before() -> None:
    """On Python 3.13 and later no thread stands ready then: it begins with what it is asked."""
    processor = Noting(lambda: True)
    users = UserProcessors([processor])
    for _ in range(2):
        if not (child := os.fork()):
            os._exit(0)
        os.waitpid(child, 0)

    assert users.wait(users.begin_flush(2.5), 60)
    users.close(60)
    assert processor.asked == [(2500, "nowhere")]
