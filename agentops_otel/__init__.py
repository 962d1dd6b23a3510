"""See what LLM agents do: one line, `agentops_otel.init()`, and their work becomes OpenTelemetry traces.

PYTEST_DONT_REWRITE: a program under `agentops-otel run` has imported this before pytest begins.
"""

from importlib import import_module

from agentops_otel.api import (
    add_tags,
    end_session,
    flush,
    record,
    set_tags,
    start_session,
    stats,
    suppress,
)
from agentops_otel.compat import (
    ERROR,
    SUCCESS,
    UNSET,
    AgentOps,
    AgentOpsLogger,
    EndState,
    SessionState,
    TraceState,
    create_agent,
    end_all_sessions,
    end_trace,
    get_api_key,
    get_client,
    get_session,
    set_api_key,
    set_parent_key,
    start_trace,
    stop_instrumenting,
    update_trace_metadata,
)
from agentops_otel.distribution import warn_of_clash as _warn_of_clash
from agentops_otel.environment import ConfigError
from agentops_otel.export import Stats
from agentops_otel.recording.events import (
    ActionEvent,
    ActionType,
    ErrorEvent,
    Event,
    EventState,
    LLMEvent,
    Models,
    ToolEvent,
)
from agentops_otel.recording.session import Session
from agentops_otel.sdk import (
    Client,
    configure,
    init,
    instrument,
    shutdown,
    uninstrument,
)
from agentops_otel.sdk.decorators import (
    agent,
    guardrail,
    operation,
    record_action,
    record_function,
    record_tool,
    session,
    task,
    tool,
    trace,
    track_agent,
    track_endpoint,
    track_tool,
    workflow,
)
from agentops_otel.version import VERSION as __version__

__all__ = [
    "ERROR",
    "SUCCESS",
    "UNSET",
    "ActionEvent",
    "ActionType",
    "AgentOps",
    "AgentOpsLogger",
    "Client",
    "ConfigError",
    "EndState",
    "ErrorEvent",
    "Event",
    "EventState",
    "LLMEvent",
    "Models",
    "Session",
    "SessionState",
    "Stats",
    "ToolEvent",
    "TraceState",
    "__version__",
    "add_tags",
    "agent",
    "configure",
    "create_agent",
    "end_all_sessions",
    "end_session",
    "end_trace",
    "flush",
    "get_api_key",
    "get_client",
    "get_session",
    "guardrail",
    "init",
    "instrument",
    "operation",
    "record",
    "record_action",
    "record_function",
    "record_tool",
    "session",
    "set_api_key",
    "set_parent_key",
    "set_tags",
    "shutdown",
    "start_session",
    "start_trace",
    "stats",
    "stop_instrumenting",
    "suppress",
    "task",
    "tool",
    "trace",
    "track_agent",
    "track_endpoint",
    "track_tool",
    "uninstrument",
    "update_trace_metadata",
    "workflow",
]


def __getattr__(name: str) -> object:
    """AgentOps' handlers for LangChain, which import LangChain."""
    if name in ("AsyncLangchainCallbackHandler", "LangchainCallbackHandler"):
        return getattr(import_module("agentops_otel.langchain_callback_handler"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_warn_of_clash()
