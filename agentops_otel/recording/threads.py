"""Passes the current span into threads and thread pools: `init(propagate_threads=True)`."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from opentelemetry.context import Context, get_current

from agentops_otel.tracing import attached
from agentops_otel.wrapping.patch import Hook, Patch


class ThreadPropagation:
    """Runs each thread, and each call in a thread pool, in the OpenTelemetry context of the code that started it.

    Wraps `Thread.start` and `ThreadPoolExecutor.submit`, and so everything built on them: timers, `map`,
    `loop.run_in_executor`. The app's own context variables are not copied.
    """

    def __init__(self) -> None:
        self._patches: list[Patch] = []

    def install(self) -> None:
        """Wrap both methods. A second call does nothing."""
        if not self._patches:
            self._patches = [
                Patch(threading.Thread, "start", Hook(_start_thread)),
                Patch(ThreadPoolExecutor, "submit", Hook(_submit)),
            ]

    def uninstall(self) -> None:
        """Restore both methods. Threads that already run keep their context."""
        while self._patches:
            self._patches.pop().undo()


def _start_thread(wrapped: Callable[[], None], thread: threading.Thread, args: Any, kwargs: Any) -> None:
    """Start the thread with a `run` that attaches the context. It removes itself first: no reference is left."""
    context = get_current()
    if not context:
        return wrapped(*args, **kwargs)
    run = thread.run

    def run_in_context() -> None:
        vars(thread).pop("run", None)
        _Carried(run, context)()

    thread.run = run_in_context  # type: ignore[method-assign]  # for this one thread, until it runs
    try:
        return wrapped(*args, **kwargs)
    except BaseException:
        vars(thread).pop("run", None)
        raise


def _submit(wrapped: Callable[..., Any], pool: ThreadPoolExecutor, args: tuple[Any, ...], kwargs: Any) -> Any:
    """Submit the call with the submitter's context. A worker thread that is started for it gets no context."""
    context = get_current()
    if not context or not args:
        return wrapped(*args, **kwargs)
    with attached(Context()):
        return wrapped(_Carried(args[0], context), *args[1:], **kwargs)


class _Carried:
    """A callable that runs in the context in which it was created."""

    __slots__ = ("_context", "_function")

    def __init__(self, function: Callable[..., Any], context: Context) -> None:
        self._function = function
        self._context = context

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with attached(self._context):
            return self._function(*args, **kwargs)
