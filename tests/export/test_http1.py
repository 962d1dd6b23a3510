"""HTTP as servers speak it, byte by byte: what of it is understood, and when a connection is used again."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from agentops_otel.config import Destination
from agentops_otel.export.agentops_logs import LogTransport
from agentops_otel.export.grpc import GrpcTransport
from agentops_otel.export.http import HttpClient, HttpTransport
from agentops_otel.export.http1 import Connection
from agentops_otel.export.sender import Answer, Verdict
from tests.export.delivery import accepting, destination
from tests.loopback.otlp_sink import OtlpSink

ACCEPTED = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
PARTLY = b"\x0a\x06\x08\x05\x12\x02no"
"""OTLP's partial success: 5 spans rejected, "no"."""


@contextmanager
def answering(*connections: tuple[bytes, ...], close: bool = False, read: bool = True) -> Iterator[HttpTransport]:
    """A transport to a server that answers with these bytes, one tuple a connection, one item a request."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answers in connections:
            try:
                taken, _ = listener.accept()
            except OSError:  # shut down: nobody wants another connection
                return
            with taken:
                for text in answers:
                    if read:
                        _read_request(taken)
                    with suppress(ConnectionError):  # it need not be read to its end
                        taken.sendall(text)
                if not close:
                    stopped.wait(60)

    stopped = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    transport = HttpTransport(Destination(endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}/v1/traces"))
    try:
        yield transport
    finally:
        stopped.set()
        transport.close()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


@pytest.mark.parametrize(
    ("written", "target"),
    [
        *(("", "/"), ("/v1/traces", "/v1/traces"), ("/a b?team=ä", "/a%20b?team=%C3%A4"), ("?a=b", "/?a=b")),
        *((f"/a{sign}b?c{sign}d", f"/a{sign}b?c{sign}d") for sign in "!$%&'()*+,:;=@[]~-._"),
        *(("/a?b?c/d", "/a?b?c/d"), ("/a\\b\x7f", "/a%5Cb%7F")),
    ],
)
def test_the_endpoints_path_is_asked_for(written: str, target: str) -> None:
    """As a request may have it; without a path it is the root."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = HttpTransport(Destination(endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}{written}"))
        sending = threading.Thread(target=transport.send, args=(b"", {}, 60.0))
        sending.start()
        taken, _ = listener.accept()
        with taken:
            asked = taken.recv(65536).split(b"\r\n")[0]
        sending.join()

    assert asked == f"POST {target} HTTP/1.1".encode()


def _read_request(taken: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += taken.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += taken.recv(65536)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param(ACCEPTED, Answer(verdict=Verdict.ACCEPTED), id="an empty answer"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n" + PARTLY[:4] + b"\r\n4\r\n" + PARTLY[4:]
            + b"\r\n0\r\n\r\n",
            Answer(verdict=Verdict.ACCEPTED, rejected=5, message="no"),
            id="chunks",
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + ACCEPTED, Answer(verdict=Verdict.ACCEPTED), id="100 first"),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + ACCEPTED, Answer(verdict=Verdict.ACCEPTED), id="103 first"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + b"<" * 300000,
            Answer(verdict=Verdict.ACCEPTED),
            id="300 kB that are no OTLP",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n\n <html/>",
            Answer(
                verdict=Verdict.RETRY,
                fault="another protocol is spoken there",
                message="a page for people came back: OTLP over HTTP has port 4318 as a rule",
            ),
            id="a page",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf; v=1\r\ncontent-length: 2\r\n\r\n\n\0",
            Answer(verdict=Verdict.ACCEPTED, is_otlp=True),
            id="a partial success of nothing",
        ),
        pytest.param(
            b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\ncontent-length: 2\r\n\r\nno",
            Answer(verdict=Verdict.RETRY, fault="503", retry_after_s=7),
            id="503",
        ),
        pytest.param(
            b"SSH-2.0\r\n\r\n",
            Answer(
                verdict=Verdict.RETRY,
                fault="another protocol is spoken there",
                message="if it is gRPC say protocol=grpc; HTTP has port 4318 as a rule",
            ),
            id="SSH",
        ),
    ],
)  # fmt: skip
def test_an_answer_is_understood(text: bytes, answer: Answer) -> None:
    """However the server writes it."""
    with answering((text,)) as transport:
        assert transport.send(b"spans", {}, 30) == answer


