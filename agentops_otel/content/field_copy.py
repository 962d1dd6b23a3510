"""Copies the fields of an object as JSON, which later changes do not affect. Runs none of its code."""

from functools import lru_cache
from typing import Any

import orjson

from agentops_otel.content.snapshot import Source

LIMIT_BYTES = 256 * 1024
"""The longest copy."""

_EXACT_TYPES = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def copy_fields(value: Any) -> Source | None:
    """Dicts and lists of numbers and texts, from such and from pydantic models; None for all else.

    Nobody may change the value meanwhile.

    >>> copy_fields({"choices": [{"index": 0}]}).value()
    {'choices': [{'index': 0}]}
    """
    try:
        text = orjson.dumps(value, _fields, _EXACT_TYPES)
    except orjson.JSONEncodeError as error:
        if (cause := error.__cause__) is not None and not isinstance(cause, Exception):
            raise cause from None  # Ctrl-C belongs to the program
        return None
    return Source(text, orjson.loads) if text[0] in b"{[" and len(text) <= LIMIT_BYTES else None


def _fields(value: Any) -> dict[str, Any]:
    if not _is_model(type(value)):  # type: ignore[arg-type]  # a class is hashable
        raise TypeError
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
