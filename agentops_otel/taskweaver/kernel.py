"""Trace context into the kernel that runs TaskWeaver's code, and the spans that are made in it back out.

The kernel is killed without notice, may run in a container, and knows neither keys nor the user's redaction. So it
exports nothing: a span that ends becomes a line of a file, and our side of the file makes that a span of the round.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from opentelemetry import trace
from opentelemetry.context import Context, attach
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content import Content
from agentops_otel.guard import guard
from agentops_otel.tracing import Recorder

FILE = "agentops_otel.spans"
CONTAINER = Path("/app/ces")
"""Where TaskWeaver's container has the session's folder."""

_CONTENT = {semconv.GEN_AI_TOOL_CALL_ARGUMENTS, semconv.GEN_AI_TOOL_CALL_RESULT}
_CONTENT |= {semconv.EXCEPTION_MESSAGE, semconv.EXCEPTION_STACKTRACE}


class Kernel:
    """Our side of one session's kernel.

    Args:
        folder: The session's folder, which the kernel sees too.
        container: True when the kernel sees it elsewhere.
    """

    def __init__(self, folder: Path, *, container: bool) -> None:
        self._file = folder / "ces" / FILE
        self._inside = CONTAINER / FILE if container else self._file
        # A client before us may have taken what is there.
        self._read = self._file.stat().st_size if self._file.exists() else 0
        self._known: dict[str, SpanContext] = {}

    def enter(self, client: Any, context: Context, recorder: Recorder) -> None:
        """Tell the kernel where in the trace it is; nobody waits for it, and it shows nowhere.

        Args:
            client: The kernel's Jupyter client.
            context: Where the spans that are made in the kernel belong.
            recorder: Whether they may tell content.
        """
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, context)
        if "traceparent" in carrier:
            said = (str(self._inside), carrier["traceparent"], recorder.content.enabled)
            begin = f'__import__("{__name__}", fromlist=["begin"]).begin(*{said!r})'
            client.execute(begin, silent=True, store_history=False, allow_stdin=False, stop_on_error=False)

    def leave(self, recorder: Recorder, context: Context) -> None:
        """Take the spans that have ended in the kernel since the last time, as descendants of the context's span."""
        with suppress(FileNotFoundError), self._file.open("rb") as lines:
            lines.seek(self._read)
            text = lines.read()
            whole, newline, _ = text.rpartition(b"\n")
            self._read += len(whole) + len(newline)
            said = [json.loads(line) for line in whole.splitlines()]
            for one in sorted(said, key=lambda one: int(one["start"])):
                self._tell(recorder, context, one)

    def close(self, recorder: Recorder, context: Context) -> None:
        """The kernel is about to be killed, or has been."""
        self.leave(recorder, context)
        self._file.unlink(missing_ok=True)

    def _tell(self, recorder: Recorder, context: Context, said: Mapping[str, Any]) -> None:
        parent = self._known.get(str(said["parent"]))
        span = recorder.start(
            said["name"],
            kind=SpanKind[said["kind"]],
            attributes=_redacted(recorder, said["attributes"]),
            context=context if parent is None else set_span_in_context(NonRecordingSpan(parent), context),
            links=[Link(_span_context(*ids)) for ids in said["links"]],
            start_time=said["start"],
        )
        self._known[said["id"]] = span.get_span_context()
        for name, timestamp, attributes in said["events"]:
            span.add_event(name, _redacted(recorder, attributes), timestamp)
        if said["status"] != StatusCode.UNSET.name:
            description = said["description"] and recorder.content.text(semconv.EXCEPTION_MESSAGE, said["description"])
            span.set_status(StatusCode[said["status"]], description)
        recorder.end(span, said["end"])


def _redacted(recorder: Recorder, attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    """The attributes with what is content seen by the user's own redaction, which the kernel does not have."""
    kept: dict[str, AttributeValue | None] = {
        name: recorder.content.text(name, str(value)) if name in _CONTENT else value
        for name, value in attributes.items()
    }
    return {name: value for name, value in kept.items() if value is not None}


def _span_context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(1))


