"""What every maker of spans is given: a tracer, the content policy, and what the running session adds."""

import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakKeyDictionary

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,
    Context,
    attach,
    create_key,
    detach,
    get_current,
    set_value,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content import Content
from agentops_otel.guard import guard
from agentops_otel.tracing.finalizing import finalize

SUPPRESS_KEY = _SUPPRESS_INSTRUMENTATION_KEY
"""Set in a context, it keeps every instrumentation still. OpenTelemetry has no public name for it."""

SPAN_LIMIT_BYTES = 256 * 1024
"""What the content of one span may hold in all, in UTF-8 bytes."""

MARK_BYTES = 128
"""What an attribute of a full span still gets: enough to say what is missing."""


_INHERITED = create_key("agentops_otel_inherited")
_OFFER = create_key("agentops_otel_offer")

_here: ContextVar[None] = ContextVar("agentops_otel_here")


class Scope(Protocol):
    """What the running session adds to every span."""

    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        """The attributes of every span that starts in *current*: `session.id`, the tags."""

    def context(self, current: Context) -> Context:
        """The context whose span is the parent of a span that starts now in *current*."""


class Leavable(Protocol):
    """Something with a span, of which nobody knows whether it comes to its end: a stream."""

    def left(self) -> None:
        """End the span, if it is open: nobody waits for the rest."""


