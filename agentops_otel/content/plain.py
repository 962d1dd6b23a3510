"""Plain values without secrets, written in one piece: what a recorder sees most costs it a few microseconds."""

from collections.abc import Sequence
from gc import get_referents
from math import isfinite
from types import NoneType
from typing import Any

import orjson

from agentops_otel.content.redaction import (
    LONGEST_NAME,
    MEDIA_CHARACTERS,
    SHORTEST_SECRET,
    Name,
    are_clean,
    judge,
    media_of,
)

_TEXT: set[type] = {str}
_DICT: set[type] = {dict}
_SEQUENCES: set[type] = {list, tuple}
_KINDS = {*_TEXT, *_DICT, *_SEQUENCES, int, float, bool, NoneType}
_ATOMS = {int, bool, NoneType}
_FEW = 8
_DEPTH = 20


def plain_json(value: object, limit: int) -> bytes | None:
    """The value's JSON, where all of it may be said and it fits in *limit* bytes; None for any other value.

    The work is bounded by the limit, whatever the value's size, and runs none of the value's code.
    """
    try:
        few = _few_texts(value, limit)
        data = _all(value, limit) if few is None else orjson.dumps(value) if are_clean(few) else None
    except (TypeError, RuntimeError):
        # Integers over 64 bits, lone surrogates, keys that are no text; a dict that another thread changes.
        return None
    return data if data is not None and len(data) <= limit else None


def _few_texts(value: Any, room: int) -> list[str] | None:
    """The texts in what most calls are given, a few plain names with a number or a text each; None for more."""
    pairs: Any = (("", value),)
    if type(value) is dict:
        if len(value) > _FEW:
            return None
        pairs = value.items()
    texts = []
    for name, item in pairs:
        if type(name) is not str or len(name) > LONGEST_NAME or judge(name) is not Name.PLAIN:
            return None
        kind = type(item)
        if kind is str:
            if len(item) >= SHORTEST_SECRET:
                texts.append(item)
                room -= len(item)
        elif kind not in _ATOMS and not (kind is float and isfinite(item)):
            return None
    return texts if room >= 0 else None


def _all(value: Any, room: int) -> bytes | None:
    """The JSON of a plain value that is taken level by level.

    A few steps of C for all items of a level are several times faster than a step of Python for each.
    """
    names: set[str] = set()
    texts: list[str] = []
    floats: list[list[Any]] = []
    level = [value]
    for _ in range(_DEPTH):
        kinds = set(map(type, level))
        if not kinds <= _KINDS:
            return None
        here, dicts, others = (_of(some, level, kinds) for some in (_TEXT, _DICT, _SEQUENCES))
        texts += here
        room -= sum(map(len, here))
        if float in kinds:
            floats.append(level)
        containers = dicts + others
        count = sum(map(len, containers))
        room -= 2 * count
        if room < 0 or (tuple in kinds and any(map(_is_pair, others))):
            return None
        if not count:
            break
        level = get_referents(*containers)
        # The items of a list, and the values of a dict; its keys besides when they are not all exact texts.
        if len(level) != count:
            return None
        names.update(*dicts)
    else:
        return None
    if not (_are_plain(names, texts) and are_clean(texts)):
        return None
    data = orjson.dumps(value)
    # What NaN and the infinities become.
    return data if b"null" not in data or all(map(_are_finite, floats)) else None


def _of(some: set[type], level: list[Any], kinds: set[type]) -> list[Any]:
    if some.isdisjoint(kinds):
        return []
    return level if kinds <= some else [item for item in level if type(item) in some]


def _is_pair(value: Sequence[object]) -> bool:
    """Whether it may be a header or a parameter: its name has to be looked at."""
    return type(value) is tuple and len(value) == 2 and type(value[0]) is str


def _are_plain(names: set[str], texts: list[str]) -> bool:
    """Whether nothing is kept under these names that must not be said; *texts* are all that there are."""
    if max(map(len, names), default=0) > LONGEST_NAME:
        return False
    judged = set(map(judge, names))
    if Name.MEDIA in judged and any(len(text) >= MEDIA_CHARACTERS and media_of(text, Name.MEDIA) for text in texts):
        return False
    return judged <= {Name.PLAIN, Name.MEDIA}


def _are_finite(level: list[Any]) -> bool:
    return all(isfinite(item) for item in level if type(item) is float)
