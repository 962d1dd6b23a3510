"""zhipuai: models, agents, assistants and web search."""

from agentops_otel.clients.zhipuai import spec
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = (spec.SPEC,)
