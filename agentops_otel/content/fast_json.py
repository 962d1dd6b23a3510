"""The fast path: plain values without secrets, serialised by one call of orjson."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from gc import get_referents
from itertools import chain
from math import isfinite
from types import NoneType
from typing import Any

import orjson

from agentops_otel.content.media import MEDIA_CHARACTERS, media_of
from agentops_otel.content.redaction import clean, contain_no_secrets, redact
from agentops_otel.content.secret_names import LONGEST_NAME, SHORTEST_NAME, KeyKind, classify_key

_TEXT: set[type] = {str}
_ATOMS: set[type] = {int, bool, NoneType}
_NUMBERS = {*_ATOMS, float}
_KINDS = {*_NUMBERS, str, dict, list, tuple}
_RECORDED_KINDS = {KeyKind.PLAIN, KeyKind.MEDIA, KeyKind.NAMES}
_FEW_ITEMS = 24
"""Values with more items are read level by level, which takes less for each item and more to begin with."""
_CACHED_NAMES = 4096
MAX_DEPTH = 30
"""The deepest nesting of lists and mappings that is recorded, written and sent. Deeper values are left out.

A mapping in a mapping is three levels of an OTLP message, and protobuf's own readers stop at the hundredth.
"""


def plain_json(value: object, limit: int, write: Callable[[Any], bytes] = orjson.dumps) -> bytes | None:
    """The value's JSON, if it is plain, has no secrets and fits in *limit* bytes; None for any other value.

    The work is bounded by the limit, whatever the value's size, and runs none of the value's code.
    """
    texts: list[str] = []
    try:
        if _add_few(value, texts, _FEW_ITEMS) < 0:
            data = _all(value, limit, write)
        elif not texts:
            data = write(value)
        elif sum(map(len, texts)) > limit:
            data = _all(value, limit, write)
        elif not contain_no_secrets(texts) or _have_media(texts, KeyKind.PLAIN):
            return None
        else:
            data = write(value)
    except (TypeError, RuntimeError):
        # Integers over 64 bits, lone surrogates, keys that are no text; a dict that another thread changes.
        return None
    return data if data is not None and len(data) <= limit else None


def _add_few(value: Any, texts: list[str], room: int) -> int:
    """Add the texts of a small value with plain keys to *texts*, but for short ones that were found clean before.

    Returns:
        How many more items there may be; less than 0 for a larger value, and one that is not as plain.
    """
    kind = type(value)
    # A part of a list, which another thread may make longer meanwhile; a dict says that it has changed.
    items = value.values() if kind is dict else value[: room + 1] if kind is list else (value,)
    room -= len(items)
    if room < 0:
        return room
    for name in value if kind is dict else ():
        if type(name) is not str or (name not in _plain_names and not _is_plain(name)):
            return -1
    for item in items:
        kind = type(item)
        if kind is str:
            if len(item) >= SHORTEST_NAME and (item not in clean or len(item) >= MEDIA_CHARACTERS):
                texts.append(item)
        elif kind is dict or kind is list:
            if (room := _add_few(item, texts, room)) < 0:
                return room
        elif kind not in _ATOMS and not (kind is float and isfinite(item)):
            return -1
    return room


def _all(value: Any, budget_bytes: int, write: Callable[[Any], bytes]) -> bytes | None:
    """The JSON of a nested plain value, checked level by level."""
    names: set[str] = set()
    texts: list[str] = []
    numbers: list[list[Any]] = []
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        kinds = set(map(type, level))
        if not kinds <= _KINDS:
            return None
        if float in kinds:
            numbers.append(level)
        dicts: list[dict[str, Any]] = []
        others: list[Sequence[Any]] = []
        if kinds == _TEXT:
            texts += level
        elif not kinds <= _NUMBERS:
            _sort(level, texts, dicts, others)
        count = sum(map(len, dicts)) + sum(map(len, others))
        budget_bytes -= 2 * count
        if budget_bytes < 0 or (tuple in kinds and any(map(_is_pair, others))):
            return None
        if not count:
            break
        level = _items(dicts, others, count)
        if len(level) != count:
            return None
        names.update(*dicts)
    else:
        return None
    if sum(map(len, texts)) > budget_bytes or not (_are_plain(names, texts) and contain_no_secrets(texts)):
        return None
    data = write(value)
    # JSON text of NaN and the infinities.
    return data if b"null" not in data or all(map(_are_finite, numbers)) else None


def _items(dicts: list[dict[str, Any]], others: list[Sequence[Any]], count: int) -> list[Any]:
    """The *count* items of lists and values of dicts; the keys of these besides if not all of them are exact texts."""
    items = get_referents(*dicts, *others)
    if len(items) == count:
        return items
    # The keys besides: not all are exact texts, or orjson made a dict that has more than eight.
    if set(map(type, chain.from_iterable(dicts))) != _TEXT:
        return items
    return [*chain.from_iterable(map(dict.values, dicts)), *chain.from_iterable(others)]


def _sort(level: list[Any], texts: list[str], dicts: list[dict[str, Any]], others: list[Sequence[Any]]) -> None:
    """Add the items of one level to the lists of their kind."""
    for item in level:
        kind = type(item)
        if kind is str:
            texts.append(item)
        elif kind is dict:
            dicts.append(item)
        elif kind is list or kind is tuple:
            others.append(item)


def _is_pair(value: Sequence[object]) -> bool:
    """True for a pair that may be a header or a parameter: its name must be classified."""
    return type(value) is tuple and len(value) == 2 and type(value[0]) is str


def _are_plain(names: set[str], texts: list[str]) -> bool:
    """True if no name is a secret's, and no text is media, by itself or under a name of media."""
    if names <= _plain_names or all(map(_is_plain, names)):
        return not _have_media(texts, KeyKind.PLAIN)
    if max(map(len, names), default=0) > LONGEST_NAME:
        return False
    kinds = set(map(_kind, names))
    if _have_media(texts, KeyKind.MEDIA if KeyKind.MEDIA in kinds else KeyKind.PLAIN):
        return False
    return kinds <= _RECORDED_KINDS


def _have_media(texts: Sequence[str], kind: KeyKind) -> bool:
    """Whether one of the texts is media, if it stands under a name of this kind."""
    # A loop, since a generator takes as long as the rest of a small value.
    for text in texts:  # noqa: SIM110
        if len(text) >= MEDIA_CHARACTERS and media_of(text, kind):
            return True
    return False


_plain_names: set[str] = set()
"""Keys that `_is_plain` has found plain: faster than its cache."""


def _is_plain(name: str) -> bool:
    if len(name) > LONGEST_NAME or _kind(name) is not KeyKind.PLAIN:
        return False
    if len(_plain_names) >= _CACHED_NAMES:
        _plain_names.clear()
    _plain_names.add(name)
    return True


@lru_cache(maxsize=_CACHED_NAMES)
def _kind(name: str) -> KeyKind:
    """The kind of a key, SECRET for one that is a secret itself."""
    return classify_key(name) if redact(name) == name else KeyKind.SECRET


def _are_finite(level: list[Any]) -> bool:
    return all(isfinite(item) for item in level if type(item) is float)
