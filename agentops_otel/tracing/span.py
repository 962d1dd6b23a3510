"""The span of our tracer: OpenTelemetry's `Span` and the SDK's `ReadableSpan`, at a fraction of the SDK span's cost.

An instance holds only what differs from the class. Ids are integers; the `SpanContext`, events and links are made when
they are needed. Attributes are set without locks: each step is one operation on a dict, which is atomic under the
interpreter's lock. On a free-threaded build two threads that end one span at the same moment may both deliver it.
"""

import copy
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from time import time_ns
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import EventBase, ReadableSpan, SpanLimits
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationInfo, InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import Attributes, AttributeValue

from agentops_otel import semconv
from agentops_otel.content import Content
from agentops_otel.guard import guard
from agentops_otel.tracing.content_policy import apply_policy, redacted, redacted_event, redacted_link
from agentops_otel.tracing.exceptions import qualified_name, stack_text
from agentops_otel.tracing.processors import Dispatch

T = TypeVar("T")

_sdk_logger = logging.getLogger("opentelemetry.sdk.trace")  # filters of the SDK's warnings apply to these
_attributes_logger = logging.getLogger("opentelemetry.attributes")
_FULL = (
    "Attributes dict is full. Dropping the oldest key-value pair from attributes to make space for the new"
    " key-value pair."
)
_PLAIN: frozenset[type] = frozenset((bool, int, float, bytes, type(None)))
_NONE: tuple[Any, ...] = ()
_CONTENT = semconv.CONTENT
_UNSET = Status(StatusCode.UNSET)
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SAMPLED_RANDOM = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)


_EMPTY_STATE = SpanContext(1, 2, is_remote=False).trace_state
_IS_TUPLE_OF_SIX = tuple(SpanContext(1, 2, is_remote=False)) == (1, 2, False, TraceFlags(0), _EMPTY_STATE, True)


def _local_context(trace_id: int, span_id: int, flags: TraceFlags, state: TraceState | None) -> SpanContext:
    """As `SpanContext(...)`, at a fifth of its cost while it is the tuple that it has been."""
    if not (_IS_TUPLE_OF_SIX and 0 < trace_id < 1 << 128 and 0 < span_id < 1 << 64):
        return SpanContext(trace_id, span_id, False, flags, state)
    return tuple.__new__(SpanContext, (trace_id, span_id, False, flags, _EMPTY_STATE if state is None else state, True))


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


class SharedAttributes(dict[str, Any]):
    """Attributes that many spans have: one object, which never changes."""

    __slots__ = ("_derived",)

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        super().__init__(attributes)
        self._derived: dict[Callable[[Mapping[str, Any]], Any], Any] = {}

    def once(self, derive: Callable[[Mapping[str, Any]], T]) -> T:
        """What *derive* makes of the attributes; it is called for the first of the spans alone."""
        derived = self._derived
        if derive not in derived:
            derived[derive] = derive(self)
        return derived[derive]  # type: ignore[no-any-return]  # what this function has made


PartsOfCall = tuple[SharedAttributes, Mapping[str, str]]
"""The attributes of a decorated call's span: those that its function's spans share, and the content of this call."""


def parts_of_call(span: ReadableSpan) -> PartsOfCall | None:
    """The attributes in two parts; None for a span that is no decorated call's, or that got other attributes too."""
    return span.parts_of_call() if isinstance(span, LazySpan) else None


class CallForm:
    """The common part of a decorated function's spans, while the session and the agent stay the same.

    Args:
        name: The spans' name.
        values: Their attributes, without content.
        input_name: The attribute for the arguments.
        output_name: The attribute for the result.
        named: Gives each of a call's positional arguments its name.
    """

    __slots__ = ("input_name", "name", "named", "output_name", "values")

    def __init__(
        self,
        name: str,
        values: SharedAttributes,
        input_name: str,
        output_name: str,
        named: Callable[[tuple[Any, ...]], dict[str, object]],
    ) -> None:
        self.name = name
        self.values = values
        self.input_name = input_name
        self.output_name = output_name
        self.named = named


class _ValuesOfCall:
    """Descriptor: makes `_values` of a decorated call's span on first use. Other spans have them from the start."""

    def __get__(self, span: Any, kind: type) -> Any:
        # Of two threads that read at the same time both get the same dict: this is one operation on one.
        return span.__dict__.setdefault("_values", span.values_of_call())


