"""The machine under other people's LLM clients; `ClientSpec` and `Operation` teach it a new one."""

from agentops_otel.instrumentation.install import Installation, install
from agentops_otel.instrumentation.reading import TextBuilder, add_text, field, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation

__all__ = ["ClientSpec", "Installation", "Operation", "TextBuilder", "add_text", "field", "install", "items"]
