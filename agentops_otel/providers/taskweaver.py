"""The import path of the event handler in TaskWeaver's documentation."""

from agentops_otel.taskweaver import TaskWeaverEventHandler

__all__ = ["TaskWeaverEventHandler"]
