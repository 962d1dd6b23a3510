"""mistralai: models, and the conversations that its service keeps."""

from agentops_otel.clients.mistralai import spec
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = spec.SPECS
