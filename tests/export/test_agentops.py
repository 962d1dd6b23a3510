"""A key becomes a token, asked of a stand-in of the AgentOps backend over real HTTP; time is counted."""

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.request import Request, urlopen

import pytest

from agentops_otel.config import AgentOps, Destination
from agentops_otel.export.agentops import TokenAuthorization
from agentops_otel.version import VERSION
from tests.loopback.agentops_backend import AgentOpsBackend

DIRECT = Destination(endpoint="http://127.0.0.1:1/v1/traces")
"""Where the spans go is not asked anything here."""
Asked = tuple[str, dict[str, str], bytes]
"""Path, headers and body of a request."""


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time now."""
        return self.now


@pytest.fixture
def backend() -> Iterator[AgentOpsBackend]:
    """A backend that is up."""
    with AgentOpsBackend() as running:
        yield running


@contextmanager
def answering(
    body: bytes, *, date: str | None = None, status: int = 200, location: str = "", asked: list[Asked] | None = None
) -> Iterator[AgentOps]:
    """An account whose service answers every exchange with this; what it is asked goes to *asked*."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            if asked is not None:
                asked.append((self.path, dict(self.headers.items()), content))
            self.send_response_only(status)
            if date is not None:
                self.send_header("date", date)
            if location:
                self.send_header("location", location)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield AgentOps(api_key="k", api_endpoint=f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


def token(claims: object) -> str:
    """A web token with these claims, signed by nobody."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


def test_nothing_is_asked_before_headers_are_wanted(backend: AgentOpsBackend) -> None:
    """The key is exchanged for the first request, once, and the token opens the backend."""
    authorization = TokenAuthorization(backend.account, DIRECT)
    asked_at_start = list(backend.exchanges)

    headers = [authorization.headers() for _ in range(3)]

    assert asked_at_start == []
    assert backend.exchanges == [200]
    assert headers == [{"authorization": f"Bearer {backend.tokens[0]}"}] * 3
    asked = Request(f"{backend.account.api_endpoint}/v3/auth/token", headers=dict(headers[0] or {}))
    with urlopen(asked, timeout=60) as answer:
        assert json.load(answer)["message"] == "JWT token is valid"


def test_the_token_is_renewed_before_it_expires(backend: AgentOpsBackend) -> None:
    """A token that lives an hour is used for 58 minutes; the next request has a new one."""
    clock = Clock()
    backend.token_life_s = 3600
    authorization = TokenAuthorization(backend.account, DIRECT, clock=clock)

    first = authorization.headers()
    clock.now += 3500
    still = authorization.headers()
    clock.now += 50
    second = authorization.headers()

    assert first == still != second
    assert second == {"authorization": f"Bearer {backend.tokens[1]}"}


NOON = 1_767_268_800
"""Thu, 01 Jan 2026 12:00:00 GMT."""


@pytest.mark.parametrize("date", ["Thu, 01 Jan 2026 12:00:00 GMT", None], ids=["by its clock", "by ours"])
@pytest.mark.parametrize(("life_s", "renewed_after_s"), [(8, 5), (100, 74), (240, 179), (3600, 3539)])
def test_a_token_is_renewed_a_minute_or_a_quarter_of_its_life_before_its_end(
    life_s: int, renewed_after_s: int, date: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a second, since the times of a token are whole seconds; it is good to its very end."""
    monkeypatch.setattr("time.time", lambda: NOON if date is None else 0.0)
    clock, asked = Clock(), list[Asked]()
    good = token({"exp": NOON + life_s})
    with answering(json.dumps({"token": good}).encode(), date=date, asked=asked) as account:
        authorization = TokenAuthorization(account, DIRECT, clock=clock)
        authorization.headers()
        clock.now += renewed_after_s - 0.5
        authorization.headers()
        early = len(asked)
        clock.now += 0.5
        authorization.headers()
        in_time = len(asked)
    clock.now += life_s - 0.5
    still = authorization.headers()
    clock.now += 0.5

    assert (early, in_time) == (1, 2)
    assert still == {"authorization": f"Bearer {good}"}
    assert authorization.headers() is None


def test_a_key_is_sent_as_the_service_reads_it() -> None:
    """As JSON, at its place below an API that ends in a slash or in none, and with nothing of the destination's."""
    asked: list[Asked] = []
    with answering(b"{}", asked=asked) as account:
        for endpoint in (account.api_endpoint, account.api_endpoint.rstrip("/")):
            here = Destination(endpoint="http://127.0.0.1:1", headers={"x-team": "agents"}, compression="gzip")
            TokenAuthorization(replace(account, api_endpoint=endpoint), here).headers()

    host = account.api_endpoint.split("/")[2]
    headers = {
        "host": host,
        "accept-encoding": "identity",
        "user-agent": f"agentops-otel/{VERSION}",
        "content-type": "application/json",
        "content-length": "15",
    }
    assert asked == [("/v3/auth/token", headers, b'{"api_key":"k"}')] * 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_in_the_services_words_is_one(status: int) -> None:
    """Each of the statuses that it has for keys."""
    with answering(b'{"error": "Invalid API key"}', status=status) as account:
        authorization = TokenAuthorization(account, DIRECT)

        assert authorization.headers() is None
        assert authorization.refused


def test_a_token_is_used_to_its_end_while_the_service_is_down(backend: AgentOpsBackend) -> None:
    """A renewal that fails costs nothing while the token is good; after that there are no headers."""
    clock = Clock()
    backend.token_life_s = 3600
    authorization = TokenAuthorization(backend.account, DIRECT, clock=clock)
    first = authorization.headers()
    backend.fail_auth(500, times=2)

    clock.now += 3550
    good = authorization.headers()
    clock.now += 60
    over = authorization.headers()
    clock.now += 60
    renewed = authorization.headers()

    assert first == good
    assert over is None
    assert renewed == {"authorization": f"Bearer {backend.tokens[1]}"}
    assert backend.exchanges == [200, 500, 500, 200]


def test_a_service_that_is_down_is_asked_again(backend: AgentOpsBackend, caplog: pytest.LogCaptureFixture) -> None:
    """However often headers are wanted, it is asked once a second, and one line says that the spans wait."""
    clock = Clock()
    backend.fail_auth(500, times=3)
    authorization = TokenAuthorization(backend.account, DIRECT, clock=clock)

    headers = []
    for _ in range(8):
        headers.append(authorization.headers())
        clock.now += 0.5

    assert backend.exchanges == [500] * 3 + [200]
    assert headers[:6] == [None] * 6
    assert headers[6] == headers[7] == {"authorization": f"Bearer {backend.tokens[0]}"}
    waits = "AgentOps gives no token: 127.0.0.1 answered 500. It is asked again, and the spans wait"
    assert [record.getMessage() for record in caplog.records if record.name == "agentops_otel"] == [waits]
    backend.fail_auth(500)
    assert not authorization.renew()
    assert [record.getMessage() for record in caplog.records if record.name == "agentops_otel"] == [waits, waits]


def test_a_key_that_is_refused_later_is_as_one_that_was_never_good(backend: AgentOpsBackend) -> None:
    """Revoked while the program runs: its last token is used no more."""
    clock = Clock()
    backend.token_life_s = 3600
    authorization = TokenAuthorization(backend.account, DIRECT, clock=clock)
    first = authorization.headers()

    backend.api_key = "another"
    clock.now += 3550
    second = authorization.headers()

    assert first is not None
    assert second is None
    assert authorization.refused


def test_a_service_that_comes_up_later_gives_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """A port where nobody listens is like any other outage."""
    clock = Clock()
    with AgentOpsBackend() as backend:
        account = backend.account
    authorization = TokenAuthorization(account, DIRECT, clock=clock)

    before = authorization.headers()
    clock.now += 5
    with AgentOpsBackend(api_port=backend.api_port, api_key=backend.api_key):
        after = authorization.headers()

    assert before is None
    assert after is not None
    assert "127.0.0.1 cannot be reached" in caplog.text


def test_a_refused_token_is_replaced(backend: AgentOpsBackend) -> None:
    """`renew` drops the token and has a new one; while the service is down it says so, and asks no more than it may."""
    clock = Clock()
    authorization = TokenAuthorization(backend.account, DIRECT, clock=clock)
    authorization.headers()

    renewed = authorization.renew()
    second = authorization.headers()
    backend.fail_auth(503)
    down = [authorization.renew(), authorization.renew()]
    none = authorization.headers()

    assert renewed
    assert second == {"authorization": f"Bearer {backend.tokens[1]}"}
    assert down == [False, False]
    assert none is None
    assert backend.exchanges == [200, 200, 503]


@pytest.mark.parametrize(("key", "status"), [("no uuid", 400), ("8a3fc5a0-3d4e-4b57-9a0c-0c6e1d0f7a11", 403)])
def test_a_refused_key_is_said_once_and_not_offered_again(
    backend: AgentOpsBackend, caplog: pytest.LogCaptureFixture, key: str, status: int
) -> None:
    """The one line says what to do; after it the service is left alone."""
    clock = Clock()
    authorization = TokenAuthorization(replace(backend.account, api_key=key), DIRECT, clock=clock)

    headers = authorization.headers()
    clock.now += 3600
    again = (authorization.headers(), authorization.renew())

    assert headers is None
    assert again == (None, False)
    assert authorization.refused
    assert backend.exchanges == [status]
    assert [record.getMessage() for record in caplog.records if record.name == "agentops_otel"] == [
        f"AgentOps refused the API key (127.0.0.1 answered {status}): nothing is sent there, "
        "tracing goes on without it. Set AGENTOPS_API_KEY, or init(api_key=...), to a key from http://app.agentops.test/settings/projects"
    ]


def test_the_key_and_the_token_are_said_nowhere(backend: AgentOpsBackend, caplog: pytest.LogCaptureFixture) -> None:
    """Neither is in a log at any level or in a repr, whatever happens."""
    caplog.set_level(logging.DEBUG)
    clock = Clock()
    authorization = TokenAuthorization(backend.account, DIRECT, clock=clock)
    said: list[str] = []

    for status in (500, 200, 302, 403):
        if status != 200:
            backend.fail_auth(status)
        clock.now += 10
        authorization.renew()
        said += [repr(authorization), str(vars(authorization)), repr(backend.account), repr(backend.destination)]
    said.append(caplog.text)

    assert backend.exchanges == [500, 200, 302, 403]
    assert not [text for text in said for secret in (backend.api_key, *backend.tokens) if secret in text]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>gateway</html>",
        b"[]",
        b"{}",
        b'{"token": 7}',
        b'{"token": ""}',
        b'{"token": "a b"}',
        b'{"token": "a\\r\\nx: y"}',
        '{"token": "ü"}'.encode(),
    ],
)
def test_an_answer_without_a_usable_token_is_an_outage(body: bytes) -> None:
    """A 200 whose token is missing, or could not be a header, is asked again."""
    with answering(body) as account:
        authorization = TokenAuthorization(account, DIRECT)

        headers = authorization.headers()

    assert headers is None
    assert not authorization.refused


