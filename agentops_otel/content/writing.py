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

from agentops_otel.content.elements import Each, Shortened
from agentops_otel.content.objects import MISSING, declared_fields, description, public_state, read, type_name
from agentops_otel.content.plain import plain_json
from agentops_otel.content.redaction import LONGEST_NAME, REDACTED, Name, judge, media_of, scrub, scrubbed, size

SMALL = 48
"""Room in bytes under which a value is left out and counted as missing."""

OMITTED = orjson.dumps("…")
"""What stands in the place of a value for which there is no room."""

_NODE = 16
"""The least room that a value takes, so that the work is bounded by the limit."""
_DEPTH = 30
_MANY = 8
_ROOMY = 4 * SMALL
_MARGIN = 8 * 1024
"""Characters read beyond a cut, so that a secret across it is seen whole. No key is longer."""
_GUARD = 1024
"""Characters before the end of a reading that are not shown: a secret may begin there and not be told yet."""
_SCAN = 160 * 1024
"""Characters of long texts that are searched for secrets in one value; further ones are left out."""
_LONGEST_INT_BITS = 1024

_AS_STR: dict[type, Callable[[object], str]] = {
    kind: kind.__str__
    for kind in (UUID, Decimal, complex, timedelta, PosixPath, WindowsPath, PurePosixPath, PureWindowsPath)
}
_TIMES = (datetime, date, time)
_SEQUENCES = (list, tuple)
_LAZY: tuple[type, ...] = (deque, set, frozenset, type({}.keys()), type({}.values()), type({}.items()))
_BYTES = (bytes, bytearray, memoryview)


