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
    """A copy that is read several times: it is loaded once.

    Args:
        copied: The copy.
        load: Makes a value of it.
    """

    __slots__ = ("_copied", "_load", "_value")

    def __init__(self, copied: bytes, load: Callable[[bytes], Any]) -> None:
        self._copied: bytes | None = copied
        self._load = load

    def value(self) -> Any:
        """The value. Nobody changes it."""
        if (copied := self._copied) is not None:
            self._value = self._load(copied)
            self._copied = None
        return self._value


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
    copied = _pickled(value, LIMIT_BYTES)
    return None if copied is None else Snapshot(copied)


def source_of(value: object) -> Source | None:
    """A copy of a request, for what is derived from it; None if it is too large, or not of builtin types alone."""
    copied = _pickled(value, SOURCE_LIMIT_BYTES)
    return None if copied is None else Source(copied, pickle.loads)


def _pickled(value: object, limit_bytes: int) -> bytes | None:
    try:  # a pickler costs as much as its work; the collector may run code of the program's that needs another one
        pickler, file = _idle.pop()
    except IndexError:
        file = _BoundedFile()
        pickler = _Pickler(file, 5)
    file.left = limit_bytes
    try:
        pickler.dump(value)
    except (_Refused, RuntimeError):  # too deep, or another thread changed a dict meanwhile
        return None  # and this pickler, which holds parts of the value, is not used again
    pickler.clear_memo()
    parts, file.parts = file.parts, []
    _idle.append((pickler, file))
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _Refused(Exception):
    """The value is too large, or has an object of another type."""


class _BoundedFile:
    """What a pickler writes to."""

    __slots__ = ("left", "parts")

    def __init__(self) -> None:
        self.left = 0
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left < 0:
            raise _Refused
        self.parts.append(bytes(data))


class _Pickler(pickle.Pickler):
    """Refuses what is not of a builtin type: pickle would run code of its class."""

    def reducer_override(self, value: object) -> Any:
        raise _Refused


_idle: list[tuple[_Pickler, _BoundedFile]] = []
"""Picklers that no thread uses at this moment."""
