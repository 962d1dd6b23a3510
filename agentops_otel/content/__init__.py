"""What may be said of a value: bounded, redacted, and off with one switch. Nobody else decides."""

from agentops_otel.content.elements import Each
from agentops_otel.content.values import Content, Redact

__all__ = ["Content", "Each", "Redact"]
