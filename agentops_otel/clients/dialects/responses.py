"""The Responses dialect of OpenAI: tables and a fold for the specs of clients that speak it."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agentops_otel import semconv
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text, begin_entry, entry_with, indexed
from agentops_otel.instrumentation.reading import as_mapping, field, items, lookup_in
from agentops_otel.instrumentation.spec import Operation
from agentops_otel.instrumentation.tables import STREAM, Table

REQUEST: Table = {
    semconv.GEN_AI_REQUEST_MODEL: "model",
    semconv.GEN_AI_CONVERSATION_ID: lambda request: _conversation(field(request, "conversation")),
    semconv.GEN_AI_PROMPT_NAME: "prompt.id",
    semconv.GEN_AI_PROMPT_VERSION: "prompt.version",
    semconv.GEN_AI_REQUEST_MAX_TOKENS: "max_output_tokens",
    semconv.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: "previous_response_id",
    semconv.GEN_AI_REQUEST_REASONING_LEVEL: "reasoning.effort",
    **STREAM,
    semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
    semconv.GEN_AI_REQUEST_TOP_P: "top_p",
    semconv.GEN_AI_OUTPUT_TYPE: lambda request: gen_ai.output_type(field(request, "text", "format", "type")),
}

REQUEST_CONTENT: Table = {
    semconv.GEN_AI_SYSTEM_INSTRUCTIONS: lambda request: gen_ai.listed(gen_ai.text(field(request, "instructions"))),
    semconv.GEN_AI_INPUT_MESSAGES: lambda request: _input(field(request, "input")),
    semconv.GEN_AI_TOOL_DEFINITIONS: lambda request: gen_ai.lazily(gen_ai.definition, items(request, "tools")),
}

FETCHED: Table = {
    semconv.GEN_AI_CONVERSATION_ID: lambda response: _conversation(field(response, "conversation")),
    semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda response: _finish_reasons(response),
    semconv.GEN_AI_RESPONSE_ID: "id",
    semconv.GEN_AI_RESPONSE_MODEL: "model",
}
"""Attributes of a response, whether it was just created or is fetched later."""

RESPONSE: Table = {
    **FETCHED,
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "usage.input_tokens_details.cached_tokens",
    semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: "usage.input_tokens_details.cache_write_tokens",
    semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.input_tokens",
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "usage.output_tokens",
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: "usage.output_tokens_details.reasoning_tokens",
}

RESPONSE_CONTENT: Table = {
    semconv.GEN_AI_OUTPUT_MESSAGES: lambda response: answer(items(response, "output")),
}


def fold(response: dict[str, Any], event: Any) -> None:
    """Add an event to the response. Some events carry the whole response so far."""
    fields = as_mapping(event)
    snapshot = as_mapping(fields.get("response"))
    for name in _FIELDS if snapshot else ():
        if (value := snapshot.get(name)) is not None:
            response[name] = value
    if output := items(snapshot.get("output")):
        response["output"] = list(output)
    kind = fields.get("type")
    folder = _FOLDERS.get(kind) if isinstance(kind, str) else None
    if folder is not None and not output:
        folder(response, fields)


_FIELDS = (
    "id",
    "model",
    "status",
    "background",
    "error",
    "incomplete_details",
    "conversation",
    "service_tier",
    "usage",
)


def _begin_item(response: dict[str, Any], event: Mapping[str, Any]) -> None:
    """Begin an item, even if the server repeats the index of another one."""
    index = event.get("output_index")
    entry = indexed(response, "output", index)
    _update(begin_entry(response, "output", index) if "type" in entry else entry, event)


def _fold_item(response: dict[str, Any], event: Mapping[str, Any]) -> None:
    _update(_item_of(response, event, field(event, "item", "id")), event)


def _item_of(response: dict[str, Any], event: Mapping[str, Any], item_id: object) -> dict[str, Any]:
    """The item of an event: by its id, which some servers change, or else by its index."""
    return entry_with(response, "output", "id", item_id) or indexed(response, "output", event.get("output_index"))


def _update(entry: dict[str, Any], event: Mapping[str, Any]) -> None:
    item = as_mapping(event.get("item"))
    entry.update((name, value) for name, value in item.items() if value not in (None, "", []))


def _adding(kind: str, part: str, key: str, index: str) -> Callable[[dict[str, Any], Mapping[str, Any]], None]:
    """A fold that adds a delta to the text of one part of an item."""
    text = "refusal" if part == "refusal" else "text"

    def fold_delta(response: dict[str, Any], event: Mapping[str, Any]) -> None:
        item = _item_of(response, event, event.get("item_id"))
        item.setdefault("type", kind)
        entry = indexed(item, key, event.get(index))
        entry.setdefault("type", part)
        add_text(entry, text, event.get("delta"))

    return fold_delta


def _asking(kind: str, key: str) -> Callable[[dict[str, Any], Mapping[str, Any]], None]:
    """A fold that adds a delta to the arguments of a tool call."""

    def fold_delta(response: dict[str, Any], event: Mapping[str, Any]) -> None:
        item = _item_of(response, event, event.get("item_id"))
        item.setdefault("type", kind)
        add_text(item, key, event.get("delta"))

    return fold_delta


def _fold_error(response: dict[str, Any], event: Mapping[str, Any]) -> None:
    response["status"] = "failed"
    response["error"] = {"code": field(event, "code") or field(event, "error", "code")}


_FOLDERS: Mapping[str, Callable[[dict[str, Any], Mapping[str, Any]], None]] = {
    "response.output_item.added": _begin_item,
    "response.output_item.done": _fold_item,
    "response.output_audio_transcript.delta": _adding("message", "output_text", "content", "content_index"),
    "response.output_text.delta": _adding("message", "output_text", "content", "content_index"),
    "response.refusal.delta": _adding("message", "refusal", "content", "content_index"),
    "response.reasoning_text.delta": _adding("reasoning", "reasoning_text", "content", "content_index"),
    "response.reasoning_summary_text.delta": _adding("reasoning", "summary_text", "summary", "summary_index"),
    "response.function_call_arguments.delta": _asking("function_call", "arguments"),
    "response.custom_tool_call_input.delta": _asking("custom_tool_call", "input"),
    "response.mcp_call_arguments.delta": _asking("mcp_call", "arguments"),
    "response.code_interpreter_call_code.delta": _asking("code_interpreter_call", "code"),
    "error": _fold_error,
}


def fetched(options: Any) -> str | None:
    """The response's id, if the request fetches a response."""
    match = re.fullmatch(r"/responses/([^/?]+)(\?.*)?", str(field(options, "url")))
    return match[1] if match and str(field(options, "method")).lower() == "get" else None


