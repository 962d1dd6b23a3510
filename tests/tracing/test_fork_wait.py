"""Waiting for threads before a fork."""

import sys
import threading
import time
from pathlib import Path

import pytest

from agentops_otel.tracing import fork_wait
from agentops_otel.tracing.fork_wait import wait_before_fork


def test_a_thread_that_goes_on_is_not_waited_for_beyond_the_time() -> None:
    """The program forks all the same; once it has ended, nothing is waited for."""
    goes_on = threading.Event()
    thread = threading.Thread(target=goes_on.wait, args=(60,))
    thread.start()

    in_time = wait_before_fork([None, thread], 0.05)
    was_alive = thread.is_alive()
    goes_on.set()

    assert (in_time, was_alive) == (False, True)
    assert wait_before_fork([None, thread, threading.current_thread()], 60)
    assert not thread.is_alive()


def test_a_thread_that_a_block_leaves_running_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be the program's: `init()` would wait for it."""
    monkeypatch.setattr(fork_wait, "_LEAVING_S", 60.0)
    goes_on = threading.Event()
    thread = threading.Thread(target=goes_on.wait, args=(30,))

    with fork_wait.without_new_threads():
        thread.start()
    was_alive = thread.is_alive()
    goes_on.set()
    thread.join()

    assert was_alive


def test_where_the_system_lists_no_threads_they_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """As anywhere but on Linux; one that is about to be started is not waited for."""
    monkeypatch.setattr(fork_wait, "_TASKS", "/nowhere")
    begun, done = threading.Event(), list[int]()

    def work() -> None:
        begun.set()
        time.sleep(0.02)
        done.append(1)

    with fork_wait.without_new_threads():
        thread = threading.Thread(target=work)
        thread.start()
        assert begun.wait(60)

    assert wait_before_fork([threading.Thread(), thread], 60)
    assert done == [1]


class Noting(threading.Thread):
    """Notes for how long it is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def join(self, timeout: float | None = None) -> None:
        """Wait."""
        self.waits.append(timeout)
        super().join(timeout)


@pytest.mark.parametrize(("timeout_s", "least_s", "most_s"), [(0.0, 0.0, 0.0), (3600.0, 3000.0, 3600.0)])
def test_a_thread_is_waited_for_as_long_as_there_is_time(timeout_s: float, least_s: float, most_s: float) -> None:
    """Not for longer, and not for less."""
    thread = Noting()
    thread.start()
    thread.join()

    wait_before_fork([thread], timeout_s)

    wait_s = thread.waits[-1]
    assert wait_s is not None
    assert least_s <= wait_s <= most_s


def test_a_block_ends_once_the_system_has_removed_its_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ended in it may be listed a moment longer; what was there before is not waited for."""
    monkeypatch.setattr(fork_wait, "_TASKS", str(tmp_path))
    monkeypatch.setattr(fork_wait, "_LEAVING_S", 60.0)
    (tmp_path / "1").touch()
    listed = tmp_path / "2"
    removing = threading.Timer(0.05, listed.unlink)

    with fork_wait.without_new_threads():
        listed.touch()
        removing.start()
    was_removed = not listed.exists()
    removing.join()

    assert was_removed


@pytest.mark.skipif(sys.platform != "linux", reason="the system has no such list")
def test_the_system_lists_the_threads_that_run() -> None:
    """By the number that Python knows, too."""
    goes_on = threading.Event()
    thread = threading.Thread(target=goes_on.wait, args=(60,))
    thread.start()
    listed = fork_wait._tasks()
    goes_on.set()
    thread.join()

    assert str(thread.native_id) in listed
