"""The tracer behind every span of ours."""

from agentops_otel.tracing.context import SUPPRESS_KEY, attached, suppressed
from agentops_otel.tracing.recorder import FallbackClaim, Recorder, SpanDefaults, qualified_name, with_inherited

__all__ = [
    "SUPPRESS_KEY",
    "FallbackClaim",
    "Recorder",
    "SpanDefaults",
    "attached",
    "qualified_name",
    "suppressed",
    "with_inherited",
]
