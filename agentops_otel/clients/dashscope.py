"""The dashscope package: text and multimodal chats and text embeddings, in Alibaba's own dialect."""

import sys
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients import chat_completions, embeddings
from agentops_otel.instrumentation import messages as gen_ai
from agentops_otel.instrumentation.reading import Table, add_text, field, indexed, items
from agentops_otel.instrumentation.spec import ClientSpec, Fold, Operation


def _url(_: Any) -> object:
    return getattr(sys.modules["dashscope"], "base_http_api_url", None)


def _message(said: Any, role: str = "user") -> gen_ai.Message | None:
    """A message of the dialect, whose parts are told apart by their one key instead of a type."""
    parts = items(said, "content")
    if not parts:
        return chat_completions.message(said, role)
    found = [
        gen_ai.text(field(part, "text"))
        or gen_ai.media("image", field(part, "image"))
        or gen_ai.media("audio", field(part, "audio"))
        or gen_ai.media("video", field(part, "video"))
        for part in parts
    ]
    return gen_ai.message(field(said, "role") or role, found)


def _choices(response: Any) -> list[Any]:
    """The choices; a text alone is one, in the older form of the answer."""
    output = field(response, "output")
    text = {"message": {"content": field(output, "text")}, "finish_reason": field(output, "finish_reason")}
    return list(items(output, "choices")) or ([text] if output else [])


def _failure(response: Any) -> str | None:
    """A refusal is an answer of this client, not an exception."""
    status = field(response, "status_code")
    return str(field(response, "code") or status) if isinstance(status, int) and status >= 400 else None


def _folding(*, incremental: bool) -> Fold:
    """Chunks go on where the last one ended if that was asked for; else most models say everything again."""

    def fold(whole: dict[str, Any], chunk: Any) -> None:
        for name in ("request_id", "usage", "status_code", "code"):
            if (value := field(chunk, name)) is not None:
                whole[name] = value
        output = whole.setdefault("output", {})
        for number, choice in enumerate(_choices(chunk)):
            known = indexed(output, "choices", number)
            if (reason := field(choice, "finish_reason")) not in (None, "null"):
                known["finish_reason"] = reason
            _fold_message(known.setdefault("message", {"role": "assistant"}), choice, incremental)

    return fold


def _fold_message(message: dict[str, Any], choice: Any, incremental: bool) -> None:
    for name in ("content", "reasoning_content"):
        text, known = _text(field(choice, "message", name)), str(message.get(name, ""))
        again = not incremental and isinstance(text, str) and text.startswith(known)
        add_text(message, name, text[len(known) :] if again else text)
    if calls := items(choice, "message", "tool_calls"):
        if not incremental:
            message["tool_calls"] = []
        chat_completions.fold_tool_calls(message, calls)


def _text(content: Any) -> Any:
    parts = items(content)
    return "".join(text for part in parts if isinstance(text := field(part, "text"), str)) if parts else content


_RESPONSE: Table = {
    semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
        gen_ai.finish_reason(field(choice, "finish_reason")) for choice in _choices(response)
    ],
    semconv.GEN_AI_RESPONSE_ID: "request_id",
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "usage.prompt_tokens_details.cached_tokens",
    semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.input_tokens",
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "usage.output_tokens",
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: "usage.output_tokens_details.reasoning_tokens",
}

CHAT = Operation(
    name="chat",
    where=("Generation.call", "AioGeneration.call", "MultiModalConversation.call", "AioMultiModalConversation.call"),
    request={**chat_completions.REQUEST, semconv.GEN_AI_REQUEST_TOP_K: "top_k"},
    request_content={
        **chat_completions.REQUEST_CONTENT,
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: (
            [said for known in items(request, "messages") if (said := _message(known))]
            or gen_ai.texts(field(request, "prompt"))
        ),
    },
    response=_RESPONSE,
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            said for choice in _choices(response) if (said := _message(field(choice, "message"), role="assistant"))
        ]
    },
    fold=_folding(incremental=False),
    failure=_failure,
)


EMBEDDING = replace(
    embeddings.EMBEDDINGS,
    where=("TextEmbedding.call",),
    request={semconv.GEN_AI_REQUEST_MODEL: "model", semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "dimension"},
    response={
        semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.total_tokens",
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(
            field(next(iter(items(response, "output", "embeddings")), None), "embedding")
        ),
    },
    failure=_failure,
)

SPEC = ClientSpec(
    name="dashscope",
    module="dashscope",
    operations=(
        replace(
            CHAT,
            applies=lambda arguments: bool(arguments.get("incremental_output")),
            fold=_folding(incremental=True),
        ),
        CHAT,
        EMBEDDING,
    ),
    provider=semconv.DASHSCOPE,
    url=_url,
)
