"""The module's decorators, which use the running client. AgentOps 0.4 has the same module."""

import pkgutil

from agentops_otel import sdk
from agentops_otel.recording.compat_decorators import AllDecorators

__all__ = [
    "agent",
    "guardrail",
    "operation",
    "record_action",
    "record_function",
    "record_tool",
    "session",
    "task",
    "tool",
    "trace",
    "track_agent",
    "track_endpoint",
    "track_tool",
    "workflow",
]


class _Decorators(AllDecorators):
    """The decorators of the module."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by name: a pickled function that uses the decorators finds those of the process that loads it."""
        return pkgutil.resolve_name, (f"{__name__}:_decorators",)


_decorators = _Decorators(sdk.current)
record_action = _decorators.record_action
record_tool = _decorators.record_tool
agent = _decorators.agent
guardrail = _decorators.guardrail
operation = _decorators.operation
session = _decorators.session
task = _decorators.task
tool = _decorators.tool
trace = _decorators.trace
workflow = _decorators.workflow
record_function = _decorators.record_function
track_agent = _decorators.track_agent
track_endpoint = _decorators.track_endpoint
track_tool = _decorators.track_tool
