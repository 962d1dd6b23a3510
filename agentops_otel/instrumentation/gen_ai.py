"""The message format of the GenAI conventions: parts, and what an attached medium may say of itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from agentops_otel.content import LazyList

_MANY = 128
"""Messages or parts of which there is seldom room for all."""
_LONGEST_ARGUMENTS = 128 * 1024
"""Characters of a tool's arguments that are parsed; of more there is never room for all."""

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
"""What providers call the conventions' stop, length, content_filter, tool_call and error; others stay as they are."""


def finish_reason(reason: object) -> str | None:
    """The conventions' word for a provider's; None if the provider gave none.

    >>> finish_reason("tool_use"), finish_reason(None)
    ('tool_call', None)
    """
    if not isinstance(reason, str) or not reason:
        return None
    return FINISH_REASONS.get(reason.lower(), reason.lower())


def output_type(said: object) -> str | None:
    """`gen_ai.output.type` for the format that a request asks for."""
    return _OUTPUT_TYPES.get(said) if isinstance(said, str) else None


def choice_count(said: object) -> object:
    """`gen_ai.request.choice.count`, which is said only where it is not 1."""
    return None if said == 1 else said


_LONGEST_HEAD = 1024
"""Characters before the data of a `data:` address."""

_OUTPUT_TYPES = {"json_object": "json", "json_schema": "json", "text": "text"}


def message(role: object, parts: Iterable[Part | None], name: object = None) -> Message | None:
    """One message, with the speaker's name if it has one; None when it has nothing to say."""
    found = parts if type(parts) is LazyList else [part for part in parts if part]
    if not found:
        return None
    said = {"role": role if isinstance(role, str) else "user", "parts": found}
    return {**said, "name": name} if isinstance(name, str) else said


def listed(item: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The part or message in a list; an empty list for None."""
    return [] if item is None else [item]


def lazily(read: Callable[[Any], dict[str, Any] | None], said: Sequence[Any]) -> Sequence[dict[str, Any]]:
    """What *read* makes of each; of a long list that is asked only as far as there is room for it."""
    return LazyList(read, said) if len(said) > _MANY else [told for item in said if (told := read(item))]


def texts(said: object, role: str = "user") -> list[Message]:
    """A text, or a list of them, as one message; token numbers say nothing to a reader."""
    known = said if isinstance(said, list | tuple) else [said]
    found = message(role, map(text, known))
    return [found] if found else []


def text(content: object) -> Part | None:
    """A text, if it is one and not empty."""
    return {"type": "text", "content": content} if isinstance(content, str) and content else None


def reasoning(content: object) -> Part | None:
    """What the model thought aloud."""
    return {"type": "reasoning", "content": content} if isinstance(content, str) and content else None


def tool_call(identity: object, name: object, arguments: object) -> Part:
    """The model's wish to call a tool; arguments that are JSON text are said as JSON, others as they are."""
    return _present({"type": "tool_call", "id": identity, "name": _name(name), "arguments": parsed(arguments)})


def parsed(arguments: object) -> object:
    """The arguments of a tool: JSON text as the value in it, everything else as it is."""
    if not isinstance(arguments, str) or len(arguments) > _LONGEST_ARGUMENTS:
        return arguments
    try:
        found: object = orjson.loads(arguments)
    except ValueError:
        return arguments
    return found


def tool_call_response(identity: object, response: object) -> Part:
    """What a tool answered; nothing is an answer too."""
    return {**_present({"type": "tool_call_response", "id": identity}), "response": response}


def server_tool_call(identity: object, name: object, tool: object, said: Mapping[str, Any]) -> Part:
    """A tool that the provider runs itself, of the kind *tool*, with what is said of the call."""
    told = {"type": tool, **_present(said)}
    return _present({"type": "server_tool_call", "id": identity, "name": _name(name), "server_tool_call": told})


def server_tool_call_response(identity: object, tool: object, said: Mapping[str, Any]) -> Part:
    """What a tool answered that the provider ran itself."""
    told = {"type": tool, **_present(said)}
    return _present({"type": "server_tool_call_response", "id": identity, "server_tool_call_response": told})


def file(identity: object, modality: str = "document") -> Part | None:
    """A file that the provider keeps, if there is one."""
    return {"type": "file", "modality": modality, "file_id": identity} if isinstance(identity, str) else None


def definition(tool: Any) -> Any:
    """A tool's definition as the conventions have it: the function's fields beside the type, and always a name."""
    if not isinstance(tool, dict):
        return tool
    if isinstance(function := tool.get("function"), dict):
        return {"type": "function", **function}
    if "input_schema" in tool:
        rest = {name: value for name, value in tool.items() if name not in ("input_schema", "cache_control")}
        return {"type": "function", **rest, "parameters": tool["input_schema"]}
    return {"name": tool["type"], **tool} if "type" in tool else tool


def media(modality: str, url: object) -> Part | None:
    """An image, audio or video by its address; a `data:` address is said by type and size alone."""
    if not isinstance(url, str):
        return None
    if not url.startswith("data:"):
        return {"type": "uri", "modality": modality, "uri": url}
    # An attached picture is megabytes: its beginning is read, not copied.
    head = url[5:_LONGEST_HEAD].partition(",")[0]
    return blob(modality, head.split(";")[0] or None, url, begins=len(head) + 6)


def blob(modality: str, mime_type: object, data: object, byte_size: object = None, *, begins: int = 0) -> Part:
    """A medium inside the message, in *data* from *begins* on: its type and size, as given or read, never its bytes."""
    size = byte_size if isinstance(byte_size, int) else size_of(data, begins)
    return _present({"type": "blob", "modality": modality, "mime_type": mime_type, "byte_size": size})


def _name(said: object) -> str:
    """A tool's name, which a call of it always has in the conventions, whatever the answer was like."""
    return said if isinstance(said, str) else ""


def size_of(data: object, begins: int = 0) -> int | None:
    """How many bytes there are, in base64 text (from *begins* on) or as they are."""
    if isinstance(data, str):
        return max(len(data) - begins, 0) * 3 // 4 - data[max(begins, len(data) - 2) :].count("=")
    return len(data) if isinstance(data, bytes | bytearray) else None


def _present(part: Mapping[str, Any]) -> Part:
    return {name: value for name, value in part.items() if value is not None}
