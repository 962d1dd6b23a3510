"""Runs coroutines and generators step by step: the span covers their life and is the current one in their body only.

Consumers see no difference: values, `send`, `throw`, `close`, the return value and exceptions are those of the body.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, nullcontext
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, set_span_in_context

from agentops_otel.tracing import Recorder, attached


class SpanEnder(Protocol):
    """Ends the span of a body, once, by one of its two methods."""

    def finish(self, recorder: Recorder, span: Span, result: object) -> None:
        """The body returned *result*."""

    def fail(self, recorder: Recorder, span: Span, error: BaseException) -> None:
        """The body raised *error*."""


StartedSpan = tuple[Span, Context | None]
"""A started span, and the context of the body without the span; None: the context of the first step."""


class Driver:
    """Runs bodies of one type (coroutines, generators) in a span that starts with the first step."""

    __slots__ = ("_drive", "_type")

    def __init__(self, kind: type, drive: Callable[[SpanEnder, Recorder, Any, Callable[[], StartedSpan]], Any]) -> None:
        self._type = kind
        self._drive = drive

    def accepts(self, result: object) -> bool:
        """True if the result is of the driver's type."""
        return type(result) is self._type

    def __call__(self, ender: SpanEnder, recorder: Recorder, body: Any, start: Callable[[], StartedSpan]) -> Any:
        """An object of the body's type and name that replaces it."""
        result = self._drive(ender, recorder, body, start)
        result.__name__, result.__qualname__ = body.__name__, body.__qualname__
        return result


def driver_for(code_flags: int) -> Driver | None:
    """The driver for results of a function with these code flags; None if they are returned as they are."""
    return next((driver for flag, driver in _DRIVERS if code_flags & flag), None)


def _attached(span: Span, context: Context | None) -> AbstractContextManager[None]:
    return nullcontext() if span is INVALID_SPAN else attached(set_span_in_context(span, context))


class _Unawaited:
    """Closes a coroutine that was never started: only our wrapper warns "never awaited"."""

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
    ender: SpanEnder, recorder: Recorder, coroutine: Coroutine[Any, Any, Any], start: Callable[[], StartedSpan]
) -> Coroutine[Any, Any, Any]:
    return _await(ender, recorder, _Unawaited(coroutine), start)


async def _await(ender: SpanEnder, recorder: Recorder, body: _Unawaited, start: Callable[[], StartedSpan]) -> Any:
    span, context = start()
    del start  # it keeps the arguments alive, and the body may delete its own reference
    if span is INVALID_SPAN:
        return await body.take()
    try:
        with recorder.active(span, context):
            result = await body.take()
    except BaseException as error:
        ender.fail(recorder, span, error)
        raise
    ender.finish(recorder, span, result)
    return result


def _drive_generator(
    ender: SpanEnder, recorder: Recorder, body: Generator[Any, Any, Any], start: Callable[[], StartedSpan]
) -> Generator[Any, Any, Any]:
    span, context = start()
    del start
    step = _attached(span, context)
    resume, sent = body.send, None
    while True:
        try:
            with step:
                item = resume(sent)
        except StopIteration as stop:
            ender.finish(recorder, span, stop.value)
            return stop.value
        except BaseException as error:
            ender.fail(recorder, span, error)
            raise
        # An exception thrown in is passed on after the `except`, not in it: there the body's own errors would get a
        # `__context__` that they do not have without us. This serves `close` too: the body answers GeneratorExit as it
        # likes, and Python judges the answer on our generator.
        resume, sent = body.send, None
        try:
            sent = yield item
        except BaseException as error:  # noqa: BLE001 - thrown into the body
            resume, sent = body.throw, error


async def _drive_async_generator(
    ender: SpanEnder, recorder: Recorder, body: AsyncGenerator[Any, Any], start: Callable[[], StartedSpan]
) -> AsyncGenerator[Any, Any]:
    span, context = start()
    del start
    step = _attached(span, context)
    resume, sent = body.asend, None
    while True:
        try:
            with step:
                item = await resume(sent)
        except StopAsyncIteration:
            ender.finish(recorder, span, None)
            return
        except BaseException as error:
            ender.fail(recorder, span, error)
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