@pytest.mark.parametrize(
    ("first", "faults"),
    [
        pytest.param((ACCEPTED, ACCEPTED), ["", ""], id="kept alive"),
        pytest.param((b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",), ["", ""], id="closed"),
        pytest.param((b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",), ["", ""], id="HTTP/1.0"),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n" + b"<" * 1_200_000,), ["", ""], id="endless"
        ),
        pytest.param((ACCEPTED + b"HTTP/1.1 408 Timeout\r\n\r\n",), ["", ""], id="more than was asked"),
        pytest.param((b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab",), ["the connection broke", ""], id="torn"),
    ],
)  # fmt: skip
def test_a_connection_is_used_again_only_if_it_can_be(first: tuple[bytes, ...], faults: list[str]) -> None:
    """The second request goes out on the same connection, or on a new one, and is answered."""
    with answering(first, (ACCEPTED,), close=True) as transport:
        assert [transport.send(b"spans", {}, 30).fault for _ in range(2)] == faults


@pytest.mark.parametrize(("answer", "usable"), [(ACCEPTED, True), (ACCEPTED + b"HTTP/1.1 408 Timeout\r\n\r\n", False)])
def test_a_connection_with_more_than_was_asked_is_not_used_again(answer: bytes, usable: bool) -> None:
    """Also while the server leaves it open: what came unasked would be taken for the next answer."""
    here, there = socket.socketpair()
    with there, closing(Connection(here)) as connection:
        there.sendall(answer)
        connection.request("POST", "/", {"host": "x"}, b"spans", time.monotonic() + 30)

        assert connection.usable() is usable


def test_the_child_of_a_fork_leaves_its_parents_connection_alone() -> None:
    """It neither sends over it nor closes it."""
    with answering((ACCEPTED,)) as transport:
        transport.send(b"spans", {}, 30)
        of_parent = transport._client._connection
        transport.forked()
        transport.close()

        assert transport._client._connection is None
        assert of_parent is not None
        assert of_parent.usable()
        of_parent.close()


def test_a_long_request_may_follow_another_on_its_connection() -> None:
    """It takes longer to be read than fits between the two, and is waited for."""

    def read_and_accept(taken: socket.socket) -> None:
        for _ in range(2):
            head = b""
            while not head.endswith(b"\r\n\r\n") and (byte := taken.recv(1)):
                head += byte
            left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            while left and (data := taken.recv(min(left, 1 << 20))):
                left -= len(data)
            taken.sendall(ACCEPTED)

    with accepting(read_and_accept) as port:
        transport = HttpTransport(Destination(endpoint=f"http://127.0.0.1:{port}"))
        verdicts = [transport.send(b"x" * 40_000_000, {}, 60).verdict for _ in range(2)]
        transport.close()

    assert verdicts == [Verdict.ACCEPTED] * 2


def test_headers_of_an_answer_may_be_long_and_come_bit_by_bit() -> None:
    """As those of a proxy that says a lot."""
    here, there = socket.socketpair()
    with there, closing(Connection(here, read_bytes=1000)) as connection:
        there.sendall(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40_000 + b"\r\ncontent-length: 2\r\n\r\nok")
        response = connection.request("GET", "/", {"host": "x"}, b"", time.monotonic() + 30)

    assert (response.status, len(response.headers["x"]), response.content) == (200, 40_000, b"ok")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "no HTTP as it should be"),
        (b"", "no HTTP as it should be"),
        (b"HTTP/1.1 200", "no HTTP as it should be"),
        (b"SSH", ""),
    ],
)
def test_what_is_no_answer_is_an_error_of_the_connection(said: bytes, message: str) -> None:
    """With what is wrong, and after it nothing more is sent there."""
    here, there = socket.socketpair()
    with closing(Connection(here)) as connection:
        with there:
            there.sendall(said)
            there.shutdown(socket.SHUT_WR)
            with pytest.raises(ConnectionError, match=f"^{message}$"):
                connection.request("POST", "/", {"host": "x"}, b"spans", time.monotonic() + 30)

        assert not connection.usable()


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", b"ab", b"2"), ("POST", b"", b"0"), ("GET", b"", None), ("CONNECT", b"", None)],
)
def test_the_length_of_what_is_sent_is_said_where_there_may_be_something(
    method: str, body: bytes, length: bytes | None
) -> None:
    """Some servers answer a POST of no length with 411."""
    here, there = socket.socketpair()
    with there, closing(Connection(here)) as connection:
        there.sendall(ACCEPTED)
        connection.request(method, "/", {"host": "x"}, body, time.monotonic() + 30)
        head, _, content = there.recv(65536).partition(b"\r\n\r\n")

    lines = [b"host: x", *([b"content-length: " + length] if length else [])]
    assert (head.split(b"\r\n")[1:], content) == (lines, body)


