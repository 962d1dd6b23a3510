"""What gRPC answers mean that no gRPC library would give: an HTTP/2 server that says anything."""

import socket
import struct
import threading
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamReset
from inline_snapshot import snapshot
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from agentops_otel.config import Destination
from agentops_otel.export.grpc import GrpcTransport
from agentops_otel.export.sender import Verdict
from agentops_otel.version import VERSION
from tests.export.delivery import accepting, destination
from tests.export.grpc_server import OK, Say, ask, headers, server
from tests.loopback.otlp_sink import Answer as Scripted
from tests.loopback.otlp_sink import OtlpSink

PREFIX = b"\0" + bytes(4)
"""What stands before each message of gRPC."""


def with_goodbye(http2: H2Connection, stream: int) -> None:
    """Accept, and say that the connection takes no more."""
    headers(*OK)(http2, stream)
    http2.close_connection(last_stream_id=stream)


def goodbye(http2: H2Connection, stream: int) -> None:
    """The connection takes no more, and did not take this."""
    http2.close_connection(last_stream_id=0)


@pytest.mark.parametrize(
    ("say", "verdict", "fault"),
    [
        pytest.param(headers(*OK), Verdict.ACCEPTED, "", id="OK without a message"),
        pytest.param(headers((":status", "503")), Verdict.RETRY, "UNAVAILABLE", id="503 of a proxy"),
        pytest.param(headers((":status", "401")), Verdict.UNAUTHORISED, "UNAUTHENTICATED", id="401 of a proxy"),
        pytest.param(headers((":status", "404")), Verdict.REFUSED, "UNIMPLEMENTED", id="404 of another server"),
        pytest.param(headers((":status", "200")), Verdict.RETRY_FEW, "UNKNOWN", id="no status at all"),
        pytest.param(
            headers((":status", "200"), ("grpc-status", "99")), Verdict.RETRY_FEW, "UNKNOWN", id="a status of tomorrow"
        ),
        pytest.param(
            lambda http2, stream: http2.reset_stream(stream, ErrorCodes.REFUSED_STREAM),
            Verdict.RETRY,
            "UNAVAILABLE",
            id="a refused stream",
        ),
        pytest.param(
            lambda http2, stream: http2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR),
            Verdict.RETRY_FEW,
            "INTERNAL",
            id="a reset stream",
        ),
        pytest.param(goodbye, Verdict.RETRY, "UNAVAILABLE", id="a goodbye in between"),
    ],
)
def test_an_answer_that_is_no_grpc_is_read_as_the_protocol_says(say: Say, verdict: Verdict, fault: str) -> None:
    """https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md."""
    with server(say) as where:
        transport = GrpcTransport(where)

        answer = ask(transport)
        transport.close()

    assert (answer.verdict, answer.fault) == (verdict, fault)


def test_a_request_says_what_grpc_asks_for() -> None:
    """As the headers of a call are written down for HTTP/2, with the destination's own in lower case."""
    asked: list[dict[str, str]] = []
    ok = headers(*OK)
    with server(ok, asked=asked, headers={"X-Team": "agents"}, compression="deflate") as where:
        transport = GrpcTransport(where)
        transport.send(b"", {"Authorization": "Bearer token"}, 60)
        transport.close()

    said = asked[0] | {"user-agent": asked[0]["user-agent"].replace(VERSION, "VERSION")}
    assert said.pop(":authority") == where.endpoint.partition("@")[2]
    assert said == snapshot(
        {
            ":method": "POST",
            ":scheme": "http",
            ":path": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            "te": "trailers",
            "content-type": "application/grpc",
            "user-agent": "agentops-otel/VERSION",
            "grpc-encoding": "deflate",
            "x-team": "agents",
            "grpc-timeout": "60000m",
            "authorization": "Bearer token",
        }
    )


