"""See what LLM agents do: one line, `agentops_otel.init()`, and their work becomes OpenTelemetry traces."""

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
    add_tags,
    agent,
    end_session,
    flush,
    guardrail,
    init,
    operation,
    record,
    record_action,
    record_tool,
    session,
    set_tags,
    shutdown,
    start_session,
    stats,
    suppress,
    task,
    tool,
    trace,
    workflow,
)
from agentops_otel.version import VERSION as __version__

record_action = decorators.record_action
record_tool = decorators.record_tool
agent = decorators.agent
guardrail = decorators.guardrail
operation = decorators.operation
session = decorators.session
task = decorators.task
tool = decorators.tool
trace = decorators.trace
workflow = decorators.workflow

__all__ = [
    "ActionEvent",
    "ActionType",
    "Client",
    "ConfigError",
    "ErrorEvent",
    "Event",
    "EventState",
    "LLMEvent",
    "Models",
    "Session",
    "Stats",
    "ToolEvent",
    "__version__",
    "add_tags",
    "agent",
    "end_session",
    "flush",
    "guardrail",
    "init",
    "operation",
    "record",
    "record_action",
    "record_tool",
    "session",
    "set_tags",
    "shutdown",
    "start_session",
    "stats",
    "suppress",
    "task",
    "tool",
    "trace",
    "workflow",
]
