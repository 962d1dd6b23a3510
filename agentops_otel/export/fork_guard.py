"""Delays a fork while a thread imports, sets up TLS or looks up a host: a child could not release those locks."""

import os
import threading
from contextlib import suppress

no_fork = threading.RLock()
"""Held by a sender's thread during such work, once for a few milliseconds. A fork waits for it."""
resolving = threading.RLock()
"""Held while a host's name is looked up. The C library has locks of its own for its configuration, for which a child
would wait for ever; a fork waits for a moment. While a name server does not answer none of them is held."""
WAIT_S = 1.0
"""The longest that a fork waits for a host's name."""
WAIT_AGAIN_S = 0.01
"""The same after a wait that was not enough."""

_wait_s = WAIT_S


def _before() -> None:
    global _wait_s
    no_fork.acquire()
    _wait_s = WAIT_S if resolving.acquire(timeout=_wait_s) else WAIT_AGAIN_S


def _after_in_parent() -> None:
    with suppress(RuntimeError):  # another thread has it still
        resolving.release()
    no_fork.release()


def _after_in_child() -> None:
    """Release the locks. Hosts such as uWSGI fork by themselves and call only this hook: then they are made anew."""
    for lock in (resolving, no_fork):
        try:
            lock.release()
        except RuntimeError:
            lock._at_fork_reinit()  # type: ignore[attr-defined]  # as `threading` does with its own locks


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
