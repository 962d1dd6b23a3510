"""The content policy: what is recorded of a value, redacted and truncated. No other room decides it."""

from agentops_otel.content.fast_json import MAX_DEPTH
from agentops_otel.content.field_copy import copy_fields
from agentops_otel.content.policy import Content, Redact
from agentops_otel.content.snapshot import Snapshot, Source, snapshot, source_of
from agentops_otel.content.span_parts import events_of, links_of
from agentops_otel.content.span_redaction import SpanRedaction
from agentops_otel.content.text import SHORT_CHARACTERS, is_short
from agentops_otel.content.truncation import LazyList

__all__ = [
    "MAX_DEPTH",
    "SHORT_CHARACTERS",
    "Content",
    "LazyList",
    "Redact",
    "Snapshot",
    "Source",
    "SpanRedaction",
    "copy_fields",
    "events_of",
    "is_short",
    "links_of",
    "snapshot",
    "source_of",
]
