"""Amazon Bedrock through boto3: Converse, InvokeModel and their streams.

botocore makes the class of each client at run time; every call of it ends in `_make_api_call`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients import anthropic
from agentops_otel.clients.bedrock import media
from agentops_otel.clients.bedrock.body import observed_body
from agentops_otel.clients.bedrock.request import METHODS, asks, body, either, invokes
from agentops_otel.clients.dialects import chat_completions, embeddings
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.call import Call
from agentops_otel.instrumentation.folding import add_text, begin_entry, indexed
from agentops_otel.instrumentation.reading import field, first, items, loads
from agentops_otel.instrumentation.spec import ClientSpec, Fold, Operation
from agentops_otel.instrumentation.tables import Table


def wrap_result(call: Call, value: Any) -> Any:
    """The response itself. A stream or body in it is observed, and the call ends with that."""
    for name in ("stream", "body"):
        source = field(value, name)
        if type(source).__name__ == "EventStream":
            value[name] = call.observe_stream(source)
            return value
        if (raw := getattr(source, "_raw_stream", None)) is not None:
            source._raw_stream = observed_body(raw, call, value)
            return value
    call.completed(value)
    return value


def _part(block: Any) -> gen_ai.Part | None:
    kind = next((name for name in _PARTS if field(block, name) is not None), None)
    return _PARTS[kind](field(block, kind)) if kind else None


def _medium(modality: str) -> Callable[[Any], gen_ai.Part | None]:
    def part(medium: Any) -> gen_ai.Part | None:
        address = gen_ai.media(modality, field(medium, "source", "s3Location", "uri"))
        return address or gen_ai.blob(
            modality, f"{modality}/{field(medium, 'format')}", field(medium, "source", "bytes")
        )

    return part


def _tool_result(result: Any) -> gen_ai.Part:
    contents = [field(block, "text") or field(block, "json") for block in items(result, "content")]
    return gen_ai.tool_call_response(field(result, "toolUseId"), contents[0] if len(contents) == 1 else contents)


_PARTS: Mapping[str, Callable[[Any], gen_ai.Part | None]] = {
    "text": gen_ai.text,
    "guardContent": lambda block: _part(block) or gen_ai.text(field(block, "text", "text")),
    "reasoningContent": lambda block: gen_ai.reasoning(field(block, "reasoningText", "text")),
    "toolUse": lambda block: gen_ai.tool_call(field(block, "toolUseId"), field(block, "name"), field(block, "input")),
    "toolResult": _tool_result,
    "image": _medium("image"),
    "video": _medium("video"),
    "document": _medium("document"),
}


def _message(message: Any) -> list[gen_ai.Message]:
    parts = [part for part in map(_part, items(message, "content")) if part]
    answers = bool(parts) and all(part["type"] == "tool_call_response" for part in parts)
    return gen_ai.listed(gen_ai.message("tool" if answers else field(message, "role"), parts))


def _tools(request: Any) -> list[Any]:
    tools = (field(tool, "toolSpec") for tool in items(request, "toolConfig", "tools"))
    return [
        {
            "type": "function",
            "name": field(tool, "name"),
            "description": field(tool, "description"),
            "parameters": field(tool, "inputSchema", "json"),
        }
        for tool in tools
        if tool
    ]


def _input_tokens(response: Any) -> int | None:
    """Bedrock counts cached tokens apart; the conventions count them in."""
    usage = field(response, "usage")
    counts = [field(usage, name) for name in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")]
    return sum(count for count in counts if isinstance(count, int)) if isinstance(counts[0], int) else None


def _fold(response: dict[str, Any], event: Any) -> None:
    message = response.setdefault("output", {"message": {"role": "assistant"}})["message"]
    for kind in ("contentBlockStart", "contentBlockDelta"):
        if (block_event := field(event, kind)) is not None:
            index = field(block_event, "contentBlockIndex")
            block = indexed(message, "content", index)
            if kind == "contentBlockStart" and len(block) > 1:  # a model that numbers its blocks wrongly
                block = begin_entry(message, "content", index)
            _fold_block(block, block_event)
    if (reason := field(event, "messageStop", "stopReason")) is not None:
        response["stopReason"] = reason
    if (usage := field(event, "metadata", "usage")) is not None:
        response["usage"] = usage


def _fold_block(block: dict[str, Any], event: Any) -> None:
    delta = field(event, "delta")
    add_text(block, "text", field(delta, "text"))
    if (thought := field(delta, "reasoningContent", "text")) is not None:
        add_text(block.setdefault("reasoningContent", {}).setdefault("reasoningText", {}), "text", thought)
    if (call := field(event, "start", "toolUse") or field(delta, "toolUse")) is not None:
        tool_use = block.setdefault("toolUse", {})
        for name in ("toolUseId", "name"):
            if (value := field(call, name)) is not None:
                tool_use[name] = value
        add_text(tool_use, "input", field(call, "input"))


CONVERSE = Operation(
    name="chat",
    methods=METHODS,
    matches=asks("Converse", "ConverseStream"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model",
        semconv.GEN_AI_REQUEST_MAX_TOKENS: "inferenceConfig.maxTokens",
        semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "inferenceConfig.stopSequences",
        semconv.GEN_AI_REQUEST_TEMPERATURE: "inferenceConfig.temperature",
        semconv.GEN_AI_REQUEST_TOP_P: "inferenceConfig.topP",
    },
    request_content={
        semconv.GEN_AI_SYSTEM_INSTRUCTIONS: lambda request: [
            part for part in map(_part, items(request, "system")) if part
        ],
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: [
            message for source in items(request, "messages") for message in _message(source)
        ],
        semconv.GEN_AI_TOOL_DEFINITIONS: _tools,
    },
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [gen_ai.finish_reason(field(response, "stopReason"))],
        semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "usage.cacheReadInputTokens",
        semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: "usage.cacheWriteInputTokens",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: _input_tokens,
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "usage.outputTokens",
    },
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: _message(field(response, "output", "message"))},
    fold=_fold,
)


def _chunks(fold: Fold) -> Fold:
    """The fold for InvokeModelWithResponseStream, which packs the model's own chunks as bytes."""

    def folding(response: dict[str, Any], event: Any) -> None:
        if isinstance(packed := field(event, "chunk", "bytes"), bytes):
            fold(response, loads(packed))

    return folding


