"""Adoption: a call directly inside a framework's own inference span is recorded on that span, without a second one."""

from threading import Lock
from weakref import WeakSet

from opentelemetry.context import Context
from opentelemetry.trace import Span, get_current_span

from agentops_otel import semconv
from agentops_otel.tracing import SPAN_KEY, Recorder


class Adoptions:
    """The spans of frameworks that record a call of ours. A span records one call; a further one gets its own span."""

    def __init__(self) -> None:
        self._spans: WeakSet[Span] = WeakSet()
        self._lock = Lock()

    def adopt(self, recorder: Recorder, operation: str, context: Context) -> Span | None:
        """The framework's span that is to record a call made in *context*; None if the call needs its own."""
        span = context.get(SPAN_KEY)
        if span is None or getattr(span, "tracer", None) is recorder.tracer:
            return None  # the common cases
        span = get_current_span(context)
        if (
            operation not in semconv.INFERENCE_OPERATIONS
            or not span.is_recording()
            or not _is_inference(span)
            or not is_exported_with_ours(span, recorder)
        ):
            return None
        with self._lock:
            if span in self._spans:
                return None
            self._spans.add(span)
        return span


def _is_inference(span: Span) -> bool:
    """Whether the span is another library's span of a request to a model."""
    scope, attributes = getattr(span, "instrumentation_scope", None), getattr(span, "attributes", None) or {}
    operation = attributes.get(semconv.GEN_AI_OPERATION_NAME)
    return getattr(scope, "name", semconv.SCOPE) != semconv.SCOPE and operation in semconv.INFERENCE_OPERATIONS


def is_exported_with_ours(span: Span, recorder: Recorder) -> bool:
    """Whether the span is of the recorder's own tracer provider: a provider gives all its spans one resource object."""
    resource = getattr(recorder.tracer, "resource", None)
    return resource is not None and getattr(span, "resource", None) is resource
