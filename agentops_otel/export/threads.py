"""Background threads that start on demand and end before a fork. `start()` is False if none can be started."""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress

FORK_WAIT_S = 0.25
"""The longest that a fork waits for our threads to end, in seconds. Idle ones take a fraction of a millisecond."""
FORK_WAIT_AGAIN_S = 0.01
"""The same after a wait that was not enough: a thread is in a request that takes long."""
STARTS_AT_FORK = sys.version_info < (3, 13)
"""Whether a thread may begin as soon as the process has forked: Python 3.13 would take it for one that was there."""


class BackgroundThread:
    """One daemon thread at a time, which runs *run* again and again over the life of the process.

    *run* returns when `is_current()` is False for the thread that runs it.

    Args:
        name: As debuggers show it.
        run: What the thread does.
    """

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self._name = name
        self._run = run
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def start(self) -> bool:
        """Make sure that the thread runs; cheap if it does.

        Returns:
            False if the interpreter allows no new thread: at its end (Python 3.12), in some subinterpreters, and at
            a limit of the system.
        """
        if self._thread is not None and self._thread.is_alive():
            return True
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                try:
                    self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    self._thread.start()
                except RuntimeError:
                    self._thread = None
        return self._thread is not None

    def is_current(self) -> bool:
        """Whether the calling thread is the one that is to run."""
        return self._thread is threading.current_thread()

    def detach(self) -> threading.Thread | None:
        """Let the running thread end; the next `start()` begins another. Returns the thread, to be waited for."""
        thread, self._thread = self._thread, None
        return thread

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread to end; True if none runs."""
        thread = self._thread
        if thread is not None:
            with suppress(RuntimeError):  # another thread is about to start it
                thread.join(max(0.0, timeout_s))
        return thread is None or not thread.is_alive()

    def forked(self) -> None:
        """In the child of a fork there is no thread yet."""
        self._thread, self._starting = None, threading.Lock()


def are_greenlets() -> bool:
    """Whether gevent or eventlet has turned threads into greenlets, which a fork does not count and cannot wait for."""
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    return bool(
        (gevent and gevent.is_module_patched("threading")) or (eventlet and eventlet.is_monkey_patched("thread"))
    )


class WakeUp:
    """Wakes one thread. Unlike an Event it may be set anywhere: by a finalizer, in a signal handler."""

    def __init__(self) -> None:
        self._unset = threading.Lock()
        self._unset.acquire()

    def set(self) -> None:
        """End the wait, or the next one; set twice is set once."""
        with suppress(RuntimeError):
            self._unset.release()

    def wait(self, timeout_s: float | None) -> None:
        """Return when it is set, or after *timeout_s* seconds; None: wait without a limit."""
        self._unset.acquire(timeout=-1 if timeout_s is None else timeout_s)
