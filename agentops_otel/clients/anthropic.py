"""The anthropic package: Anthropic, Bedrock, Vertex and the other clients that it comes with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import get_value

from agentops_otel import semconv
from agentops_otel.clients.dialects import raw_response, stainless
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text, begin_entry, indexed
from agentops_otel.instrumentation.reading import as_mapping, field, items, lookup_in
from agentops_otel.instrumentation.spec import ClientSpec, Operation
from agentops_otel.instrumentation.tables import STREAM, Table
from agentops_otel.tracing import SUPPRESS_KEY
from agentops_otel.tracing.provider import OwnProvider

_CLIENTS = ("Anthropic", "AnthropicBedrock", "AnthropicBedrockMantle", "AnthropicVertex")
_METHODS = tuple(f"{prefix}{client}.request" for client in _CLIENTS for prefix in ("", "Async"))
_PROVIDERS: Mapping[str, str] = {
    "AnthropicBedrock": semconv.AWS_BEDROCK,
    "AnthropicBedrockMantle": semconv.AWS_BEDROCK,
    "AnthropicFoundry": semconv.AZURE_AI_INFERENCE,
    "AnthropicVertex": semconv.GCP_VERTEX_AI,
}


def _provider(client: Any, host: str | None) -> str:
    names = (kind.__name__.removeprefix("Async") for kind in type(client).__mro__)
    return next((_PROVIDERS[name] for name in names if name in _PROVIDERS), semconv.ANTHROPIC)


def rewrite_arguments(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments without the package's own span, unless the program gave the client a tracer provider.

    The package traces its own calls, but not a request whose `span_name` is None. If tracing is suppressed, its span is
    left out too.
    """
    arguments = stainless.rewrite_arguments(arguments)
    chosen = field(arguments["self"], "open_telemetry", "tracer_provider")
    is_ours = chosen is None or chosen is trace.get_tracer_provider() or get_value(SUPPRESS_KEY)
    return _untraced(arguments) if is_ours else arguments


def rewrite_other_arguments(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for calls that make no span here, if the package traces only because of our global tracer provider.

    The package makes a span as soon as there is a global tracer provider, and sends `traceparent` to the server. With
    our provider the program did not ask for that.
    """
    chosen = field(arguments["self"], "open_telemetry", "tracer_provider")
    ours = chosen is None and isinstance(trace.get_tracer_provider(), OwnProvider)
    return _untraced(arguments) if ours else arguments


def _untraced(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    options: Any = arguments.get("options")
    if field(options, "span_name") is None:
        return arguments
    return {**arguments, "options": options.model_copy(update={"span_name": None})}


def _conversation(client: Any) -> Any:
    """`conversation_id` of the client's own tracing options."""
    return field(client, "open_telemetry", "conversation_id")


def _messages(messages: Any) -> Sequence[gen_ai.Message]:
    return gen_ai.conversation(_message, items(messages))


_FIRST = 128
"""Parts that are examined to see whether a message holds tool results only."""


def _message(message: Any) -> gen_ai.Message | None:
    get = lookup_in(message)
    parts = _parts(get("content"))
    first = parts[:_FIRST]
    answers = bool(first) and all(part["type"] == "tool_call_response" for part in first)
    return gen_ai.message("tool" if answers else get("role"), parts)


def _parts(content: Any) -> Sequence[gen_ai.Part]:
    if isinstance(content, str):
        return gen_ai.listed(gen_ai.text(content))
    return gen_ai.lazily(_part, items(content))


def _part(block: Any) -> gen_ai.Part | None:
    kind = field(block, "type")
    if not isinstance(kind, str):
        return None
    if reader := _PARTS.get(kind):
        return reader(block)
    tool, _, ending = kind.rpartition("_tool_")
    if ending != "result":
        return None
    return gen_ai.server_tool_call_response(field(block, "tool_use_id"), tool, {"content": field(block, "content")})


def _source(modality: str) -> Callable[[Any], gen_ai.Part | None]:
    """Reads the `source` of an image or a document."""

    def part(block: Any) -> gen_ai.Part | None:
        match field(block, "source", "type"):
            case "url":
                return gen_ai.media(modality, field(block, "source", "url"))
            case "file":
                return gen_ai.file(field(block, "source", "file_id"), modality)
            case "text":
                return gen_ai.text(field(block, "source", "data"))
            case _:
                source = field(block, "source")
                return gen_ai.blob(modality, field(source, "media_type"), field(source, "data"))

    return part


def _tool_result(block: Any) -> gen_ai.Part:
    get = lookup_in(block)
    content = get("content")
    if not isinstance(content, str):
        parts = _parts(content)
        plain = len(parts) == 1 and parts[0]["type"] == "text"
        content = parts[0]["content"] if plain else parts
    return gen_ai.tool_call_response(get("tool_use_id"), content or None)


def _tool_use(block: Any) -> gen_ai.Part:
    get = lookup_in(block)
    return gen_ai.tool_call(get("id"), get("name"), get("input"))


def _server_tool_use(block: Any, tool: object) -> gen_ai.Part:
    details = {"server_name": field(block, "server_name"), "arguments": gen_ai.parsed(field(block, "input"))}
    return gen_ai.server_tool_call(field(block, "id"), field(block, "name"), tool, details)


_PARTS: Mapping[str, Callable[[Any], gen_ai.Part | None]] = {
    "text": lambda block: gen_ai.text(field(block, "text")),
    "thinking": lambda block: gen_ai.reasoning(field(block, "thinking")),
    "image": _source("image"),
    "document": _source("document"),
    "tool_use": _tool_use,
    "server_tool_use": lambda block: _server_tool_use(block, field(block, "name")),
    "mcp_tool_use": lambda block: _server_tool_use(block, "mcp"),
    "tool_result": _tool_result,
}


def _count(usage: Any, name: str) -> int:
    count = field(usage, name)
    return count if isinstance(count, int) else 0


def input_tokens(response: Any) -> int | None:
    """Anthropic counts cached tokens apart; the conventions count them in."""
    usage = field(response, "usage")
    if not isinstance(field(usage, "input_tokens"), int):
        return None
    return sum(_count(usage, f"{kind}input_tokens") for kind in ("", "cache_read_", "cache_creation_"))


def fold(response: dict[str, Any], event: Any) -> None:
    """Add an event to the message; the counts of the output are placeholders until `message_delta`."""
    kind = as_mapping(event).get("type")
    folder = _FOLDERS.get(kind) if isinstance(kind, str) else None
    if folder is not None:
        folder(response, event)


def _fold_start(response: dict[str, Any], event: Any) -> None:
    for name in ("id", "model", "role"):
        response[name] = field(event, "message", name)
    _fold_usage(response, field(event, "message", "usage"), _INPUT_COUNTS)


def _fold_end(response: dict[str, Any], event: Any) -> None:
    response["stop_reason"] = field(event, "delta", "stop_reason")
    _fold_usage(response, field(event, "usage"), (*_INPUT_COUNTS, "output_tokens", "output_tokens_details"))


_INPUT_COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "service_tier")


