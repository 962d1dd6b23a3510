"""Whatever a function is given, gives back or raises, the app gets what it would get without us, and soon."""

import asyncio
import decimal
import io
import re
import threading
import time
import types
import unittest.mock
import uuid
from collections import OrderedDict, UserDict, deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

import pytest

import agentops_otel
from agentops_otel import guard
from agentops_otel.testing import capture

pytestmark = pytest.mark.no_cover


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: int


class RaisingEverywhere:
    """Every look at it is an error."""

    def _fail(self, *_: object) -> Any:
        raise RuntimeError("do not touch")

    __repr__ = __str__ = __len__ = __iter__ = __bool__ = __hash__ = __eq__ = __getattr__ = __format__ = _fail


class Interrupting:
    """A look at it is Ctrl-C."""

    def __repr__(self) -> str:
        raise KeyboardInterrupt

    __str__ = __repr__


class LyingClass:
    """Not even its class can be asked."""

    @property  # type: ignore[misc]  # it overrides the class attribute on purpose
    def __class__(self) -> Any:
        raise RuntimeError("do not ask")


class RaisingDict(dict[str, int]):
    """A dict whose items cannot be had."""

    def items(self) -> Any:
        """An error."""
        raise RuntimeError("no items")

    keys = __iter__ = items


class ModelLike:
    """What calls `model_dump` gets an error."""

    def model_dump(self) -> Any:
        """An error."""
        raise RuntimeError("no dump")

    dict = to_dict = json = model_dump


class RaisingText(Exception):
    """An exception whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Slow:
    """A look at it takes long."""

    def __repr__(self) -> str:
        time.sleep(5)
        return "slow"


def _cyclic() -> list[object]:
    cyclic: list[object] = []
    cyclic.append({"again": cyclic})
    return cyclic


def _deep() -> list[object]:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


def _endless() -> Iterator[int]:
    while True:
        yield 1


PAYLOADS: dict[str, Callable[[], object]] = {
    "None": lambda: None,
    "huge integer": lambda: 10**5000,
    "not a number": lambda: float("nan"),
    "infinity": lambda: [float("inf"), -float("inf")],
    "complex": lambda: 1j,
    "Decimal": lambda: decimal.Decimal("1e400"),
    "lone surrogate": lambda: "a\ud800b",
    "null character": lambda: "a\x00b",
    "long text": lambda: "x" * 50_000_000,
    "long bytes": lambda: b"x" * 50_000_000,
    "bytearray": lambda: bytearray(10),
    "memoryview": lambda: memoryview(b"abc"),
    "long list": lambda: list(range(1_000_000)),
    "long dict": lambda: dict.fromkeys(range(100_000)),
    "wide set": lambda: set(range(100_000)),
    "strange keys": lambda: {(1, 2): 3, None: 4, object(): 5, 1.5: 6},
    "unhashable in tuple": lambda: ([], {}),
    "cyclic": _cyclic,
    "deep": _deep,
    "deque": lambda: deque([1, 2]),
    "OrderedDict": lambda: OrderedDict(a=1),
    "UserDict": lambda: UserDict(a=1),
    "namedtuple": lambda: Point(1, 2),
    "range": lambda: range(10**12),
    "generator": lambda: iter([1, 2, 3]),
    "endless generator": _endless,
    "map": lambda: map(int, ["1", "x"]),
    "open file": lambda: io.StringIO("text"),
    "lock": threading.Lock,
    "module": lambda: types,
    "class": lambda: RaisingEverywhere,
    "function": lambda: _cyclic,
    "lambda": lambda: lambda: 1,
    "method": lambda: [].append,
    "regular expression": lambda: re.compile("x"),
    "UUID": uuid.uuid4,
    "exception": lambda: ValueError("x"),
    "exception without text": RaisingText,
    "mock": unittest.mock.MagicMock,
    "sentinel": lambda: unittest.mock.sentinel.nothing,
    "raises everywhere": RaisingEverywhere,
    "raises everywhere, in a list": lambda: [RaisingEverywhere()],
    "raises everywhere, as a value": lambda: {"x": RaisingEverywhere()},
    "interrupts": Interrupting,
    "interrupts, in a list": lambda: [Interrupting()],
    "lies about its class": LyingClass,
    "dict without items": lambda: RaisingDict(a=1),
    "raises in model_dump": ModelLike,
    "slow repr": Slow,
    "type": lambda: type,
    "ellipsis": lambda: ...,
    "NotImplemented": lambda: NotImplemented,
    "weird string": lambda: type("Text", (str,), {"__str__": lambda self: 1 / 0, "encode": None})("abc"),
    "weird int": lambda: type("Number", (int,), {"__int__": lambda self: 1 / 0, "__index__": None})(1),
    "task context": lambda: asyncio.Event(),
}


@pytest.fixture(autouse=True)
def _as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults of ours are held back, as they are for users."""
    monkeypatch.setattr(guard, "reraise", False)


@pytest.mark.parametrize("name", PAYLOADS)
def test_payload_goes_in_and_comes_out_as_it_is(name: str) -> None:
    """The body gets the very object, the caller gets it back, nothing is raised, and it is quick."""
    payload = PAYLOADS[name]()
    seen: list[object] = []

    @agentops_otel.record_action
    def plain(value: object, *rest: object, **more: object) -> object:
        seen.append(value)
        return value

    @agentops_otel.operation
    async def later(value: object) -> object:
        return value

    @agentops_otel.tool
    def steps(value: object) -> Iterator[object]:
        yield value

    with capture() as captured:
        before = time.thread_time()
        results = [plain(payload), plain(1, payload, session=payload), _run(later(payload)), *steps(payload)]
        took = time.thread_time() - before

    assert seen[0] is payload
    assert all(result is payload for result in (results[0], results[2], results[3]))
    assert len(captured.spans) == 4
    for span in captured.spans:
        assert sum(len(str(value).encode()) for value in (span.attributes or {}).values()) < 100_000
    assert took < 1
    _check_untouched(payload)


def _run(coroutine: Coroutine[Any, Any, object]) -> object:
    """What a coroutine that waits for nothing returns; asyncio itself asks results for their repr."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError


def _check_untouched(payload: object) -> None:
    """An iterator still has its first item."""
    if type(payload) is type(iter([])) or type(payload) is types.GeneratorType:
        assert next(payload) == 1


@pytest.mark.parametrize(
    "error",
    [RaisingText(), ValueError(RaisingEverywhere()), ExceptionGroup("group", [ValueError(1), RaisingText()])],
    ids=lambda error: type(error).__name__,
)
def test_exception_that_cannot_be_read_is_passed_on(error: Exception) -> None:
    """The caller gets the exception itself; the span is ended and marked as failed."""

    @agentops_otel.record_action
    def fail() -> None:
        raise error

    with capture() as captured, pytest.raises(type(error)) as caught:
        fail()

    assert caught.value is error
    assert [span.status.status_code.name for span in captured.spans] == ["ERROR"]


@pytest.mark.parametrize("name", [name for name, make in PAYLOADS.items() if not callable(make())])
def test_object_that_cannot_be_called_is_refused(name: str) -> None:
    """Decorating what is no function is a TypeError, or what the object itself raises."""
    decorator: Callable[[object], object] = agentops_otel.record_action("x")  # type: ignore[assignment]  # wrong on purpose

    with pytest.raises((TypeError, RuntimeError)):
        decorator(PAYLOADS[name]())
