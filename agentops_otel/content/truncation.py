"""Shortens lists of messages, message parts and tool definitions, so that each element keeps its schema."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, tee
from typing import Any, NamedTuple

import orjson

from agentops_otel import semconv
from agentops_otel.content.element_cache import Key, elements, key_of
from agentops_otel.content.fast_json import plain_json

_GROUP = 16
"""Elements written at a time."""
_MANY = 128
"""A list that is longer is not read as a whole."""
_LOOKED_UP = 8
"""After so many elements that are new the others are taken for new: a conversation that never came costs little."""
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
    opening: Callable[[Iterable[Any]], int] = lambda elements: 1
    """Gives the number of elements at the start that are always kept, and takes no more than it looks at."""
    lists: Mapping[str, "Shape"] = {}
    """The shapes of lists inside an element, by their key."""

    def of(self, value: Any) -> Any:
        """A list with this shape; any other value unchanged."""
        if type(value) is LazyList:
            return LazyList(value.read, value.source, self, is_copied=value.is_copied)
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


def _first_question(messages: Iterable[Any]) -> int:
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
        is_copied: Whether the items are of a `Source`. What is written of such an item is cached.
    """

    def __init__(
        self, read: Callable[[Any], Any], source: Sequence[Any], shape: Shape = _ANY, *, is_copied: bool = False
    ) -> None:
        self.read = read
        self.source = source
        self.shape = shape
        self.is_copied = is_copied

    def copied(self) -> "LazyList":
        """The list, whose items are of a `Source`."""
        return LazyList(self.read, self.source, self.shape, is_copied=True)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: Any) -> Any:
        return [converted for item in self.source[index] if (converted := self.read(item)) is not None]

    def __iter__(self) -> Iterator[Any]:
        return (item for _, item in self._converted(range(len(self))))

    def beginning(self) -> list[tuple[int, Any]]:
        """The elements kept first, each with the source index of the item after it."""
        converted, ahead = tee(self._converted(range(min(_BEGINNING, len(self)))))
        count = self.shape.opening(element for _, element in ahead)
        return [(index + 1, element) for index, element in islice(converted, count)]

    def at(self, index: int) -> Any:
        """The converted item; None if it is left out."""
        return self.read(self.source[index])

    def key(self, index: int) -> Key | None:
        """The key of the element in the cache; None if it is not cached."""
        return key_of(self.read, self.source[index]) if self.is_copied else None

    def _converted(self, indexes: Iterable[int]) -> Iterator[tuple[int, Any]]:
        return ((index, item) for index in indexes if (item := self.read(self.source[index])) is not None)


_Element = tuple[int, Key | None, Any]
"""An element to be written: its index, its key in the cache, the converted item."""


def _write_each(texts: list[bytes], values: Iterable[Any]) -> bytes:
    texts.extend(map(orjson.dumps, values))
    return b",".join(texts)


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
        if self._items.is_copied and len(self._items) <= _MANY and (whole := self._whole()) is not None:
            return whole
        front: list[bytes] = []
        first = 0
        for index, element in self._items.beginning():
            half = self._remaining_bytes if index == len(self._items) else self._remaining_bytes // 2
            text = self._one(index - 1, element, half, half)
            if text is None:
                break
            front.append(self._taken(text))
            first = index
        back: list[bytes] = []
        end = len(self._items)
        for index, text in self._newest(first):
            if text is None:
                break
            back.append(self._taken(text))
            end = index
        gap = [self._gap(end - first)] if end > first else []
        return b"[%b]" % b",".join(filter(None, [*front, *gap, *reversed(back)]))

    def _whole(self) -> bytes | None:
        """All of the list, if it is plain and fits. What is cached is not read again."""
        items, keys, written = self._items, list[Key | None](), list[bytes | None]()
        new = dict[int, Any]()
        for index in range(len(items)):
            key = items.key(index) if len(new) < _LOOKED_UP else None
            text = None if key is None else elements.get(key)
            if text is None and (element := items.at(index)) is not None:
                new[index] = element
            keys.append(key)
            written.append(text)
        texts = list[bytes]()
        if plain_json(list(new.values()), self._budget_bytes, partial(_write_each, texts)) is None:
            return None
        for index, text in zip(new, texts, strict=True):
            written[index] = text
            elements.keep(keys[index], text)
        whole = b"[%b]" % b",".join(filter(None, written))
        return whole if len(whole) <= self._budget_bytes else None

    def _newest(self, first: int) -> Iterator[tuple[int, bytes | None]]:
        """As many of the newest elements as fit, in pieces, each with its index; None for one that does not fit."""
        items, new, size = self._items, list[_Element](), 0
        for index in range(len(items) - 1, first - 1, -1):
            key = items.key(index)
            known = None if key is None else elements.get(key)
            if known is None:
                if (element := items.at(index)) is not None:
                    new.append((index, key, element))
                size += self._budget_bytes // _GROUP if key is None else len(key[1])
                if size < self._remaining_bytes // 2:  # more may not fit together
                    continue
            if new:
                yield from self._written(new, first)
                new, size = [], 0
            if known is not None and len(known) <= self._remaining_bytes:
                yield index, known
            elif known is not None:
                yield from self._written([(index, key, items.at(index))], first)
        yield from self._written(new, first)
        # Items before the last one found convert to nothing.
        yield first, b""

    def _written(self, new: Sequence[_Element], first: int) -> Iterator[tuple[int, bytes | None]]:
        """The elements, the newest first, in one piece if they are plain and fit."""
        if not new:
            return
        values, texts = [element for _, _, element in reversed(new)], list[bytes]()
        together = plain_json(values, self._remaining_bytes, partial(_write_each, texts))
        if together is None:
            for index, _, element in new:
                most = self._remaining_bytes
                yield index, self._one(index, element, most, most if index == first else most // 2)
        else:
            for (_, key, _), text in zip(reversed(new), texts, strict=True):
                elements.keep(key, text)
            yield new[-1][0], together

    def _one(self, index: int, element: Any, most: int, share: int) -> bytes | None:
        """The element, whole if it takes at most *most* bytes, else cut to its share; None if neither fits."""
        key = self._items.key(index)
        whole = None if key is None else elements.get(key)
        if whole is None:
            whole = plain_json(element, self._budget_bytes)
            if whole is not None:
                elements.keep(key, whole)
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
