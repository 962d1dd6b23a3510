"""TLS and proxies on the way to a collector, with a throw-away authority."""

import select
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import grpc
import pytest
import trustme

from agentops_otel import config
from agentops_otel.config import Config, Destination
from agentops_otel.export import transport
from agentops_otel.export.connect import Unreachable, connect, proxy_authorization
from agentops_otel.export.connect import authority as host_of
from agentops_otel.export.http import HttpClient, HttpTransport
from agentops_otel.export.sender import Verdict
from tests.export.delivery import accepting, destination, make_spans, running, until_logged
from tests.loopback.otlp_sink import OtlpSink

Protocol = Literal["http/protobuf", "grpc"]
both = pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Signs the certificates of this file."""
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its certificate, as `OTEL_EXPORTER_OTLP_CERTIFICATE` names one."""
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def tls_sink(protocol: Protocol, authority: trustme.CA, *, clients: bool = False, host: str = "localhost") -> OtlpSink:
    """A sink with a certificate for the host; with *clients* it takes only those who have one too."""
    served = authority.issue_cert(host)
    if protocol == "grpc":
        pairs = [(served.private_key_pem.bytes(), b"".join(pem.bytes() for pem in served.cert_chain_pems))]
        root = authority.cert_pem.bytes() if clients else None
        return OtlpSink("grpc", tls=grpc.ssl_server_credentials(pairs, root, clients))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.configure_cert(context)
    if clients:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return OtlpSink(tls=context)


