"""The content policy: what is recorded of a value, redacted and truncated. No other room decides it."""

from agentops_otel.content.fast_json import MAX_DEPTH
from agentops_otel.content.policy import Content, Redact
from agentops_otel.content.snapshot import DerivedSnapshot, Snapshot, Source, snapshot, source_of
from agentops_otel.content.span_redaction import SpanRedaction
from agentops_otel.content.text import is_short
from agentops_otel.content.truncation import LazyList

__all__ = [
    "MAX_DEPTH",
    "Content",
    "DerivedSnapshot",
    "LazyList",
    "Redact",
    "Snapshot",
    "Source",
    "SpanRedaction",
    "is_short",
    "snapshot",
    "source_of",
]
