"""Values written as JSON piece by piece, each within its budget of bytes."""

import enum
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from types import NoneType
from typing import Any

import orjson

from agentops_otel.content.fast_json import MAX_DEPTH, plain_json
from agentops_otel.content.library_values import library_value
from agentops_otel.content.media import media_of, size
from agentops_otel.content.objects import MISSING, declared_fields, description, public_state, read, type_name
from agentops_otel.content.redaction import REDACTED
from agentops_otel.content.secret_names import SECRETS, KeyKind, classify_key
from agentops_otel.content.secret_pairs import is_value_field, kind_of_values, secret_items
from agentops_otel.content.standard_values import collection_items, standard_mapping, standard_text
from agentops_otel.content.text import HIDDEN_CHARACTERS, as_plain_str, json_string, searched_margin, truncate
from agentops_otel.content.truncation import LazyList, Shortened

MIN_BYTES = 48
"""The smallest budget in which anything is written. A value with less is left out and counted."""

OMITTED = orjson.dumps("…")
"""Replaces a value that does not fit."""

_MIN_NODE_BYTES = 16
"""The least that a value is charged, so that the limit bounds the work."""
_MIN_PLAIN_BYTES = 4 * MIN_BYTES
_GROUP = 8
_MAX_SEARCHED_CHARACTERS = 160 * 1024
"""Characters of long texts that are searched for secrets in one value. Further long texts are left out."""
_SHORT_CHARACTERS = 64
"""A text of so many characters is always written: a message's role, a part's type."""
_MAX_INT_BITS = 1024
_SCALARS = (str, int, float, bytes, bytearray, memoryview)
_SEQUENCES = (list, tuple)


