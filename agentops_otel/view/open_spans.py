"""Remembers the names of open spans, which are printed above their children."""

import threading
import time

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor

from agentops_otel.guard import guard
from agentops_otel.tracing.at_fork import at_fork
from agentops_otel.view.tree import key_of

Key = tuple[int, int]
"""Trace id and span id."""
LIMIT = 10_000
"""Remembered spans; beyond that the oldest are forgotten."""


class OpenSpans(SpanProcessor):
    """Remembers each span from its start, in the thread that starts it, until it is removed."""

    takes_running_spans = True
    """True: only the name of a span is kept."""

    def __init__(self) -> None:
        self._open: dict[Key, tuple[str, float]] = {}
        """Name and start, on the monotonic clock."""
        self._renew_lock()
        at_fork(after_in_child=self._renew_lock)  # a thread of the parent may hold it

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember the span."""
        with guard("remembering an open span"), self._lock:
            self._open[key_of(span)] = (span.name, time.monotonic())
            if len(self._open) > LIMIT:
                del self._open[next(iter(self._open))]

    def remove(self, key: Key) -> None:
        """The span has ended."""
        self._open.pop(key, None)

    def since(self, key: Key | None, seconds: float) -> str:
        """The name of the span if it has been open for so long; else empty."""
        name, began = self._open.get(key, ("", 0.0)) if key else ("", 0.0)
        return name if name and time.monotonic() - began >= seconds else ""
