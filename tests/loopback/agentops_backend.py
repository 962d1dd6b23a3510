"""An AgentOps backend on loopback, after its published contract: keys, tokens that expire, and OTLP behind them.

with AgentOpsBackend(token_life_s=4) as backend:
    backend.destination            # what a Config has for it
    backend.fail_auth(500)         # the next exchange of a key fails
    backend.sink.wait_for(10)      # ten different spans came with a good token
"""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
import uuid
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from agentops_otel.config import AgentOps, Destination, OtlpProtocol
from tests.loopback import agentops_traces
from tests.loopback.otlp_sink import Answer, OtlpSink, Received

MONTH_S = 30 * 24 * 3600


class AgentOpsBackend:
    """Exchanges its one key for tokens, and takes spans that come with one of them; start it with `with`.

    Args:
        protocol: How it takes spans.
        token_life_s: How long a token is good.
        api_port: Where keys are exchanged; 0 takes a free one.
        otlp_port: Where spans are taken; 0 takes a free one.
        api_key: The only key it knows; a new one by default.
    """

    def __init__(
        self,
        protocol: OtlpProtocol = "http/protobuf",
        *,
        token_life_s: float = MONTH_S,
        api_port: int = 0,
        otlp_port: int = 0,
        api_key: str | None = None,
    ) -> None:
        self.sink = OtlpSink(protocol, port=otlp_port)
        self.sink.decide = self._decide
        self.token_life_s = token_life_s
        self.api_key = api_key or str(uuid.uuid4())
        self.api_port = api_port
        self.exchanges: list[int] = []
        """The statuses of the answers to `POST /v3/auth/token`, in order."""
        self.tokens: list[str] = []
        """The tokens given out."""
        self.rejected = 0
        """Number of requests with spans and without a valid token."""
        self.logs: dict[str, bytes] = {}
        """The bodies of uploaded logs, by their `Trace-Id` header."""
        self.uploads = 0
        """Number of tried uploads of logs."""
        self.log_headers: list[dict[str, str]] = []
        """The headers of each, their names in lower case."""
        self._log_failures: deque[int] = deque()
        self.lookups = 0
        """Number of requests for a trace."""
        self.shown_after = 0
        """How many times a trace that has arrived is not found yet."""
        self.reads_are_forbidden = False
        """True for an account whose plan has no API."""
        self._secret = uuid.uuid4().bytes
        self._failures: deque[int] = deque()
        self._rejections = 0
        self._changed = threading.Condition()
        self._server: ThreadingHTTPServer | None = None

    @property
    def account(self) -> AgentOps:
        """The account as a program's settings have it."""
        return AgentOps(
            api_key=self.api_key,
            api_endpoint=f"http://127.0.0.1:{self.api_port}",
            app_url="http://app.agentops.test/",
        )

    @property
    def destination(self) -> Destination:
        """The endpoint for a program's spans."""
        return Destination(endpoint=self.sink.endpoint, protocol=self.sink.protocol, agentops=self.account)

    def fail_auth(self, status: int, times: int = 1) -> None:
        """The next exchanges of a key are answered with this status."""
        with self._changed:
            self._failures.extend([status] * times)

    def reject_tokens(self, times: int = 1) -> None:
        """The next requests with spans are answered as if their token were bad."""
        with self._changed:
            self._rejections += times

    def wait_for_exchanges(self, count: int, timeout_s: float = 10.0) -> None:
        """Return once *count* keys were offered."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.exchanges) >= count, timeout_s), self.exchanges

    def __enter__(self) -> Self:
        self.sink.__enter__()
        handler = type("Handler", (_Auth,), {"backend": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.api_port), handler)
        self._server.daemon_threads = True
        self.api_port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.002,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.sink.stop()

    def exchange(self, body: bytes) -> tuple[int, dict[str, object]]:
        """The answer to `POST /v3/auth/token`."""
        with self._changed:
            status, answer = self._judge(body)
            self.exchanges.append(status)
            self._changed.notify_all()
            return status, answer

    def keep_log(self, trace_id: str, body: bytes, good: bool) -> tuple[int, dict[str, object]]:
        """The answer to `POST /v4/logs/upload/`, which keeps a body as it is: `api/routes/v4/logs.py` of its API."""
        with self._changed:
            self.uploads += 1
            if self._log_failures:
                return self._log_failures.popleft(), {"detail": "not now"}
            if not good:
                return 401, {"detail": "Invalid token"}
            if re.fullmatch(r"[a-zA-Z0-9_.-]+", trace_id) is None:
                return 400, {"detail": "No trace ID provided"}
            self.logs[trace_id] = body
            self._changed.notify_all()
            return 200, {"url": f"https://storage.test/{trace_id}.log", "size": len(body)}

    def fail_logs(self, status: int, times: int = 1) -> None:
        """The next uploads of logs are answered with this status."""
        with self._changed:
            self._log_failures.extend([status] * times)

    def fail_logs_no_more(self) -> None:
        """Uploads of logs are taken from now on."""
        with self._changed:
            self._log_failures.clear()

    def wait_for_logs(self, count: int, timeout_s: float = 20.0) -> None:
        """Return once *count* traces have a log."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.logs) >= count, timeout_s), self.logs

    def log_of(self, trace_id: str) -> str:
        """What `GET /v4/logs/{trace_id}` gives its page: convert_trace_id of the same file finds the key."""
        key = str(int(trace_id, 16)) if re.search("[a-fA-F]", trace_id) else trace_id
        return self.logs[key].decode()

    def trace(self, trace_id: str) -> tuple[int, dict[str, object]]:
        """The answer to `GET /public/v1/traces/{id}` (`app/api/agentops/public/v1/traces.py`)."""
        with self._changed:
            self.lookups += 1
            if self.reads_are_forbidden:
                return 403, {"detail": "This endpoint is not available for free plan projects."}
            if self.lookups <= self.shown_after:
                return 404, {"detail": "Trace not found"}
        spans = [span for span in self.sink.every if span.trace_id.hex() == trace_id]
        if not spans:
            return 404, {"detail": "Trace not found"}
        return 200, agentops_traces.summary(*agentops_traces.of(spans))

    def claims(self, bearer: str | None) -> dict[str, object] | None:
        """What the token of an `Authorization` header says; None where it is not good."""
        scheme, _, token = (bearer or "").partition(" ")
        signed, _, signature = token.rpartition(".")
        if scheme.lower() != "bearer" or not hmac.compare_digest(signature, self._sign(signed)):
            return None
        payload = signed.partition(".")[2]
        claims: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expiry = claims["exp"]
        assert isinstance(expiry, int)
        return claims if time.time() < expiry else None

    def _judge(self, body: bytes) -> tuple[int, dict[str, object]]:
        if self._failures:
            return self._failures.popleft(), {"error": "Authentication failed"}
        key = str(json.loads(body)["api_key"])
        try:
            uuid.UUID(key)
        except ValueError:
            return 400, {"error": "Invalid API key format"}
        if key != self.api_key:
            return 403, {"error": "Invalid API key"}
        self.tokens.append(self._token())
        return 200, {"token": self.tokens[-1], "project_id": str(uuid.uuid4()), "project_prem_status": "free"}

    def _token(self) -> str:
        claims = {"exp": int(time.time() + self.token_life_s), "aud": "authenticated", "n": len(self.tokens)}
        signed = ".".join(_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{signed}.{self._sign(signed)}"

    def _sign(self, signed: str) -> str:
        return _base64(hmac.new(self._secret, signed.encode(), hashlib.sha256).digest())

    def _decide(self, received: Received) -> Answer:
        with self._changed:
            rejected = self._rejections > 0
            self._rejections -= rejected
        if rejected or self.claims(received.headers.get("authorization")) is None:
            self.rejected += 1
            return Answer(status=401, code="UNAUTHENTICATED")
        return Answer()


class _Auth(BaseHTTPRequestHandler):
    backend: AgentOpsBackend
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-type") != "application/json":  # FastAPI then takes the body for a text
            self._answer(422, {"detail": [{"type": "model_attributes_type", "loc": ["body"]}]})
        elif self.path == "/v3/auth/token":
            self._answer(*self.backend.exchange(body))
        elif self.path == "/v4/logs/upload/":
            good = self.backend.claims(self.headers.get("authorization")) is not None
            self.backend.log_headers.append({name.lower(): value for name, value in self.headers.items()})
            self._answer(*self.backend.keep_log(self.headers.get("trace-id") or "", body, good))
        else:
            self._answer(404, {"detail": "Not Found"})

    def do_GET(self) -> None:
        claims = self.backend.claims(self.headers.get("authorization"))
        trace_id = self.path.removeprefix("/public/v1/traces/")
        if self.path not in ("/v3/auth/token", f"/public/v1/traces/{trace_id}"):
            self._answer(404, {"detail": "Not Found"})
        elif claims is None:
            self._answer(401, {"detail": "Invalid token"})
        elif trace_id != self.path:
            self._answer(*self.backend.trace(trace_id))
        else:
            self._answer(200, {"message": "JWT token is valid", "payload": claims, "expires_at": claims["exp"]})

    def _answer(self, status: int, answer: dict[str, object]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
