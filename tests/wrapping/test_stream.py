"""How a stream has ended, by what its read raised, and reads that wait."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Generator
from types import CoroutineType, coroutine
from typing import Any

import pytest
from opentelemetry.context import Context, get_value

from agentops_otel.wrapping.stream import Awaited, StreamObserver, observed_call, observed_stream


class Noting(StreamObserver):
    """Notes each end."""

    def __init__(self) -> None:
        super().__init__(Context())
        self.ends: list[object] = []

    def chunk(self, chunk: Any) -> Any:
        """Twice as much."""
        return chunk * 2

    def exhausted(self) -> None:
        """Note it."""
        self.ends.append("exhausted")

    def failed(self, error: Exception) -> None:
        """Note the error."""
        self.ends.append(error)

    def abandoned(self) -> None:
        """Note it."""
        self.ends.append("abandoned")


class Closable:
    """A stream with everything that closes one."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __iter__(self) -> "Closable":
        return self

    def __next__(self) -> str:
        return "chunk"

    def cancel(self) -> str:
        """As gRPC names it."""
        return self._closed("cancel")

    def close(self) -> str:
        """As most do."""
        return self._closed("close")

    def aclose(self) -> str:
        """As asynchronous ones do; what it gives is the client's business."""
        return self._closed("aclose")

    def __enter__(self) -> "Closable":
        return self

    def __exit__(self, *error: object) -> str:
        return self._closed("__exit__")

    def __aexit__(self, *error: object) -> str:
        return self._closed("__aexit__")

    def _closed(self, name: str) -> str:
        self.said.append(name)
        return f"by {name}"


@pytest.mark.parametrize("name", ["cancel", "close", "aclose", "__exit__", "__aexit__"])
def test_each_way_to_close_a_stream_leaves_it(name: str) -> None:
    """The program gets what the stream gives back."""
    stream, observer = Closable(), Noting()
    observed = observed_stream(stream, observer)
    next(observed)

    closing = getattr(observed, name)
    arguments = (None, None, None) if name.startswith("__") else ()

    assert closing(*arguments) == f"by {name}"
    assert (stream.said, observer.ends) == ([name], ["abandoned"])


@pytest.mark.parametrize(
    ("raised", "end"),
    [
        (StopIteration(), "exhausted"),
        (StopAsyncIteration(), "exhausted"),
        (KeyboardInterrupt(), "abandoned"),
        (GeneratorExit(), "abandoned"),
        (asyncio.CancelledError(), "abandoned"),
        (ValueError("generator already executing"), None),
        (RuntimeError("anext(): asynchronous generator is already running"), None),
        (ValueError("generator already executing, or not"), "failed"),
        (OSError("generator already executing"), "failed"),
    ],
    ids=repr,
)
def test_a_read_that_raises_is_one_end_of_a_stream(raised: BaseException, end: str | None) -> None:
    """Another thread's or task's read is none: the stream goes on."""
    observer = Noting()

    assert observer.returned("a") == "aa"
    observer.raised(raised)

    assert observer.ends == ([] if end is None else [raised if end == "failed" else end])


@coroutine
def suspended(waits_for: str) -> Generator[str, Any, Any]:
    """What a client waits for."""
    return (yield waits_for)


class Waiting:
    """A stream whose read waits twice, and says in which context it runs."""

    def __init__(self) -> None:
        self.contexts: list[object] = []

    async def __anext__(self) -> list[object]:
        given: list[object] = []
        for waits_for in ("first", "second"):
            self.contexts.append(get_value("of the call"))
            try:
                given.append(await suspended(waits_for))
            except TimeoutError as error:
                given.append(error)
        self.contexts.append(get_value("of the call"))
        return given


def observed(client: Waiting, reader: str) -> tuple[Noting, Any]:
    """An observer with a context of its own, and a read that has not begun: as a task steps it, or as `await` does."""
    observer = Noting()
    observer.context = Context({"of the call": True})
    read = observed_stream(client, observer).__anext__()
    return observer, read.__await__() if reader == "await" else read


each_reader = pytest.mark.parametrize("reader", ["task", "await"])


@each_reader
def test_a_read_that_waits_gets_what_it_is_given_and_is_in_the_calls_context(reader: str) -> None:
    """A value, an error that the client handles, and no context of ours where the program runs."""
    client, late = Waiting(), TimeoutError()
    observer, read = observed(client, reader)

    assert (read.send(None), get_value("of the call")) == ("first", None)
    assert (read.send("a"), get_value("of the call")) == ("second", None)
    with pytest.raises(StopIteration) as done:
        read.throw(late)

    assert (done.value.value, client.contexts, observer.ends) == (["a", late] * 2, [True] * 3, [])


@each_reader
@pytest.mark.parametrize("leave", ["close", "throw"])
def test_a_read_that_is_left_while_it_waits_ends_the_stream(leave: str, reader: str) -> None:
    """By whoever drops the coroutine, or cancels the task."""
    observer, read = observed(Waiting(), reader)
    assert read.send(None) == "first"

    if leave == "close":
        read.close()
    else:
        with pytest.raises(asyncio.CancelledError):
            read.throw(asyncio.CancelledError())

    assert (observer.ends, get_value("of the call")) == (["abandoned"], None)


@pytest.mark.parametrize("leave", ["close", "throw"])
def test_a_read_that_is_left_before_it_begins_ends_the_stream_and_warns_of_nothing(leave: str) -> None:
    """A task that is cancelled at once never awaits the client's coroutine: without us Python says nothing either."""
    observer, read = observed(Waiting(), "task")

    if leave == "close":
        read.close()
    else:
        with pytest.raises(asyncio.CancelledError):
            read.throw(asyncio.CancelledError())
    del read
    gc.collect()  # a warning is an error here

    assert observer.ends == ["abandoned"]


