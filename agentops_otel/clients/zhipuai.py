"""The zhipuai package."""

from dataclasses import replace

from agentops_otel import semconv
from agentops_otel.clients import chat_completions, embeddings, stainless
from agentops_otel.instrumentation.spec import ClientSpec

_WHERE = ("ZhipuAI.request",)

SPEC = ClientSpec(
    name="zhipuai",
    module="zhipuai",
    operations=(
        replace(chat_completions.CHAT, where=_WHERE, applies=stainless.posts("/chat/completions")),
        replace(embeddings.EMBEDDINGS, where=_WHERE, applies=stainless.posts("/embeddings")),
    ),
    provider=semconv.ZHIPU_AI,
    url=lambda client: getattr(client, "_base_url", None),
    body=stainless.body,
    returned=stainless.returned,
    others=("api_resource.chat.completions.Completions.create",),
)
