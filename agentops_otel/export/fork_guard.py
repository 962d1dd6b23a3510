"""Delays a fork while a thread imports, sets up TLS or looks up a host: a child could not release those locks."""

import os
import threading

no_fork = threading.RLock()
"""Held by a sender's thread during such work, once for a few milliseconds. A fork waits for it."""
WAIT_S = 1.0
"""The longest that a fork waits for a host's name."""
WAIT_AGAIN_S = 0.01
"""The same after a wait that was not enough."""


class Lookups:
    """Counts the threads that look up a host's name: a child would wait for the C library's locks for ever.

    A fork waits for those that are under way, for a moment: a name server may not answer. Others begin after it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._wait_s = WAIT_S

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def before_fork(self) -> None:
        """Wait until nobody looks up a name, and let nobody begin."""
        self._changed.acquire()
        self._wait_s = WAIT_S if self._changed.wait_for(lambda: not self._count, self._wait_s) else WAIT_AGAIN_S

    def after_in_parent(self) -> None:
        """Let them begin again."""
        self._changed.release()


looking_up = Lookups()


def _before() -> None:
    no_fork.acquire()
    looking_up.before_fork()


def _after_in_parent() -> None:
    looking_up.after_in_parent()
    no_fork.release()


def _after_in_child() -> None:
    """Begin anew: no other thread is left. Hosts such as uWSGI fork by themselves and call only this hook."""
    looking_up.__init__()  # type: ignore[misc]
    try:
        no_fork.release()
    except RuntimeError:  # another thread had it
        no_fork._at_fork_reinit()  # type: ignore[attr-defined]  # as `threading` does with its own locks


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