@both
def test_an_authority_of_ones_own_is_trusted_before_what_requests_is_told(
    protocol: Protocol, authority: trustme.CA, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`OTEL_EXPORTER_OTLP_CERTIFICATE` beats `REQUESTS_CA_BUNDLE`."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(ca_file))

    with tls_sink(protocol, authority) as sink:
        with running(config.read_config(endpoint=sink.endpoint, protocol=protocol, spool_dir=False)) as (
            pipeline,
            tracer,
        ):
            make_spans(tracer, 5)

            assert pipeline.force_flush(10_000)
        assert len(sink.ids) == 5


@both
def test_a_client_certificate_is_shown_to_a_collector_that_asks(
    protocol: Protocol, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    """Mutual TLS, with certificate and key from files."""
    mine = authority.issue_cert("agent")
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    mine.cert_chain_pems[0].write_to_path(str(certificate))
    mine.private_key_pem.write_to_path(str(key))

    with tls_sink(protocol, authority, clients=True) as sink:
        where = destination(sink, certificate=ca_file, client_certificate=certificate, client_key=key)
        with running(Config(destinations=(where,))) as (pipeline, tracer):
            make_spans(tracer, 5)

            assert pipeline.force_flush(10_000)
        assert len(sink.ids) == 5


@both
@pytest.mark.parametrize("wrong", ["authority", "host"])
def test_a_certificate_that_does_not_fit_is_refused_and_named(
    protocol: Protocol, wrong: str, authority: trustme.CA, ca_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is sent to whom it cannot trust, the spans wait, and the log says TLS."""
    signed_by = trustme.CA() if wrong == "authority" else authority
    with tls_sink(protocol, signed_by, host="elsewhere" if wrong == "host" else "localhost") as sink:
        where = destination(sink, certificate=ca_file, timeout_s=2.0)
        with running(Config(destinations=(where,), exit_timeout_s=0.1)) as (pipeline, tracer):
            make_spans(tracer, 5)

            until_logged("TLS failed", pipeline, caplog)
            assert pipeline.stats().pending == 5
        assert sink.received == []


@pytest.fixture
def proxy() -> Iterator[HTTPServer]:
    """A forward proxy: plain requests it takes for itself, TLS it passes on; it notes both."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.path, self.headers.get("proxy-authorization")))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def do_CONNECT(self) -> None:
            seen.append((self.path, self.headers.get("proxy-authorization")))
            if refuses:
                self.send_error(refuses[0])
                return
            host, port = self.path.split(":")
            with socket.create_connection((host, int(port)), 10) as there:
                self.send_response(200)
                self.end_headers()
                ways = {self.connection: there, there: self.connection}
                while data := (found := select.select(ways, [], [], 60)[0][0]).recv(65536):
                    ways[found].sendall(data)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None: ...

    seen: list[tuple[str, str | None]] = []
    refuses: list[int] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.refuses = seen, refuses  # type: ignore[attr-defined]  # for the test to look at
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_proxy_is_taken_from_the_environment(proxy: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY, with its user and password."""
    monkeypatch.setenv("http_proxy", f"http://me:secret@127.0.0.1:{proxy.server_port}")
    settings = config.read_config(endpoint="http://collector.invalid:4318", spool_dir=False)

    with running(settings) as (pipeline, tracer):
        make_spans(tracer, 5)
        assert pipeline.force_flush(10_000)

    assert proxy.seen == [("http://collector.invalid:4318/v1/traces", "Basic bWU6c2VjcmV0")]  # type: ignore[attr-defined]
    assert "secret" not in repr(settings)


@both
def test_tls_goes_through_a_proxy_to_the_collector(
    protocol: Protocol,
    authority: trustme.CA,
    ca_file: Path,
    proxy: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The collector's certificate is checked at the tunnel's end; the password is the proxy's alone."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(ca_file))

    with tls_sink(protocol, authority) as sink:
        settings = config.read_config(endpoint=sink.endpoint, protocol=protocol, spool_dir=False)
        through = replace(settings.destinations[0], proxy=f"http://me:secret@127.0.0.1:{proxy.server_port}")
        with running(replace(settings, destinations=(through,))) as (pipeline, tracer):
            make_spans(tracer, 5)
            assert pipeline.force_flush(10_000)
        assert len(sink.ids) == 5
        assert all("proxy-authorization" not in received.headers for received in sink.received)

    assert proxy.seen == [(f"localhost:{sink.port}", "Basic bWU6c2VjcmV0")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [302, 407, 502])
def test_a_proxy_that_makes_no_tunnel_is_named(
    status: int, proxy: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is sent through it."""
    proxy.refuses.append(status)  # type: ignore[attr-defined]
    through = f"http://127.0.0.1:{proxy.server_port}"
    where = Destination(endpoint="https://collector.invalid:4318/v1/traces", protocol="http/protobuf", proxy=through)
    with running(Config(destinations=(where,), exit_timeout_s=0.1)) as (pipeline, tracer):
        make_spans(tracer, 1)

        until_logged("the proxy failed", pipeline, caplog)
        assert pipeline.stats().pending == 1


@both
def test_a_proxy_that_is_not_there_is_an_outage(protocol: Protocol, caplog: pytest.LogCaptureFixture) -> None:
    """The spans wait, and the log names no password."""
    nobody = "http://me:secret@127.0.0.1:9"
    where = Destination(endpoint="https://collector.invalid:4317", protocol=protocol, proxy=nobody)
    with running(Config(destinations=(where,), exit_timeout_s=0.1)) as (pipeline, tracer):
        make_spans(tracer, 5)

        until_logged("The spans wait", pipeline, caplog)
        assert pipeline.stats().pending == 5
    assert "secret" not in caplog.text


def test_tls_goes_through_the_tls_of_a_proxy(authority: trustme.CA, ca_file: Path, proxy: HTTPServer) -> None:
    """A proxy with an `https` URL: its certificate is checked too, and the password is sent within TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    proxy.socket = context.wrap_socket(proxy.socket, server_side=True)

    with tls_sink("http/protobuf", authority) as sink:
        where = destination(sink, certificate=ca_file, proxy=f"https://me:secret@localhost:{proxy.server_port}")
        with running(Config(destinations=(where,))) as (pipeline, tracer):
            make_spans(tracer, 5, text="x" * 100_000)
            assert pipeline.force_flush(10_000)
            make_spans(tracer, 5, "again")
            assert pipeline.force_flush(10_000)
        assert len(sink.ids) == 10

    assert proxy.seen == [(f"localhost:{sink.port}", "Basic bWU6c2VjcmV0")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("elsewhere", ["collector", "proxy"])
def test_a_certificate_for_another_host_is_refused_behind_a_proxy_and_by_it(
    elsewhere: str, authority: trustme.CA, ca_file: Path, proxy: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Within the TLS of a proxy that of the collector is as strict, and nothing is sent through either."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere" if elsewhere == "proxy" else "localhost").configure_cert(context)
    proxy.socket = context.wrap_socket(proxy.socket, server_side=True)

    with tls_sink("http/protobuf", authority, host="elsewhere" if elsewhere == "collector" else "localhost") as sink:
        where = destination(sink, certificate=ca_file, proxy=f"https://localhost:{proxy.server_port}")
        with running(Config(destinations=(where,), exit_timeout_s=0.1)) as (pipeline, tracer):
            make_spans(tracer, 5)

            until_logged("TLS failed" if elsewhere == "collector" else "the proxy failed", pipeline, caplog)
        assert sink.received == []

    assert bool(proxy.seen) == (elsewhere == "collector")  # type: ignore[attr-defined]


def test_no_proxy_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that NO_PROXY names is reached directly, and each other one through the proxy of its scheme."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:2")
    monkeypatch.setenv("no_proxy", "near.invalid")

    found = {
        url: config.read_config(endpoint=url).destinations[0].proxy
        for url in ("http://near.invalid", "http://far.invalid", "https://far.invalid")
    }

    assert list(found.values()) == [None, "http://127.0.0.1:1", "http://127.0.0.1:2"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "app.localhost", "127.0.0.1", "127.8.0.1", "[::1]"])
def test_this_machine_is_never_asked_for_through_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named or not: a proxy takes `localhost` for itself."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")

    assert config.read_config(endpoint=f"http://{host}:4318").destinations[0].proxy is None
    assert config.read_config().destinations[0].proxy is None


def test_a_proxy_that_says_yes_to_everything_gets_nothing(proxy: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent to a named collector on loopback goes there alone."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")

    with OtlpSink() as sink:
        with running(config.read_config(endpoint=sink.endpoint, spool_dir=False)) as (pipeline, tracer):
            make_spans(tracer, 5)
            assert pipeline.force_flush(10_000)
        assert len(sink.ids) == 5

    assert proxy.seen == []  # type: ignore[attr-defined]


def in_s(seconds: float) -> float:
    """The deadline in so many seconds."""
    return time.monotonic() + seconds


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_a_connection_is_for_one_protocol_and_for_short_messages(
    protocol: str, authority: trustme.CA, ca_file: Path
) -> None:
    """Within TLS it says which, as servers of several on a port ask; and nothing is kept back to be sent with more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])

    def shake_hands(taken: socket.socket) -> None:
        with context.wrap_socket(taken, server_side=True) as connection:
            connection.recv(1)

    with accepting(shake_hands) as port:
        where = Destination(endpoint=f"https://localhost:{port}", certificate=ca_file)
        connected = connect(where, urlsplit(where.endpoint), in_s(60), protocol=protocol)
        with connected:
            assert isinstance(connected, ssl.SSLSocket)
            assert connected.selected_alpn_protocol() == protocol
            assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@both
@pytest.mark.parametrize("speaks", [True, False], ids=["hangs up", "says nothing"])
def test_a_handshake_that_does_not_end_is_an_outage(speaks: bool, protocol: Protocol) -> None:
    """One that ends the connection is not taken for a certificate that is wrong, and one that says nothing neither."""
    given_up = threading.Event()
    faults = {
        "http/protobuf": ("the connection broke", "no answer in time"),
        "grpc": ("UNAVAILABLE", "DEADLINE_EXCEEDED"),
    }
    with accepting(lambda taken: taken.recv(65536) and (speaks or given_up.wait(60))) as port:
        endpoint = f"https://127.0.0.1:{port}"
        sending = transport(Destination(endpoint=endpoint, protocol=protocol))
        answer = sending.send(b"", {}, 60.0 if speaks else 0.2)
        given_up.set()
        sending.close()

    assert (answer.verdict, answer.fault) == (Verdict.RETRY, faults[protocol][not speaks])


@pytest.mark.parametrize(
    ("url", "proxy", "asked"),
    [
        ("http://h/v1", None, ("h", 80)),
        ("https://h/v1", None, ("h", 443)),
        ("https://h:80", None, ("h", 80)),
        ("http://[::1]:4318", None, ("::1", 4318)),
        ("https://h", "http://p", ("p", 80)),
        ("https://h", "https://p", ("p", 443)),
        ("https://h", "http://me:x@p:3128", ("p", 3128)),
    ],
)
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError("no route"), "no connection"),
        (TimeoutError(), "no connection in time"),
        (socket.gaierror(), "unknown host"),
        (UnicodeError(), "unknown host"),
    ],
)
def test_who_is_asked_for_and_what_is_said_if_they_cannot_be_reached(
    url: str, proxy: str | None, asked: tuple[str, int], error: Exception, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port is the scheme's where none is named; behind a proxy the proxy is."""

    def look_up(host: str, port: int, *given: object, **named: object) -> list[object]:
        addresses.append((host, port))
        raise error

    addresses: list[tuple[str, int]] = []
    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    with pytest.raises(Unreachable, match="^the proxy failed$" if proxy else f"^{says}$") as raised:
        connect(Destination(endpoint=url, proxy=proxy), urlsplit(url), in_s(60), protocol="http/1.1")

    assert addresses == [asked]
    if proxy:
        assert str(raised.value.__cause__) == says


def test_each_address_of_a_host_is_tried_until_one_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last that is refused is what is said; a host without any is none that can be reached."""

    def at(port: int) -> tuple[object, ...]:
        return (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))

    def found(*ports: int) -> int:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: [at(port) for port in ports])
        connected = connect(where, urlsplit(where.endpoint), in_s(60), protocol="http/1.1")
        with connected:
            port: int = connected.getpeername()[1]
            return port

    where = Destination(endpoint="http://h")
    with (
        socket.socket() as closed,
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        closed.bind(("127.0.0.1", 0))
        nobody, first, second = (of.getsockname()[1] for of in (closed, one, other))
        assert (found(first, second), found(nobody, second, first)) == (first, second)
        for ports, cause in (((nobody, nobody), "refused"), ((), "the host has no address")):
            with pytest.raises(Unreachable, match="no connection") as raised:
                found(*ports)
            assert cause in str(raised.value.__cause__)


def test_each_address_of_a_host_has_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not answer leaves the others theirs."""

    class Silent(socket.socket):
        def settimeout(self, value: float | None, /) -> None:
            shares.append(value)

        def connect(self, address: object, /) -> None:
            raise TimeoutError

    shares: list[float | None] = []
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in (1, 2, 3)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: addresses)
    monkeypatch.setattr(socket, "socket", Silent)
    where = Destination(endpoint="http://h")

    with pytest.raises(Unreachable, match="no connection in time"):
        connect(where, urlsplit(where.endpoint), in_s(600), protocol="http/1.1")

    assert shares == [pytest.approx(share, abs=30) for share in (200, 300, 600)]


