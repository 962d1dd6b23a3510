"""Around a fork: methods are called while their objects live, and a child waits for no thread of its parent."""

import gc
import os
import threading
from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import SpanProcessor

from agentops_otel.metrics.span_metrics import SpanMetrics
from agentops_otel.tracing.at_fork import at_fork
from agentops_otel.view import cost
from agentops_otel.view.open_spans import OpenSpans
from agentops_otel.view.session_totals import SessionTotals
from tests.view.spans import Trace

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on Windows"),
    # Python 3.12 warns of a fork with threads: here it has one on purpose.
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]
ENDED_BY_THE_TEST_S = 60


class _Notes:
    """Notes what is called around a fork."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        at_fork(before=self._before, after_in_parent=self._in_parent, after_in_child=self._in_child)

    def _before(self) -> None:
        self._notes.append("before")

    def _in_parent(self) -> None:
        self._notes.append("in the parent")

    def _in_child(self) -> None:
        self._notes.append("in the child")


def test_methods_are_called_around_a_fork_while_their_object_lives() -> None:
    """The system's own list of what to call has no end: an object that is gone is not called any more."""
    notes: list[str] = []
    noting = _Notes(notes)

    assert _exit_code(lambda: notes == ["before", "in the child"]) == 0
    assert notes == ["before", "in the parent"]

    del noting
    gc.collect()
    assert _exit_code(lambda: notes == ["before", "in the parent"]) == 0
    assert notes == ["before", "in the parent"]


@pytest.mark.parametrize(
    "processor", [OpenSpans(), SessionTotals(), SpanMetrics(cost)], ids=lambda processor: type(processor).__name__
)
def test_a_child_does_not_wait_for_a_thread_of_its_parent(processor: SpanProcessor) -> None:
    """Which held the lock at the fork."""
    lock, span = processor._lock, Trace().span("a span")  # type: ignore[attr-defined]  # each has one
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            go_on.wait(ENDED_BY_THE_TEST_S)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(ENDED_BY_THE_TEST_S)

    def use() -> bool:
        processor.on_start(span)  # type: ignore[arg-type]  # only its name and ids are read
        processor.on_end(span)
        return bool(processor._lock.acquire(timeout=0))  # type: ignore[attr-defined]

    try:
        assert _exit_code(use) == 0
    finally:
        go_on.set()
        holder.join()
    assert processor._lock is lock  # type: ignore[attr-defined]  # the parent's


def _exit_code(succeeds: Callable[[], bool]) -> int:
    """0 if the function returns True in a child; a child that hangs is ended by SIGALRM."""
    child = os.fork()
    if not child:
        import signal

        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(ENDED_BY_THE_TEST_S)
        os._exit(0 if succeeds() else 1)
    _, status = os.waitpid(child, 0)
    return status
