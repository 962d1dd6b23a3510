"""Delays a fork while a thread imports a module or sets up TLS: the child could not release those locks."""

import os
import threading

no_fork = threading.RLock()
"""Held by a sender's thread during such work, once for a few milliseconds. A fork waits for it."""


def _after_in_child() -> None:
    """Release the lock. Hosts such as uWSGI fork by themselves and call only this hook: then it is made anew."""
    try:
        no_fork.release()
    except RuntimeError:
        no_fork._at_fork_reinit()  # type: ignore[attr-defined]  # as `threading` does with its own locks


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=no_fork.acquire, after_in_parent=no_fork.release, after_in_child=_after_in_child)
