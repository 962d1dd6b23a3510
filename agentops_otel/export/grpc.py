"""OTLP over gRPC, by grpcio: imported only where a destination speaks it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import grpc

from agentops_otel.config import Destination
from agentops_otel.export.forking import steady
from agentops_otel.export.http import partial_success
from agentops_otel.export.sender import Answer, Verdict
from agentops_otel.version import VERSION

_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_LIMIT_BYTES = 4 * 1024 * 1024
"""What a gRPC server takes unless it is told otherwise."""
_CODE = grpc.StatusCode
_VERDICTS = {
    **dict.fromkeys(
        (
            _CODE.CANCELLED,
            _CODE.DEADLINE_EXCEEDED,
            _CODE.ABORTED,
            _CODE.OUT_OF_RANGE,
            _CODE.UNAVAILABLE,
            _CODE.DATA_LOSS,
        ),
        Verdict.RETRY,
    ),
    **dict.fromkeys((_CODE.UNAUTHENTICATED, _CODE.PERMISSION_DENIED), Verdict.UNAUTHORISED),
    **dict.fromkeys((_CODE.INTERNAL, _CODE.UNKNOWN, _CODE.RESOURCE_EXHAUSTED), Verdict.RETRY_FEW),
    _CODE.INVALID_ARGUMENT: Verdict.BAD,
}
_TLS_WORDS = ("SSL", "CERTIFICATE", "Hostname Verification")
_COMPRESSION = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
_OPTIONS = (
    ("grpc.primary_user_agent", f"agentops-otel/{VERSION}"),
    # Without these a collector that comes back is found after up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


class GrpcTransport:
    """Sends to the destination's endpoint over one channel."""

    limit_bytes = _LIMIT_BYTES

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._channel: Any = None
        self._inherited: Any = None
        self._export: Any = None
        self._compression = _COMPRESSION.get(destination.compression)

    def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
        """Send one request and wait for its answer."""
        if self._channel is None:
            with steady:
                self._channel = _channel(self._destination)
                self._export = self._channel.unary_unary(_METHOD)
        metadata = tuple((name.lower(), value) for name, value in {**self._destination.headers, **headers}.items())
        try:
            content = self._export(body, timeout=timeout_s, metadata=metadata, compression=self._compression)
        except grpc.RpcError as error:
            return _failure(error)
        rejected, message = partial_success(content)
        return Answer(verdict=Verdict.ACCEPTED, rejected=rejected, message=message)

    def close(self) -> None:
        """Close the channel; the next `send` makes a new one."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def forked(self) -> None:
        """In the child of a fork: the channel is the parent's, and its threads are not here to close it."""
        self._inherited, self._channel = self._channel, None


def _failure(error: Any) -> Answer:
    code, details = error.code(), error.details() or ""
    verdict = _VERDICTS.get(code, Verdict.REFUSED)
    retry_after_s = _retry_info(error)
    if code is _CODE.RESOURCE_EXHAUSTED:
        if retry_after_s is not None:
            verdict = Verdict.RETRY
        elif "larger than max" in details:
            verdict = Verdict.TOO_LARGE
    fault = "TLS failed" if any(word in details for word in _TLS_WORDS) else code.name
    return Answer(verdict=verdict, fault=fault, retry_after_s=retry_after_s, message=details[:200])


def _retry_info(error: Any) -> float | None:
    """The seconds of the RetryInfo among the details, as google.rpc.Status has them."""
    from google.protobuf.message import DecodeError
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    info = RetryInfo()
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            try:
                details = Status.FromString(value).details
            except DecodeError:
                continue
            if any(detail.Unpack(info) for detail in details):
                return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    return None


def _channel(destination: Destination) -> Any:
    url = urlsplit(destination.endpoint)
    target = url.netloc or destination.endpoint
    if url.scheme != "https":
        return grpc.insecure_channel(target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        *(path.read_bytes() if path else None for path in _pem_files(destination))
    )
    return grpc.secure_channel(target, credentials, options=_OPTIONS)


def _pem_files(destination: Destination) -> tuple[Any, ...]:
    return destination.certificate, destination.client_key, destination.client_certificate
