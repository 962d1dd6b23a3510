"""The huggingface_hub package: chats, text generation and embeddings of its InferenceClient."""

from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.tables import STREAM

_CLASSES = {
    "huggingface_hub.inference._client": "InferenceClient",
    "huggingface_hub.inference._generated._async_client": "AsyncInferenceClient",
}


def _url(client: Any) -> object:
    """The URL that the client was created with, as `base_url` or as `model`. Else the package chooses one."""
    named = field(client, "base_url") or field(client, "model")
    return named if isinstance(named, str) and named.startswith(("https://", "http://")) else None


def _model(client: Any) -> Any:
    return None if _url(client) else field(client, "model")


def _written(response: Any) -> list[gen_ai.Message]:
    return gen_ai.texts(response if isinstance(response, str) else field(response, "generated_text"), role="assistant")


def _fold(response: dict[str, Any], chunk: Any) -> None:
    add_text(response, "generated_text", chunk if isinstance(chunk, str) else field(chunk, "token", "text"))
    if (details := field(chunk, "details")) is not None:
        response["details"] = details


def _operations(owner: str) -> tuple[Operation, ...]:
    return (
        replace(chat_completions.CHAT, methods=(f"{owner}.chat_completion",)),
        Operation(
            name="text_completion",
            methods=(f"{owner}.text_generation",),
            request={
                semconv.GEN_AI_REQUEST_MODEL: "model",
                semconv.GEN_AI_REQUEST_MAX_TOKENS: "max_new_tokens",
                semconv.GEN_AI_REQUEST_SEED: "seed",
                semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "stop",
                **STREAM,
                semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
                semconv.GEN_AI_REQUEST_TOP_K: "top_k",
                semconv.GEN_AI_REQUEST_TOP_P: "top_p",
            },
            request_content=chat_completions.PROMPT,
            response={
                semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: (
                    [gen_ai.finish_reason(reason)] if (reason := field(response, "details", "finish_reason")) else None
                ),
                semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "details.generated_tokens",
            },
            response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _written},
            fold=_fold,
        ),
        Operation(
            name="embeddings",
            methods=(f"{owner}.feature_extraction",),
            request={semconv.GEN_AI_REQUEST_MODEL: "model"},
            request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.texts(field(request, "text"))},
            response={
                semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: (
                    shape[-1] if (shape := field(response, "shape")) else None
                )
            },
            has_finish_reasons=False,
        ),
    )


SPECS = tuple(
    ClientSpec(
        name="huggingface_hub",
        module=module,
        operations=_operations(owner),
        provider=semconv.HUGGING_FACE,
        url=_url,
        client_attributes={semconv.GEN_AI_REQUEST_MODEL: _model},
    )
    for module, owner in _CLASSES.items()
)
