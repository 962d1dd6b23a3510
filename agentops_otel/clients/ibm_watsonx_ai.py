"""The ibm_watsonx_ai package: chats, texts and embeddings, through a ModelInference or the Model Gateway."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import chat_completions, embeddings
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text
from agentops_otel.instrumentation.reading import as_mapping, field, first, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation


def _url(client: Any) -> object:
    return field(client, "_client", "credentials", "url")


def _model(client: Any) -> object:
    """The model's id, or the id of its deployment."""
    return field(client, "model_id") or field(client, "deployment_id")


def _body(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments and `params`, which default to the client's."""
    named = arguments.get("params")
    params = field(arguments.get("self"), "params") if named is None else named
    return {**as_mapping(params), **arguments}


def _methods(*names: str) -> tuple[str, ...]:
    return tuple(f"ModelInference.{name}" for name in names)


def _fold_chat(response: dict[str, Any], chunk: Any) -> None:
    chat_completions.fold(response, chunk)
    if (model := field(chunk, "model_id")) is not None:
        response["model_id"] = model


CHAT = replace(
    chat_completions.CHAT,
    methods=_methods("chat", "achat", "chat_stream", "achat_stream"),
    response={**chat_completions.RESPONSE, semconv.GEN_AI_RESPONSE_MODEL: "model_id"},
    fold=_fold_chat,
)


def _answers(response: Any) -> list[Any]:
    """The responses: a list of prompts has a list of them."""
    return response if isinstance(response, list) else [response]


def _results(response: Any) -> list[Any]:
    return [result for answer in _answers(response) for result in items(answer, "results")]


def _total(name: str) -> Callable[[Any], int | None]:
    def total(response: Any) -> int | None:
        counts = [count for result in _results(response) if isinstance(count := field(result, name), int)]
        return sum(counts) if counts else None

    return total


def _finish_reasons(response: Any) -> list[str | None] | None:
    """The finish reasons. A stream of bare texts has none."""
    reasons = [reason for result in _results(response) if (reason := field(result, "stop_reason"))]
    return [gen_ai.finish_reason(reason) for reason in reasons] or None


def _fold(response: dict[str, Any], chunk: Any) -> None:
    """Add a chunk: a text, or a response whose counts are those so far."""
    if (model := field(chunk, "model_id")) is not None:
        response["model_id"] = model
    (entry,) = response.setdefault("results", [{}])
    for result in [{"generated_text": chunk}] if isinstance(chunk, str) else items(chunk, "results"):
        add_text(entry, "generated_text", field(result, "generated_text"))
        if (reason := field(result, "stop_reason")) not in (None, "not_finished"):
            entry["stop_reason"] = reason
        for name in ("input_token_count", "generated_token_count"):
            if isinstance(count := field(result, name), int):
                entry[name] = max(count, entry.get(name, 0))


GENERATE = Operation(
    name="text_completion",
    methods=_methods("generate", "agenerate", "generate_text_stream", "agenerate_stream"),
    request={
        semconv.GEN_AI_REQUEST_MAX_TOKENS: "max_new_tokens",
        semconv.GEN_AI_REQUEST_SEED: "random_seed",
        semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "stop_sequences",
        semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
        semconv.GEN_AI_REQUEST_TOP_K: "top_k",
        semconv.GEN_AI_REQUEST_TOP_P: "top_p",
    },
    request_content=chat_completions.PROMPT,
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: _finish_reasons,
        semconv.GEN_AI_RESPONSE_MODEL: lambda response: field(next(iter(_answers(response)), None), "model_id"),
        semconv.GEN_AI_USAGE_INPUT_TOKENS: _total("input_token_count"),
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: _total("generated_token_count"),
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            message
            for result in _results(response)
            if (message := gen_ai.message("assistant", [gen_ai.text(field(result, "generated_text"))]))
        ]
    },
    fold=_fold,
)

EMBEDDINGS = Operation(
    name="embeddings",
    methods=("Embeddings.generate", "Embeddings.agenerate"),
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.texts(field(request, "inputs"))},
    response={
        semconv.GEN_AI_RESPONSE_MODEL: "model_id",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: "input_token_count",
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(
            field(first(response, "results"), "embedding")
        ),
    },
    has_finish_reasons=False,
)


def _spec(module: str, *operations: Operation) -> ClientSpec:
    return ClientSpec(
        name="ibm_watsonx_ai",
        module=f"ibm_watsonx_ai.{module}",
        operations=operations,
        provider=semconv.IBM_WATSONX_AI,
        url=_url,
        client_attributes={semconv.GEN_AI_REQUEST_MODEL: _model},
        body=_body,
    )


def _gateway(operation: Operation, params: str, *names: str) -> ClientSpec:
    """A spec for GatewayInference. Parameters of its constructor apply if the call gives none."""

    def body(arguments: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in arguments.items() if value is not None}
        return {**as_mapping(field(arguments.get("self"), params)), **given}

    methods = tuple(f"GatewayInference.{name}" for name in names)
    return replace(
        _spec("gateway.gateway_inference", replace(operation, methods=methods)),
        client_attributes={semconv.GEN_AI_REQUEST_MODEL: "_model"},
        body=body,
    )


def _made(operation: Operation, kind: str) -> Operation:
    """The operation at one of the classes that a gateway defines in `__init__`."""
    return replace(
        operation, methods=tuple(f"Gateway.__init__.<locals>.{kind}.{name}" for name in ("create", "acreate"))
    )


GATEWAY_EMBEDDINGS = replace(
    embeddings.EMBEDDINGS,
    # Many inputs are sent in batches: only the total counts all of them.
    response={**embeddings.EMBEDDINGS.response, semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.total_tokens"},
)

SPECS = (
    _spec("foundation_models.inference.model_inference", CHAT, GENERATE),
    _spec("foundation_models.embeddings.embeddings", EMBEDDINGS),
    _spec(
        "gateway.gateway",
        _made(chat_completions.CHAT, "_ChatCompletions"),
        _made(chat_completions.TEXT_COMPLETION, "_Completions"),
        _made(GATEWAY_EMBEDDINGS, "_Embeddings"),
    ),
    _gateway(chat_completions.CHAT, "_chat_params", "chat", "achat", "chat_stream", "achat_stream"),
    _gateway(
        chat_completions.TEXT_COMPLETION,
        "_completion_params",
        *("generate", "agenerate", "generate_stream", "agenerate_stream"),
    ),
)
