"""From an ended span to a collector, while all goes well."""

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from agentops_otel import config
from agentops_otel.config import AgentOps, Config, Destination
from agentops_otel.export import Pipeline, Stats, build, log_upload, metric_upload
from agentops_otel.export import pipeline as pipeline_module
from agentops_otel.export.http import HttpTransport
from agentops_otel.export.outbox import Outbox
from agentops_otel.export.pipeline import QUEUE_BYTES, Route
from agentops_otel.export.sender import Answer as SenderAnswer
from agentops_otel.export.sender import Sender, Verdict
from agentops_otel.export.sink import Sink
from agentops_otel.export.spool import Spool
from tests.export.delivery import adds_up, destination, make_spans, running, tracer_for, within
from tests.loopback.otlp_sink import Answer, OtlpSink, attributes_of
from tests.program import run

Protocol = Literal["http/protobuf", "grpc"]
both = pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])


@both
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_spans_arrive_once_whole_and_counted(protocol: Protocol, compression: str) -> None:
    """Two thousand spans are at the collector after a flush, each once, and the counts say so."""
    with (
        OtlpSink(protocol) as sink,
        running(Config(destinations=(destination(sink, compression=compression),))) as (pipeline, tracer),
    ):
        make_spans(tracer, 2000, who="me")

        flushed = pipeline.force_flush()

        assert flushed
        assert len(sink.ids) == 2000
        assert sink.duplicates == 0
        assert attributes_of(sink.spans["span 7"]) == {"who": "me"}
        assert pipeline.stats().sent == pipeline.stats().produced == 2000


def test_a_collector_that_takes_zstd_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said by the variable, the spans come as zstd, smaller than they are, each once."""
    pytest.importorskip("zstandard")
    with OtlpSink() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd")
        settings = config.read_config(endpoint=sink.endpoint)
        with running(Config(destinations=settings.destinations)) as (pipeline, tracer):
            make_spans(tracer, 200, who="me")

            assert pipeline.force_flush()

    assert len(sink.ids) == 200
    assert sink.duplicates == 0
    assert {received.headers["content-encoding"] for received in sink.received} == {"zstd"}
    assert all(received.size < received.request.ByteSize() for received in sink.received)


def test_spans_arrive_without_a_flush() -> None:
    """A lone span is at the collector within the worker's delay."""
    with OtlpSink() as sink, running(Config(destinations=(destination(sink),))) as (_, tracer):
        make_spans(tracer, 1)

        assert sink.wait_for(1)


class _Held(SpanProcessor):
    """An observer that stays with the span of this name until it is released."""

    def __init__(self, name: str) -> None:
        self.name, self.has_seen, self.released = name, threading.Event(), threading.Event()

    def on_end(self, span: ReadableSpan) -> None:
        if span.name == self.name:
            self.has_seen.set()
            self.released.wait(60)


def until_idle(pipeline: Pipeline) -> None:
    """The first span was sent, and the sender waits for more."""
    end = time.monotonic() + 60
    while pipeline.stats().sent < 1:
        assert time.monotonic() < end
        time.sleep(0.01)
    pipeline.recover(60)


