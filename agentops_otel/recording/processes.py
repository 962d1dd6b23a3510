"""The current span carried to the processes that multiprocessing spawns, below `agentops-otel run`."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from opentelemetry.trace import SpanContext, get_current_span

from agentops_otel.launcher import Run
from agentops_otel.wrapping.import_hook import on_import
from agentops_otel.wrapping.patch import Hook, Patch


class ProcessPropagation:
    """Makes the span in which a process is spawned the parent of what the process does outside of other spans.

    So a pool's tasks are in the trace of the function that made the pool, as they are where the pool forks. A server's
    workers are started outside of any span.
    """

    def __init__(self) -> None:
        self._patch: Patch | None = None
        self._remove = on_import("multiprocessing.spawn", self._install)

    def _install(self, module: ModuleType) -> None:
        self._patch = Patch(module, "get_preparation_data", Hook(_prepare))

    def uninstall(self) -> None:
        """Restore what is wrapped; processes that run already keep their parent."""
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
    """Is unpickled as a line that the new process runs, whether or not the package is there."""

    def __init__(self, context: SpanContext) -> None:
        self._line = f"import sys; sys._xoptions[{Run.STARTER!r}] = '{context.trace_id:032x} {context.span_id:016x}'"

    def __reduce__(self) -> Any:
        return exec, (self._line,)
