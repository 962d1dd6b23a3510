"""Raw answers (`with_raw_response`, `with_streaming_response`), of which the program reads what it likes."""

from collections.abc import Callable
from typing import Any

from agentops_otel.instrumentation.call import Call
from agentops_otel.instrumentation.reading import field, joined, loads
from agentops_otel.wrapping.proxy import proxied
from agentops_otel.wrapping.stream import observed_call, observed_stream

BODY_LIMIT_BYTES = 1024 * 1024
"""As much of a body that the program reads piece by piece is kept to be understood."""


def wrap_result(call: Call, response: Any) -> Any:
    """A raw response is read where its body is there already, and watched where it is still to come."""
    http = field(response, "http_response")
    if http is None:
        call.completed(response)
    elif field(http, "is_stream_consumed"):
        call.completed(loads(http.content))
    else:
        return proxied(response, call, _HOOKS)
    return response


class _Step:
    """Watches a step of a response's reading; *told* says what the program gets for what came of it."""

    def __init__(self, response: Any, told: Callable[[Call, Any, Any], Any]) -> None:
        self._response = response
        self._told = told
        self._call: Call = response._self_observer
        self.context = self._call.context

    def returned(self, value: Any) -> Any:
        return self._told(self._call, self._response, value)

    def raised(self, error: BaseException) -> None:
        self._call.raised(error)


def _step(name: str, told: Callable[[Call, Any, Any], Any]) -> Callable[..., Any]:
    def hook(self: Any, *args: Any, **kwargs: Any) -> Any:
        return observed_call(_Step(self, told), getattr(self.__wrapped__, name), *args, **kwargs)

    return hook


def _parsed(call: Call, response: Any, value: Any) -> Any:
    """What was parsed tells what it says; a stream comes back watched, the same one each time."""
    parsed, given = getattr(response, "_self_parsed", (None, None))
    if parsed is None or parsed is not value:
        given = call.returned(value)
        response._self_parsed = value, given
    return given


def _read(call: Call, response: Any, value: Any) -> Any:
    """The whole body may be there now."""
    try:
        call.completed(loads(response.http_response.content))
    except RuntimeError:  # closed before it was read, or read in pieces
        call.abandoned()
    return value


def _iterating(name: str, end: bytes = b"") -> Callable[..., Any]:
    def fold(whole: dict[str, Any], piece: Any) -> None:
        body: bytearray = whole.setdefault("body", bytearray())
        if len(body) <= BODY_LIMIT_BYTES:
            body += (piece if isinstance(piece, bytes) else piece.encode("utf-8", "replace")) + end

    def hook(self: Any, *args: Any, **kwargs: Any) -> Any:
        call: Call = self._self_observer
        found = getattr(self.__wrapped__, name)(*args, **kwargs)
        return observed_stream(
            found, call.stream_observer(fold, lambda whole: _whole(call, whole), says_streamed=False)
        )

    return hook


_HOOKS = {
    "parse": _step("parse", _parsed),
    **{name: _step(name, _read) for name in ("read", "text", "json", "close")},
    **{name: _iterating(name) for name in ("iter_bytes", "iter_text")},
    "iter_lines": _iterating("iter_lines", end=b"\n"),
}


def _whole(call: Call, whole: dict[str, Any]) -> Any:
    """What the body says: JSON, or server-sent events to fold."""
    body = bytes(whole.get("body", b""))
    if not body.lstrip().startswith((b"data:", b"event:", b":")) or call.operation.fold is None:
        return loads(body)
    folded: dict[str, Any] = {}
    for line in body.splitlines():
        if line.startswith(b"data:") and isinstance(chunk := loads(line[5:]), dict):
            call.operation.fold(folded, chunk)
    return joined(folded)
