"""Google's clients: google-genai (models, interactions, live sessions) and google-generativeai."""

from agentops_otel.clients.google import genai, generativeai, interactions, live
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = (genai.SPEC, generativeai.SPEC, *interactions.SPECS, live.SPEC)
