"""`agentops-otel view`: what is sent by OTLP is on the page, for the user alone, on this machine alone."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from inline_snapshot import snapshot
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link

from agentops_otel.export import otlp_json
from agentops_otel.view.live import loopback, otlp
from agentops_otel.view.live.loopback import BODY_BYTES, CONNECTIONS
from agentops_otel.view.live.server import LiveView, _filter
from agentops_otel.view.live.store import Store
from agentops_otel.view.live.wanted import Filter
from tests.python_process import Python, run_python
from tests.view.requests import request, send
from tests.view.spans import Trace, research

TRACE = "0" * 31 + "1"
EMPTY = b'{"resourceSpans": []}'


class Browser:
    """Asks the page's server as a browser does that opened the printed address."""

    def __init__(self, live: LiveView) -> None:
        self._port = live.port
        url = urlsplit(live.url)
        status, headers, _ = self.get(f"{url.path}?{url.query}")
        assert (status, headers["location"]) == (303, "/")
        self._cookie = headers["set-cookie"].partition(";")[0]

    _cookie = ""

    def get(self, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body."""
        return request(self._port, "GET", path, headers={"cookie": self._cookie, **headers})

    def data(self, path: str) -> object:
        """The JSON that a path answers."""
        status, _, body = self.get(path)
        assert status == 200
        found: object = json.loads(body)
        return found


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
def test_opentelemetrys_own_exporter_is_received(live: LiveView, store: Store, compression: str) -> None:
    """Protobuf, compressed or not: the spans are what they were, links, events and all."""
    from opentelemetry.exporter.otlp.proto.http import Compression

    exporter = OTLPSpanExporter(f"{live.otlp_endpoint}/v1/traces", compression=Compression(compression))

    linked = Trace(1, count(9)).span("linked", 2000, links=[Link(Trace(7).context(8))])
    spans = [*research(), linked]

    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()  # type: ignore[no-untyped-call]
    last_first = sorted(spans, key=lambda span: -(span.start_time or 0))
    assert list(store.export(TRACE)) == [otlp_json.dumps([span]) + b"\n" for span in last_first]


def test_a_program_finds_it_by_default(live: LiveView, store: Store) -> None:
    """An empty request, by which a program asks whether a collector is there, is accepted."""
    assert send(live, b"", content_type="application/x-protobuf") == 200
    assert store.runs(Filter()) == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"\xff\xff", {"content_type": "application/x-protobuf"}, 400),
        (b"no gzip", {"content_encoding": "gzip"}, 400),
        (b"{}", {"content_encoding": "br"}, 400),
        (b"{}", {"host": "evil.test:4318"}, 403),
        (b"{}", {"origin": "http://evil.test"}, 403),
        (b"{}", {"origin": "null"}, 403),
        (b"", {"content_length": str(BODY_BYTES + 1)}, 400),
        (b"fffffff\r\n", {"transfer_encoding": "chunked"}, 400),
        (b"-1\r\n", {"transfer_encoding": "chunked"}, 400),
        (b"[" * 3000, {}, 400),
        (otlp_json.dumps([Trace().span("x", end=1e13)]), {}, 400),
    ],
)
def test_a_bad_or_foreign_request_is_refused(
    live: LiveView, store: Store, body: bytes, headers: dict[str, str], status: int
) -> None:
    """What is no OTLP, too large, or asked for by somebody else's page leaves nothing."""
    assert send(live, body, **headers) == status
    assert store.runs(Filter()) == []


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"no gzip", {"content_encoding": "gzip"}, "the body cannot be decompressed: "),
        (b"{}", {"content_encoding": "br"}, "no such content-encoding is taken: br"),
        (b"x\r\n", {"transfer_encoding": "chunked"}, f"a body says its length, which is {BODY_BYTES} bytes at most"),
        (otlp_json.dumps([Trace().span("x", end=1e13)]), {}, "a time or a count is no number of 64 bits"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(live: LiveView, body: bytes, headers: dict[str, str], said: str) -> None:
    """In the answer, to whoever looks for why nothing arrives."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    typed = {"content-type": "application/json", **given}

    status, _, answer = request(live.otlp_port, "POST", "/v1/traces", body, typed)

    assert (status, answer.decode()[: len(said)]) == (400, said)


def test_no_other_page_may_hold_or_read_this_one(live: LiveView) -> None:
    """Each answer says so to the browser."""
    _, said, _ = request(live.port, "GET", "/")

    assert {name: said[name] for name in sorted(said.keys() - {"date", "content-length", "set-cookie"})} == snapshot(
        {
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",  # noqa: E501
            "content-type": "text/plain",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "referrer-policy": "no-referrer",
            "server": "agentops-otel ",
            "x-content-type-options": "nosniff",
        }
    )


def test_a_body_may_come_in_chunks(live: LiveView, store: Store) -> None:
    """OpenTelemetry's exporter for Node sends it so."""
    body = otlp_json.dumps(research())
    chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in (body[:100], body[100:]))

    status = send(live, chunks + b"0\r\n\r\n", transfer_encoding="chunked")

    assert status == 200
    assert len(store.runs(Filter())) == 1