def test_two_senders_look_up_their_hosts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a name server that the other one asks."""

    def look_up(*given: object, **named: object) -> list[object]:
        met.wait()
        raise socket.gaierror

    met = threading.Barrier(2, timeout=10)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    where = Destination(endpoint="http://h")

    def ask(_: int) -> None:
        with pytest.raises(Unreachable, match="unknown host"):
            connect(where, urlsplit(where.endpoint), in_s(60), protocol="http/1.1")

    with ThreadPoolExecutor(2) as senders:
        list(senders.map(ask, range(2)))


def test_without_time_nobody_is_asked_for() -> None:
    """Nor is a host whose name cannot be one."""
    where = Destination(endpoint="http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="no connection in time"):
        connect(where, urlsplit(where.endpoint), in_s(-1), protocol="http/1.1")
    too_long = urlsplit(f"http://{'a' * 70}.test")
    with pytest.raises(Unreachable, match="unknown host"):
        connect(where, too_long, in_s(60), protocol="http/1.1")
    with pytest.raises(Unreachable, match="unknown host"):
        host_of(too_long)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        *(("http://h/v1", "h"), ("http://h:80", "h"), ("https://h:443", "h"), ("http://h:443", "h:443")),
        *(("https://h:80", "h:80"), ("http://[::1]:4318", "[::1]:4318"), ("http://[::1]", "[::1]")),
        *(("http://me:secret@H:1", "h:1"), ("http://b\u00fccher.test", "xn--bcher-kva.test")),
    ],
)
def test_a_host_is_named_as_a_request_has_it(url: str, host: str) -> None:
    """With a port where it is not the scheme's, and without user and password."""
    assert host_of(urlsplit(url)) == host


