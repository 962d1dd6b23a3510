"""Values written as JSON piece by piece, each within the room it is given."""

import enum
from collections import deque
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import NoneType
from typing import Any
from uuid import UUID

import orjson

from agentops_otel.content.fast_json import MAX_DEPTH, plain_json
from agentops_otel.content.objects import MISSING, declared_fields, description, public_state, read, type_name
from agentops_otel.content.redaction import (
    LONGEST_NAME,
    REDACTED,
    KeyKind,
    classify_key,
    media_of,
    redact,
    redact_cached,
    size,
)
from agentops_otel.content.truncation import LazyList, Shortened

MIN_BYTES = 48
"""Room in bytes under which a value is left out and counted as missing."""

OMITTED = orjson.dumps("…")
"""What stands in the place of a value for which there is no room."""

_MIN_NODE_BYTES = 16
"""The least room that a value takes, so that the work is bounded by the limit."""
_GROUP = 8
_MIN_PLAIN_BYTES = 4 * MIN_BYTES
_MARGIN_CHARACTERS = 8 * 1024
"""Characters read beyond a cut, so that a secret across it is seen whole. No key is longer."""
_HIDDEN_CHARACTERS = 1024
"""Characters before the end of a reading that are not shown: a secret may begin there and not be told yet."""
_MAX_SEARCHED_CHARACTERS = 160 * 1024
"""Characters of long texts that are searched for secrets in one value; further ones are left out."""
_LONGEST_INT_BITS = 1024

_AS_STR: dict[type, Callable[[object], str]] = {
    kind: kind.__str__
    for kind in (UUID, Decimal, complex, timedelta, PosixPath, WindowsPath, PurePosixPath, PureWindowsPath)
}
_TIMES = (datetime, date, time)
_SEQUENCES = (list, tuple)
_LAZY: tuple[type, ...] = (deque, set, frozenset, type({}.keys()), type({}.values()), type({}.items()))
_SCALARS = (str, int, float, bytes, bytearray, memoryview)


