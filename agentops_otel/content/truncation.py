"""Shortens lists of messages, message parts and tool definitions, so that each element keeps its schema."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson

from agentops_otel import semconv
from agentops_otel.content.fast_json import plain_json

_GROUP = 16
"""Elements written at a time."""
_BEGINNING = 8
"""Messages at the start that are searched for the first one of the user."""

Write = Callable[[Any, int], bytes]
"""`(value, budget in bytes) -> its JSON`."""


class Shape(NamedTuple):
    """The parts of the schema of a list's elements that shortening needs."""

    gap: Callable[[str], object]
    """Makes the element that counts those left out."""
    least: int
    """The smallest budget, in bytes, in which an element is cut. With less it is left out."""
    opening: Callable[[Sequence[Any]], int] = lambda elements: 1
    """Gives the number of elements at the start that are always kept."""
    lists: Mapping[str, "Shape"] = {}
    """The shapes of lists inside an element, by their key."""

    def of(self, value: Any) -> Any:
        """A list with this shape; any other value unchanged."""
        if type(value) is LazyList:
            return LazyList(value.read, value.source, self)
        return LazyList(_itself, value, self) if type(value) in (list, tuple) else value

    def inside(self, element: Any) -> Any:
        """The element, with shapes for the lists inside it."""
        if type(element) is not dict or self.lists.keys().isdisjoint(element):
            return element
        return {name: self.lists[name].of(value) if name in self.lists else value for name, value in element.items()}


def _itself(element: Any) -> Any:
    return element


def _as_itself(gap: str) -> object:
    return gap


def _as_part(gap: str) -> object:
    return {"type": "text", "content": gap}


def _as_message(gap: str) -> object:
    return {"role": "system", "parts": [_as_part(gap)]}


def _as_definition(gap: str) -> object:
    return {"type": "function", "name": gap}


def _first_question(messages: Sequence[Any]) -> int:
    roles = (message.get("role") if type(message) is dict else None for message in messages)
    return next((index for index, role in enumerate(roles) if role == "user"), 0) + 1


_ANY = Shape(gap=_as_itself, least=512)
_PARTS = Shape(gap=_as_part, least=1024)
_MESSAGES = Shape(gap=_as_message, least=2048, opening=_first_question, lists={"parts": _PARTS})
_DEFINITIONS = Shape(gap=_as_definition, least=512)

SHAPES: Mapping[str, Shape] = {
    semconv.GEN_AI_INPUT_MESSAGES: _MESSAGES,
    semconv.GEN_AI_OUTPUT_MESSAGES: _MESSAGES,
    semconv.GEN_AI_SYSTEM_INSTRUCTIONS: _PARTS,
    semconv.GEN_AI_TOOL_DEFINITIONS: _DEFINITIONS,
}
"""By the attribute that holds the list."""


class LazyList(Sequence[Any]):
    """A sequence whose items are converted when they are written, and only as many as fit.

    Args:
        read: Converts an item; None leaves it out.
        source: The items.
        shape: The schema of the converted items.
    """

    def __init__(self, read: Callable[[Any], Any], source: Sequence[Any], shape: Shape = _ANY) -> None:
        self.read = read
        self.source = source
        self.shape = shape

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: Any) -> Any:
        return [converted for item in self.source[index] if (converted := self.read(item)) is not None]

    def __iter__(self) -> Iterator[Any]:
        return (item for _, item in self._converted(range(len(self))))

    def beginning(self) -> list[tuple[int, Any]]:
        """The elements kept first, each with the source index of the item after it."""
        some = list(self._converted(range(min(_BEGINNING, len(self)))))
        return [(index + 1, element) for index, element in some[: self.shape.opening([message for _, message in some])]]

    def newest(self, first: int) -> Iterator[tuple[int, Any]]:
        """The elements from the last one back to the index *first*, each with its index."""
        return self._converted(range(len(self) - 1, first - 1, -1))

    def _converted(self, indexes: Iterable[int]) -> Iterator[tuple[int, Any]]:
        return ((index, item) for index in indexes if (item := self.read(self.source[index])) is not None)


class Shortened:
    """A list that may not fit: its beginning, one gap, and its newest elements, whole ones as far as they fit.

    An element that does not fit gets half of the remaining bytes, if that is at least the shape's minimum.

    Args:
        items: The list.
        room: The most bytes of its JSON.
        write: Writes values that are not plain, or must be cut.
    """

    def __init__(self, items: LazyList, budget_bytes: int, write: Write) -> None:
        self._items = items
        self._shape = items.shape
        self._budget_bytes = budget_bytes
        self._remaining_bytes = budget_bytes - len(self._gap(len(items))) - 4
        self._write = write

    def json(self) -> bytes:
        """The list's JSON."""
        front: list[bytes] = []
        first = 0
        for index, element in self._items.beginning():
            half = self._remaining_bytes if index == len(self._items) else self._remaining_bytes // 2
            text = self._one(element, half, half)
            if text is None:
                break
            front.append(self._taken(text))
            first = index
        back: list[bytes] = []
        end = len(self._items)
        for index, text in self._newest(first):
            back.append(self._taken(text))
            end = index
        gap = [self._gap(end - first)] if end > first else []
        return b"[%b]" % b",".join(filter(None, [*front, *gap, *reversed(back)]))

    def _newest(self, first: int) -> Iterator[tuple[int, bytes]]:
        """As many of the newest elements as fit, in pieces, each with its index."""
        elements = self._items.newest(first)
        while some := list(islice(elements, _GROUP)):
            if together := plain_json([element for _, element in reversed(some)], self._remaining_bytes):
                yield some[-1][0], together[1:-1]
                continue
            for index, element in some:
                text = self._one(
                    element,
                    self._remaining_bytes,
                    self._remaining_bytes if index == first else self._remaining_bytes // 2,
                )
                if text is None:
                    return
                yield index, text
        # Items before the last one found convert to nothing.
        yield first, b""

    def _one(self, element: Any, most: int, share: int) -> bytes | None:
        """The element, whole if it takes at most *most* bytes, else cut to its share; None if neither fits."""
        whole = plain_json(element, self._budget_bytes)
        if whole is not None and len(whole) <= most:
            return whole
        share = max(share, self._shape.least)
        if whole is not None and share > self._remaining_bytes:
            return None
        text = self._write(self._shape.inside(element), share)
        return text if len(text) <= self._remaining_bytes else None

    def _taken(self, text: bytes) -> bytes:
        self._remaining_bytes -= len(text) + 1
        return text

    def _gap(self, count: int) -> bytes:
        return orjson.dumps(self._shape.gap(f"…(+{count} more)"))