class CheckedAttributes(dict[str, Any]):
    """Attributes of exact types and bounded size, which a span takes as they are. They have no list."""


class DeferredAttributes(Protocol):
    """Attributes that are read when somebody asks for a span's attributes, usually on the exporting thread."""

    @property
    def replaces(self) -> bool:
        """Whether they replace attributes of the same names that are set by then: the last ones of a span do."""

    def attributes(self) -> Mapping[str, Any]:
        """Attributes as they are kept."""

    def content(self) -> Mapping[str, object]:
        """Values to be redacted and written as JSON. Not called with content off."""


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
    _events: Sequence[Any] = _NONE
    _links: Sequence[Link] = _NONE
    _dropped_attributes = 0
    _has_unread = False
    """Whether attributes are still deferred, or `_values` may have content that still needs the policy: it stands in
    lists (see `put_unread`)."""
    _deferred: Sequence[DeferredAttributes] = _NONE
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
    _content: Mapping[str, str] | None = None
    """The redacted content of a decorated call, once `parts_of_call` has made it."""

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
            self._values, self._deferred, self._has_unread = after, _NONE, False
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
        if self._has_values or self._end_time is None:
            return None
        shared = self._form.values
        if self._content is None:
            recorded = self._recorded()
            if len(shared) + len(recorded) > self._tracer.attribute_limit:
                return None
            self._content = _redacted_content(self._tracer.policy, recorded)
        return shared, self._content

    def _recorded(self) -> dict[str, list[Any]]:
        """The content of a decorated call as it was recorded, in lists."""
        form, given = self._form, self._given
        recorded = {}
        if given is not None and (named := form.named(given) if type(given) is tuple else given):
            recorded[form.input_name] = [named]
        if self._result is not None:
            recorded[form.output_name] = [self._result]
        return recorded

    def values_of_call(self) -> dict[str, Any]:
        """The attributes of a decorated call, content as it was recorded."""
        self._has_values = True  # first: a result that comes later is an attribute like any other
        values = {**self._form.values, **self._recorded()}
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
        return 0 if self._events is _NONE else super().dropped_events

    @property
    def dropped_links(self) -> int:
        """Number of links that were removed for newer ones."""
        return 0 if self._links is _NONE else super().dropped_links


def _redacted_content(policy: Content | None, recorded: Mapping[str, list[Any]]) -> dict[str, str]:
    if policy is None:
        return {}
    texts = {name: policy.json(name, value) for name, (value,) in recorded.items()}
    return {name: text for name, text in texts.items() if text is not None}


class EndedSpan(LazySpan):
    """An ended span as processors get it: it cannot be changed, and they may keep it."""

    def __init__(self, span: "Span") -> None:
        # One for both: content that is read here need not be read there. A new one: Python 3.13's garbage collector
        # empties what is in the dict of an object that is gone, if another object has that dict.
        self.__dict__ = span.__dict__ = dict(span.__dict__)

    def __copy__(self) -> "EndedSpan":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "EndedSpan":
        twin = object.__new__(EndedSpan)
        twin.__dict__ = {**self.__dict__, "_values": copy.deepcopy(self._attributes, memo)}
        return twin


