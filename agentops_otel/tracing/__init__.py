"""The tracer behind every span of ours."""

from agentops_otel.tracing.recorder import Recorder, Scope, qualified_name

__all__ = ["Recorder", "Scope", "qualified_name"]
