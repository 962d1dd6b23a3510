"""Folds the chunks of a stream into the response that they are pieces of: its texts, and its lists of entries."""

from typing import Any

from agentops_otel.instrumentation.tables import integer

TEXT_LIMIT = 128 * 1024
"""Characters that are kept of a streamed text, more than `content` writes."""


class TextBuilder(list[str]):
    """A text that arrives in pieces, joined once at the end."""

    size = 0

    def __str__(self) -> str:
        return "".join(self)


def add_text(entry: dict[str, Any], key: str, piece: object) -> None:
    """Add a piece of streamed text to `entry[key]`, up to `TEXT_LIMIT` characters. Other types are left out."""
    if not isinstance(piece, str):
        return
    pieces = entry.get(key)
    if type(pieces) is not TextBuilder:
        pieces = entry[key] = TextBuilder()
    if pieces.size < TEXT_LIMIT:
        pieces.append(piece)
        pieces.size += len(piece)


def indexed(response: dict[str, Any], key: str, index: object) -> dict[str, Any]:
    """The entry with that index in the list `response[key]`, created if it is missing.

    Without an index, or if several have it, the last entry (see `begin_entry`).
    """
    try:  # what most chunks are a piece of
        last: dict[str, Any] = response[key][-1]
        if type(last) is dict and last["index"] == index:
            return last
    except (KeyError, IndexError, TypeError):
        pass
    entries = _entries(response, key)
    if (wanted := integer(index)) is None:  # together's indices are floats
        wanted = entries[-1]["index"] if entries else 0
    for entry in entries[::-1]:
        if entry["index"] == wanted:
            return entry
    return begin_entry(response, key, wanted)


def begin_entry(response: dict[str, Any], key: str, index: object = None) -> dict[str, Any]:
    """A new entry of the list `response[key]`. Some servers give every entry the index 0, or none."""
    entries = _entries(response, key)
    if (wanted := integer(index)) is None:
        wanted = entries[-1]["index"] if entries else 0
    entry: dict[str, Any] = {"index": wanted}
    entries.append(entry)
    entries.sort(key=lambda entry: entry["index"])  # stable: those of one index stay in their order
    return entry


def entry_with(response: dict[str, Any], key: str, name: str, value: object) -> dict[str, Any] | None:
    """The last entry of the list `response[key]` in which *name* is *value*; None if there is none, or no value."""
    if not value or not isinstance(value, str):
        return None
    entry: dict[str, Any]
    for entry in reversed(_entries(response, key)):
        if entry.get(name) == value:
            return entry
    return None


def _entries(response: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The list `response[key]`, created if it is missing or has items that are no entries."""
    listed = response.get(key)
    if isinstance(listed, list) and all(isinstance(entry, dict) and "index" in entry for entry in listed):
        return listed
    entries: list[dict[str, Any]] = []
    response[key] = entries
    return entries


def joined(value: Any) -> Any:
    """The folded response with each `TextBuilder` as text."""
    if isinstance(value, TextBuilder):
        return str(value)
    if isinstance(value, dict):
        return {key: joined(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [joined(inner) for inner in value]
    return value
