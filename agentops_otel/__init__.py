"""See what LLM agents do: one line, `agentops_otel.init()`, and their work becomes OpenTelemetry traces."""

from agentops_otel.environment import ConfigError
from agentops_otel.export import Stats
from agentops_otel.recording.session import Session
from agentops_otel.sdk import (
    Client,
    add_tags,
    end_session,
    flush,
    init,
    set_tags,
    shutdown,
    start_session,
    stats,
    suppress,
)
from agentops_otel.version import VERSION as __version__

__all__ = [
    "Client",
    "ConfigError",
    "Session",
    "Stats",
    "__version__",
    "add_tags",
    "end_session",
    "flush",
    "init",
    "set_tags",
    "shutdown",
    "start_session",
    "stats",
    "suppress",
]