@pytest.mark.parametrize("status", [201, 202, 204, 206, 404, 500])
def test_a_token_in_an_answer_that_is_not_200_is_none(status: int) -> None:
    """Whoever said so, it was not the service that exchanges keys."""
    with answering(b'{"token": "a.b.c"}', status=status) as account:
        authorization = TokenAuthorization(account, DIRECT)

        assert authorization.headers() is None
        assert not authorization.refused


@pytest.mark.parametrize(
    "text",
    ["opaque", "a.b.c", token([]), token({"exp": "soon"}), token({"exp": 0}), token({"exp": float("inf")}), "a.%.c"],
)
def test_a_token_that_does_not_say_its_end_is_good_until_it_is_refused(text: str) -> None:
    """Opaque, unreadable and nonsensical ends are no reason to ask for another."""
    clock = Clock()
    with answering(json.dumps({"token": text}).encode()) as account:
        authorization = TokenAuthorization(account, DIRECT, clock=clock)
        authorization.headers()

    clock.now += 1e9

    assert authorization.headers() == {"authorization": f"Bearer {text}"}


@pytest.mark.parametrize("date", ["Thu, 01 Jan 2037 00:00:00 GMT", "Thu, 01 Jan 1998 00:00:00 GMT"])
def test_a_wrong_clock_of_the_machine_does_not_matter(date: str) -> None:
    """A token's life is measured by the clock of who made it."""
    clock = Clock()
    made_at = {"Thu, 01 Jan 2037 00:00:00 GMT": 2114380800, "Thu, 01 Jan 1998 00:00:00 GMT": 883612800}[date]
    with answering(json.dumps({"token": token({"exp": made_at + 3600})}).encode(), date=date) as account:
        authorization = TokenAuthorization(account, DIRECT, clock=clock)

        while_good = authorization.headers()
        clock.now += 3500
        still_good = authorization.headers()

    clock.now += 150
    assert while_good == still_good is not None
    assert authorization.headers() is None


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_proxy_that_refuses_is_an_outage(status: int) -> None:
    """A 403 that is not in the service's words says nothing of the key: it is offered again."""
    with answering(b"<html>Attention required</html>", status=status) as account:
        authorization = TokenAuthorization(account, DIRECT)

        headers = authorization.headers()

    assert headers is None
    assert not authorization.refused


def test_a_redirect_never_takes_the_key_along(backend: AgentOpsBackend) -> None:
    """A 307 to another origin is an outage, and the other origin hears nothing."""
    with answering(b"", status=307, location=f"{backend.account.api_endpoint}/v3/auth/token") as account:
        headers = TokenAuthorization(account, DIRECT).headers()

    assert headers is None
    assert backend.exchanges == []


@pytest.mark.parametrize("app_url", ["https://app.agentops.ai", "https://app.agentops.ai/"])
def test_a_session_has_a_link(app_url: str) -> None:
    """The link is the dashboard's page of the trace."""
    account = AgentOps(api_key="k", app_url=app_url)

    link = account.session_url("0123456789abcdef0123456789abcdef")

    assert link == "https://app.agentops.ai/sessions?trace_id=0123456789abcdef0123456789abcdef"
