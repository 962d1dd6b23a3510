"""Which span of another library's is no parent for a span of ours: one of ours then begins its own trace."""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span, SpanKind

from agentops_otel import semconv

_SERVERS = frozenset({"fastapi", "gradio", "starlette"})
"""The scopes of web frameworks that trace as soon as there is a global provider, and read every caller's `traceparent`.
An instrumentation that somebody has installed is asked for, and trusted."""


def begins_own_trace(parent: Span, *, trusts_callers: bool) -> bool:
    """Whether a span of ours that starts below *parent* begins its own trace.

    It does below another library's span that has ended (its context lives on in a queue or a background task), below a
    websocket, which may be open for days, and where an unknown caller has chosen the trace or that it is not sampled.

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
    if parent.kind is not SpanKind.SERVER:
        return False
    by_caller = parent.parent is not None and parent.parent.is_remote and scope.name in _SERVERS
    return _is_websocket(parent) or (by_caller and not trusts_callers)


def _is_websocket(span: ReadableSpan) -> bool:
    attributes = span.attributes or {}
    scheme = attributes.get("url.scheme", attributes.get("http.scheme"))
    return scheme in ("ws", "wss") or attributes.get("network.protocol.name") == "websocket"
