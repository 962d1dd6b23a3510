"""What is read from the wire by hand: of OTLP's answers, of gRPC's trailers, and of connections that are used again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from agentops_otel.config import Config, OtlpProtocol
from agentops_otel.export.grpc import GrpcTransport
from agentops_otel.export.http import HttpTransport, partial_success
from agentops_otel.export.sender import Verdict
from tests.export.delivery import adds_up, destination, make_spans, running
from tests.export.grpc_server import ask, headers, server
from tests.loopback.otlp_sink import Answer, OtlpSink

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
