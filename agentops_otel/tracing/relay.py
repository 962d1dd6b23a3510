"""The one processor that a tracer provider ever gets from us; what stands behind it can be changed and taken away."""

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agentops_otel.guard import guard


class Relay(SpanProcessor):
    """Hands every span to its targets.

    OpenTelemetry's providers can add a processor but not remove one; a relay without targets is a removed one.
    A target that raises is ours to answer for: the app that ends a span does not see it.
    """

    def __init__(self) -> None:
        self.targets: tuple[SpanProcessor, ...] = ()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Called by the provider when a span starts."""
        for target in self.targets:
            with guard("starting a span"):
                target.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Called by the provider when a span has ended."""
        for target in self.targets:
            with guard("ending a span"):
                target.on_end(span)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the targets; True if all of them were done in time."""
        flushed = True
        for target in self.targets:
            done = False
            with guard("flushing"):
                # The SDK's own base class, in older versions, answers None.
                done = target.force_flush(timeout_millis) is not False
            flushed &= done
        return flushed

    def shutdown(self) -> None:
        """Called by the provider that owns us when it is shut down: the targets are, and let go."""
        targets, self.targets = self.targets, ()
        for target in targets:
            with guard("shutting down"):
                target.shutdown()
