"""The chat-completions dialect of OpenAI, which many other APIs speak: tables and folds for their specs."""

from collections.abc import Callable, Mapping
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import tool_calls
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text, indexed
from agentops_otel.instrumentation.reading import as_mapping, field, items, lookup_in
from agentops_otel.instrumentation.spec import Operation
from agentops_otel.instrumentation.tables import STREAM, Table

REQUEST: Table = {
    semconv.GEN_AI_REQUEST_MODEL: "model",
    semconv.GEN_AI_REQUEST_CHOICE_COUNT: lambda request: gen_ai.choice_count(field(request, "n")),
    semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY: "frequency_penalty",
    semconv.GEN_AI_REQUEST_MAX_TOKENS: lambda request: (
        field(request, "max_completion_tokens") or field(request, "max_tokens")
    ),
    semconv.GEN_AI_REQUEST_PRESENCE_PENALTY: "presence_penalty",
    semconv.GEN_AI_REQUEST_REASONING_LEVEL: "reasoning_effort",
    semconv.GEN_AI_REQUEST_SEED: "seed",
    semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "stop",
    **STREAM,
    semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
    semconv.GEN_AI_REQUEST_TOP_P: "top_p",
    semconv.GEN_AI_OUTPUT_TYPE: lambda request: gen_ai.output_type(field(request, "response_format", "type")),
}


def cost(response: Any) -> object:
    """The cost in USD, if the provider reports one: OpenRouter as a number, Perplexity as an object."""
    cost = field(response, "usage", "cost")
    return cost if isinstance(cost, int | float) else field(cost, "total_cost")


RESPONSE: Table = {
    semconv.AGENTOPS_USAGE_COST: cost,
    semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: [
        gen_ai.finish_reason(field(choice, "finish_reason")) for choice in items(response, "choices")
    ],
    semconv.GEN_AI_RESPONSE_ID: "id",
    semconv.GEN_AI_RESPONSE_MODEL: "model",
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "usage.prompt_tokens_details.cached_tokens",
    semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: "usage.prompt_tokens_details.cache_write_tokens",
    semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.prompt_tokens",
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "usage.completion_tokens",
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: "usage.completion_tokens_details.reasoning_tokens",
    semconv.GEN_AI_USAGE_AUDIO_INPUT_TOKENS: "usage.prompt_tokens_details.audio_tokens",
    semconv.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: "usage.completion_tokens_details.audio_tokens",
}

REQUEST_CONTENT: Table = {
    semconv.GEN_AI_INPUT_MESSAGES: lambda request: gen_ai.conversation(message, items(request, "messages")),
    semconv.GEN_AI_TOOL_DEFINITIONS: lambda request: gen_ai.lazily(
        gen_ai.definition,
        [*items(request, "tools"), *({"function": function} for function in items(request, "functions"))],
    ),
}

RESPONSE_CONTENT: Table = {
    semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
        answer
        for choice in items(response, "choices")
        if (answer := message(field(choice, "message"), role="assistant"))
    ],
}


def fold(response: dict[str, Any], chunk: Any) -> None:
    """Add a chunk to the response, which takes the shape of the unstreamed one."""
    fields = as_mapping(chunk)
    get = fields.get
    for name in _HEAD:
        if (value := get(name)) is not None:
            response[name] = value
    choices = get("choices")
    for choice in choices if type(choices) is list else items(choices):
        choice_fields = as_mapping(choice)
        entry = indexed(response, "choices", choice_fields.get("index"))
        if (reason := choice_fields.get("finish_reason")) is not None:
            entry["finish_reason"] = reason
        message = entry.setdefault("message", {})
        for name, piece in as_mapping(choice_fields.get("delta")).items():
            if piece is not None and (fold_piece := _DELTA.get(name)) is not None:
                fold_piece(message, name, piece)


_HEAD = ("id", "model", "service_tier", "system_fingerprint", "usage")


def _fold_role(message: dict[str, Any], name: str, role: object) -> None:
    if role:
        message[name] = role


def fold_tool_calls(message: dict[str, Any], calls: object) -> None:
    """Add pieces of tool calls to the message's tool calls."""
    for call in calls if isinstance(calls, list | tuple) else ():
        tool_calls.fold_tool_call(message, field(call, "index"), call)


def _fold_tool_calls(message: dict[str, Any], name: str, calls: object) -> None:
    fold_tool_calls(message, calls)


def _fold_function_call(message: dict[str, Any], name: str, call: object) -> None:
    tool_calls.fold_tool_call(message, None, {"function": call})


