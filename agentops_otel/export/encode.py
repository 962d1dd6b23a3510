"""Encodes spans as OTLP's ExportTraceServiceRequest, without message objects: at a third of the cost.

The message is OpenTelemetry's own (https://github.com/open-telemetry/opentelemetry-proto, trace/v1/trace.proto); the
field numbers of the constants are from there. A value that OTLP cannot carry is left out; its span is sent.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from agentops_otel.content import MAX_DEPTH, events_of, is_short, links_of
from agentops_otel.guard import guard
from agentops_otel.tracing import CallForm, Ids, ids_of, parts_of_call

Translation = Callable[[ReadableSpan], tuple[str, Mapping[str, AttributeValue], Status]]
"""Gives name, attributes and status of a span for one destination. It must not change the span."""

K = TypeVar("K")
V = TypeVar("V")

_encoding = guard("encoding a span")

_CACHED = 4096
_TEXTS = {str}
_INT_BITS = 1024
_DOUBLE = struct.Struct("<d").pack
_FIXED64 = struct.Struct("<Q").pack
_TIMES = struct.Struct("<BQBQ").pack

# A tag is the field's number << 3 | its wire type (0 varint, 1 and 5 fixed, 2 with a length).
_RESOURCE_SPANS = b"\x0a"  # of the request
_RESOURCE, _SCOPE_SPANS, _SCHEMA_URL = b"\x0a", b"\x12", b"\x1a"  # of ResourceSpans
_SCOPE, _SPANS = b"\x0a", b"\x12"  # of ScopeSpans, whose schema_url has the same number
_RESOURCE_ATTRIBUTES = b"\x0a"
_SCOPE_NAME, _SCOPE_VERSION, _SCOPE_ATTRIBUTES = b"\x0a", b"\x12", b"\x1a"
_TRACE_ID, _SPAN_ID, _TRACE_STATE, _PARENT = b"\x0a\x10", b"\x12\x08", b"\x1a", b"\x22\x08"
_NAME, _START, _END, _ATTRIBUTES, _DROPPED_ATTRIBUTES = b"\x2a", 0x39, 0x41, b"\x4a", b"\x50"
_EVENTS, _DROPPED_EVENTS, _LINKS, _DROPPED_LINKS, _STATUS = b"\x5a", b"\x60", b"\x6a", b"\x70", b"\x7a"
_EVENT_TIME, _EVENT_NAME, _EVENT_ATTRIBUTES, _EVENT_DROPPED = b"\x09", b"\x12", b"\x1a", b"\x20"
_LINK_ATTRIBUTES, _LINK_DROPPED = b"\x22", b"\x28"
_KEY, _VALUE = b"\x0a", b"\x12"
_STRING, _BOOL, _INT, _FLOAT, _ARRAY, _MAP, _BYTES = b"\x0a", b"\x10", b"\x18", b"\x21", b"\x2a", b"\x32", b"\x3a"
_STATUS_CODE = {StatusCode.UNSET: b"", StatusCode.OK: b"\x18\x01", StatusCode.ERROR: b"\x18\x02"}
_STATUS_UNSET = _STATUS + b"\x00"
# Bits 8 and 9 of the flags: it is known whether the parent is remote, and it is.
_FLAGS_LOCAL, _FLAGS_REMOTE = (struct.pack("<I", flags) for flags in (0x100, 0x300))
_SPAN_FLAGS, _LINK_FLAGS = b"\x85\x01", b"\x35"
_LOCAL_PARENT, _REMOTE_PARENT = _SPAN_FLAGS + _FLAGS_LOCAL, _SPAN_FLAGS + _FLAGS_REMOTE


def _varint(number: int) -> bytes:
    if 127 < number < 1 << 14:
        return bytes((number & 127 | 128, number >> 7))
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


_SIZES = 1024
_SIZE = [_varint(n) for n in range(_SIZES)]
_KIND = {kind: b"\x30" + _SIZE[kind.value + 1] for kind in SpanKind}
_INTERNAL = _KIND[SpanKind.INTERNAL]


@dataclass(frozen=True, slots=True)
class Batch:
    """An encoded request. Two bodies joined are one request with the spans of both."""

    body: bytes
    spans: int


class Encoder:
    """Encodes spans. Caches the bytes of keys, resources and scopes. Thread-safe."""

    def __init__(self) -> None:
        self._names: dict[str, bytes] = {}
        self._keys: dict[str, bytes] = {}
        self._pairs: dict[bytes, dict[tuple[str, Any], bytes]] = {}
        """By tag: short texts, and tuples of a few, with their names. Most of them recur."""
        # By identity, with the object kept alive: hashing a Resource costs more than encoding a span.
        self._resources: dict[int, tuple[Resource, bytes, bytes]] = {}
        self._scopes: dict[int, tuple[InstrumentationScope, bytes, bytes]] = {}

    def batch(self, spans: Iterable[ReadableSpan], translation: Translation | None = None) -> Batch:
        """Encode the spans as one request. A span that cannot be encoded is neither in it nor in its count."""
        grouped: dict[int, dict[int, list[bytes]]] = {}
        of_resource: dict[int, tuple[Resource, bytes, bytes]] = {}
        of_scope: dict[int, tuple[InstrumentationScope, bytes, bytes]] = {}
        group: list[bytes] = []
        before: tuple[Resource | None, InstrumentationScope | None] = None, None
        count = 0

        def add(span: ReadableSpan) -> None:
            nonlocal before, count, group
            of_call = parts_of_call(span) if translation is None else None
            encoded = self._span(span, translation) if of_call is None else self._call(span, *of_call)
            resource, scope = span.resource, span.instrumentation_scope or _NO_SCOPE
            if resource is not before[0] or scope is not before[1]:
                of_resource[id(resource)], of_scope[id(scope)] = self._resource(resource), self._scope(scope)
                group = grouped.setdefault(id(resource), {}).setdefault(id(scope), [])
                before = resource, scope
            size = len(encoded)
            group += (_SPANS, _SIZE[size] if size < _SIZES else _varint(size), encoded)
            count += 1

        _encoding.each(add, spans)
        body = [
            _field(
                _RESOURCE_SPANS,
                of_resource[r][1]
                + b"".join(
                    _field(_SCOPE_SPANS, of_scope[s][1] + b"".join(ss) + of_scope[s][2]) for s, ss in scopes.items()
                )
                + of_resource[r][2],
            )
            for r, scopes in grouped.items()
        ]
        return Batch(b"".join(body), count)

    def _resource(self, resource: Resource) -> tuple[Resource, bytes, bytes]:
        cached = self._resources.get(id(resource))
        if cached is None:
            attributes, _ = self._attributes(_RESOURCE_ATTRIBUTES, resource.attributes)
            cached = (resource, _field(_RESOURCE, attributes), _text(_SCHEMA_URL, resource.schema_url))
            _remember(self._resources, id(resource), cached)
        return cached

    def _scope(self, scope: InstrumentationScope) -> tuple[InstrumentationScope, bytes, bytes]:
        cached = self._scopes.get(id(scope))
        if cached is None:
            attributes, _ = self._attributes(_SCOPE_ATTRIBUTES, scope.attributes)
            about = _text(_SCOPE_NAME, scope.name) + _text(_SCOPE_VERSION, scope.version) + attributes
            cached = (scope, _field(_SCOPE, about), _text(_SCHEMA_URL, scope.schema_url))
            _remember(self._scopes, id(scope), cached)
        return cached

    def _span(self, span: ReadableSpan, translation: Translation | None) -> bytes:
        trace_id, span_id, trace_state, parent_id, parent_is_remote = ids_of(span)
        if translation:
            name, read, status = translation(span)
            attributes, lost = self._attributes(_ATTRIBUTES, read)
        else:
            name, status = span.name, span.status
            attributes, lost = self._of_span(span.attributes or {})
        parts = [
            _TRACE_ID + trace_id.to_bytes(16, "big") + _SPAN_ID + span_id.to_bytes(8, "big"),
            self._name(name),
            _KIND[span.kind],
            _TIMES(_START, span.start_time or 0, _END, span.end_time or 0),
            attributes,
            _count(_DROPPED_ATTRIBUTES, span.dropped_attributes + lost),
            _status(status),
        ]
        if parent_id is not None:
            parts.append(_PARENT + parent_id.to_bytes(8, "big"))
        if trace_state:
            parts.append(_text(_TRACE_STATE, ",".join(f"{k}={v}" for k, v in trace_state.items())))
        if events := events_of(span):
            parts += [_field(_EVENTS, self._event(event)) for event in events]
        if links := links_of(span):
            parts += [_field(_LINKS, self._link(link)) for link in links]
        parts.append(_count(_DROPPED_EVENTS, span.dropped_events) + _count(_DROPPED_LINKS, span.dropped_links))
        parts.append(_REMOTE_PARENT if parent_is_remote else _LOCAL_PARENT)
        return b"".join(parts)

    def _call(self, span: ReadableSpan, form: CallForm, content: Mapping[str, str], ids: Ids) -> bytes:
        """The span of a decorated call. What the spans of its function share is encoded once."""
        trace_id, span_id, _, parent_id, parent_is_remote = ids
        parts = [
            form.once(self._of_form),
            _TRACE_ID,
            trace_id.to_bytes(16, "big"),
            _SPAN_ID,
            span_id.to_bytes(8, "big"),
            _TIMES(_START, span.start_time or 0, _END, span.end_time or 0),
            _REMOTE_PARENT if parent_is_remote else _LOCAL_PARENT,
        ]
        for name, text in content.items():
            data = _utf8(text)
            parts += (_before_text(name, len(data)), data)
        if parent_id is not None:
            parts += (_PARENT, parent_id.to_bytes(8, "big"))
        return b"".join(parts)

    def _of_form(self, form: CallForm) -> bytes:
        attributes, lost = self._of_span(form.values)
        dropped = _count(_DROPPED_ATTRIBUTES, lost)
        return b"".join((self._name(form.name), _INTERNAL, attributes, dropped, _STATUS_UNSET))

    def _event(self, event: Event) -> bytes:
        attributes, lost = self._attributes(_EVENT_ATTRIBUTES, event.attributes)
        start = _EVENT_TIME + _FIXED64(event.timestamp or 0) + _text(_EVENT_NAME, event.name)
        return start + attributes + _count(_EVENT_DROPPED, event.dropped_attributes + lost)

    def _link(self, link: Link) -> bytes:
        context = link.context
        attributes, lost = self._attributes(_LINK_ATTRIBUTES, link.attributes)
        ids = _TRACE_ID + context.trace_id.to_bytes(16, "big") + _SPAN_ID + context.span_id.to_bytes(8, "big")
        return ids + attributes + _count(_LINK_DROPPED, link.dropped_attributes + lost) + _LINK_FLAGS + _flags(context)

    def _of_span(self, attributes: Mapping[str, Any]) -> tuple[bytes, int]:
        return self._attributes(_ATTRIBUTES, attributes)

    def _name(self, name: str) -> bytes:
        encoded = self._names.get(name)
        if encoded is None:
            encoded = _text(_NAME, name)
            _remember(self._names, name, encoded)
        return encoded

    def _key(self, name: str) -> bytes:
        key = self._keys.get(name)
        if key is None:
            key = _text(_KEY, name)
            _remember(self._keys, name, key)
        return key

    def _attributes(self, tag: bytes, attributes: Mapping[str, Any] | None) -> tuple[bytes, int]:
        """The attributes, each a KeyValue in the field *tag*, and how many could not be encoded."""
        if not attributes:
            return b"", 0
        pairs, lost = self._pairs.setdefault(tag, {}), 0
        parts: list[bytes] = []
        # The SDK's mapping is slow to walk, its copy is a plain dict.
        for item in (attributes.copy() if isinstance(attributes, MappingProxyType) else attributes).items():
            name, value = item
            kind = type(value)
            texts = kind is str or (kind is tuple and _TEXTS.issuperset(map(type, value)))
            if texts and (pair := pairs.get(item)):
                parts.append(pair)
                continue
            encode = _OF_TYPE.get(kind)
            encoded = encode(value) if encode else _unusual(value, MAX_DEPTH)
            if encoded is None:
                lost += 1
                continue
            size = len(encoded)
            pair = self._key(name) + _VALUE + (_SIZE[size] if size < _SIZES else _varint(size)) + encoded
            size = len(pair)
            pair = tag + (_SIZE[size] if size < _SIZES else _varint(size)) + pair
            parts.append(pair)
            if is_short(value):
                _remember(pairs, item, pair)
        return b"".join(parts), lost


_NO_SCOPE = InstrumentationScope("")


def _field(tag: bytes, content: bytes) -> bytes:
    """A field with a length: a message, a string, bytes."""
    size = len(content)
    return tag + (_SIZE[size] if size < _SIZES else _varint(size)) + content


@lru_cache(maxsize=_CACHED)
def _before_text(name: str, size: int) -> bytes:
    """What stands before a text of *size* bytes, in a span's attribute of this name."""
    value = _STRING + _varint(size)
    pair = _text(_KEY, name) + _VALUE + _varint(len(value) + size) + value
    return _ATTRIBUTES + _varint(len(pair) + size) + pair


