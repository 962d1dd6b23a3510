"""What becomes of spans when a collector does not take them: one test a line of the protocol."""

import gc
import logging
import socket
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

import pytest
from opentelemetry.context import get_value

from agentops_otel.config import Config, Destination
from agentops_otel.export import Pipeline, build
from agentops_otel.export.drop_reason import DropReason
from agentops_otel.export.encode import Batch
from agentops_otel.export.grpc import GrpcTransport
from agentops_otel.export.http import HttpTransport
from agentops_otel.export.outbox import Entry, Outbox
from agentops_otel.export.pipeline import Route
from agentops_otel.export.sender import Sender
from agentops_otel.tracing import SUPPRESS_KEY
from tests.export.delivery import adds_up, destination, make_spans, running, tracer_for, until_logged
from tests.loopback.otlp_sink import Answer, OtlpSink, Received

Protocol = Literal["http/protobuf", "grpc"]
both = pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])

PASSING = [
    pytest.param("http/protobuf", Answer(status=429), 2, id="429"),
    pytest.param(
        "http/protobuf",
        Answer(headers={"content-type": "text/html; charset=utf-8"}, body=b"<!doctype html><title>Jaeger UI</title>"),
        2,
        id="200 with a page",
    ),
    pytest.param("http/protobuf", Answer(status=502, body=b"<html>bad gateway</html>"), 2, id="502 with HTML"),
    pytest.param("http/protobuf", Answer(status=503), 4, id="503"),
    pytest.param("http/protobuf", Answer(status=503, headers={"retry-after": "1"}), 1, id="503 and Retry-After"),
    pytest.param("http/protobuf", Answer(status=504), 2, id="504"),
    pytest.param("http/protobuf", Answer(status=500), 3, id="500"),
    pytest.param("http/protobuf", Answer(status=408), 3, id="408"),
    pytest.param("http/protobuf", Answer(status=401), 2, id="401"),
    pytest.param("http/protobuf", Answer(status=403), 1, id="403"),
    pytest.param("http/protobuf", Answer(status=307, headers={"location": "http://localhost:1/"}), 2, id="307"),
    pytest.param("http/protobuf", Answer(reset="early"), 3, id="reset before the body"),
    pytest.param("http/protobuf", Answer(status=200, body=b"\xffnot protobuf"), 1, id="200 that is no OTLP"),
    pytest.param("grpc", Answer(code="UNAVAILABLE"), 3, id="UNAVAILABLE"),
    pytest.param("grpc", Answer(code="CANCELLED"), 1, id="CANCELLED"),
    pytest.param("grpc", Answer(code="DEADLINE_EXCEEDED"), 1, id="DEADLINE_EXCEEDED"),
    pytest.param("grpc", Answer(code="ABORTED"), 1, id="ABORTED"),
    pytest.param("grpc", Answer(code="OUT_OF_RANGE"), 1, id="OUT_OF_RANGE"),
    pytest.param("grpc", Answer(code="DATA_LOSS"), 1, id="DATA_LOSS"),
    pytest.param("grpc", Answer(code="UNAUTHENTICATED"), 1, id="UNAUTHENTICATED"),
    pytest.param("grpc", Answer(code="PERMISSION_DENIED"), 1, id="PERMISSION_DENIED"),
    pytest.param("grpc", Answer(code="INTERNAL"), 3, id="INTERNAL"),
    pytest.param(
        "grpc", Answer(code="RESOURCE_EXHAUSTED", retry_after_s=0.5), 1, id="RESOURCE_EXHAUSTED with RetryInfo"
    ),
]


@pytest.mark.parametrize(("protocol", "answer", "times"), PASSING)
def test_a_fault_that_passes_costs_nothing(protocol: Protocol, answer: Answer, times: int) -> None:
    """When it is over every span has arrived, once."""
    with OtlpSink(protocol) as sink:
        sink.answer(answer, times=times)
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 200)

            assert len(sink.wait_for(200)) == 200
            assert pipeline.force_flush()
            assert sink.duplicates == 0
            assert pipeline.stats().sent == 200
            assert adds_up(pipeline.stats())


