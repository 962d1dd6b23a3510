"""The openai package, for OpenAI, Azure and every server that speaks the same API."""

from typing import Any

from agentops_otel import semconv
from agentops_otel.clients import chat_completions, stainless
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.spec import ClientSpec, Operation

_WHERE = ("OpenAI.request", "AsyncOpenAI.request")

CHAT = Operation(
    name="chat",
    where=_WHERE,
    applies=stainless.posts("/chat/completions"),
    request={
        semconv.OPENAI_API_TYPE: lambda _: "chat_completions",
        semconv.OPENAI_REQUEST_SERVICE_TIER: lambda body: _unless_auto(field(body, "service_tier")),
        **chat_completions.REQUEST,
    },
    request_content=chat_completions.REQUEST_CONTENT,
    response={
        semconv.OPENAI_RESPONSE_SERVICE_TIER: "service_tier",
        semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: "system_fingerprint",
        **chat_completions.RESPONSE,
    },
    response_content=chat_completions.RESPONSE_CONTENT,
    fold=chat_completions.fold,
)

_HOSTS = {
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.moonshot.cn": "moonshot_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
_HOST_ENDINGS = {
    ".openai.azure.com": "azure.ai.openai",
    ".services.ai.azure.com": "azure.ai.inference",
    ".models.ai.azure.com": "azure.ai.inference",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    ".amazonaws.com": "aws.bedrock",
}


def _provider(client: Any, host: str | None) -> str:
    """By the client's class, then by the host; a server that nobody knows is called what the client is made for."""
    if any(kind.__name__ in ("AzureOpenAI", "AsyncAzureOpenAI") for kind in type(client).__mro__):
        return "azure.ai.openai"
    host = host or ""
    endings = (name for ending, name in _HOST_ENDINGS.items() if host.endswith(ending))
    return _HOSTS.get(host) or next(endings, "openai")


def _unless_auto(tier: Any) -> Any:
    return None if tier == "auto" else tier


SPEC = ClientSpec(
    name="openai",
    module="openai",
    operations=(CHAT,),
    provider=_provider,
    url=stainless.url,
    body=stainless.body,
    returned=stainless.returned,
    partial=lambda error: field(error, "completion"),
    others=("resources.chat.completions.Completions.create",),
)
