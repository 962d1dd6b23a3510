"""Waits for our threads to end before a fork."""

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

_POLL_S = 0.0002


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
            while os.path.exists(f"/proc/self/task/{thread.native_id}") and time.monotonic() < deadline:
                time.sleep(_POLL_S)
    return time.monotonic() < deadline
