"""Reads values from requests and responses of any type. Never raises, and consumes no iterator."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from types import NoneType
from typing import Any

import orjson
import wrapt

SEEN_LIMIT = 10_000
"""Items that are kept of an iterator that a client consumes."""


def field(value: Any, *path: str) -> Any:
    """The value at the end of the path through dicts and objects; None when a step is missing.

    >>> field({"usage": {"prompt_tokens": 3}}, "usage", "prompt_tokens")
    3
    """
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        else:
            own = getattr(value, "__dict__", _NOTHING)
            value = own[step] if step in own else field_elsewhere(value, step)
        if value is None:
            return None
    return value


def field_elsewhere(value: Any, name: str) -> Any:
    """A value that is not in the object's `__dict__`. For pydantic, `getattr` of a missing one would be slow."""
    if isinstance(value, type):  # its attributes are descriptors and methods, no data
        return None
    extra = _NOTHING if name.startswith("_") else getattr(value, "__pydantic_extra__", _NOTHING)
    if extra is not _NOTHING and name not in _names(type(value)):  # type: ignore[arg-type]  # a class is hashable
        return extra.get(name) if extra else None
    return getattr(value, name, None)


_NOTHING: Mapping[str, Any] = {}


@cache
def _names(kind: type) -> frozenset[str]:
    return frozenset(dir(kind))


def lookup_in(value: Any) -> Callable[[str], Any]:
    """`field` of the value, for reading several fields. For a dict it is the dict's own `get`.

    >>> lookup_in({"role": "user"})("role")
    'user'
    """
    if isinstance(value, dict):
        return value.get
    return as_mapping(value).get if hasattr(value, "__pydantic_extra__") else partial(field, value)


def as_mapping(value: Any) -> Mapping[str, Any]:
    """The fields of a dict or an object, for reading several at once."""
    if isinstance(value, dict):
        return value
    own: Mapping[str, Any] = getattr(value, "__dict__", _NOTHING)
    if type(own) is not dict:  # a class has descriptors and methods, no data
        return _NOTHING
    extra = getattr(value, "__pydantic_extra__", None)
    return {**own, **extra} if extra else own


def items(value: Any, *path: str) -> Sequence[Any]:
    """The list at the end of the path; empty if there is none. Iterators are not consumed.

    >>> items({"choices": None}, "choices")
    ()
    """
    value = field(value, *path) if path else value
    if isinstance(value, list | tuple):
        return value
    return value._self_seen if isinstance(value, RecordedIterator) else ()


def first(value: Any, *path: str) -> Any:
    """The first item of the list at the end of the path; None if there is none.

    >>> first({"choices": [1, 2]}, "choices")
    1
    """
    return next(iter(items(value, *path)), None)


class RecordedIterator(wrapt.ObjectProxy):  # type: ignore[type-arg]  # cannot be subscripted in wrapt 1
    """An iterator argument that keeps the items that the client consumes, and passes isinstance()."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        super().__init__(iterator)
        self._self_seen: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        item = next(self.__wrapped__)
        if len(self._self_seen) < SEEN_LIMIT:
            self._self_seen.append(item)
        return item


def record_iterators(body: Any) -> Any:
    """The body with its iterators as `RecordedIterator`; the same object if it has none."""
    if not isinstance(body, dict):
        return body
    recorded = body
    for name, value in body.items():
        if (kind := type(value)) not in _PLAIN and _is_iterator(kind):  # type: ignore[arg-type]  # a class is hashable
            recorded = {**recorded, name: _seen(value)}
    return recorded


@lru_cache(maxsize=1024)
def _is_iterator(kind: type) -> bool:
    return issubclass(kind, Iterator)


@lru_cache(maxsize=1024)
def is_stream(kind: type) -> bool:
    """Whether objects of that class are read step by step."""
    return hasattr(kind, "__next__") or hasattr(kind, "__anext__")


_PLAIN = {bool, dict, float, int, list, str, tuple, NoneType}


def loads(body: Any) -> Any:
    """The value of JSON text or bytes; None if it is no JSON. `json` accepts lone surrogates, `orjson` does not.

    >>> loads(b'{"id": 1}')
    {'id': 1}
    """
    for read in (orjson.loads, json.loads):
        try:
            return read(body)
        except (TypeError, ValueError, RecursionError):
            continue
    return None


def _seen(iterator: Iterator[Any]) -> RecordedIterator:
    kind = type(iterator)
    return _seen_class(kind.__name__, kind.__module__)(iterator)


@cache
def _seen_class(name: str, module: str) -> type[RecordedIterator]:
    """A class with the iterator's name and module: pydantic decides by the module how to serialise an object."""
    return type(name, (RecordedIterator,), {"__module__": module})
