"""The JSON of list elements that come again: an agent sends its whole conversation with each call."""

import marshal
from collections.abc import Callable
from typing import Any

CACHED_BYTES = 4_000_000
"""Bytes that are cached, of elements as they were given and as they are written."""
ENTRY_BYTES = 300
"""The memory that an entry takes beside them."""
MOST_SEEN = 16_384
"""Elements that are known to have come once."""
_WITHOUT_REFERENCES = 2
"""The version of marshal's format in which equal values have the same bytes."""

Key = tuple[Callable[[Any], Any], bytes]
"""How an element is read, and what it was."""


class ElementCache(dict[Key, bytes]):
    """JSON without secrets, by what it was made of. What comes for the first time is not kept: it may never again."""

    def __init__(self) -> None:
        self.remaining_bytes = CACHED_BYTES
        self._seen: set[int] = set()

    def keep(self, key: Key | None, text: bytes) -> None:
        """Remember the JSON of an element that came before. When there is too much of it, all is forgotten."""
        if key is None:
            return
        hashed = hash(key)
        if hashed not in self._seen:
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen.add(hashed)
            return
        self[key] = text
        self.remaining_bytes -= len(key[1]) + len(text) + ENTRY_BYTES
        if self.remaining_bytes < 0:
            self.clear()
            self.remaining_bytes = CACHED_BYTES


def key_of(read: Callable[[Any], Any], copied: Any) -> Key | None:
    """The key of an element of a `Source`: of builtin types alone, so that its bytes say all of it.

    None for one that is nested too deep for marshal, which is never plain.
    """
    try:
        return read, marshal.dumps(copied, _WITHOUT_REFERENCES)
    except ValueError:
        return None


elements = ElementCache()
