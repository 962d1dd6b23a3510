"""The litellm package: its functions and its Router, one span a call whatever client it uses beneath.

A function that was taken out of the module (`from litellm import completion`) before `init()` is reached within its
decorator. litellm's own retries (`num_retries`) start outside of that: each is then a call with a span of its own.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients import chat_completions, embeddings
from agentops_otel.instrumentation.reading import Table, field
from agentops_otel.instrumentation.spec import ClientSpec

_PROVIDERS: Mapping[str, str] = {
    "anthropic": "anthropic",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "deepseek": "deepseek",
    "gemini": "gcp.gemini",
    "groq": "groq",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "openai": "openai",
    "perplexity": "perplexity",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""What litellm writes before the slash of a model's name, in the conventions' words; others stay as they are."""

_FAMILIES: Mapping[str, str] = {"claude": "anthropic", "command": "cohere", "gemini": "gcp.vertex_ai"}
"""Who a model belongs to that is named without a provider, by how its name begins."""


def _provider(request: Any) -> str:
    named = field(request, "custom_llm_provider")
    model = str(field(request, "model"))
    prefix, slash, _ = model.partition("/")
    name = named if isinstance(named, str) else prefix if slash else ""
    if name:
        return _PROVIDERS.get(name, name)
    return next((provider for start, provider in _FAMILIES.items() if model.startswith(start)), "openai")


def _model(request: Any) -> object:
    model = field(request, "model")
    if not isinstance(model, str):
        return None
    prefix, _, rest = model.partition("/")
    return rest if rest and prefix in _PROVIDERS else model


def fold(whole: dict[str, Any], chunk: Any) -> None:
    """Add a chunk; litellm takes the counts out of what it streams and keeps them beside it, 0 where it has none."""
    chat_completions.fold(whole, chunk)
    usage = field(chunk, "_hidden_params", "usage")
    if field(usage, "prompt_tokens") or field(usage, "completion_tokens"):
        whole["usage"] = usage


_COMMON: Table = {semconv.GEN_AI_REQUEST_MODEL: _model, semconv.GEN_AI_PROVIDER_NAME: _provider}

COMPLETION = replace(
    chat_completions.CHAT,
    where=("completion", "acompletion"),
    request={**chat_completions.REQUEST, **_COMMON},
    fold=fold,
)

EMBEDDING = replace(
    embeddings.EMBEDDINGS,
    where=("embedding", "aembedding"),
    request={**embeddings.EMBEDDINGS.request, **_COMMON},
)

SPEC = ClientSpec(
    name="litellm",
    module="litellm",
    operations=(COMPLETION, EMBEDDING),
    provider="litellm",
    url=lambda _: None,
)
