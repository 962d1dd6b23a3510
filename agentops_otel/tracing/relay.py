"""Our one span processor per provider. Forwards to processors that can be replaced."""

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agentops_otel.guard import guard


class Relay(SpanProcessor):
    """Forwards every span to its targets.

    OpenTelemetry's providers can add a processor but not remove one; a relay without targets does nothing.
    An exception of a target is logged and does not reach the program that ends the span.
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
        """Flush the targets; True if all of them finished in time."""
        flushed = True
        for target in self.targets:
            done = False
            with guard("flushing"):
                # The SDK's own base class, in older versions, answers None.
                done = target.force_flush(timeout_millis) is not False
            flushed &= done
        return flushed

    def shutdown(self) -> None:
        """Called by the provider when it is shut down: shuts the targets down and removes them."""
        targets, self.targets = self.targets, ()
        for target in targets:
            with guard("shutting down"):
                target.shutdown()
