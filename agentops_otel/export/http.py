"""OTLP over HTTP."""

import gzip
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from itertools import islice
from math import isfinite
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from agentops_otel.config import Destination
from agentops_otel.export.connect import Unreachable, authority, connect, http1_connection, proxy_authorization
from agentops_otel.export.connection import OTHER_PROTOCOL, OtherProtocolError
from agentops_otel.export.fork_guard import no_fork
from agentops_otel.export.sender import Answer, Verdict
from agentops_otel.version import VERSION

if TYPE_CHECKING:
    from agentops_otel.export.http1 import Connection, Response

_LIMIT_BYTES = 64 * 1024 * 1024
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
    429: Verdict.RETRY,
    **dict.fromkeys((408, 500), Verdict.RETRY_FEW),
    **dict.fromkeys((401, 403), Verdict.UNAUTHORISED),
    400: Verdict.BAD,
    413: Verdict.TOO_LARGE,
}
"""Of those that have no verdict here, an error of the server is tried again, and any other is a refusal."""
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLEOFError, "the connection broke"),
    (ssl.SSLError, "TLS failed"),
    (TimeoutError, "no answer in time"),
)


class HttpClient:
    """Sends one request after the other over a kept-alive connection. It follows no redirect.

    Args:
        destination: Whose proxy and TLS settings are used.
        url: The URL of every request.
    """

    def __init__(self, destination: Destination, url: str) -> None:
        self._destination = destination
        self._url = urlsplit(url)
        self._connection: Connection | None = None
        self._inherited: Connection | None = None

    def request(self, method: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> "Response":
        """Send one request and wait for its answer.

        Raises:
            OSError: The connection failed, the server violates HTTP, or time ran out.
        """
        deadline = time.monotonic() + timeout_s
        try:
            if self._connection is None or not self._connection.usable():
                self.close()
                opened = connect(self._destination, self._url, deadline, protocol="http/1.1")
                self._connection = http1_connection()(opened)
            target, own = self._about()
            return self._connection.request(method, target, {**own, **headers}, body, deadline)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def forked(self) -> None:
        """In the child of a fork: the connection is the parent's."""
        self._inherited, self._connection = self._connection, None

    def _about(self) -> tuple[str, dict[str, str]]:
        """The request target and the headers of every request."""
        host = authority(self._url)
        target = f"{self._url.path or '/'}?{self._url.query}".removesuffix("?")
        target = quote(target, safe="!#$%&'()*+,/:;=?@[]")
        headers = {"host": host, "accept-encoding": "identity", "user-agent": f"agentops-otel/{VERSION}"}
        if self._destination.proxy is None or self._url.scheme == "https":
            return target, headers
        return f"http://{host}{target}", {**headers, **proxy_authorization(self._destination.proxy)}


class HttpTransport:
    """Sends to the destination's endpoint."""

    limit_bytes = _LIMIT_BYTES

    def __init__(self, destination: Destination) -> None:
        self._client = HttpClient(destination, destination.endpoint)
        self._headers = {**destination.headers, "content-type": _CONTENT_TYPE}
        self._compress = COMPRESS.get(destination.compression)
        if self._compress:
            self._headers["content-encoding"] = destination.compression

    def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
        """Send one request and wait for its answer."""
        content = self._compress(body) if self._compress else body
        try:
            response = self._client.request("POST", {**self._headers, **headers}, content, timeout_s)
        except OtherProtocolError:
            advice = "if it is gRPC say protocol=grpc; HTTP has port 4318 as a rule"
            return Answer(verdict=Verdict.RETRY, fault=OTHER_PROTOCOL, message=advice)
        except (OSError, RuntimeError) as error:  # the last: pytest-socket's
            return Answer(verdict=Verdict.RETRY, fault=_fault(error))
        return answer(response.status, response.headers, response.content)

    def prepare(self) -> None:
        """Import HTTP/1.1."""
        http1_connection()

    def close(self) -> None:
        """Close the connection; the next `send` makes a new one."""
        self._client.close()

    def forked(self) -> None:
        """In the child of a fork: the connection is the parent's."""
        self._client.forked()


def answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """The `Answer` for an HTTP response."""
    if 200 <= status < 300 and _is_page(headers, content):
        advice = "a page for people came back: OTLP over HTTP has port 4318 as a rule"
        return Answer(verdict=Verdict.RETRY, fault=OTHER_PROTOCOL, message=advice)
    if 200 <= status < 300:
        rejected, message = partial_success(content)
        is_otlp = headers.get("content-type", "").startswith(_CONTENT_TYPE) and _is_response(content)
        return Answer(verdict=Verdict.ACCEPTED, rejected=rejected, message=message, is_otlp=is_otlp)
    if 300 <= status < 400:
        # A redirect followed could send credentials to another origin. Nothing is lost until the endpoint is corrected.
        return Answer(
            verdict=Verdict.RETRY, fault=str(status), message="a redirect is not followed: name the new endpoint"
        )
    verdict = _VERDICTS.get(status, Verdict.RETRY if status > 500 and status != 501 else Verdict.REFUSED)
    return Answer(verdict=verdict, fault=str(status), retry_after_s=_retry_after(headers.get("retry-after")))


def _is_page(headers: Mapping[str, str], content: bytes) -> bool:
    """Whether a web page came back: user interfaces answer any path with theirs, and 200."""
    return headers.get("content-type", "").startswith("text/html") and content.lstrip().startswith(b"<")


def partial_success(content: bytes) -> tuple[int, str]:
    """Rejected spans of an accepted request, and the server's message; (0, "") if the content is not OTLP."""
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
            fields[number] = bytes(islice(rest, min(value, len(message))))
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


def _retry_after(value: str | None) -> float | None:
    """`Retry-After` in seconds: a number or an HTTP date; None if it is neither."""
    if not value:
        return None
    try:
        seconds = float(value)
        return max(0.0, seconds) if isfinite(seconds) else None
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _fault(error: Exception) -> str:
    if isinstance(error, Unreachable):
        return str(error)
    for kind, words in _FAULTS:
        if isinstance(error, kind):
            return words
    return "the connection broke"
