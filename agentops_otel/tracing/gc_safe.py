"""Runs finalizers outside of the garbage collector's run: they end the spans of forgotten streams and generators.

The collector interrupts a thread anywhere, also while it holds a lock that is not reentrant, such as an exporter's or a
metric's. A span that ended inside the collector's run would wait for that lock for ever.
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


class _State:
    """Finalizers deferred during a garbage collection, and the thread that runs the collection."""

    def __init__(self) -> None:
        self.deferred: SimpleQueue[Callable[[], None]] = SimpleQueue()  # reentrant, unlike queue.Queue
        self.draining = RLock()
        self.collecting_thread: int | None = None
        self.scheduled = False
        """True while a thread has been started that has not begun to drain."""


state = _State()


def is_collecting() -> bool:
    """Whether a thread is collecting garbage at this moment; it may be this one."""
    return state.collecting_thread is not None


def is_collecting_here() -> bool:
    """Whether this thread runs inside of a garbage collection."""
    return state.collecting_thread is not None and state.collecting_thread == get_ident()


def run_outside_gc(work: Callable[..., None], *args: object) -> None:
    """Call `work(*args)` now; if this thread is collecting garbage, soon and in another thread."""
    if is_collecting_here():
        state.deferred.put(partial(work, *args))
    else:
        work(*args)


def drain(timeout_s: float = 10.0) -> float:
    """Run the deferred finalizers and wait for running ones, at most *timeout_s* seconds; return the seconds spent."""
    began = time.monotonic()
    if state.draining.acquire(timeout=timeout_s):
        try:
            while not state.deferred.empty():
                with guard("ending a forgotten span"):
                    state.deferred.get_nowait()()
        finally:
            state.draining.release()
    return time.monotonic() - began


def install_gc_callback() -> None:
    """Observe the garbage collector's runs until the process ends; a second call does nothing."""
    if _collection not in gc.callbacks:
        gc.callbacks.append(_collection)
        atexit.register(_remove_gc_callback)


def _collection(phase: str, info: dict[str, int]) -> None:
    state.collecting_thread = get_ident() if phase == "start" else None
    if phase == "stop" and not state.scheduled and not state.deferred.empty():
        # Not `threading.Thread`, which takes locks: this thread is still where the collector interrupted it.
        state.scheduled = True
        try:
            _thread.start_new_thread(_run_deferred, ())
        except RuntimeError:  # no thread can be started: the next `drain` runs them
            state.scheduled = False


def _run_deferred() -> None:
    with state.draining:
        state.scheduled = False
    drain()


def _remove_gc_callback() -> None:
    with suppress(ValueError):
        gc.callbacks.remove(_collection)
    state.collecting_thread = None


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=state.__init__)  # type: ignore[misc]  # the parent runs its own