def truncate(text: str, budget_bytes: int, encode: Callable[[str], bytes]) -> bytes:
    """The text without secrets, encoded in at most *room* bytes; its middle goes first and says how much went.

    A text that is much longer than the room is read at its two ends only, a margin beyond the cut; for a small room
    at its beginning only.
    """
    margin = _margin_characters(budget_bytes)
    if len(text) <= budget_bytes + margin:
        head = tail = redact_cached(text)
        total = len(head)
        whole = encode(head)
        if len(whole) <= budget_bytes:
            return whole
    else:
        half = budget_bytes // 2
        head = redact(text[: half + margin])[:-_HIDDEN_CHARACTERS]
        # A secret whose beginning was not read is copied as it is, within the margin: that is never shown.
        tail = redact(text[-half - margin :])[margin:] if margin == _MARGIN_CHARACTERS else ""
        total = len(text)
    keep = min(budget_bytes // 2, total // 2)
    while True:
        start, end = head[:keep], tail[max(len(tail) - keep, 0) :]
        cut = encode(f"{start}…[+{total - len(start) - len(end)} characters]{end}")
        if len(cut) <= budget_bytes or keep == 0:
            return cut
        keep = min(keep - 1, keep * budget_bytes // len(cut))


def _margin_characters(budget_bytes: int) -> int:
    return _MARGIN_CHARACTERS if budget_bytes >= 2 * _HIDDEN_CHARACTERS else 2 * _HIDDEN_CHARACTERS


def as_plain_str(text: str) -> str:
    """The text as a plain `str`, whatever a subclass makes of its methods."""
    return str.__getitem__(text, slice(None))


def _encode(text: str) -> bytes:
    try:
        return orjson.dumps(text)
    except TypeError:
        return orjson.dumps(text.encode(errors="replace").decode())


class Writer:
    """Writes one value. Every method answers JSON of at most *room* bytes, where the room is not under `SMALL`."""

    def __init__(self) -> None:
        self._depth = 0
        self._within: set[int] = set()
        self._in_object = False
        self._scanned = 0

    def json(self, value: Any, budget_bytes: int, key_kind: KeyKind = KeyKind.PLAIN) -> bytes:
        """The value as JSON.

        Args:
            value: Anything.
            budget_bytes: The largest size of the result.
            key_kind: What the key above the value says about it.
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
            return self._mapping(_some(dict.items(value), budget_bytes), dict.__len__(value), budget_bytes)
        if (fields := declared_fields(value)) is not None:
            return self._mapping(list(fields.items()), len(fields), budget_bytes)
        if issubclass(kind, _SEQUENCES):
            return self._sequence(value, budget_bytes, key_kind)
        if kind in _LAZY:
            return self._both_ends(_some(value, budget_bytes), len(value), budget_bytes, key_kind)
        if kind in _AS_STR:
            return self._word(_AS_STR[kind](value), budget_bytes)
        if issubclass(kind, _TIMES):
            return self._word(_time(value), budget_bytes)
        return self._object(value, budget_bytes)

    def _object(self, value: Any, budget_bytes: int) -> bytes:
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
        if base is tuple and len(items) == 2 and type(items[0]) is str and _kind_of_key(items[0]) is KeyKind.SECRET:
            # A header or a parameter as a pair.
            return b"[%b,%b]" % (
                self.json(items[0], budget_bytes // 2),
                self.json(items[1], budget_bytes // 2, KeyKind.SECRET),
            )
        return self._both_ends(items, length, budget_bytes, key_kind)

    def _both_ends(self, items: list[Any], length: int, budget_bytes: int, key_kind: KeyKind) -> bytes:
        remaining_bytes = budget_bytes - MIN_BYTES
        # What gets less says nothing, but takes as long.
        least = min(max(budget_bytes // 8, MIN_BYTES), 2 * _MIN_PLAIN_BYTES)
        front: list[bytes] = []
        back: list[bytes] = []
        first, end = 0, len(items)
        # Plain items are written several at a time, as long as they are small beside the room that is left.
        many = _GROUP if key_kind is KeyKind.PLAIN else 0
        while many:
            ends = () if end - first < 2 * many else (items[first : first + many], items[end - many : end])
            texts = [text for part in ends if (text := plain_json(part, remaining_bytes // 4)) is not None]
            if len(texts) < 2:
                many //= 2
                continue
            front.append(texts[0][1:-1])
            back.append(texts[1][1:-1])
            first, end = first + many, end - many
            remaining_bytes -= len(texts[0]) + len(texts[1])
        while first < end and remaining_bytes >= least:
            share = remaining_bytes if end - first == 1 else max(remaining_bytes // 2, MIN_BYTES)
            side, index = (front, first) if len(front) <= len(back) else (back, end - 1)
            first, end = (first + 1, end) if side is front else (first, end - 1)
            side.append(self.json(items[index], share, key_kind))
            remaining_bytes -= max(len(side[-1]) + 1, _MIN_NODE_BYTES)
        missing = length - len(items) + end - first
        middle = [orjson.dumps(f"…(+{missing} more)")] if missing > 0 else []
        return b"[%b]" % b",".join(filter(None, [*front, *middle, *reversed(back)]))

    def _mapping(self, items: list[tuple[object, object]], length: int, budget_bytes: int) -> bytes:
        remaining_bytes = budget_bytes - MIN_BYTES
        written: dict[int, bytes] = {}
        order = sorted(range(len(items)), key=lambda index: _size_hint(items[index][1]))
        for done, index in enumerate(order):
            if remaining_bytes < 2 * MIN_BYTES:
                break
            share = max(remaining_bytes // (len(order) - done), 2 * MIN_BYTES)
            pair = self._pair(*items[index], share)
            written[index] = pair
            remaining_bytes -= max(len(pair) + 1, _MIN_NODE_BYTES)
        pairs = [written[index] for index in sorted(written)]
        if length > len(pairs):
            pairs.append(b'"\xe2\x80\xa6":' + orjson.dumps(f"+{length - len(pairs)} more"))
        return b"{%b}" % b",".join(pairs)

    def _pair(self, name: Any, value: Any, budget_bytes: int) -> bytes:
        if issubclass(type(name), str) and not issubclass(type(name), enum.Enum):
            text = as_plain_str(name)
            key = (
                truncate(text, budget_bytes // 2, _encode)
                if len(text) <= _HIDDEN_CHARACTERS
                else self._text(text, budget_bytes // 2, KeyKind.PLAIN)
            )
            key_kind = _kind_of_key(text)
        else:
            key = self.json(name, budget_bytes // 2)
            key = key if key.startswith(b'"') else truncate(key.decode(), budget_bytes // 2, _encode)
            key_kind = _kind_of_key(key[1:-1].decode())
        # A list of media stands under the name that says so.
        return b"%b:%b" % (key, self.json(value, budget_bytes - len(key) - 1, key_kind))

    def _text(self, text: str, budget_bytes: int, key_kind: KeyKind) -> bytes:
        if media := media_of(text, key_kind):
            return self._word(media, budget_bytes)
        self._scanned += min(len(text), budget_bytes + _margin_characters(budget_bytes))
        if self._scanned > _MAX_SEARCHED_CHARACTERS:
            return self._word(f"<str, {len(text)} characters>", budget_bytes)
        return truncate(text, budget_bytes, _encode)

    def _int(self, value: int, budget_bytes: int) -> bytes:
        bits = value.bit_length()
        if -(2**63) <= value < 2**64:
            return orjson.dumps(value)
        # Many readers of JSON take a number for a double: digits as text stay what they are.
        return self._word(str(value) if bits <= _LONGEST_INT_BITS else f"<int, {bits} bits>", budget_bytes)

    def _float(self, value: float, budget_bytes: int) -> bytes:
        return orjson.dumps(value) if value - value == 0.0 else self._word(str(value), budget_bytes)

    def _word(self, text: str, budget_bytes: int) -> bytes:
        return truncate(text, budget_bytes, _encode)


def _kind_of_key(name: str) -> KeyKind:
    return classify_key(name[-LONGEST_NAME:])


def _some(items: Iterable[Any], budget_bytes: int) -> list[Any]:
    # In one step of C, since another thread may be changing the collection.
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
    """Which values of a mapping are small, told without looking inside."""
    kind = type(value)
    if kind in (str, bytes):
        return len(value)
    return 0 if kind in (int, float, bool, NoneType) else 10_000


def _time(value: Any) -> str:
    """ISO 8601; a time zone of the app's own making is not asked for its offset."""
    kind = next(kind for kind in _TIMES if issubclass(type(value), kind))
    zone = None if kind is date else kind.__dict__["tzinfo"].__get__(value)
    known = zone is None or type_name(type(zone)) in ("datetime.timezone", "zoneinfo.ZoneInfo")
    return str(kind.isoformat(value)) if known else description(value)
