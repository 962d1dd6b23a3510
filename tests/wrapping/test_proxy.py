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


class Plain:
    """Something that says of itself what it is."""

    def __init__(self) -> None:
        self.held = 1
        self.own = lambda: "own"

    def __getattr__(self, name: str) -> str:
        if name == "missing":
            raise AttributeError(name)
        return f"made up: {name}"

    def __class_getitem__(cls, kind: type) -> str:
        return "an alias"

    def __dir__(self) -> list[str]:
        return ["held"]

    def __repr__(self) -> str:
        return "plain, for programmers"

    def __str__(self) -> str:
        return "plain"

    def __format__(self, spec: str) -> str:
        return f"plain in {spec}"

    def __eq__(self, other: object) -> bool:
        return other == "plain"

    def __hash__(self) -> int:
        return 7


def test_all_that_is_asked_of_a_proxy_the_object_says() -> None:
    """Its texts, its equals, its attributes; what is set and taken away is the object's."""
    thing = Plain()
    proxy: Any = proxied(thing, None, {})

    assert (repr(proxy), str(proxy), f"{proxy:blue}") == ("plain, for programmers", "plain", "plain in blue")
    assert (proxy == "plain", proxy == "other", hash(proxy), dir(proxy)) == (True, False, 7, ["held"])
    assert (vars(proxy), proxy.held, proxy.anything) == (vars(thing), 1, "made up: anything")
    kind: Any = type(proxy)
    assert [getattr(kind, name) for name in ("__module__", "__qualname__", "__name__", "__doc__")] == [
        getattr(Plain, name) for name in ("__module__", "__qualname__", "__name__", "__doc__")
    ]
    assert not hasattr(proxy, "missing")
    assert not hasattr(kind, "__class_getitem__")

    proxy.held, proxy._selfish = 2, 3
    assert (thing.held, vars(thing)["_selfish"]) == (2, 3)
    del proxy.held
    assert "held" not in vars(thing)
    proxy._self_kept = 4
    assert (proxy._self_kept, "_self_kept" in vars(thing)) == (4, False)


def test_a_hook_takes_the_place_of_what_the_object_has() -> None:
    """A method of its class, or a function of its own; what it has not the proxy has not either."""
    hooks = {name: lambda self, name=name: f"hooked {name}" for name in ("__repr__", "own", "missing", "held")}
    proxy: Any = proxied(Plain(), None, hooks)

    assert (repr(proxy), proxy.own()) == ("hooked __repr__", "hooked own")
    assert not hasattr(proxy, "missing")
