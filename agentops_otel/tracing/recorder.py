"""`Recorder`: starts, fills and ends spans, with a tracer, the content policy and the session's attributes."""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from opentelemetry.context import Context, create_key, set_value
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace import Span as SDKSpan
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    TracerProvider,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content import Content, snapshot
from agentops_otel.guard import guard
from agentops_otel.tracing.content_policy import MARK_BYTES, SPAN_LIMIT_BYTES, size
from agentops_otel.tracing.context import SPAN_KEY, SUPPRESS_KEY, attached, current_context, is_suppressed
from agentops_otel.tracing.exceptions import origin_of, qualified_name, stack_text
from agentops_otel.tracing.gc_safe import is_collecting, run_outside_gc, state
from agentops_otel.tracing.lazy_span import SAMPLED_RANDOM
from agentops_otel.tracing.parents import begins_own_trace
from agentops_otel.tracing.span import Span as OwnSpan
from agentops_otel.tracing.span_attributes import CallForm, CheckedAttributes
from agentops_otel.tracing.tracer import Tracer as OwnTracer

INHERITED_KEY = create_key("agentops_otel_inherited")
"""Context key: attributes that every span started in the context gets."""
_CLAIM = create_key("agentops_otel_claim")
_ending = guard("ending the span of a decorated function")


class SpanDefaults(Protocol):
    """Defaults of the running session for every span: its attributes, and the parent of a span that has none."""

    def attributes(self, current: Context) -> Mapping[str, AttributeValue]:
        """The attributes of every span that starts in *current*: `session.id`, the tags."""

    def context(self, current: Context) -> Context:
        """The context that holds the parent of a span that starts in *current*."""

    def at(self, current: Context) -> tuple[Mapping[str, AttributeValue], object]:
        """The attributes and the parent (or None). The same attributes object is returned until they change."""
        return self.attributes(current), self.context(current).get(SPAN_KEY)


class OpenStream(Protocol):
    """A streaming response whose span ends when it is exhausted, closed or collected."""

    def abandoned(self) -> None:
        """End the span if it is open: the program reads no further."""


