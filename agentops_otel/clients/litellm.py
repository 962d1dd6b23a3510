"""The litellm package: its functions and its Router. A call is one span, whichever client litellm uses for it.

The server and the response's own id and model are in `_hidden_params` of litellm's response.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients import anthropic
from agentops_otel.clients.dialects import chat_completions, embeddings, responses, server_sent_events
from agentops_otel.instrumentation.reading import field, items
from agentops_otel.instrumentation.spec import ClientSpec, server_table
from agentops_otel.instrumentation.tables import Table

_PROVIDERS: Mapping[str, str] = {
    "ai21": semconv.AI21,
    "anthropic": semconv.ANTHROPIC,
    "azure": semconv.AZURE_AI_OPENAI,
    "azure_ai": semconv.AZURE_AI_INFERENCE,
    "bedrock": semconv.AWS_BEDROCK,
    "bedrock_converse": semconv.AWS_BEDROCK,
    "cohere": semconv.COHERE,
    "cohere_chat": semconv.COHERE,
    "deepseek": semconv.DEEPSEEK,
    "gemini": semconv.GCP_GEMINI,
    "groq": semconv.GROQ,
    "huggingface": semconv.HUGGING_FACE,
    "mistral": semconv.MISTRAL_AI,
    "moonshot": semconv.MOONSHOT_AI,
    "ollama": semconv.OLLAMA,
    "ollama_chat": semconv.OLLAMA,
    "openai": semconv.OPENAI,
    "perplexity": semconv.PERPLEXITY,
    "together_ai": semconv.TOGETHER_AI,
    "vertex_ai": semconv.GCP_VERTEX_AI,
    "watsonx": semconv.IBM_WATSONX_AI,
    "xai": semconv.X_AI,
}
"""Provider names by litellm's prefix of the model's name; other prefixes are used unchanged."""

_FAMILIES: Mapping[str, str] = {"claude": semconv.ANTHROPIC, "command": semconv.COHERE, "gemini": semconv.GCP_VERTEX_AI}
"""Providers by the beginning of the model's name, for names without a prefix."""


def _provider(request: Any) -> str:
    named = field(request, "custom_llm_provider")
    model = str(field(request, "model"))
    prefix, slash, _ = model.partition("/")
    name = named if isinstance(named, str) else prefix if slash else ""
    if name:
        return _PROVIDERS.get(name, name)
    return next((provider for start, provider in _FAMILIES.items() if model.startswith(start)), semconv.OPENAI)


def _model(request: Any) -> object:
    model = field(request, "model")
    if not isinstance(model, str):
        return None
    prefix, _, rest = model.partition("/")
    return rest if rest and prefix in _PROVIDERS else model


def fold(response: dict[str, Any], chunk: Any) -> None:
    """Add a chunk. litellm moves its usage to `_hidden_params`."""
    chat_completions.fold(response, chunk)
    beside = field(chunk, "_hidden_params")
    for name in ("api_base", "custom_llm_provider", "provider_response_model", "received_model_id"):
        if (value := field(beside, name)) is not None:
            response.setdefault("_hidden_params", {})[name] = value
    if field(beside, "usage") is not None:
        usage = response.get("usage")
        response["usage"] = _Usage(beside, usage.streamed if isinstance(usage, _Usage) else usage)


class _Usage:
    """The usage in a chunk's `_hidden_params`, which litellm corrects after the last chunk; else the streamed one."""

    def __init__(self, beside: Any, streamed: Any) -> None:
        self.streamed = streamed
        self._beside = beside

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        usage = field(self._beside, "usage")
        counted = field(usage, "prompt_tokens") or field(usage, "completion_tokens")
        return field(usage if counted else self.streamed, name)


def _beside(name: str, path: str) -> Callable[[Any], object]:
    """Reads a field of `_hidden_params`, or else of the response."""
    return lambda response: field(response, "_hidden_params", name) or field(response, path)


def _answering(response: Any) -> object:
    name = field(response, "_hidden_params", "custom_llm_provider")
    return _PROVIDERS.get(name, name) if isinstance(name, str) else None


def _cost(response: Any) -> object:
    """The cost in USD that litellm calculated; 0 stands for a model without a price."""
    return field(response, "_hidden_params", "response_cost") or chat_completions.cost(response)


_COMMON: Table = {
    semconv.GEN_AI_REQUEST_MODEL: _model,
    semconv.GEN_AI_PROVIDER_NAME: _provider,
    **server_table(lambda request: field(request, "api_base") or field(request, "base_url")),
}
_ANSWERED: Table = {
    semconv.GEN_AI_PROVIDER_NAME: _answering,
    **server_table(lambda response: field(response, "_hidden_params", "api_base")),
}

COMPLETION = replace(
    chat_completions.CHAT,
    methods=("completion", "acompletion"),
    request={**chat_completions.REQUEST, **_COMMON},
    response={
        **chat_completions.RESPONSE,
        **_ANSWERED,
        semconv.AGENTOPS_USAGE_COST: _cost,
        semconv.GEN_AI_RESPONSE_ID: _beside("received_model_id", "id"),
        semconv.GEN_AI_RESPONSE_MODEL: _beside("provider_response_model", "model"),
    },
    fold=fold,
)

EMBEDDING = replace(
    embeddings.EMBEDDINGS,
    methods=("embedding", "aembedding"),
    request={**embeddings.EMBEDDINGS.request, **_COMMON},
    response={**embeddings.EMBEDDINGS.response, **_ANSWERED},
)


RESPONSES = replace(
    responses.RESPONSES,
    methods=("responses", "aresponses"),
    request={**responses.REQUEST, **_COMMON},
    response={**responses.RESPONSE, **_ANSWERED, semconv.AGENTOPS_USAGE_COST: _cost},
    background_id=lambda response: field(response, "id") if field(response, "background") else None,
)

MESSAGES = replace(
    anthropic.MESSAGES,
    methods=("anthropic_messages", "anthropic_messages_handler"),
    matches=lambda arguments: True,
    request={**anthropic.MESSAGES.request, **_COMMON},
    response={**anthropic.MESSAGES.response, **_ANSWERED},
    fold=server_sent_events.folding_bytes(anthropic.fold),
)
"""Anthropic's API for any model. Its streams are the server-sent events in bytes."""


def _traced(module: Any) -> str | None:
    """The name of litellm's own callback, if the program registered it. It would write on spans that have ended."""
    given = (*items(module, "callbacks"), *items(module, "success_callback"))
    theirs = (
        callback == "otel" or "OpenTelemetry" in {kind.__name__ for kind in type(callback).__mro__}
        for callback in given
    )
    return "its own callback otel" if any(theirs) else None


SPEC = ClientSpec(
    name="litellm",
    module="litellm",
    operations=(COMPLETION, EMBEDDING, RESPONSES),
    provider="litellm",
    builtin_tracing=_traced,
)

SPECS = (
    SPEC,
    replace(SPEC, module="litellm.main"),
    replace(SPEC, module="litellm.messages.dispatch", operations=(MESSAGES,)),
)
"""The functions are defined in `litellm.main`, from which programs import them too."""
