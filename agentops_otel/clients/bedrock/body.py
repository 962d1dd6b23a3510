"""The body of an InvokeModel response, which the program reads in one of many ways."""

from collections.abc import Callable, Iterator
from typing import Any

from agentops_otel.clients.dialects.raw_response import BODY_LIMIT_BYTES
from agentops_otel.guard import guard
from agentops_otel.instrumentation.call import Call
from agentops_otel.instrumentation.reading import field, loads
from agentops_otel.wrapping.proxy import Hooks, proxied


def observed_body(stream: Any, call: Call, response: Any) -> Any:
    """A proxy of the response's raw stream. The call ends when the program has read all of it, or closes it."""
    return proxied(stream, _Body(call, response), _HOOKS)


class _Body:
    """Collects the bytes that the program reads from a response body."""

    def __init__(self, call: Call, response: Any) -> None:
        self.call = call
        self._headers = field(response, "ResponseMetadata", "HTTPHeaders")
        self._data = bytearray()

    def add(self, data: bytes, *, ends: bool) -> None:
        """Add bytes that were read; at the end of the body, complete the call."""
        with guard("reading a body"):
            if len(self._data) <= BODY_LIMIT_BYTES:
                self._data += data
            if ends or str(len(self._data)) == field(self._headers, "content-length"):
                self._complete()

    def _complete(self) -> None:
        response = loads(self._data)
        counts = {name: field(self._headers, f"x-amzn-bedrock-{name}-token-count") for name in ("input", "output")}
        self.call.completed({**response, "counts": counts} if isinstance(response, dict) else response)


def _reading(name: str, read: Callable[..., tuple[bytes, bool]]) -> Callable[..., Any]:
    """A hook for a method that reads. *read* gives the bytes that it read, and whether they are the last."""

    def hook(self: Any, *args: Any, **kwargs: Any) -> Any:
        body: _Body = self._self_observer
        try:
            result = getattr(self.__wrapped__, name)(*args, **kwargs)
        except BaseException as error:
            body.call.raised(error)
            raise
        with guard("reading a body"):
            data, ends = read(result, *args, **kwargs)
            body.add(data, ends=ends)
        return result

    return hook


def _iterating(name: str) -> Callable[..., Iterator[bytes]]:
    """A hook for a method that iterates. What the program throws into the iteration is its own."""

    def hook(self: Any, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        body: _Body = self._self_observer
        pieces = iter(getattr(self.__wrapped__, name)(*args, **kwargs))
        while True:
            try:
                data = next(pieces)
            except StopIteration:
                break
            except BaseException as error:
                body.call.raised(error)
                raise
            body.add(data, ends=False)
            yield data
        body.add(b"", ends=True)

    return hook


def _close(self: Any) -> None:
    self._self_observer.call.abandoned()
    self.__wrapped__.close()


_HOOKS: Hooks = {
    "read": _reading("read", lambda data, size=None, *_, **__: (data, size is None or (not data and size > 0))),
    "readinto": _reading("readinto", lambda size, buffer: (bytes(memoryview(buffer)[:size]), not size)),
    "readline": _reading("readline", lambda line, *_: (line, not line)),
    "readlines": _reading("readlines", lambda lines, *_: (b"".join(lines), True)),
    **{name: _iterating(name) for name in ("__iter__", "stream")},
    "close": _close,
}
