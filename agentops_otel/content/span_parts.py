"""Reads events and links of an ended span of any library. The SDK's properties take as long without any as for one."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link

_EVENTS, _LINKS = ReadableSpan.events, ReadableSpan.links


def events_of(span: ReadableSpan) -> Sequence[Event]:
    """The events of the span."""
    # The field of the SDK's property, unless a subclass has its own property.
    has_none = type(span).events is _EVENTS and not getattr(span, "_events", True)
    return () if has_none else span.events


def links_of(span: ReadableSpan) -> Sequence[Link]:
    """The links of the span."""
    has_none = type(span).links is _LINKS and not getattr(span, "_links", True)
    return () if has_none else span.links