def test_connections_are_bounded(live: LiveView) -> None:
    """One too many is closed at once, and taken when another has ended."""
    held = [socket.create_connection(("127.0.0.1", live.otlp_port), 20) for _ in range(CONNECTIONS)]

    with socket.create_connection(("127.0.0.1", live.otlp_port), 20) as one_more:
        assert one_more.recv(1) == b""
    for connection in held:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
        connection.close()
    until = time.monotonic() + 20.0
    status = 0
    while status != 200 and time.monotonic() < until:
        with suppress(OSError, http.client.HTTPException):
            status = send(live, b'{"resourceSpans": []}')
    assert status == 200


def test_a_request_that_grows_without_end_is_refused() -> None:
    """A few kilobytes that are gigabytes once decompressed are not decompressed."""
    bomb = zlib.compress(bytes(otlp.LIMIT_BYTES + 1))

    with pytest.raises(ValueError, match="larger than"):
        otlp.decode(bomb, otlp_json, content_type="application/json", encoding="deflate")


@pytest.mark.parametrize(("error", "said"), [(ValueError("x"), True), (ConnectionResetError(), False)])
def test_a_request_that_cannot_be_answered_is_said_unless_nobody_waits(
    error: Exception, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A browser closes a connection when it likes."""

    class Failing:
        def get(self, request: loopback.Request) -> loopback.Reply:
            raise error

        post = get

    server = loopback.Server(0, Failing())
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        with pytest.raises(http.client.RemoteDisconnected):
            request(server.server_address[1], "GET", "/")
    finally:
        server.shutdown()
        serving.join()
        server.server_close()

    assert caplog.messages == ["agentops-otel view could not answer a request"] * said


def test_the_page_is_for_who_has_the_address(live: LiveView) -> None:
    """Without the token there is neither page nor data, nor with a wrong one, nor from another page."""
    browser = Browser(live)

    refused = [
        request(live.port, "GET", path, headers=headers)[0]
        for path in ("/", "/main.js", "/api/runs")
        for headers in (
            {},
            {"cookie": f"agentops_view_{live.port}=x"},
            {"cookie": f"agentops_view_{live.port}=\u00e9".encode().decode("latin-1")},
        )
    ]
    foreign = [browser.get("/api/runs", host="evil.test")[0], browser.get("/api/runs", origin="http://evil.test")[0]]

    assert set(refused) == {403}
    assert foreign == [403, 403]
    assert browser.get("/api/runs", origin=f"http://127.0.0.1:{live.port}")[0] == 200
    assert [browser.get(path)[0] for path in ("/nothing", "/../server.py", "/api/nothing", "/api/runs/x")] == [404] * 4
    assert request(live.port, "POST", "/", b"")[0] == 405


def test_the_page_runs_its_own_scripts_alone(live: LiveView) -> None:
    """Its policy allows no script, style or connection but its own; its files are what they say they are."""
    browser = Browser(live)
    folder = Path(otlp.__file__).parent / "page"

    answers = {name: browser.get(f"/{name}") for name in sorted(path.name for path in folder.iterdir())}

    policies = {headers["content-security-policy"] for _, headers, _ in answers.values()}
    assert len(policies) == 1
    assert "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'" in policies.pop()
    assert all(body == (folder / name).read_bytes() for name, (_, _, body) in answers.items())
    html = answers["index.html"][2].decode()
    assert "<script>" not in html
    assert " on" not in html.replace(" one", "")


def test_each_word_of_an_address_is_a_filter_of_its_own() -> None:
    """None says another's, and none says nothing."""
    words = {name: "x" for name in ("trace", "text", "model", "tool", "agent", "tag", "service", "sort")}
    words |= {
        "since": "2023-11-13",
        "until": "2023-11-13",
        "failed": "1",
        "slower": "1.5",
        "dearer": "2",
        "order": "up",
    }

    found = {word: _filter({word: value}) for word, value in words.items()}

    changed = {
        word: [name for name, value in asdict(given).items() if value != getattr(Filter(), name)]
        for word, given in found.items()
    }
    others = {
        "since": "since_s",
        "until": "until_s",
        "slower": "slower_s",
        "dearer": "dearer_usd",
        "order": "ascending",
    }
    assert changed == {word: [others.get(word, word)] for word in words}
    assert (found["slower"].slower_s, found["dearer"].dearer_usd) == (1.5, 2.0)
    midnights = [datetime(2023, 11, day).timestamp() for day in (13, 14)]  # of this machine
    assert [found["since"].since_s, found["until"].until_s] == midnights


def test_runs_are_asked_for_by_the_address(live: LiveView, store: Store) -> None:
    """The list, its filters, a run and its file."""
    browser = Browser(live)
    store.add(research())

    runs = browser.data("/api/runs?text=research&model=gpt-4o-2024-08-06&failed=1&slower=1&sort=name&order=up")
    none = browser.data("/api/runs?slower=x&dearer=1000&text=%00x")
    run = browser.data(f"/api/runs/{TRACE}")

    assert isinstance(runs, list)
    assert [found["trace"] for found in runs] == [TRACE]
    assert none == []
    assert isinstance(run, dict)
    assert [span["name"] for span in run["spans"]] == [
        "invoke_workflow research",
        "plan",
        "chat gpt-4o",
        "execute_tool search",
    ]
    _, headers, body = browser.get(f"/api/otlp/{TRACE}")
    assert headers["content-disposition"] == f'attachment; filename="{TRACE}.jsonl"'
    assert len([otlp_json.loads(line) for line in body.splitlines()]) == 4


def test_a_run_is_downloaded_as_a_page_of_it_alone(live: LiveView, store: Store) -> None:
    """What others have said is not handed on with it."""
    store.add(research())
    store.add([Trace(2).span("nobody-elses", 0, 1)])

    _, headers, body = Browser(live).get(f"/api/html/{TRACE}")

    assert headers["content-disposition"] == f'attachment; filename="{TRACE}.html"'
    assert b"invoke_workflow research" in body
    assert b"nobody-elses" not in body


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("since=2023-11-13", 2),
        ("since=2023-11-17", 1),
        ("until=2023-11-12", 0),
        ("since=2023-11-13&until=2023-11-15", 1),
        ("since=2023-11-19&until=2023-11-19", 0),
        ("since=yesterday&until=9999-12-31", 2),
    ],
)
def test_runs_are_asked_for_by_day(live: LiveView, store: Store, days: str, found: int) -> None:
    """Of this machine, both days included; what is no day is none."""
    store.add([*research(), Trace(2).span("four days later", 4 * 24 * 3600 * 1000)])

    runs = Browser(live).data(f"/api/runs?{days}")

    assert isinstance(runs, list)
    assert len(runs) == found