def test_what_waits_is_sent_in_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender is not woken for each slice that is encoded: a small request costs as much as a large one."""
    monkeypatch.setattr(pipeline_module, "OVERDUE_S", 60.0)  # what is overdue is not kept back
    held = _Held("first 0")
    with OtlpSink() as sink:
        pipeline = build(Config(destinations=(destination(sink),)), observers=[held])
        tracer = tracer_for(pipeline)
        make_spans(tracer, 1, "first")
        assert held.has_seen.wait(60)
        until_idle(pipeline)
        make_spans(tracer, 300)
        held.released.set()

        assert pipeline.force_flush(60_000)
        assert [len(received.spans) for received in sink.received] == [1, 300]
        pipeline.close(1)


def test_much_is_sent_while_more_is_being_encoded() -> None:
    """The worker is kept in the middle of a long queue: what is worth a request is on its way."""
    first, held = _Held("first 0"), _Held("span 200")
    with OtlpSink() as sink:
        pipeline = build(Config(destinations=(destination(sink),)), observers=[first, held])
        tracer = tracer_for(pipeline)
        make_spans(tracer, 1, "first")
        assert first.has_seen.wait(60)
        until_idle(pipeline)
        make_spans(tracer, 600, text="x" * 2000)
        first.released.set()
        assert held.has_seen.wait(60)

        assert len(sink.wait_for(129)) < 600
        held.released.set()
        assert pipeline.force_flush(60_000)
        pipeline.close(1)


def test_headers_are_sent_and_the_content_is_otlp() -> None:
    """The destination's headers reach the collector, with OTLP's content type."""
    with (
        OtlpSink() as sink,
        running(Config(destinations=(destination(sink, headers={"X-Key": "secret"}),))) as (_, tracer),
    ):
        make_spans(tracer, 1)
        sink.wait_for(1)

    assert sink.received[0].headers["x-key"] == "secret"
    assert sink.received[0].headers["content-type"] == "application/x-protobuf"
    assert sink.received[0].path == "/v1/traces"


def test_an_unsampled_span_is_not_exported() -> None:
    """A span that only records, for processors in the process, stays there."""
    with OtlpSink() as sink, running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
        context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(0))
        pipeline.on_end(ReadableSpan("recorded only", context))
        make_spans(tracer, 1)

        assert pipeline.force_flush()
        assert set(sink.spans) == {"span 0"}
        assert pipeline.stats().produced == 1


def test_nothing_runs_before_the_first_span() -> None:
    """Building a pipeline and shutting it down starts no thread and opens no connection."""
    with OtlpSink() as sink:
        before = set(threading.enumerate())
        with running(Config(destinations=(destination(sink),))) as (pipeline, _):
            assert set(threading.enumerate()) <= before
            assert pipeline.force_flush()

    assert sink.received == []


def test_a_flush_that_waits_while_the_queue_is_closed_ends_with_it() -> None:
    """It was not told when what no worker had got to was encoded, and waited for all of its time."""
    encoding, closing = threading.Event(), threading.Event()
    workers: list[threading.Thread] = []

    def redaction(span: ReadableSpan) -> ReadableSpan:
        if threading.current_thread() is threading.main_thread():
            closing.set()
            workers[0].join(60)
        else:
            workers.append(threading.current_thread())
            encoding.set()
            closing.wait(60)
        return span

    pipeline = Pipeline(exit_timeout_s=2.0, redaction=redaction)
    make_spans(tracer_for(pipeline), 65)  # of which the worker takes 64 at a time
    assert encoding.wait(60)
    with ThreadPoolExecutor(1) as pool:
        flushed = pool.submit(pipeline.drain, 60)
        pipeline.close(0.1)

        assert flushed.result(30)


def test_two_destinations_do_not_hold_each_other_up() -> None:
    """While one collector hangs, the other has the spans at once."""
    with OtlpSink() as hangs, OtlpSink("grpc") as well:
        hangs.answer(Answer(hang=True))
        config = Config(destinations=(destination(hangs), destination(well)), exit_timeout_s=0.5)
        with running(config) as (pipeline, tracer):
            make_spans(tracer, 100)

            well.wait_for(100, 60)

            assert not pipeline.force_flush(200)
            stats = pipeline.stats()
            assert stats.sent == 0
            assert [each.sent for each in stats.destinations.values()] == [0, 100]


def test_a_hanging_collector_does_not_keep_flush_or_shutdown() -> None:
    """Both end in their time, not in the request's, and say that the spans did not arrive; what is lost is counted."""
    with OtlpSink() as sink:
        sink.answer(Answer(hang=True))
        config = Config(destinations=(destination(sink, timeout_s=600),), exit_timeout_s=600)
        with running(config) as (pipeline, tracer):
            make_spans(tracer, 10)

            assert within(60, lambda: pipeline.force_flush(300))
            assert within(60, lambda: pipeline.close(1))
            assert pipeline.stats().dropped == {"exit": 10}
            assert adds_up(pipeline.stats())


def test_close_says_so_if_one_of_two_destinations_has_lost_spans() -> None:
    """A healthy collector does not hide a dead one."""
    with OtlpSink() as well, OtlpSink() as dead:
        dead.answer(Answer(hang=True))
        config = Config(destinations=(destination(dead), destination(well)), exit_timeout_s=0.5)
        with running(config) as (pipeline, tracer):
            make_spans(tracer, 5)
            well.wait_for(5, 60)

            assert not pipeline.close(0.5)
            assert [dict(each.dropped) for each in pipeline.stats().destinations.values()] == [{"exit": 5}, {}]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_the_trace_file_is_counted(tmp_path: Path) -> None:
    """What is written to it was sent; what the disk did not take was dropped."""
    for path, counts in ((tmp_path / "spans.jsonl", (5, {})), (Path("/dev/full"), (0, {"the exporter failed": 5}))):
        with running(Config(trace_file=path)) as (pipeline, tracer):
            make_spans(tracer, 5)
            pipeline.force_flush()

            assert (pipeline.stats().sent, pipeline.stats().dropped) == counts


