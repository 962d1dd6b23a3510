"""A recorder whose spans stay in memory, and the decorators on it."""

import itertools
import json
from collections.abc import Mapping

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content import Content, Snapshot
from agentops_otel.recording.compat_decorators import AllDecorators
from agentops_otel.tracing import Recorder, SpanDefaults, gc_safe
from agentops_otel.tracing.provider import OwnProvider, tracer_of


class PlainContent(Content):
    """Content as JSON, neither bounded nor redacted."""

    def json(self, name: str, value: object, *, limit_bytes: int | None = None) -> str | None:
        """The value as JSON."""
        if isinstance(value, Snapshot):
            value = value.value()
        return json.dumps(value, default=lambda other: f"<{type(other).__name__}>") if self.enabled else None

    def text(self, name: str, value: str) -> str | None:
        """The text as it is."""
        return value if self.enabled else None


class Tagged(SpanDefaults):
    """A session with one tag."""

    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        """The tag."""
        return {semconv.AGENTOPS_TAGS: ("session",)}

    def context(self, current: Context) -> Context:
        """The current one."""
        return current


class Recording:
    """What one test records."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = OwnProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        content = PlainContent()
        self.recorder = Recorder(
            tracer=tracer_of(provider, semconv.SCOPE, "", content),
            content=content,
            defaults=Tagged(),
            clock=itertools.count(1_767_225_600_000_000_000, 1_000_000).__next__,
        )
        self.decorators = AllDecorators(lambda: self.recorder)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The ended spans, in the order they ended."""
        gc_safe.drain()
        return self._exporter.get_finished_spans()

    def tree(self, *, of: int | None = None) -> list[dict[str, object]]:
        """The spans under the one with the id *of* as nested plain dicts, in the order they started."""
        level = [span for span in self.spans if (span.parent.span_id if span.parent else None) == of]
        return [self._as_dict(span) for span in sorted(level, key=lambda span: span.start_time or 0)]

    def _as_dict(self, span: ReadableSpan) -> dict[str, object]:
        assert span.context is not None
        code = span.status.status_code
        said = {
            "name": span.name,
            "kind": "" if span.kind is SpanKind.INTERNAL else span.kind.name,
            "status": "" if code is StatusCode.UNSET else f"{code.name}: {span.status.description}",
            "attributes": _plain(span.attributes, {semconv.AGENTOPS_TAGS: ("session",)}),
            "events": [{"name": event.name, **_plain(event.attributes, {})} for event in span.events],
            "children": self.tree(of=span.context.span_id),
        }
        return {name: value for name, value in said.items() if value}


def _plain(attributes: Mapping[str, object] | None, expected: Mapping[str, object]) -> dict[str, object]:
    left_out = {semconv.EXCEPTION_STACKTRACE}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in sorted((attributes or {}).items())
        if name not in left_out and expected.get(name) != value
    }


@pytest.fixture
def recording() -> Recording:
    """A recorder of the test's own."""
    return Recording()
