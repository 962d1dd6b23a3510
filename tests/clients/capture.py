"""A recorder over spans in memory, with the clients wrapped."""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.types import AttributeValue

from agentops_otel.clients import SPECS
from agentops_otel.content import Content
from agentops_otel.instrumentation import Installation, install
from agentops_otel.tracing import Recorder, SpanDefaults, gc_safe
from tests.clients.conventions import assert_conventional


class _NoDefaults(SpanDefaults):
    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        return {}

    def context(self, current: Context) -> Context:
        return current


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What has been captured so far."""

    exporter: InMemorySpanExporter
    provider: TracerProvider
    recorder: Recorder
    installation: Installation

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The ended spans, in the order they ended."""
        gc_safe.drain()
        return self.exporter.get_finished_spans()

    def tree(self) -> list[dict[str, object]]:
        """The spans as nested plain dicts."""
        roots = [span for span in self.spans if span.parent is None]
        return [self._node(span) for span in roots]

    def _node(self, span: ReadableSpan) -> dict[str, object]:
        said = {
            "name": span.name,
            "kind": "" if span.kind.name == "INTERNAL" else span.kind.name,
            "status": "" if span.status.status_code.name == "UNSET" else span.status.status_code.name,
            "attributes": {name: _plain(value) for name, value in sorted((span.attributes or {}).items())},
            "events": [event.name for event in span.events],
            "children": [
                self._node(child)
                for child in self.spans
                if child.parent and span.context and child.parent.span_id == span.context.span_id
            ],
        }
        return {name: value for name, value in said.items() if value}


def _plain(value: object) -> object:
    """The value as a snapshot shows it best: lists as lists, JSON text as what it says."""
    if isinstance(value, str) and value.startswith(("[", "{")):
        return json.loads(value)
    return list(value) if isinstance(value, tuple) else value


@contextmanager
def capture(
    *,
    content: bool = True,
    events: bool | None = None,
    opt_in: frozenset[str] = frozenset(),
    conventional: bool = True,
) -> Iterator[Captured]:
    """Run the block with the clients wrapped and the spans kept in memory.

    What these say is held against the conventions at the end, unless the client is one that the test made up.
    """
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    clock = itertools.count(1_767_225_600_000_000_000, 1_000_000)
    recorder = Recorder(
        tracer=provider.get_tracer("test"),
        content=Content(enabled=content),
        defaults=_NoDefaults(),
        clock=clock.__next__,
        event_content=None if events is None else Content(enabled=events),
    )
    installation = install(SPECS, lambda: recorder, semconv_opt_in=opt_in)
    try:
        yield Captured(exporter=exporter, provider=provider, recorder=recorder, installation=installation)
        if conventional:
            assert_conventional(exporter.get_finished_spans())
    finally:
        installation.uninstall()
        provider.shutdown()
