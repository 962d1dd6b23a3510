"""Secrets in ended spans of any library: names, attributes, events, links, statuses, states, scopes and resources."""

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache
from types import MappingProxyType, NoneType
from typing import Any, Protocol

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status
from opentelemetry.trace.span import TraceState

from agentops_otel import semconv
from agentops_otel.content.fast_json import MAX_DEPTH
from agentops_otel.content.redaction import REDACTED, redact_cached
from agentops_otel.content.secret_names import SECRETS, KeyKind, classify_key
from agentops_otel.content.secret_pairs import secret_items
from agentops_otel.content.span_parts import events_of, links_of
from agentops_otel.content.text import SHORT_CHARACTERS, is_short

_WITH_QUERY = frozenset({"url.full", "http.url", "http.target", "url.original"})
_QUERY = "url.query"
_CACHED_RESOURCES = 64
_KNOWN = 8192
"""The most attributes, and names of numbers, that are remembered as free of secrets."""
_NONE: frozenset[str] = frozenset()
_SEARCHED = semconv.CONTENT | {semconv.SESSION_ID, semconv.GEN_AI_RESPONSE_ID}
"""Attributes of our own spans that have been redacted as content, or are ids that differ each time."""
_TEXTS = {str}
_NUMBERS = {int, float, bool, NoneType}


class _CallForm(Protocol):
    """What the spans of a decorated function share."""

    @property
    def name(self) -> str: ...

    @property
    def values(self) -> Mapping[str, Any]: ...


class SpanRedaction:
    """Redacts ended spans before they are sent or written. A span without secrets stays the object that it is.

    Args:
        capture_content: False removes query strings, which are what a program asks for, and the messages that other
            libraries record under names of their own.
    """

    def __init__(self, *, capture_content: bool) -> None:
        self._capture_content = capture_content
        self._known: set[tuple[str, Any]] = set()
        """Short texts, and tuples of a few, with their names, in which no secret was found. Most of them recur."""
        self._numeric: set[str] = set()
        """Names under which a number is no secret."""
        self._resources: dict[int, tuple[Resource, Resource]] = {}
        self._scopes: dict[int, tuple[InstrumentationScope, InstrumentationScope]] = {}

    def __call__(self, span: ReadableSpan) -> ReadableSpan:
        """The span, or a copy of it without secrets."""
        if self._is_clean_call(span):
            return span
        scope = span.instrumentation_scope
        own = scope is not None and scope.name == semconv.SCOPE
        changed: dict[str, Any] = {}
        if scope is not None and not own and (redacted := self._scope(scope)) is not scope:
            changed["instrumentation_scope"] = redacted
        # A span of ours has it in this field: its context is made when it is asked for.
        state = getattr(span, "_trace_state", None) or (span.context.trace_state if not own and span.context else None)
        if state and span.context and (kept := _state(state)) is not state:
            changed["context"] = _with_state(span.context, kept)
        if (name := self._name(span.name)) != span.name:
            changed["name"] = name
        if (attributes := self._attributes(span.attributes, own=own)) is not None:
            changed["attributes"] = attributes
        if span.status.description and (text := _text(span.status.description)) != span.status.description:
            changed["status"] = Status(span.status.status_code, text)
        if (recorded := events_of(span)) and (events := self._events(recorded, own=own)) is not None:
            changed["events"] = events
        if (linked := links_of(span)) and (links := self._links(linked)) is not None:
            changed["links"] = links
        if (resource := self._resource(span.resource)) is not span.resource:
            changed["resource"] = resource
        return _Redacted(span, changed) if changed else span

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Attributes of anything but a span without secrets, or None if none of them changes."""
        return self._attributes(attributes)

    def _is_clean_call(self, span: ReadableSpan) -> bool:
        """True for a decorated call's span without a secret: what calls share is searched once."""
        parts_of_call = getattr(span, "parts_of_call", None)  # the spans of our tracer have it
        if parts_of_call is None or (parts := parts_of_call()) is None:
            return False
        form = parts[0]  # its content was redacted when it was written
        resource = span.resource
        return form.once(self._needs_no_change) and self._resource(resource) is resource

    def _needs_no_change(self, form: _CallForm) -> bool:
        return self._name(form.name) == form.name and self._attributes(form.values, own=True) is None

    def _name(self, name: str) -> str:
        name = _text(name)
        return name if self._capture_content else name.partition("?")[0]

    def _attributes(self, attributes: Mapping[str, Any] | None, *, own: bool = False) -> dict[str, Any] | None:
        """The attributes, or None if none of them changes."""
        if not attributes:
            return None
        # The SDK's mapping is slow to walk, its copy is a plain dict.
        plain = attributes.copy() if isinstance(attributes, MappingProxyType) else dict(attributes)
        changed: dict[str, Any] = {}
        for name, value in self._unknown(plain, _SEARCHED if own else _NONE):
            redacted = self._attribute(name, value)
            if redacted is not value and redacted != value:
                changed[name] = redacted
            else:
                self._learn(name, value)
        if not changed:
            return None
        return {name: value for name, value in {**plain, **changed}.items() if value is not None}

    def _unknown(self, attributes: dict[str, Any], skipped: Set[str]) -> Iterator[tuple[str, Any]]:
        """The attributes that are still to be searched."""
        known = self._known
        for pair in attributes.items():
            name, value = pair
            kind = type(value)
            if kind is str:
                is_known = pair in known
            elif kind in _NUMBERS:
                is_known = name in self._numeric
            else:
                is_known = kind is tuple and _TEXTS.issuperset(map(type, value)) and pair in known
            if not is_known and name not in skipped:
                yield pair

    def _learn(self, name: str, value: Any) -> None:
        """Remember an attribute in which no secret was found."""
        if is_short(value):
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known.add((name, value))
        elif type(value) in _NUMBERS and classify_key(name) not in SECRETS:
            if len(self._numeric) >= _KNOWN:
                self._numeric.clear()
            self._numeric.add(name)

    def _attribute(self, name: str, value: Any) -> Any:
        if type(value) in _NUMBERS and classify_key(name) not in SECRETS:
            return value
        if not self._capture_content and _is_others_content(name):
            return None
        if type(value) is not str:
            return _value(value, classify_key(name), MAX_DEPTH)
        if not self._capture_content:
            if name == _QUERY:
                return None
            if name in _WITH_QUERY:
                value = value.partition("?")[0]
        return _kept_text(value, classify_key(name))

    def _events(self, events: Sequence[Event], *, own: bool) -> list[Event] | None:
        redacted = [self._event(event, own=own) for event in events]
        return redacted if any(new is not old for new, old in zip(redacted, events, strict=True)) else None

    def _event(self, event: Event, *, own: bool) -> Event:
        name, attributes = _text(event.name), self._attributes(event.attributes, own=own)
        if name == event.name and attributes is None:
            return event
        return Event(name, attributes if attributes is not None else event.attributes, event.timestamp)

    def _links(self, links: Sequence[Link]) -> list[Link] | None:
        changed = [self._attributes(link.attributes) for link in links]
        if all(attributes is None for attributes in changed):
            return None
        return [
            link if attributes is None else Link(link.context, attributes)
            for link, attributes in zip(links, changed, strict=True)
        ]

    def _scope(self, scope: InstrumentationScope) -> InstrumentationScope:
        cached = self._scopes.get(id(scope))
        if cached is None:
            attributes = self._attributes(scope.attributes)
            redacted = scope
            if attributes is not None:
                redacted = InstrumentationScope(scope.name, scope.version, scope.schema_url, attributes)
            if len(self._scopes) >= _CACHED_RESOURCES:
                self._scopes.clear()
            cached = self._scopes[id(scope)] = (scope, redacted)
        return cached[1]

    def _resource(self, resource: Resource) -> Resource:
        cached = self._resources.get(id(resource))
        if cached is None:
            attributes = self._attributes(resource.attributes)
            redacted = resource if attributes is None else Resource(attributes, resource.schema_url)
            if len(self._resources) >= _CACHED_RESOURCES:
                self._resources.clear()
            # The resource is kept too: an id may come again when its object is gone.
            cached = self._resources[id(resource)] = (resource, redacted)
        return cached[1]