@pytest.mark.parametrize(
    ("proxy", "user"),
    [
        ("http://p:3128", None),
        ("http://me@p", b"me:"),
        ("http://me:secret@p", b"me:secret"),
        ("http://m%40e:s%3Acret%C3%BC@p", "m@e:s:cret\u00fc".encode()),
    ],
)
def test_a_proxy_is_told_who_asks(proxy: str, user: bytes | None) -> None:
    """As its URL has it, percent-encoded."""
    expected = {"proxy-authorization": f"Basic {b64encode(user).decode()}"} if user else {}
    assert proxy_authorization(proxy) == expected


@pytest.mark.parametrize(
    ("url", "protocol", "asked"),
    [
        ("https://h.invalid/v1", "http/1.1", "h.invalid:443"),
        ("https://h.invalid:8/v1", "http/1.1", "h.invalid:8"),
        ("http://h.invalid", "h2", "h.invalid:80"),
        ("https://[::1]:8", "http/1.1", "[::1]:8"),
    ],
)
def test_a_tunnel_leads_to_the_destination(url: str, protocol: str, asked: str, proxy: HTTPServer) -> None:
    """For TLS, and for HTTP/2 always; to its port, or to the scheme's."""
    proxy.refuses.append(502)  # type: ignore[attr-defined]
    where = Destination(endpoint=url, proxy=f"http://127.0.0.1:{proxy.server_port}")

    with pytest.raises(Unreachable) as raised:
        connect(where, urlsplit(url), in_s(60), protocol=protocol)

    assert str(raised.value.__cause__) == "it answered 502"
    assert proxy.seen == [(asked, None)]  # type: ignore[attr-defined]


