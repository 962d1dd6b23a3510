"""A pipeline, and the upload of metrics, about a fork: what ends before it and what begins after, in this process."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentops_otel.config import Destination
from agentops_otel.content import SpanRedaction
from agentops_otel.export import meters as meters_module
from agentops_otel.export import pipeline as pipeline_module
from agentops_otel.export.encode import Batch
from agentops_otel.export.http import HttpTransport
from agentops_otel.export.meters import MetricUpload, OwnMeterProvider
from agentops_otel.export.outbox import Outbox
from agentops_otel.export.pipeline import Pipeline, Route
from agentops_otel.export.sender import Sender
from agentops_otel.export.sink import Sink
from agentops_otel.export.spool import Spool
from agentops_otel.export.threads import FORK_WAIT_AGAIN_S, FORK_WAIT_S
from tests.export.delivery import destination, make_spans, tracer_for
from tests.forked import fork
from tests.loopback.otlp_sink import OtlpSink

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on Windows"),
    # Some are of threads that are in something for longer than a fork waits.
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]
LONG_S = 60.0


def names(before: set[threading.Thread]) -> list[str]:
    """Of the threads that have begun since."""
    return sorted(thread.name for thread in threading.enumerate() if thread not in before)


class Held(SpanExporter):
    """Takes spans while it is not held."""

    def __init__(self) -> None:
        self.entered, self.free = threading.Event(), threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Come back once it is free."""
        self.entered.set()
        self.free.wait(LONG_S)
        return SpanExportResult.SUCCESS


def test_a_fork_that_waited_in_vain_is_followed_by_one_that_waits_less() -> None:
    """Until one has not: the worker is in an export that takes long."""
    held = Held()
    pipeline = Pipeline(sinks=[Sink(name="held", exporter=held)], exit_timeout_s=2.0)
    tracer = tracer_for(pipeline)
    waits = [pipeline._fork_wait_s]
    make_spans(tracer, 1)
    assert held.entered.wait(LONG_S)
    fork()
    waits.append(pipeline._fork_wait_s)
    held.free.set()
    make_spans(tracer, 1)
    assert pipeline.force_flush(60_000)
    pipeline._fork_wait_s = LONG_S  # the next has time enough
    fork()
    waits.append(pipeline._fork_wait_s)
    pipeline.close(LONG_S)

    assert waits == [FORK_WAIT_S, FORK_WAIT_AGAIN_S, FORK_WAIT_S]


@contextmanager
def delivering(spool: Spool | None = None) -> Iterator[tuple[Pipeline, Sender, OtlpSink]]:
    """A pipeline to a collector, that has sent a span; beside it one that sends something else has nothing to do."""
    with OtlpSink() as collector:
        where = destination(collector)
        sender, idle = (Sender(where.display_url, Outbox(kept), HttpTransport(where)) for kept in (spool, None))
        pipeline = Pipeline([Route(sender=sender)], senders=[idle], exit_timeout_s=2.0)
        make_spans(tracer_for(pipeline), 1)
        assert pipeline.force_flush(60_000)
        try:
            yield pipeline, sender, collector
        finally:
            pipeline.close(LONG_S)


def test_a_fork_begins_no_thread_in_its_parent_where_nothing_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the pipeline have ended before it; the next span begins others."""
    monkeypatch.setattr(pipeline_module, "FORK_WAIT_S", LONG_S)
    before = set(threading.enumerate())
    with delivering() as (pipeline, _, collector):
        pipeline._fork_wait_s = LONG_S
        pipeline.recover(LONG_S)  # comes back when the sender sleeps
        own = names(before)
        fork()
        after = names(before)
        make_spans(tracer_for(pipeline), 1, "after")
        assert len(collector.wait_for(2)) == 2

    assert [name for name in own if name.startswith("agentops-otel")] == ["agentops-otel", *["agentops-otel-send"] * 2]
    assert not [name for name in after if name.startswith("agentops-otel")]


def until(holds: Callable[[], object]) -> None:
    """Wait for it."""
    end = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize("starts", [True, False])
def test_what_waits_at_a_fork_is_sent_after_it_or_is_on_disk(
    starts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a thread may begin at a fork it does; where it may not, the next span begins one."""
    monkeypatch.setattr(pipeline_module, "STARTS_AT_FORK", starts)
    monkeypatch.setattr(pipeline_module, "LINGER_S", 3600.0)
    with delivering(Spool(tmp_path)) as (pipeline, sender, collector):
        pipeline._fork_wait_s = LONG_S
        tracer = tracer_for(pipeline)
        make_spans(tracer, 3, "waits")  # for others
        fork()
        monkeypatch.setattr(pipeline_module, "LINGER_S", 0.0)
        if not starts:
            assert (pipeline.stats().spooled, collector.wait_for(1)) == (3, collector.ids)
            assert (len(collector.ids), sender._thread._thread, pipeline._worker._thread) == (1, None, None)
            make_spans(tracer, 1, "next")
        else:
            pipeline._wake_up.set()
        assert len(collector.wait_for(4 if starts else 5)) == (4 if starts else 5)
        assert collector.duplicates == 0