def test_each_file_of_the_page_says_what_it_is(live: LiveView) -> None:
    """A browser takes no script and no style for another."""
    browser = Browser(live)
    folder = Path(otlp.__file__).parent / "page"
    types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}

    said = {path.name: browser.get(f"/{path.name}")[1]["content-type"] for path in folder.iterdir() if path.is_file()}

    assert said == {name: f"{types[Path(name).suffix]}; charset=utf-8" for name in said}
    assert browser.get("/")[1:] == browser.get("/index.html")[1:]
    assert browser.get("/api/links")[1]["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "answer"),
    [
        (b'{"resourceSpans": []}', "application/json", (200, "application/json", b"{}")),
        (b'{"resourceSpans": []}', "application/json; charset=utf-8", (200, "application/json; charset=utf-8", b"{}")),
        (b"", "application/x-protobuf", (200, "application/x-protobuf", b"")),
        (b"", "", (200, "application/json", b"")),
        (
            b"\xff\xff", "application/x-protobuf",
            (400, "text/plain", b"the body is no ExportTraceServiceRequest"),
        ),
    ],
)  # fmt: skip
def test_a_request_is_answered_in_its_own_language(
    live: LiveView, body: bytes, content_type: str, answer: tuple[int, str, bytes]
) -> None:
    """What is wrong with it is text."""
    status, headers, said = request(live.otlp_port, "POST", "/v1/traces", body, {"content-type": content_type})

    assert (status, headers["content-type"], said) == answer


