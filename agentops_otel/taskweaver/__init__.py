"""TaskWeaver's sessions as traces: by hooks after `init()`, or by the event handler that its documentation names."""

from agentops_otel.taskweaver.handler import TaskWeaverEventHandler

__all__ = ["TaskWeaverEventHandler"]
