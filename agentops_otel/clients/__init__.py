"""One declarative file a client, or a folder where a vendor has several; SPECS lists them."""

from agentops_otel.clients import (
    ai21,
    anthropic,
    bedrock,
    cohere,
    dashscope,
    google,
    groq,
    huggingface_hub,
    ibm_watsonx_ai,
    litellm,
    llama_stack_client,
    mistralai,
    ollama,
    openai,
    together,
    zhipuai,
)
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = (
    *ai21.SPECS,
    anthropic.SPEC,
    *bedrock.SPECS,
    *cohere.SPECS,
    *dashscope.SPECS,
    *google.SPECS,
    groq.SPEC,
    *huggingface_hub.SPECS,
    *ibm_watsonx_ai.SPECS,
    *litellm.SPECS,
    llama_stack_client.SPEC,
    *mistralai.SPECS,
    ollama.SPEC,
    *openai.SPECS,
    *together.SPECS,
    *zhipuai.SPECS,
)
"""Every client that is wrapped when a program imports it."""
