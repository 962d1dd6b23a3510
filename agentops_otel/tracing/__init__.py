"""The tracer behind every span of ours."""

from agentops_otel.tracing.recorder import SUPPRESS_KEY, Offer, Recorder, Scope, inheriting, qualified_name

__all__ = ["SUPPRESS_KEY", "Offer", "Recorder", "Scope", "inheriting", "qualified_name"]
