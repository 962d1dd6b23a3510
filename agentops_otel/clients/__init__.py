"""One declarative file a client; SPECS lists them."""

from agentops_otel.clients import anthropic, google_genai, groq, litellm, openai, together, zhipuai
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = (
    anthropic.SPEC,
    google_genai.SPEC,
    groq.SPEC,
    litellm.SPEC,
    openai.SPEC,
    together.SPEC,
    zhipuai.SPEC,
)
"""Every client that is wrapped when a program imports it."""