def test_a_connection_that_breaks_before_the_answer_may_double_a_request_but_loses_none() -> None:
    """At least once: the collector took the spans and nobody could know."""
    with OtlpSink() as sink:
        sink.answer(Answer(reset="late"))
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 50)

            assert pipeline.force_flush()
            assert len(sink.ids) == 50
            assert sink.duplicates == len(sink.received[0].spans) > 0
            assert pipeline.stats().sent == 50


GIVEN_UP = [
    pytest.param("http/protobuf", Answer(status=404), "404", id="404"),
    pytest.param("http/protobuf", Answer(status=501), "501", id="501"),
    pytest.param("http/protobuf", Answer(status=500), "500", id="500 for ever"),
    pytest.param("grpc", Answer(code="UNIMPLEMENTED"), "UNIMPLEMENTED", id="UNIMPLEMENTED"),
    pytest.param("grpc", Answer(code="UNKNOWN"), "UNKNOWN", id="UNKNOWN for ever"),
]


@pytest.mark.parametrize(("protocol", "answer", "reason"), GIVEN_UP)
def test_what_a_collector_refuses_for_good_is_dropped_and_counted(
    protocol: Protocol, answer: Answer, reason: str
) -> None:
    """The spans are gone, by name of the answer."""
    with OtlpSink(protocol) as sink:
        sink.decide = lambda received: answer
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 20)

            assert not pipeline.force_flush()
            assert pipeline.stats().dropped == {reason: 20}
            assert adds_up(pipeline.stats())


def test_what_was_dropped_is_told_by_the_next_flush_and_by_no_other() -> None:
    """After a 400 `force_flush` says False, once; `close` says it for what was dropped since."""
    with OtlpSink() as sink:
        pipeline = build(Config(destinations=(destination(sink),)))
        tracer = tracer_for(pipeline)
        sink.decide = lambda received: Answer(status=400 if "bad 0" in sink_names(received) else 200)

        make_spans(tracer, 1, "bad")
        told = [pipeline.force_flush(), pipeline.force_flush()]
        make_spans(tracer, 1, "good")
        told.append(pipeline.force_flush())
        make_spans(tracer, 1, "bad")
        told.append(pipeline.close(20))

    assert told == [False, True, True, False]


def sink_names(received: Received) -> set[str]:
    """The names of the spans in a request."""
    return {span.name for span in received.spans}


def test_a_fault_of_ours_in_the_sender_costs_the_request_and_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason is one that the pages explain."""
    monkeypatch.setattr("agentops_otel.guard.reraise", False)

    class Broken(Outbox):
        def delivered(self, entry: Entry, rejected: int = 0) -> None:
            raise ZeroDivisionError

    with OtlpSink() as sink:
        where = destination(sink)
        route = Route(sender=Sender(where.display_url, Broken(), HttpTransport(where)))
        pipeline = Pipeline([route], exit_timeout_s=2.0)
        make_spans(tracer_for(pipeline), 3)

        assert not pipeline.force_flush(60_000)
        assert pipeline.stats().dropped == {DropReason.SENDER_FAILED: 3}
        pipeline.close(1)


@both
def test_a_bad_span_is_found_and_dropped_alone(protocol: Protocol) -> None:
    """Of 300 spans the collector refuses requests with one of them: 299 arrive, one is counted."""

    def refuse(received: Received) -> Answer:
        bad = any(span.name == "bad 0" for span in received.spans)
        return Answer(status=400, code="INVALID_ARGUMENT") if bad else Answer()

    with OtlpSink(protocol) as sink:
        sink.decide = refuse
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 150)
            make_spans(tracer, 1, "bad")
            make_spans(tracer, 149, "more")

            assert not pipeline.force_flush()
            assert len(sink.ids) == 299
            assert sink.duplicates == 0
            assert sum(pipeline.stats().dropped.values()) == 1
            assert adds_up(pipeline.stats())


def test_a_request_that_is_too_large_is_split_and_the_limit_is_remembered() -> None:
    """A collector that takes 100 kB gets a thousand spans of 2 kB; after a few refusals none is too large any more."""
    with OtlpSink() as sink:
        sink.decide = lambda received: Answer(status=413 if received.size > 100_000 else 200)
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 1000, text="x" * 2000)
            assert pipeline.force_flush()
            asked = len(sink.received)
            make_spans(tracer, 1000, text="x" * 2000)
            assert pipeline.force_flush()

            assert len(sink.ids) == 2000
            assert sink.duplicates == 0
            assert sum(received.size > 100_000 for received in sink.received[:asked]) > 0
            assert sum(received.size > 100_000 for received in sink.received[asked:]) < 5
            assert adds_up(pipeline.stats())


def test_the_four_mebibytes_of_grpc_are_kept_to() -> None:
    """A real gRPC server's limit: 512 spans of 20 kB arrive in several requests."""
    with OtlpSink("grpc") as sink, running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
        make_spans(tracer, 512, text="x" * 20_000)

        assert pipeline.force_flush()
        assert len(sink.ids) == 512
        assert sink.duplicates == 0
        assert max(received.size for received in sink.received) <= 4 * 1024 * 1024


