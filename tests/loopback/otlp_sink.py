"""An OTLP collector of our own on loopback, over HTTP and gRPC: it fails on request, and counts unique span ids.

with OtlpSink() as sink:                       # or OtlpSink(protocol="grpc")
    sink.answer(Answer(status=503), times=2)   # then all is well again
    ...                                        # send to sink.endpoint
    sink.wait_for(10)                          # ten different spans, or AssertionError
    sink.spans["checkout"].attributes
"""

import gzip
import socket
import ssl
import struct
import sys
import threading
import weakref
import zlib
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from types import TracebackType
from typing import Literal, Self

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

WAIT_S = 20.0
EXPORT_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
METRICS_METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
_DECODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": lambda body: import_module("zstandard").decompress(body),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the sink does with one request."""

    status: int = 200
    """Over HTTP. Anything but 2xx: the spans are not taken."""
    code: str = "OK"
    """Over gRPC, the name of the status. Anything but OK: the spans are not taken."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """None: the response that OTLP wants."""
    rejected: int = 0
    """Partial success: this many spans, the first ones, are not taken."""
    message: str = ""
    retry_after_s: float | None = None
    """Over gRPC: the RetryInfo."""
    reset: Literal["", "early", "late"] = ""
    """The connection is reset: before the body is read, or after the spans were taken but before the answer."""
    hang: bool = False
    """No answer until the sink stops."""
    after_s: float = 0.0
    """The answer, and the taking of the spans, come this many seconds later."""

    @property
    def takes(self) -> bool:
        """Whether the spans of the request arrive."""
        is_page = (self.body or b"").startswith(b"<")
        return 200 <= self.status < 300 and self.code == "OK" and not (self.hang or is_page) and self.reset != "early"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case; over gRPC the metadata."""
    size: int
    """Bytes of the body on the wire."""
    request: ExportTraceServiceRequest
    peer: str = ""
    """The other end of its connection: two requests with the same came by one."""
    metrics: ExportMetricsServiceRequest | None = None
    """Of a request with metrics: *request* is empty."""

    @property
    def spans(self) -> list[Span]:
        """Every span in the request."""
        return [s for r in self.request.resource_spans for scope in r.scope_spans for s in scope.spans]


