"""Copies the fields of an object as dicts and lists, which later changes do not affect. Runs none of its code."""

from functools import lru_cache
from types import NoneType
from typing import Any

LIMIT_ITEMS = 1000
"""The most fields and items that a copy has."""

TEXT_LIMIT = 128 * 1024
"""The longest text of a copy, in characters."""

_ATOMS: frozenset[type] = frozenset((int, float, bool, NoneType))


def copy_fields(value: Any) -> Any:
    """Dicts and lists of numbers and texts, from such and from pydantic models; None for all else.

    >>> copy_fields({"choices": [{"index": 0}]})
    {'choices': [{'index': 0}]}
    """
    try:
        return _copied(value, [LIMIT_ITEMS])
    except (_Refused, RuntimeError):  # RuntimeError: another thread changed a dict meanwhile
        return None


class _Refused(Exception):
    """The value is too large, or has an object of another type."""


def _copied(value: Any, left: list[int]) -> Any:
    kind = type(value)
    items = value if kind is list or kind is dict else _fields(value)
    left[0] -= len(items) + 1  # one more, so that what holds itself comes to an end
    if left[0] < 0:
        raise _Refused
    # Texts are tested here: a call for each would take half of the time.
    if kind is list:
        return [
            item if (kind := type(item)) in _ATOMS or (kind is str and len(item) <= TEXT_LIMIT) else _copied(item, left)
            for item in items
        ]
    return {
        name: item
        if (kind := type(item)) in _ATOMS or (kind is str and len(item) <= TEXT_LIMIT)
        else _copied(item, left)
        for name, item in items.items()
    }


def _fields(value: Any) -> dict[str, Any]:
    if not _is_model(type(value)):  # type: ignore[arg-type]  # a class is hashable
        raise _Refused
    extra = getattr(value, "__pydantic_extra__", None)  # a model that was made without its `__init__` has none
    return {**value.__dict__, **extra} if extra else value.__dict__


@lru_cache(maxsize=1024)
def _is_model(kind: type) -> bool:
    """Whether its objects are pydantic models that show each of their fields, and give them without code of theirs."""
    if not any(base.__module__ == "pydantic.main" for base in kind.__mro__) or not hasattr(kind, "__pydantic_fields__"):
        return False
    getter: object = kind.__getattribute__
    return getter is object.__getattribute__ and all(
        field.repr and not field.exclude for field in kind.__pydantic_fields__.values()
    )
