"""Waiting for threads of ours before a fork."""

import threading

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