def test_a_request_that_waits_at_a_fork_has_a_thread_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though nothing is left to encode, and the destination beside it has nothing to do."""
    monkeypatch.setattr(pipeline_module, "STARTS_AT_FORK", True)
    with delivering() as (pipeline, sender, collector):
        pipeline._fork_wait_s = LONG_S
        sender.outbox.pause(3600.0, by_destination=True)
        make_spans(tracer_for(pipeline), 1, "waits")
        assert pipeline.drain(LONG_S)
        fork()
        begun = sender._thread._thread is not None
        sender.outbox.pause(0.0, by_destination=False)
        sender.outbox.resume()
        assert len(collector.wait_for(2)) == 2

    assert begun


@pytest.mark.parametrize("what", ["the child of a fork", "greenlets"])
def test_whatever_lock_another_thread_holds_spans_go_on(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the child of a host that forks by itself, and where gevent has turned threads into greenlets."""
    memory = InMemorySpanExporter()
    with OtlpSink() as collector:
        where = destination(collector)
        transport = HttpTransport(where)
        sender = Sender(where.display_url, Outbox(), transport)
        sink = Sink(name="memory", exporter=memory)
        pipeline = Pipeline([Route(sender=sender)], [sink], exit_timeout_s=2.0)
        tracer = tracer_for(pipeline)
        make_spans(tracer, 1)
        assert pipeline.force_flush(60_000)
        until(lambda: sender.outbox._idle and pipeline._threshold == 1)
        held, release = threading.Event(), threading.Event()

        def hold() -> None:
            with ExitStack() as stack:
                for lock in (
                    *(pipeline._changed, pipeline._worker._starting, sender._sending, sender._thread._starting),
                    *(sender.outbox._changed, sink.lock),
                ):
                    stack.enter_context(lock)
                held.set()
                release.wait(LONG_S)

        threads = [pipeline._worker._thread, sender._thread._thread]
        holding = threading.Thread(target=hold, daemon=True)
        holding.start()
        assert held.wait(LONG_S)
        wake_up, condition, interrupts = pipeline._wake_up, sender.outbox._changed, sender.outbox.interrupts
        if what == "greenlets":
            patched = SimpleNamespace(is_module_patched=["threading"].__contains__)
            monkeypatch.setitem(sys.modules, "gevent.monkey", patched)
        else:
            pipeline._forked()
        done: list[bool] = []

        def work() -> None:
            make_spans(tracer, 2, "after")
            done.append(pipeline.force_flush(15_000))

        working = threading.Thread(target=work, daemon=True)
        working.start()
        working.join(20)
        told = list(done)
        release.set()
        holding.join(LONG_S)
        # The threads that were left behind end.
        wake_up.set()
        sender.outbox.interrupts = interrupts + 1
        with condition:
            condition.notify_all()
        for thread in threads:
            assert thread is not None
            thread.join(LONG_S)
        sender.outbox.interrupts = interrupts
        inherited = transport._client._inherited
        assert inherited is not None
        inherited.close()
        pipeline.close(LONG_S)

    assert told == [True]
    assert len(collector.ids) == 3
    assert len(memory.get_finished_spans()) == 3


@contextmanager
def uploading() -> Iterator[MetricUpload]:
    """An upload of a counter at long intervals, whose requests wait."""
    outbox = Outbox()
    with OtlpSink() as collector:
        outbox.pause(3600.0, by_destination=True)
        sender = Sender("metrics", outbox, HttpTransport(destination(collector)))
        redaction = SpanRedaction(capture_content=True)
        upload = MetricUpload([sender], interval_s=3600.0, durable=False, redaction=redaction)
        provider = OwnMeterProvider(Resource({}))
        upload.start(provider)
        provider.get_meter("m").create_counter("n").add(1)
        try:
            yield upload
        finally:
            thread = upload._thread._thread
            upload.close()
            if thread is not None:
                thread.join(LONG_S)
            sender.stop(time.monotonic() + LONG_S)