def _fold_usage(response: dict[str, Any], usage: Any, names: tuple[str, ...]) -> None:
    counts = response.setdefault("usage", {})
    for name in names:
        if (count := field(usage, name)) is not None:
            counts[name] = count


def _fold_block(response: dict[str, Any], event: Any) -> None:
    index = field(event, "index")
    block = indexed(response, "content", index)
    if "type" in block:  # a server that numbers its blocks wrongly
        block = begin_entry(response, "content", index)
    for name in ("type", "id", "name", "tool_use_id", "content", "input"):
        if (value := field(event, "content_block", name)) is not None:
            block[name] = value
    for name in ("text", "thinking"):
        add_text(block, name, field(event, "content_block", name))


def _fold_delta(response: dict[str, Any], event: Any) -> None:
    fields = as_mapping(event)
    block = indexed(response, "content", fields.get("index"))
    for piece, text in as_mapping(fields.get("delta")).items():
        if (name := _DELTAS.get(piece)) is not None:
            add_text(block, name, text)


_DELTAS = {"text": "text", "thinking": "thinking", "partial_json": "input"}

_FOLDERS: Mapping[str, Callable[[dict[str, Any], Any], None]] = {
    "message_start": _fold_start,
    "content_block_start": _fold_block,
    "content_block_delta": _fold_delta,
    "message_delta": _fold_end,
}

_REQUEST_CONTENT: Table = {
    semconv.GEN_AI_SYSTEM_INSTRUCTIONS: lambda body: _parts(field(body, "system")),
    semconv.GEN_AI_INPUT_MESSAGES: lambda body: _messages(field(body, "messages")),
    semconv.GEN_AI_TOOL_DEFINITIONS: lambda body: gen_ai.lazily(gen_ai.definition, items(body, "tools")),
}

MESSAGES = Operation(
    name="chat",
    methods=_METHODS,
    matches=stainless.posts("/v1/messages"),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model",
        semconv.GEN_AI_OUTPUT_TYPE: lambda body: gen_ai.output_type(field(body, "output_config", "format", "type")),
        semconv.GEN_AI_REQUEST_MAX_TOKENS: "max_tokens",
        semconv.GEN_AI_REQUEST_REASONING_LEVEL: "output_config.effort",
        semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "stop_sequences",
        **STREAM,
        semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
        semconv.GEN_AI_REQUEST_TOP_K: "top_k",
        semconv.GEN_AI_REQUEST_TOP_P: "top_p",
    },
    request_content=_REQUEST_CONTENT,
    response={
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: (
            None if field(response, "content") is None else [gen_ai.finish_reason(field(response, "stop_reason"))]
        ),
        semconv.GEN_AI_RESPONSE_ID: "id",
        semconv.GEN_AI_RESPONSE_MODEL: "model",
        semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "usage.cache_read_input_tokens",
        semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: "usage.cache_creation_input_tokens",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: input_tokens,
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "usage.output_tokens",
        semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: "usage.output_tokens_details.thinking_tokens",
    },
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: gen_ai.listed(
            gen_ai.message("assistant", _parts(field(response, "content")))
        )
    },
    fold=fold,
    copies_response=True,
)

COUNT_TOKENS = Operation(
    name="count_tokens",
    methods=_METHODS,
    matches=stainless.posts("/v1/messages/count_tokens"),
    request={semconv.GEN_AI_REQUEST_MODEL: "model"},
    request_content=_REQUEST_CONTENT,
    response={semconv.ANTHROPIC_COUNTED_INPUT_TOKENS: "input_tokens"},
    has_finish_reasons=False,
)

SPEC = ClientSpec(
    name="anthropic",
    module="anthropic",
    operations=(MESSAGES, COUNT_TOKENS),
    provider=_provider,
    url=stainless.url,
    client_attributes={semconv.GEN_AI_CONVERSATION_ID: _conversation},
    body=stainless.body,
    rewrite_arguments=rewrite_arguments,
    rewrite_other_arguments=rewrite_other_arguments,
    wrap_result=raw_response.wrap_result,
    also_check=("resources.messages.Messages.create", "resources.messages.AsyncMessages.create"),
)

SPECS = (SPEC,)
