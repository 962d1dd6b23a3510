"""Observes coroutines and streams of a client without changing their type; an observer gets each step."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import lru_cache
from types import coroutine
from typing import Any, Protocol

from opentelemetry.context import Context

from agentops_otel.tracing import attach_context, leave_context
from agentops_otel.tracing.gc_safe import run_outside_gc
from agentops_otel.wrapping.proxy import proxied


class Observer(Protocol):
    """Observes one call of the client's code."""

    context: Context
    """Attached while the client's own code runs, and at no other time."""

    def returned(self, value: Any) -> Any:
        """The call returned *value*; the result goes to the program in its place."""

    def raised(self, error: BaseException) -> None:
        """The call raised *error*, which goes on to the program."""


class StreamObserver:
    """Observes a stream: each chunk, and the one way in which it ends.

    As an `Observer` of the calls that read the stream, it tells its ends apart.
    """

    __slots__ = ("context",)

    def __init__(self, context: Context) -> None:
        self.context = context
        """Attached while the stream's own code runs, and at no other time."""

    def chunk(self, chunk: Any) -> Any:
        """A chunk was read; the result goes to the program in its place."""
        raise NotImplementedError

    def exhausted(self) -> None:
        """The stream was read to its end."""
        raise NotImplementedError

    def failed(self, error: Exception) -> None:
        """The stream raised *error*."""
        raise NotImplementedError

    def abandoned(self) -> None:
        """The program reads no further: the stream was closed, cancelled or dropped. Also called after its end."""
        raise NotImplementedError

    def returned(self, value: Any) -> Any:
        """A read returned a chunk."""
        return self.chunk(value)

    def raised(self, error: BaseException) -> None:
        """A read raised: StopIteration ends the stream, an Exception is its failure, all else abandons it."""
        if isinstance(error, StopIteration | StopAsyncIteration):
            self.exhausted()
        elif not isinstance(error, Exception):
            self.abandoned()
        elif not _is_read_elsewhere(error):
            self.failed(error)


def _is_read_elsewhere(error: Exception) -> bool:
    """Whether Python refused the read because another thread or task is reading; the stream goes on."""
    return type(error) in (ValueError, RuntimeError) and str(error).endswith(_READ_ELSEWHERE)


_READ_ELSEWHERE = ("generator already executing", "generator is already running")