@both
def test_a_span_too_large_alone_is_cut_down(protocol: Protocol) -> None:
    """Its longest values are shortened, its neighbours are whole."""
    with OtlpSink(protocol) as sink:
        if protocol == "http/protobuf":
            sink.decide = lambda received: Answer(status=413 if received.size > 100_000 else 200)
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 1, "big", text="é" * 3_000_000, id="kept")
            make_spans(tracer, 3, "small", text="x")

            assert pipeline.force_flush()
            assert set(sink.spans) == {"big 0", "small 0", "small 1", "small 2"}
            assert sink.duplicates == 0
            attributes = {a.key: a.value.string_value for a in sink.spans["big 0"].attributes}
            assert attributes == {"text": "é" * 512, "id": "kept"}
            assert pipeline.stats().sent == 4


def test_a_span_too_large_even_when_cut_is_dropped_and_counted() -> None:
    """A collector that takes nothing gets nothing, and the count says so."""
    with OtlpSink() as sink:
        sink.decide = lambda received: Answer(status=413)
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 5)

            assert not pipeline.force_flush()
            assert pipeline.stats().dropped == {"413": 5}


@both
def test_partial_success_is_read_counted_and_said(protocol: Protocol, caplog: pytest.LogCaptureFixture) -> None:
    """What the collector says it did not take is not counted as sent, and not sent again."""
    with OtlpSink(protocol) as sink:
        sink.decide = lambda received: Answer(rejected=min(5, len(received.spans)), message="no room")
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 20)

            assert not pipeline.force_flush()
            requests = [len(received.spans) for received in sink.received]
            refused = [min(5, spans) for spans in requests]
            assert sum(requests) == 20
            assert len(sink.ids) == 20 - sum(refused)
            assert sink.duplicates == 0
            assert pipeline.stats().dropped == {"partial success": sum(refused)}
            assert adds_up(pipeline.stats())
    assert f"all but {refused[0]} spans: no room" in caplog.text


@both
def test_a_connection_that_is_in_use_at_the_end_is_closed_with_its_request(protocol: Protocol) -> None:
    """Nobody waits for it any more; a socket that garbage collection has to close is an error here."""
    answered = threading.Event()
    with OtlpSink(protocol) as sink:
        sink.decide = lambda received: Answer(after_s=0.0 if answered.wait(20) else 1.0)
        with running(Config(destinations=(destination(sink),), exit_timeout_s=0.05)) as (pipeline, tracer):
            make_spans(tracer, 1)
            end = time.monotonic() + 20
            while not (sending := [one for one in threading.enumerate() if one.name == "agentops-otel-send"]):
                assert time.monotonic() < end
            pipeline.force_flush(200)
        answered.set()
        for thread in sending:
            thread.join(20)
        del pipeline, tracer
        gc.collect()