class Span(LazySpan, sdk_trace.Span):
    """A running span. `Tracer.start_span` makes it."""

    _record_exception = True
    _set_status_on_exception = True
    _record_end_metrics: Callable[[], None] | None = None
    _server_span: "Span | None" = None
    """The request's span, of a span that a web framework makes below it."""
    _trace_config = None

    def __new__(cls, *args: object, **settings: object) -> "Span":
        """Raises TypeError: only a tracer makes spans."""
        raise TypeError("Span must be instantiated via a tracer.")

    @property
    def _limits(self) -> SpanLimits:
        return self._tracer._span_limits

    @property
    def _sampler(self) -> Sampler:  # type: ignore[override]
        return self._tracer.sampler

    @property
    def _span_processor(self) -> object:  # type: ignore[override]
        return self._tracer.span_processor

    @property
    def attributes(self) -> Attributes:
        """The attributes, as a read-only view of the live ones."""
        self._was_read = True
        return MappingProxyType(self._attributes)

    def is_recording(self) -> bool:
        """True until the span has ended."""
        return self._end_time is None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set an attribute, in place of one of that name. After the end of the span this does nothing but warn."""
        if self._end_time is not None and self._refuses("Setting attribute on ended span."):
            return
        tracer, kind = self._tracer, type(value)
        if type(key) is not str or not key or not ((kind is str and tracer.text_limit is None) or kind in _PLAIN):
            with guard("setting an attribute"):  # the value's own `__str__` may run
                self._put_strange(key, value)
        elif key in _CONTENT and tracer.policy is not None:
            self._put_content(key, value)
        elif key in (values := self._values) or len(values) >= tracer.attribute_limit:
            self.put(key, value)
        else:
            values[key] = value

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set several attributes, as `set_attribute` does each."""
        if self._end_time is not None and self._refuses("Setting attribute on ended span."):
            return
        with guard("setting attributes"):
            if type(attributes) is CheckedAttributes and self.takes(attributes):
                self._values.update(attributes)
                return
            for key, value in attributes.items():
                self.set_attribute(key, value)

    def takes(self, attributes: CheckedAttributes) -> bool:
        """Whether the attributes have only to be added: none is content, replaces one, or is one too many."""
        values, tracer = self._values, self._tracer
        return (
            tracer.text_limit is None
            and len(values) + len(attributes) <= tracer.attribute_limit
            and semconv.CONTENT.isdisjoint(attributes)
            and (not values or values.keys().isdisjoint(attributes))
        )

    def _refuses(self, message: str, *arguments: object) -> bool:
        """For an ended span: log *message* and return True. False while a processor's `_on_ending` runs."""
        if not self._is_ending:
            _sdk_logger.warning(message, *arguments)
        return not self._is_ending

    @property
    def tracer(self) -> SpanSource:
        """The tracer that made the span."""
        return self._tracer

    def raw_values(self) -> Iterable[object]:
        """The values of the attributes, content as it was recorded."""
        return list(self._values.values())

    def put(self, key: str, value: Any) -> None:
        """Set an attribute whose value may be kept as it is: it needs neither the SDK's rules nor the policy."""
        values = self._values
        if key in values:
            del values[key]  # one that is set again moves to the end
        if len(values) >= self._tracer.attribute_limit:
            self._dropped_attributes += 1
            if not values:
                return  # the limit is 0
            _attributes_logger.warning(_FULL)
            del values[next(iter(values))]
        values[key] = value

    def _put_strange(self, key: object, value: object) -> None:
        """Set an attribute that the SDK's rules reject, convert or truncate."""
        bounded = BoundedAttributes(immutable=False, max_value_len=self._tracer.text_limit)
        bounded[key] = value  # type: ignore[index,assignment]  # it says what is wrong, and warns
        self._dropped_attributes += bounded.dropped
        for name, cleaned in bounded.items():
            if name in semconv.CONTENT and self._tracer.policy is not None:
                self._put_content(name, cleaned)
            else:
                self.put(name, cleaned)

    def _put_content(self, key: str, value: object) -> None:
        """Set a content attribute of the program or a library. The policy is applied before it can be read."""
        policy = self._tracer.policy
        if policy is None or policy.enabled:
            self.put_unread(key, [value, None])

    def defer(self, attributes: DeferredAttributes) -> None:
        """Set attributes that are read later."""
        if self._deferred is _NONE:
            self._deferred = []
        self._deferred.append(attributes)  # type: ignore[attr-defined]  # a list by now
        self._has_unread = True
        if self._was_read:
            _ = self._attributes

    def put_unread(self, key: str, unread: list[Any]) -> None:
        """Set content that is written and redacted when the attributes are read.

        Args:
            key: The attribute's name.
            unread: `[value]`: written as JSON; `[value, None]`: an attribute's value, redacted.
        """
        self.put(key, unread)
        self._has_unread = True
        if self._was_read:
            _ = self._attributes

    def _add_event(self, event: EventBase) -> None:
        if self._end_time is not None and self._refuses("Tried calling %s on an ended span.", "_add_event"):
            return
        if self._events is _NONE:
            self._events = BoundedList(self._limits.max_events)
        self._events.append(event)  # type: ignore[attr-defined]  # a BoundedList by now

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Record an event. Messages of exceptions and GenAI events are content, also if a library records them."""
        with guard("adding an event"):
            policy = self._tracer.policy
            if attributes and policy is not None:
                attributes = redacted_event(policy, name, attributes)
            super().add_event(name, attributes, timestamp)

    def _add_link(self, link: Link) -> None:
        if self._end_time is not None and self._refuses("Tried calling %s on an ended span.", "_add_link"):
            return
        if self._links is _NONE:
            self._links = BoundedList(self._limits.max_links)
        self._links.append(link)  # type: ignore[attr-defined]

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Link another span. Messages in the link's attributes are content, also if a library gives them."""
        with guard("adding a link"):
            policy = self._tracer.policy
            link = Link(context, attributes)
            super().add_link(context, attributes if policy is None else redacted_link(policy, link).attributes)

    def _new_links(self, links: Sequence[Link]) -> BoundedList[Link]:
        policy = self._tracer.policy
        kept = links if policy is None else [redacted_link(policy, link) for link in links]
        return super()._new_links(kept)  # type: ignore[no-any-return]

    def update_name(self, name: str) -> None:
        """Rename the span."""
        if self._end_time is None or not self._refuses("Tried calling %s on an ended span.", "update_name"):
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status; OK is final, and UNSET is ignored."""
        if self._end_time is not None and self._refuses("Tried calling %s on an ended span.", "set_status"):
            return
        policy = self._tracer.policy
        code = status.status_code if isinstance(status, Status) else status
        if self._status.status_code is StatusCode.OK or code is StatusCode.UNSET:
            return
        if isinstance(status, Status):
            if description is not None:
                _sdk_logger.warning(
                    "Description %s ignored. Use either `Status` or `(StatusCode, Description)`",
                    description if policy is None else redacted(policy, semconv.EXCEPTION_MESSAGE, description),
                )
            code, description = status.status_code, status.description
        elif not isinstance(status, StatusCode):
            return
        if description and policy is not None:
            description = redacted(policy, semconv.EXCEPTION_MESSAGE, description)
        self._status = Status(code, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Record an exception as an event, with the innermost frames of its stack."""
        with guard("recording an exception"):
            event: dict[str, Any] = {
                semconv.EXCEPTION_TYPE: qualified_name(type(exception)),
                semconv.EXCEPTION_MESSAGE: str(exception),
                semconv.EXCEPTION_STACKTRACE: stack_text(exception),
                semconv.EXCEPTION_ESCAPED: str(escaped),
                **(attributes or {}),
            }
            self.add_event(semconv.EXCEPTION_EVENT, event, timestamp)

    def start(self, start_time: int | None = None, parent_context: object = None) -> None:
        """Does nothing: a tracer's spans are started."""
        _sdk_logger.warning("Calling start() on a started span.")

    def end(self, end_time: int | None = None) -> None:
        """End the span and hand it to the processors; a second call does nothing but warn."""
        now = time_ns() if end_time is None else end_time
        # Between this test and the next line no other thread runs under the interpreter's lock: nothing is called.
        if self._end_time is not None:
            _sdk_logger.warning("Calling end() on an ended span.")
            return
        self._end_time = now
        tracer = self._tracer
        if tracer.counts_spans and self._record_end_metrics is not None:
            self._record_end_metrics()
        dispatch = tracer.latest_dispatch
        if (
            dispatch.source._span_processors is not dispatch.processors
            or dispatch.relay.targets is not dispatch.targets
        ):
            dispatch = tracer.dispatch()
        if dispatch.on_ending:
            self._is_ending = True
            try:
                for on_ending in dispatch.on_ending:
                    on_ending(self)
            finally:
                self._is_ending = False
        ended: ReadableSpan = self if dispatch.takes_running else EndedSpan(self)
        for on_end in dispatch.on_end:
            on_end(ended)

    def set_result(self, result: Any) -> None:
        """Set the snapshot of a decorated call's result."""
        if self._end_time is None:
            self._result = result
            if self._has_values:
                self.put_unread(self._form.output_name, [result])

    def _readable_span(self) -> ReadableSpan:
        return EndedSpan(self)
