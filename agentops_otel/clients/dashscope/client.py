"""dashscope 2: `Client` and `AsyncClient`, whose responses look the same for each of the three dialects they speak."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients import anthropic
from agentops_otel.clients.dashscope import spec as dashscope
from agentops_otel.clients.dialects import chat_completions, embeddings
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.call import Call
from agentops_otel.instrumentation.folding import indexed
from agentops_otel.instrumentation.reading import field, first, items
from agentops_otel.instrumentation.spec import ClientSpec, Fold, Operation
from agentops_otel.instrumentation.tables import Table


def _body(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments, updated with `parameters`, which the client sends as they are."""
    more = arguments.get("parameters")
    return {**arguments, **more} if isinstance(more, dict) else arguments


def _as_list(value: Any) -> Sequence[Any]:
    """The value as a list. A single item may stand for a list of one."""
    return items(value) or ([] if value is None else [value])


def _message(message: Any) -> gen_ai.Message | None:
    if isinstance(message, str):
        return gen_ai.message("user", [gen_ai.text(message)])
    return chat_completions.message(message, read=_part)


def _part(part: Any) -> gen_ai.Part | None:
    """A part in dashscope's form, OpenAI's or the client's own."""
    if isinstance(part, str):
        return gen_ai.text(part)
    return dashscope.part(part) or chat_completions.part(part) or _medium(part, field(part, "type"))


def _medium(part: Any, kind: Any) -> gen_ai.Part | None:
    if kind == "video_url":
        return gen_ai.media("video", field(part, "video_url", "url") or field(part, "video_url"))
    if kind == "audio" and (data := field(part, "data")) is not None:
        return gen_ai.blob("audio", f"audio/{field(part, 'format')}", data)
    return gen_ai.media(kind, field(part, "url")) if kind in ("image", "audio", "video") else None


def _count(*paths: str) -> Callable[[Any], Any]:
    """Reads the first count that the server sent. For others the client has its default, 0."""

    def read(response: Any) -> Any:
        usage = field(response, "usage")
        reported = field(usage, "model_fields_set") or ()
        split = (path.split(".") for path in paths)
        return next(
            (count for path in split if path[0] in reported and (count := field(usage, *path)) is not None), None
        )

    return read


def _failure(response: Any) -> str | None:
    """`error.type` of an error response, which the client returns if `raise_on_error=False`."""
    if field(response, "is_error") is not True:
        return None
    return str(field(response, "code") or field(response, "status_code") or "_OTHER")


def _folding(*, incremental: bool) -> Fold:
    def fold(response: dict[str, Any], chunk: Any) -> None:
        for name in ("request_id", "model", "usage", "code", "status_code", "is_error"):
            if (value := field(chunk, name)) is not None:
                response[name] = value
        for choice in items(chunk, "choices"):
            entry = indexed(response, "choices", field(choice, "index"))
            if (reason := field(choice, "finish_reason")) not in (None, "null"):
                entry["finish_reason"] = reason
            dashscope.fold_message(entry, field(choice, "delta"), incremental=incremental)

    return fold


def _wrap_result(call: Call, value: Any) -> Any:
    """The response or stream itself. The inner stream is observed: all methods of the outer one read from it."""
    if not hasattr(type(value), "text_stream"):
        call.completed(value)
        return value
    cumulative = getattr(value, "_server_cumulative", False)
    value._inner = call.observe_stream(value._inner, _folding(incremental=False) if cumulative else None)
    return value


_RESPONSE: Table = {
    **chat_completions.RESPONSE,
    semconv.GEN_AI_RESPONSE_ID: "request_id",
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: _count(
        "prompt_tokens_details.cached_tokens", "cache_read_input_tokens"
    ),
    semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: "usage.cache_creation_input_tokens",
    semconv.GEN_AI_USAGE_INPUT_TOKENS: lambda response: (
        None if _count("input_tokens")(response) is None else anthropic.input_tokens(response)
    ),
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: _count("output_tokens"),
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: _count(
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "output_tokens_details.thinking_tokens",
    ),
}

CHAT = replace(
    dashscope.CHAT,
    methods=("Completions.create", "AsyncCompletions.create"),
    request_content={
        **chat_completions.REQUEST_CONTENT,
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.conversation(
            _message, _as_list(field(request, "messages"))
        ),
    },
    response=_RESPONSE,
    response_content=chat_completions.RESPONSE_CONTENT,
    fold=_folding(incremental=True),
    failure=_failure,
)

MULTIMODAL_CHAT = replace(CHAT, methods=("MultimodalChat.create", "AsyncMultimodalChat.create"))

EMBEDDING = replace(
    dashscope.EMBEDDING,
    methods=("Embeddings.create", "AsyncEmbeddings.create"),
    response={
        semconv.GEN_AI_USAGE_INPUT_TOKENS: _count("total_tokens"),
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(
            field(first(response, "embeddings"), "embedding")
        ),
    },
    failure=_failure,
)

MULTIMODAL_EMBEDDING = replace(
    EMBEDDING,
    methods=("MultimodalEmbeddings.create", "AsyncMultimodalEmbeddings.create"),
    request_content={
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.listed(
            gen_ai.message("user", map(_part, _as_list(field(request, "input"))))
        )
    },
    response={
        **EMBEDDING.response,
        semconv.GEN_AI_USAGE_INPUT_TOKENS: lambda response: (
            None if field(response, "usage", "image_tokens") is not None else _count("input_tokens")(response)
        ),
    },
)


def _nested(response: Any) -> dict[str, Any]:
    """The application's response in the shape that it has on the wire."""
    envelope = {name: field(response, name) for name in ("request_id", "usage", "code", "status_code", "is_error")}
    return {**envelope, "output": {name: field(response, name) for name in ("text", "finish_reason", "session_id")}}


def _wrap_application_result(call: Call, value: Any) -> Any:
    if hasattr(type(value), "text_stream"):
        return _wrap_result(call, value)
    call.completed(_nested(value))
    return value


def _nesting(operation: Operation) -> Operation:
    fold: Any = operation.fold
    return replace(operation, fold=lambda response, chunk: fold(response, _nested(chunk)))


APPLICATIONS = dashscope.both_ways(
    replace(dashscope.APPLICATION, methods=("AppCompletions.create", "AsyncAppCompletions.create"), failure=_failure)
)


def _chat_url(resource: Any) -> object:
    return field(resource, "_client", "config", "protocol_base_url")


def _url(resource: Any) -> object:
    return field(resource, "_client", "transport", "http_client", "base_url")


def _spec(module: str, *operations: Operation, **more: Any) -> ClientSpec:
    return ClientSpec(
        name="dashscope",
        module=f"dashscope.v2.resources.{module}",
        operations=operations,
        provider=semconv.DASHSCOPE,
        body=_body,
        **{"url": _url, "wrap_result": _wrap_result, **more},
    )


SPECS = (
    _spec("apps", *map(_nesting, APPLICATIONS), wrap_result=_wrap_application_result),
    _spec("chat.completions", CHAT, url=_chat_url),
    _spec("multimodal.chat", MULTIMODAL_CHAT, url=_chat_url),
    _spec("embeddings", EMBEDDING),
    _spec("multimodal.embeddings", MULTIMODAL_EMBEDDING),
)
