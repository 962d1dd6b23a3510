"""Single requests to the API of AgentOps: exchanging a key, reading a trace back.

A request never raises network errors and follows no redirect. Retries are the caller's.
"""

import time
from collections.abc import Mapping
from typing import Literal, NamedTuple

import orjson

from agentops_otel.config import AgentOps, Destination

TOKEN_PATH = "/v3/auth/token"
TRACE_PATH = "/public/v1/traces/"
_ANSWER_S = 5.0
_PAUSE_S = 1.0


class Reply(NamedTuple):
    """The response to a request."""

    status: int = 0
    """The HTTP status; 0: no response."""
    body: Mapping[str, object] = {}
    """The JSON object in the body; empty if there is none."""
    date: str | None = None
    """The `Date` header as it was sent."""


def ask(
    account: AgentOps,
    destination: Destination,
    method: Literal["GET", "POST"],
    path: str,
    *,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    json: object = None,
) -> Reply:
    """Send one request and wait for its answer.

    Args:
        account: Whose API.
        destination: The destination whose TLS and proxy settings are used.
        method: The method.
        path: Appended to the account's `api_endpoint`.
        timeout_s: How long it may take.
        headers: Sent along.
        json: The body; None sends none.
    """
    # Imported here: `init()` must not pay for it.
    from agentops_otel.export.http import HttpClient

    sent = dict(headers or {})
    body = b""
    if json is not None:
        sent["content-type"], body = "application/json", orjson.dumps(json)
    client = HttpClient(destination, account.api_endpoint.rstrip("/") + path)
    try:
        response = client.request(method, sent, body, timeout_s)
    except (OSError, RuntimeError):
        return Reply()
    finally:
        client.close()
    return Reply(status=response.status, body=json_object(response.content), date=response.headers.get("date"))


def wait_for_trace(
    account: AgentOps, destination: Destination, headers: Mapping[str, str], trace_id: str, patience_s: float
) -> Reply:
    """Read a trace from the API. While it does not know the trace, ask again, for *patience_s* seconds."""
    deadline = time.monotonic() + patience_s
    while True:
        reply = ask(account, destination, "GET", TRACE_PATH + trace_id, timeout_s=_ANSWER_S, headers=headers)
        remaining_s = deadline - time.monotonic()
        if reply.status != 404 or remaining_s <= 0:
            return reply
        time.sleep(min(_PAUSE_S, remaining_s))


def json_object(body: bytes) -> dict[str, object]:
    """The bytes parsed as a JSON object; an empty one if they are not."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
