"""Runs inside TaskWeaver's kernel: writes the spans made there to a file, which the round's process reads.

`agentops_otel.taskweaver.kernel` reads the file. Plugins get their spans here; `record_action`, LLM clients and the
user's own spans are recorded as anywhere else, by a client without destinations.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import wrapt
from opentelemetry import trace
from opentelemetry.context import Context, attach
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agentops_otel import sdk, semconv
from agentops_otel.guard import guard
from agentops_otel.recording import parameters


class _KernelState:
    """The state of the kernel between executions."""

    def __init__(self, path: str) -> None:
        self.context = Context()
        self.content: bool | None = None
        file: TextIO = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115  # open for the life of the kernel
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
        provider: Any = trace.get_tracer_provider()
        provider.add_span_processor(_Writer(file))

    def enter(self, traceparent: str, content: bool) -> None:
        """Set the parent of the next execution, and whether its spans have content."""
        self.context = TraceContextTextMapPropagator().extract({"traceparent": traceparent})
        if content is not self.content:
            self.content = content
            sdk.instrument_until_init("llm_calls", wanted=True, capture_content=content)


_inside: dict[str, _KernelState] = {}


def begin(path: str, traceparent: str, content: bool) -> None:
    """Begin an execution: its spans belong below *traceparent* and are written to *path*."""
    with guard("preparing TaskWeaver's kernel"):
        if path not in _inside:
            _inside[path] = _KernelState(path)
            _watch(_inside[path])
        _inside[path].enter(traceparent, content)


def _watch(inside: _KernelState) -> None:
    from IPython import get_ipython

    # Each cell runs in a new context.
    get_ipython().events.register("pre_run_cell", lambda info: attach(inside.context))
    wrapt.wrap_function_wrapper("taskweaver.ces.runtime.executor", "RuntimePlugin.get_instance", _instance)


def _instance(wrapped: Callable[..., Any], plugin: Any, args: Any, kwargs: Any) -> Any:
    made = wrapped(*args, **kwargs)
    with guard("watching a plugin"):
        kind = type(made)
        if not isinstance(vars(kind).get("__call__"), wrapt.FunctionWrapper):
            kind.__call__ = wrapt.FunctionWrapper(kind.__call__, _called)
    return made


def _called(wrapped: Callable[..., Any], plugin: Any, args: Any, kwargs: Any) -> Any:
    recorder = sdk.current()
    if recorder is None:
        return wrapped(*args, **kwargs)
    span = recorder.start(
        f"execute_tool {plugin.name}",
        attributes={semconv.GEN_AI_OPERATION_NAME: "execute_tool", semconv.GEN_AI_TOOL_NAME: str(plugin.name)},
    )
    with guard("recording a plugin's arguments"):
        given = parameters.read(wrapped).of(False, args, kwargs)
        recorder.set_content(span, semconv.GEN_AI_TOOL_CALL_ARGUMENTS, given)
    try:
        with recorder.active(span):
            result = wrapped(*args, **kwargs)
    except BaseException as error:
        recorder.fail(span, error)
        raise
    else:
        recorder.set_content(span, semconv.GEN_AI_TOOL_CALL_RESULT, result)
        return result
    finally:
        recorder.end(span)


class _Writer(SpanProcessor):
    """Writes each span when it ends: none is lost when the kernel is killed."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def on_end(self, span: ReadableSpan) -> None:
        with guard("writing a span of the kernel"):
            self._file.write(json.dumps(_line(span), default=str) + "\n")


def _line(span: ReadableSpan) -> Mapping[str, object]:
    context = span.get_span_context()
    return {
        "name": span.name,
        "kind": span.kind.name,
        "id": f"{context.span_id:x}" if context else "",
        "parent": f"{span.parent.span_id:x}" if span.parent else "",
        "start": span.start_time,
        "end": span.end_time,
        "attributes": dict(span.attributes or {}),
        "events": [[event.name, event.timestamp, dict(event.attributes or {})] for event in span.events],
        "links": [[f"{link.context.trace_id:x}", f"{link.context.span_id:x}"] for link in span.links],
        "status": span.status.status_code.name,
        "description": span.status.description,
    }
