"""Keeps the text that the program prints to `sys.stdout`, by trace, until the trace's root span ends."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TextIO

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import SpanContext

from agentops_otel import semconv
from agentops_otel.content import Content
from agentops_otel.guard import guard

_logger = logging.getLogger("agentops_otel")

TRACE_CHARS = 256 * 1024
"""Characters kept of one trace. Further prints are only counted."""
TRACES = 64
"""Number of traces kept; beyond that the oldest is dropped."""

_keeping = guard("keeping what was printed")


@dataclass(slots=True)
class _Printed:
    """The text printed in one trace."""

    lines: list[tuple[float, str]] = field(default_factory=list)
    """Time (seconds since the epoch) and text of each line."""
    begun: dict[int, list[str]] = field(default_factory=dict)
    """Unfinished line by thread: `print` writes its arguments one by one."""
    chars: int = 0
    left_out: int = 0


class PrintedText(SpanProcessor):
    """Copies text written to a stream, and delivers the text of a trace when its root span ends.

    The stream stays the object that it is, of its own type: its `write` is shadowed by an attribute of the instance.
    There are no locks, since another thread may hold one when a process forks.

    Args:
        stream: The stream of `print`.
        where: Returns the span context that a print belongs to now.
        content: Redacts each print before it is kept.
        deliver: Takes the trace's id and its text.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        stream: TextIO,
        where: Callable[[], SpanContext],
        content: Content,
        deliver: Callable[[int, str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stream = stream
        self._where = where
        self._content = content
        self._deliver = deliver
        self._clock = clock
        self._traces: dict[int, _Printed] = {}
        self._busy = threading.local()
        self._write = stream.write
        self._open = True
        try:
            stream.write = self._copy  # type: ignore[method-assign]  # of the instance
        except AttributeError:
            _logger.warning("What is printed is not uploaded: %s takes no attributes", type(stream).__qualname__)

    def _copy(self, text: str, /) -> int:
        """In place of the stream's `write`."""
        written = self._write(text)
        if self._open and not getattr(self._busy, "now", False):  # prints of the user's redact= function are not kept
            self._busy.now = True
            try:
                with _keeping:
                    self._keep(text)
            finally:
                self._busy.now = False
        return written

    def _keep(self, text: str) -> None:
        context = self._where()
        if not (context.is_valid and context.trace_flags.sampled):
            return
        printed = self._traces.get(context.trace_id) or self._begin(context.trace_id)
        printed.chars += len(text)
        if printed.chars > TRACE_CHARS:  # and stays so: the end of a print must not be kept without its beginning
            printed.begun.clear()
            printed.left_out += text.endswith("\n")
            return
        pieces = printed.begun.setdefault(threading.get_ident(), [])
        pieces.append(text)
        if text.endswith("\n"):
            del printed.begun[threading.get_ident()]
            self._add(printed, pieces)

    def _begin(self, trace_id: int) -> _Printed:
        while len(self._traces) >= TRACES:
            with suppress(StopIteration, KeyError):
                del self._traces[next(iter(self._traces))]
        return self._traces.setdefault(trace_id, _Printed())

    def _add(self, printed: _Printed, pieces: list[str]) -> None:
        text = self._content.text(semconv.AGENTOPS_PRINTED, "".join(pieces))
        if text is not None:
            printed.lines.append((self._clock(), text.removesuffix("\n")))

    def on_end(self, span: ReadableSpan) -> None:
        """Deliver the text of the trace if the span is a root; after a later print, the whole text again."""
        if span.context is None or not (span.parent is None or span.parent.is_remote):
            return
        printed = self._traces.get(span.context.trace_id)
        if printed is not None:
            with guard("handing over what was printed"):
                for pieces in [printed.begun.pop(thread) for thread in list(printed.begun)]:
                    self._add(printed, pieces)
                self._deliver(span.context.trace_id, _log(printed))

    def shutdown(self) -> None:
        """Restore the stream's `write`. If another library has wrapped it since, our copy stays and does nothing."""
        self._open = False
        if getattr(self._stream, "__dict__", {}).get("write") == self._copy:
            del self._stream.write
        self._traces.clear()


def _log(printed: _Printed) -> str:
    """The lines as AgentOps' page reads them: `2026-11-29 12:00:00,000 - INFO - text`."""
    lines = [f"{_stamp(at)} - INFO - {text}" for at, text in printed.lines]
    if printed.left_out:
        at = printed.lines[-1][0] if printed.lines else 0.0
        lines.append(f"{_stamp(at)} - WARNING - {printed.left_out} more prints were left out")
    return "\n".join(lines)


def _stamp(at: float) -> str:
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(at))},{int(at % 1 * 1000):03d}"
