"""Coroutines and generators run by hand, so that a span covers their life and is current in their body alone.

What the consumer sees is what it would see without us: values, `send`, `throw`, `close`, the return value, exceptions.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import ContextVar, Token
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Protocol

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import INVALID_SPAN, Span, set_span_in_context

from agentops_otel.tracing import Recorder

_here: ContextVar[None] = ContextVar("agentops_otel_driven")


class Ending(Protocol):
    """Who ends the span; once, by one of the two."""

    def finish(self, recorder: Recorder, span: Span, result: object) -> None:
        """The body returned *result*."""

    def fail(self, recorder: Recorder, span: Span, error: BaseException) -> None:
        """The body raised *error*."""


Opened = tuple[Span, Context | None]
"""A started span, and what is to hold in its body apart from it; None is the context of the first step."""


class Driver:
    """Puts a body of one type (a coroutine, a generator) under a span that starts with its first step."""

    __slots__ = ("_drive", "_type")

    def __init__(self, kind: type, drive: Callable[[Ending, Recorder, Any, Callable[[], Opened]], Any]) -> None:
        self._type = kind
        self._drive = drive

    def drives(self, result: object) -> bool:
        """True for a result of the type that this driver is for."""
        return type(result) is self._type

    def __call__(self, ending: Ending, recorder: Recorder, body: Any, start: Callable[[], Opened]) -> Any:
        """An object of the body's own type, with its name, to be used in its place."""
        result = self._drive(ending, recorder, body, start)
        result.__name__, result.__qualname__ = body.__name__, body.__qualname__
        return result


def driver_for(code_flags: int) -> Driver | None:
    """The driver for what a function with these flags returns; None when that is to be left alone."""
    return next((driver for flag, driver in _DRIVERS if code_flags & flag), None)


class _Attached:
    """A context that is the current one for a step of a body, and what the body has made of it since."""

    __slots__ = ("_here", "_token", "context")

    def __init__(self, context: Context) -> None:
        self.context = context

    def __enter__(self) -> None:
        self._here = _here.set(None)
        self._token: Token[Context] = attach(self.context)

    def __exit__(self, *_: object) -> None:
        self.context = get_current()
        # A step that ends in another contextvars.Context (the garbage collector's, a closing event loop's) has nothing
        # to undo. Our own variable finds out without a word; OpenTelemetry's `detach` would log a traceback.
        with suppress(ValueError):
            _here.reset(self._here)
            detach(self._token)


def _attached(span: Span, context: Context | None) -> AbstractContextManager[None]:
    return nullcontext() if span is INVALID_SPAN else _Attached(set_span_in_context(span, context))


class _Unawaited:
    """Holds a coroutine until its first step; one that never starts is closed, so that Python speaks of ours alone."""

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine: Coroutine[Any, Any, Any] | None = coroutine

    def take(self) -> Coroutine[Any, Any, Any]:
        coroutine, self._coroutine = self._coroutine, None
        assert coroutine is not None
        return coroutine

    def __del__(self) -> None:
        if self._coroutine is not None:
            self._coroutine.close()


def _drive_coroutine(
    ending: Ending, recorder: Recorder, coroutine: Coroutine[Any, Any, Any], start: Callable[[], Opened]
) -> Coroutine[Any, Any, Any]:
    return _await(ending, recorder, _Unawaited(coroutine), start)


async def _await(ending: Ending, recorder: Recorder, body: _Unawaited, start: Callable[[], Opened]) -> Any:
    span, context = start()
    del start  # it holds the arguments, which the body may want to let go
    if span is INVALID_SPAN:
        return await body.take()
    try:
        with recorder.current(span, context):
            result = await body.take()
    except BaseException as error:
        ending.fail(recorder, span, error)
        raise
    ending.finish(recorder, span, result)
    return result


def _drive_generator(
    ending: Ending, recorder: Recorder, body: Generator[Any, Any, Any], start: Callable[[], Opened]
) -> Generator[Any, Any, Any]:
    span, context = start()
    del start
    attached = _attached(span, context)
    resume, sent = body.send, None
    while True:
        try:
            with attached:
                item = resume(sent)
        except StopIteration as stop:
            ending.finish(recorder, span, stop.value)
            return stop.value
        except BaseException as error:
            ending.fail(recorder, span, error)
            raise
        # What is thrown in is thrown on after the `except`, not in it: there the body's own errors would get a
        # `__context__` that they do not have without us. This serves `close` too: the body answers GeneratorExit as it
        # likes, and Python judges the answer on our generator.
        resume, sent = body.send, None
        try:
            sent = yield item
        except BaseException as error:  # noqa: BLE001 - it goes into the body, which is whom it is for
            resume, sent = body.throw, error


async def _drive_async_generator(
    ending: Ending, recorder: Recorder, body: AsyncGenerator[Any, Any], start: Callable[[], Opened]
) -> AsyncGenerator[Any, Any]:
    span, context = start()
    del start
    attached = _attached(span, context)
    resume, sent = body.asend, None
    while True:
        try:
            with attached:
                item = await resume(sent)
        except StopAsyncIteration:
            ending.finish(recorder, span, None)
            return
        except BaseException as error:
            ending.fail(recorder, span, error)
            raise
        resume, sent = body.asend, None
        try:
            sent = yield item
        except BaseException as error:  # noqa: BLE001 - as above
            resume, sent = body.athrow, error


_DRIVERS = (
    (inspect.CO_COROUTINE, Driver(CoroutineType, _drive_coroutine)),
    (inspect.CO_GENERATOR, Driver(GeneratorType, _drive_generator)),
    (inspect.CO_ASYNC_GENERATOR, Driver(AsyncGeneratorType, _drive_async_generator)),
)
