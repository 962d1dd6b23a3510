"""Decides when a span begins its own trace although another span is current."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, get_current_span, set_span_in_context
from opentelemetry.util.types import Attributes

from agentops_otel import semconv
from agentops_otel.tracing.span import Span as OwnSpan
from agentops_otel.tracing.tracer import Tracer

SERVERS = frozenset({"fastapi", "gradio", "starlette"})
"""Scopes of web frameworks that trace as soon as there is a global provider, and accept every caller's `traceparent`.
Instrumentations that the user installed are not listed: installing one is consent."""


class RequestTracer(Tracer):
    """The tracer of a web framework that traces by itself, on a provider of ours."""

    trusts_callers = True
    """False: the span of a request is a root, with a link to the caller's."""

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        *settings: Any,
        **named: Any,
    ) -> Span:
        """Start a span of a request, or of a step of it; see `opentelemetry.trace.Tracer.start_span`."""
        parent = get_current_span(context)
        caller = parent.get_span_context()
        if caller.is_remote and not self.trusts_callers:
            context, links = set_span_in_context(INVALID_SPAN, context), (*(links or ()), Link(caller))
        span = super().start_span(name, context, kind, attributes, links, *settings, **named)
        if isinstance(span, OwnSpan) and isinstance(parent, OwnSpan):
            span._server_span = parent if parent.kind is SpanKind.SERVER else parent._server_span
        return span


def begins_own_trace(parent: Span, *, trusts_callers: bool) -> bool:
    """Whether a span of ours begins its own trace instead of becoming a child of *parent*.

    True if *parent* is another library's span that has ended (its context lives on in a queue or a background task), if
    it is a websocket, which may be open for days, and if an unknown caller chose the trace or its sampling.

    Args:
        parent: The span that is current where ours starts.
        trusts_callers: Whether a `traceparent` that a web framework has read by itself is followed.
    """
    if not isinstance(parent, ReadableSpan):
        context = parent.get_span_context()
        unsampled = context.is_valid and not context.is_remote and not context.trace_flags.sampled
        return unsampled and not trusts_callers
    scope = parent.instrumentation_scope
    if scope is None or scope.name == semconv.SCOPE:
        return False
    if parent.end_time is not None:
        return True
    parent = getattr(parent, "_server_span", None) or parent
    if parent.kind is not SpanKind.SERVER:
        return False
    by_caller = parent.parent is not None and parent.parent.is_remote and scope.name in SERVERS
    return _is_websocket(parent) or (by_caller and not trusts_callers)


def _is_websocket(span: ReadableSpan) -> bool:
    attributes = span.attributes or {}
    scheme = attributes.get("url.scheme", attributes.get("http.scheme"))
    return scheme in ("ws", "wss") or attributes.get("network.protocol.name") == "websocket"
