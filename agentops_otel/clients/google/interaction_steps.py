"""The contents and steps of google-genai's interactions: read as messages, and folded from a stream."""

from collections.abc import Callable, Mapping
from typing import Any

from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.folding import add_text, indexed
from agentops_otel.instrumentation.reading import field, items


def messages(source: Any, role: str) -> list[gen_ai.Message]:
    """Messages for a text, a content, or a list of contents or steps. Successive ones of a role are one message."""
    read: list[gen_ai.Message] = []
    for item in items(source) or [source]:
        if (message := _message(item, role)) is None:
            continue
        if read and read[-1]["role"] == message["role"]:
            read[-1]["parts"] += message["parts"]
        else:
            read.append(message)
    return read


def _message(item: Any, role: str) -> gen_ai.Message | None:
    kind = _kind(item)
    if isinstance(item, str) or kind in _CONTENTS:
        return gen_ai.message(role, _contents([item]))
    if reader := _STEPS.get(kind):
        return gen_ai.message(_ROLES.get(kind, "assistant"), reader(item))
    if kind.endswith(("_call", "_result")):
        return gen_ai.message("assistant", [_server_tool(item, kind)])
    content, speaker = field(item, "content"), field(item, "role")  # a turn, in the package's first versions
    return gen_ai.message(
        "assistant" if speaker == "model" else speaker or role, _contents(items(content) or [content])
    )


def _server_tool(step: Any, kind: str) -> gen_ai.Part:
    """The call of a tool that the provider runs, or its result."""
    tool, _, ending = kind.rpartition("_")
    if ending == "result":
        details = {"result": field(step, "result"), "is_error": field(step, "is_error")}
        return gen_ai.server_tool_call_response(field(step, "call_id"), tool, details)
    details = {"server_name": field(step, "server_name"), "arguments": field(step, "arguments")}
    return gen_ai.server_tool_call(field(step, "id"), field(step, "name") or tool, tool, details)


def _kind(source: Any) -> str:
    kind = field(source, "type") or ("text" if isinstance(source, dict) and "text" in source else "")
    return kind if isinstance(kind, str) else ""


def _contents(contents: Any) -> list[gen_ai.Part | None]:
    return [
        gen_ai.text(part) or (_CONTENTS[kind](part) if (kind := _kind(part)) in _CONTENTS else None)
        for part in contents
    ]


def _medium(modality: str) -> Callable[[Any], gen_ai.Part | None]:
    def read(part: Any) -> gen_ai.Part | None:
        kind, data, size = (field(part, name) for name in ("mime_type", "data", "byte_size"))
        return gen_ai.media(modality, field(part, "uri")) or gen_ai.blob(modality, kind, data, size)

    return read


_CONTENTS: Mapping[str, Callable[[Any], gen_ai.Part | None]] = {
    "text": lambda part: gen_ai.text(field(part, "text")),
    "image": _medium("image"),
    "audio": _medium("audio"),
    "video": _medium("video"),
    "document": _medium("document"),
}

_STEPS: Mapping[str, Callable[[Any], list[gen_ai.Part | None]]] = {
    "user_input": lambda step: _contents(items(step, "content")),
    "model_output": lambda step: _contents(items(step, "content")),
    "thought": lambda step: [gen_ai.reasoning(field(part, "text")) for part in items(step, "summary")],
    "function_call": lambda step: [gen_ai.tool_call(field(step, "id"), field(step, "name"), field(step, "arguments"))],
    "function_result": lambda step: [gen_ai.tool_call_response(field(step, "call_id"), field(step, "result"))],
}
_ROLES = {"user_input": "user", "function_result": "tool"}


def fold(response: dict[str, Any], event: Any) -> None:
    """Add an event to the interaction."""
    kind = field(event, "event_type")
    if isinstance(kind, str) and (folder := _FOLDERS.get(kind)):
        folder(response, event)


def _fold_created(response: dict[str, Any], event: Any) -> None:
    # The package continues a long response with a further request: steps count from 0 again, and its tokens add up.
    steps = items(response, "steps")
    response["before"] = steps[-1]["index"] + 1 if steps else 0
    response.setdefault("usages", []).append(None)
    _fold_status(response, event)


def _fold_status(response: dict[str, Any], event: Any) -> None:
    interaction = field(event, "interaction") or event
    response["streamed"] = True
    for name, value in (
        ("id", field(interaction, "id") or field(event, "interaction_id")),
        ("model", field(interaction, "model")),
        ("status", field(interaction, "status")),
    ):
        if value is not None:
            response[name] = value
    if (usage := field(interaction, "usage")) is not None:
        response["usages"] = [*items(response, "usages")[:-1], usage]
    for index, step in enumerate(items(interaction, "steps")):
        _fold_step(_step(response, index), step)


def _step(response: dict[str, Any], index: object) -> dict[str, Any]:
    return indexed(response, "steps", index + response.get("before", 0) if isinstance(index, int) else index)


def _fold_start(response: dict[str, Any], event: Any) -> None:
    _fold_step(_step(response, field(event, "index")), field(event, "step") or field(event, "content"))


def _fold_step(entry: dict[str, Any], step: Any) -> None:
    """Update a step. In version 1 the event has a content, which is a step of the model's output."""
    if _kind(step) in _CONTENTS:
        step = {"content": [step]}
    for name in ("type", "id", "call_id", "name", "server_name", "arguments", "result", "is_error"):
        if (value := field(step, name)) is not None:
            entry[name] = value
    for name in ("content", "summary"):
        if parts := items(step, name):
            entry[name] = []
            for part in parts:
                _fold_part(entry[name], part)


def _fold_delta(response: dict[str, Any], event: Any) -> None:
    entry, delta = _step(response, field(event, "index")), field(event, "delta")
    match _kind(delta):
        case "arguments_delta":
            entry.setdefault("type", "function_call")
            add_text(entry, "arguments", field(delta, "arguments"))
        case "thought_summary":
            entry.setdefault("type", "thought")
            _fold_part(entry.setdefault("summary", []), field(delta, "content"))
        case kind if kind.endswith(("_call", "_result")):
            _fold_step(entry, delta)
        case kind if kind in _CONTENTS:  # contents of no step are told as the model's
            _fold_part(entry.setdefault("content", []), delta)


def _fold_part(parts: list[Any], part: Any) -> None:
    """Add a part. Text and audio come in pieces, other media at once."""
    kind = _kind(part)
    last = parts[-1] if parts and isinstance(parts[-1], dict) else None
    if kind not in ("text", "audio") or field(part, "uri") is not None:
        parts.append(part)
        return
    if last is None or last["type"] != kind:
        parts.append(last := {"type": kind})
    if kind == "text":
        add_text(last, "text", field(part, "text"))
        return
    last["mime_type"] = field(part, "mime_type") or last.get("mime_type")
    last["byte_size"] = last.get("byte_size", 0) + (gen_ai.size_of(field(part, "data")) or 0)


def _fold_error(response: dict[str, Any], event: Any) -> None:
    response.update(status="failed", errors=[field(event, "error")])


_FOLDERS: Mapping[str, Callable[[dict[str, Any], Any], None]] = {
    "interaction.created": _fold_created,
    "interaction.status_update": _fold_status,
    "interaction.completed": _fold_status,
    "step.start": _fold_start,
    "step.delta": _fold_delta,
    "error": _fold_error,
    # The names of google-genai 1.
    "interaction.start": _fold_created,
    "interaction.complete": _fold_status,
    "content.start": _fold_start,
    "content.delta": _fold_delta,
}