def _count(tag: bytes, number: int) -> bytes:
    return tag + _varint(number) if number else b""


def _text(tag: bytes, text: str | None) -> bytes:
    return _field(tag, _utf8(text)) if text else b""


def _utf8(text: str) -> bytes:
    try:
        return str.encode(text)
    except UnicodeEncodeError:  # lone surrogates: a receiver rejects the whole request if it is not UTF-8
        return str.encode(text, errors="replace")


def _flags(context: SpanContext | None) -> bytes:
    return _FLAGS_REMOTE if context and context.is_remote else _FLAGS_LOCAL


def _status(status: Status) -> bytes:
    if status.status_code is StatusCode.UNSET and not status.description:
        return _STATUS_UNSET
    return _field(_STATUS, _text(b"\x12", status.description) + _STATUS_CODE[status.status_code])


def _string(value: str) -> bytes:
    data = _utf8(value)
    size = len(data)
    return _STRING + (_SIZE[size] if size < _SIZES else _varint(size)) + data


def _int(value: int) -> bytes:
    if 0 <= value < _SIZES:
        return _INT + _SIZE[value]
    if -(1 << 63) <= value < 1 << 63:
        return _INT + _varint(value & 0xFFFFFFFFFFFFFFFF)
    return _string(integer_text(value))


