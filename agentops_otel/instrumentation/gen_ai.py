"""The message format of the GenAI conventions: messages, parts and tool definitions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from agentops_otel.content import LazyList

_MANY = 128
"""With more items than this, an item of a list is converted only when it is written."""
_FEW = 8
"""The same of messages, of which most come again."""
_LONGEST_ARGUMENTS = 128 * 1024
"""Characters of a tool's arguments that are parsed as JSON; longer ones would be truncated anyway."""

Part = dict[str, Any]
Message = dict[str, Any]

FINISH_REASONS: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "refusal": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
    "image_safety": "content_filter",
    "image_prohibited_content": "content_filter",
    "image_recitation": "content_filter",
    "model_armor": "content_filter",
    "language": "content_filter",
    "malformed_function_call": "error",
    "malformed_response": "error",
    "missing_thought_signature": "error",
    "too_many_tool_calls": "error",
    "unexpected_tool_call": "error",
    "continuation": "length",
    "complete": "stop",
    "end_of_message": "stop",
    "end_of_turn": "stop",
    "eos": "stop",
    "endoftext": "stop",
    "finish": "stop",
    "eos_token": "stop",
    "model_length": "length",
    "out_of_tokens": "length",
    "error_limit": "length",
    "error_toxic": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "sensitive": "content_filter",
    "network_error": "error",
    "timeout": "error",
    "user_cancel": "error",
    "cancelled": "error",
    "time_limit": "length",
    "token_limit": "length",
}
"""Finish reasons of the conventions by those of providers. Others stay as they are."""


def finish_reason(reason: object) -> str | None:
    """The conventions' finish reason for a provider's; None if the provider gave none.

    >>> finish_reason("tool_use"), finish_reason(None)
    ('tool_call', None)
    """
    if not isinstance(reason, str) or not reason:
        return None
    return FINISH_REASONS.get(reason.lower(), reason.lower())


def output_type(response_format: object) -> str | None:
    """`gen_ai.output.type` for the format that a request asks for."""
    return _OUTPUT_TYPES.get(response_format) if isinstance(response_format, str) else None


def choice_count(count: object) -> object:
    """`gen_ai.request.choice.count`, which is not set if it is 1."""
    return None if count == 1 else count


_LONGEST_HEAD = 1024
"""Characters of a `data:` URL that are searched for the beginning of its data."""

_OUTPUT_TYPES = {"json_object": "json", "json_schema": "json", "text": "text"}


def message(role: object, parts: Iterable[Part | None], name: object = None) -> Message | None:
    """A message, with the author's name if there is one; None if there are no parts."""
    present = parts if type(parts) is LazyList else [part for part in parts if part]
    if not present:
        return None
    built = {"role": role if isinstance(role, str) else "user", "parts": present}
    return {**built, "name": name} if isinstance(name, str) else built


