"""The ollama package: its clients, and its module-level functions, which are methods of a default client."""

from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import embeddings
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text
from agentops_otel.instrumentation.reading import as_mapping, field, first, items
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.tables import STREAM, Table

_PATH_LENGTH = 1024
"""An image as text is a path if it is shorter, otherwise base64."""


def _methods(name: str) -> tuple[str, ...]:
    return (f"Client.{name}", f"AsyncClient.{name}")


def _output_type(request: Any) -> str | None:
    wanted = field(request, "format")
    return "json" if wanted == "json" or isinstance(wanted, dict) else None


def _message(message: Any, role: str = "user") -> gen_ai.Message | None:
    role = field(message, "role") or role
    content = field(message, "content")
    if role == "tool":
        return gen_ai.message(role, [gen_ai.tool_call_response(None, content)])
    parts = [
        gen_ai.reasoning(field(message, "thinking")),
        gen_ai.text(content),
        *map(_image, items(message, "images")),
        *(
            gen_ai.tool_call(None, field(call, "function", "name"), field(call, "function", "arguments"))
            for call in items(message, "tool_calls")
        ),
    ]
    return gen_ai.message(role, parts)


def _image(image: Any) -> gen_ai.Part | None:
    data = image if isinstance(image, str | bytes) else field(image, "value")
    if isinstance(data, str) and len(data) < _PATH_LENGTH:
        return gen_ai.media("image", data)
    return None if data is None else gen_ai.blob("image", None, data)


def _definition(tool: Any) -> Any:
    """A tool's definition. The program may pass a function itself."""
    return {"type": "function", "name": tool.__name__} if callable(tool) else gen_ai.definition(tool)


def _finish_reasons(response: Any) -> list[str | None]:
    reason = gen_ai.finish_reason(field(response, "done_reason"))
    return ["tool_call" if reason == "stop" and items(response, "message", "tool_calls") else reason]


def _fold(response: dict[str, Any], chunk: Any) -> None:
    for name in ("model", "done_reason", "prompt_eval_count", "eval_count", "image"):
        if (value := field(chunk, name)) is not None:
            response[name] = value
    for name in ("response", "thinking"):
        add_text(response, name, field(chunk, name))
    message = response.setdefault("message", {"role": "assistant"})
    for name in ("content", "thinking"):
        add_text(message, name, field(chunk, "message", name))
    if calls := items(chunk, "message", "tool_calls"):
        message.setdefault("tool_calls", []).extend(calls)


_REQUEST: Table = {
    semconv.GEN_AI_REQUEST_MODEL: "model",
    semconv.GEN_AI_OUTPUT_TYPE: _output_type,
    semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY: "options.frequency_penalty",
    semconv.GEN_AI_REQUEST_MAX_TOKENS: "options.num_predict",
    semconv.GEN_AI_REQUEST_PRESENCE_PENALTY: "options.presence_penalty",
    semconv.GEN_AI_REQUEST_REASONING_LEVEL: "think",
    semconv.GEN_AI_REQUEST_SEED: "options.seed",
    semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "options.stop",
    **STREAM,
    semconv.GEN_AI_REQUEST_TEMPERATURE: "options.temperature",
    semconv.GEN_AI_REQUEST_TOP_K: "options.top_k",
    semconv.GEN_AI_REQUEST_TOP_P: "options.top_p",
}

_RESPONSE: Table = {
    semconv.GEN_AI_RESPONSE_FINISH_REASONS: _finish_reasons,
    semconv.GEN_AI_RESPONSE_MODEL: "model",
    semconv.GEN_AI_USAGE_INPUT_TOKENS: "prompt_eval_count",
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "eval_count",
}

CHAT = Operation(
    name="chat",
    methods=_methods("chat"),
    request=_REQUEST,
    request_content={
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: [
            message for source in items(request, "messages") if (message := _message(source))
        ],
        semconv.GEN_AI_TOOL_DEFINITIONS: lambda request: [_definition(tool) for tool in items(request, "tools")],
    },
    response=_RESPONSE,
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.listed(
            _message(field(response, "message"), role="assistant")
        )
    },
    fold=_fold,
)

GENERATE = Operation(
    name="text_completion",
    methods=_methods("generate"),
    request=_REQUEST,
    request_content={
        semconv.GEN_AI_SYSTEM_INSTRUCTIONS: lambda request: gen_ai.listed(gen_ai.text(field(request, "system"))),
        semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.listed(
            gen_ai.message("user", [gen_ai.text(field(request, "prompt")), *map(_image, items(request, "images"))])
        ),
    },
    response=_RESPONSE,
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.listed(
            gen_ai.message(
                "assistant",
                [
                    gen_ai.reasoning(field(response, "thinking")),
                    gen_ai.text(field(response, "response")),
                    _image(field(response, "image")),
                ],
            )
        )
    },
    fold=_fold,
)

EMBED = Operation(
    name="embeddings",
    methods=_methods("embed"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model",
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "dimensions",
    },
    request_content=embeddings.INPUT,
    response={
        semconv.GEN_AI_RESPONSE_MODEL: "model",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: "prompt_eval_count",
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(
            first(response, "embeddings")
        ),
    },
    has_finish_reasons=False,
)

EMBEDDINGS = Operation(
    name="embeddings",
    methods=_methods("embeddings"),
    request={semconv.GEN_AI_REQUEST_MODEL: "model"},
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.texts(field(request, "prompt"))},
    response={
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(field(response, "embedding"))
    },
    has_finish_reasons=False,
)


def _state(state: Any) -> list[gen_ai.Message]:
    """Messages for the state to decide on: text, or JSON."""
    return gen_ai.texts(state) or ([{"role": "user", "parts": [{"type": "json", "content": state}]}] if state else [])


def _decisions(response: Any) -> list[gen_ai.Message]:
    answers = as_mapping(field(response, "answers"))
    parts = [
        {"type": "decision", "answer": {"question": name, **as_mapping(decision)}} for name, decision in answers.items()
    ]
    return gen_ai.listed(gen_ai.message("assistant", parts))


DECISION = Operation(
    name="generate_content",
    methods=_methods("systemone"),
    request={semconv.GEN_AI_REQUEST_MODEL: "model", semconv.GEN_AI_OUTPUT_TYPE: lambda _: "json"},
    request_content={semconv.GEN_AI_INPUT_MESSAGES: lambda request: _state(field(request, "state"))},
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: ["stop"] if _decisions(response) else None,
        semconv.GEN_AI_RESPONSE_MODEL: "model",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.input_tokens",
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "usage.output_tokens",
    },
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: _decisions},
)

SPEC = ClientSpec(
    name="ollama",
    module="ollama",
    operations=(CHAT, GENERATE, DECISION, EMBED, EMBEDDINGS),
    provider=semconv.OLLAMA,
    url=lambda client: field(client, "_client", "base_url"),
)

SPECS = (SPEC,)
