"""Uploads the text that a program printed in a trace to the Logs tab of AgentOps, with the retries of spans.

`POST /v4/logs/upload/` stores the body as the log of the trace in a header, and replaces the previous log
(`app/api/agentops/api/routes/v4/logs.py` of https://github.com/AgentOps-AI/agentops). The page reads a body that is a
JSON string; of the object that AgentOps' own SDK sends it loses the first line.
"""

from collections.abc import Mapping
from dataclasses import replace

import orjson

from agentops_otel.config import AgentOps, Destination
from agentops_otel.export.encode import Batch
from agentops_otel.export.sender import Answer, Sender

LOGS_PATH = "/v4/logs/upload/"
_ID_BYTES = 16


def destination_of_logs(account: AgentOps, destination: Destination) -> Destination:
    """The destination of the account's logs, with the TLS and proxy settings of its spans."""
    url = account.api_endpoint.rstrip("/") + LOGS_PATH
    return replace(destination, endpoint=url, protocol="http/protobuf", headers={}, compression="none")


class LogUpload:
    """Takes the printed text of traces, each as one request.

    Args:
        sender: The sender whose outbox gets the requests.
        durable: A request is on disk before the call returns.
    """

    def __init__(self, sender: Sender, *, durable: bool) -> None:
        self.sender = sender
        self._put = sender.outbox.store if durable else sender.outbox.add

    def __call__(self, trace_id: int, text: str) -> None:
        """Send *text* as the log of the trace."""
        body = trace_id.to_bytes(_ID_BYTES) + orjson.dumps(text.encode(errors="replace").decode())
        self._put(Batch(body=body, spans=1))
        self.sender.start()


class LogTransport:
    """Sends the requests of `LogUpload`: 16 bytes of trace id, then the body.

    Args:
        destination: Of `destination_of_logs`.
    """

    def __init__(self, destination: Destination) -> None:
        from agentops_otel.export.http import HttpTransport  # imported on use: it takes long

        self._http = HttpTransport(destination)
        self.limit_bytes = self._http.limit_bytes

    def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
        """Send one request."""
        about = {"content-type": "application/json", "trace-id": _shown(body[:_ID_BYTES])}
        return self._http.send(body[_ID_BYTES:], {**headers, **about}, timeout_s)

    def prepare(self) -> None:
        """Import what a request needs."""
        self._http.prepare()

    def close(self) -> None:
        """Close the connections; the next `send` makes new ones."""
        self._http.close()

    def forked(self) -> None:
        """In the child of a fork: the connections are the parent's."""
        self._http.forked()


def _shown(trace_id: bytes) -> str:
    """The id as AgentOps looks it up: a decimal number, or its hex digits if there is no letter among them."""
    digits = trace_id.hex()
    return digits if digits.isdecimal() else str(int.from_bytes(trace_id))
