"""The dashscope package: chats, texts, embeddings and applications, in Alibaba's own dialect and in OpenAI's."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text, indexed
from agentops_otel.instrumentation.reading import as_mapping, field, first, items
from agentops_otel.instrumentation.spec import ClientSpec, Fold, Operation
from agentops_otel.instrumentation.tables import Table


def _url(_: Any) -> object:
    return getattr(sys.modules["dashscope"], "base_http_api_url", None)


def _message(message: Any, role: str = "user") -> gen_ai.Message | None:
    """A message of the dialect. Its parts have one key each in place of a type."""
    return chat_completions.message(message, role, part)


def part(part: Any) -> gen_ai.Part | None:
    """A part of a message or of an embedding's input."""
    return (
        gen_ai.text(field(part, "text"))
        or gen_ai.media("image", field(part, "image"))
        or gen_ai.media("audio", field(part, "audio"))
        or gen_ai.media("video", field(part, "video"))
    )


def _choices(response: Any) -> list[Any]:
    """The choices. The older response format has one text instead."""
    output = field(response, "output")
    text = {"message": {"content": field(output, "text")}, "finish_reason": field(output, "finish_reason")}
    return list(items(output, "choices")) or ([text] if output else [])


def _message_in(choice: Any) -> Any:
    """The message of a choice, which may be the choice itself."""
    return field(choice, "message") or choice


def _failure(response: Any) -> str | None:
    """`error.type` of an error response: this client raises no exception for one."""
    status = field(response, "status_code")
    return str(field(response, "code") or status) if isinstance(status, int) and status >= 400 else None


def _folding(*, incremental: bool) -> Fold:
    """The fold. With *incremental* a chunk has new text only; without it most models repeat all text so far."""

    def fold(response: dict[str, Any], chunk: Any) -> None:
        for name in ("request_id", "usage", "status_code", "code", "is_error"):
            if (value := field(chunk, name)) is not None:
                response[name] = value
        output = response.setdefault("output", {})
        if (session := field(chunk, "output", "session_id")) is not None:
            output["session_id"] = session
        for number, choice in enumerate(_choices(chunk)):
            entry = indexed(output, "choices", number)
            if (reason := field(choice, "finish_reason")) not in (None, "null"):
                entry["finish_reason"] = reason
            fold_message(entry, _message_in(choice), incremental=incremental)

    return fold


def fold_message(choice: dict[str, Any], delta: Any, *, incremental: bool) -> None:
    """Add a chunk's message to the choice's message."""
    message = choice.setdefault("message", {"role": "assistant"})
    for name in ("content", "reasoning_content"):
        text, text_so_far = _text(field(delta, name)), str(message.get(name, ""))
        again = not incremental and isinstance(text, str) and text.startswith(text_so_far)
        add_text(message, name, text[len(text_so_far) :] if again else text)
    calls = items(delta, "tool_calls")
    if calls and (not incremental or all(field(call, "index") is None for call in calls)):
        message["tool_calls"] = list(calls)  # each chunk repeats all calls
    else:
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


def _asked(request: Any, *, in_turns: bool) -> list[gen_ai.Message]:
    """The history, as turns or as messages, and the prompt."""
    turns = [
        gen_ai.message(role, [gen_ai.text(field(turn, name))])
        for turn in items(request, "history")
        for role, name in (("user", "user"), ("assistant", "bot"))
    ]
    before = turns if in_turns else map(_message, items(request, "messages"))
    return [*filter(None, before), *gen_ai.texts(field(request, "prompt"))]


CHAT = Operation(
    name="chat",
    methods=(
        *("Generation.call", "AioGeneration.call", "Conversation.call"),
        *("MultiModalConversation.call", "AioMultiModalConversation.call"),
    ),
    request={**chat_completions.REQUEST, semconv.GEN_AI_REQUEST_TOP_K: "top_k"},
    request_content={
        **chat_completions.REQUEST_CONTENT,
        # If both are given, a chat uses `history` and an application `messages`.
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: _asked(request, in_turns=field(request, "history") is not None),
    },
    response=_RESPONSE,
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            answer for choice in _choices(response) if (answer := _message(_message_in(choice), role="assistant"))
        ]
    },
    fold=_folding(incremental=False),
    failure=_failure,
)


