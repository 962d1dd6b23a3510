"""The cohere package: chats, text generation and embeddings of both of its APIs.

A client binds some of its methods when it is created. To reach clients created before `init()`, the raw client is
wrapped too, which all methods call and whose responses have the answer in `data`. Versions without a raw client are
wrapped at the public methods.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings, tool_calls
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.call import Call
from agentops_otel.instrumentation.folding import add_text, indexed
from agentops_otel.instrumentation.reading import field, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.tables import Table
from agentops_otel.wrapping.proxy import proxied
from agentops_otel.wrapping.stream import observed_call


def _url(client: Any) -> object:
    wrapper = field(client, "_client_wrapper") or client._raw_client._client_wrapper
    return wrapper.get_base_url()


def _tokens(usage: str, name: str) -> Callable[[Any], object]:
    """A token count: the billed one, or else the one that was processed."""

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


def _fold(response: dict[str, Any], event: Any) -> None:
    if (identity := field(event, "id")) is not None:
        response["id"] = identity
    for name in ("finish_reason", "usage"):
        if (value := field(event, "delta", name)) is not None:
            response[name] = value
    message = response.setdefault("message", {"role": "assistant"})
    delta = field(event, "delta", "message")
    add_text(message, "tool_plan", field(delta, "tool_plan"))
    if (content := field(delta, "content")) is not None:
        part = indexed(message, "content", field(event, "index"))
        for name in ("text", "thinking"):
            add_text(part, name, field(content, name))
        part["type"] = "thinking" if "thinking" in part else "text"
    if (call := field(delta, "tool_calls")) is not None:
        tool_calls.fold_tool_call(message, field(event, "index"), call)


CHAT = Operation(
    name="chat",
    methods=tuple(f"{kind}V2Client.{name}" for kind in ("", "Async") for name in ("chat", "chat_stream")),
    request=_REQUEST,
    request_content=chat_completions.REQUEST_CONTENT,
    response=_response("usage", "id"),
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.listed(
            chat_completions.message(field(response, "message"), role="assistant")
        )
    },
    fold=_fold,
)


def _old_messages(request: Any) -> list[gen_ai.Message]:
    past = map(_old_message, items(request, "chat_history"))
    messages = [*past, *gen_ai.texts(field(request, "message")), gen_ai.message("tool", _old_results(request))]
    return [message for message in messages if message]


_OLD_ROLES = {"CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool"}


def _old_message(message: Any) -> gen_ai.Message | None:
    parts = [gen_ai.text(field(message, "message")), *_old_calls(message), *_old_results(message)]
    return gen_ai.message(_OLD_ROLES.get(str(field(message, "role")), "user"), parts)


def _old_calls(message: Any) -> list[gen_ai.Part]:
    return [
        gen_ai.tool_call(None, field(call, "name"), field(call, "parameters")) for call in items(message, "tool_calls")
    ]


def _old_results(message: Any) -> list[gen_ai.Part]:
    return [gen_ai.tool_call_response(None, field(result, "outputs")) for result in items(message, "tool_results")]


def _old_tool(tool: Any) -> dict[str, Any]:
    details = {"description": field(tool, "description"), "parameters": field(tool, "parameter_definitions")}
    return {"type": "function", "name": field(tool, "name"), **details}


def _old_answer(response: Any) -> list[gen_ai.Message]:
    return gen_ai.listed(gen_ai.message("assistant", [gen_ai.text(field(response, "text")), *_old_calls(response)]))


def _old_fold(response: dict[str, Any], event: Any) -> None:
    match field(event, "event_type"):
        case "text-generation":
            add_text(response, "text", field(event, "text"))
        case "stream-start":
            response["generation_id"] = field(event, "generation_id")
        case "stream-end":
            for name in ("text", "tool_calls", "meta", "generation_id"):
                response[name] = field(event, "response", name)
            response["finish_reason"] = field(event, "finish_reason")


OLD_CHAT = Operation(
    name="chat",
    methods=tuple(f"{kind}BaseCohere.{name}" for kind in ("", "Async") for name in ("chat", "chat_stream")),
    request=_REQUEST,
    request_content={
        semconv.GEN_AI_SYSTEM_INSTRUCTIONS: lambda request: gen_ai.listed(gen_ai.text(field(request, "preamble"))),
        semconv.GEN_AI_INPUT_MESSAGES: _old_messages,
        semconv.GEN_AI_TOOL_DEFINITIONS: lambda request: [*map(_old_tool, items(request, "tools"))],
    },
    response=_response("meta", "generation_id"),
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _old_answer},
    fold=_old_fold,
)


def _generate_fold(response: dict[str, Any], event: Any) -> None:
    if field(event, "event_type") == "text-generation":
        add_text(indexed(response, "generations", field(event, "index")), "text", field(event, "text"))
    for name in ("id", "meta"):
        response[name] = field(event, "response", name) or response.get(name)
    if (reason := field(event, "finish_reason")) is not None:
        for generation in response.get("generations", ()):
            generation["finish_reason"] = reason


GENERATE = Operation(
    name="text_completion",
    methods=tuple(f"{kind}BaseCohere.{name}" for kind in ("", "Async") for name in ("generate", "generate_stream")),
    request={
        **_REQUEST,
        semconv.GEN_AI_REQUEST_CHOICE_COUNT: lambda request: gen_ai.choice_count(field(request, "num_generations")),
    },
    request_content=chat_completions.PROMPT,
    response={
        **_response("meta", "id"),
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
            gen_ai.finish_reason(field(generation, "finish_reason")) for generation in items(response, "generations")
        ],
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            message
            for generation in items(response, "generations")
            if (message := gen_ai.message("assistant", [gen_ai.text(field(generation, "text"))]))
        ]
    },
    fold=_generate_fold,
)


def _vector(response: Any) -> Any:
    """The first vector. With several encodings the response has vectors by encoding."""
    vectors = field(response, "embeddings")
    if not isinstance(vectors, list):
        kinds = ("float_", "float", "int8", "uint8", "binary", "ubinary")
        vectors = next((listed for kind in kinds if (listed := items(vectors, kind))), ())
    return next(iter(vectors), None)


def _fold_vector(response: dict[str, Any], chunk: Any) -> None:
    response.setdefault("embeddings", [field(chunk, "embedding")])


def _embedded(request: Any) -> list[gen_ai.Message]:
    """One message for the texts and images, or for inputs of both."""
    inputs = (part for source in items(request, "inputs") for part in items(source, "content"))
    images = (gen_ai.media("image", image) for image in items(request, "images"))
    texts = map(gen_ai.text, items(request, "texts"))
    return gen_ai.listed(gen_ai.message("user", [*texts, *images, *map(chat_completions.part, inputs)]))


def _embed(*methods: str) -> Operation:
    return Operation(
        name="embeddings",
        methods=methods,
        request={
            semconv.GEN_AI_REQUEST_MODEL: "model",
            semconv.GEN_AI_REQUEST_ENCODING_FORMATS: "embedding_types",
            semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "output_dimension",
        },
        request_content={semconv.GEN_AI_INPUT_MESSAGES: _embedded},
        response={
            semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(_vector(response)),
            semconv.GEN_AI_USAGE_INPUT_TOKENS: _tokens("meta", "input_tokens"),
        },
        fold=_fold_vector,
        has_finish_reasons=False,
    )


class _Entered:
    """Observes the entering of a response context, which sends the request."""

    def __init__(self, call: Call) -> None:
        self.context = call.context
        self._call = call

    def returned(self, value: Any) -> Any:
        value._data = self._call.observe_stream(value._data)
        return value

    def raised(self, error: BaseException) -> None:
        self._call.raised(error)


def _entering(name: str) -> Callable[[Any], Any]:
    return lambda self: observed_call(_Entered(self._self_observer), getattr(self.__wrapped__, name))


_HOOKS = {name: _entering(name) for name in ("__enter__", "__aenter__")}


def _wrap_result(call: Call, value: Any) -> Any:
    """The raw client's result: an HTTP response with the answer, or a context manager that opens a stream."""
    if any(hasattr(type(value), name) for name in _HOOKS):
        return proxied(value, call, _HOOKS)
    call.completed(field(value, "data"))
    return value


