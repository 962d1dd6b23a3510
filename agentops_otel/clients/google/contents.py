"""Reads Google's contents, parts and tools as messages and tool definitions."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text
from agentops_otel.instrumentation.reading import as_mapping, field, items


def contents(given: Any) -> list[gen_ai.Message]:
    """Messages for contents in any form that the package takes: texts, parts, contents, or a list of those."""
    listed = items(given) or ([given] if given is not None else [])
    return [message for item in listed if (message := content(item))]


def named(source: Any, name: str) -> Any:
    """The field of that name. In a dict it may also be in camelCase, as the API writes it."""
    value = field(source, name)
    return source.get(_camel(name)) if value is None and isinstance(source, dict) else value


@cache
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def content(given: Any, role: str = "user") -> gen_ai.Message | None:
    """A content, or a single part, as a message. *role* is for one without a role."""
    role = field(given, "role") or role
    parts = [part for part in map(_part, items(given, "parts") or [given]) if part]
    answers = bool(parts) and all(part["type"] == "tool_call_response" for part in parts)
    return gen_ai.message("tool" if answers else "assistant" if role == "model" else role, parts)


def _part(part: Any) -> gen_ai.Part | None:
    if isinstance(part, str):
        return gen_ai.text(part)
    if field(part, "thought"):
        return gen_ai.reasoning(field(part, "text"))
    for name, reader in _PARTS.items():
        if (value := named(part, name)) is not None:
            return reader(value)
    return None


def modality(mime_type: object) -> str:
    """The modality of a MIME type: "image", "audio", "video", or "document" for all others."""
    kind = mime_type.partition("/")[0] if isinstance(mime_type, str) else ""
    return kind if kind in ("image", "audio", "video") else "document"


def _blob(data: Any) -> gen_ai.Part:
    kind = named(data, "mime_type")
    return gen_ai.blob(modality(kind), kind, field(data, "data"), field(data, "byte_size"))


def _file(data: Any) -> gen_ai.Part | None:
    return gen_ai.media(modality(named(data, "mime_type")), named(data, "file_uri"))


def _executed(code: Any) -> gen_ai.Part:
    details = {name: field(code, name) for name in ("language", "code")}
    return gen_ai.server_tool_call(field(code, "id"), "code_execution", "code_execution", details)


def _result(result: Any) -> gen_ai.Part:
    details = {name: field(result, name) for name in ("outcome", "output")}
    return gen_ai.server_tool_call_response(field(result, "id"), "code_execution", details)


def _tool(call: Any) -> str:
    kind = named(call, "tool_type")
    return kind.lower() if isinstance(kind, str) else ""


_PARTS: Mapping[str, Callable[[Any], gen_ai.Part | None]] = {
    "text": gen_ai.text,
    "function_call": lambda call: gen_ai.tool_call(field(call, "id"), field(call, "name"), field(call, "args")),
    "function_response": lambda response: gen_ai.tool_call_response(
        field(response, "id") or field(response, "name"), field(response, "response")
    ),
    "inline_data": _blob,
    "file_data": _file,
    "executable_code": _executed,
    "code_execution_result": _result,
    "tool_call": lambda call: gen_ai.server_tool_call(
        field(call, "id"), _tool(call), _tool(call), {"arguments": field(call, "args")}
    ),
    "tool_response": lambda response: gen_ai.server_tool_call_response(
        field(response, "id"), _tool(response), {"response": field(response, "response")}
    ),
}


def tools(tool: Any) -> list[Any]:
    """Definitions of the declared functions and Google's own tools. A Python function has only its name."""
    definitions: list[Any] = [*map(_function, named(tool, "function_declarations") or ())]
    definitions += ({"type": name, "name": name} for name in _TOOLS if named(tool, name) is not None)
    if callable(tool) and (name := field(tool, "__name__")):
        definitions.append({"type": "function", "name": name})
    return definitions


def _function(function: Any) -> dict[str, Any]:
    parameters = named(function, "parameters_json_schema") or _schema(field(function, "parameters"))
    definition = {
        "name": field(function, "name"),
        "description": field(function, "description"),
        "parameters": parameters,
    }
    return {"type": "function", **{name: value for name, value in definition.items() if value}}


def _schema(schema: Any) -> Any:
    """A schema without the fields that are None."""
    if isinstance(schema, list):
        return [_schema(item) for item in schema]
    fields = _NOTHING if isinstance(schema, str) else as_mapping(schema)
    return {name: _schema(value) for name, value in fields.items() if value is not None} if fields else schema


_NOTHING: Mapping[str, Any] = {}
_TOOLS = (
    *("retrieval", "computer_use", "file_search", "google_search", "google_maps", "code_execution"),
    *("enterprise_web_search", "google_search_retrieval", "parallel_ai_search", "url_context", "exa_ai_search"),
)


def fold_part(parts: list[Any], part: Any) -> None:
    """Add a part of a chunk to the response's parts. Successive pieces of text become one part."""
    text, thought = field(part, "text"), field(part, "thought")
    if text is None:
        parts.append(part)
        return
    last = parts[-1] if parts else None
    if not isinstance(last, dict) or "text" not in last or last["thought"] != thought:
        parts.append(last := {"thought": thought})
    add_text(last, "text", text)
