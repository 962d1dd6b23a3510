"""The machine under other people's LLM clients and agent frameworks.

`ClientSpec` and `Operation` teach it a new client, `FrameworkSpec` and `Step` a new framework.
"""

from agentops_otel.instrumentation.folding import TextBuilder, add_text
from agentops_otel.instrumentation.framework import FrameworkSpec, Listen
from agentops_otel.instrumentation.framework_install import FrameworkInstallation, install_frameworks
from agentops_otel.instrumentation.install import Installation, install
from agentops_otel.instrumentation.reading import field, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.step import Step
from agentops_otel.instrumentation.steps import Steps
from agentops_otel.instrumentation.whole_call import whole_call

__all__ = [
    "ClientSpec",
    "FrameworkInstallation",
    "FrameworkSpec",
    "Installation",
    "Listen",
    "Operation",
    "Step",
    "Steps",
    "TextBuilder",
    "add_text",
    "field",
    "install",
    "install_frameworks",
    "items",
    "whole_call",
]
