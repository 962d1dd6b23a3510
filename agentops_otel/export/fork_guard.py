"""Delays a fork while a thread imports a module or sets up TLS: the child could not release those locks."""

import os
import threading

no_fork = threading.RLock()
"""Held by a sender's thread during such work, once for a few milliseconds. A fork waits for it."""

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=no_fork.acquire, after_in_parent=no_fork.release, after_in_child=no_fork.release)
