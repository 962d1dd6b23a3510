"""Trace context into the kernel that runs TaskWeaver's code, and the spans that are made in it back out.

The kernel is killed without notice, may run in a container, and knows neither keys nor the user's redaction. So it
exports nothing: a span that ends becomes a line of a file (`agentops_otel.in_kernel`), and our side of the file makes
that a span of the round.
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
"""Where TaskWeaver's container has the session's folder."""

_BEGIN = """
try:
    from agentops_otel.in_kernel import begin
except ImportError:
    pass  # a container has what its image has
else:
    begin(*{!r})
"""


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
            # In a namespace of its own: the user's stays as it is.
            client.execute(
                f"exec({_BEGIN.format(said)!r}, {{}})",
                silent=True,
                store_history=False,
                allow_stdin=False,
                stop_on_error=False,
            )

    def leave(self, recorder: Recorder, context: Context) -> None:
        """Take the spans that have ended in the kernel since the last time, as descendants of the context's span."""
        with suppress(FileNotFoundError), self._file.open("rb") as lines:
            lines.seek(self._read)
            text = lines.read()
            whole, newline, _ = text.rpartition(b"\n")
            self._read += len(whole) + len(newline)
            said = [json.loads(line) for line in whole.splitlines()]
            for one in sorted(said, key=lambda one: int(one["start"])):
                with guard("telling a span of TaskWeaver's kernel"):
                    self._tell(recorder, context, one)

    def close(self, recorder: Recorder, context: Context) -> None:
        """The kernel is about to be killed, or has been."""
        self.leave(recorder, context)
        self._file.unlink(missing_ok=True)

    def _tell(self, recorder: Recorder, context: Context, said: Mapping[str, Any]) -> None:
        parent = self._known.get(str(said["parent"]))
        attributes = _redacted(recorder, said["attributes"])
        attributes.pop(semconv.SESSION_ID, None)  # the kernel's own; the round has one
        tags = attributes.pop(semconv.AGENTOPS_TAGS, ())
        span = recorder.start(
            said["name"],
            kind=SpanKind[said["kind"]],
            attributes=attributes,
            context=context if parent is None else set_span_in_context(NonRecordingSpan(parent), context),
            links=[Link(_span_context(*ids)) for ids in said["links"]],
            start_time=said["start"],
        )
        self._known[said["id"]] = span.get_span_context()
        _add_tags(span, tags)
        for name, timestamp, attributes in said["events"]:
            span.add_event(name, _redacted(recorder, attributes), timestamp)
        if said["status"] != StatusCode.UNSET.name:
            description = said["description"] and recorder.content.text(semconv.EXCEPTION_MESSAGE, said["description"])
            span.set_status(StatusCode[said["status"]], description)
        recorder.end(span, said["end"])


def _add_tags(span: Span, tags: AttributeValue) -> None:
    known = (span.attributes or {}).get(semconv.AGENTOPS_TAGS, ()) if isinstance(span, ReadableSpan) else ()
    both = [*known, *tags] if isinstance(known, Sequence) and isinstance(tags, Sequence) else []
    if tags:
        span.set_attribute(semconv.AGENTOPS_TAGS, [str(tag) for tag in dict.fromkeys(both)])


def _redacted(recorder: Recorder, attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    """The attributes with what is content seen by the user's own redaction, which the kernel does not have."""
    kept: dict[str, AttributeValue | None] = {
        name: recorder.content.text(name, str(value)) if name in semconv.CONTENT else value
        for name, value in attributes.items()
    }
    return {name: value for name, value in kept.items() if value is not None}


def _span_context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(1))
