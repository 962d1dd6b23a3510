"""OTLP over gRPC: one call after the other on one HTTP/2 connection, by h2.

Not by grpcio: its threads do not survive a fork, and a fork during its work makes parent or child crash or hang.
"""

import base64
import ssl
import struct
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import H2Error

from agentops_otel.config import Destination, Signal
from agentops_otel.export.connect import connect, http1_connection
from agentops_otel.export.connection import OTHER_PROTOCOL, OtherProtocolError, remaining_s
from agentops_otel.export.fork_guard import no_fork
from agentops_otel.export.http import COMPRESS, partial_success
from agentops_otel.export.log_filter import without_debug_logs
from agentops_otel.export.sender import Answer, Verdict
from agentops_otel.version import VERSION

_PATHS: Mapping[Signal, str] = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
_LIMIT_BYTES = 4 * 1024 * 1024
"""The default message limit of gRPC servers."""
_READ_BYTES = 64 * 1024
# Compressed or not, and the length of the message.
_PREFIX = struct.Struct(">?I")
# By their numbers.
_CODES = [
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
]
_VERDICTS = {
    **dict.fromkeys(
        ("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"), Verdict.RETRY
    ),
    **dict.fromkeys(("UNAUTHENTICATED", "PERMISSION_DENIED"), Verdict.UNAUTHORISED),
    **dict.fromkeys(("INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED"), Verdict.RETRY_FEW),
    "INVALID_ARGUMENT": Verdict.BAD,
}
_OF_HTTP_STATUS = {
    "400": "INTERNAL",
    "401": "UNAUTHENTICATED",
    "403": "PERMISSION_DENIED",
    "404": "UNIMPLEMENTED",
    **dict.fromkeys(("429", "502", "503", "504"), "UNAVAILABLE"),
}
"""HTTP status -> gRPC status, for answers without one: they come from a proxy in front of the collector."""
_OF_RESET: Mapping[int | None, str] = {ErrorCodes.REFUSED_STREAM: "UNAVAILABLE", ErrorCodes.CANCEL: "CANCELLED"}
_SETTINGS = b"\x04"
"""Type of the first frame that an HTTP/2 server sends: the frame's fourth byte."""
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLEOFError, "UNAVAILABLE"),
    (ssl.SSLError, "TLS failed"),
    (TimeoutError, "DEADLINE_EXCEEDED"),
)


class GrpcTransport:
    """Sends to the destination's endpoint over one connection."""

    limit_bytes = _LIMIT_BYTES

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._url = urlsplit(destination.endpoint)
        self._connection: _Connection | None = None
        self._inherited: _Connection | None = None
        self._compress = COMPRESS.get(destination.compression)
        self._headers = {
            ":method": "POST",
            ":scheme": self._url.scheme,
            ":path": _PATHS[destination.signal],
            ":authority": self._url.netloc.rpartition("@")[2],
            "te": "trailers",
            "content-type": "application/grpc",
            "user-agent": f"agentops-otel/{VERSION}",
            **({"grpc-encoding": destination.compression} if self._compress else {}),
            **_lower(destination.headers),
        }

    @without_debug_logs()
    def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
        """Send one request and wait for its answer."""
        deadline = time.monotonic() + timeout_s
        message = self._compress(body) if self._compress else body
        message = _PREFIX.pack(self._compress is not None, len(message)) + message
        about = {**self._headers, "grpc-timeout": f"{max(1, int(timeout_s * 1000))}m", **_lower(headers)}
        try:
            if self._connection is None or not self._connection.usable():
                self.close()
                self._connection = _Connection(self._destination, self._url, deadline)
            reply = self._connection.call(about, message, deadline)
        except OtherProtocolError:
            self.close()
            advice = "if it is HTTP/1.1 say protocol=http/protobuf; gRPC has port 4317 as a rule"
            return Answer(verdict=Verdict.RETRY, fault=OTHER_PROTOCOL, message=advice)
        except (OSError, H2Error, RuntimeError) as error:  # RuntimeError: what forbids the network in tests raises it
            self.close()
            fault = next((words for kind, words in _FAULTS if isinstance(error, kind)), "UNAVAILABLE")
            # h2's message may contain a header and its value.
            description = str(error) if isinstance(error, OSError) else "no HTTP/2 as it should be"
            return Answer(verdict=Verdict.RETRY, fault=fault, message=description[:200])
        return _answer(reply)

    def prepare(self) -> None:
        """Import HTTP/1.1 for a proxy's tunnel, if there is a proxy."""
        if self._destination.proxy is not None:
            http1_connection()

    def close(self) -> None:
        """Close the connection; the next `send` makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def forked(self) -> None:
        """In the child of a fork: the connection is the parent's."""
        self._inherited, self._connection = self._connection, None


