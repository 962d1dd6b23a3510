"""A tree of spans as nested plain dicts: what a test compares with a snapshot."""

from collections.abc import Iterable, Mapping

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from agentops_otel import semconv
from agentops_otel.view.tree import Node, build

Tree = list[dict[str, object]]


def nested(spans: Iterable[ReadableSpan]) -> Tree:
    """The spans as dicts, each with its children; without what is new in each run (session ids, stack traces)."""
    return [_as_dict(node) for node in build(spans)]


def _as_dict(node: Node) -> dict[str, object]:
    span = node.span
    fields = {
        "name": span.name,
        "kind": "" if span.kind is SpanKind.INTERNAL else span.kind.name,
        "status": _status(span),
        "attributes": _plain(span.attributes, without=semconv.SESSION_ID),
        "events": [
            {"name": event.name, **_plain(event.attributes, without=semconv.EXCEPTION_STACKTRACE)}
            for event in span.events
        ],
        "links": [f"{link.context.span_id:x}" for link in span.links],
        "children": [_as_dict(child) for child in node.children],
    }
    return {name: value for name, value in fields.items() if value}


def _status(span: ReadableSpan) -> str:
    code = span.status.status_code
    return "" if code is StatusCode.UNSET else f"{code.name}: {span.status.description}".removesuffix(": None")


def _plain(attributes: Mapping[str, object] | None, *, without: str) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in sorted((attributes or {}).items())
        if name != without
    }