class Writer:
    """Writes one value. Every method returns JSON of at most *budget_bytes*, if those are at least `MIN_BYTES`."""

    def __init__(self) -> None:
        self._depth = 0
        self._within: set[int] = set()
        self._in_object = False
        self._searched_characters = 0

    def json(self, value: Any, budget_bytes: int, key_kind: KeyKind = KeyKind.PLAIN) -> bytes:
        """The value as JSON.

        Args:
            value: Anything.
            budget_bytes: The largest size of the result.
            key_kind: The kind of the key above the value.
        """
        kind = type(value)
        if value is None or kind is bool or (kind is str and not value):
            return orjson.dumps(value)
        if key_kind is KeyKind.SECRET:
            return self._word(REDACTED, budget_bytes)
        if issubclass(kind, enum.Enum):
            inner = read(value, "_value_")
            if inner is MISSING:
                return self._word(description(value), budget_bytes)
            return self._nested(value, inner, budget_bytes, key_kind)
        if issubclass(kind, _SCALARS):
            return self._scalar(kind, value, budget_bytes, key_kind)
        if budget_bytes < MIN_BYTES:
            return OMITTED
        if self._depth and key_kind is KeyKind.PLAIN and budget_bytes >= _MIN_PLAIN_BYTES:
            # Not at the top level, which the caller has tried; and hardly anything fits in a small budget.
            plain = plain_json(value, budget_bytes)
            if plain is not None:
                return plain
        return self._nested(value, value, budget_bytes, key_kind)

    def _scalar(self, kind: type, value: Any, budget_bytes: int, key_kind: KeyKind) -> bytes:
        if issubclass(kind, str):
            return self._text(as_plain_str(value), budget_bytes, key_kind)
        if issubclass(kind, int):
            return self._int(int.__int__(value), budget_bytes)
        if issubclass(kind, float):
            return self._float(float.__float__(value), budget_bytes)
        return self._word(f"<{type_name(kind)}, {size(_byte_count(value))}>", budget_bytes)

    def _nested(self, owner: object, value: Any, budget_bytes: int, key_kind: KeyKind) -> bytes:
        if id(owner) in self._within:
            return self._word(f"{description(owner)[:-1]}, seen above>", budget_bytes)
        if self._depth == MAX_DEPTH:
            return self._word(description(owner), budget_bytes)
        self._depth += 1
        self._within.add(id(owner))
        try:
            write = self._structure if owner is value else self.json
            return write(value, budget_bytes, key_kind)
        finally:
            self._depth -= 1
            self._within.discard(id(owner))

    def _structure(self, value: Any, budget_bytes: int, key_kind: KeyKind) -> bytes:
        kind = type(value)
        if kind is LazyList:
            text = Shortened(value, budget_bytes, self.json).json()
            return text if len(text) <= budget_bytes else OMITTED
        if issubclass(kind, dict):
            items = first_items(dict.items(value), budget_bytes)
            return self._mapping(items, dict.__len__(value), budget_bytes, key_kind)
        if (fields := declared_fields(value)) is not None:
            return self._mapping(list(fields.items()), len(fields), budget_bytes, key_kind)
        if issubclass(kind, _SEQUENCES):
            return self._sequence(value, budget_bytes, key_kind)
        if (mapping := standard_mapping(value)) is not None:
            return self.json(mapping, budget_bytes, key_kind)
        if (collection := collection_items(value)) is not None:
            return self._items(first_items(collection, budget_bytes), len(collection), budget_bytes, key_kind)
        if (line := standard_text(value)) is not None:
            return self._word(line, budget_bytes)
        return self._object(value, budget_bytes, key_kind)

    def _object(self, value: Any, budget_bytes: int, key_kind: KeyKind) -> bytes:
        if (converted := library_value(value)) is not MISSING:
            return self.json(converted, budget_bytes, key_kind)
        kind = type(value)
        if issubclass(kind, BaseException):
            args = BaseException.__dict__["args"].__get__(value)
            return self._mapping([("__class__", type_name(kind)), ("args", args)], 2, budget_bytes)
        state = {} if self._in_object or issubclass(kind, type) else public_state(value)
        if not state:
            return self._word(description(value), budget_bytes)
        self._in_object = True
        try:
            return self._mapping([("__class__", type_name(kind)), *state.items()], len(state) + 1, budget_bytes)
        finally:
            self._in_object = False

    def _sequence(self, value: Any, budget_bytes: int, key_kind: KeyKind) -> bytes:
        base = list if issubclass(type(value), list) else tuple
        length = base.__len__(value)
        most = max(budget_bytes // _MIN_NODE_BYTES // 2, 1)
        part = base.__getitem__
        if length <= 2 * most:
            items = list(part(value, slice(None)))
        else:
            items = [*part(value, slice(most)), *part(value, slice(-most, None))]
        return self._items(items, length, budget_bytes, key_kind)

    def _items(self, items: list[Any], length: int, budget_bytes: int, key_kind: KeyKind) -> bytes:
        secrets = {} if key_kind is KeyKind.NAMES else secret_items(items, complete=len(items) == length)

        def write(index: int, budget: int) -> bytes:
            return self.json(items[index], budget, secrets.get(index, key_kind))

        in_groups = key_kind is KeyKind.PLAIN and not secrets
        return _BothEnds(items, budget_bytes, write).json(length, in_groups=in_groups)

    def _mapping(
        self,
        items: list[tuple[object, object]],
        length: int,
        budget_bytes: int,
        key_kind: KeyKind = KeyKind.PLAIN,
    ) -> bytes:
        """The mapping: small values first, so that they are there when a large one fills the budget."""
        remaining_bytes = budget_bytes - MIN_BYTES
        values_kind = kind_of_values(items)
        written: dict[int, bytes] = {}
        order = sorted(range(len(items)), key=lambda index: _size_hint(items[index][1]))
        for done, index in enumerate(order):
            if remaining_bytes < 2 * MIN_BYTES:
                break
            share = max(remaining_bytes // (len(order) - done), 2 * MIN_BYTES)
            name, value = items[index]
            above = values_kind if values_kind in SECRETS and is_value_field(name) else key_kind
            written[index] = pair = self._pair(name, value, share, above)
            remaining_bytes -= max(len(pair) + 1, _MIN_NODE_BYTES)
        pairs = [written[index] for index in sorted(written)]
        if length > len(pairs):
            pairs.append(b'"\xe2\x80\xa6":' + orjson.dumps(f"+{length - len(pairs)} more"))
        return b"{%b}" % b",".join(pairs)

    def _pair(self, name: Any, value: Any, budget_bytes: int, above: KeyKind) -> bytes:
        if issubclass(type(name), str) and not issubclass(type(name), enum.Enum):
            text = as_plain_str(name)
            key = self._key(text, budget_bytes // 2)
        else:
            key = self.json(name, budget_bytes // 2)
            key = key if key.startswith(b'"') else truncate(key.decode(), budget_bytes // 2, json_string)
            text = key[1:-1].decode()
        key_kind = classify_key(text)
        if above is KeyKind.SECRET or (above is KeyKind.MAYBE_SECRET and key_kind is KeyKind.PLAIN):
            key_kind = above
        # The items of a list have the kind of the list's key.
        return b"%b:%b" % (key, self.json(value, budget_bytes - len(key) - 1, key_kind))

    def _key(self, text: str, budget_bytes: int) -> bytes:
        if len(text) <= HIDDEN_CHARACTERS:
            return truncate(text, budget_bytes, json_string)
        return self._text(text, budget_bytes, KeyKind.PLAIN)

    def _text(self, text: str, budget_bytes: int, key_kind: KeyKind) -> bytes:
        if key_kind is KeyKind.MAYBE_SECRET and not text.isdecimal():
            return self._word(REDACTED, budget_bytes)
        if media := media_of(text, key_kind):
            return self._word(media, budget_bytes)
        if len(text) > _SHORT_CHARACTERS:
            self._searched_characters += min(len(text), budget_bytes + searched_margin(budget_bytes))
            if self._searched_characters > _MAX_SEARCHED_CHARACTERS:
                return self._word(f"<str, {len(text)} characters>", budget_bytes)
        return truncate(text, budget_bytes, json_string)

    def _int(self, value: int, budget_bytes: int) -> bytes:
        bits = value.bit_length()
        if -(2**63) <= value < 2**64:
            return orjson.dumps(value)
        # Many readers of JSON take a number for a double: digits as text stay what they are.
        return self._word(str(value) if bits <= _MAX_INT_BITS else f"<int, {bits} bits>", budget_bytes)

    def _float(self, value: float, budget_bytes: int) -> bytes:
        return orjson.dumps(value) if value - value == 0.0 else self._word(str(value), budget_bytes)

    def _word(self, text: str, budget_bytes: int) -> bytes:
        return truncate(text, budget_bytes, json_string)


class _BothEnds:
    """Writes a list from both ends in turn, as far as its budget goes, and counts what is left out between them.

    Args:
        items: The items, or the ends of a longer list.
        budget_bytes: The largest size of the result.
        write: `(place of an item, its budget) -> its JSON`.
    """

    def __init__(self, items: Sequence[Any], budget_bytes: int, write: Callable[[int, int], bytes]) -> None:
        self._items = items
        self._write = write
        self._remaining_bytes = budget_bytes - MIN_BYTES
        # A smaller share shows nothing useful and costs as much.
        self._least_bytes = min(max(budget_bytes // 8, MIN_BYTES), 2 * _MIN_PLAIN_BYTES)
        self._front: list[bytes] = []
        self._back: list[bytes] = []
        self._first, self._end = 0, len(items)

    def json(self, length: int, *, in_groups: bool) -> bytes:
        """The list's JSON.

        Args:
            length: How many items the whole list has.
            in_groups: True to write plain items several at a time.
        """
        if in_groups:
            self._write_groups()
        while self._first < self._end and self._remaining_bytes >= self._least_bytes:
            self._write_one()
        missing = length - len(self._items) + self._end - self._first
        middle = [orjson.dumps(f"…(+{missing} more)")] if missing > 0 else []
        return b"[%b]" % b",".join(filter(None, [*self._front, *middle, *reversed(self._back)]))

    def _write_groups(self) -> None:
        """Take plain items from both ends, in groups that are small beside the bytes that remain."""
        count = _GROUP
        while count:
            if self._end - self._first >= 2 * count and self._write_group(count):
                continue
            count //= 2

    def _write_group(self, count: int) -> bool:
        first, end = self._first, self._end
        limit = self._remaining_bytes // 4
        front = plain_json(self._items[first : first + count], limit)
        back = plain_json(self._items[end - count : end], limit) if front is not None else None
        if front is None or back is None:
            return False
        self._front.append(front[1:-1])
        self._back.append(back[1:-1])
        self._first, self._end = first + count, end - count
        self._remaining_bytes -= len(front) + len(back)
        return True

    def _write_one(self) -> None:
        is_last = self._end - self._first == 1
        share = self._remaining_bytes if is_last else max(self._remaining_bytes // 2, MIN_BYTES)
        if len(self._front) <= len(self._back):
            side, index, self._first = self._front, self._first, self._first + 1
        else:
            side, index, self._end = self._back, self._end - 1, self._end - 1
        side.append(self._write(index, share))
        self._remaining_bytes -= max(len(side[-1]) + 1, _MIN_NODE_BYTES)


def first_items(items: Iterable[Any], budget_bytes: int) -> list[Any]:
    """As many items as the budget can hold; none of a collection that another thread is changing."""
    try:
        return list(islice(items, budget_bytes // _MIN_NODE_BYTES + 1))
    except RuntimeError:
        return []


def _byte_count(value: Any) -> int:
    kind = type(value)
    if kind is memoryview:
        return int(value.nbytes)
    return bytes.__len__(value) if issubclass(kind, bytes) else bytearray.__len__(value)


def _size_hint(value: Any) -> int:
    """A rough size, without looking inside."""
    kind = type(value)
    if kind in (str, bytes):
        return len(value)
    return 0 if kind in (int, float, bool, NoneType) else 10_000
