"""OTLP over HTTP, by urllib3."""

import gzip
import ssl
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

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
from agentops_otel.export.sender import Answer, Verdict
from agentops_otel.version import VERSION

_LIMIT_BYTES = 64 * 1024 * 1024
_READ_BYTES = 64 * 1024
_COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 1),
    "deflate": lambda body: zlib.compress(body, 1),
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
        self._headers = {
            **destination.headers,
            "content-type": "application/x-protobuf",
            "user-agent": f"agentops-otel/{VERSION}",
        }
        self._compress = _COMPRESS.get(destination.compression)
        if self._compress:
            self._headers["content-encoding"] = destination.compression

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
        except HTTPError as error:
            return Answer(verdict=Verdict.RETRY, fault=_fault(error))
        return answer(response.status, response.headers, content)

    def close(self) -> None:
        """Close the connections; the next `send` makes new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.clear()


def answer(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """What an HTTP response means."""
    if 200 <= status < 300:
        rejected, message = partial_success(content)
        return Answer(verdict=Verdict.ACCEPTED, rejected=rejected, message=message)
    if 300 <= status < 400:
        # Following it could carry credentials to another origin. Nothing is lost: someone has to mend the endpoint.
        return Answer(
            verdict=Verdict.RETRY, fault=str(status), message="a redirect is not followed: name the new endpoint"
        )
    verdict = _VERDICTS.get(status, Verdict.RETRY if status > 500 and status != 501 else Verdict.REFUSED)
    return Answer(verdict=verdict, fault=str(status), retry_after_s=_retry_after(headers.get("retry-after")))


def partial_success(content: bytes) -> tuple[int, str]:
    """How many spans an accepted request lost, and why; none where the content is not OTLP."""
    if not content:
        return 0, ""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        partial = ExportTraceServiceResponse.FromString(content).partial_success
    except DecodeError:
        return 0, ""
    return max(0, partial.rejected_spans), partial.error_message[:200]


def pool(destination: Destination) -> urllib3.PoolManager:
    """Connections to the destination and to who authorises for it; its own authorities win over the system's."""
    context = ssl.create_default_context(cafile=str(destination.certificate or certifi.where()))
    if destination.client_certificate:
        context.load_cert_chain(destination.client_certificate, destination.client_key)
    return urllib3.PoolManager(num_pools=1, maxsize=1, ssl_context=context)


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


def _fault(error: HTTPError) -> str:
    for kind, words in _FAULTS:
        if isinstance(error, kind):
            return words
    return "the connection broke"
