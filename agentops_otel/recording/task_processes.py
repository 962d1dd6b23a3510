"""Passes the current span to tasks of joblib, loky and dask, whose processes outlive the functions that use them."""

import os
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, get_current_span, set_span_in_context

from agentops_otel.guard import guard
from agentops_otel.wrapping.import_hook import on_import
from agentops_otel.wrapping.patch import Hook, Patch

_ANNOTATION = "agentops_otel"
"""The annotation of dask's tasks that has the span in which they were asked for."""


class TaskPropagation:
    """Makes the span in which a task is given to such a process the parent of what the task does there."""

    def __init__(self) -> None:
        self._patches: list[Patch] = []
        self._remove = [
            self._on_import("joblib.parallel", "Parallel", "__call__", _call),
            self._on_import("loky.process_executor", "ProcessPoolExecutor", "submit", _submit),
            self._on_import("distributed.client", "Client", "_graph_to_futures", _send_graph),
            self._on_import("distributed.worker", "Worker", "execute", _execute),
        ]

    def _on_import(self, module: str, owner: str, name: str, hook: Callable[..., Any]) -> Callable[[], object]:
        def install(loaded: ModuleType) -> None:
            found = getattr(loaded, owner, None)
            if hasattr(found, name):
                self._patches.append(Patch(found, name, Hook(hook)))

        return on_import(module, install)

    def uninstall(self) -> None:
        """Restore the libraries."""
        for restore in (*self._remove, *(patch.undo for patch in self._patches)):
            restore()


def _submit(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if args and (ids := _current_ids()):
        args = (Task(args[0], ids), *args[1:])
    return wrapped(*args, **kwargs)


def _call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if args and (ids := _current_ids()):
        kind = _SizedTasks if hasattr(args[0], "__len__") else _Tasks
        args = (kind(args[0], ids), *args[1:])
    return wrapped(*args, **kwargs)


def _send_graph(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if ids := _current_ids():
        with sys.modules["dask"].annotate(**{_ANNOTATION: ids}):
            return wrapped(*args, **kwargs)
    return wrapped(*args, **kwargs)


async def _execute(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("reading the annotation of a task of dask"):
        if ids := (instance.state.tasks[args[0]].annotations or {}).get(_ANNOTATION):
            attach(_below(ids))  # for this call alone: it has a task of asyncio to itself
    return await wrapped(*args, **kwargs)


class _Tasks:
    """What joblib is given, `(function, arguments, named)` each; it takes most of them in a thread of its own."""

    def __init__(self, tasks: Any, ids: str) -> None:
        self._tasks = tasks
        self._ids = ids

    def __iter__(self) -> Iterator[Any]:
        return ((Task(function, self._ids), *rest) for function, *rest in self._tasks)


class _SizedTasks(_Tasks):
    def __len__(self) -> int:
        return len(self._tasks)


class Task:
    """A function whose spans, in another process, are below the span with these ids."""

    def __init__(self, function: Callable[..., Any], ids: str) -> None:
        self._function = function
        self._ids = ids
        self._process = os.getpid()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        if os.getpid() == self._process:
            return self._function(*args, **kwargs)
        token = attach(_below(self._ids))
        try:
            return self._function(*args, **kwargs)
        finally:
            detach(token)


def _current_ids() -> str:
    """The ids of the current span in a text, which every library can send; empty without a span."""
    span = get_current_span().get_span_context()
    return f"{span.trace_id:032x} {span.span_id:016x} {span.trace_flags:02x}" if span.is_valid else ""


def _below(ids: str) -> Context:
    trace_id, span_id, flags = (int(word, 16) for word in ids.split())
    parent = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return set_span_in_context(NonRecordingSpan(parent))
