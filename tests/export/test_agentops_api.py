"""Single requests to the API of AgentOps: what is asked, how often, and what an answer is taken for."""

import socket
from collections.abc import Mapping

import pytest

from agentops_otel.config import AgentOps, Destination
from agentops_otel.export.agentops import TokenAuthorization
from agentops_otel.export.agentops_api import Reply, ask, json_object, wait_for_trace
from agentops_otel.version import VERSION
from tests.export.delivery import accepting
from tests.loopback.agentops_backend import AgentOpsBackend

DIRECT = Destination(endpoint="http://127.0.0.1:1/v1/traces")
TRACE = "0123456789abcdef0123456789abcdef"


def test_a_question_has_no_body_and_says_who_asks() -> None:
    """With the headers that it is given, below the API's own path."""
    asked: list[bytes] = []

    def answer(taken: socket.socket) -> None:
        asked.append(taken.recv(65536))
        taken.sendall(b'HTTP/1.1 203 OK\r\nDate: today\r\ncontent-length: 8\r\n\r\n{"a": 1}')

    with accepting(answer) as port:
        account = AgentOps(api_key="k", api_endpoint=f"http://127.0.0.1:{port}/api/")
        reply = ask(account, DIRECT, "GET", "/public/v1", timeout_s=60, headers={"authorization": "Bearer t"})

    lines = [
        "GET /api/public/v1 HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        "accept-encoding: identity",
        f"user-agent: agentops-otel/{VERSION}",
        "authorization: Bearer t",
    ]
    assert asked[0].decode().split("\r\n") == [*lines, "", ""]
    assert reply == Reply(status=203, body={"a": 1}, date="today")


def test_who_cannot_be_asked_answers_nothing() -> None:
    """No status, no body and no date."""
    reply = ask(AgentOps(api_key="k", api_endpoint="http://127.0.0.1:9"), DIRECT, "GET", "/", timeout_s=60)

    assert reply == Reply(0, {}, None)


@pytest.mark.parametrize(
    ("body", "read"), [(b'{"a": [1]}', {"a": [1]}), (b"[1]", {}), (b'"a"', {}), (b"{", {}), (b"", {})]
)
def test_what_is_no_object_is_an_empty_one(body: bytes, read: Mapping[str, object]) -> None:
    """Whatever else is valid JSON."""
    assert json_object(body) == read


class Time:
    """Passes as somebody sleeps; after so many pauses the API says something else than that it knows no trace."""

    def __init__(self, backend: AgentOpsBackend, pauses: int) -> None:
        self.now, self.pauses, self._backend, self._most = 0.0, list[float](), backend, pauses

    def monotonic(self) -> float:
        """The time now."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """It is later."""
        self.pauses.append(seconds)
        self.now += seconds
        self._backend.reads_are_forbidden = len(self.pauses) == self._most


@pytest.mark.parametrize(
    ("patience_s", "pauses"), [(10.0, [1.0, 1.0]), (1.5, [1.0, 0.5]), (0.0, [])], ids=["long", "short", "none"]
)
def test_a_trace_is_asked_for_until_there_is_an_answer_or_the_patience_is_over(
    patience_s: float, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a second while it is not known, and a last time at the end."""
    with AgentOpsBackend() as backend:
        time = Time(backend, 2)
        headers = TokenAuthorization(backend.account, DIRECT).headers()
        assert headers is not None
        monkeypatch.setattr("agentops_otel.export.agentops_api.time", time)
        reply = wait_for_trace(backend.account, DIRECT, headers, TRACE, patience_s)
        lookups = backend.lookups

    assert (lookups, time.pauses) == (len(pauses) + 1, pauses)
    assert reply.status == (403 if pauses else 404)