def observed_call(observer: Observer, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call the client's code in the observer's context. A coroutine is observed as it runs; its value is the call's."""
    token = attach_context(observer.context)
    try:
        value = call(*args, **kwargs)
    except BaseException as error:
        observer.raised(error)
        raise
    finally:
        leave_context(token)
    if _may_be_coroutine(type(value)) and isinstance(value, Coroutine):  # type: ignore[arg-type]  # a class is hashable
        return Awaited(value, observer)
    return observer.returned(value)


class Awaited(Coroutine[Any, Any, Any]):
    """An observed coroutine: the context is attached for each step between two suspensions.

    It looks like the coroutine itself: its type, name and frame, and the warning when it is never awaited.
    """

    __slots__ = ("__weakref__", "_begin", "_coroutine", "_observer")

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        observer: Observer | None = None,
        *,
        begin: Callable[[], Observer | None] | None = None,
    ) -> None:
        self._coroutine = coroutine
        self._observer = observer
        self._begin = begin

    @property  # type: ignore[misc]  # typeshed has it writable
    def __class__(self) -> type:  # isinstance() asks here, and means the client's coroutine
        return type(self._coroutine)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coroutine, name)

    def __repr__(self) -> str:
        return repr(self._coroutine)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self

    def __iter__(self) -> "Awaited":
        return self

    def __next__(self) -> Any:
        return self._step(self._coroutine.send, None)

    def send(self, value: Any) -> Any:
        """Run to the next suspension."""
        return self._step(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        """Raise the error where the coroutine stands."""
        return self._step(self._coroutine.throw, *error)

    def close(self) -> None:
        """Leave the coroutine where it stands."""
        self._coroutine.close()
        if self._observer is not None:
            self._observer.raised(GeneratorExit())

    def _step(self, step: Callable[..., Any], *args: Any) -> Any:
        if self._begin is not None:
            begin, self._begin = self._begin, None
            self._observer = begin()
        observer = self._observer
        if observer is None:
            return step(*args)
        token = attach_context(observer.context)
        try:
            return step(*args)
        except StopIteration as stop:
            value = stop.value
        except BaseException as error:
            observer.raised(error)
            raise
        finally:
            leave_context(token)
        raise StopIteration(observer.returned(value))


class _AwaitedRead(Awaited):
    """An observed read of a stream. Where it is awaited, which most are, a coroutine of Python's own observes it.

    That one is made when the read begins: of one that never does, or is cancelled before, nobody else hears.
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, Any]:
        observer: Any = self._observer
        return _observed_read(self._coroutine, observer).__await__()


async def _observed_read(read: Coroutine[Any, Any, Any], observer: StreamObserver) -> Any:
    """The chunk that an asynchronous read gives; most are there at its first step.

    It does what `Awaited` does, in half the time, which is paid for each chunk: Python passes the result of its own
    coroutines on without an exception.
    """
    try:
        token = attach_context(observer.context)
        try:
            waits_for = read.send(None)
        finally:
            leave_context(token)
        chunk = await _rest_of(read, observer.context, waits_for)
    except StopIteration as stop:
        chunk = stop.value
    except GeneratorExit as error:  # closed, perhaps by the garbage collector
        run_outside_gc(observer.raised, error)
        raise
    except BaseException as error:
        observer.raised(error)
        raise
    return observer.chunk(chunk)


@coroutine
def _rest_of(read: Coroutine[Any, Any, Any], context: Context, waits_for: Any) -> Generator[Any, Any, Any]:
    """The steps of a read after its first one, which waits for something."""
    while True:
        step: Callable[[Any], Any] = read.send
        try:
            given = yield waits_for
        except GeneratorExit:
            read.close()
            raise
        except BaseException as error:  # noqa: BLE001 - the read gets it
            step, given = read.throw, error
        token = attach_context(context)
        try:
            waits_for = step(given)
        except StopIteration as stop:
            return stop.value
        finally:
            leave_context(token)


def observed_stream(stream: Any, observer: StreamObserver) -> Any:
    """A proxy of the stream, of its own type; each method that reads or ends it reports to the observer."""
    return proxied(stream, observer, _HOOKS)


def _next(self: Any) -> Any:
    # `observed_call`, written out: this is paid for each chunk.
    observer = self._self_observer
    token = attach_context(observer.context)
    try:
        chunk = self.__wrapped__.__next__()
    except BaseException as error:
        observer.raised(error)
        raise
    finally:
        leave_context(token)
    return observer.chunk(chunk)


def _anext(self: Any) -> Any:
    return _stepwise(self._self_observer, self.__wrapped__.__anext__())


def _iter(self: Any) -> Any:
    return _inner(self, iter(self.__wrapped__))


def _aiter(self: Any) -> Any:
    return _inner(self, aiter(self.__wrapped__))


def _enter(self: Any) -> Any:
    return _inner(self, self.__wrapped__.__enter__())


async def _aenter(self: Any) -> Any:
    return _inner(self, await self.__wrapped__.__aenter__())


def _inner(self: Any, iterator: Any) -> Any:
    """The stream's own iterator; closing that one does not close the stream."""
    return self if iterator is self.__wrapped__ else proxied(iterator, self._self_observer, _READING)


def _sending(name: str) -> Callable[..., Any]:
    def hook(self: Any, *args: Any) -> Any:
        return observed_call(self._self_observer, getattr(self.__wrapped__, name), *args)

    return hook


def _asending(name: str) -> Callable[..., Any]:
    def hook(self: Any, *args: Any) -> Any:
        return _stepwise(self._self_observer, getattr(self.__wrapped__, name)(*args))

    return hook


def _closing(name: str) -> Callable[..., Any]:
    def hook(self: Any, *args: Any) -> Any:
        return observed_call(_Closing(self._self_observer), getattr(self.__wrapped__, name), *args)

    return hook


class _Closing:
    """Observes the call of a method that closes the stream."""

    def __init__(self, stream: StreamObserver) -> None:
        self.context = stream.context
        self._stream = stream

    def returned(self, value: Any) -> Any:
        self._stream.abandoned()
        return value

    def raised(self, error: BaseException) -> None:
        self._stream.abandoned()


def _response(self: Any) -> Any:
    """The HTTP response under the stream: closing it closes the stream."""
    if (response := self.__wrapped__.response) is None:
        return None
    proxy = getattr(self, "_self_response", None)
    if proxy is None or proxy.__wrapped__ is not response:
        proxy = self._self_response = proxied(response, self._self_observer, _CLOSING)
    return proxy


def _stepwise(observer: StreamObserver, awaitable: Awaitable[Any]) -> Awaitable[Any]:
    """The awaitable, observed; the `asend()` of an async generator has the methods of a coroutine."""
    return _AwaitedRead(awaitable, observer) if _is_coroutine(type(awaitable)) else awaitable  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _is_coroutine(kind: type) -> bool:
    """Whether awaitables of that class have the methods of a coroutine. To ask an abstract class each time is slow."""
    return issubclass(kind, Coroutine)


@lru_cache(maxsize=1024)
def _may_be_coroutine(kind: type) -> bool:
    """Whether an object of that class may be a coroutine, or say that it is one, as a proxy does."""
    changed = ("__class__", "__getattribute__")
    return issubclass(kind, Coroutine) or any(name in vars(base) for base in kind.__mro__[:-1] for name in changed)


_READING = {
    "__iter__": _iter,
    "__next__": _next,
    "__aiter__": _aiter,
    "__anext__": _anext,
    "send": _sending("send"),
    "throw": _sending("throw"),
    "asend": _asending("asend"),
    "athrow": _asending("athrow"),
}
_CLOSING = {name: _closing(name) for name in ("cancel", "close", "aclose", "__exit__", "__aexit__")}
_HOOKS = {**_READING, **_CLOSING, "__enter__": _enter, "__aenter__": _aenter, "response": property(_response)}