@pytest.mark.parametrize(
    ("signal", "path"),
    [
        ("traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"),
        ("metrics", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"),
    ],
)
def test_each_signal_has_its_service(signal: str, path: str) -> None:
    """As the protocol names them."""
    asked: list[dict[str, str]] = []
    with server(headers(*OK), asked=asked, signal=signal) as where:
        transport = GrpcTransport(where)
        ask(transport)
        transport.close()

    assert [one[":path"] for one in asked] == [path]


STATUSES = {
    Verdict.ACCEPTED: ("OK",),
    Verdict.RETRY: ("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"),
    Verdict.RETRY_FEW: ("UNKNOWN", "RESOURCE_EXHAUSTED", "INTERNAL"),
    Verdict.BAD: ("INVALID_ARGUMENT",),
    Verdict.UNAUTHORISED: ("PERMISSION_DENIED", "UNAUTHENTICATED"),
    Verdict.REFUSED: ("NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "UNIMPLEMENTED"),
}


def test_each_status_of_grpc_has_a_name_and_a_meaning() -> None:
    """By the numbers of the stock library."""
    say = [headers((":status", "200"), ("grpc-status", str(code.value[0]))) for code in StatusCode]
    meant = {name: verdict for verdict, names in STATUSES.items() for name in names}
    with server(*say) as where:
        transport = GrpcTransport(where)
        said = [transport.send(b"", {}, 60) for _ in say]
        transport.close()

    assert [(answer.fault or "OK", answer.verdict) for answer in said] == [
        (code.name, meant[code.name]) for code in StatusCode
    ]


def test_each_status_of_http_that_a_proxy_gives_has_a_name() -> None:
    """https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md."""
    names = {
        **{400: "INTERNAL", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "UNIMPLEMENTED"},
        **dict.fromkeys((429, 502, 503, 504), "UNAVAILABLE"),
    }
    statuses = range(300, 600)
    with server(*(headers((":status", str(status))) for status in statuses)) as where:
        transport = GrpcTransport(where)
        said = {status: transport.send(b"", {}, 60).fault for status in statuses}
        transport.close()

    assert said == {status: names.get(status, "UNKNOWN") for status in statuses}


def test_each_way_to_reset_a_stream_has_a_name() -> None:
    """A stream that the server has not begun is tried again, one that it cancelled too; all others are its fault."""
    with server(*(partial(reset, code=code) for code in ErrorCodes)) as where:
        transport = GrpcTransport(where)
        said = {code: transport.send(b"", {}, 60).fault for code in ErrorCodes}
        transport.close()

    again = {ErrorCodes.REFUSED_STREAM: "UNAVAILABLE", ErrorCodes.CANCEL: "CANCELLED"}
    assert said == {code: again.get(code, "INTERNAL") for code in ErrorCodes}


def reset(http2: H2Connection, stream: int, code: ErrorCodes) -> None:
    """Answer with a reset of the stream."""
    http2.reset_stream(stream, code)


def test_a_message_and_details_that_are_no_details_are_read_as_far_as_they_go() -> None:
    """The words are for the log, percent-encoded on the wire; what cannot be decoded says nothing."""
    status = (("grpc-status", "14"), ("grpc-message", "na%C3%AFve"), ("grpc-status-details-bin", "AAAA"))
    with server(headers((":status", "200"), *status)) as where:
        transport = GrpcTransport(where)

        answer = ask(transport)
        transport.close()

    assert (answer.verdict, answer.message, answer.retry_after_s) == (Verdict.RETRY, "naïve", None)


def details(*packed: Message) -> str:
    """As they stand in a header: without the padding of base64."""
    status = Status()
    for one in packed:
        status.details.add().Pack(one)
    return b64encode(status.SerializeToString()).decode().rstrip("=")


PAUSE = RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000))


@pytest.mark.parametrize(
    ("code", "message", "packed", "verdict", "retry_after_s"),
    [
        ("14", "busy", [PAUSE], Verdict.RETRY, 1.5),
        ("8", "busy", [PAUSE], Verdict.RETRY, 1.5),
        ("8", "busy", [ErrorInfo(reason="quota"), PAUSE], Verdict.RETRY, 1.5),
        ("8", "busy", [ErrorInfo(reason="quota")], Verdict.RETRY_FEW, None),
        ("8", "busy", [], Verdict.RETRY_FEW, None),
        ("8", "grpc: received message larger than max (9 vs. 4)", [], Verdict.TOO_LARGE, None),
    ],
)
def test_a_collector_that_says_when_to_come_again_is_asked_then(
    code: str, message: str, packed: Sequence[Message], verdict: Verdict, retry_after_s: float | None
) -> None:
    """Whatever else is in the details; one that says nothing of it may mean the request."""
    said = [("grpc-status-details-bin", details(*packed))] if packed else []
    with server(headers((":status", "200"), ("grpc-status", code), ("grpc-message", message), *said)) as where:
        transport = GrpcTransport(where)
        answer = ask(transport)
        transport.close()

    assert (answer.verdict, answer.retry_after_s) == (verdict, retry_after_s)