EMBEDDING = replace(
    embeddings.EMBEDDINGS,
    methods=("TextEmbedding.call",),
    request={semconv.GEN_AI_REQUEST_MODEL: "model", semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "dimension"},
    response={
        semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.total_tokens",
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(
            field(first(response, "output", "embeddings"), "embedding")
        ),
    },
    failure=_failure,
)


def _seen_tokens(response: Any) -> Any:
    """The input tokens. Unknown for models that count images apart."""
    usage = field(response, "usage")
    return None if field(usage, "image_tokens") is not None else field(usage, "input_tokens")


MULTIMODAL_EMBEDDING = replace(
    EMBEDDING,
    methods=("MultiModalEmbedding.call", "AioMultiModalEmbedding.call"),
    request_content={
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.listed(
            gen_ai.message("user", map(part, items(request, "input")))
        )
    },
    response={**EMBEDDING.response, semconv.GEN_AI_USAGE_INPUT_TOKENS: _seen_tokens},
)


def _used(name: str) -> Callable[[Any], int | None]:
    """The total of a token count over all models that an application uses."""

    def total(response: Any) -> int | None:
        # The client has a default for each count that the server did not send.
        models = items(response, "usage", "models")
        reported = (model for model in models if name in (field(model, "model_fields_set") or (name,)))
        counts = [count for model in reported if isinstance(count := field(model, name), int)]
        return sum(counts) if counts else None

    return total


APPLICATION = replace(
    CHAT,
    name="invoke_agent",
    methods=("Application.call",),
    request={**CHAT.request, semconv.GEN_AI_AGENT_ID: "app_id", semconv.GEN_AI_CONVERSATION_ID: "session_id"},
    request_content={
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: _asked(request, in_turns=field(request, "messages") is None)
    },
    response={
        semconv.GEN_AI_CONVERSATION_ID: "output.session_id",
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: _RESPONSE[semconv.GEN_AI_RESPONSE_FINISH_REASONS],
        semconv.GEN_AI_RESPONSE_ID: "request_id",
        semconv.GEN_AI_RESPONSE_MODEL: lambda response: field(first(response, "usage", "models"), "model_id"),
        semconv.GEN_AI_USAGE_INPUT_TOKENS: _used("input_tokens"),
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: _used("output_tokens"),
    },
)


def both_ways(operation: Operation) -> tuple[Operation, Operation]:
    """The operation for incremental streams, and for streams that repeat the text so far."""
    return replace(operation, matches=_goes_on, fold=_folding(incremental=True)), operation


def _goes_on(arguments: Mapping[str, Any]) -> bool:
    more = field(arguments, "parameters", "incremental_output")
    return bool(arguments.get("incremental_output") if more is None else more)


CODE = replace(
    CHAT,
    methods=("CodeGeneration.call",),
    request_content={
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.conversation(_with_attachment, items(request, "message"))
    },
)


def _with_attachment(message: Any) -> gen_ai.Message | None:
    """A message, or an attachment's metadata in place of one."""
    if (meta := field(message, "meta")) is None:
        return _message(message)
    return gen_ai.message("user", [gen_ai.text(json.dumps(meta, default=lambda _: None))])


def _sent(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {**arguments, **as_mapping(arguments.get("extra_body"))}


def _spec(module: str, *operations: Operation, **more: Any) -> ClientSpec:
    return ClientSpec(
        name="dashscope", module=module, operations=operations, provider=semconv.DASHSCOPE, **{"url": _url, **more}
    )


SPECS = (
    _spec("dashscope", *both_ways(CHAT), *both_ways(APPLICATION), CODE, EMBEDDING, MULTIMODAL_EMBEDDING),
    _spec("dashscope.aigc.chat_completion", *both_ways(replace(CHAT, methods=("AioGeneration.call",)))),
    _spec(
        "dashscope.aigc.chat_completion",
        replace(
            chat_completions.CHAT,
            methods=("Completions.create",),
            request={**chat_completions.REQUEST, semconv.GEN_AI_REQUEST_TOP_K: "top_k"},
        ),
        url=lambda _: getattr(sys.modules["dashscope"], "base_compatible_api_url", None),
        body=_sent,
    ),
)
