"""Lists whose elements have a shape (messages, their parts, definitions of tools), shortened without breaking it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson

from agentops_otel import semconv
from agentops_otel.content.fast_json import plain_json

_GROUP = 16
"""Elements that are written at a time."""
_BEGINNING = 8
"""Messages among which the first of the user's is looked for."""

Write = Callable[[Any, int], bytes]
"""Any value as JSON of at most so many bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the elements of a list are like."""

    gap: Callable[[str], object]
    """An element that says how many are left out."""
    least: int
    """Bytes under which an element is left out rather than cut."""
    opening: Callable[[Sequence[Any]], int] = lambda elements: 1
    """How many of the first elements are the list's beginning."""
    lists: Mapping[str, "Shape"] = field(default_factory=dict)
    """The lists in an element whose elements have a shape too."""

    def of(self, value: Any) -> Any:
        """The list with elements of this shape; whatever else it may be, as it is."""
        if type(value) is LazyList:
            return LazyList(value.read, value.source, self)
        return LazyList(_itself, value, self) if type(value) in (list, tuple) else value

    def inside(self, element: Any) -> Any:
        """An element, with the shapes of the lists in it."""
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
    asked = (place for place, said in enumerate(messages) if type(said) is dict and said.get("role") == "user")
    return next(asked, 0) + 1


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
    """What is read of each item of a long list, asked only as far as there is room.

    Args:
        read: What an item says; None is left out.
        source: The items.
        shape: What they are like.
    """

    def __init__(self, read: Callable[[Any], Any], source: Sequence[Any], shape: Shape = _ANY) -> None:
        self.read = read
        self.source = source
        self.shape = shape

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: Any) -> Any:
        return [told for item in self.source[index] if (told := self.read(item)) is not None]

    def __iter__(self) -> Iterator[Any]:
        return (told for _, told in self._told(range(len(self))))

    def beginning(self) -> list[tuple[int, Any]]:
        """The elements that the list begins with, each with the place in the source behind it."""
        some = list(self._told(range(min(_BEGINNING, len(self)))))
        return [(place + 1, element) for place, element in some[: self.shape.opening([said for _, said in some])]]

    def newest(self, first: int) -> Iterator[tuple[int, Any]]:
        """From the last back to the place *first*, each element with its place in the source."""
        return self._told(range(len(self) - 1, first - 1, -1))

    def _told(self, places: Iterable[int]) -> Iterator[tuple[int, Any]]:
        return ((place, told) for place in places if (told := self.read(self.source[place])) is not None)


class Shortened:
    """A list that may not fit: its beginning, one gap, and its newest elements, whole ones as far as they fit.

    One that does not fit gets half of the room that is left, as long as that is enough for it to say something.

    Args:
        each: The list.
        room: The most bytes of its JSON.
        write: Writes what is not plain, or has to be cut.
    """

    def __init__(self, each: LazyList, budget_bytes: int, write: Write) -> None:
        self._each = each
        self._shape = each.shape
        self._budget_bytes = budget_bytes
        self._remaining_bytes = budget_bytes - len(self._gap(len(each))) - 4
        self._write = write

    def json(self) -> bytes:
        """The list's JSON."""
        front: list[bytes] = []
        first = 0
        for place, element in self._each.beginning():
            half = self._remaining_bytes if place == len(self._each) else self._remaining_bytes // 2
            text = self._one(element, half, half)
            if text is None:
                break
            front.append(self._taken(text))
            first = place
        back: list[bytes] = []
        end = len(self._each)
        for place, text in self._newest(first):
            back.append(self._taken(text))
            end = place
        gap = [self._gap(end - first)] if end > first else []
        return b"[%b]" % b",".join(filter(None, [*front, *gap, *reversed(back)]))

    def _newest(self, first: int) -> Iterator[tuple[int, bytes]]:
        """From the last on what there is room for, each piece with its place."""
        elements = self._each.newest(first)
        while some := list(islice(elements, _GROUP)):
            if together := plain_json([element for _, element in reversed(some)], self._remaining_bytes):
                yield some[-1][0], together[1:-1]
                continue
            for place, element in some:
                text = self._one(
                    element,
                    self._remaining_bytes,
                    self._remaining_bytes if place == first else self._remaining_bytes // 2,
                )
                if text is None:
                    return
                yield place, text
        # What comes before the last one found says nothing.
        yield first, b""

    def _one(self, element: Any, most: int, share: int) -> bytes | None:
        """The element, whole in at most so many bytes, or cut to its share; None where there is no room."""
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
