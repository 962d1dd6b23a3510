"""Tool calls in a stream: which call a piece belongs to, also if the server numbers them wrongly or not at all."""

from typing import Any

from agentops_otel.instrumentation.folding import add_text, begin_entry, entry_with, indexed
from agentops_otel.instrumentation.reading import field, loads


def fold_tool_call(message: dict[str, Any], index: object, call: Any) -> None:
    """Add a piece of a tool call to `message["tool_calls"]`."""
    entry = _entry(message, index, call)
    if (call_id := field(call, "id")) is not None:
        entry.setdefault("id", call_id)
    function = entry.setdefault("function", {})
    if "arguments" not in function:  # some servers repeat the name in each piece
        add_text(function, "name", field(call, "function", "name"))
    if field(call, "function", "arguments"):
        add_text(function, "arguments", field(call, "function", "arguments"))


def _entry(message: dict[str, Any], index: object, call: Any) -> dict[str, Any]:
    """The call with the piece's id, or else the last one of its index, or a new one."""
    call_id = field(call, "id")
    if (entry := entry_with(message, "tool_calls", "id", call_id)) is not None:
        return entry
    entry = indexed(message, "tool_calls", index)
    return begin_entry(message, "tool_calls", index) if _begins(entry, call_id, call) else entry


def _begins(last: dict[str, Any], call_id: object, call: Any) -> bool:
    """Whether a piece begins a new call, rather than continuing the last one of its index.

    A new id begins a call, unless the piece only adds arguments (some servers give each piece an id of its own). A name
    begins a call if the arguments of the last one are complete.
    """
    name, arguments = field(call, "function", "name"), field(call, "function", "arguments")
    if call_id and last.get("id"):
        return bool(name) or not arguments or is_complete(last)
    return bool(name) and is_complete(last)


def is_complete(call: dict[str, Any]) -> bool:
    """Whether the arguments so far are a JSON object."""
    return isinstance(loads(str(field(call, "function", "arguments") or "")), dict)
