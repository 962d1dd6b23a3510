"""A proxy of an object's own kind."""

import copy
import pickle
from typing import Any

from agentops_otel.wrapping.proxy import proxied


class Thing:
    """Something with a length, items, a hash and a way to be called."""

    def __init__(self, parts: list[str]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, at: int) -> str:
        return self.parts[at]

    def __call__(self, *said: str, last: str) -> "Thing":
        """More parts."""
        return Thing([*self.parts, *said, last])

    def __del__(self) -> None:
        self.parts.append("gone")


def test_special_methods_are_the_objects_own() -> None:
    """It has those that the object has, and its end is not told twice."""
    parts = ["a", "b"]
    proxy: Any = proxied(Thing(parts), None, {})

    assert (len(proxy), proxy[0], list(proxy), bool(proxy), proxy("c", last="d").parts[:4]) == (
        2,
        "a",
        ["a", "b"],
        True,
        ["a", "b", "c", "d"],
    )
    assert not hasattr(proxy, "__contains__")
    assert isinstance(proxy, Thing)
    del proxy
    assert parts == ["a", "b", "gone"]


def test_a_proxy_is_pickled_and_copied_as_the_object() -> None:
    """A copy is watched too; what another process gets is the object."""
    proxy: Any = proxied(Thing(["a"]), "observer", {})

    assert copy.copy(proxy)._self_observer == "observer"
    assert type(copy.deepcopy(proxy)) is Thing
    assert type(pickle.loads(pickle.dumps(proxy))) is Thing


def test_a_method_put_in_a_hooks_place_may_call_the_hook() -> None:
    """And taken away again, the hook is there."""
    proxy: Any = proxied(Thing(["a"]), None, {"__len__": lambda self: len(self.__wrapped__) + 1})
    hook = proxy.__len__
    proxy.__len__ = lambda: hook() + 1

    assert proxy.__len__() == 3
    del proxy.__len__
    assert proxy.__len__() == 2