def test_of_a_read_that_nobody_awaits_python_warns_as_it_does_without_us() -> None:
    """Once, by the name of the client's method."""
    _, read = observed(Waiting(), "task")

    with pytest.warns(RuntimeWarning, match="never awaited") as warned:
        del read

    assert [str(one.message) for one in warned] == ["coroutine 'Waiting.__anext__' was never awaited"]


class Entered:
    """A stream that is entered, and iterated, by something else or by itself."""

    def __init__(self, inner: Any = None) -> None:
        self.inner = self if inner is None else inner
        self.contexts: list[object] = []

    def __iter__(self) -> Any:
        return self.inner

    def __aiter__(self) -> Any:
        return self.inner

    def __enter__(self) -> Any:
        return self.inner

    async def __aenter__(self) -> Any:
        return self.inner

    def __exit__(self, *error: object) -> None: ...

    def __next__(self) -> str:
        self.contexts.append(get_value("of the call"))
        return "chunk"

    async def __anext__(self) -> str:
        return "chunk"

    def close(self) -> None:
        """What is closed has been left."""


WAYS: dict[str, Callable[[Any], Any]] = {
    "iter": iter,
    "aiter": aiter,
    "enter": lambda stream: stream.__enter__(),
    "aenter": lambda stream: asyncio.run(stream.__aenter__()),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_a_stream_gives_to_read_it_by_is_observed(way: Callable[[Any], Any]) -> None:
    """Itself is the stream that the program has; closing another thing does not close the stream."""
    observer = Noting()
    alone, within = observed_stream(Entered(), observer), observed_stream(Entered(Entered()), observer)

    inner = way(within)
    assert way(alone) is alone
    assert (next(inner), asyncio.run(inner.__anext__())) == ("chunkchunk", "chunkchunk")
    inner.close()
    assert observer.ends == []
    alone.close()
    assert observer.ends == ["abandoned"]


def test_a_stream_runs_in_the_calls_context_and_the_program_in_its_own() -> None:
    """Between two chunks too."""
    stream, observer = Entered(), Noting()
    observer.context = Context({"of the call": True})
    observed = observed_stream(stream, observer)

    around = [(next(observed), get_value("of the call")) for _ in range(2)]

    assert (stream.contexts, around) == ([True, True], [("chunkchunk", None)] * 2)


class Answered(Entered):
    """A stream with the response that it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.response: Any = None


def test_a_response_that_is_closed_closes_its_stream() -> None:
    """It is one thing as long as the stream has that response."""
    stream, observer = Answered(), Noting()
    observed = observed_stream(stream, observer)
    none = observed.response
    stream.response = first = Entered()
    proxies = [observed.response, observed.response]
    stream.response = Entered()
    another = observed.response

    assert none is None
    assert proxies[0] is proxies[1]
    assert (proxies[0].__wrapped__, another.__wrapped__) == (first, stream.response)
    another.close()
    assert observer.ends == ["abandoned"]


def test_a_read_is_closed_before_its_stream_is_left() -> None:
    """What the client does then is a part of the stream."""
    said: list[object] = []

    class Reading:
        async def __anext__(self) -> str:
            try:
                return str(await suspended("first"))
            finally:
                said.append("closed")

    observer = Noting()
    observer.ends = said
    read = observed_stream(Reading(), observer).__anext__().__await__()
    assert read.send(None) == "first"
    read.close()

    assert said == ["closed", "abandoned"]


async def answer() -> str:
    """A client's coroutine."""
    return "answer"


def test_an_observed_coroutine_looks_like_the_clients() -> None:
    """Its text, its frame and its name."""
    client: Any = answer()
    observer = Noting()
    observed = observed_call(observer, lambda: client)

    assert isinstance(observed, CoroutineType)
    assert (repr(observed), observed.__name__, observed.cr_frame) == (repr(client), "answer", client.cr_frame)
    assert asyncio.run(observed) == "answeranswer"


def test_a_coroutine_that_nobody_observes_after_all_answers_the_same() -> None:
    """It is known when it begins; once."""
    begun: list[int] = []

    def begin() -> None:
        begun.append(1)

    async def twice() -> str:
        await asyncio.sleep(0)
        return await answer()

    assert (asyncio.run(Awaited(twice(), begin=begin)), begun) == ("answer", [1])


class Wrapping:
    """Says that it is what it wraps, as the proxies of other libraries do."""

    def __init__(self, wrapped: Coroutine[Any, Any, Any]) -> None:
        self.wrapped = wrapped

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.wrapped)

    def send(self, value: Any) -> Any:
        """As a coroutine."""
        return self.wrapped.send(value)


class Pretending:
    """The same, by the method that is asked for each attribute."""

    def __init__(self, wrapped: Coroutine[Any, Any, Any]) -> None:
        self.wrapped = wrapped

    def __getattribute__(self, name: str) -> Any:
        wrapped = object.__getattribute__(self, "wrapped")
        return type(wrapped) if name == "__class__" else getattr(wrapped, name)


@pytest.mark.parametrize("kind", [Wrapping, Pretending])
def test_what_says_that_it_is_a_coroutine_is_observed_as_one(kind: Any) -> None:
    """As it runs; a thing of another kind is the answer itself."""
    observer = Noting()
    observed = observed_call(observer, lambda: kind(answer()))

    with pytest.raises(StopIteration) as done:
        observed.send(None)

    assert done.value.value == "answeranswer"
    assert observed_call(observer, lambda: "plain") == "plainplain"
