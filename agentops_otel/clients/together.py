"""The together package: since version 2 one method that sends, before that a class for each kind of call."""

from dataclasses import replace

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings, raw_response, stainless
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.spec import ClientSpec, Operation

_METHODS = ("Together.request", "AsyncTogether.request")

CHAT = replace(
    chat_completions.CHAT,
    request={**chat_completions.REQUEST, semconv.GEN_AI_REQUEST_TOP_K: "top_k"},
    copies_response=True,
)

SPEC = ClientSpec(
    name="together",
    module="together",
    operations=(
        replace(CHAT, methods=_METHODS, matches=stainless.posts("/v1/chat/completions", "/chat/completions")),
        replace(
            chat_completions.TEXT_COMPLETION,
            methods=_METHODS,
            matches=stainless.posts("/v1/completions", "/completions"),
        ),
        replace(embeddings.EMBEDDINGS, methods=_METHODS, matches=stainless.posts("/v1/embeddings", "/embeddings")),
    ),
    provider=semconv.TOGETHER_AI,
    url=stainless.url,
    body=stainless.body,
    wrap_result=raw_response.wrap_result,
    also_check=("resources.chat.completions.CompletionsResource.create",),
)


def _first(module: str, kind: str, operation: Operation) -> ClientSpec:
    return ClientSpec(
        name="together",
        module=f"together.resources.{module}",
        operations=(replace(operation, methods=(f"{kind}.create", f"Async{kind}.create")),),
        provider=semconv.TOGETHER_AI,
        url=lambda resource: field(resource, "_client", "base_url"),
    )


SPECS = (
    SPEC,
    _first("chat.completions", "ChatCompletions", CHAT),
    _first("completions", "Completions", chat_completions.TEXT_COMPLETION),
    _first("embeddings", "Embeddings", embeddings.EMBEDDINGS),
)
