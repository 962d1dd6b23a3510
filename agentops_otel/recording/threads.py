"""The current span carried into threads and thread pools: `init(propagate_threads=True)`."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from opentelemetry.context import Context, get_current

from agentops_otel.tracing import attached
from agentops_otel.wrapping.patch import Hook, Patch


class ThreadPropagation:
    """Starts each thread, and each call in a thread pool, in the context of whoever started it.

    `Thread.start` and `ThreadPoolExecutor.submit` are wrapped, and with them what is built on the two: timers, `map`,
    `loop.run_in_executor`. Only OpenTelemetry's context is carried; the app's own context variables are the app's.
    """

    def __init__(self) -> None:
        self._patches: list[Patch] = []

    def install(self) -> None:
        """Wrap the two; a second call does nothing."""
        if not self._patches:
            self._patches = [
                Patch(threading.Thread, "start", Hook(_start_thread)),
                Patch(ThreadPoolExecutor, "submit", Hook(_submit)),
            ]

    def uninstall(self) -> None:
        """Restore both; threads that run already keep their context."""
        while self._patches:
            self._patches.pop().undo()


def _start_thread(wrapped: Callable[[], None], thread: threading.Thread, args: Any, kwargs: Any) -> None:
    """Start the thread with a `run` of its own, which is gone again when it runs: no reference is left."""
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
    """Submit the call with the submitter's context; the worker thread that this may start is to have none."""
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
