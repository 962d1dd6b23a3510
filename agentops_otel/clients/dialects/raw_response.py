"""Raw responses (`with_raw_response`, `with_streaming_response`, `cast_to`), whose body the program reads itself."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from agentops_otel.clients.dialects import server_sent_events
from agentops_otel.instrumentation.call import Call
from agentops_otel.instrumentation.folding import joined
from agentops_otel.instrumentation.reading import field, loads
from agentops_otel.wrapping.proxy import proxied
from agentops_otel.wrapping.stream import observed_call, observed_stream

BODY_LIMIT_BYTES = 1024 * 1024
"""The limit of what is kept of a body that the program reads in pieces."""


def wrap_result(call: Call, response: Any) -> Any:
    """Complete the call now if the body was read, otherwise when the program reads it."""
    if is_model(type(response)):  # type: ignore[arg-type]  # a class is hashable
        call.completed(response)
        return response
    http = response if _is_http_response(response) else field(response, "http_response")
    if http is None:
        call.completed(_parsed_text(response))
    elif field(http, "is_stream_consumed"):
        call.completed(loads(http.content))
    elif http is response:  # `cast_to=httpx.Response` of a stream, which has no wrapper to observe
        call.completed(None)
    else:
        return proxied(response, call, _HOOKS)
    return response


@lru_cache(maxsize=1024)
def is_model(kind: type) -> bool:
    """Whether objects of that class are parsed responses: pydantic models."""
    return hasattr(kind, "__pydantic_fields__")


def _is_http_response(response: Any) -> bool:
    """Whether it is httpx's own response; openai's binary content, which has most of its methods, is not."""
    return hasattr(type(response), "raise_for_status")


def _parsed_text(response: Any) -> Any:
    """The response, or the JSON in it if the program asked for a text (`cast_to=str`)."""
    parsed = loads(response) if isinstance(response, str | bytes) else None
    return parsed if isinstance(parsed, dict) else response


class _Step:
    """Observes one method that reads the response. *read* makes the program's result from the method's."""

    def __init__(self, response: Any, read: Callable[[Call, Any, Any], Any]) -> None:
        self._response = response
        self._read = read
        self._call: Call = response._self_observer
        self.context = self._call.context

    def returned(self, value: Any) -> Any:
        return self._read(self._call, self._response, value)

    def raised(self, error: BaseException) -> None:
        self._call.raised(error)


def _step(name: str, read: Callable[[Call, Any, Any], Any]) -> Callable[..., Any]:
    def hook(self: Any, *args: Any, **kwargs: Any) -> Any:
        return observed_call(_Step(self, read), getattr(self.__wrapped__, name), *args, **kwargs)

    return hook


def _parsed(call: Call, response: Any, value: Any) -> Any:
    """The parsed response. A stream is observed, and is the same object at each call."""
    parsed, given = getattr(response, "_self_parsed", (None, None))
    if parsed is None or parsed is not value:
        given = call.returned(value)
        response._self_parsed = value, given
    return given


def _read(call: Call, response: Any, value: Any) -> Any:
    """Complete the call if the whole body was read."""
    try:
        call.completed(loads(response.http_response.content))
    except RuntimeError:  # closed before it was read, or read in pieces
        call.abandoned()
    return value


def _iterating(name: str, end: bytes = b"") -> Callable[..., Any]:
    def fold(folded: dict[str, Any], piece: Any) -> None:
        body: bytearray = folded.setdefault("body", bytearray())
        if len(body) <= BODY_LIMIT_BYTES:
            body += (piece if isinstance(piece, bytes) else piece.encode("utf-8", "replace")) + end

    def hook(self: Any, *args: Any, **kwargs: Any) -> Any:
        call: Call = self._self_observer
        pieces = getattr(self.__wrapped__, name)(*args, **kwargs)
        return observed_stream(
            pieces, call.stream_observer(fold, lambda folded: _response_in(call, folded), says_streamed=False)
        )

    return hook


_HOOKS = {
    "parse": _step("parse", _parsed),
    **{name: _step(name, _read) for name in ("read", "text", "json", "close")},
    **{name: _iterating(name) for name in ("iter_bytes", "iter_text")},
    "iter_lines": _iterating("iter_lines", end=b"\n"),
}


def _response_in(call: Call, folded: dict[str, Any]) -> Any:
    """The response in the body: JSON, or server-sent events to fold."""
    body = bytes(folded.get("body", b""))
    if call.operation.fold is None or not server_sent_events.are_events(body):
        return loads(body)
    response: dict[str, Any] = {}
    for event in server_sent_events.events(body.splitlines()):
        call.operation.fold(response, event)
    return joined(response)
