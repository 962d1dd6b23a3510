"""Values of standard library types: recorded as one harmless line, or as a collection's items.

Only exact types are read: a subclass may override whatever is called here.
"""

import array
import ipaddress
import re
import struct
import sys
from collections import ChainMap, UserDict, UserList, UserString, deque
from collections.abc import Callable, Collection
from datetime import date, datetime, time, timedelta, timezone
from functools import partial
from gc import get_referents
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from string import Template
from types import EllipsisType, MappingProxyType, NotImplementedType, SimpleNamespace
from typing import Any
from uuid import UUID

from agentops_otel.content.objects import description, type_name

_TIMES = (datetime, date, time)
_ONE_LINE: dict[type, Callable[[Any], str]] = {
    **{
        kind: kind.__str__
        for kind in (
            UUID, complex, timedelta, timezone, range, EllipsisType, NotImplementedType,
            PosixPath, WindowsPath, PurePosixPath, PureWindowsPath,
            ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network,
            ipaddress.IPv4Interface, ipaddress.IPv6Interface,
        )
    },
    re.Pattern: lambda value: _text_of(value.pattern, value),
    re.Match: lambda value: _text_of(value[0], value),
    struct.Struct: lambda value: value.format,
    Template: lambda value: _text_of(value.template, value),
    UserString: lambda value: _text_of(value.data, value),
    slice: lambda value: _slice(value),
}  # fmt: skip

_SELDOM_IMPORTED = (("decimal", "Decimal"), ("fractions", "Fraction"), ("zoneinfo", "ZoneInfo"))
"""Types that are not imported for this."""

_COLLECTIONS: dict[type, Callable[[Any], Collection[Any]]] = {
    **dict.fromkeys((deque, set, frozenset, type({}.keys()), type({}.values()), type({}.items())), lambda value: value),
    array.array: lambda value: value,
    UserList: lambda value: value.data if type(value.data) is list else [],
}
_MAPPINGS: dict[type, Callable[[Any], dict[Any, Any] | None]] = {
    SimpleNamespace: lambda value: dict(value.__dict__),
    MappingProxyType: lambda value: _dict_in(get_referents(value)),
    UserDict: lambda value: _dict_in([value.data]),
    ChainMap: lambda value: {"maps": value.maps},
    partial: lambda value: {"__class__": "functools.partial", "func": value.func, "args": value.args} | value.keywords,
}


def standard_text(value: object) -> str | None:
    """The line that stands for a value of the standard library; None for any other value."""
    kind = type(value)
    if kind in _ONE_LINE:
        return str(_ONE_LINE[kind](value))
    if issubclass(kind, _TIMES):
        return _time(value)
    for module, name in _SELDOM_IMPORTED:
        if module in sys.modules and kind is getattr(sys.modules[module], name, None):
            return str(value)
    return None


def collection_items(value: object) -> Collection[Any] | None:
    """The collection whose items stand for a value; None for any other value."""
    kind = type(value)
    return _COLLECTIONS[kind](value) if kind in _COLLECTIONS else None


def standard_mapping(value: object) -> dict[Any, Any] | None:
    """The mapping that stands for a value; None for any other value."""
    kind = type(value)
    return _MAPPINGS[kind](value) if kind in _MAPPINGS else None


def _text_of(text: object, value: object) -> str:
    return text if type(text) is str else description(value)


def _dict_in(values: list[Any]) -> dict[Any, Any] | None:
    return values[0] if values and type(values[0]) is dict else None


def _slice(value: slice) -> str:
    parts = (value.start, value.stop, value.step)
    return str(value) if all(part is None or type(part) is int for part in parts) else description(value)


def _time(value: Any) -> str:
    """ISO 8601. A time zone of the app's own class is not asked for its offset: that would run its code."""
    if type.__dict__["__name__"].__get__(type(value)) == "NaTType":
        return "NaT"  # a datetime by its class, of the first day there is
    kind = next(kind for kind in _TIMES if issubclass(type(value), kind))
    zone = None if kind is date else kind.__dict__["tzinfo"].__get__(value)
    is_standard = zone is None or type_name(type(zone)) in ("datetime.timezone", "zoneinfo.ZoneInfo")
    return str(kind.isoformat(value)) if is_standard else description(value)