class _Reply:
    """The part of a call's response that has arrived."""

    def __init__(self, stream: int) -> None:
        self.stream = stream
        self.headers: dict[str, str] = {}
        self.content = bytearray()
        self.reset: str | None = None
        self.ended = False

    def note(self, event: Any) -> None:
        """Add the data of an event of this call."""
        match event:
            case ResponseReceived() | TrailersReceived():
                self.headers.update((name.decode(), value.decode(errors="replace")) for name, value in event.headers)
            case DataReceived():
                self.content += event.data
            case StreamReset():
                self.reset = _OF_RESET.get(event.error_code, "INTERNAL")
                self.ended = True
            case StreamEnded():
                self.ended = True

    @property
    def code(self) -> str:
        """The name of the gRPC status, from the trailers or derived from the HTTP status."""
        number = self.headers.get("grpc-status", "")
        if number.isdecimal():
            return _CODES[int(number)] if int(number) < len(_CODES) else "UNKNOWN"
        return self.reset or _OF_HTTP_STATUS.get(self.headers.get(":status", ""), "UNKNOWN")


class _Connection:
    """One HTTP/2 connection, with one call at a time."""

    def __init__(self, destination: Destination, url: SplitResult, deadline: float) -> None:
        self._socket = connect(destination, url, deadline, protocol="h2")
        self._http2 = H2Connection(H2Configuration(client_side=True))
        self._http2.initiate_connection()
        self._ending = False
        self._greeted = False

    def usable(self) -> bool:
        """Whether another call can be made. Reads what has arrived since the last one: the server may have closed."""
        self._socket.settimeout(0)
        try:
            while not self._ending:
                self._receive(None)
        except (BlockingIOError, ssl.SSLWantReadError):
            return not self._ending
        except (OSError, H2Error):
            return False
        return False

    def call(self, headers: Mapping[str, str], message: bytes, deadline: float) -> _Reply:
        """Send the headers and the message, and return the whole reply.

        Raises:
            OSError: The connection failed, or the deadline passed.
            H2Error: The server violates HTTP/2.
        """
        reply = _Reply(self._http2.get_next_available_stream_id())
        self._http2.send_headers(reply.stream, list(headers.items()))
        rest = memoryview(message)
        while rest and not reply.ended:
            room = min(
                self._http2.local_flow_control_window(reply.stream), self._http2.max_outbound_frame_size, len(rest)
            )
            if room > 0:
                self._http2.send_data(reply.stream, bytes(rest[:room]), end_stream=room == len(rest))
                rest = rest[room:]
            else:
                self._exchange(reply, deadline)
        while not reply.ended:
            self._exchange(reply, deadline)
        if rest and reply.reset is None:  # The server answered before it had read the whole request.
            self._http2.reset_stream(reply.stream, ErrorCodes.CANCEL)
            self._flush()
        return reply

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _exchange(self, reply: _Reply, deadline: float) -> None:
        """Send pending data, and wait until something arrives."""
        self._socket.settimeout(remaining_s(deadline))
        self._flush()
        self._socket.settimeout(remaining_s(deadline))
        self._receive(reply)

    def _receive(self, reply: _Reply | None) -> None:
        data = self._socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError("the connection was closed")
        if not self._greeted and data[3:4] not in (_SETTINGS, b""):
            raise OtherProtocolError
        self._greeted = True
        for event in self._http2.receive_data(data):
            if isinstance(event, ConnectionTerminated):
                self._ending = True
                if reply is not None and (event.last_stream_id or 0) < reply.stream:
                    raise ConnectionResetError("the connection is being closed")
            elif reply is not None and getattr(event, "stream_id", None) == reply.stream:
                reply.note(event)
            if isinstance(event, DataReceived):
                self._http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def _flush(self) -> None:
        if data := self._http2.data_to_send():
            self._socket.sendall(data)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _answer(reply: _Reply) -> Answer:
    code = reply.code
    if code == "OK":
        rejected, message = partial_success(bytes(reply.content[_PREFIX.size :]))
        return Answer(verdict=Verdict.ACCEPTED, rejected=rejected, message=message)
    details = unquote(reply.headers.get("grpc-message", ""))
    verdict = _VERDICTS.get(code, Verdict.REFUSED)
    retry_after_s = _retry_info(reply.headers.get("grpc-status-details-bin", ""))
    if code == "RESOURCE_EXHAUSTED":
        if retry_after_s is not None:
            verdict = Verdict.RETRY
        elif "larger than max" in details:
            verdict = Verdict.TOO_LARGE
    return Answer(verdict=verdict, fault=code, retry_after_s=retry_after_s, message=details[:200])


def _retry_info(encoded: str) -> float | None:
    """The delay in seconds of the `RetryInfo` in the details of a `google.rpc.Status`; None if there is none."""
    if not encoded:
        return None
    with no_fork:
        from google.protobuf.message import DecodeError
        from google.rpc.error_details_pb2 import RetryInfo
        from google.rpc.status_pb2 import Status

    info = RetryInfo()
    try:
        details = Status.FromString(base64.b64decode(encoded + "==")).details
    except (DecodeError, ValueError):
        return None
    if any(detail.Unpack(info) for detail in details):
        return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    return None