def test_the_receiver_takes_traces_alone(live: LiveView, store: Store) -> None:
    """At one path; a program may ask there whether a trace has come."""
    body = otlp_json.dumps(research())
    posts = [request(live.otlp_port, "POST", path, body)[0] for path in ("/", "/v1/metrics", "/v1/traces/")]
    before = request(live.otlp_port, "GET", f"/v1/traces/{TRACE}")[0]
    sent = send(live, body, content_encoding="identity")
    gets = [
        request(live.otlp_port, "GET", path)[0]
        for path in (
            f"/v1/traces/{TRACE}",
            f"/v1/traces/{'f' * 32}",
            "/v1/traces/",
            "/v1/traces",
            f"/v2/traces/{TRACE}",
        )
    ]

    assert (posts, before, sent) == ([404, 404, 404], 404, 200)
    assert gets == [200, 404, 405, 405, 405]
    assert len(store.runs(Filter())) == 1


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{}", 200), ("localhost:{}", 200), ("[::1]:{}", 200), ("localhost:1", 403), ("localhost", 403),
        ("127.0.0.1", 403), ("127.0.0.2:{}", 403), ("evil.test:{}", 403), ("", 403),
    ],
)  # fmt: skip
def test_a_host_is_ours_by_name_and_port(live: LiveView, host: str, status: int) -> None:
    """That of a page too, which is asked for by its scheme."""
    ours = host.format(live.otlp_port)

    assert send(live, EMPTY, host=ours) == status
    assert send(live, EMPTY, origin=f"http://{ours}") == status
    assert send(live, EMPTY, origin=f"https://{ours}") == 403


def test_only_what_went_wrong_here_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A browser may leave before it has its answer."""
    errors = [ConnectionResetError("gone"), BrokenPipeError("gone"), RuntimeError("ours")]

    class Failing:
        def get(self, request: loopback.Request) -> loopback.Reply:
            raise errors.pop()

        post = get

    server = loopback.Server(0, Failing())
    for _ in range(3):
        with socket.create_connection(server.server_address[:2], 20) as browser:  # type: ignore[arg-type]  # an address
            browser.sendall(b"GET / HTTP/1.1\r\nhost: localhost:%d\r\n\r\n" % server.server_address[1])
            server.handle_request()
            assert browser.recv(1) == b""
    server.server_close()

    assert [(record.getMessage(), str(record.exc_info and record.exc_info[1])) for record in caplog.records] == [
        ("agentops-otel view could not answer a request", "ours")
    ]


def test_a_body_may_be_as_large_as_it_may(live: LiveView, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte more is refused, also of one that comes in chunks."""
    monkeypatch.setattr(loopback, "BODY_BYTES", 40)
    fits, more = (EMPTY.ljust(size) for size in (40, 41))

    def in_chunks(body: bytes) -> int:
        sent = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:20], body[20:]))
        return send(live, sent + b"0\r\nTrailer: x\r\n\r\n", transfer_encoding="Chunked")

    assert [send(live, fits), send(live, more), in_chunks(fits), in_chunks(more)] == [200, 400, 200, 400]


def test_a_connection_is_kept_until_something_is_refused(live: LiveView) -> None:
    """What is left of a refused body would be taken for the next request."""
    host = f"host: localhost:{live.otlp_port}\r\ncontent-type: application/json\r\n".encode()
    whole = b"content-length: %d\r\n\r\n%s" % (len(EMPTY), EMPTY)
    chunked = b"transfer-encoding: chunked\r\n\r\n%x;a=b\r\n%s\r\n0\r\nx: y\r\n\r\n" % (len(EMPTY), EMPTY)
    statuses = []
    with socket.create_connection(("127.0.0.1", live.otlp_port), 20) as connection:
        for body in (whole, chunked, whole, chunked):
            connection.sendall(b"POST /v1/traces HTTP/1.1\r\n%s%s" % (host, body))
            with http.client.HTTPResponse(connection) as answer:
                answer.begin()
                statuses.append(answer.status)
                answer.read()
        connection.sendall(b"GET /v1/traces/%s HTTP/1.1\r\n%s\r\n" % (TRACE.encode(), host))
        rest = b"".join(iter(lambda: connection.recv(4096), b""))

    with socket.create_connection(("127.0.0.1", live.otlp_port), 20) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\n%scontent-length: %d\r\n\r\n" % (host, BODY_BYTES + 1))
        too_large = b"".join(iter(lambda: connection.recv(4096), b""))

    assert statuses == [200] * 4
    assert rest.startswith(b"HTTP/1.1 404 ")
    assert too_large.startswith(b"HTTP/1.1 400 ")


