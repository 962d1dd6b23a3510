"""The openai package: its requests over HTTP, and its websocket sessions."""

from agentops_otel.clients.openai import spec, websockets
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = (spec.SPEC, *websockets.SPECS)
