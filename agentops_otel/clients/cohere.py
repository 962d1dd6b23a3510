"""The cohere package: chat, its stream and embed, of both of its APIs."""

from collections.abc import Callable
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients import chat_completions, embeddings
from agentops_otel.instrumentation import messages as gen_ai
from agentops_otel.instrumentation.reading import Table, add_text, field, indexed, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation


def _url(client: Any) -> object:
    return client._raw_client._client_wrapper.get_base_url()


def _tokens(usage: str, name: str) -> Callable[[Any], object]:
    """What is billed counts, what was read is second."""

    def count(response: Any) -> object:
        billed = field(response, usage, "billed_units", name)
        return field(response, usage, "tokens", name) if billed is None else billed

    return count


_REQUEST: Table = {
    semconv.GEN_AI_REQUEST_MODEL: "model",
    semconv.GEN_AI_OUTPUT_TYPE: lambda request: gen_ai.output_type(field(request, "response_format", "type")),
    semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY: "frequency_penalty",
    semconv.GEN_AI_REQUEST_MAX_TOKENS: "max_tokens",
    semconv.GEN_AI_REQUEST_PRESENCE_PENALTY: "presence_penalty",
    semconv.GEN_AI_REQUEST_SEED: "seed",
    semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "stop_sequences",
    semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
    semconv.GEN_AI_REQUEST_TOP_K: "k",
    semconv.GEN_AI_REQUEST_TOP_P: "p",
}


def _response(usage: str, identity: str) -> Table:
    return {
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
            gen_ai.finish_reason(field(response, "finish_reason"))
        ],
        semconv.GEN_AI_RESPONSE_ID: identity,
        semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: f"{usage}.cached_tokens",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: _tokens(usage, "input_tokens"),
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: _tokens(usage, "output_tokens"),
    }


def _fold(whole: dict[str, Any], event: Any) -> None:
    if (identity := field(event, "id")) is not None:
        whole["id"] = identity
    for name in ("finish_reason", "usage"):
        if (value := field(event, "delta", name)) is not None:
            whole[name] = value
    message = whole.setdefault("message", {"role": "assistant"})
    delta = field(event, "delta", "message")
    add_text(message, "tool_plan", field(delta, "tool_plan"))
    if (content := field(delta, "content")) is not None:
        part = indexed(message, "content", field(event, "index"))
        for name in ("text", "thinking"):
            add_text(part, name, field(content, name))
        part["type"] = "thinking" if "thinking" in part else "text"
    if (call := field(delta, "tool_calls")) is not None:
        known = indexed(message, "tool_calls", field(event, "index"))
        known["id"] = field(call, "id") or known.get("id")
        function = known.setdefault("function", {})
        for name in ("name", "arguments"):
            add_text(function, name, field(call, "function", name))


CHAT = Operation(
    name="chat",
    where=tuple(f"{kind}V2Client.{name}" for kind in ("", "Async") for name in ("chat", "chat_stream")),
    request=_REQUEST,
    request_content=chat_completions.REQUEST_CONTENT,
    response=_response("usage", "id"),
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            said for said in [chat_completions.message(field(response, "message"), role="assistant")] if said
        ]
    },
    fold=_fold,
)


def _old_messages(request: Any) -> list[gen_ai.Message]:
    roles = {"CHATBOT": "assistant", "SYSTEM": "system"}
    past = [
        gen_ai.message(roles.get(str(field(said, "role")), "user"), [gen_ai.text(field(said, "message"))])
        for said in items(request, "chat_history")
    ]
    return [said for said in [*past, *gen_ai.texts(field(request, "message"))] if said]


def _old_answer(response: Any) -> list[gen_ai.Message]:
    calls = [
        gen_ai.tool_call(None, field(call, "name"), field(call, "parameters")) for call in items(response, "tool_calls")
    ]
    found = gen_ai.message("assistant", [gen_ai.text(field(response, "text")), *calls])
    return [found] if found else []


def _old_fold(whole: dict[str, Any], event: Any) -> None:
    match field(event, "event_type"):
        case "text-generation":
            add_text(whole, "text", field(event, "text"))
        case "stream-start":
            whole["generation_id"] = field(event, "generation_id")
        case "stream-end":
            for name in ("text", "tool_calls", "meta", "generation_id"):
                whole[name] = field(event, "response", name)
            whole["finish_reason"] = field(event, "finish_reason")


OLD_CHAT = Operation(
    name="chat",
    where=tuple(f"{kind}BaseCohere.{name}" for kind in ("", "Async") for name in ("chat", "chat_stream")),
    request=_REQUEST,
    request_content={
        semconv.GEN_AI_SYSTEM_INSTRUCTIONS: lambda request: [
            part for part in [gen_ai.text(field(request, "preamble"))] if part
        ],
        semconv.GEN_AI_INPUT_MESSAGES: _old_messages,
        semconv.GEN_AI_TOOL_DEFINITIONS: "tools",
    },
    response=_response("meta", "generation_id"),
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _old_answer},
    fold=_old_fold,
)


def _vector(response: Any) -> Any:
    """The first vector, under the name of its type where there are several."""
    found = field(response, "embeddings")
    if not isinstance(found, list):
        kinds = ("float_", "float", "int8", "uint8", "binary", "ubinary")
        found = next((vectors for kind in kinds if (vectors := items(found, kind))), ())
    return next(iter(found), None)


def _embed(*where: str) -> Operation:
    return Operation(
        name="embeddings",
        where=where,
        request={
            semconv.GEN_AI_REQUEST_MODEL: "model",
            semconv.GEN_AI_REQUEST_ENCODING_FORMATS: "embedding_types",
            semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "output_dimension",
        },
        request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.texts(field(request, "texts"))},
        response={
            semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(_vector(response)),
            semconv.GEN_AI_USAGE_INPUT_TOKENS: _tokens("meta", "input_tokens"),
        },
        finishes=False,
    )


def _spec(module: str, *operations: Operation) -> ClientSpec:
    return ClientSpec(name="cohere", module=module, operations=operations, provider="cohere", url=_url)


SPECS = (
    _spec("cohere.v2.client", CHAT, _embed("V2Client.embed", "AsyncV2Client.embed")),
    _spec("cohere.base_client", OLD_CHAT),
    # Its embed() asks in batches, from threads: what is inside is one call.
    _spec("cohere.client", _embed("Client.embed", "AsyncClient.embed")),
)
