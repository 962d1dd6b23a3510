"""Calls methods around each fork of the process, for as long as their objects live."""

import os
import weakref
from collections.abc import Callable


def at_fork(**methods: Callable[[], None]) -> None:
    """As `os.register_at_fork`, which never forgets what it was given. Nothing on Windows, which has no fork.

    Args:
        methods: `before`, `after_in_parent` and `after_in_child`: methods of objects, held weakly.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(**{when: _weakly(method) for when, method in methods.items()})


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    alive = weakref.WeakMethod(method)

    def call() -> None:
        if (method := alive()) is not None:
            method()

    return call
