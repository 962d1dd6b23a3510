"""Watching whatever a client gives back: generators, asynchronous ones, coroutines that are closed or never awaited."""

import asyncio
import gc
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Any

import pytest

from agentops_otel import semconv
from agentops_otel.instrumentation import ClientSpec, Operation, add_text, install
from tests.clients.capture import Captured


class Resource:
    """A stream with a response that is not there, and a close that fails."""

    response = None

    def __init__(self) -> None:
        self.response = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return "chunk"

    def close(self) -> None:
        """Fail."""
        raise OSError("close")

    def cancel(self) -> str:
        """As a stream by gRPC is closed."""
        return "cancelled"


class Model:
    """A client of nobody's."""

    def talk(self) -> Generator[str, str | None, None]:
        """A generator, to which one may send."""
        sent = yield "one"
        yield sent or "two"

    async def atalk(self) -> AsyncGenerator[str, str | None]:
        """An asynchronous one."""
        sent = yield "one"
        yield sent or "two"

    async def aclosing(self) -> AsyncIterator[str]:
        """A coroutine that gives an asynchronous generator."""
        return self.atalk()

    async def ask(self) -> str:
        """A coroutine with a suspension."""
        await asyncio.sleep(0)
        return "answer"

    def later(self) -> Any:
        """A function that gives a coroutine."""
        return self.ask()

    def resource(self) -> Resource:
        """A stream that cannot be closed."""
        return Resource()


METHODS = ("talk", "atalk", "aclosing", "ask", "later", "resource")
TALK = Operation(
    name="chat",
    methods=tuple(f"Model.{name}" for name in METHODS),
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: "text"},
    fold=lambda whole, chunk: add_text(whole, "text", chunk),
)
SPEC = ClientSpec(name="model", module=__name__, operations=(TALK,), provider="model")


@pytest.fixture(autouse=True)
def _wrapped(captured: Captured) -> Iterator[None]:
    installation = install([SPEC], lambda: captured.recorder)
    yield
    installation.uninstall()


def ended(captured: Captured) -> tuple[object, object]:
    """What the one span says came, and whether it was left."""
    (span,) = captured.spans
    attributes = span.attributes or {}
    return attributes.get("gen_ai.output.messages"), attributes.get("agentops.stream.abandoned", False)


def test_a_generator_takes_what_is_sent(captured: Captured) -> None:
    """`send` reaches the generator, and its end is the call's end."""
    talk = Model().talk()

    said = [next(talk), talk.send("three")]
    rest = list(talk)

    assert (said, rest) == (["one", "three"], [])
    assert ended(captured) == ('"onethree"', False)


def test_an_error_thrown_into_a_generator_is_its_error(captured: Captured) -> None:
    """What the program throws in comes out of it, and is told."""
    talk = Model().talk()
    next(talk)

    with pytest.raises(KeyError):
        talk.throw(KeyError("mine"))

    (span,) = captured.spans
    assert (span.attributes or {})["error.type"] == "KeyError"


async def read(talk: Any) -> list[Any]:
    """To the end."""
    return [said async for said in talk]


async def send(talk: Any) -> list[Any]:
    """With `asend`."""
    return [await anext(talk), await talk.asend("two"), *[said async for said in talk]]


async def leave(talk: Any) -> list[Any]:
    """Close after one."""
    said = [await anext(talk)]
    await talk.aclose()
    return said


@pytest.mark.parametrize(
    ("way", "said", "left"),
    [(read, ["one", "two"], False), (send, ["one", "two"], False), (leave, ["one"], True)],
)
def test_an_asynchronous_generator_is_read(
    way: Callable[[Any], Any], said: list[str], left: bool, captured: Captured
) -> None:
    """Read, sent to or closed, it has one span that says what came."""
    found = asyncio.run(way(Model().atalk()))

    assert found == said
    assert ended(captured) == (f'"{"".join(said)}"', left)


def test_an_error_thrown_into_an_asynchronous_generator_is_its_error(captured: Captured) -> None:
    """What the program throws in comes out of it, and is told."""

    async def run() -> None:
        talk = await Model().aclosing()
        await anext(talk)
        with pytest.raises(KeyError):
            await talk.athrow(KeyError("mine"))  # type: ignore[attr-defined]  # it is a generator

    asyncio.run(run())

    (span,) = captured.spans
    assert (span.attributes or {})["error.type"] == "KeyError"


@pytest.mark.parametrize("method", ["ask", "later"])
def test_a_coroutine_that_is_closed_ends_its_span(method: str, captured: Captured) -> None:
    """Closed where it stands, as an event loop does that is shut down."""
    coroutine = getattr(Model(), method)()
    coroutine.send(None)

    coroutine.close()

    (span,) = captured.spans
    assert (span.attributes or {})["error.type"] == "GeneratorExit"


def test_a_coroutine_that_is_never_awaited_makes_no_span_and_warns_as_before(captured: Captured) -> None:
    """No call was made; Python says so in the method's own name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        coroutine = Model().ask()
        del coroutine
        gc.collect()

    # Of what other tests have left, Python may say something too.
    said = [str(warning.message) for warning in caught if warning.category is RuntimeWarning]
    assert said == ["coroutine 'Model.ask' was never awaited"]
    assert captured.spans == ()


def test_a_coroutine_is_driven_by_hand(captured: Captured) -> None:
    """Iterating what `await` iterates, and throwing into it, reach the coroutine."""
    steps = Model().ask().__await__()

    assert next(iter(steps)) is None
    with pytest.raises(KeyError):
        steps.throw(KeyError("mine"))

    (span,) = captured.spans
    assert (span.attributes or {})["error.type"] == "KeyError"


def test_a_close_that_fails_ends_the_span_all_the_same(captured: Captured) -> None:
    """The client's exception goes to the program."""
    stream = Model().resource()

    said = next(stream)
    assert stream.response is None
    with pytest.raises(OSError, match="close"):
        stream.close()

    assert said == "chunk"
    assert ended(captured) == ('"chunk"', True)


def test_a_stream_that_is_cancelled_has_been_left(captured: Captured) -> None:
    """At once, while the program holds it still."""
    stream = Model().resource()
    next(stream)

    assert stream.cancel() == "cancelled"

    assert ended(captured) == ('"chunk"', True)


def test_a_long_stream_is_folded_as_it_goes(captured: Captured) -> None:
    """Memory does not grow with the number of chunks, and the text has a bound of its own."""
    stream = Model().resource()

    for _ in range(60_000):
        next(stream)
    del stream

    text, left = ended(captured)
    assert left is True
    assert 0 < len(str(text)) < 40_000
