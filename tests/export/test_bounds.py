"""Times and bounds of delivery: what is waited for, for how long, and how much may wait."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import agentops_otel
from agentops_otel.config import Config, Durability
from agentops_otel.export import Pipeline
from agentops_otel.export.encode import Batch
from agentops_otel.export.http import HttpTransport
from agentops_otel.export.outbox import REQUEST_BYTES, Outbox, Stats
from agentops_otel.export.pipeline import QUEUE_BYTES, Route
from agentops_otel.export.sender import Sender
from agentops_otel.export.sink import Sink
from agentops_otel.export.spool import Spool
from tests.export.delivery import destination, make_spans, running, tracer_for, within
from tests.loopback.otlp_sink import Answer, OtlpSink
from tests.meter_provider import restored_meter_provider

LONG_S = 60.0
"""What nobody waits for in these tests, however busy the machine is."""


@pytest.mark.parametrize("durability", ["batch", "span"])
@pytest.mark.parametrize("disk", [True, False])
def test_a_span_arrives_after_a_while_without_any(durability: Durability, disk: bool, tmp_path: Path) -> None:
    """Nobody flushes: the sender, which had nothing to do and slept, is woken."""
    with OtlpSink() as sink:
        config = Config(destinations=(destination(sink),), durability=durability, spool_dir=tmp_path if disk else None)
        with running(config) as (pipeline, tracer):
            for spans in (1, 2, 3):
                make_spans(tracer, 1)
                sink.wait_for(spans)
                pipeline.recover(LONG_S)  # comes back when the sender sleeps


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_flush_and_shutdown_of_a_client_keep_to_the_time_they_are_given(
    protocol: Literal["http/protobuf", "grpc"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector hangs; their defaults, the exit's time and the request's own are all far longer."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600")
    with OtlpSink(protocol) as sink:
        sink.decide = lambda received: Answer(hang=True)
        client = agentops_otel.init(
            endpoint=f"http://127.0.0.1:{sink.port}",
            protocol=protocol,
            console=False,
            spool_dir=False,
            exit_timeout_s=LONG_S,
        )
        client.record_action("work")(lambda: None)()

        assert within(LONG_S / 4, lambda: client.flush(timeout_s=0.2))
        assert not client.flush(timeout_s=0.0)
        assert within(LONG_S / 4, lambda: client.shutdown(timeout_s=0.2))


def test_a_destination_that_hangs_leaves_the_other_its_share_of_the_time() -> None:
    """At an interpreter's end one thread sends to both, one after the other.

    The time that it is given passes.
    """
    with OtlpSink() as well, OtlpSink() as hangs:
        hangs.decide = lambda received: Answer(hang=True)
        config = Config(destinations=(destination(well), destination(hangs)), exit_timeout_s=3.0)
        with running(config) as (pipeline, tracer):
            pipeline.deliver_at_once()
            make_spans(tracer, 1)

            assert len(well.ids) == 1
            pipeline.close(0.1)


class Held(SpanExporter):
    """Takes spans while it is not held."""

    def __init__(self) -> None:
        self.free, self.entered = threading.Event(), threading.Event()
        self.free.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Come back once it is free."""
        self.entered.set()
        self.free.wait(LONG_S)
        return SpanExportResult.SUCCESS


@pytest.mark.parametrize("holds", [True, False])
def test_what_waits_to_be_encoded_is_bounded_in_bytes_whatever_the_size_of_spans(holds: bool) -> None:
    """A burst of spans of 100 kB, while the worker is held up or has not begun: few wait, since the program helps."""
    held = Held()
    with OtlpSink() as sink:
        where = destination(sink)
        sender = Sender(where.display_url, Outbox(), HttpTransport(where))
        pipeline = Pipeline([Route(sender=sender)], [Sink(name="held", exporter=held)], exit_timeout_s=2.0)
        tracer = tracer_for(pipeline)
        make_spans(tracer, 20, text="x" * 100_000)
        assert pipeline.drain(LONG_S)  # it has seen how large they are
        held.entered.clear()
        try:
            if holds:
                held.free.clear()
                make_spans(tracer, 1)
                assert held.entered.wait(LONG_S)
            make_spans(tracer, 300, text="x" * 100_000)
            waiting = pipeline.stats().destinations["held"].pending
        finally:
            held.free.set()
            pipeline.close(1)

    assert waiting * 100_000 < 4 * QUEUE_BYTES


