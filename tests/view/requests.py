"""Requests to the servers of `agentops-otel view`."""

import http.client
from collections.abc import Mapping

from agentops_otel.view.live.server import LiveView


def request(
    port: int, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """One request to 127.0.0.1."""
    # More than a request for changes waits.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, dict((name.lower(), value) for name, value in answer.getheaders()), answer.read()
    finally:
        connection.close()


def send(live: LiveView, body: bytes, **headers: str) -> int:
    """The status of the answer to an OTLP request."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(live.otlp_port, "POST", "/v1/traces", body, {"content-type": "application/json", **given})[0]