class OtlpSink:
    """A collector on loopback; start it with `with`.

    Args:
        protocol: "http/protobuf" or "grpc".
        port: 0 takes a free one. Another sink on the port of one that stopped is a collector that came back.
        tls: Serve TLS with this; for gRPC the credentials.
    """

    def __init__(
        self,
        protocol: Literal["http/protobuf", "grpc"] = "http/protobuf",
        *,
        port: int = 0,
        tls: ssl.SSLContext | grpc.ServerCredentials | None = None,
    ) -> None:
        self.protocol = protocol
        self.port = port
        self.tls = tls
        self.received: list[Received] = []
        """Every request that was read, also those whose spans were not taken."""
        self.resources: dict[bytes, Mapping[str, object]] = {}
        """Span id -> attributes of its resource."""
        self.counts: Counter[bytes] = Counter()
        """How often each span id arrived."""
        self.decide: Callable[[Received], Answer] = lambda received: Answer()
        """The answer where none is queued: replace it to judge a request by what is in it."""
        self.metrics: list[ExportMetricsServiceRequest] = []
        """The requests with metrics that were taken."""
        self._taken: dict[bytes, Span] = {}
        self._answers: deque[Answer] = deque()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._server: _HttpServer | _GrpcServer | None = None
        self._held: socket.socket | None = None
        """Bound to our port as long as this object lives: a collector that is down comes back there."""

    @property
    def endpoint(self) -> str:
        """The whole URL to send to, as `Destination.endpoint` and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT want it."""
        path = "/v1/traces" if self.protocol == "http/protobuf" else ""
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}{path}"

    @property
    def spans(self) -> dict[str, Span]:
        """The spans that arrived, by name."""
        with self._changed:
            return {span.name: span for span in self._taken.values()}

    @property
    def every(self) -> list[Span]:
        """The spans that arrived, also those of one name."""
        with self._changed:
            return list(self._taken.values())

    @property
    def ids(self) -> set[bytes]:
        """The ids of the spans that arrived."""
        with self._changed:
            return set(self._taken)

    @property
    def duplicates(self) -> int:
        """How many spans arrived that had arrived before."""
        with self._changed:
            return self.counts.total() - len(self.counts)

    def answer(self, *answers: Answer, times: int = 1) -> None:
        """The next requests get these answers, one each; after that `decide` answers."""
        with self._changed:
            self._answers.extend(answers * times)

    def wait_for(self, spans: int, timeout_s: float = WAIT_S) -> set[bytes]:
        """The ids once this many different spans have arrived.

        Raises:
            AssertionError: They did not in time.
        """
        self.wait_until(lambda: len(self._taken) >= spans, f"{spans} spans", timeout_s)
        return self.ids

    def wait_for_requests(self, requests: int, timeout_s: float = WAIT_S) -> None:
        """Return once this many requests have been read, whatever their answer was."""
        self.wait_until(lambda: len(self.received) >= requests, f"{requests} requests", timeout_s)

    def wait_until(self, true: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
        """Return once *true* holds, looked at after each request."""
        with self._changed:
            if not self._changed.wait_for(true, timeout_s):
                raise AssertionError(
                    f"{what} did not come in {timeout_s} s: {len(self._taken)} spans, {len(self.received)} requests"
                )

    def __enter__(self) -> Self:
        self._stopping.clear()
        if self._held is None:
            self._hold_port()
        self._server = _HttpServer(self) if self.protocol == "http/protobuf" else _GrpcServer(self)
        self.port = self._server.port
        return self

    def _hold_port(self) -> None:
        if sys.platform == "linux":  # a second socket may be bound to it there, while neither listens
            self._held = socket.socket()
            weakref.finalize(self, self._held.close)
            self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._held.bind(("127.0.0.1", self.port))
            self.port = self._held.getsockname()[1]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port and every connection, the hanging ones too; what arrived stays readable."""
        self._stopping.set()
        if self._server is not None:
            self._server.stop()
            self._server = None

    def judge(self, received: Received) -> Answer:
        """For the servers: note the request, take its spans or not, and say what to answer."""
        with self._changed:
            answer = self._answers.popleft() if self._answers else self.decide(received)
        if answer.after_s:
            self._stopping.wait(answer.after_s)
        with self._changed:
            self.received.append(received)
            if answer.takes and not self._stopping.is_set():
                self._take(received, answer.rejected)
            self._changed.notify_all()
        if answer.hang:
            self._stopping.wait()
        return answer

    def next_is_early_reset(self) -> bool:
        """For the servers: whether the next answer is a reset before the body is read; it is used up if so."""
        with self._changed:
            if self._answers and self._answers[0].reset == "early":
                self._answers.popleft()
                return True
        return False

    def _take(self, received: Received, rejected: int) -> None:
        self.metrics += [received.metrics] if received.metrics is not None else []
        skip = rejected
        for resource_spans in received.request.resource_spans:
            resource = {a.key: value_of(a.value) for a in resource_spans.resource.attributes}
            for span in (s for scope in resource_spans.scope_spans for s in scope.spans):
                if skip:
                    skip -= 1
                    continue
                self.counts[span.span_id] += 1
                self._taken[span.span_id] = span
                self.resources[span.span_id] = resource


def attributes_of(span: Span | Span.Event) -> dict[str, object]:
    """The span's or event's attributes as plain values."""
    return {a.key: value_of(a.value) for a in span.attributes}


def value_of(value: AnyValue) -> object:
    """The plain Python value of an OTLP one."""
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [value_of(v) for v in value.array_value.values]
        case "kvlist_value":
            return {kv.key: value_of(kv.value) for kv in value.kvlist_value.values}
        case kind:
            plain: object = getattr(value, kind)
            return plain


def _response(answer: Answer) -> ExportTraceServiceResponse:
    if not answer.rejected and not answer.message:
        return ExportTraceServiceResponse()
    partial = ExportTracePartialSuccess(rejected_spans=answer.rejected, error_message=answer.message)
    return ExportTraceServiceResponse(partial_success=partial)


class _HttpServer:
    def __init__(self, sink: OtlpSink) -> None:
        handler = type("Handler", (_Handler,), {"sink": sink})
        self._server = _Listener(("127.0.0.1", sink.port), handler)
        if isinstance(sink.tls, ssl.SSLContext):
            self._server.socket = sink.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.002,), name="otlp-sink", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.disconnect()
        self._server.server_close()


class _Listener(ThreadingHTTPServer):
    """Knows its connections, so that stopping closes them as a dying collector does."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            with self._lock:
                self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            with self._lock:
                self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up, or failed the TLS handshake, is what many tests are about."""

    def disconnect(self) -> None:
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class _Handler(BaseHTTPRequestHandler):
    sink: OtlpSink
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        if self.sink.next_is_early_reset():
            return self._reset()
        raw = self.rfile.read(int(self.headers["content-length"]))
        body = _DECODE.get(self.headers.get("content-encoding", ""), bytes)(raw)
        received = Received(
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            size=len(raw),
            request=ExportTraceServiceRequest.FromString(b"" if self.path.endswith("metrics") else body),
            peer=str(self.client_address),
            metrics=ExportMetricsServiceRequest.FromString(body) if self.path.endswith("metrics") else None,
        )
        answer = self.sink.judge(received)
        if answer.reset or answer.hang:
            return self._reset()
        content = _response(answer).SerializeToString() if answer.body is None else answer.body
        self.send_response(answer.status)
        for name, value in {"content-type": "application/x-protobuf", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return None

    def _reset(self) -> None:
        self.close_connection = True
        # Linger of zero seconds: closing sends RST, not FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


class _GrpcServer:
    def __init__(self, sink: OtlpSink) -> None:
        self._sink = sink
        self._pool = ThreadPoolExecutor(8, "otlp-sink-grpc")
        self._server = grpc.server(self._pool, options=(("grpc.so_reuseport", 0),))
        handler = grpc.unary_unary_rpc_method_handler(
            self._export, ExportTraceServiceRequest.FromString, ExportTraceServiceResponse.SerializeToString
        )
        of_metrics = grpc.unary_unary_rpc_method_handler(
            self._export_metrics,
            ExportMetricsServiceRequest.FromString,
            ExportTraceServiceResponse.SerializeToString,  # the same on the wire
        )
        for path, each in ((EXPORT_METHOD, handler), (METRICS_METHOD, of_metrics)):
            service, method = path[1:].rsplit("/", 1)
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: each}),))
        address = f"127.0.0.1:{sink.port}"
        if isinstance(sink.tls, grpc.ServerCredentials):
            self.port = self._server.add_secure_port(address, sink.tls)
        else:
            self.port = self._server.add_insecure_port(address)
        self._server.start()

    def stop(self) -> None:
        self._server.stop(grace=None).wait(5)
        self._pool.shutdown()

    def _export(self, request: ExportTraceServiceRequest, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        metadata = {str(name): str(value) for name, value in context.invocation_metadata()}
        received = Received(
            path=EXPORT_METHOD, headers=metadata, size=request.ByteSize(), request=request, peer=context.peer()
        )
        return self._answer(received, context)

    def _export_metrics(
        self, request: ExportMetricsServiceRequest, context: grpc.ServicerContext
    ) -> ExportTraceServiceResponse:
        received = Received(
            path=METRICS_METHOD,
            headers={str(name): str(value) for name, value in context.invocation_metadata()},
            size=request.ByteSize(),
            request=ExportTraceServiceRequest(),
            peer=context.peer(),
            metrics=request,
        )
        return self._answer(received, context)

    def _answer(self, received: Received, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        answer = self._sink.judge(received)
        if answer.code != "OK":
            code = grpc.StatusCode[answer.code]
            if answer.retry_after_s is not None:
                context.set_trailing_metadata((("grpc-status-details-bin", _retry_info(code, answer.retry_after_s)),))
            context.abort(code, answer.message)
        return _response(answer)


def _retry_info(code: grpc.StatusCode, seconds: float) -> bytes:
    delay = Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))
    status = Status(code=code.value[0])
    status.details.add().Pack(RetryInfo(retry_delay=delay))
    details: bytes = status.SerializeToString()
    return details
