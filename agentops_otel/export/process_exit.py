"""The ends of a process that `atexit` does not see: children of multiprocessing, Celery's workers, uvicorn's servers.

multiprocess is multiprocessing once more, with dill in place of pickle.

None of them changes how the process ends, nor how it handles signals.
"""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from agentops_otel.guard import guard

_FAMILIES = ("multiprocessing", "multiprocess")


class Ending(Protocol):
    """Callbacks for the end of the process. Each may be called again."""

    def shutdown(self) -> bool:
        """Deliver what is left and stop."""

    def flush(self) -> None:
        """Deliver what has ended, or put it on disk; tracing goes on."""

    def persist(self) -> None:
        """Put on disk what has ended, at once."""

    def deliver_at_once(self) -> None:
        """Deliver what has ended, and from now on each span when it ends."""


class ProcessExit:
    """Calls an `Ending` at every end of this process and of its children that can be known.

    Args:
        ending: What is called.
        on_import: Calls a function with a module when that is imported, now if it is imported already.
    """

    def __init__(self, ending: Ending, on_import: Callable[[str, Callable[[ModuleType], None]], object]) -> None:
        self._ending = ending
        self._on_import = on_import
        self._installed = False
        self._child = 0
        """Id of the process that `_in_child` ran in."""

    def watch(self) -> None:
        """Called by each `init()`: at exit, we go before whatever registered earlier."""
        atexit.unregister(self._ending.shutdown)
        atexit.register(self._ending.shutdown)
        if not self._installed:
            self._installed = True
            if hasattr(os, "register_at_fork"):  # not on Windows
                os.register_at_fork(after_in_child=self._after_fork)
            self._on_import("celery.signals", self._watch_celery)
            self._on_import("uvicorn.server", self._watch_uvicorn)
        for family in _FAMILIES:
            process = sys.modules.get(f"{family}.process")
            if process is not None and _is_child(process):
                self._in_child(family)
        if not threading.main_thread().is_alive():
            self._ending.deliver_at_once()  # Handlers of atexit run already: one that is registered now is not called.

    def _after_fork(self) -> None:
        """Register `_in_child` with multiprocessing: it runs after the child has cleared the inherited finalizers."""
        for family in _FAMILIES:
            if util := sys.modules.get(f"{family}.util"):
                util.register_after_fork(self, partial(ProcessExit._in_child, family=family))

    def _in_child(self, family: str) -> None:
        """A child of multiprocessing leaves by `os._exit`, and may be terminated once its parent has its result."""
        if sys.version_info >= (3, 13):  # which calls the handlers of atexit in a child, before its finalizers
            atexit.unregister(self._ending.shutdown)
        if self._child == os.getpid():
            return
        self._child = os.getpid()
        with guard("watching a child of multiprocessing"):
            util, reduction = import_module(f"{family}.util"), import_module(f"{family}.reduction")
            util.Finalize(None, self._leave_child, exitpriority=0)
            _before_call(reduction.ForkingPickler, "dumps", self._ending.persist)

    def _leave_child(self) -> None:
        current = threading.current_thread()
        if any(thread for thread in threading.enumerate() if thread is not current and not thread.daemon):
            self._ending.deliver_at_once()  # The child waits for these threads, and calls nothing after them.
        else:
            self._ending.shutdown()

    def _watch_celery(self, signals: ModuleType) -> None:
        """A worker's child leaves by `os._exit`, also when it is recycled."""

        def leave(**_: object) -> None:
            self._ending.shutdown()

        signals.worker_process_shutdown.connect(leave, weak=False)

    def _watch_uvicorn(self, server: ModuleType) -> None:
        """A server that has answered its last request dies by the signal that asked it to end."""

        async def shutdown(wrapped: Callable[..., Any], instance: object, args: Any, kwargs: Any) -> None:
            try:
                await wrapped(*args, **kwargs)
            finally:
                self._ending.flush()

        if hasattr(server.Server, "shutdown"):
            _wrap(server.Server, "shutdown", shutdown)


def _is_child(process: ModuleType) -> bool:
    """True in a child of multiprocessing, also in a spawned one that is still importing its main module."""
    return process.parent_process() is not None or hasattr(process.current_process(), "_inheriting")


def _before_call(owner: type, name: str, run: Callable[[], None]) -> None:
    """Run something of ours before each call of a class method."""

    def wrapper(wrapped: Callable[..., Any], instance: object, args: Any, kwargs: Any) -> Any:
        with guard("putting spans on disk"):
            run()
        return wrapped(*args, **kwargs)

    _wrap(owner, name, wrapper)


def _wrap(owner: type, name: str, wrapper: Callable[..., Any]) -> None:
    import wrapt  # on use: it imports asyncio, which most programs have no need of before

    wrapt.wrap_function_wrapper(owner, name, wrapper)
