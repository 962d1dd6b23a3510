"""Values of the standard library are told by their type alone."""

import array
import collections
import functools
import ipaddress
import json
import re
import string
import struct
import types
import zoneinfo
from datetime import datetime, time, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest

from agentops_otel.content import Content


def recorded(value: object) -> Any:
    """What a span says of the value."""
    return json.loads(Content().json("x", value) or "")


class _Loud:
    def __repr__(self) -> str:
        raise KeyboardInterrupt

    __str__ = __repr__

    def __getitem__(self, key: object) -> object:
        raise KeyboardInterrupt

    def keys(self) -> object:
        """Never called."""
        raise KeyboardInterrupt

    __len__ = __iter__ = keys


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (range(0, 10, 2), "range(0, 10, 2)"),
        (types.MappingProxyType({"a": 1, "password": "x"}), {"a": 1, "password": "[redacted]"}),
        (types.SimpleNamespace(a=1, token="x"), {"a": 1, "token": "[redacted]"}),
        (Fraction(1, 3), "1/3"),
        (array.array("i", [1, 2, 3]), [1, 2, 3]),
        (re.compile("a+b", re.IGNORECASE), "a+b"),
        (re.match("a+", "aab"), "aa"),
        (ipaddress.ip_address("192.0.2.1"), "192.0.2.1"),
        (ipaddress.ip_network("2001:db8::/32"), "2001:db8::/32"),
        (ipaddress.ip_interface("192.0.2.1/24"), "192.0.2.1/24"),
        (zoneinfo.ZoneInfo("Europe/Paris"), "Europe/Paris"),
        (timezone(timedelta(hours=2)), "UTC+02:00"),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T03:00:00+02:00"),
        (time(3, 4, tzinfo=timezone(timedelta(hours=2))), "03:04:00+02:00"),
        (time(3, 4, tzinfo=zoneinfo.ZoneInfo("UTC")), "03:04:00+00:00"),
        (slice(1, None, 2), "slice(1, None, 2)"),
        (slice(_Loud()), "<slice>"),
        (..., "Ellipsis"),
        (NotImplemented, "NotImplemented"),
        (string.Template("hi $name"), "hi $name"),
        (struct.Struct("<if"), "<if"),
        (collections.UserDict({"a": 1}), {"a": 1}),
        (collections.UserList([1, 2]), [1, 2]),
        (collections.UserString("text"), "text"),
        (collections.ChainMap({"a": 1}, {"b": 2}), {"maps": [{"a": 1}, {"b": 2}]}),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (functools.partial(sorted, [1], reverse=True), recorded(
            {"__class__": "functools.partial", "func": sorted, "args": [[1]], "reverse": True}
        )),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_value_of_the_standard_library_is_told(value: object, expected: object) -> None:
    """In one line, or as the collection that it is; secrets in it are found by their names."""
    assert recorded(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        types.MappingProxyType(_Loud()),  # type: ignore[arg-type]  # it has what the proxy asks for
        type("_Pattern", (collections.UserString,), {"__str__": _Loud.__repr__})("a"),
        type("_Space", (types.SimpleNamespace,), {"__repr__": _Loud.__repr__})(a=1),
        array.array("d", [0.0]) * 100_000,
        range(10**30),
    ],
    ids=["proxy", "subclass of UserString", "subclass of SimpleNamespace", "large array", "large range"],
)
def test_none_of_the_programs_code_runs(value: object) -> None:
    """Subclasses and what is behind a proxy are not asked, and a large value is cut."""
    assert len(json.dumps(recorded(value))) < 40_000
