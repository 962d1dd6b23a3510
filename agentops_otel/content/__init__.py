"""What may be said of a value: bounded, redacted, and off with one switch. Nobody else decides."""

from agentops_otel.content.policy import Content, Redact
from agentops_otel.content.truncation import LazyList

__all__ = ["Content", "LazyList", "Redact"]