_DELTA: Mapping[str, Callable[[dict[str, Any], str, Any], None]] = {
    **dict.fromkeys(("content", "refusal", "reasoning_content", "reasoning"), add_text),
    "role": _fold_role,
    "tool_calls": _fold_tool_calls,
    "function_call": _fold_function_call,
}
"""What adds a field of a delta to the message."""


def message(
    source: Any, role: str = "user", read: Callable[[Any], gen_ai.Part | None] | None = None
) -> gen_ai.Message | None:
    """A message of the dialect. *read* reads its parts if they differ from the dialect's."""
    get = lookup_in(source)
    role = get("role") or role
    content = get("content")
    if role in ("tool", "function"):
        call_id = get("tool_call_id") or get("name")
        return gen_ai.message("tool", [gen_ai.tool_call_response(call_id, _plain(content))])
    spoken = [gen_ai.text(content)] if isinstance(content, str) else gen_ai.lazily(read or part, items(content))
    beside = [
        gen_ai.text(get("refusal")),
        *map(_tool_call, items(get("tool_calls"))),
        _function_call(get("function_call")),
    ]
    # Each provider has another name for the model's reasoning.
    thoughts = gen_ai.reasoning(get("reasoning_content") or get("reasoning") or get("tool_plan"))
    parts = [thoughts, *spoken, *beside] if thoughts or any(beside) else spoken
    return gen_ai.message("system" if role == "developer" else role, parts, get("name"))


def part(source: Any) -> gen_ai.Part | None:
    """A part of a message's content."""
    kind = field(source, "type")
    reader = _PARTS.get(kind) if isinstance(kind, str) else None
    return reader(source) if reader else None


def thought(part: Any) -> str | None:
    """The text of a reasoning part."""
    thinking = field(part, "thinking")
    if isinstance(thinking, str):
        return thinking
    return "".join(text for piece in items(thinking) if isinstance(text := field(piece, "text"), str)) or None


_PARTS: Mapping[str, Callable[[Any], gen_ai.Part | None]] = {
    "text": lambda part: gen_ai.text(field(part, "text")),
    "refusal": lambda part: gen_ai.text(field(part, "refusal")),
    "image_url": lambda part: gen_ai.media("image", field(part, "image_url", "url") or field(part, "image_url")),
    "thinking": lambda part: gen_ai.reasoning(thought(part)),
    "input_audio": lambda part: gen_ai.blob(
        "audio", f"audio/{field(part, 'input_audio', 'format')}", field(part, "input_audio", "data")
    ),
    "file": lambda part: (
        gen_ai.file(field(part, "file", "file_id")) or gen_ai.media("document", field(part, "file", "file_data"))
    ),
}


def _plain(content: Any) -> Any:
    """A tool's result; a list of text parts becomes one text."""
    texts = [field(part, "text") for part in content] if isinstance(content, list | tuple) else None
    return "".join(texts) if texts and all(isinstance(text, str) for text in texts) else content


def _function_call(call: Any) -> gen_ai.Part | None:
    """A function call of the API before tools: it has no id."""
    return gen_ai.tool_call(None, field(call, "name"), field(call, "arguments")) if call is not None else None


def _tool_call(call: Any) -> gen_ai.Part:
    get = lookup_in(call)
    custom = get("custom")
    get_called = lookup_in(get("function") if custom is None else custom)
    return gen_ai.tool_call(get("id"), get_called("name"), get_called("arguments" if custom is None else "input"))


PROMPT: Table = {semconv.GEN_AI_INPUT_MESSAGES: lambda body: gen_ai.texts(field(body, "prompt"))}


def _fold_completion(response: dict[str, Any], chunk: Any) -> None:
    fold(response, chunk)
    for choice in items(chunk, "choices"):
        add_text(indexed(response, "choices", field(choice, "index")), "text", field(choice, "text"))


CHAT = Operation(
    name="chat",
    methods=(),
    request=REQUEST,
    request_content=REQUEST_CONTENT,
    response=RESPONSE,
    response_content=RESPONSE_CONTENT,
    fold=fold,
)
"""A chat. A client's spec adds its methods with `replace()`."""

TEXT_COMPLETION = Operation(
    name="text_completion",
    methods=(),
    request=REQUEST,
    request_content=PROMPT,
    response=RESPONSE,
    response_content={
        semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: [
            answer
            for choice in items(response, "choices")
            if (answer := gen_ai.message("assistant", [gen_ai.text(field(choice, "text"))]))
        ]
    },
    fold=_fold_completion,
)
"""A text completion, the API before chats. A client's spec adds its methods with `replace()`."""