def failure(response: Any) -> str | None:
    """`error.type` of a failed response: the error's code."""
    if field(response, "status") != "failed":
        return None
    code = field(response, "error", "code")
    return code if isinstance(code, str) else "_OTHER"


_INCOMPLETE = {"max_output_tokens": "length"}
"""The conventions' word where it is not the API's own."""


def _finish_reasons(response: Any) -> list[str] | None:
    """The finish reason of the one response; None while it is in progress."""
    match field(response, "status"):
        case "completed":
            calls = any(field(item, "type") == "function_call" for item in items(response, "output"))
            return ["tool_call" if calls else "stop"]
        case "incomplete":
            reason = field(response, "incomplete_details", "reason")
            return [_INCOMPLETE.get(reason, reason) if isinstance(reason, str) else "error"]
        case "failed" | "cancelled":
            return ["error"]
        case _:
            return None


def _conversation(conversation: Any) -> Any:
    return conversation if isinstance(conversation, str) else field(conversation, "id")


def _input(given: Any) -> Sequence[gen_ai.Message]:
    if isinstance(given, str):
        return gen_ai.listed(gen_ai.message("user", [gen_ai.text(given)]))
    return gen_ai.conversation(_item, items(given))


def answer(output: Sequence[Any]) -> list[gen_ai.Message]:
    """The items of a response as messages. Successive items of one role become one message."""
    messages: list[gen_ai.Message] = []
    for item in output:
        read = _item(item, "assistant")
        if read is not None and messages and messages[-1]["role"] == read["role"]:
            messages[-1]["parts"] = [*messages[-1]["parts"], *read["parts"]]
        elif read is not None:
            messages.append(read)
    return messages


def _item(item: Any, role: str = "user") -> gen_ai.Message | None:
    get = lookup_in(item)
    kind = get("type") or "message"
    reader = _ITEMS.get(kind) if isinstance(kind, str) else None
    if reader is not None:
        return reader(item)
    if kind != "message":
        return _tool(item, str(kind))
    content = get("content")
    parts = [gen_ai.text(content)] if isinstance(content, str) else gen_ai.lazily(_part, items(content))
    role = get("role") or role
    return gen_ai.message("system" if role == "developer" else role, parts)