Sending = HttpTransport | GrpcTransport | LogTransport


def owner(sending: Sending) -> HttpClient | GrpcTransport:
    """Who has its connection."""
    if isinstance(sending, GrpcTransport):
        return sending
    return (sending._http if isinstance(sending, LogTransport) else sending)._client


@pytest.mark.parametrize(
    "leave", [lambda sending: sending.forked(), lambda sending: sending.close()], ids=["fork", "close"]
)
@pytest.mark.parametrize("kind", [HttpTransport, GrpcTransport, LogTransport])
def test_the_child_of_a_fork_and_who_has_closed_have_a_connection_of_their_own(
    kind: type[Sending], leave: Callable[[Sending], None]
) -> None:
    """Whatever is sent; until then it is one."""
    with OtlpSink("grpc" if kind is GrpcTransport else "http/protobuf") as sink:
        sending = kind(destination(sink))
        nothing = bytes(16) if kind is LogTransport else b""
        for _ in range(2):
            sending.send(nothing, {}, 60)
        of_parent = owner(sending)._connection
        assert of_parent is not None
        leave(sending)
        for _ in range(2):
            assert sending.send(nothing, {}, 60).verdict is Verdict.ACCEPTED
        sending.close()
        of_parent.close()
        peers = [received.peer for received in sink.received]

    assert (peers[0], peers[2]) == (peers[1], peers[3])
    assert peers[0] != peers[2]


def test_an_answer_before_the_request_is_read_is_understood() -> None:
    """A server that says 413 to the length, and closes, is understood."""
    refused = b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    with answering((refused,), close=True, read=False) as transport:
        assert transport.send(b"x" * 20_000_000, {}, 30).verdict is Verdict.TOO_LARGE


def test_an_answer_that_comes_byte_by_byte_is_given_up_in_time_too() -> None:
    """Each byte is in time, all of them are not."""

    def drip() -> None:
        taken, _ = listener.accept()
        with taken, suppress(OSError):
            for byte in ACCEPTED:
                taken.sendall(bytes((byte,)))
                given_up.wait(0.1)

    given_up = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        transport = HttpTransport(Destination(endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}"))
        said = transport.send(b"spans", {}, 0.3)
        given_up.set()
        transport.close()
        thread.join()

    assert said == Answer(verdict=Verdict.RETRY, fault="no answer in time")


def test_no_answer_in_time_is_said() -> None:
    """The deadline holds for the whole request."""
    with answering((b"",)) as transport:
        assert transport.send(b"spans", {}, 0.2) == Answer(verdict=Verdict.RETRY, fault="no answer in time")
