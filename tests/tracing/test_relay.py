"""The relay: the one processor that a provider gets from us, whatever stands behind it."""

import logging

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentops_otel import guard
from agentops_otel.tracing.relay import Relay


class Broken(SpanProcessor):
    """A processor with a fault."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Fail."""
        raise RuntimeError("a fault")

    def on_end(self, span: ReadableSpan) -> None:
        """Fail."""
        raise RuntimeError("a fault")

    def shutdown(self) -> None:
        """Fail."""
        raise RuntimeError("a fault")


def test_a_fault_behind_the_relay_is_not_the_apps(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A processor that raises neither reaches the app that ends a span nor keeps the span from the next processor."""
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(guard, "_reported", set())  # each place is told once
    caplog.set_level(logging.WARNING, "agentops_otel")
    exporter, relay, provider = InMemorySpanExporter(), Relay(), TracerProvider(shutdown_on_exit=False)
    relay.targets = (Broken(), SimpleSpanProcessor(exporter))
    provider.add_span_processor(relay)

    for name in ("one", "two"):
        provider.get_tracer("app").start_span(name).end()
    flushed = [provider.force_flush(1000), relay.force_flush(1000)]
    provider.shutdown()

    assert [span.name for span in exporter.get_finished_spans()] == ["one", "two"]
    assert flushed == [True, True]
    assert not relay.targets
    assert [record.getMessage() for record in caplog.records] == [
        "agentops_otel failed while starting a span; your program is not affected",
        "agentops_otel failed while ending a span; your program is not affected",
        "agentops_otel failed while shutting down; your program is not affected",
    ]


def test_a_flush_that_fails_is_said_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that raises when it is flushed was not flushed; the next one is all the same."""

    class Unflushed(SpanProcessor):
        def force_flush(self, timeout_millis: int = 30000) -> bool:
            flushes.append(timeout_millis)
            raise RuntimeError("a fault")

    monkeypatch.setattr(guard, "reraise", False)
    flushes: list[int] = []
    relay = Relay()
    relay.targets = (Unflushed(), Unflushed())

    assert not relay.force_flush(1000)
    assert not relay.force_flush()
    assert flushes == [1000, 1000, 30000, 30000]
