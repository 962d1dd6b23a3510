"""HTTP/1.1 on a plain socket, spoken by h11.

Not by urllib3, httpx or http.client: libraries that record or answer a program's requests in tests (vcrpy, responses,
respx, pook) patch those, and would catch our requests too.
"""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

import h11

from agentops_otel.export.connection import OtherProtocolError, remaining_s

_LIMIT_BYTES = 1024 * 1024
"""The longest answer that is read. After a longer one the connection is closed."""
_READ_BYTES = 64 * 1024
"""Bytes per read, and the longest headers of an answer."""

_BEGINNING = b"HTTP/"
"""The first bytes of a response."""


class Response(NamedTuple):
    """An answer."""

    status: int
    headers: Mapping[str, str]
    """Headers, by names in lower case."""
    content: bytes


class Connection:
    """One connection, with one request at a time.

    Args:
        connected: The socket; the connection closes it.
        read_bytes: How much is read at once. 1: nothing beyond an answer, for what is then spoken on the socket.
    """

    def __init__(self, connected: socket.socket, *, read_bytes: int = _READ_BYTES) -> None:
        self._socket = connected
        self._read_bytes = read_bytes
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_READ_BYTES)

    def usable(self) -> bool:
        """Whether another request can be sent: the last one is complete, nothing came after it, nobody has closed."""
        if self._http.our_state is not h11.IDLE or self._http.trailing_data[0]:
            return False
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            pass
        return False  # closed, or a response without a request

    def request(self, method: str, target: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Response:
        """Send one request and wait for its answer.

        Args:
            method: "POST".
            target: The path and the query; or what a proxy is asked for.
            headers: All but the length.
            body: The content.
            deadline: When to give up, by `time.monotonic`.

        Raises:
            OSError: The connection failed, the server violates HTTP, or the deadline passed.
        """
        try:
            return self._exchange(method, target, headers, body, deadline)
        except h11.ProtocolError as error:
            raise ConnectionError("no HTTP as it should be") from error

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Response:
        lines = [*headers.items(), *([("content-length", str(len(body)))] if body or method == "POST" else [])]
        head = self._http.send(h11.Request(method=method, target=target, headers=lines))
        content = self._http.send(h11.Data(data=body)) if body else b""
        end = self._http.send(h11.EndOfMessage())
        # The other side may have answered, and closed, before it has read everything.
        with suppress(BrokenPipeError, ConnectionResetError):
            for data in filter(None, (head, content, end)):
                self._socket.settimeout(remaining_s(deadline))
                self._socket.sendall(data)
        return self._response(deadline)

    def _response(self, deadline: float) -> Response:
        head: h11.Response | None = None
        content = bytearray()
        while len(content) < _LIMIT_BYTES:
            match self._next_event(deadline):
                case h11.Response() as head:
                    pass
                case h11.Data(data=data):
                    content += data
                case h11.EndOfMessage() | h11.ConnectionClosed() | h11.PAUSED:  # the last: a tunnel begins
                    break
        if head is None:
            raise ConnectionResetError("the connection was closed")
        if self._http.our_state is h11.DONE is self._http.their_state:
            self._http.start_next_cycle()
        named = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        return Response(head.status_code, named, bytes(content))

    def _next_event(self, deadline: float) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._socket.settimeout(remaining_s(deadline))
            data = self._socket.recv(self._read_bytes)
            begun = (self._http.trailing_data[0] + data)[: len(_BEGINNING)]
            if self._http.their_state is h11.SEND_RESPONSE and not _BEGINNING.startswith(begun):
                raise OtherProtocolError
            self._http.receive_data(data)
        return event
