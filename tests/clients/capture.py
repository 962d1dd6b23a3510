"""A recorder over spans in memory, with the clients wrapped."""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.types import AttributeValue

from agentops_otel.clients import SPECS
from agentops_otel.content import Content
from agentops_otel.content.policy import Redact
from agentops_otel.instrumentation import Installation, install
from agentops_otel.tracing import Recorder, SpanDefaults, gc_safe
from agentops_otel.tracing.provider import tracer_of
from agentops_otel.view.nested import Tree, nested
from tests.clients.conventions import assert_conventional


class _NoDefaults(SpanDefaults):
    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        return {}

    def context(self, current: Context) -> Context:
        return current


@dataclass(frozen=True, kw_only=True)
class Captured:
    """The spans captured so far, and the parts that made them."""

    exporter: InMemorySpanExporter
    provider: TracerProvider
    recorder: Recorder
    installation: Installation

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The ended spans, in the order they ended."""
        gc_safe.drain()
        return self.exporter.get_finished_spans()

    def tree(self) -> Tree:
        """The spans as nested plain dicts: JSON text parsed, events and status by name, without links."""
        return [_read(span) for span in nested(self.spans)]


def _read(span: dict[str, Any]) -> dict[str, object]:
    read = {
        "status": span.get("status", "").partition(":")[0],
        "attributes": {name: _parsed(value) for name, value in span.get("attributes", {}).items()},
        "links": [],
        "events": [event["name"] for event in span.get("events", [])],
        "children": [_read(child) for child in span.get("children", [])],
    }
    return {name: value for name, value in {**span, **read}.items() if value}


def _parsed(value: object) -> object:
    return json.loads(value) if isinstance(value, str) and value.startswith(("[", "{")) else value


@contextmanager
def capture(
    *,
    content: bool = True,
    events: bool | None = None,
    redact: Redact | None = None,
    opt_in: frozenset[str] = frozenset(),
    conventional: bool = True,
    limits: SpanLimits | None = None,
) -> Iterator[Captured]:
    """Run the block with the clients wrapped and the spans kept in memory.

    *redact* is for events alone. What the spans say is held against the conventions at the end, unless the client is
    one that the test made up.
    """
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False, span_limits=limits)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    clock = itertools.count(1_767_225_600_000_000_000, 1_000_000)
    policy = Content(enabled=content)
    recorder = Recorder(
        tracer=tracer_of(provider, "test", "", policy),
        content=policy,
        defaults=_NoDefaults(),
        clock=clock.__next__,
        event_content=None if events is None else Content(enabled=events, redact=redact),
    )
    installation = install(SPECS, lambda: recorder, semconv_opt_in=opt_in)
    try:
        yield Captured(exporter=exporter, provider=provider, recorder=recorder, installation=installation)
        if conventional:
            assert_conventional(exporter.get_finished_spans())
    finally:
        installation.uninstall()
        provider.shutdown()
