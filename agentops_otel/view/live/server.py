"""Two servers on 127.0.0.1: one takes OTLP over HTTP, one shows what came as a page.

Nothing that a page of somebody else's sends is answered: the `Host` must be ours, against rebinding of names, and an
`Origin`, which every browser sends with what a foreign page asks, must be ours too. What is recorded is read only with
the token that the printed address carries. Standard library alone: a viewer should need no installation.
"""

import hmac
import logging
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import orjson

from agentops_otel.view.live import otlp
from agentops_otel.view.live.store import Codec, Filter, Store

_logger = logging.getLogger("agentops_otel")

HOST = "127.0.0.1"
PORT = 4319
OTLP_PORT = 4318
BODY_BYTES = 32 * 1024 * 1024
"""What a request may be as it is sent."""
_WAIT_S = 25.0
_TIMEOUT_S = 60.0
_COOKIE = "agentops_view"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
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
    """What a request is answered with."""

    status: HTTPStatus = HTTPStatus.OK
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class LiveView:
    """The servers of one store; start them with `with`.

    Args:
        store: What is shown.
        codec: Reads what comes by OTLP.
        port: Of the page; 0 takes a free one.
        otlp_port: Of the receiver; 0 takes a free one.

    Raises:
        OSError: A port is taken.
    """

    def __init__(self, store: Store, codec: Codec, *, port: int = PORT, otlp_port: int = OTLP_PORT) -> None:
        self._token = secrets.token_urlsafe(32)
        self._servers = [_Server(otlp_port, _Receiver(store, codec)), _Server(port, _Page(store, self._token))]
        self.otlp_port, self.port = (server.server_address[1] for server in self._servers)

    @property
    def url(self) -> str:
        """What to open; the token in it is good for this run."""
        return f"http://{HOST}:{self.port}/?token={self._token}"

    @property
    def otlp_endpoint(self) -> str:
        """Where programs send to."""
        return f"http://localhost:{self.otlp_port}"

    def __enter__(self) -> "LiveView":
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, answer: "_Receiver | _Page") -> None:
        self.answer = answer
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away before it had its answer is nobody's error."""
        if not isinstance(sys.exception(), ConnectionError):
            _logger.warning("agentops-otel view could not answer a request", exc_info=True)

    def is_ours(self, host: str) -> bool:
        """Whether a `Host`, or what follows the scheme of an `Origin`, is this server's."""
        name, _, port = host.rpartition(":")
        return name in (HOST, "localhost", "[::1]") and port == str(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP; what is answered is the server's `answer`."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "agentops-otel", ""
    timeout = _TIMEOUT_S
    server: _Server

    def do_GET(self) -> None:
        self._answer(self.server.answer.get)

    def do_POST(self) -> None:
        self._answer(self.server.answer.post)

    def _answer(self, reply_to: Callable[["_Handler"], Reply]) -> None:
        origin = self.headers.get("origin")
        foreign = origin is not None and not self.server.is_ours(origin.removeprefix("http://"))
        if foreign or not self.server.is_ours(self.headers.get("host", "")):
            self.close_connection = True
            self._send(Reply(status=HTTPStatus.FORBIDDEN))
        else:
            self._send(reply_to(self))

    def read(self) -> bytes:
        """The body.

        Raises:
            ValueError: It has no length, or is too large.
        """
        try:
            length = int(self.headers.get("content-length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= BODY_BYTES:
            self.close_connection = True  # the rest of it is never read
            raise ValueError(f"a body needs a content-length of {BODY_BYTES} at most")
        return self.rfile.read(length)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {**_SECURITY, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("content-type", reply.content_type)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


class _Receiver:
    """`POST /v1/traces`."""

    def __init__(self, store: Store, codec: Codec) -> None:
        self._store = store
        self._codec = codec

    def get(self, request: _Handler) -> Reply:
        """Nothing is read here."""
        return Reply(status=HTTPStatus.METHOD_NOT_ALLOWED)

    def post(self, request: _Handler) -> Reply:
        """Keep the spans of an ExportTraceServiceRequest."""
        content_type = request.headers.get("content-type", "")
        try:
            body = request.read()
            if request.path != "/v1/traces":
                return Reply(status=HTTPStatus.NOT_FOUND)
            encoding = request.headers.get("content-encoding", "").lower()
            spans = otlp.decode(body, self._codec, content_type=content_type, encoding=encoding)
        except ValueError as error:
            return Reply(status=HTTPStatus.BAD_REQUEST, body=str(error).encode(), content_type="text/plain")
        if spans:
            self._store.add(spans)
        # An ExportTraceServiceResponse without partial success is empty.
        return Reply(body=b"{}" if "json" in content_type else b"", content_type=content_type or "application/json")


class _Page:
    """The page, and what it asks for."""

    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        self._token = token
        folder = files("agentops_otel.view.live").joinpath("page")
        self._files = {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}

    def post(self, request: _Handler) -> Reply:
        """The page changes nothing."""
        return Reply(status=HTTPStatus.METHOD_NOT_ALLOWED)

    def get(self, request: _Handler) -> Reply:
        """A file of the page, or data for it."""
        url = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/" and self._is_token(query.get("token", "")):
            # Into a cookie, so that the address can be shown, copied and kept without it.
            cookie = f"{_COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/"
            return Reply(status=HTTPStatus.SEE_OTHER, headers={"location": "/", "set-cookie": cookie})
        cookies = SimpleCookie(request.headers.get("cookie", ""))
        if _COOKIE not in cookies or not self._is_token(cookies[_COOKIE].value):
            text = b"Open the address that agentops-otel view has printed."
            return Reply(status=HTTPStatus.FORBIDDEN, body=text, content_type="text/plain")
        return self._data(url.path, query) if url.path.startswith("/api/") else self._file(url.path)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _file(self, path: str) -> Reply:
        name = path.removeprefix("/") or "index.html"
        if name not in self._files:
            return Reply(status=HTTPStatus.NOT_FOUND)
        return Reply(body=self._files[name], content_type=_TYPES[name[name.rindex(".") :]])

    def _data(self, path: str, query: Mapping[str, str]) -> Reply:
        match path.split("/")[2:]:
            case ["runs"]:
                found: object = self._store.runs(_filter(query))
            case ["runs", trace]:
                found = self._store.run(trace)
            case ["choices"]:
                found = self._store.choices()
            case ["changes"]:
                since = query.get("since", "")
                found = self._store.wait(int(since) if since.isdecimal() else -1, _WAIT_S)
            case ["otlp", trace]:
                kept = {"content-disposition": f'attachment; filename="{trace[:32]}.jsonl"'} if trace.isalnum() else {}
                return Reply(body=self._store.export(trace), headers=kept)
            case _:
                found = None
        if found is None:
            return Reply(status=HTTPStatus.NOT_FOUND)
        return Reply(body=orjson.dumps(found, default=str, option=orjson.OPT_NON_STR_KEYS))


def _filter(query: Mapping[str, str]) -> Filter:
    """The filter that an address asks for; what is no number is none."""
    words = {name: query.get(name, "") for name in ("text", "model", "tool", "agent", "tag", "service")}
    return Filter(
        **words,
        failed=query.get("failed") == "1",
        slower_s=_number(query.get("slower")),
        dearer_usd=_number(query.get("dearer")),
        sort=query.get("sort", "start"),
        ascending=query.get("order") == "up",
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