class HeldThreads:
    """A redaction that holds the threads with these names, and knows which have come."""

    def __init__(self, *names: str) -> None:
        self.free, self.came = threading.Event(), {name: threading.Event() for name in (*names, "MainThread")}
        self._names = names

    def __call__(self, span: ReadableSpan) -> ReadableSpan:
        """Come back at once, or once all are free."""
        name = threading.current_thread().name
        self.came[name].set()
        if name in self._names:
            self.free.wait(LONG_S)
        return span


def test_one_of_the_programs_threads_helps_until_the_queue_is_twice_too_long() -> None:
    """Many that help at once wait for each other's locks. The worker is held up, and so is the one that helps."""
    held = HeldThreads("agentops-otel", "first")
    pipeline = Pipeline([], [Sink(name="nowhere", exporter=Held())], exit_timeout_s=2.0, redaction=held)
    tracer = tracer_for(pipeline)
    first = threading.Thread(target=lambda: make_spans(tracer, pipeline._limit + 1), name="first")
    try:
        make_spans(tracer, 1)
        assert held.came["agentops-otel"].wait(LONG_S)
        first.start()
        assert held.came["first"].wait(LONG_S)
        waits = not within(LONG_S / 6, lambda: make_spans(tracer, pipeline._limit // 2))
        helps = held.came["MainThread"].is_set()
        make_spans(tracer, pipeline._limit)
    finally:
        held.free.set()
        first.join()
        pipeline.close(LONG_S)

    assert (waits, helps) == (False, False)
    assert held.came["MainThread"].is_set()
    assert not pipeline._helping.locked()
    assert pipeline.stats().pending == 0


def test_with_each_span_on_disk_no_thread_leaves_its_own_to_another(tmp_path: Path) -> None:
    """The other one is held up, and the process may be killed at any moment."""
    held = HeldThreads("first")
    with OtlpSink() as sink:
        where = destination(sink)
        sender = Sender(where.display_url, Outbox(Spool(tmp_path)), HttpTransport(where))
        sender.outbox.pause(LONG_S, by_destination=True)
        pipeline = Pipeline([Route(sender=sender)], exit_timeout_s=2.0, durable=True, redaction=held)
        tracer = tracer_for(pipeline)
        first = threading.Thread(target=make_spans, args=(tracer, 1), name="first")
        try:
            first.start()
            assert held.came["first"].wait(LONG_S)
            make_spans(tracer, 1)
            spooled = pipeline.stats().spooled
        finally:
            held.free.set()
            first.join()
            pipeline.close(0.1)

    assert spooled == 1


def test_a_sender_that_was_just_woken_is_waited_for() -> None:
    """It has heard that there is something to send, and does not run yet."""
    outbox = Outbox()

    def send() -> None:
        while entry := outbox.take():
            outbox.delivered(entry)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        outbox.recover(time.monotonic() + LONG_S)
        with outbox._changed:  # so that nobody runs between the two
            outbox.add(Batch(b"x", 1))
            outbox.recover(time.monotonic() + LONG_S)
            sent = outbox.stats(1).sent
    finally:
        outbox.close()
        thread.join()

    assert sent == 1


def test_what_waits_is_sent_together_up_to_the_size_of_a_request() -> None:
    """After a fault, a few large requests, and none over the size."""
    outbox = Outbox()
    for _ in range(20):
        outbox.add(Batch(b"x" * (REQUEST_BYTES // 8), 1))

    sizes = []
    while outbox.has_work and (entry := outbox.take()):
        sizes.append(len(entry.body))
        outbox.delivered(entry)

    assert sizes == [REQUEST_BYTES, REQUEST_BYTES, REQUEST_BYTES // 2]


def test_a_request_over_the_bound_waits_alone() -> None:
    """The newest is never dropped for its size."""
    outbox = Outbox(memory_bytes=10)

    outbox.add(Batch(b"x" * 20, 1))
    assert outbox.stats(1).pending == 1
    outbox.add(Batch(b"y" * 20, 2))

    assert outbox.stats(3) == Stats(produced=3, pending=2, dropped={"outbox full": 1})


def test_without_time_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of what hangs: a collector, a processor of the program's, and the threads of both."""
    waits: list[float | None] = []
    own = threading.current_thread()
    wait, join = threading.Condition.wait, threading.Thread.join

    def noted_wait(condition: threading.Condition, timeout: float | None = None) -> bool:
        if threading.current_thread() is own:
            waits.append(timeout)
        return wait(condition, timeout)

    def noted_join(thread: threading.Thread, timeout: float | None = None) -> None:
        if threading.current_thread() is own:
            waits.append(timeout)
        join(thread, timeout)

    held = Held()
    with OtlpSink() as sink, restored_meter_provider():
        sink.decide = lambda received: Answer(hang=True)
        client = agentops_otel.init(
            endpoint=sink.endpoint,
            console=False,
            spool_dir=tmp_path,
            upload_metrics=True,
            span_processors=[BatchSpanProcessor(held)],
        )
        held.free.clear()
        client.record_action("work")(lambda: None)()
        with monkeypatch.context() as patched:
            patched.setattr(threading.Condition, "wait", noted_wait)
            patched.setattr(threading.Thread, "join", noted_join)
            client.flush(timeout_s=0.0)
            client.shutdown(timeout_s=0.0)
            held.free.set()

    for thread in threading.enumerate():
        if thread.name == "agentops-otel-processor":
            thread.join(60)  # what the SDK's processor says at its end is for no other test
    assert len(waits) > 6
    assert set(waits) == {0.0}


class Watched(Outbox):
    """Holds the worker where it has had its wait for more spans, before it takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.free, self.entered = threading.Event(), threading.Event()
        self.free.set()

    def spool_older_than(self, older_than_s: float = 0.0) -> float | None:
        """Come back once it is free."""
        self.entered.set()
        self.free.wait(LONG_S)
        return super().spool_older_than(older_than_s)


def test_a_worker_that_still_runs_takes_nothing_from_delivery_at_once() -> None:
    """It was waiting for more spans when the interpreter began to end, and will not come to them."""
    with OtlpSink() as sink:
        where = destination(sink)
        outbox = Watched()
        pipeline = Pipeline(
            [Route(sender=Sender(where.display_url, outbox, HttpTransport(where)))], exit_timeout_s=LONG_S
        )
        tracer = tracer_for(pipeline)
        make_spans(tracer, 1)
        assert pipeline.force_flush()
        outbox.free.clear()
        outbox.entered.clear()
        try:
            make_spans(tracer, 1)
            pipeline.deliver_at_once()
            assert outbox.entered.wait(LONG_S)
            make_spans(tracer, 2)
            delivered = len(sink.ids)
        finally:
            outbox.free.set()
            pipeline.close(1)

    assert delivered == 4


def test_what_could_not_be_delivered_at_once_is_on_disk(tmp_path: Path) -> None:
    """Nor what ends when that time is over: the interpreter ends, and nothing will be called again."""
    with OtlpSink() as hangs:
        hangs.decide = lambda received: Answer(hang=True)
        config = Config(destinations=(destination(hangs),), spool_dir=tmp_path, exit_timeout_s=0.1)
        with running(config) as (pipeline, tracer):
            make_spans(tracer, 3)
            pipeline.deliver_at_once()

            assert pipeline.stats().spooled == 3
            make_spans(tracer, 2)
            assert pipeline.stats().spooled == 5
            pipeline.close(0.1)
