"""Events and links of spans of any library."""

from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext

from agentops_otel.content import events_of, links_of

LINK = Link(SpanContext(1, 2, is_remote=True))


class OwnProperties(ReadableSpan):
    """Keeps events and links elsewhere than the SDK does."""

    @property
    def events(self) -> Sequence[Event]:
        """One."""
        return (Event("own"),)

    @property
    def links(self) -> Sequence[Link]:
        """One."""
        return (LINK,)


class WithoutFields(ReadableSpan):
    """Never calls the constructor of the SDK's class, and has none of its fields but these."""

    def __init__(self) -> None:
        self._events = (Event("kept"),)
        self._links = (LINK,)


def ended(*, has_some: bool) -> ReadableSpan:
    """A span of the SDK's own."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("span", links=[LINK] if has_some else []) as span:
        if has_some:
            span.add_event("seen")
    return exporter.get_finished_spans()[0]


@pytest.mark.parametrize(
    ("span", "events", "links"),
    [
        (ended(has_some=True), ["seen"], 1),
        (ended(has_some=False), [], 0),
        (OwnProperties("span"), ["own"], 1),
        (WithoutFields(), ["kept"], 1),
    ],
)
def test_what_a_span_has_is_read(span: ReadableSpan, events: list[str], links: int) -> None:
    """Wherever it keeps it."""
    assert [event.name for event in events_of(span)] == events == [event.name for event in span.events]
    assert len(links_of(span)) == links == len(span.links)
