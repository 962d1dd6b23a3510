"""Copies a value in C, in one or two microseconds; `Content.json` redacts and writes it later.

A copy is a pickle that holds builtin types alone. Pickling stops at the limit, or at the first object that is not of
such a type, so that a large value costs no more than this, and none of the program's code runs.
"""

import pickle
from collections.abc import Callable
from types import NoneType
from typing import Any

LIMIT_BYTES = 32 * 1024
"""The longest snapshot, and the longest text that is kept as it is. What is longer is shortened when it is recorded."""

SOURCE_LIMIT_BYTES = 4 * LIMIT_BYTES
"""The longest copy of a request, of which only a part is written."""

ATOMS: frozenset[type] = frozenset((int, float, bool, NoneType))
"""The types whose values are snapshots of themselves, whatever the size; a text is one up to `LIMIT_BYTES`."""
_FEW = 16


class Snapshot:
    """A copy of a value, not redacted yet: only `Content.json` may make it readable."""

    __slots__ = ("_pickle",)

    def __init__(self, pickle: bytes) -> None:
        self._pickle = pickle

    def value(self) -> Any:
        """The value. The pickle is of this process and names no class, so that loading it runs no code."""
        return pickle.loads(self._pickle)


class Source:
    """A snapshot that several `DerivedSnapshot` read: it is loaded once."""

    __slots__ = ("_snapshot", "_value")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot: Snapshot | None = snapshot

    def value(self) -> Any:
        """The value. Nobody changes it."""
        if (snapshot := self._snapshot) is not None:
            self._value = snapshot.value()
            self._snapshot = None
        return self._value


class DerivedSnapshot:
    """What *read* makes of a source when it is written, such as the messages of a request.

    Args:
        read: Makes the value; an empty one is not recorded.
        source: The copy that is read.
    """

    __slots__ = ("_read", "_source")

    def __init__(self, read: Callable[[Any], object], source: Source) -> None:
        self._read = read
        self._source = source

    def value(self) -> object:
        """What *read* makes of it."""
        return self._read(self._source.value())


def snapshot(value: Any) -> Any:
    """A copy of the value that later changes do not affect; None if the value cannot be copied this way.

    Numbers and short texts stand for themselves, a dict of few of them for a copy of itself. Everything else that is
    plain and not too long becomes a `Snapshot`. Runs none of the program's code.
    """
    kind = type(value)
    if kind is str:
        return value if len(value) <= LIMIT_BYTES else None
    if kind in ATOMS:
        return value
    if kind is dict and len(value) <= _FEW:
        for item in value.values():
            kind = type(item)
            if kind is str:
                if len(item) > LIMIT_BYTES:
                    return None
            elif kind not in ATOMS:
                break
        else:
            return value.copy()
    return _pickled(value, LIMIT_BYTES)


def source_of(value: object) -> Source | None:
    """A copy of a request, for what is derived from it; None if it is too large, or not of builtin types alone."""
    copied = _pickled(value, SOURCE_LIMIT_BYTES)
    return None if copied is None else Source(copied)


def _pickled(value: object, limit_bytes: int) -> Snapshot | None:
    file = _BoundedFile(limit_bytes)
    try:
        _Pickler(file, 5).dump(value)
    except (_Refused, RuntimeError):  # too deep, or another thread changed a dict meanwhile
        return None
    return Snapshot(file.read_all())


class _Refused(Exception):
    """The value is too large, or has an object of another type."""


class _BoundedFile:
    """What the pickler writes to."""

    __slots__ = ("_left", "_parts")

    def __init__(self, limit_bytes: int) -> None:
        self._parts: list[bytes] = []
        self._left = limit_bytes

    def write(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise _Refused
        self._parts.append(bytes(data))

    def read_all(self) -> bytes:
        return b"".join(self._parts)


class _Pickler(pickle.Pickler):
    """Refuses what is not of a builtin type: pickle would run code of its class."""

    def reducer_override(self, value: object) -> Any:
        raise _Refused
