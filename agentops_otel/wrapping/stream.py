"""Watching what a client gives back bit by bit: coroutines and streams keep their type, and someone sees every step."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import CoroutineType
from typing import Any, Protocol

from opentelemetry.context import Context, attach, detach

from agentops_otel.wrapping.proxy import proxied


class Watcher(Protocol):
    """Who sees the steps."""

    context: Context
    """Attached while the client's own code runs, and at no other time."""

    def returned(self, value: Any) -> Any:
        """The step came to its end with *value*; what is answered here goes to the program."""

    def raised(self, error: BaseException) -> None:
        """The step ended by *error*, which goes on to the program."""


def watch(watcher: Watcher, step: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run one step of the client's code with the watcher's context around it; a coroutine's value is its step's."""
    token = attach(watcher.context)
    try:
        value = step(*args, **kwargs)
    except BaseException as error:
        watcher.raised(error)
        raise
    finally:
        detach(token)
    return Awaited(value, watcher) if isinstance(value, Coroutine) else watcher.returned(value)


class Awaited(Coroutine[Any, Any, Any]):
    """A client's coroutine, watched: the context is attached for each step between two suspensions.

    It passes for the coroutine itself: name, frame, the warning when it is never awaited.
    """

    __slots__ = ("__weakref__", "_begin", "_coroutine", "_watcher")

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        watcher: Watcher | None = None,
        *,
        begin: Callable[[], Watcher | None] | None = None,
    ) -> None:
        self._coroutine = coroutine
        self._watcher = watcher
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
        if self._watcher is not None:
            self._watcher.raised(GeneratorExit())

    def _step(self, step: Callable[..., Any], *args: Any) -> Any:
        if self._begin is not None:
            begin, self._begin = self._begin, None
            self._watcher = begin()
        watcher = self._watcher
        if watcher is None:
            return step(*args)
        token = attach(watcher.context)
        try:
            return step(*args)
        except StopIteration as stop:
            value = stop.value
        except BaseException as error:
            watcher.raised(error)
            raise
        finally:
            detach(token)
        raise StopIteration(watcher.returned(value))


class Extractor(Watcher, Protocol):
    """Who sees a stream's chunks."""

    def left(self) -> None:
        """The program is done with the stream, read to its end or not."""


def watched(stream: Any, reader: Extractor) -> Any:
    """The stream behind a proxy of its own kind; each of its methods that can end it tells the reader."""
    return proxied(stream, reader, _HOOKS)


def _next(self: Any) -> Any:
    # `watch`, written out: this is paid for each chunk.
    reader = self._self_watcher
    token = attach(reader.context)
    try:
        chunk = self.__wrapped__.__next__()
    except BaseException as error:
        reader.raised(error)
        raise
    finally:
        detach(token)
    return reader.returned(chunk)


def _anext(self: Any) -> Any:
    return _stepwise(self._self_watcher, self.__wrapped__.__anext__())


def _iter(self: Any) -> Any:
    return _inner(self, iter(self.__wrapped__))


def _aiter(self: Any) -> Any:
    return _inner(self, aiter(self.__wrapped__))


def _enter(self: Any) -> Any:
    return _inner(self, self.__wrapped__.__enter__())


async def _aenter(self: Any) -> Any:
    return _inner(self, await self.__wrapped__.__aenter__())


def _inner(self: Any, found: Any) -> Any:
    """The stream's own iterator; closing that one does not close the stream."""
    return self if found is self.__wrapped__ else proxied(found, self._self_watcher, _READING)


def _sending(name: str) -> Callable[..., Any]:
    def hook(self: Any, *args: Any) -> Any:
        return watch(self._self_watcher, getattr(self.__wrapped__, name), *args)

    return hook


def _asending(name: str) -> Callable[..., Any]:
    def hook(self: Any, *args: Any) -> Any:
        return _stepwise(self._self_watcher, getattr(self.__wrapped__, name)(*args))

    return hook


def _closing(name: str) -> Callable[..., Any]:
    def hook(self: Any, *args: Any) -> Any:
        return watch(_Leaving(self._self_watcher), getattr(self.__wrapped__, name), *args)

    return hook


class _Leaving:
    """Watches a close."""

    def __init__(self, reader: Extractor) -> None:
        self.context = reader.context
        self._reader = reader

    def returned(self, value: Any) -> Any:
        self._reader.left()
        return value

    def raised(self, error: BaseException) -> None:
        self._reader.left()


def _response(self: Any) -> Any:
    """The HTTP response under the stream: closing it closes the stream."""
    if (found := self.__wrapped__.response) is None:
        return None
    known = getattr(self, "_self_response", None)
    if known is None or known.__wrapped__ is not found:
        known = self._self_response = proxied(found, self._self_watcher, _CLOSING)
    return known


def _stepwise(reader: Extractor, awaitable: Awaitable[Any]) -> Awaitable[Any]:
    """The awaitable, watched; the `asend()` of an async generator has the methods of a coroutine."""
    # A coroutine's own type is asked for first: the other question is ten times slower.
    known = type(awaitable) is CoroutineType or isinstance(awaitable, Coroutine)
    return Awaited(awaitable, reader) if known else awaitable  # type: ignore[arg-type]  # asked above


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