@pytest.mark.parametrize("size", [0, 1, 16384, 16385, 65535, 65536, 3 * 16384 + 1])
def test_a_message_of_any_number_of_frames_arrives(size: int) -> None:
    """Also one whose last frame is a byte, and one that fills the window."""
    with server(headers(*OK)) as where:
        transport = GrpcTransport(where)

        answer = transport.send(b"x" * max(0, size - len(PREFIX)), {}, 60)
        transport.close()

    assert answer.verdict is Verdict.ACCEPTED


def test_requests_go_over_one_connection() -> None:
    """As long as the server takes them there."""
    with server(headers(*OK), headers(*OK), headers(*OK)) as where:
        transport = GrpcTransport(where)

        answers = [transport.send(b"x", {}, 20) for _ in range(3)]  # it answers none on another
        transport.close()

    assert [answer.verdict for answer in answers] == [Verdict.ACCEPTED] * 3


def test_long_answers_over_one_connection_are_taken_in() -> None:
    """What has been read gives the server room for the next."""
    message = "m" * 40_000
    content = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(error_message=message))
    body = content.SerializeToString()

    def long_answer(http2: H2Connection, stream: int) -> None:
        http2.send_headers(stream, [(":status", "200")])
        sent = struct.pack(">BI", 0, len(body)) + body
        for at in range(0, len(sent), 16384):
            http2.send_data(stream, sent[at : at + 16384])
        http2.send_headers(stream, [("grpc-status", "0")], end_stream=True)

    with server(*[long_answer] * 3) as where:
        transport = GrpcTransport(where)

        messages = [transport.send(b"x", {}, 20).message for _ in range(3)]
        transport.close()

    assert [len(message) for message in messages] == [len(messages[0])] * 3 != [0] * 3


def test_a_server_that_takes_no_more_on_a_connection_gets_another() -> None:
    """Its goodbye costs no request."""
    with server(with_goodbye, headers(*OK), connections=2) as where:
        transport = GrpcTransport(where)

        answers = [ask(transport), ask(transport)]
        transport.close()

    assert [answer.verdict for answer in answers] == [Verdict.ACCEPTED, Verdict.ACCEPTED]


def test_a_collector_that_was_restarted_between_two_requests_costs_nothing() -> None:
    """The connection has ended in the meantime, and is made anew."""
    with OtlpSink("grpc") as first:
        transport = GrpcTransport(destination(first))
        answers = [transport.send(b"", {}, 60)]
    with OtlpSink("grpc", port=first.port):
        answers.append(transport.send(b"", {}, 60))
        transport.close()

    assert [answer.verdict for answer in answers] == [Verdict.ACCEPTED, Verdict.ACCEPTED]


def test_what_comes_after_a_request_without_an_answer_has_a_connection_of_its_own() -> None:
    """The one that said nothing may be dead, and would be waited for again and again."""
    streams: list[int] = []

    def accept(http2: H2Connection, stream: int) -> None:
        streams.append(stream)
        headers(*OK)(http2, stream)

    with server(lambda http2, stream: None, accept, connections=2) as where:
        transport = GrpcTransport(where)
        verdicts = [transport.send(b"", {}, 0.2).verdict, transport.send(b"", {}, 60).verdict]
        transport.close()

        assert verdicts == [Verdict.RETRY, Verdict.ACCEPTED]
        assert streams == [1]  # the first on its connection