def _spec(module: str, *operations: Operation, **more: Any) -> ClientSpec:
    return ClientSpec(name="cohere", module=module, operations=operations, provider=semconv.COHERE, url=_url, **more)


def _raw(operation: Operation) -> Operation:
    """The operation on the raw client, whose class is named after the client's."""
    methods = (path.replace("Async", "AsyncRaw") if "Async" in path else f"Raw{path}" for path in operation.methods)
    return replace(operation, methods=tuple(methods))


_EMBED = _embed("V2Client.embed", "AsyncV2Client.embed")
_OLD_EMBED = _embed("BaseCohere.embed", "AsyncBaseCohere.embed")

SPECS = (
    _spec("cohere.v2.client", CHAT, _EMBED),
    _spec("cohere.v2.raw_client", _raw(CHAT), _raw(_EMBED), wrap_result=_wrap_result),
    # The public embed() sends batches from threads. They are parts of one call.
    _spec("cohere.base_client", OLD_CHAT, GENERATE, replace(_OLD_EMBED, methods=("BaseCohere.embed",), suppress=True)),
    _spec("cohere.raw_base_client", _raw(OLD_CHAT), _raw(GENERATE), _raw(_OLD_EMBED), wrap_result=_wrap_result),
    _spec("cohere.client", _embed("Client.embed", "AsyncClient.embed", "Client.embed_stream")),
)
