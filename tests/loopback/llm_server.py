"""A model's HTTP server on loopback: says what the test tells it to, whole or bit by bit; keeps what it was sent.

with LlmServer() as server:
    server.answer(Answer.json({"id": "1", ...}))          # the next request gets this one
    server.answer(Answer.events([{...}, {...}], cut=True)) # and the one after it a stream that breaks off
    OpenAI(base_url=f"{server.url}/v1").chat.completions.create(...)
    server.requests[0].body
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

WAIT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server says to one request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    body: bytes | None = None
    chunks: Sequence[bytes] = ()
    """The body bit by bit, where there is no `body`."""
    cut: bool = False
    """The connection breaks after the last chunk, before the body is at its end."""
    gate: threading.Event | None = None
    """The chunks after the first wait for it."""

    @classmethod
    def json(cls, value: object, status: int = 200, **headers: str) -> Self:
        """A whole JSON answer."""
        return cls(
            status=status, headers={"content-type": "application/json", **headers}, body=json.dumps(value).encode()
        )

    @classmethod
    def events(
        cls, events: Sequence[Any], *, done: bool = True, cut: bool = False, gate: threading.Event | None = None
    ) -> Self:
        """Server-sent events: each a JSON value, named by its "type" where it has one, or bytes as they are."""
        chunks = [event if isinstance(event, bytes) else _event(event) for event in events]
        return cls(
            headers={"content-type": "text/event-stream"},
            chunks=[*chunks, b"data: [DONE]\n\n"] if done and not cut else chunks,
            cut=cut,
            gate=gate,
        )


def _event(value: Any) -> bytes:
    name = f"event: {value['type']}\n" if isinstance(value, dict) and "type" in value else ""
    return f"{name}data: {json.dumps(value)}\n\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came."""

    path: str
    headers: tuple[tuple[str, str], ...]
    """As they stood on the wire."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client went away in the middle, as some tests want."""


class LlmServer:
    """The server; a `with` block starts and stops it."""

    def __init__(self, script: Callable[[Request], Answer] | None = None) -> None:
        """*script* decides the answer of a request; without one those of `answer` are said in turn."""
        self.requests: list[Request] = []
        self._script = script
        self._answers: deque[Answer] = deque()
        self._http = _HttpServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.002})
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._http.server_address[1])

    def answer(self, answer: Answer, times: int = 1) -> None:
        """Say this to the next request, or to so many of them."""
        self._answers.extend([answer] * times)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join(WAIT_S)
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = WAIT_S
            disable_nagle_algorithm = True  # or a body after its headers waits 40 ms for the client's word

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                request = Request(path=self.path, headers=tuple(self.headers.items()), body=body)
                server.requests.append(request)
                server._say(self, server._script(request) if server._script else server._answers.popleft())

            do_GET = do_DELETE = do_POST

            def date_time_string(self, timestamp: float | None = None) -> str:
                """The same each time, so that answers can be compared."""
                return "Thu, 01 Jan 2026 00:00:00 GMT"

            def log_message(self, format: str, *args: object) -> None: ...

        return Handler

    def _say(self, to: BaseHTTPRequestHandler, answer: Answer) -> None:
        to.send_response(answer.status)
        for name, value in answer.headers.items():
            to.send_header(name, value)
        if answer.body is not None:
            to.send_header("content-length", str(len(answer.body)))
            to.end_headers()
            to.wfile.write(answer.body)
            return
        to.send_header("transfer-encoding", "chunked")
        to.end_headers()
        try:
            self._say_chunks(to, answer)
        except OSError:
            to.close_connection = True  # the client has gone, as some tests want

    @staticmethod
    def _say_chunks(to: BaseHTTPRequestHandler, answer: Answer) -> None:
        for number, chunk in enumerate(answer.chunks):
            if number == 1 and answer.gate is not None:
                answer.gate.wait(WAIT_S)
            to.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            to.wfile.flush()
        if answer.cut:
            to.close_connection = True
        else:
            to.wfile.write(b"0\r\n\r\n")