class FallbackClaim:
    """Lets a framework record an LLM call only if no client library records it.

    `claimed` becomes True when a span of kind CLIENT starts in the claim's context.
    """

    __slots__ = ("claimed",)

    def __init__(self) -> None:
        self.claimed = False

    def context(self) -> Context:
        """The current context with the claim in it."""
        return set_value(_CLAIM, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Starts, fills and ends our spans; the only way from our code to OpenTelemetry's tracer."""

    tracer: Tracer
    content: Content
    defaults: SpanDefaults
    clock: Callable[[], int] = time.time_ns
    """Returns nanoseconds since the epoch; a counter in tests."""
    event_content: Content | None = None
    """The content policy of the GenAI events of a call; None: no events are made."""
    trusts_callers: bool = True
    """Whether the `traceparent` of an unknown caller, read by a web framework, is followed."""
    provider: TracerProvider | None = None
    """Provider for libraries that make their own spans, so that these go where ours go; None: the global one."""
    follows_mcp: bool = True
    """Whether an MCP server continues the trace that its client sends."""
    open_streams: WeakKeyDictionary[OpenStream, int] = field(
        default_factory=WeakKeyDictionary, compare=False, repr=False
    )
    """Open streams to end at shutdown, and the id of the process that started each."""

    def track_stream(self, stream: OpenStream) -> None:
        """Register an open stream so that shutdown ends its span. Holds a weak reference."""
        self.open_streams[stream] = os.getpid()

    def end_open_streams(self) -> None:
        """End all open streams that this process started."""
        with guard("ending open streams"):
            for reference in self.open_streams.keyrefs():  # a copy: other threads add streams meanwhile
                if (stream := reference()) is not None and self.open_streams.get(stream) == os.getpid():
                    stream.abandoned()

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
        """Start a span without making it the current one. While tracing is suppressed the span records nothing.

        Args:
            name: The span's name.
            kind: INTERNAL, or CLIENT for a call that leaves the process.
            attributes: Attributes that samplers see; the session's are added.
            context: The context that holds the parent; the current one by default.
            links: Links to other spans.
            start_time: Nanoseconds since the epoch; now by default.
        """
        current = current_context() if context is None else context
        tracer = self.tracer
        if current:
            if current.get(SUPPRESS_KEY) and is_suppressed(current):
                return INVALID_SPAN
            if kind is SpanKind.CLIENT and isinstance(claim := current.get(_CLAIM), FallbackClaim):
                claim.claimed = True
            if getattr(current.get(SPAN_KEY), "tracer", None) is not tracer:  # so it is not below spans of ours
                around = get_current_span(current)
                if around is not INVALID_SPAN and begins_own_trace(around, trusts_callers=self.trusts_callers):
                    current = set_span_in_context(INVALID_SPAN, current)
                    links = (*links, Link(around.get_span_context()))
        defaults, parent = self.defaults.at(current)
        values = CheckedAttributes(defaults)
        if inherited := current.get(INHERITED_KEY):
            values.update(inherited)  # type: ignore[call-overload]  # a Context says of no value what it is
        if attributes:
            values.update(attributes if self.content.enabled else _without_user_texts(attributes))
        start_time = self.clock() if start_time is None else start_time
        if type(attributes) is not CheckedAttributes or type(tracer) is not OwnTracer or not tracer.begins(parent):
            return tracer.start_span(
                name,
                context=self.defaults.context(current),
                kind=kind,
                attributes=values if type(attributes) is CheckedAttributes else dict(values),
                links=links,
                start_time=start_time,
            )
        return tracer.start_checked(name, parent, current, kind, values, links, start_time)

    def begin(self, form: CallForm, given: Any, parent: Any, current: Context) -> OwnSpan | None:
        """Start the span of a decorated call on the fast path: our tracer, no sampler to ask.

        Args:
            form: What the function's spans have in common.
            given: The arguments: positional numbers and short texts, or a snapshot of all by their names; None:
                not recorded.
            parent: The parent, as `SpanDefaults.at` returns it.
            current: The current context.

        Returns:
            The span; None if `start` must be used: another tracer or sampler, another library's parent, suppressed.
        """
        # As `OwnTracer.start_span`, without the calls between: each costs a fiftieth of the whole.
        tracer = self.tracer
        if (
            type(tracer) is not OwnTracer
            or tracer.policy is not self.content
            or tracer.sampler is not DEFAULT_ON
            or (parent is not None and type(parent) is not OwnSpan)
            or (
                parent is not None
                and parent._tracer is not tracer  # another library's
                and begins_own_trace(parent, trusts_callers=self.trusts_callers)
            )
            or (current and current.get(SUPPRESS_KEY) and is_suppressed(current))
        ):
            return None
        if parent is not None and parent._trace_flags is not SAMPLED_RANDOM and not parent._trace_flags.sampled:
            return None
        clock, span = self.clock, tracer.begin(form.name, parent, 0, form, given)
        dispatch = tracer.latest_dispatch
        if (
            tracer.counts_spans
            or dispatch.on_start
            or dispatch.source._span_processors is not dispatch.processors
            or dispatch.relay.targets is not dispatch.targets
        ):
            tracer.start(span, current, clock())
        else:
            span._start_time = clock()
        return span

    def end(self, span: Span, end_time: int | None = None) -> None:
        """End the span, now or at *end_time* (nanoseconds since the epoch)."""
        end_time = self.clock() if end_time is None else end_time
        if is_collecting():
            run_outside_gc(span.end, end_time)
        else:
            span.end(end_time)

    def end_call(self, span: OwnSpan, result: object) -> None:
        """End a span that `begin` started now, with the result of the call; no attribute for None."""
        try:
            clock = self.clock
            now = clock()
            if result is not None and self.content.enabled:
                taken = snapshot(result)
                if taken is None:
                    self.set_content(span, span._form.output_name, result)
                else:
                    span.set_result(taken)
            if state.collecting_thread is None:
                span.end(now)
            else:
                run_outside_gc(span.end, now)
        except BaseException as error:  # not `with`, which costs a twentieth of the whole call
            if not _ending.__exit__(type(error), error, None):
                raise

    def set_content(self, span: Span, name: str, value: object, *, held: int | None = None) -> int:
        """Set the attribute *name* to the value as JSON, under the content policy and within the span's size.

        If the span's content limit is used up, the value is cut to the remaining bytes, at least to a mark.

        Args:
            span: The span.
            name: The attribute.
            value: The value.
            held: The bytes of content in the span so far; counted here by default.

        Returns:
            The bytes that were added.
        """
        if not self.content.enabled or not span.is_recording():
            return 0
        if type(span) is OwnSpan and span.tracer.policy is self.content and (taken := snapshot(value)) is not None:
            span.put_unread(name, [taken])
            return 0
        room = max(SPAN_LIMIT_BYTES - (_content_bytes(span) if held is None else held), MARK_BYTES)
        text = self.content.json(name, value, limit_bytes=room)
        if text is None:
            return 0
        _put(span, name, text)
        return size(text)

    def defers(self) -> bool:
        """Whether attributes of a span may be read later: our tracer's spans, and no sampler that asks for them."""
        tracer = self.tracer
        return (
            type(tracer) is OwnTracer
            and tracer.policy is self.content
            and tracer.sampler is DEFAULT_ON
            and tracer.text_limit is None
        )

    def set_text(self, span: Span, name: str, text: str) -> None:
        """Set the attribute *name* to the text itself, under the content policy and within the span's size."""
        if self.content.enabled and span.is_recording():
            kept = self.content.text(name, text)
            if kept is not None and _content_bytes(span) + len(kept) <= SPAN_LIMIT_BYTES:
                _put(span, name, kept)

    def fail(self, span: Span, error: BaseException) -> None:
        """Record the exception that ended the span's work: status ERROR, `error.type` and one exception event.

        The message and the stack trace are content: redacted, and left out when content is off. The stack trace is in
        the innermost span that the exception passes, and not again in those around it.
        """
        kind = qualified_name(type(error))
        self.set_error(span, kind)  # first: reading the text may fail
        with guard("recording an exception"):
            message = self._message(error)
            event: dict[str, AttributeValue] = {semconv.EXCEPTION_TYPE: kind}
            if message is not None:
                event[semconv.EXCEPTION_MESSAGE] = message
            if self.content.enabled and not _was_recorded_below(span, error):
                stack = self.content.text(semconv.EXCEPTION_STACKTRACE, stack_text(error))
                if stack is not None:
                    event[semconv.EXCEPTION_STACKTRACE] = stack
            span.add_event(semconv.EXCEPTION_EVENT, event, timestamp=self.clock())
            span.set_status(StatusCode.ERROR, message or kind)

    def _message(self, error: BaseException) -> str | None:
        """The exception's text under the content policy; reading it runs the app's code, which may fail."""
        with guard("reading an exception's text"):
            return self.content.text(semconv.EXCEPTION_MESSAGE, str(error)) if self.content.enabled else None
        return None

    def set_error(self, span: Span, kind: str, message: str | None = None) -> None:
        """Set status ERROR and `error.type` for a failure without an exception. *message* must be redacted already."""
        span.set_attribute(semconv.ERROR_TYPE, kind)
        span.set_status(StatusCode.ERROR, message or kind)

    def active(self, span: Span, context: Context | None = None) -> attached:
        """A block in which the span is the current one. Never hold it open across a `yield` of a generator.

        Args:
            span: The span.
            context: The context of the block apart from the span; the current one by default.
        """
        return attached(set_span_in_context(span, context))


def with_inherited(attributes: Mapping[str, AttributeValue], context: Context | None = None) -> Context:
    """A context in which every span has *attributes*; they replace those that it inherited before."""
    return set_value(INHERITED_KEY, attributes, context)


def _without_user_texts(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    return {name: value for name, value in attributes.items() if name not in semconv.USER_TEXTS}


def _was_recorded_below(span: Span, error: BaseException) -> bool:
    """Whether the last child that failed has recorded this exception's stack. Marks the parent span likewise."""
    origin = origin_of(error)
    recorded = getattr(span, "_recorded_below", None) == origin
    parent: Any = current_context().get(SPAN_KEY)
    if isinstance(parent, SDKSpan):
        parent._recorded_below = origin  # type: ignore[attr-defined]  # a span takes foreign attributes
    return recorded


def _put(span: Span, name: str, text: str) -> None:
    """Set content to which the policy has been applied."""
    if type(span) is OwnSpan:
        span.put(name, text)
    else:
        span.set_attribute(name, text)


def _content_bytes(span: Span) -> int:
    """Size of the content in a span, in UTF-8 bytes, without content that is still to be written."""
    if type(span) is OwnSpan:
        values: Iterable[object] = span.raw_values()
    else:
        values = (span.attributes or {}).values() if isinstance(span, ReadableSpan) else ()
    return sum(size(value) for value in values if isinstance(value, str))
