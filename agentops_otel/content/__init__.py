"""The content policy: what is recorded of a value, redacted and truncated. No other room decides it."""

from agentops_otel.content.fast_json import MAX_DEPTH
from agentops_otel.content.policy import Content, Redact
from agentops_otel.content.snapshot import Snapshot, snapshot
from agentops_otel.content.span_redaction import SpanRedaction
from agentops_otel.content.truncation import LazyList

__all__ = ["MAX_DEPTH", "Content", "LazyList", "Redact", "Snapshot", "SpanRedaction", "snapshot"]