def test_what_a_page_asks_for_is_json(live: LiveView, store: Store) -> None:
    """The totals, the choices of the filters, the number of changes, and a run's own file."""
    browser = Browser(live)
    store.add(research())

    totals, choices = browser.data("/api/totals?model=gpt-4o-2024-08-06"), browser.data("/api/choices")
    _, named, _ = browser.get(f"/api/otlp/{TRACE}x")
    _, odd, _ = browser.get("/api/otlp/..")

    assert isinstance(totals, dict)
    assert {kind: [(one["calls"], one["errors"]) for one in totals[kind]] for kind in sorted(totals)} == {
        "day": [(1, 1)],
        "model": [(1, 0)],
        "tool": [(1, 1)],
    }
    assert browser.data("/api/totals?model=none") == {}
    assert choices == {
        "tags": [],
        "models": ["gpt-4o-2024-08-06"],
        "tool_names": ["search"],
        "agents": [],
        "services": ["bot"],
    }
    assert [browser.data(f"/api/changes?since={since}") for since in ("0", "0.5", "x", "-1")] == [1] * 4
    assert named["content-disposition"] == f'attachment; filename="{TRACE}.jsonl"'
    assert "content-disposition" not in odd


def test_the_token_is_kept_by_the_browser_alone(live: LiveView) -> None:
    """In a cookie of this port, which no script reads and no other page sends; who has none is told what to do."""
    url = urlsplit(live.url)

    status, headers, _ = request(live.port, "GET", f"/?{url.query}")
    refused = request(live.port, "GET", "/")

    assert (url.scheme, url.netloc, url.path) == ("http", f"127.0.0.1:{live.port}", "/")
    assert (status, headers["location"]) == (303, "/")
    assert headers["set-cookie"] == (
        f"agentops_view_{live.port}={url.query.removeprefix('token=')}; HttpOnly; SameSite=Strict; Path=/"
    )
    assert (refused[0], refused[2]) == (403, b"Open the address that agentops-otel view has printed.")
    assert request(live.port, "GET", f"/main.js?{url.query}")[0] == 403


def test_a_page_that_waits_hears_of_what_arrives(live: LiveView) -> None:
    """A request for changes is answered when there are some."""
    browser = Browser(live)
    heard: list[object] = []
    statuses = []
    for since in (0, 1):
        waiting = threading.Thread(target=lambda since=since: heard.append(browser.data(f"/api/changes?since={since}")))
        waiting.start()
        statuses.append(send(live, otlp_json.dumps(research())))
        waiting.join(20.0)

    assert statuses == [200, 200]
    assert heard == [1, 2]


@pytest.mark.measured
def test_the_command_shows_files_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    """It prints the address of the page, reads the file, also what is added to it, and ends at once."""
    (tmp_path / "trace.jsonl").write_bytes(otlp_json.dumps(research()))
    command = ["-m", "agentops_otel", "view", "--port", "0", "--otlp-port", "0"]
    command += ["--jaeger", "http://localhost:16686/", "trace.jsonl"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": os.getcwd()}
    account = {"AGENTOPS_API_KEY": "11111111-2222-3333-4444-555555555555", "AGENTOPS_APP_URL": "http://agentops.local"}
    with Python(
        *command, cwd=tmp_path, env={**environment, **account}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        url = urlsplit(started.stdout.readline().strip())
        _, headers, _ = request(url.port or 0, "GET", f"/?{url.query}")
        cookie = {"cookie": headers["set-cookie"].partition(";")[0]}
        since = 0
        while not since:
            since = json.loads(request(url.port or 0, "GET", "/api/changes?since=0", headers=cookie)[2])
        with (tmp_path / "trace.jsonl").open("ab") as more:
            more.write(b"\n" + otlp_json.dumps([Trace(2).span("later", 1)]) + b"\n")
        while len(runs := json.loads(request(url.port or 0, "GET", "/api/runs", headers=cookie)[2])) < 2:
            time.sleep(0.05)
        links = json.loads(request(url.port or 0, "GET", "/api/links", headers=cookie)[2])
        with socket.create_connection(("127.0.0.1", url.port or 0), 20):  # a browser keeps one
            started.send_signal(signal.SIGINT)
            code = started.wait(20)

    assert [run["name"] for run in runs] == ["later", "invoke_workflow research"]
    assert links == {
        "Jaeger": "http://localhost:16686/trace/{trace}",
        "AgentOps": "http://agentops.local/sessions?trace_id={trace}",
    }
    assert code == 0
    assert (tmp_path / "agentops_otel" / "view.sqlite3").stat().st_mode & 0o777 == 0o600


@pytest.mark.measured
def test_a_port_that_is_taken_is_told(live: LiveView, tmp_path: Path) -> None:
    """A collector may be on 4318 already; another port does as well."""
    command = ["-m", "agentops_otel", "view", "--port", "0", "--otlp-port", str(live.otlp_port)]
    done = run_python(*command, env={**os.environ, "XDG_STATE_HOME": str(tmp_path)}, timeout=60)

    assert done.returncode == 1
    assert "Address already in use: name other ports with --port and --otlp-port" in done.stderr
