"""Splits requests, and truncates spans, that a destination refuses as too large. Rare, so by message objects."""

from typing import Any

from agentops_otel.export.encode import Batch
from agentops_otel.export.fork_guard import no_fork


def split_in_two(body: bytes) -> list[Batch]:
    """Two requests with half of the spans each. The request has at least two."""
    request = _decoded(body)
    places = [(r, s, n) for r in request.resource_spans for s in r.scope_spans for n in range(len(s.spans))]
    middle = len(places) // 2
    return [_request(places[:middle]), _request(places[middle:])]


def truncate_values(body: bytes, limit_bytes: int) -> Batch:
    """The request of one span, with its values truncated to *limit_bytes*."""
    request = _decoded(body)
    spans = [span for r in request.resource_spans for s in r.scope_spans for span in s.spans]
    for span in spans:
        for holder in (span, *span.events, *span.links):
            for attribute in holder.attributes:
                _truncate(attribute.value, limit_bytes)
        span.status.message = span.status.message[:limit_bytes]
        span.name = span.name[:limit_bytes]
    return Batch(request.SerializeToString(), len(spans))


def _truncate(value: Any, limit_bytes: int) -> None:
    match value.WhichOneof("value"):
        case "string_value":
            value.string_value = value.string_value.encode()[:limit_bytes].decode(errors="ignore")
        case "bytes_value":
            value.bytes_value = value.bytes_value[:limit_bytes]
        case "array_value" | "kvlist_value" if value.ByteSize() > limit_bytes:
            value.Clear()


def _decoded(body: bytes) -> Any:
    with no_fork:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return ExportTraceServiceRequest.FromString(body)


def _request(places: list[tuple[Any, Any, int]]) -> Batch:
    request, last_resource, last_scope = _decoded(b""), None, None
    for resource_spans, scope_spans, n in places:
        if resource_spans is not last_resource:
            resource = request.resource_spans.add(
                resource=resource_spans.resource, schema_url=resource_spans.schema_url
            )
        if scope_spans is not last_scope:
            scope = resource.scope_spans.add(scope=scope_spans.scope, schema_url=scope_spans.schema_url)
        last_resource, last_scope = resource_spans, scope_spans
        scope.spans.append(scope_spans.spans[n])
    return Batch(request.SerializeToString(), len(places))
