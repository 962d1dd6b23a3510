"""Where TaskWeaver's documentation says that the event handler is."""

from agentops_otel.taskweaver import TaskWeaverEventHandler

__all__ = ["TaskWeaverEventHandler"]
