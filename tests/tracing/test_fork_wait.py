"""Waiting for threads before a fork."""

import threading
import time

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
