"""The readable side of a span of ours: what the SDK keeps in fields is made when it is read.

An instance holds only what differs from the class. Ids are integers; the `SpanContext`, events and links are made when
they are needed.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationInfo, InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import AttributeValue

from agentops_otel.content import Content
from agentops_otel.guard import guard
from agentops_otel.tracing.content_policy import apply_policy
from agentops_otel.tracing.processors import Dispatch
from agentops_otel.tracing.span_attributes import CallForm, DeferredAttributes

NONE: tuple[Any, ...] = ()
"""No events, no links: one object, which `is` tells from any other."""
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SAMPLED_RANDOM = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)
_UNSET = Status(StatusCode.UNSET)
_MOST_CONTENT = 2
"""Attributes with the content of a decorated call: its arguments and its result."""

Ids = tuple[int, int, TraceState | None, int | None, bool]
"""Trace id, span id, trace state, the parent's span id if there is one, and whether the parent is remote."""


def ids_of(span: ReadableSpan) -> Ids:
    """The ids of any span."""
    if isinstance(span, LazySpan):
        return span.ids()
    context, parent = span.context, span.parent
    if parent is None:
        return context.trace_id, context.span_id, context.trace_state, None, False
    return context.trace_id, context.span_id, context.trace_state, parent.span_id, parent.is_remote


def is_sampled(span: ReadableSpan) -> bool:
    """Whether any span is to be exported."""
    if isinstance(span, LazySpan):
        return span.is_sampled
    return span.context is not None and bool(span.context.trace_flags.sampled)


PartsOfCall = tuple[CallForm, Mapping[str, str], Ids]
"""A decorated call's span: what its function's spans share, the content of this call, redacted, and its ids."""


def parts_of_call(span: ReadableSpan) -> PartsOfCall | None:
    """The parts of an ended span that has nothing else but its times.

    None for a span that is no decorated call's, for one that failed, was renamed or got attributes, events or links
    besides, and for one of another kind than INTERNAL or with a trace state.
    """
    return span.parts_of_call() if isinstance(span, LazySpan) else None


class SpanSource(sdk_trace.Tracer):
    """The attributes of a tracer that its spans read."""

    policy: Content | None = None
    """The content policy for attributes and exceptions set by the program or a library; None: kept as they are."""
    attribute_limit: int
    """The most attributes of a span."""
    text_limit: int | None
    """The most characters of a text in a span's attribute; None: any number."""
    instrumentation_scope: InstrumentationScope
    counts_spans: bool
    """Whether spans are counted in the SDK's own metrics."""
    latest_dispatch: Dispatch
    """The last result of `dispatch`, which is called again only when the processors have changed."""

    def start(self, span: Any, context: Context | None = None, start_time: int | None = None) -> None:
        """Start a span that `begin` made."""
        raise NotImplementedError

    def dispatch(self) -> Dispatch:
        """The calls at a span's start and end, for the provider's current processors."""
        raise NotImplementedError


class _ValuesOfCall:
    """Descriptor: makes `_values` of a decorated call's span on first use. Other spans have them from the start."""

    def __get__(self, span: Any, kind: type) -> Any:
        # Of two threads that read at the same time both get the same dict: this is one operation on one.
        return span.__dict__.setdefault("_values", span.values_of_call())