@pytest.mark.parametrize("starts", [True, False])
def test_the_thread_that_collects_ends_before_a_fork_and_another_begins(
    starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the child too, which collects for itself; a span begins it where a fork may not."""
    monkeypatch.setattr(meters_module, "STARTS_AT_FORK", starts)
    monkeypatch.setattr(meters_module, "FORK_WAIT_S", LONG_S)
    with uploading() as upload:
        first = upload._thread._thread
        assert first is not None
        in_child = fork(lambda: upload._thread._thread is not first and names({first}).count(first.name) == 1)
        first.join(15)
        second = upload._thread._thread
        upload.on_end(ReadableSpan("after"))
        third = upload._thread._thread

    assert in_child
    assert not first.is_alive()
    assert (second is not None) is starts
    assert third is not None
    assert second in (None, third)


def test_a_child_collects_though_its_parents_thread_was_about_to_begin() -> None:
    """The lock of that is held for ever there."""
    with uploading() as upload:
        upload.collect(LONG_S)
        (sender,) = upload.senders
        before = sender.outbox.stats(2).pending
        wake_up, condition = upload._wake_up, sender.outbox._changed
        threads = upload._thread._thread, sender._thread._thread

        def in_child() -> bool:
            sender.forked()
            sender.outbox.pause(3600.0, by_destination=True)
            return upload.collect(15) and sender.outbox.stats(1).pending == 1

        with upload._thread._starting, upload._changed:
            upload._thread.detach()
            well = in_child_of(upload, in_child)

        # The threads that were left behind end.
        wake_up.set()
        sender.outbox.interrupt()
        with condition:
            condition.notify_all()
        for thread in threads:
            assert thread is not None
            thread.join(LONG_S)
    assert before == 2
    assert well


def in_child_of(upload: MetricUpload, in_child: Callable[[], bool]) -> bool:
    """As a host does that forks by itself, and calls only the hooks of the child."""
    told: list[bool] = []

    def child() -> None:
        upload._after_fork()
        told.append(in_child())

    thread = threading.Thread(target=child, daemon=True)
    thread.start()
    thread.join(30)
    return told == [True]


def test_no_thread_that_collects_begins_while_a_fork_waits_for_another() -> None:
    """The spans that end meanwhile begin none."""
    with uploading() as upload:
        upload._before_fork()
        upload.on_end(ReadableSpan("meanwhile"))
        meanwhile = upload._thread._thread
        upload._after_fork_in_parent()
        upload.on_end(ReadableSpan("after"))

        assert meanwhile is None
        assert upload._thread._thread is not None


def test_a_fork_leaves_a_greenlet_that_collects_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not counted, and cannot be waited for."""
    with uploading() as upload:
        first = upload._thread._thread
        patched = SimpleNamespace(is_module_patched=["threading"].__contains__)
        with monkeypatch.context() as greenlets:
            greenlets.setitem(sys.modules, "gevent.monkey", patched)
            upload._before_fork()
            upload.on_end(ReadableSpan("meanwhile"))
            upload._after_fork_in_parent()

        assert upload._thread._thread is first


def test_where_threads_have_become_greenlets_another_one_collects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lock the one of before holds."""
    with uploading() as upload:
        first, wake_up = upload._thread._thread, upload._wake_up
        assert first is not None
        patched = SimpleNamespace(is_module_patched=["threading"].__contains__)
        told: list[bool] = []
        collecting = threading.Thread(target=lambda: told.append(upload.collect(15)), daemon=True)
        with monkeypatch.context() as greenlets, upload._changed, upload._thread._starting:
            greenlets.setitem(sys.modules, "gevent.monkey", patched)
            collecting.start()
            collecting.join(20)
        wake_up.set()
        first.join(LONG_S)

        assert told == [True]
        assert upload._thread._thread is not first


def test_after_the_end_no_fork_begins_a_thread() -> None:
    """Neither in the parent nor in the child."""
    with uploading() as upload:
        thread = upload._thread._thread
        assert thread is not None
        upload.close()
        thread.join(LONG_S)
        upload._after_fork_in_parent()
        in_parent = upload._thread._thread
        upload._after_fork()

        assert (in_parent, upload._thread._thread) == (None, None)


def test_a_child_has_neither_the_requests_of_its_parent_nor_its_pauses() -> None:
    """Also one that the destination has asked the parent for."""
    outbox = Outbox()
    sender = Sender("nowhere", outbox, HttpTransport(Destination(endpoint="http://127.0.0.1:9/v1/traces")))
    outbox.add(Batch(b"x", 1))
    outbox.pause(3600.0, by_destination=True)
    sender.forked()
    outbox.add(Batch(b"y", 1))

    entry = outbox.take(time.monotonic() + LONG_S)

    assert entry is not None
    assert entry.body == b"y"
