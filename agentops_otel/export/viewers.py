"""Finds viewers that show a sent span: `agentops-otel view` at the same address, a Jaeger on the same host."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

JAEGER_PORT = 16686
"""The default port of Jaeger's user interface."""
_TIMEOUT_S = 2.0
_PAUSE_S = 0.2
_HERE = ("localhost", "127.0.0.1")
"""Hosts that are asked for `agentops-otel view`, which listens on the user's own machine alone."""
TRACE_PATH = "/v1/traces/"
"""Path at which `agentops-otel view` answers whether it has a trace, whose id is appended."""


def showing(endpoint: str, trace_id: str, *, jaeger_port: int = JAEGER_PORT, patience_s: float) -> Iterator[str]:
    """Name and address of each viewer that shows the trace; empty if none answers.

    Args:
        endpoint: Where the span was sent.
        trace_id: 32 hex digits.
        jaeger_port: Of Jaeger's user interface on that host.
        patience_s: How long each is asked while it does not know the trace.
    """
    url = urlsplit(endpoint)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    if url.hostname in _HERE and _has(f"http://{url.netloc}{TRACE_PATH}{trace_id}", patience_s):
        yield "agentops-otel view"
    jaeger = f"http://{host}:{jaeger_port}"
    if _has(f"{jaeger}/api/traces/{trace_id}", patience_s):
        yield f"Jaeger at {jaeger}/trace/{trace_id}"


def _has(page: str, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while True:
        status = _status(page)
        if status != HTTPStatus.NOT_FOUND or time.monotonic() >= deadline:
            return status == HTTPStatus.OK
        time.sleep(_PAUSE_S)


def _status(page: str) -> int | None:
    """The HTTP status of a page; None without an answer."""
    url = urlsplit(page)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", url.path)
        return connection.getresponse().status
    except (HTTPException, OSError):
        return None
    finally:
        connection.close()