def test_before_left_overs_are_sent_what_that_needs_is_imported_in_the_programs_thread() -> None:
    """The sending thread imports nothing: at an interpreter's end it may not."""
    prepared: list[threading.Thread] = []

    class Noting(HttpTransport):
        def prepare(self) -> None:
            prepared.append(threading.current_thread())
            super().prepare()

    with OtlpSink() as sink:
        pipeline = Pipeline([Route(sender=Sender("there", Outbox(), Noting(destination(sink))))], exit_timeout_s=10.0)
        pipeline.recover(10.0)
        pipeline.shutdown()

    assert prepared[:1] == [threading.current_thread()]


def test_spans_after_shutdown_are_counted_as_dropped() -> None:
    """A span that ends too late is not lost silently."""
    with OtlpSink() as sink, running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
        make_spans(tracer, 3)
        pipeline.shutdown()
        make_spans(tracer, 2)

        assert len(sink.ids) == 3
        assert pipeline.stats().dropped == {"shut down": 2}
        assert adds_up(pipeline.stats())
        assert pipeline.drain(60.0)  # they are waited for no more


def test_what_is_closed_already_has_lost_nothing_more() -> None:
    """Whoever closes it again is told so, and waits for nothing."""
    with OtlpSink() as sink:
        pipeline = build(Config(destinations=(destination(sink),)))
        make_spans(tracer_for(pipeline), 1)

        assert [pipeline.close(60), pipeline.close(60)] == [True, True]
        assert len(sink.ids) == 1


def test_flush_comes_back_while_others_go_on_making_spans() -> None:
    """A flush waits for what had ended when it was called, not for what ends meanwhile."""
    with OtlpSink() as sink, running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
        stop = threading.Event()

        def keep_on() -> None:
            while not stop.wait(0.001):
                make_spans(tracer, 5)

        busy = threading.Thread(target=keep_on)
        busy.start()
        try:
            assert pipeline.force_flush(60_000)
        finally:
            stop.set()
            busy.join()


def test_a_collector_nobody_named_gets_spans_if_it_is_there() -> None:
    """The default collector is asked with an empty request, then sent to."""
    with OtlpSink() as sink, running(Config(destinations=(destination(sink, probe=True),))) as (_, tracer):
        make_spans(tracer, 5)
        sink.wait_for(5)

    assert [len(received.spans) for received in sink.received] == [0, 5]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(headers={"content-type": "text/html"}, body=b"<html>hello</html>"),
        Answer(headers={"content-type": "text/html"}, body=b""),
        Answer(body=b"<html>hello</html>"),
        Answer(headers={"content-type": "application/json"}, body=b"{}"),
    ],
    ids=["a page", "an empty page", "a page that calls itself protobuf", "JSON"],
)
def test_who_says_yes_to_everything_is_no_collector(answer: Answer) -> None:
    """Another server on the port of the unnamed collector gets an empty request, and never a span."""
    with OtlpSink() as sink:
        sink.decide = lambda received: answer
        with running(Config(destinations=(destination(sink, probe=True),))) as (pipeline, tracer):
            make_spans(tracer, 5)
            assert pipeline.force_flush()

        assert [len(received.spans) for received in sink.received] == [0]


def test_a_collector_nobody_named_that_is_not_there_costs_nothing() -> None:
    """Spans for a default that does not answer are not counted as lost, and nobody waits for it."""
    with OtlpSink() as gone:
        pass
    with running(Config(destinations=(destination(gone, probe=True),))) as (pipeline, tracer):
        make_spans(tracer, 5)

        assert pipeline.force_flush(60_000)
        assert pipeline.stats().produced == 0
        assert adds_up(pipeline.stats())