class LazySpan(ReadableSpan):
    """The readable side of our span: makes what the SDK keeps in fields when it is read."""

    _kind = SpanKind.INTERNAL
    _status = _UNSET
    _end_time: int | None = None
    _trace_flags = SAMPLED_RANDOM
    _trace_state: TraceState | None = None
    _parent_id: int | None = None
    """The span id of a parent of ours, with our trace id, flags and state; `_parent_context` is any other parent."""
    _parent_context: SpanContext | None = None
    _made_context: SpanContext | None = None
    _events: Sequence[Any] = NONE
    _links: Sequence[Link] = NONE
    _dropped_attributes = 0
    _has_unread = False
    """Whether attributes are still deferred, or `_values` may have content that still needs the policy: it stands in
    lists (see `put_unread`)."""
    _deferred: Sequence[DeferredAttributes] = NONE
    _is_ending = False
    """True while the processors' `_on_ending` runs."""
    _was_read = False
    """True once a live span's attributes were handed out: from then on content is redacted when it is set."""

    # Set on each instance.
    _tracer: SpanSource
    _resource: Resource
    _name: str
    _trace_id: int
    _span_id: int
    _start_time: int
    _values: dict[str, Any] = _ValuesOfCall()  # type: ignore[assignment]  # it says what it is
    """The attributes, a dict."""

    # Set on the span of a decorated call, until `_values` are there.
    _form: CallForm
    _given: Any
    """The arguments: a tuple of positional ones, or a snapshot of all by their names; None: not recorded."""
    _result: Any = None
    """The result, a snapshot; None: not recorded."""
    _has_values = True
    """False on the span of a decorated call, until the moment that `_values` are made."""
    _parts: PartsOfCall | None = None
    """What `parts_of_call` has returned."""

    @property
    def _context(self) -> SpanContext:  # type: ignore[override]  # a field of the SDK's
        context = self._made_context
        if context is None:
            context = _local_context(self._trace_id, self._span_id, self._trace_flags, self._trace_state)
            self._made_context = context
        return context

    @property
    def _parent(self) -> SpanContext | None:  # type: ignore[override]
        if self._parent_id is None:
            return self._parent_context
        return _local_context(self._trace_id, self._parent_id, self._trace_flags, self._trace_state)

    @property
    def is_sampled(self) -> bool:
        """Whether the span is to be exported."""
        return bool(self._trace_flags & TraceFlags.SAMPLED)

    def ids(self) -> Ids:
        """The span's ids, without the objects that hold them elsewhere."""
        parent = self._parent_context
        if parent is None:
            return self._trace_id, self._span_id, self._trace_state, self._parent_id, False
        return self._trace_id, self._span_id, self._trace_state, parent.span_id, parent.is_remote

    @property
    def _attributes(self) -> dict[str, AttributeValue]:  # type: ignore[override]
        while self._has_unread:  # again if another thread has added content meanwhile
            self._apply_policy()
        return self._values

    def _apply_policy(self) -> None:
        """Redact the content of `_values`. Of two threads that read at the same time both do it, to the same end."""
        policy, deferred, before = self._tracer.policy, list(self._deferred), dict(self._values)
        after = apply_policy(policy, self._with_deferred(before, deferred) if deferred else before)
        if self._end_time is not None and not self._is_ending:  # nobody sets attributes any more
            self._values, self._deferred, self._has_unread = after, NONE, False
            return
        values = self._values
        for name in before.keys() - after.keys():
            values.pop(name, None)
        for name, value in after.items():
            if value is not (earlier := before.get(name)) and values.get(name) is earlier:
                values[name] = value
        for one in deferred:
            with suppress(ValueError):
                self._deferred.remove(one)  # type: ignore[attr-defined]  # a list, as it has one
        self._has_unread = False
        if self._deferred or any(type(value) is list for value in list(values.values())):
            self._has_unread = True

    def _with_deferred(self, values: dict[str, Any], deferred: Iterable[DeferredAttributes]) -> dict[str, Any]:
        """The attributes and the deferred ones, as many as there is room for."""
        tracer, values = self._tracer, values.copy()
        for one in deferred:
            read: dict[str, Any] = {}
            with guard("reading a request or a response"):
                read.update(one.attributes())
                if tracer.policy is not None and tracer.policy.enabled:
                    read.update({name: [value] for name, value in one.content().items()})
            for name, value in read.items():
                if name in values:
                    values[name] = value if one.replaces else values[name]
                elif len(values) < tracer.attribute_limit:
                    values[name] = value
                else:
                    self._dropped_attributes += 1
        return values

    def parts_of_call(self) -> PartsOfCall | None:
        """See the function of this name."""
        if self._has_values:
            return None
        parts = self._parts
        if parts is None and self._has_only_its_call:
            parts = self._parts = self._form, self._content(), self.ids()
        return parts

    @property
    def _has_only_its_call(self) -> bool:
        form = self._form
        return (
            self._end_time is not None
            and self._name is form.name
            and self._status is _UNSET
            and self._events is NONE
            and self._links is NONE
            and not self._trace_state
            and self._kind is SpanKind.INTERNAL
            and len(form.values) + _MOST_CONTENT <= self._tracer.attribute_limit
        )

    def _content(self) -> dict[str, str]:
        """The content of a decorated call, redacted."""
        policy, content = self._tracer.policy, {}
        if policy is not None:
            for name, value in self._recorded():
                if value is not None and (text := policy.json(name, value)) is not None:
                    content[name] = text
        return content

    def _recorded(self) -> tuple[tuple[str, Any], tuple[str, Any]]:
        """The content of a decorated call as it was recorded; None: not recorded."""
        form, given = self._form, self._given or None
        named = form.named(given) or None if type(given) is tuple else given
        return (form.input_name, named), (form.output_name, self._result)

    def values_of_call(self) -> dict[str, Any]:
        """The attributes of a decorated call, content as it was recorded."""
        self._has_values = True  # first: a result that comes later is an attribute like any other
        recorded = {name: [value] for name, value in self._recorded() if value is not None}
        values = {**self._form.values, **(self._parts[1] if self._parts else recorded)}
        if (excess := len(values) - self._tracer.attribute_limit) > 0:
            self._dropped_attributes = excess
            for name in list(values)[:excess]:  # the oldest go
                del values[name]
        return values

    @property
    def _instrumentation_scope(self) -> InstrumentationScope:  # type: ignore[override]
        return self._tracer.instrumentation_scope

    @property
    def _instrumentation_info(self) -> InstrumentationInfo:  # type: ignore[override]
        return self._tracer.instrumentation_info

    @property
    def dropped_attributes(self) -> int:
        """Number of attributes that were rejected, or removed for newer ones."""
        return self._dropped_attributes

    @property
    def dropped_events(self) -> int:
        """Number of events that were removed for newer ones."""
        return 0 if self._events is NONE else super().dropped_events

    @property
    def dropped_links(self) -> int:
        """Number of links that were removed for newer ones."""
        return 0 if self._links is NONE else super().dropped_links