def test_an_answer_before_the_request_is_read_ends_it_and_keeps_the_connection() -> None:
    """What is left of the request is taken back, and the next goes the same way."""
    streams: list[int] = []
    resets: list[object] = []
    told = threading.Event()

    def serve(taken: socket.socket) -> None:
        http2 = H2Connection(H2Configuration(client_side=False))
        http2.initiate_connection()
        taken.sendall(http2.data_to_send())
        while data := taken.recv(65536):
            for event in http2.receive_data(data):
                match event:
                    case RequestReceived():
                        streams.append(event.stream_id)
                        http2.send_headers(event.stream_id, list(OK), end_stream=True)
                    case DataReceived():
                        http2.increment_flow_control_window(event.flow_controlled_length or 1)
                    case StreamReset():
                        resets.append(event.error_code)
                        told.set()
            taken.sendall(http2.data_to_send())

    with accepting(serve) as port:
        transport = GrpcTransport(Destination(endpoint=f"http://127.0.0.1:{port}", protocol="grpc"))
        answers = [transport.send(b"x" * 200_000, {}, 60)]
        at_once = told.wait(15)
        answers.append(transport.send(b"x", {}, 60))
        transport.close()

    assert at_once
    assert [answer.verdict for answer in answers] == [Verdict.ACCEPTED] * 2
    assert (streams, resets) == ([1, 3], [ErrorCodes.CANCEL])


def test_a_server_whose_first_words_come_byte_by_byte_is_understood() -> None:
    """It speaks HTTP/2, though that is not yet seen of the first byte."""

    def serve(taken: socket.socket) -> None:
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        http2 = H2Connection(H2Configuration(client_side=False))
        http2.initiate_connection()
        first = http2.data_to_send()
        taken.sendall(first[:1])
        data = b""
        while data.count(b"x" * 100) < 1:  # all of the request: until then the rest of the first frame is kept back
            data += taken.recv(65536)
        for byte in first[1:]:
            taken.sendall(bytes((byte,)))
        http2.receive_data(data)
        http2.send_headers(1, list(OK), end_stream=True)
        taken.sendall(http2.data_to_send())
        taken.recv(65536)

    with accepting(serve) as port:
        transport = GrpcTransport(Destination(endpoint=f"http://127.0.0.1:{port}", protocol="grpc"))
        answer = transport.send(b"x" * 100, {}, 60)
        transport.close()

    assert answer.verdict is Verdict.ACCEPTED


def hangs_up(taken: socket.socket) -> None:
    """Once it has been asked."""
    taken.recv(65536)


def breaks_the_rules(taken: socket.socket) -> None:
    """After its settings a window opens by nothing, on a stream that nobody has begun."""
    taken.sendall(bytes((0, 0, 0, 4, 0, *bytes(4))) + bytes((0, 0, 4, 8, 0, 0, 0, 0, 7, *bytes(4))))
    taken.recv(65536)
    taken.recv(65536)


def is_silent(taken: socket.socket) -> None:
    """Until the other side has closed."""
    while taken.recv(65536):
        pass


@pytest.mark.parametrize(
    ("serve", "timeout_s", "fault", "message"),
    [
        pytest.param(hangs_up, 60, "UNAVAILABLE", "the connection was closed", id="hangs up"),
        pytest.param(breaks_the_rules, 60, "UNAVAILABLE", "no HTTP/2 as it should be", id="breaks the rules"),
        pytest.param(is_silent, 0.2, "DEADLINE_EXCEEDED", "timed out", id="is silent"),
    ],
)
def test_what_went_wrong_with_a_connection_is_said(
    serve: Callable[[socket.socket], object], timeout_s: float, fault: str, message: str
) -> None:
    """For the log, without a word of the server's."""
    with accepting(serve) as port:
        transport = GrpcTransport(Destination(endpoint=f"http://127.0.0.1:{port}", protocol="grpc"))
        answer = transport.send(b"x", {}, timeout_s)
        transport.close()

    assert (answer.verdict, answer.fault) == (Verdict.RETRY, fault)
    assert answer.message == message


def test_a_goodbye_is_said_as_one_and_a_long_message_is_shortened() -> None:
    """To two hundred characters, for the log."""
    long = headers((":status", "200"), ("grpc-status", "14"), ("grpc-message", "m" * 300))
    with server(goodbye) as ends, server(long) as talks:
        transports = [GrpcTransport(ends), GrpcTransport(talks)]
        said = [ask(transport).message for transport in transports]
        for transport in transports:
            transport.close()

    assert said == ["the connection is being closed", "m" * 200]


def test_a_server_that_does_not_answer_is_given_up_in_time() -> None:
    """The time-out is for the whole request."""
    with OtlpSink("grpc") as sink:
        sink.answer(Scripted(hang=True))
        transport = GrpcTransport(destination(sink))

        answer = transport.send(b"", {}, 0.2)
        transport.close()

    assert (answer.verdict, answer.fault) == (Verdict.RETRY, "DEADLINE_EXCEEDED")