@both
def test_a_partial_success_larger_than_the_request_does_not_break_the_count(protocol: Protocol) -> None:
    """A collector that counts wrongly cannot make the counts negative."""
    with OtlpSink(protocol) as sink:
        sink.decide = lambda received: Answer(rejected=500)  # it may be asked more than once
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 20)

            assert not pipeline.force_flush()
            assert pipeline.stats().dropped == {"partial success": 20}
            assert adds_up(pipeline.stats())


def test_a_redirect_carries_nothing_to_another_origin() -> None:
    """The other server never hears of it, the spans wait, and the log says what to mend."""
    with OtlpSink() as other, OtlpSink() as sink:
        sink.decide = lambda received: Answer(status=307, headers={"location": other.endpoint})
        config = Config(
            destinations=(destination(sink, headers={"authorization": "Bearer secret"}),), exit_timeout_s=0.2
        )
        with running(config) as (pipeline, tracer):
            make_spans(tracer, 5)
            assert not pipeline.force_flush(500)
            assert pipeline.stats().pending == 5

    assert other.received == []


IN_AN_HOUR = datetime.now(UTC) + timedelta(hours=1)


@pytest.mark.parametrize(
    "later",
    ["3600", format_datetime(IN_AN_HOUR, usegmt=True), format_datetime(IN_AN_HOUR.replace(tzinfo=None))],
    ids=["seconds", "date", "date without a zone"],
)
def test_retry_after_is_honoured_for_as_long_as_it_says(later: str) -> None:
    """Nothing is sent before, not even for a flush, and nothing is lost for it."""
    with OtlpSink() as sink:
        sink.answer(Answer(status=503, headers={"retry-after": later}))
        with running(Config(destinations=(destination(sink),), exit_timeout_s=0.2)) as (pipeline, tracer):
            make_spans(tracer, 5)
            sink.wait_for_requests(1)
            make_spans(tracer, 5)

            assert not pipeline.force_flush(400)
            assert len(sink.received) == 1
            assert pipeline.stats().pending == 10


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e999"])
def test_a_retry_after_of_no_time_or_of_all_time_is_a_plain_retry(value: str) -> None:
    """The collector is neither asked without a pause nor never again."""
    with OtlpSink() as sink:
        sink.decide = lambda received: Answer(status=503, headers={"retry-after": value})
        with running(Config(destinations=(destination(sink),), exit_timeout_s=0.2)) as (pipeline, tracer):
            make_spans(tracer, 5)
            assert not pipeline.force_flush(500)
            assert len(sink.received) < 20

            sink.decide = lambda received: Answer()
            assert pipeline.force_flush(20_000)


@pytest.mark.parametrize(("status", "tries"), [(503, 7), (401, 7), (500, 3)])
def test_pauses_between_tries_double_up_to_five_seconds_and_begin_anew(status: int, tries: int) -> None:
    """Each is somewhere between half of that and all of it: many programs do not come back at the same moment."""
    pauses: list[float] = []

    class Unhurried(Outbox):
        def pause(self, seconds: float, *, by_destination: bool) -> None:
            assert not by_destination
            pauses.append(seconds)

    with OtlpSink() as sink:
        outbox = Unhurried()
        sender = Sender("a collector", outbox, HttpTransport(destination(sink)))
        for failures in (tries, 2):
            sink.answer(Answer(status=status), times=failures)
            outbox.add(Batch(b"", 1))
            sender.send_here(time.monotonic() + 60)
            assert outbox.settled
        sender.stop(time.monotonic() + 60)

    most = [*[0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0][:tries], 0.2, 0.4]
    assert len(pauses) == len(most)
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(pauses, most, strict=True)), pauses


def test_a_retry_after_that_says_nothing_is_a_plain_retry() -> None:
    """Garbage in the header does not matter."""
    with OtlpSink() as sink:
        sink.answer(Answer(status=503, headers={"retry-after": "soon"}))
        with running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
            make_spans(tracer, 5)

            assert pipeline.force_flush(60_000)
            assert len(sink.ids) == 5


