"""Methods that are wrapped: of classes that a method defines, and of modules that are loaded anew."""

import asyncio
import copy
import inspect
import pickle
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest
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


class Clerk:
    """An object with each kind of method."""

    def plain(self, question: str, *, times: int = 1) -> str:
        """Answer."""
        return question * times

    @classmethod
    def of_class(cls, question: str, *, times: int = 1) -> str:
        """Answer without an object."""
        return question * times

    async def later(self, question: str, *, times: int = 1) -> str:
        """Answer, later."""
        await asyncio.sleep(0)
        return question * times


def free(question: str, *, times: int = 1) -> str:
    """Answer."""
    return question * times


class Trainee(Clerk):
    """What it can it has from the class above."""


class Seen:
    """A hook that notes what it is called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, tuple[Any, ...], dict[str, Any]]] = []
        self.hook = Hook(self)

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """Pass the call on."""
        assert wrapped.__doc__.startswith("Answer")
        assert wrapped.__annotations__ == {"question": str, "times": int, "return": str}
        assert not hasattr(getattr(wrapped, "__func__", wrapped), "__wrapped__")
        self.calls.append((instance, args, kwargs))
        return wrapped(*args, **kwargs)


def answer(ask: Callable[..., Any], question: str, times: int) -> Any:
    """What it says, awaited if need be."""
    found = ask(question, times=times)
    return asyncio.run(found) if inspect.iscoroutine(found) else found


CLERK, HERE = Clerk(), sys.modules[__name__]
each_kind = pytest.mark.parametrize(
    ("owner", "name", "instance"),
    [(Clerk, "plain", CLERK), (Clerk, "of_class", Clerk), (Clerk, "later", CLERK), (HERE, "free", None)],
)


@each_kind
def test_a_call_passes_the_wrapper_once_however_it_is_made(owner: Any, name: str, instance: object) -> None:
    """With all that it is given; what was held since before looks as it did, while it is wrapped and after."""
    before, held, seen = vars(owner)[name], getattr(instance or owner, name), Seen()
    function = getattr(held, "__func__", held)
    attributes, code, signature = dict(vars(function)), function.__code__, inspect.signature(held)

    patch = Patch(owner, name, seen.hook, patch_code=True)
    answers = [answer(ask, "a", 2) for ask in (held, getattr(instance or owner, name))]
    wrapped = function.__code__
    during = inspect.signature(held)
    patch.undo()

    assert answers == ["aa", "aa"]
    assert seen.calls == [(instance, ("a",), {"times": 2})] * 2
    places = [(c.co_filename, c.co_firstlineno, c.co_name, c.co_qualname, c.co_freevars) for c in (code, wrapped)]
    assert (wrapped is code, places[0], during) == (False, places[1], signature)
    assert (vars(owner)[name], vars(function), function.__code__) == (before, attributes, code)


@each_kind
def test_what_a_program_has_of_a_patch_takes_part_in_the_next(owner: Any, name: str, instance: object) -> None:
    """It leads to the function, and looks like it."""
    first, second = Seen(), Seen()
    signature = inspect.signature(getattr(instance or owner, name))
    patch = Patch(owner, name, first.hook, patch_code=True)
    kept = getattr(instance or owner, name)
    patch.undo()
    alone, looks = answer(kept, "a", 2), inspect.signature(kept)

    patch = Patch(owner, name, second.hook, patch_code=True)
    again = answer(kept, "b", 2)
    patch.undo()

    assert (alone, again, looks) == ("aa", "bb", signature)
    assert (first.calls, [args for _, args, _ in second.calls]) == ([], [("b",)])


def test_a_signature_that_a_function_says_itself_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is wrapped, and after."""
    said = inspect.Signature([inspect.Parameter("anything", inspect.Parameter.VAR_POSITIONAL)])
    monkeypatch.setattr(free, "__signature__", said, raising=False)
    held = free

    patch = Patch(HERE, "free", Seen().hook, patch_code=True)
    during = inspect.signature(held)
    patch.undo()

    assert (during, vars(held)["__signature__"]) == (said, said)


def test_a_method_that_was_inherited_is_so_again() -> None:
    """It is wrapped in the class that was named alone."""
    seen = Seen()
    patch = Patch(Trainee, "plain", seen.hook)
    answers = [Trainee().plain("a"), CLERK.plain("b")]
    patch.undo()

    assert (answers, [args for _, args, _ in seen.calls]) == (["a", "b"], [("a",)])
    assert "plain" not in vars(Trainee)


def test_a_wrapped_function_is_pickled_and_copied_as_itself() -> None:
    """By its name; a weak reference to a method is one to its object."""
    passing = Hook(lambda wrapped, instance, args, kwargs: wrapped(*args, **kwargs))
    patches = [Patch(HERE, "free", passing), Patch(Clerk, "plain", passing)]
    clerk = Clerk()
    weak = weakref.WeakMethod(clerk.plain)

    copies = [pickle.loads(pickle.dumps(free)), copy.copy(free), copy.deepcopy(free)]
    method = weak()
    answers = [method and method("weak"), *(one("same") for one in copies)]
    del clerk, method
    for patch in patches:
        patch.undo()

    assert answers == ["weak", "same", "same", "same"]
    assert [one is copies[0] for one in copies] == [True] * 3
    assert weak() is None


class Bystander(Base):
    """Has a method of that name, and is no class that the method defines."""

    def run(self) -> list[str]:
        """Nothing."""
        return []


def test_a_class_that_was_defined_before_is_wrapped_and_no_other() -> None:
    """At once; all of it is as it was when that is over."""
    earlier, wrapped, seen = Maker().make("a"), list[type](), list[str]()
    before = vars(Maker)["make"]

    def wrap(owner: Any, name: str) -> Patch:
        def hook(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            seen.append(name)
            return wrapped(*args, **kwargs)

        wrapped.append(owner)
        return Patch(owner, name, Hook(hook))

    patch = LocalClassPatch(Maker, "make")
    for path in ("Inner.run", "Inner.unknown", "Outer.run"):
        patch.add(path, wrap)
    said = [earlier.run(), Bystander().run()]
    patch.undo()
    later = Maker().make("b")

    assert (said, earlier.run(), later.run()) == ([["a"], []], ["a"], ["b"])
    assert seen == ["run"]
    assert {cls.__qualname__ for cls in wrapped} == {type(earlier).__qualname__}
    assert vars(Maker)["make"] is before
