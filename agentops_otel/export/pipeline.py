"""From ended spans to their destinations, off the app's threads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What became of the spans so far: `produced == sent + spooled + pending + sum(dropped.values())`."""

    produced: int = 0
    sent: int = 0
    spooled: int = 0
    pending: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


class Pipeline(SpanProcessor):
    """Hands every ended span to its exporters."""

    def __init__(self, exporters: list[SpanExporter]) -> None:
        self._processors = [BatchSpanProcessor(exporter, schedule_delay_millis=250) for exporter in exporters]
        self._produced = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Called by the provider when a span has ended."""
        self._produced += 1
        for processor in self._processors:
            processor.on_end(span)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Deliver what has ended so far; True if that was done within the time."""
        return all([processor.force_flush(timeout_millis) for processor in self._processors])

    def shutdown(self) -> None:
        """Deliver what can be delivered and stop."""
        for processor in self._processors:
            processor.shutdown()  # type: ignore[no-untyped-call]  # the SDK's own omission

    def stats(self) -> Stats:
        """What became of the spans so far."""
        return Stats(produced=self._produced, pending=self._produced)
