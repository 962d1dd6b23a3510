"""The tracer behind every span of ours."""

from agentops_otel.tracing.context import (
    OWN_WORK,
    SPAN_KEY,
    SUPPRESS_KEY,
    SUPPRESSED_BY_US,
    attach_context,
    attached,
    current_context,
    detach_context,
    is_suppressed,
    leave_context,
    suppressed,
)
from agentops_otel.tracing.exceptions import qualified_name
from agentops_otel.tracing.lazy_span import Ids, ids_of, is_sampled, parts_of_call
from agentops_otel.tracing.recorder import INHERITED_KEY, FallbackClaim, Recorder, SpanDefaults, with_inherited
from agentops_otel.tracing.span import Span as OwnSpan
from agentops_otel.tracing.span_attributes import CallForm, CheckedAttributes

__all__ = [
    "INHERITED_KEY",
    "OWN_WORK",
    "SPAN_KEY",
    "SUPPRESSED_BY_US",
    "SUPPRESS_KEY",
    "CallForm",
    "CheckedAttributes",
    "FallbackClaim",
    "Ids",
    "OwnSpan",
    "Recorder",
    "SpanDefaults",
    "attach_context",
    "attached",
    "current_context",
    "detach_context",
    "ids_of",
    "is_sampled",
    "is_suppressed",
    "leave_context",
    "parts_of_call",
    "qualified_name",
    "suppressed",
    "with_inherited",
]