def bounded(text: str, room: int, encode: Callable[[str], bytes]) -> bytes:
    """The text without secrets, encoded in at most *room* bytes; its middle goes first and says how much went.

    A text that is much longer than the room is read at its two ends only, a margin beyond the cut; for a small room
    at its beginning only.
    """
    margin = _margin(room)
    if len(text) <= room + margin:
        head = tail = scrubbed(text)
        total = len(head)
        whole = encode(head)
        if len(whole) <= room:
            return whole
    else:
        half = room // 2
        head = scrub(text[: half + margin])[:-_GUARD]
        # A secret whose beginning was not read is copied as it is, within the margin: that is never shown.
        tail = scrub(text[-half - margin :])[margin:] if margin == _MARGIN else ""
        total = len(text)
    keep = min(room // 2, total // 2)
    while True:
        start, end = head[:keep], tail[max(len(tail) - keep, 0) :]
        cut = encode(f"{start}…[+{total - len(start) - len(end)} characters]{end}")
        if len(cut) <= room or keep == 0:
            return cut
        keep = min(keep - 1, keep * room // len(cut))


def _margin(room: int) -> int:
    return _MARGIN if room >= 2 * _GUARD else 2 * _GUARD


def exact(text: str) -> str:
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

    def json(self, value: Any, room: int, kept: Name = Name.PLAIN) -> bytes:
        """The value as JSON.

        Args:
            value: Anything.
            room: The most bytes of the answer.
            kept: What the name above the value says of it.
        """
        kind = type(value)
        if value is None or kind is bool or (kind is str and not value):
            return orjson.dumps(value)
        if kept is Name.SECRET:
            return self._word(REDACTED, room)
        if issubclass(kind, enum.Enum):
            inner = read(value, "_value_")
            return self._word(description(value), room) if inner is MISSING else self._nested(value, inner, room, kept)
        if issubclass(kind, str):
            return self._text(exact(value), room, kept)
        if issubclass(kind, int):
            return self._int(int.__int__(value), room)
        if issubclass(kind, float):
            return self._float(float.__float__(value), room)
        if issubclass(kind, _BYTES):
            return self._word(f"<{type_name(kind)}, {size(_byte_count(value))}>", room)
        if room < SMALL:
            return OMITTED
        # Whoever begins has tried the whole; in a small room hardly anything is.
        plain = plain_json(value, room) if self._depth and room >= _ROOMY and kept is Name.PLAIN else None
        return self._nested(value, value, room, kept) if plain is None else plain

    def _nested(self, owner: object, value: Any, room: int, kept: Name) -> bytes:
        if id(owner) in self._within:
            return self._word(f"{description(owner)[:-1]}, seen above>", room)
        if self._depth == _DEPTH:
            return self._word(description(owner), room)
        self._depth += 1
        self._within.add(id(owner))
        try:
            return self._structure(value, room, kept) if owner is value else self.json(value, room, kept)
        finally:
            self._depth -= 1
            self._within.discard(id(owner))

    def _structure(self, value: Any, room: int, kept: Name) -> bytes:
        kind = type(value)
        if kind is Each:
            text = Shortened(value, room, self.json).json()
            return text if len(text) <= room else OMITTED
        if issubclass(kind, dict):
            return self._mapping(_some(dict.items(value), room), dict.__len__(value), room)
        if (fields := declared_fields(value)) is not None:
            return self._mapping(list(fields.items()), len(fields), room)
        if issubclass(kind, _SEQUENCES):
            return self._sequence(value, room, kept)
        if kind in _LAZY:
            return self._both_ends(_some(value, room), len(value), room, kept)
        if kind in _AS_STR:
            return self._word(_AS_STR[kind](value), room)
        if issubclass(kind, _TIMES):
            return self._word(_time(value), room)
        return self._object(value, room)

    def _object(self, value: Any, room: int) -> bytes:
        kind = type(value)
        if issubclass(kind, BaseException):
            args = BaseException.__dict__["args"].__get__(value)
            return self._mapping([("__class__", type_name(kind)), ("args", args)], 2, room)
        state = {} if self._in_object or issubclass(kind, type) else public_state(value)
        if not state:
            return self._word(description(value), room)
        self._in_object = True
        try:
            return self._mapping([("__class__", type_name(kind)), *state.items()], len(state) + 1, room)
        finally:
            self._in_object = False

    def _sequence(self, value: Any, room: int, kept: Name) -> bytes:
        base = list if issubclass(type(value), list) else tuple
        length = base.__len__(value)
        most = max(room // _NODE // 2, 1)
        part = base.__getitem__
        if length <= 2 * most:
            items = list(part(value, slice(None)))
        else:
            items = [*part(value, slice(most)), *part(value, slice(-most, None))]
        if base is tuple and len(items) == 2 and type(items[0]) is str and _judged(items[0]) is Name.SECRET:
            # A header or a parameter as a pair.
            return b"[%b,%b]" % (self.json(items[0], room // 2), self.json(items[1], room // 2, Name.SECRET))
        return self._both_ends(items, length, room, kept)

    def _both_ends(self, items: list[Any], length: int, room: int, kept: Name) -> bytes:
        left = room - SMALL
        # What gets less says nothing, but takes as long.
        least = min(max(room // 8, SMALL), 2 * _ROOMY)
        front: list[bytes] = []
        back: list[bytes] = []
        first, end = 0, len(items)
        # Plain items are written several at a time, as long as they are small beside the room that is left.
        many = _MANY if kept is Name.PLAIN else 0
        while many:
            ends = () if end - first < 2 * many else (items[first : first + many], items[end - many : end])
            texts = [text for part in ends if (text := plain_json(part, left // 4)) is not None]
            if len(texts) < 2:
                many //= 2
                continue
            front.append(texts[0][1:-1])
            back.append(texts[1][1:-1])
            first, end = first + many, end - many
            left -= len(texts[0]) + len(texts[1])
        while first < end and left >= least:
            share = left if end - first == 1 else max(left // 2, SMALL)
            side, index = (front, first) if len(front) <= len(back) else (back, end - 1)
            first, end = (first + 1, end) if side is front else (first, end - 1)
            side.append(self.json(items[index], share, kept))
            left -= max(len(side[-1]) + 1, _NODE)
        missing = length - len(items) + end - first
        middle = [orjson.dumps(f"…(+{missing} more)")] if missing > 0 else []
        return b"[%b]" % b",".join(filter(None, [*front, *middle, *reversed(back)]))

    def _mapping(self, items: list[tuple[object, object]], length: int, room: int) -> bytes:
        left = room - SMALL
        written: dict[int, bytes] = {}
        order = sorted(range(len(items)), key=lambda index: _size_hint(items[index][1]))
        for done, index in enumerate(order):
            if left < 2 * SMALL:
                break
            share = max(left // (len(order) - done), 2 * SMALL)
            pair = self._pair(*items[index], share)
            written[index] = pair
            left -= max(len(pair) + 1, _NODE)
        pairs = [written[index] for index in sorted(written)]
        if length > len(pairs):
            pairs.append(b'"\xe2\x80\xa6":' + orjson.dumps(f"+{length - len(pairs)} more"))
        return b"{%b}" % b",".join(pairs)

    def _pair(self, name: Any, value: Any, room: int) -> bytes:
        if issubclass(type(name), str) and not issubclass(type(name), enum.Enum):
            text = exact(name)
            key = bounded(text, room // 2, _encode) if len(text) <= _GUARD else self._text(text, room // 2, Name.PLAIN)
            judged = _judged(text)
        else:
            key = self.json(name, room // 2)
            key = key if key.startswith(b'"') else bounded(key.decode(), room // 2, _encode)
            judged = _judged(key[1:-1].decode())
        # A list of media stands under the name that says so.
        return b"%b:%b" % (key, self.json(value, room - len(key) - 1, judged))

    def _text(self, text: str, room: int, kept: Name) -> bytes:
        if media := media_of(text, kept):
            return self._word(media, room)
        self._scanned += min(len(text), room + _margin(room))
        if self._scanned > _SCAN:
            return self._word(f"<str, {len(text)} characters>", room)
        return bounded(text, room, _encode)

    def _int(self, value: int, room: int) -> bytes:
        bits = value.bit_length()
        if -(2**63) <= value < 2**64:
            return orjson.dumps(value)
        # Many readers of JSON take a number for a double: digits as text stay what they are.
        return self._word(str(value) if bits <= _LONGEST_INT_BITS else f"<int, {bits} bits>", room)

    def _float(self, value: float, room: int) -> bytes:
        return orjson.dumps(value) if value - value == 0.0 else self._word(str(value), room)

    def _word(self, text: str, room: int) -> bytes:
        return bounded(text, room, _encode)


def _judged(name: str) -> Name:
    return judge(name[-LONGEST_NAME:])


def _some(items: Iterable[Any], room: int) -> list[Any]:
    # In one step of C, since another thread may be changing the collection.
    try:
        return list(islice(items, room // _NODE + 1))
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
