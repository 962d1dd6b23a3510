"""The two servers of `agentops-otel view`: one takes OTLP over HTTP, one shows what came as a page.

What is recorded is read only with the token that the printed address carries. Standard library alone: a viewer should
need no installation.
"""

import hmac
import math
import secrets
import threading
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from http.cookies import SimpleCookie
from importlib.resources import files
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import orjson

from agentops_otel.view.live import otlp, saved
from agentops_otel.view.live.loopback import HOST, Reply, Request, Server
from agentops_otel.view.live.store import Codec, Store
from agentops_otel.view.live.wanted import Filter

_TRACES = "/v1/traces"
_WAIT_S = 25.0
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}


class LiveView:
    """The servers of one store; start them with `with`.

    Args:
        store: What is shown.
        codec: Reads what comes by OTLP.
        port: Of the page; 0 takes a free one.
        otlp_port: Of the receiver; 0 takes a free one.
        links: Where a run can be seen besides: a name, and an address with `{trace}` in the place of the trace's id.

    Raises:
        OSError: A port is taken.
    """

    def __init__(
        self,
        store: Store,
        codec: Codec,
        *,
        port: int,
        otlp_port: int,
        links: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._token = secrets.token_urlsafe(32)
        self._servers = [Server(otlp_port, _Receiver(store, codec)), Server(port, _Page(store, self._token, links))]
        self.otlp_port, self.port = (server.server_address[1] for server in self._servers)

    @property
    def url(self) -> str:
        """The page's address. Its token is valid until the server stops."""
        return f"http://{HOST}:{self.port}/?token={self._token}"

    @property
    def otlp_endpoint(self) -> str:
        """The OTLP endpoint for programs."""
        return f"http://localhost:{self.otlp_port}"

    def __enter__(self) -> "LiveView":
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Receiver:
    """`POST /v1/traces`."""

    def __init__(self, store: Store, codec: Codec) -> None:
        self._store = store
        self._codec = codec

    def get(self, request: Request) -> Reply:
        """Answer whether a trace has arrived, for `agentops-otel doctor`. Nothing else can be read here."""
        path, _, trace = request.path.rpartition("/")
        if path != _TRACES or not trace:
            return Reply(status=HTTPStatus.METHOD_NOT_ALLOWED)
        return Reply(status=HTTPStatus.OK if self._store.runs(Filter(trace=trace)) else HTTPStatus.NOT_FOUND)

    def post(self, request: Request) -> Reply:
        """Keep the spans of an ExportTraceServiceRequest."""
        content_type = request.headers.get("content-type", "")
        try:
            body = request.read()
            if request.path != _TRACES:
                return Reply(status=HTTPStatus.NOT_FOUND)
            encoding = request.headers.get("content-encoding", "").lower()
            spans = otlp.decode(body, self._codec, content_type=content_type, encoding=encoding)
            if spans:
                self._store.add(spans)
        except ValueError as error:
            return Reply(status=HTTPStatus.BAD_REQUEST, body=str(error).encode(), content_type="text/plain")
        # An ExportTraceServiceResponse without partial success is empty.
        return Reply(body=b"{}" if "json" in content_type else b"", content_type=content_type or "application/json")


class _Page:
    """The page, and what it asks for."""

    def __init__(self, store: Store, token: str, links: Mapping[str, str]) -> None:
        self._store = store
        self._links = dict(links)
        self._token = token
        folder = files("agentops_otel.view.live").joinpath("page")
        self._files = {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}

    def post(self, request: Request) -> Reply:
        """Refused: the page changes nothing."""
        return Reply(status=HTTPStatus.METHOD_NOT_ALLOWED)

    def get(self, request: Request) -> Reply:
        """A file of the page, or data for it."""
        url = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/" and self._is_token(query.get("token", "")):
            # Into a cookie, so that the address can be shown, copied and kept without it.
            cookie = f"{_cookie(request)}={self._token}; HttpOnly; SameSite=Strict; Path=/"
            return Reply(status=HTTPStatus.SEE_OTHER, headers={"location": "/", "set-cookie": cookie})
        cookies = SimpleCookie(request.headers.get("cookie", ""))
        given = cookies.get(_cookie(request))
        if given is None or not self._is_token(given.value):
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
                answer: object = self._store.runs(_filter(query))
            case ["runs", trace]:
                answer = self._store.run(trace)
            case ["totals"]:
                answer = self._store.totals(_filter(query))
            case ["links"]:
                answer = self._links
            case ["choices"]:
                answer = self._store.choices()
            case ["changes"]:
                answer = self._store.wait(int(_number(query.get("since")) or 0), _WAIT_S)
            case ["otlp", trace]:
                headers = (
                    {"content-disposition": f'attachment; filename="{trace[:32]}.jsonl"'} if trace.isalnum() else {}
                )
                return Reply(body=self._store.export(trace), headers=headers)
            case ["html", trace] if trace and self._store.runs(Filter(trace=trace)):
                # Only as a download: this server's content security policy would forbid its scripts.
                headers = {"content-disposition": f'attachment; filename="{trace}.html"'}
                parts = saved.parts(self._store, title=trace, trace=trace)
                return Reply(body=parts, content_type=_TYPES[".html"], headers=headers)
            case _:
                answer = None
        if answer is None:
            return Reply(status=HTTPStatus.NOT_FOUND)
        return Reply(body=orjson.dumps(answer, default=str, option=orjson.OPT_NON_STR_KEYS))


def _filter(query: Mapping[str, str]) -> Filter:
    """The filter in a query string. An invalid number counts as not given."""
    words = {name: query.get(name, "") for name in ("trace", "text", "model", "tool", "agent", "tag", "service")}
    return Filter(
        **words,
        since_s=_midnight(query.get("since")),
        until_s=_midnight(query.get("until"), after=timedelta(days=1)),
        failed=query.get("failed") == "1",
        slower_s=_number(query.get("slower")),
        dearer_usd=_number(query.get("dearer")),
        sort=query.get("sort", "start"),
        ascending=query.get("order") == "up",
    )


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "nan")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _midnight(day: str | None, *, after: timedelta = timedelta()) -> float | None:
    """Seconds since the epoch at the start of a day by this machine's clock; None for an invalid day."""
    try:
        return datetime.combine(date.fromisoformat(day or "") + after, time.min).timestamp()
    except (ValueError, OverflowError):
        return None


def _cookie(request: Request) -> str:
    """The cookie's name, with the port: cookies are shared by all ports, and two of these servers may run."""
    return f"agentops_view_{request.server.server_address[1]}"
