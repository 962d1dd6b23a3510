"""A collector over TLS that fails as a plan says, and takes spans only once its answer is written."""

import random
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import trustme
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

FAULTS = ("refuses", "rate limits", "hangs", "resets", "rejects one span", "is down", "has a new certificate")
ANSWERS: dict[str, tuple[int, dict[str, str]]] = {
    "refuses": (503, {}),
    "rate limits": (429, {"retry-after": "1"}),
}
HANG_S = 15.0
"""How long a request waits at most in a collector that hangs."""


class Collector:
    """Starts and stops itself on one port; each time with a new certificate of one authority.

    Args:
        folder: Where the authority's certificate is put, for programs to trust.
    """

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "ca.pem"
        self.times: Counter[bytes] = Counter()
        """How often each span id was taken."""
        self.rejected: set[bytes] = set()
        """The ids of spans that a partial success named as not taken."""
        self.mood = ""
        """One of `FAULTS`; empty: all is well."""
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self._lock = threading.Lock()
        self._well = threading.Event()
        self._server: _Server | None = None
        self._port = 0

    @property
    def endpoint(self) -> str:
        """Where it takes spans."""
        return f"https://localhost:{self._port}/v1/traces"

    def start(self) -> None:
        """Listen, with a new certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("localhost").configure_cert(context)
        handler = type("Handler", (_Handler,), {"collector": self})
        self._server = _Server(("127.0.0.1", self._port), handler, context)
        self._port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.shutdown()
            self._server.disconnect()
            self._server.server_close()
            self._server = None

    def fail(self, plan: random.Random, until: float) -> Counter[str]:
        """Be well and fail in turn until then, by `time.monotonic`; how often it failed in which way."""
        happened: Counter[str] = Counter()
        while (left := until - time.monotonic()) > 0:
            mood = plan.choice(FAULTS)
            happened[mood] += 1
            self._become(mood, min(plan.uniform(0.2, 1.5), left))
            time.sleep(min(plan.uniform(0.2, 1.5), max(0.0, until - time.monotonic())))
        return happened

    def _become(self, mood: str, seconds: float) -> None:
        if mood in ("is down", "has a new certificate"):
            self.stop()
            time.sleep(seconds if mood == "is down" else 0)
            self.start()
            return
        self._well.clear()
        self.mood = mood
        time.sleep(seconds)
        self.mood = ""
        self._well.set()

    def hang(self) -> None:
        """Wait until all is well, or for as long as anybody waits."""
        self._well.wait(HANG_S)

    def take(self, ids: list[bytes], rejected: list[bytes]) -> None:
        """Count what the answer, which is written, has said."""
        with self._lock:
            self.times.update(ids)
            self.rejected.update(rejected)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext) -> None:
        super().__init__(address, handler)
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._connections: set[socket.socket] = set()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        assert isinstance(request, socket.socket)
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Its clients are killed, and hang up."""

    def disconnect(self) -> None:
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    collector: ClassVar[Collector]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        mood = self.collector.mood
        if mood == "hangs":
            self.collector.hang()
        if mood in ("hangs", "resets"):
            self._reset()
        elif mood in ANSWERS:
            self._answer(*ANSWERS[mood], b"")
        else:
            self._accept(body, rejects=1 if mood else 0)

    def _accept(self, body: bytes, rejects: int) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        ids = [s.span_id for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
        said = ExportTraceServiceResponse()
        if rejects:
            said.partial_success.CopyFrom(ExportTracePartialSuccess(rejected_spans=rejects, error_message="no"))
        self._answer(200, {"content-type": "application/x-protobuf"}, said.SerializeToString())
        self.collector.take(ids[rejects:], ids[:rejects])

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""
