"""The attributes of a decorated call are made when somebody reads them, and are those of any span."""

import time
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanLimits
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import get_current_span

from agentops_otel import record_action, sdk
from agentops_otel.config import Config
from agentops_otel.tracing.provider import OwnProvider


def recorded(call: Any, **limits: int) -> ReadableSpan:
    """The span of a call, by a provider with these limits."""
    exporter = InMemorySpanExporter()
    provider = OwnProvider("test", span_limits=SpanLimits(**limits))
    with sdk.running(Config(quiet=True), provider, SimpleSpanProcessor(exporter), clock=time.time_ns):
        call()
    (span,) = exporter.get_finished_spans()
    return span


@record_action
def add(a: int, b: int = 2) -> int:
    """A call whose span has five attributes."""
    return a + b


@record_action
def look(a: int) -> int:
    """Reads its own span's attributes, and sets one, before it returns."""
    span: Any = get_current_span()
    span.set_attribute("seen", span.attributes["agentops.entity.input"])
    return a + 1


def test_the_oldest_attributes_of_a_full_span_go_and_are_counted() -> None:
    """As the SDK does it, with the arguments and the result among the attributes."""
    span = recorded(lambda: add(1), max_span_attributes=2)

    assert dict(span.attributes or {}) == {"agentops.entity.input": '{"a":1,"b":2}', "agentops.entity.output": "3"}
    assert span.dropped_attributes == 3


def test_what_is_read_and_set_within_the_call_stays() -> None:
    """The arguments are there while the function runs, redacted; its result comes last."""
    attributes = dict(recorded(lambda: look(1)).attributes or {})

    assert attributes["seen"] == '{"a":1}'
    assert list(attributes)[-3:] == ["agentops.entity.input", "seen", "agentops.entity.output"]
    assert attributes["agentops.entity.output"] == "2"
