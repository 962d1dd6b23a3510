"""Ends spans that the garbage collector finds (a forgotten stream, a forgotten generator) outside of its run.

The collector stops a thread wherever it is, also where it holds a lock that it cannot take twice: an exporter's, a
metric's. A span that ended there would wait for that lock for ever.
"""

import _thread
import atexit
import gc
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import RLock, get_ident

from agentops_otel.guard import guard


class _Finalizing:
    """What is to be done after the collection that is under way, and who is collecting."""

    def __init__(self) -> None:
        self.waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()  # may be put to anywhere, unlike a Queue
        self.working = RLock()
        self.collector: int | None = None
        self.coming = False
        """Whether a thread is on its way to do it."""


_state = _Finalizing()


def finalize(work: Callable[..., None], *args: object) -> None:
    """Do the work now; soon and in another thread if this one is collecting garbage."""
    if _state.collector is None or _state.collector != get_ident():
        work(*args)
    else:
        _state.waiting.put(partial(work, *args))


def settle(timeout_s: float = 10.0) -> float:
    """Do what waits, and wait for what is being done; the seconds that it took."""
    state, began = _state, time.monotonic()
    if state.working.acquire(timeout=timeout_s):
        try:
            while not state.waiting.empty():
                with guard("ending a forgotten span"):
                    state.waiting.get_nowait()()
        finally:
            state.working.release()
    return time.monotonic() - began


def watch() -> None:
    """See the garbage collector's runs from now on, to the end of the process; a second time does nothing."""
    if _collection not in gc.callbacks:
        gc.callbacks.append(_collection)
        atexit.register(_unwatch)


def _collection(phase: str, info: dict[str, int]) -> None:
    _state.collector = get_ident() if phase == "start" else None
    if phase == "stop" and not _state.coming and not _state.waiting.empty():
        # Not `threading.Thread`: starting one takes locks, and this is still wherever the collector stopped the thread.
        _state.coming = True
        try:
            _thread.start_new_thread(_come, ())
        except RuntimeError:  # no thread to be had: `settle` comes for it
            _state.coming = False


def _come() -> None:
    with _state.working:
        _state.coming = False
    settle()


def _unwatch() -> None:
    with suppress(ValueError):
        gc.callbacks.remove(_collection)
    _state.collector = None


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_state.__init__)  # type: ignore[misc]  # the parent ends what is the parent's