def read_head(connection: socket.socket) -> None:
    """What a client asks first."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)


def test_a_tunnel_that_ends_before_its_handshake_is_an_outage(authority: trustme.CA, ca_file: Path) -> None:
    """A proxy with TLS of its own says yes, and hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def says_yes(taken: socket.socket) -> None:
        with context.wrap_socket(taken, server_side=True) as connection:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            connection.recv(65536)

    with accepting(says_yes) as port:
        where = Destination(
            endpoint="https://collector.invalid/v1", certificate=ca_file, proxy=f"https://localhost:{port}"
        )
        sending = HttpTransport(where)
        answer = sending.send(b"", {}, 60)
        sending.close()

    assert (answer.verdict, answer.fault) == (Verdict.RETRY, "the connection broke")


def test_an_answer_that_ends_with_the_connection_is_whole_within_the_tls_of_a_proxy(
    authority: trustme.CA, ca_file: Path, proxy: HTTPServer
) -> None:
    """Its end is that of the inner TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    proxy.socket = context.wrap_socket(proxy.socket, server_side=True)

    def answer_and_end(taken: socket.socket) -> None:
        with context.wrap_socket(taken, server_side=True) as connection:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 404 No\r\n\r\nnothing here")
            connection.unwrap()

    with accepting(answer_and_end) as port:
        where = Destination(
            endpoint=f"https://localhost:{port}/v1",
            certificate=ca_file,
            proxy=f"https://localhost:{proxy.server_port}",
        )
        client = HttpClient(where, where.endpoint)
        response = client.request("GET", {}, b"", 60)
        client.close()

    assert (response.status, response.content) == (404, b"nothing here")


def test_a_destination_says_nothing_secret() -> None:
    """Its repr has no header, no proxy password, no key in the URL."""
    where = Destination(
        endpoint="https://user:secret@host:4318/v1/traces?key=secret",
        headers={"k": "secret"},
        proxy="http://u:secret@p",
    )

    assert "secret" not in repr(where) + where.display_url + repr(Config(destinations=(where,)))
