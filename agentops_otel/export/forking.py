"""Moments that a fork must not fall into: a child would find their locks held by a thread that it does not have."""

import os
import threading

steady = threading.RLock()
"""Held while a sender's thread imports modules or sets up TLS; a fork waits for that, some milliseconds, and once."""

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=steady.acquire, after_in_parent=steady.release, after_in_child=steady.release)
