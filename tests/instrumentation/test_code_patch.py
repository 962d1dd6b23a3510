"""Functions that a program holds from before: they have their span, and look and fail as they did."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import wrapt

from agentops_otel.instrumentation import ClientSpec, Operation, install
from tests.clients.capture import Captured, capture


def twice(function: Callable[[str], str]) -> Callable[[str], str]:
    """A decorator that calls what it decorates twice."""

    @functools.wraps(function)
    def decorated(question: str) -> str:
        return function(question) + function(question)

    return decorated


def passing(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """What another instrumentation does."""
    return wrapped(*args, **kwargs)


class Model:
    """A client."""

    name = "model"

    def ask(self, question: str, *, loud: bool = True) -> str:
        """Answer."""
        return f"{self.name} {question.upper() if loud else question}"

    async def ask_async(self, question: str) -> str:
        """Answer, later."""
        await asyncio.sleep(0)
        return f"{self.name} {question.upper()}"

    @classmethod
    def ask_class(cls, question: str) -> str:
        """Answer without an instance."""
        return f"{cls.name} {question.upper()}"

    def ask_pieces(self, question: str) -> Iterator[str]:
        """Answer in pieces."""
        yield f"{self.name} "
        yield question.upper()

    async def ask_pieces_async(self, question: str) -> AsyncIterator[str]:
        """Answer in pieces, later."""
        yield f"{self.name} "
        yield question.upper()

    def ask_super(self, question: str) -> str:
        """Answer by way of the class above, which needs a variable of the compiler's."""
        assert super().__init__ is not None
        return f"{self.name} {question.upper()}"


@twice
def ask(question: str) -> str:
    """Answer."""
    return f"model {question.upper()}"


class Instrumented:
    """A client that another instrumentation has wrapped."""

    @wrapt.decorator(passing)
    def ask(self, question: str) -> str:
        """Answer."""
        return f"model {question.upper()}"


METHODS = (*(f"Model.{name}" for name in vars(Model) if name.startswith("ask")), "ask", "Instrumented.ask")
SPEC = ClientSpec(
    name="model",
    module=__name__,
    operations=(Operation(name="chat", methods=METHODS),),
    provider="model",
)


class Elsewhere:
    """A class that gave a method a second name, before anything is wrapped."""

    name = "elsewhere"
    asked = Model.ask


MODEL = Model()
HELD: dict[str, Callable[[str], Any]] = {
    "bound": MODEL.ask,
    "partial": functools.partial(MODEL.ask, loud=True),
    "unbound": functools.partial(Model.ask, MODEL),
    "class method": Model.ask_class,
    "closure": MODEL.ask_super,
    "asynchronous": MODEL.ask_async,
    "generator": MODEL.ask_pieces,
    "asynchronous generator": MODEL.ask_pieces_async,
    "function": ask,
    "instrumented": Instrumented().ask,
    "second name": Elsewhere().asked,  # type: ignore[misc]  # that it is of another class is the point
}


KINDS = ("asynchronous", "generator", "asynchronous generator")


def said(held: Callable[[str], Any]) -> Any:
    """What it answers."""
    found = held("what")
    if inspect.isgenerator(found):
        return "".join(map(str, found))
    if inspect.isasyncgen(found):
        return asyncio.run(joined(found))
    return asyncio.run(found) if inspect.iscoroutine(found) else found


async def joined(pieces: AsyncIterator[object]) -> str:
    """The pieces as one."""
    return "".join([str(piece) async for piece in pieces])


@pytest.fixture
def wrapped(captured: Captured) -> Iterator[Captured]:
    """The model is wrapped, until the test is over."""
    installation = install([SPEC], lambda: captured.recorder)
    yield captured
    installation.uninstall()


@pytest.mark.parametrize("way", HELD)
def test_what_a_program_holds_has_one_span_a_call(way: str, captured: Captured) -> None:
    """However it is held: called before, while and after the function is wrapped, it answers the same."""
    held = HELD[way]

    before = said(held)
    installation = install([SPEC], lambda: captured.recorder)
    ours, spans = said(held), len(captured.spans)
    installation.uninstall()
    after = said(held)

    assert before == ours == after
    assert (spans, len(captured.spans)) == (1, 1)


@pytest.mark.parametrize("way", HELD)
def test_what_a_program_holds_looks_as_it_did(way: str, wrapped: Captured) -> None:
    """Signature, name, kind and source are those of the function."""
    held = HELD[way]
    function = inspect.unwrap(getattr(held, "func", held), stop=inspect.isfunction)

    assert "args" not in inspect.signature(held).parameters
    assert function.__code__.co_name == function.__code__.co_qualname.rpartition(".")[2]
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    assert [kind(held) for kind in kinds] == [way == kind for kind in KINDS]
    assert "def " in inspect.getsource(function)


@pytest.mark.parametrize("arguments", [(), ("a", "b")])
def test_wrong_arguments_are_the_functions_own_error(arguments: tuple[str, ...], captured: Captured) -> None:
    """The program is told what it would be told without us."""
    held: Any = HELD["bound"]
    unbound: Any = HELD["unbound"].func  # type: ignore[attr-defined]  # of a partial
    told = []

    for recorder in ("without us", None, captured.recorder):
        installation = install([] if recorder == "without us" else [SPEC], lambda recorder=recorder: recorder)  # type: ignore[misc]
        for ask_wrongly in (held, unbound):
            with pytest.raises(TypeError) as raised:
                ask_wrongly(*arguments, silent=True)
            told.append(str(raised.value))
        installation.uninstall()

    assert told == told[:2] * 3


def test_two_who_wrap_make_one_span_and_leave_nothing(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation over another one, and a third beneath somebody else's wrapper: one span a call."""
    monkeypatch.setattr(Model, "ask", vars(Model)["ask"])  # as it is before what this test puts back
    held, plain = HELD["bound"], Model.ask.__code__

    with capture() as other:
        installations = [install([SPEC], current) for current in (lambda: captured.recorder, lambda: other.recorder)]
        wrapt.wrap_function_wrapper(Model, "ask", passing)
        theirs = vars(Model)["ask"]
        installations.append(install([SPEC], lambda: captured.recorder))
        answers = [held("a"), MODEL.ask("b")]
        spans = len(captured.spans) + len(other.spans)
        for installation in reversed(installations[1:]):
            installation.uninstall()
        assert vars(Model)["ask"] is theirs
        Model.ask = theirs.__wrapped__  # type: ignore[method-assign]
        installations[0].uninstall()

    assert (answers, spans) == (["model A", "model B"], 2)
    assert held.__code__ is plain
    # What somebody put back of ours leads to the function, and makes no span.
    assert (MODEL.ask("c"), len(captured.spans) + len(other.spans)) == ("model C", 2)
