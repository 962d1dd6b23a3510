"""An HTTP server on 127.0.0.1 with checks of `Host` and `Origin` and limits. It knows nothing of spans.

Requests from other sites' pages are refused: the `Host` must be ours (against DNS rebinding), and so must the `Origin`,
which browsers send with requests from foreign pages.
"""

import logging
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from types import MappingProxyType
from typing import Protocol

_logger = logging.getLogger("agentops_otel")

HOST = "127.0.0.1"
BODY_BYTES = 32 * 1024 * 1024
"""The largest body of a request, as it is sent."""
CONNECTIONS = 64
"""The most open connections. A further one is closed at once."""
_TIMEOUT_S = 60.0
_SIZE_LINE_BYTES = 64
_SECURITY: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "no-store",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The response to a request."""

    status: HTTPStatus = HTTPStatus.OK
    body: bytes | Iterable[bytes] = b""
    """In parts, where it is not held as a whole."""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Answers(Protocol):
    """Answers requests."""

    def get(self, request: "Request") -> Reply:
        """The answer to a GET."""

    def post(self, request: "Request") -> Reply:
        """The answer to a POST."""


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1, a thread a connection.

    Args:
        port: 0 takes a free one.
        answers: What is served.
    """

    daemon_threads = True
    request_queue_size = CONNECTIONS  # With the usual 5, a connection of a burst waits for a second and more.

    def __init__(self, port: int, answers: Answers) -> None:
        self.answers = answers
        self._room = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__((HOST, port), Request)

    def process_request(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Answer in a thread, or close what is too many."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Make room for another when this one is done."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a browser that closed the connection before its answer."""
        if not isinstance(sys.exception(), ConnectionError):
            _logger.warning("agentops-otel view could not answer a request", exc_info=True)

    def is_ours(self, host: str) -> bool:
        """Whether a `Host`, or what follows the scheme of an `Origin`, is this server's."""
        name, _, port = host.rpartition(":")
        return name in (HOST, "localhost", "[::1]") and port == str(self.server_address[1])


class Request(BaseHTTPRequestHandler):
    """The requests of a connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "agentops-otel", ""
    timeout = _TIMEOUT_S
    server: Server

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer(self.server.answers.get)

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer(self.server.answers.post)

    def _answer(self, reply_to: Callable[["Request"], Reply]) -> None:
        origin = self.headers.get("origin")
        foreign = origin is not None and not self.server.is_ours(origin.removeprefix("http://"))
        if foreign or not self.server.is_ours(self.headers.get("host", "")):
            self._send(Reply(status=HTTPStatus.FORBIDDEN))
        else:
            self._send(reply_to(self))

    def read(self) -> bytes:
        """The body.

        Raises:
            ValueError: Its length is not given, or it is too large.
        """
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._read_chunks()
        return self.rfile.read(_size(self.headers.get("content-length", ""), 10))

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := _size(self.rfile.readline(_SIZE_LINE_BYTES).partition(b";")[0].decode("latin-1"), 16):
            body += self.rfile.read(size)
            self.rfile.readline(_SIZE_LINE_BYTES)
            _size(f"{len(body)}", 10)
        while self.rfile.readline(_SIZE_LINE_BYTES).strip():
            pass  # trailers
        return bytes(body)

    def _send(self, reply: Reply) -> None:
        # A refused body may not have been read: its rest would be taken for a request.
        self.close_connection |= reply.status >= HTTPStatus.BAD_REQUEST
        self.send_response(reply.status)
        for name, value in {**_SECURITY, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("content-type", reply.content_type)
        if isinstance(reply.body, bytes):
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        else:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for part in filter(None, reply.body):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


def _size(digits: str, base: int) -> int:
    try:
        size = int(digits, base)
    except ValueError:
        size = -1
    if not 0 <= size <= BODY_BYTES:
        raise ValueError(f"a body says its length, which is {BODY_BYTES} bytes at most")
    return size
