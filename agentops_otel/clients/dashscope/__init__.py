"""dashscope: the classes of its first version, and the client of its second."""

from agentops_otel.clients.dashscope import client, spec
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = (*spec.SPECS, *client.SPECS)
