"""One declarative file a client; SPECS lists them."""

from agentops_otel.clients import (
    ai21,
    anthropic,
    bedrock,
    cohere,
    dashscope,
    google_genai,
    google_generativeai,
    google_interactions,
    google_live,
    groq,
    huggingface_hub,
    ibm_watsonx_ai,
    litellm,
    llama_stack_client,
    mistralai,
    ollama,
    openai,
    openai_sockets,
    together,
    zhipuai,
)
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = (
    *ai21.SPECS,
    anthropic.SPEC,
    bedrock.SPEC,
    *cohere.SPECS,
    dashscope.SPEC,
    google_genai.SPEC,
    google_generativeai.SPEC,
    *google_interactions.SPECS,
    google_live.SPEC,
    groq.SPEC,
    *huggingface_hub.SPECS,
    *ibm_watsonx_ai.SPECS,
    *litellm.SPECS,
    llama_stack_client.SPEC,
    *mistralai.SPECS,
    ollama.SPEC,
    openai.SPEC,
    *openai_sockets.SPECS,
    together.SPEC,
    zhipuai.SPEC,
)
"""Every client that is wrapped when a program imports it."""
