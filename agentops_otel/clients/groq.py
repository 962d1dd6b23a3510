"""The groq package."""

from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings, raw_response, stainless
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.spec import ClientSpec

_METHODS = ("Groq.request", "AsyncGroq.request")


def _fold(response: dict[str, Any], chunk: Any) -> None:
    chat_completions.fold(response, chunk)
    if (usage := field(chunk, "x_groq", "usage")) is not None:
        response["usage"] = usage


SPEC = ClientSpec(
    name="groq",
    module="groq",
    operations=(
        replace(
            chat_completions.CHAT,
            methods=_METHODS,
            matches=stainless.posts("/openai/v1/chat/completions"),
            fold=_fold,
            copies_response=True,
        ),
        replace(embeddings.EMBEDDINGS, methods=_METHODS, matches=stainless.posts("/openai/v1/embeddings")),
    ),
    provider=semconv.GROQ,
    url=stainless.url,
    body=stainless.body,
    wrap_result=raw_response.wrap_result,
    also_check=("resources.chat.completions.Completions.create",),
)

SPECS = (SPEC,)