def _is_others_content(name: str) -> bool:
    return name in semconv.OTHERS_CONTENT or name.startswith(semconv.OTHERS_CONTENT_PREFIXES)


class _Redacted(ReadableSpan):
    """A span with some parts replaced. It counts as dropped what the span had dropped."""

    def __init__(self, span: ReadableSpan, changed: Mapping[str, Any]) -> None:
        parts: dict[str, Any] = {
            "name": span.name,
            "context": span.context,
            "parent": span.parent,
            "resource": span.resource,
            "attributes": span.attributes,
            "events": span.events,
            "links": span.links,
            "kind": span.kind,
            "status": span.status,
            "start_time": span.start_time,
            "end_time": span.end_time,
            "instrumentation_scope": span.instrumentation_scope,
        }
        super().__init__(**{**parts, **changed})
        self._span = span

    @property
    def dropped_attributes(self) -> int:
        return self._span.dropped_attributes

    @property
    def dropped_events(self) -> int:
        return self._span.dropped_events

    @property
    def dropped_links(self) -> int:
        return self._span.dropped_links


def _state(state: TraceState) -> TraceState:
    """The state without the secrets that a caller has put there."""
    redacted = {name: _kept_text(value, classify_key(name)) for name, value in state.items()}
    return state if redacted == dict(state) else TraceState(list(redacted.items()))


def _with_state(context: SpanContext, state: TraceState) -> SpanContext:
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags, state)


def _value(value: Any, kind: KeyKind, depth: int) -> Any:
    """An attribute's value without secrets, and without what is deeper in it than *depth*."""
    match value:
        case None | bool():
            return value
        case str():
            return _kept_text(value, kind)
        case bytes():
            return REDACTED if kind in SECRETS else value
        case int() | float():
            return REDACTED if kind is KeyKind.SECRET else value
        case Mapping() if depth:
            return {
                key: _value(item, of_key if (of_key := classify_key(str(key))) in SECRETS else kind, depth - 1)
                for key, item in value.items()
            }
        case Sequence() if depth:
            items = list(value)
            secrets = secret_items(items)
            return tuple(_value(item, secrets.get(place, kind), depth - 1) for place, item in enumerate(items))
        case Mapping() | Sequence():
            return None  # deeper than what is sent
    return value


def _kept_text(text: str, kind: KeyKind) -> str:
    if not text or kind not in SECRETS or (kind is KeyKind.MAYBE_SECRET and text.isdecimal()):
        return _text(text)
    return REDACTED


def _text(text: str) -> str:
    return _short_text(text) if len(text) <= SHORT_CHARACTERS else redact_cached(text)


@lru_cache(maxsize=8192)
def _short_text(text: str) -> str:
    return redact_cached(text)
