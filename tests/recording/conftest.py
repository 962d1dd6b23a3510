"""A recorder whose spans stay in memory, and the decorators on it."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content import Content, Snapshot
from agentops_otel.recording.compat_decorators import AllDecorators
from agentops_otel.tracing import Recorder, SpanDefaults, gc_safe
from agentops_otel.tracing.provider import OwnProvider, tracer_of
from agentops_otel.view.nested import Tree, nested


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
    """The spans that one test records."""

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

    def tree(self) -> Tree:
        """The spans as nested plain dicts, without the tags that all of them have, and links."""
        return [_without_tags(span) for span in nested(self.spans)]


def _without_tags(span: dict[str, Any]) -> dict[str, object]:
    tags = (semconv.AGENTOPS_TAGS, ["session"])
    own = {
        "attributes": {name: value for name, value in span.get("attributes", {}).items() if (name, value) != tags},
        "links": [],
        "children": [_without_tags(child) for child in span.get("children", [])],
    }
    return {name: value for name, value in {**span, **own}.items() if value}


@pytest.fixture
def recording() -> Recording:
    """A recorder of the test's own."""
    return Recording()