def _count(kind: str, *names: str) -> Callable[[Any], Any]:
    """A token count by one of the model's names, or else from the response's headers or a stream's last chunk."""

    def count(response: Any) -> Any:
        text = field(response, "counts", kind)
        header_count = int(text) if isinstance(text, str) and text.isdigit() else None
        count = either(*names)(response)
        return count if isinstance(count, int) else header_count or field(response, _METRICS, f"{kind}TokenCount")

    return count


_METRICS = "amazon-bedrock-invocationMetrics"
_TEXT = either("generation", "outputText", "text", "completion", "data.text")
_REASON = either("stop_reason", "finish_reason", "completionReason", "finishReason.reason")
_LISTS = ("results", "outputs", "generations", "completions", "choices")


def _first(response: Any) -> Any:
    """The first answer, if the model returns a list of them."""
    return next((answers[0] for name in _LISTS if (answers := items(response, name))), None)


def _reason(response: Any) -> Any:
    return _REASON(response) or _REASON(_first(response))


def _fold_text(response: dict[str, Any], chunk: Any) -> None:
    add_text(response, "generation", _TEXT(chunk) or _TEXT(_first(chunk)))
    if (reason := _reason(chunk)) is not None:
        response["stop_reason"] = reason
    for name in ("prompt_token_count", "generation_token_count", "inputTextTokenCount", _METRICS):
        if (value := field(chunk, name)) is not None:
            response[name] = value


TEXT: Table = {
    semconv.GEN_AI_REQUEST_MODEL: "model",
    semconv.GEN_AI_REQUEST_MAX_TOKENS: either(
        "max_gen_len", "max_tokens", "maxTokens", "max_tokens_to_sample", "textGenerationConfig.maxTokenCount"
    ),
    semconv.GEN_AI_REQUEST_TEMPERATURE: either("temperature", "textGenerationConfig.temperature"),
    semconv.GEN_AI_REQUEST_TOP_P: either("top_p", "p", "textGenerationConfig.topP"),
}

INVOKE_TEXT = Operation(
    name="text_completion",
    methods=METHODS,
    matches=invokes(),
    request=TEXT,
    request_content={
        semconv.GEN_AI_INPUT_MESSAGES: lambda source: gen_ai.texts(either("prompt", "inputText", "message")(source))
    },
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda source: [gen_ai.finish_reason(_reason(source))],
        semconv.GEN_AI_RESPONSE_MODEL: "model",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: _count(
            "input", "prompt_token_count", "inputTextTokenCount", "usage.prompt_tokens"
        ),
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: _count("output", "generation_token_count", "usage.completion_tokens"),
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda source: gen_ai.texts(
            _TEXT(source) or _TEXT(_first(source)), role="assistant"
        )
    },
    fold=_chunks(_fold_text),
)

INVOKE_EMBEDDING = Operation(
    name="embeddings",
    methods=METHODS,
    matches=invokes("embed"),
    request={semconv.GEN_AI_REQUEST_MODEL: "model", semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "dimensions"},
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda source: gen_ai.texts(either("inputText", "texts")(source))},
    response={
        semconv.GEN_AI_USAGE_INPUT_TOKENS: _count("input", "inputTextTokenCount"),
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda source: embeddings.dimensions(
            field(source, "embedding") or first(source, "embeddings")
        ),
    },
    has_finish_reasons=False,
)

SPEC = ClientSpec(
    name="botocore",
    module="botocore.client",
    operations=(
        CONVERSE,
        INVOKE_EMBEDDING,
        media.IMAGES,
        media.VIDEOS,
        media.WATCHING,
        replace(
            anthropic.MESSAGES,
            methods=METHODS,
            matches=invokes("anthropic.", mark="anthropic_version", unless="prompt"),
            fold=_chunks(anthropic.fold),
        ),
        replace(CONVERSE, matches=invokes("amazon.nova", mark="inferenceConfig"), fold=_chunks(_fold)),
        replace(
            chat_completions.CHAT,
            methods=METHODS,
            matches=invokes(mark="messages"),
            fold=_chunks(chat_completions.fold),
        ),
        INVOKE_TEXT,
    ),
    provider=semconv.AWS_BEDROCK,
    url=lambda client: client.meta.endpoint_url,
    body=body,
    wrap_result=wrap_result,
    also_check=("ClientCreator.create_client",),
)