def integer_text(value: int) -> str:
    """An integer as text: OTLP's own have 64 bits. Python refuses to convert very long ones."""
    return str(value) if value.bit_length() <= _INT_BITS else f"an integer of {value.bit_length()} bits"


def _unusual(value: object, depth: int) -> bytes | None:
    """The AnyValue of a value whose type is not one of the usual ones; None: OTLP has none for it."""
    if encode := _OF_TYPE.get(type(value)):
        return encode(value)
    encoded: bytes | None = None
    with guard("encoding an attribute"):
        if type(value) is not tuple:
            for kind, encode in _OF_TYPE.items():
                if isinstance(value, kind):
                    return encode(value)
        if depth and isinstance(value, Mapping):
            encoded = _field(_MAP, b"".join(_pair(key, item, depth) for key, item in value.items()))
        elif depth and isinstance(value, Sequence):
            encoded = _field(_ARRAY, b"".join(_field(b"\x0a", _unusual(item, depth - 1) or b"") for item in value))
    return encoded


def _pair(key: object, value: object, depth: int) -> bytes:
    return _field(b"\x0a", _text(_KEY, key_text(key)) + _field(_VALUE, _unusual(value, depth - 1) or b""))


def key_text(key: object) -> str:
    """A mapping's key as text; that of an object is its type."""
    return key if isinstance(key, str) else str(key) if isinstance(key, int | float) else type(key).__name__


def _remember(cache: dict[K, V], key: K, value: V) -> None:
    if len(cache) >= _CACHED:
        cache.clear()
    cache[key] = value


_OF_TYPE: dict[type, Callable[..., bytes]] = {
    str: _string,
    bool: lambda value: _BOOL + _SIZE[value],
    int: _int,
    float: lambda value: _FLOAT + _DOUBLE(value),
    bytes: lambda value: _field(_BYTES, value),
    type(None): lambda value: b"",
}