class Offer:
    """A call that a layer above the client libraries can tell, unless one of those tells it.

    `taken` becomes true when a span of kind CLIENT starts in the offer's context.
    """

    __slots__ = ("taken",)

    def __init__(self) -> None:
        self.taken = False

    def context(self) -> Context:
        """The current context with the offer in it."""
        return set_value(_OFFER, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Starts, fills and ends the spans of ours; the one door from our code to OpenTelemetry."""

    tracer: Tracer
    content: Content
    scope: Scope
    clock: Callable[[], int] = time.time_ns
    """Nanoseconds since the epoch; counted in tests."""
    events: Content | None = None
    """What the conventions' events of a call may say; None: there are none."""
    open: WeakKeyDictionary[Leavable, int] = field(default_factory=WeakKeyDictionary, compare=False, repr=False)
    """What is to be left at the end, with the process that began it."""

    def begun(self, one: Leavable) -> None:
        """Something has begun that may still be held when the program ends; it is not kept alive."""
        self.open[one] = os.getpid()

    def leave(self) -> None:
        """End the spans of what is open, but for what the parent of a fork began."""
        with guard("ending what is open"):
            for known in self.open.keyrefs():  # a copy: other threads go on
                if (one := known()) is not None and self.open.get(one) == os.getpid():
                    one.left()

    def start(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        context: Context | None = None,
        links: Sequence[Link] = (),
        start_time: int | None = None,
    ) -> Span:
        """A started span, not yet current; one that records nothing while tracing is suppressed.

        Args:
            name: The span's name.
            kind: INTERNAL, or CLIENT for a call that leaves the process.
            attributes: What samplers may see; the session's are added.
            context: Where the parent is; the current one by default.
            links: Other spans that this one belongs with.
            start_time: Nanoseconds since the epoch; now by default.
        """
        current = get_current() if context is None else context
        if current.get(SUPPRESS_KEY):
            return INVALID_SPAN
        if kind is SpanKind.CLIENT and isinstance(offer := current.get(_OFFER), Offer):
            offer.taken = True
        return self.tracer.start_span(
            name,
            context=self.scope.context(current),
            kind=kind,
            attributes={
                **self.scope.attributes(current),
                **current.get(_INHERITED, {}),  # type: ignore[dict-item]  # a Context says of no value what it is
                **(attributes or {}),
            },
            links=links,
            start_time=self.clock() if start_time is None else start_time,
        )

    def end(self, span: Span, end_time: int | None = None) -> None:
        """End the span, now or at *end_time* (nanoseconds since the epoch)."""
        finalize(span.end, self.clock() if end_time is None else end_time)

    def content_of(self, span: Span, name: str, value: object, *, held: int | None = None) -> int:
        """Set the attribute *name* to the value as JSON, as far as the content policy and the span's size let it.

        A span that is full gets what still fits, at the least a mark in the value's place.

        Args:
            span: The span.
            name: The attribute.
            value: The value.
            held: The bytes of content that the span holds already; counted where they are not given.

        Returns:
            The bytes that were added.
        """
        if self.content.enabled and span.is_recording():
            room = max(SPAN_LIMIT_BYTES - (_content_bytes(span) if held is None else held), MARK_BYTES)
            text = self.content.json(name, value, limit_bytes=room)
            if text is not None:
                span.set_attribute(name, text)
                return _size(text)
        return 0

    def text_of(self, span: Span, name: str, text: str) -> None:
        """Set the attribute *name* to the text as it is, as far as the content policy and the span's size let it."""
        if self.content.enabled and span.is_recording():
            kept = self.content.text(name, text)
            if kept is not None and _content_bytes(span) + len(kept) <= SPAN_LIMIT_BYTES:
                span.set_attribute(name, kept)

    def fail(self, span: Span, error: BaseException) -> None:
        """Say that the span's work failed: status ERROR, `error.type` and one exception event.

        The message and the stack trace are content: redacted, and left out when content is off.
        """
        kind = qualified_name(type(error))
        self.mark_failed(span, kind)  # whatever becomes of the text
        with guard("recording an exception"):
            message = self._message(error)
            event: dict[str, AttributeValue] = {semconv.EXCEPTION_TYPE: kind}
            if message is not None:
                event[semconv.EXCEPTION_MESSAGE] = message
            stack = self.content.text(semconv.EXCEPTION_STACKTRACE, "".join(traceback.format_exception(error)))
            if stack is not None:
                event[semconv.EXCEPTION_STACKTRACE] = stack
            span.add_event(semconv.EXCEPTION_EVENT, event, timestamp=self.clock())
            span.set_status(StatusCode.ERROR, message or kind)

    def _message(self, error: BaseException) -> str | None:
        """The exception's text, as far as it may be told; reading it runs the app's code, which may fail."""
        with guard("reading an exception's text"):
            return self.content.text(semconv.EXCEPTION_MESSAGE, str(error)) if self.content.enabled else None
        return None

    def mark_failed(self, span: Span, kind: str, message: str | None = None) -> None:
        """Status ERROR and `error.type`, for a failure that is no exception; *message* has been through `content`."""
        span.set_attribute(semconv.ERROR_TYPE, kind)
        span.set_status(StatusCode.ERROR, message or kind)

    @contextmanager
    def current(self, span: Span, context: Context | None = None) -> Iterator[None]:
        """Make the span the current one for the block. Never hold it open across a `yield` of a generator.

        Args:
            span: The span.
            context: What else is to hold in the block; the current context by default.
        """
        here = _here.set(None)
        token = attach(set_span_in_context(span, context))
        try:
            yield
        finally:
            # Left in another contextvars.Context (a coroutine that the garbage collector closes) there is nothing to
            # undo. Our own variable finds out without a word; OpenTelemetry's `detach` would log a traceback.
            with suppress(ValueError):
                _here.reset(here)
                detach(token)


def inheriting(attributes: Mapping[str, AttributeValue], context: Context | None = None) -> Context:
    """A context in which every span carries *attributes*, in place of those that it inherited before."""
    return set_value(_INHERITED, attributes, context)


def qualified_name(kind: type) -> str:
    """The class's name as `error.type` wants it: `openai.RateLimitError`, `ValueError`."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _content_bytes(span: Span) -> int:
    attributes = span.attributes if isinstance(span, ReadableSpan) else None
    return sum(_size(value) for value in (attributes or {}).values() if isinstance(value, str))


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
