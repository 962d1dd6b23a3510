"""The span of our tracer: OpenTelemetry's `Span` and the SDK's `ReadableSpan`, at a fraction of the SDK span's cost.

Attributes are set without locks: each step is one operation on a dict, which is atomic under the interpreter's lock. On
a free-threaded build two threads that end one span at the same moment may both deliver it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import time_ns
from types import MappingProxyType
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.trace import EventBase, ReadableSpan, SpanLimits
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import Link, SpanContext, Status, StatusCode
from opentelemetry.util.types import Attributes, AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.tracing.content_policy import redacted, redacted_event, redacted_link
from agentops_otel.tracing.exceptions import qualified_name, stack_text
from agentops_otel.tracing.lazy_span import NONE, EndedSpan, LazySpan, SpanSource
from agentops_otel.tracing.span_attributes import CheckedAttributes, DeferredAttributes

_sdk_logger = logging.getLogger("opentelemetry.sdk.trace")  # filters of the SDK's warnings apply to these
_attributes_logger = logging.getLogger("opentelemetry.attributes")
_FULL = (
    "Attributes dict is full. Dropping the oldest key-value pair from attributes to make space for the new"
    " key-value pair."
)
_PLAIN: frozenset[type] = frozenset((bool, int, float, bytes, type(None)))
_CONTENT = semconv.CONTENT


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
        if self._deferred is NONE:
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
        if self._events is NONE:
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
        if self._links is NONE:
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