class EndedSpan(LazySpan):
    """An ended span as processors get it: it cannot be changed, and they may keep it."""

    def __init__(self, span: LazySpan) -> None:
        # One for both: content that is read here need not be read there. A new one: Python 3.13's garbage collector
        # empties what is in the dict of an object that is gone, if another object has that dict.
        self.__dict__ = span.__dict__ = dict(span.__dict__)

    def __copy__(self) -> "EndedSpan":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "EndedSpan":
        twin = object.__new__(EndedSpan)
        twin.__dict__ = {**self.__dict__, "_values": copy.deepcopy(self._attributes, memo)}
        return twin


_EMPTY_STATE = SpanContext(1, 2, is_remote=False).trace_state
_IS_TUPLE_OF_SIX = tuple(SpanContext(1, 2, is_remote=False)) == (1, 2, False, TraceFlags(0), _EMPTY_STATE, True)


def _local_context(trace_id: int, span_id: int, flags: TraceFlags, state: TraceState | None) -> SpanContext:
    """As `SpanContext(...)`, at a fifth of its cost while it is the tuple that it has been."""
    if not (_IS_TUPLE_OF_SIX and 0 < trace_id < 1 << 128 and 0 < span_id < 1 << 64):
        return SpanContext(trace_id, span_id, False, flags, state)
    return tuple.__new__(SpanContext, (trace_id, span_id, False, flags, _EMPTY_STATE if state is None else state, True))
