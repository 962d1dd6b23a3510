"""One declarative file a client; SPECS lists them."""

from agentops_otel.clients import openai
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = (openai.SPEC,)
"""Every client that is wrapped when a program imports it."""
