"""Spans as OTLP JSON and back: the format of a trace file, which Jaeger and the Collector read too.

The format: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (hex ids, int64 as text, enums as numbers).
"""

import base64
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from agentops_otel.content import MAX_DEPTH
from agentops_otel.export.encode import integer_text, key_text

Json = dict[str, Any]

# https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto (SpanFlags)
HAS_IS_REMOTE = 0x100
IS_REMOTE = 0x200


def dumps(spans: Iterable[ReadableSpan]) -> bytes:
    """The spans as one line: an OTLP `TracesData` object, without the line's end.

    Only values that OTLP cannot hold change, as they do on the way to a collector: a lone surrogate becomes `?`, an
    integer beyond 64 bits text, and what has no type there is left out and counted.
    """
    message = {"resourceSpans": _resource_spans(spans)}
    try:
        return orjson.dumps(message)
    except orjson.JSONEncodeError:
        return orjson.dumps(_without_surrogates(message))


def loads(line: bytes | str) -> list[ReadableSpan]:
    """The spans of one line, as OpenTelemetry's own read-only spans.

    Raises:
        ValueError: The line is no OTLP JSON of traces.
    """
    try:
        return [
            _read_span(span, resource, scope)
            for in_resource in orjson.loads(line)["resourceSpans"]
            for resource in [_read_resource(in_resource)]
            for in_scope in in_resource.get("scopeSpans", ())
            for scope in [_read_scope(in_scope)]
            for span in in_scope.get("spans", ())
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a line of OTLP JSON traces ({error!r})") from error


def _resource_spans(spans: Iterable[ReadableSpan]) -> list[Json]:
    # By identity: comparing two Resources serialises both, and the spans of one provider share theirs.
    resources: dict[int, tuple[Resource, dict[int, tuple[InstrumentationScope | None, list[Json]]]]] = {}
    for span in spans:
        _, scopes = resources.setdefault(id(span.resource), (span.resource, {}))
        scope = span.instrumentation_scope
        scopes.setdefault(id(scope), (scope, []))[1].append(_span(span))
    return [
        {
            "resource": _filled(attributes=_attributes(resource.attributes)),
            "scopeSpans": [
                {"scope": _scope(scope), "spans": found, **_filled(schemaUrl=scope and scope.schema_url)}
                for scope, found in scopes.values()
            ],
            **_filled(schemaUrl=resource.schema_url),
        }
        for resource, scopes in resources.values()
    ]


def _scope(scope: InstrumentationScope | None) -> Json:
    if scope is None:
        return {}
    return _filled(name=scope.name, version=scope.version, attributes=_attributes(scope.attributes))


def _span(span: ReadableSpan) -> Json:
    context = span.get_span_context()
    return _filled(
        **(_ids(context) if context else {}),
        traceState=context and context.trace_state.to_header(),
        parentSpanId=span.parent and f"{span.parent.span_id:016x}",
        name=span.name,
        kind=span.kind.value + 1,
        startTimeUnixNano=str(span.start_time or 0),
        endTimeUnixNano=str(span.end_time or 0),
        **_counted(span.attributes, span.dropped_attributes),
        events=[_event(event) for event in span.events],
        droppedEventsCount=span.dropped_events,
        links=[_link(link) for link in span.links],
        droppedLinksCount=span.dropped_links,
        flags=_flags(span.parent),
    ) | {"status": _filled(message=span.status.description, code=span.status.status_code.value)}


def _event(event: Event) -> Json:
    return _filled(
        timeUnixNano=str(event.timestamp),
        name=event.name,
        **_counted(event.attributes, event.dropped_attributes),
    )


def _link(link: Link) -> Json:
    return _filled(
        **_ids(link.context),
        **_counted(link.attributes, link.dropped_attributes),
        flags=_flags(link.context),
    )


def _ids(context: SpanContext) -> Json:
    return {"traceId": f"{context.trace_id:032x}", "spanId": f"{context.span_id:016x}"}


def _flags(context: SpanContext | None) -> int:
    return HAS_IS_REMOTE | (IS_REMOTE if context and context.is_remote else 0)


def _filled(**fields: object) -> Json:
    """The fields that are not empty: proto3's JSON leaves defaults out."""
    return {name: value for name, value in fields.items() if value}


def _counted(attributes: Mapping[str, object] | None, dropped: int) -> Json:
    kept = _attributes(attributes)
    return {"attributes": kept, "droppedAttributesCount": dropped + len(attributes or ()) - len(kept)}


def _attributes(attributes: Mapping[str, object] | None) -> list[Json]:
    return [
        {"key": key, "value": value}
        for key, raw in (attributes or {}).items()
        if (value := _any_value(raw)) is not None
    ]


def _any_value(value: object, depth: int = 0) -> Json | None:
    """The value as OTLP's AnyValue; None when it has no type there."""
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)} if -(2**63) <= value < 2**63 else {"stringValue": integer_text(value)}
        case float():
            return {"doubleValue": value if math.isfinite(value) else _NOT_FINITE.get(value, "NaN")}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case Sequence() if depth < MAX_DEPTH:
            return {"arrayValue": _filled(values=[_any_value(item, depth + 1) or {} for item in value])}
        case Mapping() if depth < MAX_DEPTH:
            pairs = [{"key": key_text(key), "value": _any_value(item, depth + 1) or {}} for key, item in value.items()]
            return {"kvlistValue": _filled(values=pairs)}
    return None


