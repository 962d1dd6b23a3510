"""Waits for threads to end before a fork: ours, and those in which the SDK detects a resource."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

_POLL_S = 0.0002
_LEAVING_S = 0.25
"""The longest that is waited for threads that have been joined to leave the system."""
_TASKS = "/proc/self/task"


def wait_before_fork(threads: Iterable[threading.Thread | None], timeout_s: float) -> bool:
    """Wait until the detached threads have ended; True if they have within the time.

    A child of a process with one thread is safe, and Python 3.12 and later warn of a fork with more.
    """
    deadline = time.monotonic() + timeout_s
    for thread in threads:
        if thread is not None and thread is not threading.current_thread():
            with suppress(RuntimeError):  # another thread is about to start it
                thread.join(max(0.0, deadline - time.monotonic()))
            # Up to Python 3.12 it is joined a moment before the system has removed it.
            while os.path.exists(f"{_TASKS}/{thread.native_id}") and time.monotonic() < deadline:
                time.sleep(_POLL_S)
    return time.monotonic() < deadline


@contextmanager
def without_new_threads() -> Iterator[None]:
    """A block that starts threads and joins them: waits until the system has removed them, for a fork that may follow.

    Threads that go on are not waited for.
    """
    before = _tasks()
    yield
    deadline = time.monotonic() + _LEAVING_S
    while _tasks() - before - _running() and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _running() -> set[str]:
    return {str(thread.native_id) for thread in threading.enumerate()}


def _tasks() -> set[str]:
    try:
        return set(os.listdir(_TASKS))
    except OSError:  # not on Linux
        return set()
