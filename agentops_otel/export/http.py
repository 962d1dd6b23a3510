"""OTLP over HTTP, by urllib3."""

import gzip
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from itertools import islice
from types import ModuleType
from urllib.parse import unquote, urlsplit

import certifi
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from agentops_otel.config import Destination
from agentops_otel.export.fork_guard import no_fork
from agentops_otel.export.log_filter import without_debug_logs
from agentops_otel.export.sender import Answer, Verdict
from agentops_otel.version import VERSION

_LIMIT_BYTES = 64 * 1024 * 1024
_READ_BYTES = 64 * 1024
_CONTENT_TYPE = "application/x-protobuf"


def _zstandard() -> ModuleType:
    with no_fork:
        return import_module("zstandard")


COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 1),
    "deflate": lambda body: zlib.compress(body, 1),
    "zstd": lambda body: _zstandard().compress(body, 1),
}
_VERDICTS = {
    **dict.fromkeys((429, 502, 503, 504), Verdict.RETRY),
    **dict.fromkeys((408, 500), Verdict.RETRY_FEW),
    **dict.fromkeys((401, 403), Verdict.UNAUTHORISED),
    400: Verdict.BAD,
    413: Verdict.TOO_LARGE,
}
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (SSLError, "TLS failed"),
    (NameResolutionError, "unknown host"),
    (NewConnectionError, "no connection"),
    (ConnectTimeoutError, "no connection in time"),
    (ProxyError, "the proxy failed"),
    (ReadTimeoutError, "no answer in time"),
)


class HttpTransport:
    """Sends to the destination's endpoint over kept-alive connections; redirects are not followed."""

    limit_bytes = _LIMIT_BYTES

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._pool: urllib3.PoolManager | None = None
        self._inherited: urllib3.PoolManager | None = None
        self._headers = {
            **destination.headers,
            "content-type": _CONTENT_TYPE,
            "user-agent": f"agentops-otel/{VERSION}",
        }
        self._compress = COMPRESS.get(destination.compression)
        if self._compress:
            self._headers["content-encoding"] = destination.compression

    @without_debug_logs()
    def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
        """Send one request and wait for its answer."""
        if self._pool is None:
            self._pool = pool(self._destination)
        try:
            response = self._pool.request(
                "POST",
                self._destination.endpoint,
                body=self._compress(body) if self._compress else body,
                headers={**self._headers, **headers},
                timeout=urllib3.Timeout(total=timeout_s),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                content = response.read(_READ_BYTES)
            finally:
                response.drain_conn()
                response.release_conn()
        except (HTTPError, OSError, RuntimeError) as error:  # RuntimeError: what forbids the network in tests raises it
            return Answer(verdict=Verdict.RETRY, fault=_fault(error))
        return answer(response.status, response.headers, content)

    def close(self) -> None:
        """Close the connections; the next `send` makes new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.clear()

    def forked(self) -> None:
        """In the child of a fork: the connections are the parent's. Even letting go of them could wait for ever."""
        self._inherited, self._pool = self._pool, None


def answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """What an HTTP response means."""
    if 200 <= status < 300:
        rejected, message = partial_success(content)
        is_otlp = headers.get("content-type", "").startswith(_CONTENT_TYPE) and _is_response(content)
        return Answer(verdict=Verdict.ACCEPTED, rejected=rejected, message=message, is_otlp=is_otlp)
    if 300 <= status < 400:
        # Following it could carry credentials to another origin. Nothing is lost: someone has to mend the endpoint.
        return Answer(
            verdict=Verdict.RETRY, fault=str(status), message="a redirect is not followed: name the new endpoint"
        )
    verdict = _VERDICTS.get(status, Verdict.RETRY if status > 500 and status != 501 else Verdict.REFUSED)
    return Answer(verdict=verdict, fault=str(status), retry_after_s=_retry_after(headers.get("retry-after")))


def partial_success(content: bytes) -> tuple[int, str]:
    """How many spans an accepted request lost, and why; none where the content is not OTLP."""
    fields = _fields(content)
    inner = fields.get(1, b"")
    fields = _fields(inner) if isinstance(inner, bytes) else {}
    rejected, message = fields.get(1, 0), fields.get(2, b"")
    if not isinstance(rejected, int) or not isinstance(message, bytes) or rejected >= 1 << 63:
        return 0, ""
    return rejected, message[:200].decode(errors="replace")


def _is_response(content: bytes) -> bool:
    """Whether the content is an `ExportTraceServiceResponse`, which is empty where all was taken."""
    fields = _fields(content)
    return not content or (fields.keys() == {1} and isinstance(fields[1], bytes))


def _fields(message: bytes) -> dict[int, int | bytes]:
    """The varints and strings of a protobuf message by their numbers; none where it is none.

    By hand, since a class for it takes longer to import than all the rest of the transport.
    """
    fields: dict[int, int | bytes] = {}
    rest = iter(message)
    for tag in rest:
        number, value = tag >> 3, _read_varint(rest)
        if tag & 7 == 0:
            fields[number] = value
        elif tag & 7 == 2:
            fields[number] = bytes(islice(rest, value))
        else:
            return {}
    return fields


def _read_varint(rest: Iterator[int]) -> int:
    value = 0
    for shift, byte in enumerate(rest):
        value |= (byte & 127) << 7 * shift
        if byte < 128:
            break
    return value


def tls(destination: Destination) -> ssl.SSLContext:
    """Whom to trust, and who we are: the destination's own authorities win over the system's."""
    context = ssl.create_default_context(cafile=str(destination.certificate or certifi.where()))
    if destination.client_certificate:
        context.load_cert_chain(destination.client_certificate, destination.client_key)
    return context


def pool(destination: Destination) -> urllib3.PoolManager:
    """Connections to the destination and to who authorises for it."""
    with no_fork:
        import encodings.idna  # noqa: F401  # the codec that every host name goes through; found by an import

        context = tls(destination)
    if destination.proxy is None:
        return urllib3.PoolManager(num_pools=1, maxsize=1, ssl_context=context)
    user = urlsplit(destination.proxy)
    credentials = f"{unquote(user.username)}:{unquote(user.password or '')}" if user.username else None
    return urllib3.ProxyManager(
        destination.proxy,
        num_pools=1,
        maxsize=1,
        ssl_context=context,
        proxy_headers=urllib3.make_headers(proxy_basic_auth=credentials),
    )


def _retry_after(value: str | None) -> float | None:
    """Seconds, from a number of them or from a date."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _fault(error: Exception) -> str:
    for kind, words in _FAULTS:
        if isinstance(error, kind):
            return words
    return "the connection broke"