# From here on: inside the kernel.


class _Inside:
    """What the kernel keeps from one execution to the next."""

    def __init__(self, path: str) -> None:
        self.content = Content()
        self.context = Context()
        self.written: TextIO = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115  # as long as the kernel
        provider: Any = trace.get_tracer_provider()
        if not hasattr(provider, "add_span_processor"):
            provider = TracerProvider(shutdown_on_exit=False)
            trace.set_tracer_provider(provider)
        provider.add_span_processor(_Writer(self.written))
        self.tracer = provider.get_tracer(semconv.SCOPE)

    def recorder(self) -> Recorder:
        """Makes the plugins' spans."""
        return Recorder(tracer=self.tracer, content=self.content, scope=_Nothing(), clock=time.time_ns)


_inside: dict[str, _Inside] = {}


def begin(path: str, traceparent: str, content: bool) -> None:
    """An execution begins in this kernel: what it makes belongs below *traceparent*, and is written to *path*."""
    with guard("preparing TaskWeaver's kernel"):
        if path not in _inside:
            _inside[path] = _Inside(path)
            _watch(_inside[path])
        _inside[path].content = Content(enabled=content)
        _inside[path].context = TraceContextTextMapPropagator().extract({"traceparent": traceparent})


def _watch(inside: _Inside) -> None:
    import wrapt
    from IPython import get_ipython

    # The context of a cell that has run is gone when the next one runs.
    get_ipython().events.register("pre_run_cell", lambda info: attach(inside.context))
    wrapt.wrap_function_wrapper("taskweaver.ces.runtime.executor", "RuntimePlugin.get_instance", _instance(inside))


def _instance(inside: _Inside) -> Callable[..., Any]:
    def get_instance(wrapped: Callable[..., Any], plugin: Any, args: Any, kwargs: Any) -> Any:
        import wrapt

        made = wrapped(*args, **kwargs)
        with guard("watching a plugin"):
            kind = type(made)
            if not isinstance(vars(kind).get("__call__"), wrapt.FunctionWrapper):
                kind.__call__ = wrapt.FunctionWrapper(kind.__call__, partial(_called, inside))
        return made

    return get_instance


def _called(inside: _Inside, wrapped: Callable[..., Any], plugin: Any, args: Any, kwargs: Any) -> Any:
    recorder = inside.recorder()
    span = recorder.start(
        f"execute_tool {plugin.name}",
        attributes={semconv.GEN_AI_OPERATION_NAME: "execute_tool", semconv.GEN_AI_TOOL_NAME: str(plugin.name)},
    )
    with guard("telling a plugin's arguments"):
        recorder.content_of(span, semconv.GEN_AI_TOOL_CALL_ARGUMENTS, _named(wrapped, args, kwargs))
    try:
        with recorder.current(span):
            result = wrapped(*args, **kwargs)
    except BaseException as error:
        recorder.fail(span, error)
        raise
    else:
        recorder.content_of(span, semconv.GEN_AI_TOOL_CALL_RESULT, result)
        return result
    finally:
        recorder.end(span)


def _named(function: Callable[..., Any], args: Any, kwargs: Any) -> Mapping[str, Any]:
    import inspect

    return inspect.signature(function).bind(*args, **kwargs).arguments


class _Nothing:
    """The scope of spans that get theirs on the other side of the file."""

    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        return {}

    def context(self, current: Context) -> Context:
        return current


class _Writer(SpanProcessor):
    """Each span as a line, as soon as it has ended: nothing is lost when the kernel is killed."""

    def __init__(self, written: TextIO) -> None:
        self._written = written

    def on_end(self, span: ReadableSpan) -> None:
        with guard("writing a span of the kernel"):
            self._written.write(json.dumps(_line(span), default=str) + "\n")


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
