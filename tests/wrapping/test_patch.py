"""Methods that are wrapped: of classes that a method defines, and of modules that are loaded anew."""

import copy
import pickle
from typing import Any

import wrapt

from agentops_otel.wrapping.patch import Hook, LocalClassPatch, Patch


class Base:
    """What both classes derive from."""


class Maker(Base):
    """Defines a class in a method, as generated clients do."""

    def make(self, *names: str, prefix: str = "") -> Any:
        """An object of the class."""

        class Inner(Base):
            def run(self) -> list[str]:
                return [prefix + name for name in names]

        return Inner()


def test_a_class_that_a_method_defines_is_wrapped_until_it_is_put_back() -> None:
    """The method gets what it is given; a method of that name that was defined since is not wrapped."""
    seen: list[str] = []

    def wrap(owner: Any, name: str) -> Patch:
        def hook(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            seen.append(name)
            return wrapped(*args, **kwargs)

        return Patch(owner, name, Hook(hook))

    before = Maker.make
    patch = LocalClassPatch(Maker, "make")
    patch.add("Inner.run", wrap)

    made = before(Maker(), "a", "b", prefix="x")  # which the program holds since before
    assert (made.run(), seen) == (["xa", "xb"], ["run"])
    assert patch.is_in_place() is True
    wrapt.wrap_function_wrapper(Maker, "make", lambda wrapped, instance, args, kwargs: wrapped(*args, **kwargs))
    assert patch.is_in_place() is True  # within another library's wrapper

    Maker.make = before  # type: ignore[method-assign]  # as a module that is loaded anew
    assert patch.is_in_place() is False
    patch.undo()
    assert (made.run(), seen) == (["xa", "xb"], ["run"])


class Box:
    """An object with a method, which can be pickled."""

    def __init__(self, held: str) -> None:
        self.held = held

    def get(self) -> str:
        """What is in it."""
        return self.held


def test_a_method_whose_earlier_references_are_left_alone_keeps_its_code() -> None:
    """What the program holds of it since before is not wrapped."""
    seen: list[str] = []

    def hook(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append(instance.held)
        return wrapped(*args, **kwargs)

    function, before, held = Box.get, Box.get.__code__, Box("earlier").get
    patch = Patch(Box, "get", Hook(hook))
    code = function.__code__
    got = [held(), Box("later").get()]
    patch.undo()

    assert code is before
    assert (got, seen) == (["earlier", "later"], ["later"])


def test_a_wrapped_method_is_pickled_and_copied_with_what_it_is_bound_to() -> None:
    """As a method is: its instance goes with it, and a copy has a copy of that."""
    box = Box("a")
    patch = Patch(Box, "get", Hook(lambda wrapped, instance, args, kwargs: wrapped(*args, **kwargs)))

    pickled, copied, deep = pickle.loads(pickle.dumps(box.get)), copy.copy(box.get), copy.deepcopy(box.get)
    box.held = "b"
    got = [pickled(), copied(), deep(), pickle.loads(pickle.dumps(Box.get))(box), copy.deepcopy(Box.get)(box)]
    patch.undo()

    assert got == ["a", "b", "a", "b", "b"]
