"""What is read from the wire by hand: of OTLP's answers, of gRPC's trailers, and of connections that are used again."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from agentops_otel.config import Config, Destination, OtlpProtocol
from agentops_otel.export.grpc import GrpcTransport
from agentops_otel.export.http import COMPRESS, HttpTransport, answer, partial_success
from agentops_otel.export.sender import Verdict
from agentops_otel.version import VERSION
from tests.export.delivery import adds_up, destination, make_spans, running
from tests.export.grpc_server import ask, headers, server
from tests.loopback.otlp_sink import Answer, OtlpSink

VERDICTS = {
    Verdict.ACCEPTED: range(200, 300),
    Verdict.RETRY: (*range(300, 400), 429, 502, 503, 504, *range(505, 600)),
    Verdict.RETRY_FEW: (408, 500),
    Verdict.UNAUTHORISED: (401, 403),
    Verdict.BAD: (400,),
    Verdict.TOO_LARGE: (413,),
}
"""What each status says; all others refuse the request for good."""


@pytest.mark.parametrize("verdict", Verdict)
def test_each_status_of_http_has_a_meaning(verdict: Verdict) -> None:
    """A status that no page names means what its hundred means, and what is refused is named by its number."""
    named = {status for statuses in VERDICTS.values() for status in statuses}
    meant = VERDICTS.get(verdict, [*({*range(400, 600)} - named)] if verdict is Verdict.REFUSED else ())

    answers = {status: answer(status, {}, b"") for status in range(200, 600)}

    assert {status for status, said in answers.items() if said.verdict is verdict} == {*meant}
    assert {said.fault for status, said in answers.items() if status in meant} <= {"", *map(str, meant)}


def test_a_request_over_http_says_what_it_carries() -> None:
    """To whom, what and from whom; the user and password of the endpoint are in no header."""
    with OtlpSink() as sink:
        endpoint = sink.endpoint.replace("//", "//me:secret@")
        transport = HttpTransport(Destination(endpoint=endpoint, headers={"x-team": "agents"}, compression="gzip"))
        transport.send(b"", {"authorization": "Bearer token"}, 60)
        transport.close()

    headers = sink.received[0].headers
    said = {**headers, "user-agent": headers["user-agent"].replace(VERSION, "VERSION")}
    assert said.pop("host") == urlsplit(sink.endpoint).netloc
    assert said == snapshot(
        {
            "accept-encoding": "identity",
            "user-agent": "agentops-otel/VERSION",
            "x-team": "agents",
            "content-type": "application/x-protobuf",
            "content-encoding": "gzip",
            "authorization": "Bearer token",
            "content-length": "20",
        }
    )


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
def test_compression_takes_as_little_time_as_it_can(name: str) -> None:
    """The first level of each, beside which the program has to run."""
    compress = pytest.importorskip({"deflate": "zlib", "zstd": "zstandard"}.get(name, name)).compress
    body = b"".join(b"span %d of %d, " % (number % 7, number * number % 101) for number in range(2000))

    first, second = (compress(body, level)[10:] for level in (1, 2))

    assert COMPRESS[name](body)[10:] == first != second


PROTOCOLS: tuple[OtlpProtocol, ...] = ("http/protobuf", "grpc")


@given(rejected=st.integers(-(2**63), 2**63 - 1), message=st.text(max_size=300))
def test_a_partial_success_says_what_protobuf_wrote(rejected: int, message: str) -> None:
    """Any number and any words; a negative number, which means nothing, is none, and so are its words."""
    inner = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    content = ExportTraceServiceResponse(partial_success=inner).SerializeToString()

    expected = (rejected, message.encode()[:200].decode(errors="replace")) if rejected >= 0 else (0, "")
    assert partial_success(content) == expected


@example(content=b"\x0a" + b"\xff" * 9 + b"\x01")  # a text of 2**64 - 1 bytes
@given(content=st.binary(max_size=64))
def test_no_answer_is_too_odd_to_be_read(content: bytes) -> None:
    """Whatever a proxy says with 200: a number and words, and nothing raised."""
    rejected, message = partial_success(content)

    assert 0 <= rejected < 1 << 63
    assert len(message) <= 200


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("rejected", [127, 128, 300])
def test_a_number_of_rejected_spans_is_counted_to_the_span(protocol: OtlpProtocol, rejected: int) -> None:
    """It takes one byte on the wire up to 127, two from 128."""
    with OtlpSink(protocol) as sink:
        sink.decide = lambda received: Answer(rejected=min(rejected, len(received.spans)))
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, rejected)

            assert not pipeline.force_flush()  # it tells what was dropped
            assert pipeline.stats().dropped == {"partial success": rejected}
            assert adds_up(pipeline.stats())


def test_an_answer_of_any_length_leaves_the_connection_fit_for_use() -> None:
    """What is not read of a page of 300 kB is not taken for the next answer, and the next request goes the same way."""
    with OtlpSink() as sink:
        transport = HttpTransport(destination(sink))
        sink.answer(Answer(status=503, body=b"x" * 300_000), Answer(body=b"x" * 300_000), Answer(status=503))

        answers = [transport.send(b"", {}, 60) for _ in range(4)]
        transport.close()

    said = [(answer.verdict, answer.fault) for answer in answers]
    accepted, later = (Verdict.ACCEPTED, ""), (Verdict.RETRY, "503")
    assert said == [later, accepted, later, accepted]
    assert len({received.peer for received in sink.received}) == 1


@pytest.mark.parametrize("words", [b"na\xefve", b"na%EFve"])
def test_a_grpc_message_that_is_not_utf8_is_read_as_far_as_it_goes(words: bytes) -> None:
    """As bytes or percent-encoded: the status counts, and what cannot be decoded is marked."""
    status = ((":status", "200"), ("grpc-status", "14"), ("grpc-message", words))
    with server(headers(*status)) as where:  # type: ignore[arg-type]  # h2 takes bytes as well
        transport = GrpcTransport(where)

        answer = ask(transport)
        transport.close()

    assert (answer.verdict, answer.fault, answer.message) == (Verdict.RETRY, "UNAVAILABLE", "na\ufffdve")
