"""Passes the trace context into TaskWeaver's kernel, and reads the spans that are made in it.

The kernel is killed without notice, may run in a container, and has neither keys nor the user's redaction. So it
exports nothing: `agentops_otel.in_kernel` appends each ended span to a file, and this side makes spans of its lines.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.tracing import Recorder

FILE = "agentops_otel.spans"
CONTAINER = Path("/app/ces")
"""The session's folder inside TaskWeaver's container."""

_BEGIN = """
try:
    from agentops_otel.in_kernel import begin
except ImportError:
    pass  # not installed in a container's image
else:
    begin(*{!r})
"""


class Kernel:
    """The kernel of one session.

    Args:
        folder: The session's folder, which the kernel shares.
        container: True if the kernel runs in a container, with the folder elsewhere.
    """

    def __init__(self, folder: Path, *, container: bool) -> None:
        self._file = folder / "ces" / FILE
        self._inside = CONTAINER / FILE if container else self._file
        # A previous client may have read the file.
        self._read = self._file.stat().st_size if self._file.exists() else 0
        self._contexts: dict[str, SpanContext] = {}

    def enter(self, client: Any, context: Context, recorder: Recorder) -> None:
        """Set the kernel's parent span. Does not wait, and leaves no output.

        Args:
            client: The kernel's Jupyter client.
            context: The context of the parent of spans made in the kernel.
            recorder: Decides whether they have content.
        """
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, context)
        if "traceparent" in carrier:
            arguments = (str(self._inside), carrier["traceparent"], recorder.content.enabled)
            # In a namespace of its own, not in the user's.
            client.execute(
                f"exec({_BEGIN.format(arguments)!r}, {{}})",
                silent=True,
                store_history=False,
                allow_stdin=False,
                stop_on_error=False,
            )

    def leave(self, recorder: Recorder, context: Context) -> None:
        """Record the spans that have ended in the kernel since the last call, below the context's span."""
        with suppress(FileNotFoundError), self._file.open("rb") as lines:
            lines.seek(self._read)
            text = lines.read()
            lines_read, newline, _ = text.rpartition(b"\n")
            self._read += len(lines_read) + len(newline)
            spans = [json.loads(line) for line in lines_read.splitlines()]
            for span in sorted(spans, key=lambda span: int(span["start"])):
                with guard("recording a span of TaskWeaver's kernel"):
                    self._record(recorder, context, span)

    def close(self, recorder: Recorder, context: Context) -> None:
        """Read the last spans, before or after the kernel is killed, and remove the file."""
        self.leave(recorder, context)
        self._file.unlink(missing_ok=True)

    def _record(self, recorder: Recorder, context: Context, line: Mapping[str, Any]) -> None:
        parent = self._contexts.get(str(line["parent"]))
        attributes = _redacted(recorder, line["attributes"])
        attributes.pop(semconv.SESSION_ID, None)  # the kernel's own id; the round has its own
        tags = attributes.pop(semconv.AGENTOPS_TAGS, ())
        span = recorder.start(
            line["name"],
            kind=SpanKind[line["kind"]],
            attributes=attributes,
            context=context if parent is None else set_span_in_context(NonRecordingSpan(parent), context),
            links=[Link(_span_context(*ids)) for ids in line["links"]],
            start_time=line["start"],
        )
        self._contexts[line["id"]] = span.get_span_context()
        _add_tags(span, tags)
        for name, timestamp, attributes in line["events"]:
            span.add_event(name, _redacted(recorder, attributes), timestamp)
        if line["status"] != StatusCode.UNSET.name:
            description = line["description"] and recorder.content.text(semconv.EXCEPTION_MESSAGE, line["description"])
            span.set_status(StatusCode[line["status"]], description)
        recorder.end(span, line["end"])


def _add_tags(span: Span, tags: AttributeValue) -> None:
    own = (span.attributes or {}).get(semconv.AGENTOPS_TAGS, ()) if isinstance(span, ReadableSpan) else ()
    both = [*own, *tags] if isinstance(own, Sequence) and isinstance(tags, Sequence) else []
    if tags:
        span.set_attribute(semconv.AGENTOPS_TAGS, [str(tag) for tag in dict.fromkeys(both)])


def _redacted(recorder: Recorder, attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    """The attributes with content redacted by the user's function, which the kernel does not have."""
    kept: dict[str, AttributeValue | None] = {
        name: recorder.content.text(name, str(value)) if name in semconv.CONTENT else value
        for name, value in attributes.items()
    }
    return {name: value for name, value in kept.items() if value is not None}


def _span_context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(1))
