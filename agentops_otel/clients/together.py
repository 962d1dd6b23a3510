"""The together package, since its second version."""

from dataclasses import replace

from agentops_otel import semconv
from agentops_otel.clients import chat_completions, embeddings, raw_response, stainless
from agentops_otel.instrumentation.spec import ClientSpec

_WHERE = ("Together.request", "AsyncTogether.request")

SPEC = ClientSpec(
    name="together",
    module="together",
    operations=(
        replace(
            chat_completions.CHAT,
            where=_WHERE,
            applies=stainless.posts("/v1/chat/completions", "/chat/completions"),
            request={**chat_completions.REQUEST, semconv.GEN_AI_REQUEST_TOP_K: "top_k"},
        ),
        replace(
            chat_completions.TEXT_COMPLETION,
            where=_WHERE,
            applies=stainless.posts("/v1/completions", "/completions"),
        ),
        replace(embeddings.EMBEDDINGS, where=_WHERE, applies=stainless.posts("/v1/embeddings", "/embeddings")),
    ),
    provider=semconv.TOGETHER_AI,
    url=stainless.url,
    body=stainless.body,
    returned=raw_response.returned,
    others=("resources.chat.completions.CompletionsResource.create",),
)