class Token:
    """An authorization as the tests script it."""

    refused = False

    def __init__(self, *tokens: str | None, renews: bool = True) -> None:
        self.tokens = list(tokens)
        self.renewals = 0
        self.renews = renews

    def headers(self) -> Mapping[str, str] | None:
        """The token of the moment; one that is None is not there yet, and the next call is told another."""
        token = self.tokens[0]
        if token is None:
            self.tokens.pop(0)
            return None
        return {"authorization": token}

    def renew(self) -> bool:
        """The next one."""
        self.renewals += 1
        if self.renews:
            self.tokens.pop(0)
        return self.renews


def with_token(sink: OtlpSink, token: Token) -> Pipeline:
    """A pipeline to the sink that asks the token."""
    where = destination(sink)
    route = Route(sender=Sender(where.display_url, Outbox(), HttpTransport(where), authorization=token))
    return Pipeline([route], exit_timeout_s=2.0)


def only_with(token: str, received: Received) -> Answer:
    """401 for any other."""
    return Answer(status=200 if received.headers.get("authorization") == token else 401)


def test_a_token_that_expired_is_renewed_once_and_nothing_is_lost() -> None:
    """After a 401 the same request goes out with the new token, at once."""
    token = Token("old", "new")
    with OtlpSink() as sink:
        sink.decide = lambda received: only_with("new", received)
        pipeline = with_token(sink, token)
        make_spans(tracer_for(pipeline), 100)

        assert pipeline.force_flush(60_000)
        pipeline.close(1)

    assert (len(sink.ids), sink.duplicates) == (100, 0)
    assert token.renewals == 1


def test_a_token_that_is_not_there_yet_is_waited_for() -> None:
    """While the token service is down nothing is sent without a token, and nothing is lost."""
    with OtlpSink() as sink:
        pipeline = with_token(sink, Token(None, None, "here"))
        make_spans(tracer_for(pipeline), 100)

        assert pipeline.force_flush(60_000)
        pipeline.close(1)

    assert (len(sink.ids), sink.duplicates) == (100, 0)
    assert {received.headers["authorization"] for received in sink.received} == {"here"}


def test_a_token_that_cannot_be_renewed_keeps_the_spans() -> None:
    """They wait, and each try asks for a new token again."""
    token = Token("old", renews=False)
    with OtlpSink() as sink:
        sink.decide = lambda received: only_with("new", received)
        pipeline = with_token(sink, token)
        make_spans(tracer_for(pipeline), 10)

        while token.renewals < 2:
            assert not pipeline.force_flush(100)
        assert pipeline.stats().pending == 10
        pipeline.close(0.1)