def test_a_sink_gets_the_spans_and_its_faults_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exporter that raises is counted; the one beside it has everything."""
    monkeypatch.setattr("agentops_otel.guard.reraise", False)

    class Broken(InMemorySpanExporter):
        def export(self, spans: object) -> object:  # type: ignore[override]  # broken on purpose
            raise OSError("disk full")

    class Whole(InMemorySpanExporter):
        shut_down = 0

        def shutdown(self) -> None:
            self.shut_down += 1

    whole = Whole()
    sinks = [Sink(name="broken", exporter=Broken()), Sink(name="whole", exporter=whole)]
    pipeline = Pipeline(sinks=sinks, exit_timeout_s=2.0)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(pipeline)

    make_spans(provider.get_tracer("test"), 5)
    pipeline.force_flush()
    pipeline.shutdown()

    assert len(whole.get_finished_spans()) == 5
    stats = pipeline.stats()
    assert stats.dropped == {"the exporter failed": 5}
    assert stats.destinations["whole"].sent == 5
    assert whole.shut_down == 1


def test_persist_waits_for_what_another_thread_is_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A span that the worker redacts is on disk when it returns."""
    monkeypatch.setattr("agentops_otel.export.pipeline._PERSIST_S", 60.0)
    at_it, go_on = threading.Event(), threading.Event()

    def redact(span: ReadableSpan) -> ReadableSpan:
        at_it.set()
        go_on.wait(60)
        return span

    spooled: list[int] = []

    def persist() -> None:
        pipeline.persist()
        spooled.append(pipeline.stats().spooled)

    where = Destination(endpoint="http://127.0.0.1:9/v1/traces")
    sender = Sender("nowhere", Outbox(Spool(tmp_path)), HttpTransport(where))
    pipeline = Pipeline([Route(sender=sender)], exit_timeout_s=2.0, redaction=redact)
    make_spans(tracer_for(pipeline), 1)
    at_it.wait(60)
    thread = threading.Thread(target=persist)
    thread.start()
    thread.join(0.05)
    waits = thread.is_alive()
    go_on.set()
    thread.join()
    pipeline.close(0)

    assert waits
    assert spooled == [1]