def listed(item: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The part or message in a list; an empty list for None."""
    return [] if item is None else [item]


def lazily(read: Callable[[Any], dict[str, Any] | None], sources: Sequence[Any]) -> Sequence[dict[str, Any]]:
    """The items that *read* makes of the sources, without None; of a long list only those that are written."""
    return LazyList(read, sources) if len(sources) > _MANY else [item for source in sources if (item := read(source))]


def conversation(read: Callable[[Any], Message | None], sources: Sequence[Any]) -> Sequence[Message]:
    """The messages that *read* makes of the sources, without None. Of many those that come again are not read again."""
    return LazyList(read, sources) if len(sources) > _FEW else lazily(read, sources)


def read_now(value: object) -> object:
    """The value, which is recorded in the program's thread: a conversation that is not long as a list, to be copied."""
    return list(value) if type(value) is LazyList and len(value) <= _MANY else value


def texts(content: object, role: str = "user") -> list[Message]:
    """One message for a text or a list of texts. Token numbers are left out."""
    contents = content if isinstance(content, list | tuple) else [content]
    return listed(message(role, map(text, contents)))


def text(content: object) -> Part | None:
    """A text part; None for no text or an empty one."""
    return {"type": "text", "content": content} if isinstance(content, str) and content else None


def reasoning(content: object) -> Part | None:
    """A reasoning part; None for no text or an empty one."""
    return {"type": "reasoning", "content": content} if isinstance(content, str) and content else None


def tool_call(identity: object, name: object, arguments: object) -> Part:
    """A tool call. Arguments in JSON text are parsed."""
    return _present({"type": "tool_call", "id": identity, "name": _name(name), "arguments": parsed(arguments)})


def parsed(arguments: object) -> object:
    """A tool's arguments, parsed if they are JSON text."""
    if not isinstance(arguments, str) or len(arguments) > _LONGEST_ARGUMENTS:
        return arguments
    try:
        value: object = orjson.loads(arguments)
    except ValueError:
        return arguments
    return value


def tool_call_response(identity: object, response: object) -> Part:
    """A tool's result, which may be None."""
    return {**_present({"type": "tool_call_response", "id": identity}), "response": response}


def server_tool_call(identity: object, name: object, tool: object, details: Mapping[str, Any]) -> Part:
    """A call of a tool that the provider runs, of the type *tool*."""
    return _present(
        {
            "type": "server_tool_call",
            "id": identity,
            "name": _name(name),
            "server_tool_call": {"type": tool, **_present(details)},
        }
    )


def server_tool_call_response(identity: object, tool: object, details: Mapping[str, Any]) -> Part:
    """The result of a tool that the provider ran."""
    return _present(
        {
            "type": "server_tool_call_response",
            "id": identity,
            "server_tool_call_response": {"type": tool, **_present(details)},
        }
    )


def file(identity: object, modality: str = "document") -> Part | None:
    """A file stored at the provider; None without an id."""
    return {"type": "file", "modality": modality, "file_id": identity} if isinstance(identity, str) else None


def definition(tool: Any) -> Any:
    """A tool's definition: the function's fields beside the type, and always a name."""
    if not isinstance(tool, dict):
        return tool
    if isinstance(function := tool.get("function"), dict):
        return {"type": "function", **function}
    if "input_schema" in tool:
        rest = {name: value for name, value in tool.items() if name not in ("input_schema", "cache_control")}
        return {"type": "function", **rest, "parameters": tool["input_schema"]}
    return {"name": tool["type"], **tool} if "type" in tool else tool


def media(modality: str, url: object) -> Part | None:
    """An image, audio or video by its URL. A `data:` URL is recorded by type and size only."""
    if not isinstance(url, str):
        return None
    if not url.startswith("data:"):
        return {"type": "uri", "modality": modality, "uri": url}
    # A picture is megabytes: only its beginning is copied.
    head = url[5:_LONGEST_HEAD].partition(",")[0]
    return blob(modality, head.split(";")[0] or None, url, begins=len(head) + 6)


def blob(modality: str, mime_type: object, data: object, byte_size: object = None, *, begins: int = 0) -> Part:
    """A medium inside the message, by type and size, never its bytes. In *data* it begins at index *begins*."""
    size = byte_size if isinstance(byte_size, int) else size_of(data, begins)
    return _present({"type": "blob", "modality": modality, "mime_type": mime_type, "byte_size": size})


def _name(name: object) -> str:
    """A tool's name, which the conventions require."""
    return name if isinstance(name, str) else ""


def size_of(data: object, begins: int = 0) -> int | None:
    """The size in bytes of base64 text (from index *begins* on) or of bytes."""
    if isinstance(data, str):
        return max(len(data) - begins, 0) * 3 // 4 - data[max(begins, len(data) - 2) :].count("=")
    return len(data) if isinstance(data, bytes | bytearray) else None


def _present(part: Mapping[str, Any]) -> Part:
    return {name: value for name, value in part.items() if value is not None}