_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def _without_surrogates(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_without_surrogates(item) for item in value]
        case dict():
            return {key: _without_surrogates(item) for key, item in value.items()}
    return value


def _read_resource(fields: Json) -> Resource:
    return Resource(_read_attributes(fields.get("resource", {})), fields.get("schemaUrl"))


def _read_scope(fields: Json) -> InstrumentationScope:
    scope = fields.get("scope", {})
    attributes = _read_attributes(scope)
    return InstrumentationScope(scope.get("name", ""), scope.get("version"), fields.get("schemaUrl"), attributes)


def _read_span(fields: Json, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    parent = fields.get("parentSpanId")
    return ReadableSpan(
        name=fields.get("name", ""),
        context=_read_context(fields),
        parent=_read_context({**fields, "spanId": parent}, is_remote=_is_remote(fields)) if parent else None,
        resource=resource,
        attributes=_read_attributes(fields),
        events=[
            Event(event.get("name", ""), _read_attributes(event), int(event.get("timeUnixNano", 0)))
            for event in fields.get("events", ())
        ],
        links=[
            Link(_read_context(link, is_remote=_is_remote(link)), _read_attributes(link))
            for link in fields.get("links", ())
        ],
        kind=SpanKind(max(int(fields.get("kind", 1)), 1) - 1),
        status=_read_status(fields.get("status", {})),
        start_time=int(fields["startTimeUnixNano"]),
        end_time=int(fields.get("endTimeUnixNano", 0)) or None,
        instrumentation_scope=scope,
    )


def _read_context(fields: Json, *, is_remote: bool = False) -> SpanContext:
    return SpanContext(
        trace_id=int(fields["traceId"], 16),
        span_id=int(fields["spanId"], 16),
        is_remote=is_remote,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=TraceState.from_header([fields.get("traceState", "")]),
    )


def _is_remote(fields: Json) -> bool:
    return bool(int(fields.get("flags", 0)) & IS_REMOTE)


def _read_status(fields: Json) -> Status:
    code = StatusCode(int(fields.get("code", 0)))
    return Status(code, fields.get("message") if code is StatusCode.ERROR else None)


def _read_attributes(fields: Json) -> dict[str, Any]:
    return {pair["key"]: _read_value(pair.get("value", {})) for pair in fields.get("attributes", ())}


def _read_value(value: Json) -> Any:
    for kind, content in value.items():
        return _READERS[kind](content) if kind in _READERS else content
    return None


_READERS: dict[str, Callable[[Any], object]] = {
    "intValue": int,
    "doubleValue": float,
    "bytesValue": base64.b64decode,
    "arrayValue": lambda array: tuple(_read_value(item) for item in array.get("values", ())),
    "kvlistValue": lambda pairs: _read_attributes({"attributes": pairs.get("values", ())}),
}
