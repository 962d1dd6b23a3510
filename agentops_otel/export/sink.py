"""A span exporter within the process as a destination: the trace file, or one that `OTEL_TRACES_EXPORTER` names."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from agentops_otel.export.drop_reason import DropReason
from agentops_otel.export.outbox import Stats
from agentops_otel.guard import guard


@dataclass(kw_only=True)
class Sink:
    """A span exporter within the process. Its failures do not affect other destinations."""

    name: str
    exporter: SpanExporter
    counts: bool = True
    """True if the sink is part of `stats()`."""
    sent: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def export(self, spans: Sequence[ReadableSpan], patience_s: float) -> None:
        """Hand over the spans and count what becomes of them."""
        if not self.lock.acquire(timeout=patience_s):
            self.dropped[DropReason.EXPORTER_BUSY] += len(spans)
            return
        result = SpanExportResult.FAILURE
        try:
            with guard(f"exporting spans to {self.name}"):
                result = self.exporter.export(spans)
        finally:
            self.lock.release()
            if result is SpanExportResult.SUCCESS:
                self.sent += len(spans)
            else:
                self.dropped[DropReason.EXPORTER_FAILED] += len(spans)

    def stats(self, produced: int) -> Stats:
        """The counts, of *produced* spans that were meant for the sink."""
        pending = produced - self.sent - self.dropped.total()
        return Stats(produced=produced, sent=self.sent, pending=pending, dropped=dict(self.dropped))

    def forked(self) -> None:
        """In the child of a fork: reset the counts and the lock, which a thread of the parent may hold."""
        self.lock, self.sent, self.dropped = threading.RLock(), 0, Counter()