def _reasoning(item: Any) -> gen_ai.Message | None:
    thoughts = [*items(item, "content"), *items(item, "summary")]
    return gen_ai.message("assistant", [gen_ai.reasoning(field(thought, "text")) for thought in thoughts])


def _call(item: Any, key: str) -> gen_ai.Message | None:
    get = lookup_in(item)
    return gen_ai.message("assistant", [gen_ai.tool_call(get("call_id"), get("name"), get(key))])


def _tool(item: Any, kind: str) -> gen_ai.Message | None:
    """A tool call or its result, told apart by the item's type. None for any other type."""
    tool, _, ending = kind.rpartition("_")
    called = field(item, "call_id")
    if ending == "output" and tool not in _AT_THE_SERVER:
        return gen_ai.message("tool", [gen_ai.tool_call_response(called, field(item, "output"))])
    details = {name: value for name, value in as_mapping(item).items() if name not in _OUTSIDE}
    if ending == "output":
        return gen_ai.message("assistant", [gen_ai.server_tool_call_response(called, tool, details)])
    if tool in _AT_THE_PROGRAM:
        return gen_ai.message("assistant", [gen_ai.tool_call(called, tool, details)])
    if ending == "call" or kind in _AT_THE_SERVER:
        tool = tool if ending == "call" else kind
        call = gen_ai.server_tool_call(called or field(item, "id"), field(item, "name") or tool, tool, details)
        return gen_ai.message("assistant", [call])
    return None


_OUTSIDE = ("type", "id", "call_id", "name", "status", "index")
_AT_THE_SERVER = ("mcp_list_tools", "program", "tool_search")
_AT_THE_PROGRAM = ("apply_patch", "computer", "local_shell", "shell")
"""The provider's tools that the program runs."""


def _image(item: Any) -> gen_ai.Message | None:
    """A generated image, by type and size."""
    details = {"action": field(item, "action"), "revised_prompt": field(item, "revised_prompt")}
    call = gen_ai.server_tool_call(field(item, "id"), "image_generation", "image_generation", details)
    made = field(item, "result")
    kind = f"image/{field(item, 'output_format') or 'png'}"
    return gen_ai.message("assistant", [call, gen_ai.blob("image", kind, made) if made else None])


_ITEMS: Mapping[str, Callable[[Any], gen_ai.Message | None]] = {
    "item_reference": lambda item: None,
    "compaction": lambda item: gen_ai.message("assistant", [{"type": "compaction"}]),
    "reasoning": _reasoning,
    "function_call": lambda item: _call(item, "arguments"),
    "custom_tool_call": lambda item: _call(item, "input"),
    "image_generation_call": _image,
}


def _part(part: Any) -> gen_ai.Part | None:
    kind = field(part, "type")
    reader = _PARTS.get(kind) if isinstance(kind, str) else None
    return reader(part) if reader else None


def _audio(part: Any) -> gen_ai.Part:
    sized = {} if (size := field(part, "byte_size")) is None else {"byte_size": size}
    kind = field(part, "input_audio", "format")
    mime_type = f"audio/{kind}" if isinstance(kind, str) else None
    return {**gen_ai.blob("audio", mime_type, field(part, "input_audio", "data")), **sized}


_PARTS: Mapping[str, Callable[[Any], gen_ai.Part | None]] = {
    "input_audio": _audio,
    "input_text": lambda part: gen_ai.text(field(part, "text")),
    "output_audio": lambda part: gen_ai.text(field(part, "transcript")),
    "output_text": lambda part: gen_ai.text(field(part, "text")),
    "refusal": lambda part: gen_ai.text(field(part, "refusal")),
    "input_image": lambda part: (
        gen_ai.media("image", field(part, "image_url")) or gen_ai.file(field(part, "file_id"), "image")
    ),
    "input_file": lambda part: (
        gen_ai.file(field(part, "file_id"))
        or gen_ai.media("document", field(part, "file_data") or field(part, "file_url"))
    ),
}

RESPONSES = Operation(
    name="chat",
    methods=(),
    request=REQUEST,
    request_content=REQUEST_CONTENT,
    response=RESPONSE,
    response_content=RESPONSE_CONTENT,
    fold=fold,
    failure=failure,
)
"""The operation. A client's spec adds its methods with `replace()`."""