def test_a_span_that_ends_while_the_worker_dies_has_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that dies is alive for a moment, and is not taken for one that works."""

    class DiesOnce(InMemorySpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            if not died.is_set():
                died.set()
                raise KeyboardInterrupt
            arrived.set()
            return super().export(spans)

    died, arrived = threading.Event(), threading.Event()
    pipeline = Pipeline(sinks=[Sink(name="memory", exporter=DiesOnce())], exit_timeout_s=2.0)
    tracer = tracer_for(pipeline)
    monkeypatch.setattr(threading, "excepthook", lambda of: make_spans(tracer, 1, "late"))

    make_spans(tracer, 1)

    assert arrived.wait(60)
    pipeline.close(60)


def no_thread(thread: threading.Thread) -> None:
    """As Python 3.12 has it while an interpreter ends."""
    raise RuntimeError("can't create new thread at interpreter shutdown")


def test_the_worker_has_ended_when_close_returns() -> None:
    """Also one that was at an export: no interpreter within the process ends with a thread of ours."""
    ending = threading.Event()

    class EndsLate(InMemorySpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            ending.wait(60)
            time.sleep(0.05)
            return super().export(spans)

        def shutdown(self) -> None:
            ending.set()

    # Time to flush runs out soon, that to end does not.
    clock = lambda: -60.0 if ending.is_set() else 0.0  # noqa: E731
    pipeline = Pipeline(sinks=[Sink(name="memory", exporter=EndsLate())], exit_timeout_s=0.1, clock=clock)
    before = set(threading.enumerate())
    make_spans(tracer_for(pipeline), 1)
    assert set(threading.enumerate()) - before

    pipeline.shutdown()

    assert set(threading.enumerate()) - before == set()


def test_before_a_fork_a_sender_gives_the_thread_to_wait_for() -> None:
    """It ends, and the next start begins another."""
    sender = Sender("nowhere", Outbox(), HttpTransport(Destination(endpoint="http://127.0.0.1:9/v1/traces")))
    sender.start()

    thread = sender.pause()

    assert thread is not None
    thread.join(60)
    assert not thread.is_alive()
    assert sender.start()
    sender.stop(time.monotonic() + 60)


def test_without_threads_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own thread encodes some of it."""
    exporter = InMemorySpanExporter()
    pipeline = Pipeline(sinks=[Sink(name="memory", exporter=exporter)], exit_timeout_s=2.0)
    tracer = tracer_for(pipeline)
    monkeypatch.setattr(threading.Thread, "start", no_thread)

    make_spans(tracer, 1000, content="x" * 10_000)
    pipeline.force_flush()
    exported = len(exporter.get_finished_spans())
    make_spans(tracer, QUEUE_BYTES // 1000)

    assert exported == 1000
    assert len(exporter.get_finished_spans()) > exported
    pipeline.close(0)


def test_without_threads_a_busy_exporter_holds_up_no_flush_beyond_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the end of an interpreter: what has no thread is exported by who asks for it."""
    sink = Sink(name="busy", exporter=InMemorySpanExporter())
    pipeline = Pipeline(sinks=[sink], exit_timeout_s=2.0)
    locked = threading.Thread(target=sink.lock.acquire)
    locked.start()
    locked.join()
    tracer = tracer_for(pipeline)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        make_spans(tracer, 3)
        flushed = pipeline.force_flush(50)

    assert not flushed
    assert pipeline.stats().dropped == {"the exporter is busy": 3}


def test_without_threads_each_span_is_delivered_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lone one too, once the interpreter is ending; and a lone one that comes too late is counted."""
    outbox, body = Outbox(), list[bytes]()
    pipeline = Pipeline([Route(sender=Sender("there", outbox, Taking(body)))], exit_timeout_s=60.0)
    tracer = tracer_for(pipeline)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    make_spans(tracer, 1)
    waits = len(body)
    pipeline.deliver_at_once()
    at_once = len(body)
    make_spans(tracer, 1)

    assert (waits, at_once, len(body)) == (0, 1, 2)
    pipeline.close(60)
    make_spans(tracer, 1)
    assert pipeline.stats() == Stats(
        produced=3,
        sent=2,
        dropped={"shut down": 1},
        destinations={"there": Stats(produced=3, sent=2, dropped={"shut down": 1})},
    )


class Taking:
    """A destination that takes everything, and keeps it."""

    limit_bytes = 1 << 20

    def __init__(self, bodies: list[bytes]) -> None:
        self.prepared = 0
        self.threads: list[str] = []
        self._bodies = bodies

    def prepare(self) -> None:
        """Counted."""
        self.prepared += 1

    def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> SenderAnswer:
        """Take it."""
        self._bodies.append(body)
        self.threads.append(threading.current_thread().name)
        return SenderAnswer(Verdict.ACCEPTED)

    def close(self) -> None:
        """Nothing is open."""

    forked = close


class Timed(Outbox):
    """Notes until when it is waited for, and does not wait."""

    def __init__(self, spool: Spool | None = None) -> None:
        super().__init__(spool)
        self.until: list[tuple[str, float]] = []

    def wait(self, deadline: float) -> bool:
        """Note it."""
        self.until.append(("delivered", deadline))
        return True

    def recover(self, deadline: float) -> tuple[int, int]:
        """Note it."""
        self.until.append(("recovered", deadline))
        return 0, 0


@pytest.mark.parametrize(("spans", "left"), [(0, True), (1, True), (0, False)])
def test_of_the_time_to_end_four_fifths_are_for_delivery(spans: int, left: bool, tmp_path: Path) -> None:
    """A process that made no span has it for what others left, of the destinations that have such."""
    if left:
        earlier = Spool(tmp_path)
        earlier.append(b"x", 1)
        earlier.close()
    before = threading.active_count()
    timed = [Timed(Spool(tmp_path)), Timed()]
    transports = [Taking([]), Taking([])]
    senders = [
        Sender("there", outbox, transport, clock=lambda: 100.0)
        for outbox, transport in zip(timed, transports, strict=True)
    ]
    pipeline = Pipeline([Route(sender=sender) for sender in senders], exit_timeout_s=2.0, clock=lambda: 100.0)
    pipeline.look_back()
    begun = threading.active_count() - before
    prepared = [transport.prepared for transport in transports]
    make_spans(tracer_for(pipeline), spans)
    pipeline.close(10.0)

    assert (begun, prepared) == ((1, [1, 1]) if left else (0, [0, 0]))
    asked = [[what for what, _ in outbox.until] for outbox in timed]
    assert asked == [["delivered", *(["recovered"] if left and not spans else [])], ["delivered"]]
    assert all(until == pytest.approx(108.0) for outbox in timed for _, until in outbox.until)


def test_at_the_end_no_destination_waits_for_the_request_of_another_to_be_told() -> None:
    """What waits for the second is on disk, or given up, while the first is still in its request."""
    entered, closed, told = threading.Event(), threading.Event(), list[bool]()

    class Told(Outbox):
        def close(self, reason: str = "exit") -> None:
            super().close(reason)
            closed.set()

    class Asked(Taking):
        def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> SenderAnswer:
            entered.set()
            told.append(closed.wait(15))
            return super().send(body, headers, timeout_s)

    # The time to deliver is over at once, that to end is not.
    first = Outbox()
    clock = lambda: -60.0 if first.is_closed else 0.0  # noqa: E731
    senders = [
        Sender("first", first, Asked([]), clock=clock),
        Sender("second", Told(), Taking([]), clock=clock),
    ]
    pipeline = Pipeline([Route(sender=sender) for sender in senders], exit_timeout_s=2.0, clock=clock)
    make_spans(tracer_for(pipeline), 1)
    assert entered.wait(60)
    pipeline.close(0.0)

    assert told == [True]


@pytest.mark.parametrize(("timeout_millis", "told"), [(2500, 2500), (-1000, 0)])
@pytest.mark.parametrize(("answer", "well"), [(True, True), (None, True), (False, False)])
def test_an_exporter_is_flushed_in_the_time_that_is_left(
    timeout_millis: int, told: int, answer: bool | None, *, well: bool
) -> None:
    """In milliseconds; what it answers else than no is a yes."""
    asked: list[int] = []

    class Asked(InMemorySpanExporter):
        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            asked.append(timeout_millis)
            return answer  # type: ignore[return-value]  # as the SDK's own base class does

    pipeline = Pipeline(sinks=[Sink(name="asked", exporter=Asked())], exit_timeout_s=2.0, clock=lambda: 100.0)

    assert pipeline.force_flush(timeout_millis) is well
    assert asked == [told]


def test_a_flush_does_not_wait_for_spans_to_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the worker lets them."""
    monkeypatch.setattr(pipeline_module, "LINGER_S", 3600.0)
    memory = InMemorySpanExporter()
    pipeline = Pipeline(sinks=[Sink(name="memory", exporter=memory)], exit_timeout_s=2.0)
    tracer = tracer_for(pipeline)
    for spans in (1, 2, 3):
        make_spans(tracer, 1)
        end = time.monotonic() + 60
        while pipeline._threshold in (1, pipeline._limit) and len(memory.get_finished_spans()) < spans:
            assert time.monotonic() < end
            time.sleep(0.001)

        assert pipeline.force_flush(15_000)
        assert len(memory.get_finished_spans()) == spans
    pipeline.close(60)


def test_at_the_end_of_an_interpreter_who_ends_a_span_delivers_it() -> None:
    """Also while threads could still begin: nobody may wait for them any more."""
    transport = Taking([])
    pipeline = Pipeline([Route(sender=Sender("there", Outbox(), transport))], exit_timeout_s=60.0)
    tracer = tracer_for(pipeline)
    make_spans(tracer, 1)
    assert pipeline.force_flush(60_000)
    pipeline.deliver_at_once()
    make_spans(tracer, 2)

    assert transport.threads == ["agentops-otel-send", *[threading.current_thread().name] * 2]
    pipeline.close(60)


def test_a_span_that_cannot_be_encoded_is_counted_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others of its request arrive."""
    monkeypatch.setattr("agentops_otel.guard.reraise", False)
    bodies: list[bytes] = []
    pipeline = Pipeline([Route(sender=Sender("there", Outbox(), Taking(bodies)))], exit_timeout_s=2.0)
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    for start in (1, "yesterday", 2):
        pipeline.on_end(ReadableSpan("odd", context, resource=Resource({}), start_time=start))  # type: ignore[arg-type]

    assert not pipeline.force_flush(60_000)
    assert pipeline.stats().sent == 2
    assert pipeline.stats().dropped == {"not encodable": 1}
    pipeline.close(60)


@pytest.mark.parametrize("how", ["persist", "flush"])
def test_without_threads_however_many_wait_are_taken_in_one_go(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than are encoded at a time: all are on disk, or delivered."""
    transport = Taking([])
    outbox = Outbox(Spool(tmp_path))
    pipeline = Pipeline([Route(sender=Sender("there", outbox, transport))], exit_timeout_s=60.0)
    tracer = tracer_for(pipeline)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    make_spans(tracer, 200)
    before = pipeline.stats().pending
    if how == "persist":
        pipeline.persist()
    else:
        assert pipeline.force_flush(60_000)

    assert (before, pipeline.stats().spooled, pipeline.stats().sent) == (
        (200, 200, 0) if how == "persist" else (200, 0, 200)
    )
    pipeline.close(60)


def test_a_pipeline_without_destinations_counts_nothing() -> None:
    """With nowhere to go there is nothing to lose."""
    with running(Config()) as (pipeline, tracer):
        make_spans(tracer, 1)

        assert pipeline.force_flush()
        assert pipeline.stats() == Stats()


def test_each_sender_has_the_time_and_the_account_of_its_destination(tmp_path: Path) -> None:
    """Of spans, of metrics and of logs; one that nobody named is asked first, and has no disk."""
    named = Destination(endpoint="http://h:1/v1/traces", timeout_s=3.0, agentops=AgentOps(api_key="k"))
    places = (named, Destination(endpoint="http://h:2/v1/traces", timeout_s=4.0, probe=True))
    settings = Config(destinations=places, metrics=places, upload_logs=True, spool_dir=tmp_path)
    upload, metrics = log_upload(settings), metric_upload(settings)
    assert upload is not None
    assert metrics is not None

    senders = [*build(settings)._senders, *metrics.senders, upload.sender]

    told = [
        (sender.name, sender._timeout_s, sender._authorization is not None, sender.wanted, sender.outbox.spool is None)
        for sender in senders
    ]
    of_each = [("http://h:1/v1/traces", 3.0, True, True, False), ("http://h:2/v1/traces", 4.0, False, False, True)]
    assert told == [*of_each * 2, ("https://api.agentops.ai/v4/logs/upload/", 3.0, True, True, False)]


def test_exporters_are_found_by_their_entry_point() -> None:
    """`OTEL_TRACES_EXPORTER=console` is the SDK's console exporter, found as the SDK finds it."""
    pipeline = build(Config(exporters=("console",)))

    assert isinstance(pipeline, SpanProcessor)
    assert list(pipeline.stats().destinations) == ["console"]


def test_grpc_is_not_imported_for_http() -> None:
    """Neither building nor sending over HTTP imports grpc."""
    code = (
        "import sys; from agentops_otel.config import *; from agentops_otel.export import build;"
        "build(Config(destinations=(Destination(endpoint='http://localhost:1'),))); print('grpc' in sys.modules)"
    )

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)

    assert out.stdout == "False\n"


def test_a_remote_parent_is_kept() -> None:
    """A span under another service's span names it as its parent."""
    with OtlpSink() as sink, running(Config(destinations=(destination(sink),))) as (_, tracer):
        parent = SpanContext(3, 4, is_remote=True, trace_flags=TraceFlags(1))
        tracer.start_span("child", context=set_span_in_context(NonRecordingSpan(parent))).end()
        sink.wait_for(1)

    assert sink.spans["child"].parent_span_id == (4).to_bytes(8, "big")
    assert isinstance(destination(sink), Destination)


@pytest.mark.parametrize("error", ["RuntimeError", "OSError", "ValueError"])
def test_where_the_network_is_forbidden_nobody_is_looked_for_in_vain(error: str) -> None:
    """As pytest-socket does it: no thread ends by it, and no collector is named that nobody has named."""
    done = run(
        f"""
        import socket, threading
        threading.excepthook = lambda failed: print("a thread has ended:", failed.exc_value)

        def forbidden(*_, **__):
            raise {error}("the network is forbidden")

        socket.getaddrinfo = socket.socket.connect = forbidden
        import agentops_otel

        agentops_otel.init(console=False)

        @agentops_otel.record_action("work")
        def work(): ...

        for _ in range(2):
            work()
            assert agentops_otel.flush(5)
        """
    )

    assert (done.stdout, "dropped" in done.stderr) == ("", False)
    assert done.stderr == "" or error == "ValueError"  # a fault that nobody expects is logged, once


def test_where_files_cannot_be_locked_a_durable_span_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """As on Windows: nothing is kept on disk, and the line says so before a span is lost."""
    monkeypatch.setattr("agentops_otel.export.AVAILABLE", False)
    config = Config(destinations=(Destination(endpoint="http://localhost:1"),), spool_dir=tmp_path, durability="span")

    build(config)

    assert 'durability="span" keeps nothing here' in caplog.text
