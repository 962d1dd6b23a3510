"""Passes the current span to processes that multiprocessing spawns, under `agentops-otel run`."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from opentelemetry.trace import SpanContext, get_current_span

from agentops_otel.launcher import Run
from agentops_otel.wrapping.import_hook import on_import
from agentops_otel.wrapping.patch import Hook, Patch


class ProcessPropagation:
    """Makes the span in which a process is spawned the parent of the process's root spans.

    A pool's tasks are then in the trace of the function that made the pool, as they are if the pool forks. A server's
    workers are started outside of any span, so that their traces stay separate.
    """

    def __init__(self) -> None:
        self._patch: Patch | None = None
        self._remove = on_import("multiprocessing.spawn", self._install)

    def _install(self, module: ModuleType) -> None:
        self._patch = Patch(module, "get_preparation_data", Hook(_prepare))

    def uninstall(self) -> None:
        """Restore multiprocessing. Processes that already run keep their parent."""
        self._remove()
        if self._patch is not None:
            self._patch.undo()


def _prepare(wrapped: Callable[..., dict[str, Any]], instance: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    data = wrapped(*args, **kwargs)
    context = get_current_span().get_span_context()
    if context.is_valid:
        data["agentops_otel"] = _Starter(context)
    return data


class _Starter:
    """Unpickles as a statement that the new process runs, even if the package is not installed there."""

    def __init__(self, context: SpanContext) -> None:
        self._line = f"import sys; sys._xoptions[{Run.STARTER!r}] = '{context.trace_id:032x} {context.span_id:016x}'"

    def __reduce__(self) -> Any:
        return exec, (self._line,)