def test_what_a_log_handler_does_in_the_senders_thread_is_not_traced() -> None:
    """Instrumentations find a context in which they are suppressed: else each failed request could make spans."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            """Note whether instrumentations are suppressed where the record comes from."""
            suppressed.append((threading.current_thread().name, bool(get_value(SUPPRESS_KEY))))

    suppressed: list[tuple[str, bool]] = []
    logger, handler = logging.getLogger("agentops_otel"), Handler()
    logger.addHandler(handler)
    try:
        with OtlpSink() as sink:
            sink.decide = lambda received: Answer(status=503)
            with running(Config(destinations=(destination(sink),), exit_timeout_s=0.2)) as (_, tracer):
                make_spans(tracer, 1)
                sink.wait_for_requests(2)
    finally:
        logger.removeHandler(handler)

    name, is_suppressed = suppressed[0]
    assert name.startswith("agentops-otel")
    assert is_suppressed


def test_an_outage_costs_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """However many requests fail, the log has one line of it, and none of the secrets."""
    with OtlpSink() as sink:
        sink.decide = lambda received: Answer(status=503)
        config = Config(
            destinations=(destination(sink, headers={"authorization": "Bearer secret-1"}),), exit_timeout_s=0.2
        )
        with running(config) as (_, tracer), caplog.at_level(logging.DEBUG, "agentops_otel"):
            make_spans(tracer, 10)
            sink.wait_for_requests(4)

    lines = [record.getMessage() for record in caplog.records if record.name == "agentops_otel"]
    assert len([line for line in lines if ": 503. " in line]) == 1
    assert "secret-1" not in caplog.text


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        ("http://localhost:{port}/v1/traces", "no connection"),
        ("http://nowhere.invalid:4318/v1/traces", "unknown host"),
        ("https://localhost:{port}/v1/traces", "no connection"),
    ],
)
def test_a_collector_that_cannot_be_reached_is_named_as_what_it_is(
    endpoint: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says what failed, not a class of an exception."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = endpoint.format(port=free.getsockname()[1])
    with running(Config(destinations=(Destination(endpoint=endpoint),), exit_timeout_s=0.3)) as (pipeline, tracer):
        make_spans(tracer, 1)
        until_logged(f": {fault}. The spans wait", pipeline, caplog)


def test_nothing_of_a_span_without_a_spool_is_written(tmp_path: Path) -> None:
    """Memory alone where no place is given."""
    pipeline = build(Config())
    pipeline.close(0.1)

    assert list(tmp_path.iterdir()) == []


def test_the_programs_own_debug_logs_of_http2_stay(caplog: pytest.LogCaptureFixture) -> None:
    """Those of our requests are hidden, before and after which the program has its own."""
    caplog.set_level(logging.DEBUG, logger="hpack")
    hpack = logging.getLogger("hpack.hpack")
    with OtlpSink("grpc") as sink:
        transport = GrpcTransport(destination(sink))
        hpack.debug("before")
        transport.send(b"", {}, 60)
        hpack.debug("after")
        transport.close()

    assert [record.getMessage() for record in caplog.records] == ["before", "after"]


@both
def test_no_log_has_a_header_or_a_query_of_ours(protocol: Protocol, caplog: pytest.LogCaptureFixture) -> None:
    """Not those of the libraries beneath either, with everything logged, in a failure and in a success."""
    caplog.set_level(logging.DEBUG, logger="")
    with OtlpSink(protocol) as sink:
        sink.answer(Answer(status=503, code="UNAVAILABLE"))
        query = "" if protocol == "grpc" else "?key=sesame"
        endpoint = sink.endpoint.replace("//", "//me:sesame@") + query
        where = Destination(
            endpoint=endpoint, protocol=protocol, headers={"x-key": "sesame", "authorization": "sesame"}
        )
        with running(Config(destinations=(where,))) as (pipeline, tracer):
            make_spans(tracer, 5)

            assert pipeline.force_flush()
        assert sink.received[-1].headers["x-key"] == "sesame"

    assert "The spans wait" in caplog.text
    assert "sesame" not in caplog.text


@pytest.mark.parametrize(
    ("spoken", "listening", "advice"),
    [
        (
            "http/protobuf",
            "grpc",
            "if it is gRPC say protocol=grpc; HTTP has port 4318 as a rule",
        ),
        (
            "grpc",
            "http/protobuf",
            "if it is HTTP/1.1 say protocol=http/protobuf; gRPC has port 4317 as a rule",
        ),
    ],
)
def test_a_port_of_the_other_protocol_is_told_with_what_would_mend_it(
    spoken: Protocol, listening: Protocol, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line, at the first delivery; the spans wait."""
    with OtlpSink(listening) as sink:
        where = Destination(endpoint=f"http://127.0.0.1:{sink.port}/v1/traces", protocol=spoken)
        with running(Config(destinations=(where,))) as (pipeline, tracer), caplog.at_level(logging.WARNING):
            make_spans(tracer, 1)
            while not (messages := [one.getMessage() for one in caplog.records if one.name == "agentops_otel"]):
                assert not pipeline.force_flush(100)
            assert pipeline.stats().pending == 1

    fault = f"{where.display_url}: another protocol is spoken there"
    assert messages[0] == f"{fault}: {advice}. The spans wait, and are sent when it takes them."
