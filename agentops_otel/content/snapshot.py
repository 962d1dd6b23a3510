"""Copies a value in C, in one or two microseconds; `Content.json` redacts and writes it later."""

import re
from types import NoneType
from typing import Any

import orjson

from agentops_otel.content.secret_names import KeyKind, classify_key

LIMIT_BYTES = 32 * 1024
"""The longest snapshot, and the longest text that is kept as it is. What is longer is shortened when it is recorded."""

ATOMS: frozenset[type] = frozenset((int, float, bool, NoneType))
"""The types whose values are snapshots of themselves, whatever the size; a text is one up to `LIMIT_BYTES`."""
_FEW = 16
_MANY = 64
_SAMPLED_BYTES = 4 * LIMIT_BYTES
"""Estimated size from which a value is not serialised to measure it."""
_OPTIONS = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_find_null = re.compile(b"null").search
"""Twice as fast as `in`, with a short text and with a long one."""
_PAIR = re.compile(rb'\["([^"\\]{1,64})",')


class Snapshot:
    """A value as JSON, not redacted yet: only `Content.json` may make it readable."""

    __slots__ = ("_json",)

    def __init__(self, json: bytes) -> None:
        self._json = json

    def value(self) -> Any:
        """The value. Pairs that name a secret are tuples, as the headers of a request are."""
        value = orjson.loads(self._json)
        if any(classify_key(name.decode()) is KeyKind.SECRET for name in _PAIR.findall(self._json)):
            return _with_pairs(value)
        return value


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
    if _size_hint(value) > _SAMPLED_BYTES:
        return None
    try:
        data = orjson.dumps(value, None, _OPTIONS)
    except (TypeError, RecursionError):
        return None
    # NaN and the infinities become null: a closer look tells them from None.
    return Snapshot(data) if len(data) <= LIMIT_BYTES and not _find_null(data) else None


def _size_hint(value: Any, depth: int = 6) -> int:
    """Estimated bytes of the value's JSON, from a sample of its items."""
    kind = type(value)
    if kind is str:
        return len(value)
    if kind not in (dict, list, tuple) or not value or not depth:
        return 8
    count = len(value)
    if kind is dict:
        if count > _MANY:
            return count * (16 + _size_hint(next(iter(value.values())), depth - 1))
        items = list(value.values())
    elif count > _MANY:
        items = [value[0], value[count // 2], value[-1]]
    else:
        items = value
    return (
        count * (16 + max(_size_hint(item, depth - 1) for item in items))
        if count > _MANY
        else sum(16 + _size_hint(item, depth - 1) for item in items)
    )


def _with_pairs(value: Any) -> Any:
    if type(value) is dict:
        return {name: _with_pairs(item) for name, item in value.items()}
    if type(value) is list:
        items = [_with_pairs(item) for item in value]
        return tuple(items) if len(items) == 2 and type(items[0]) is str else items
    return value
