"""Threads that begin on demand: who ends them may come while another begins them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_otel
from agentops_otel.config import Destination
from agentops_otel.export.http import HttpTransport
from agentops_otel.export.outbox import Entry, Outbox
from agentops_otel.export.sender import Sender
from agentops_otel.export.threads import BackgroundThread
from agentops_otel.tracing.fork_wait import wait_before_fork
from tests.loopback.otlp_sink import OtlpSink
from tests.meter_provider import restored_meter_provider


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param(lambda thread: thread.join(0.0), id="the end of the client"),
        pytest.param(lambda thread: wait_before_fork([thread.detach()], 0.25), id="a fork"),
    ],
)
def test_a_thread_that_another_is_about_to_start_may_be_ended(
    ends: Callable[[BackgroundThread], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there, and cannot be joined yet: it finds out when it runs."""
    about_to, go_on = threading.Event(), threading.Event()
    start = threading.Thread.start

    def late(thread: threading.Thread) -> None:
        if thread.name == "mine":
            about_to.set()
            go_on.wait(60)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", late)
    thread = BackgroundThread("mine", lambda: None)
    starting = threading.Thread(target=thread.start)
    starting.start()
    try:
        assert about_to.wait(60)
        assert ends(thread)
    finally:
        go_on.set()
        starting.join()


def test_our_threads_are_known_by_their_names() -> None:
    """As a debugger shows them: who encodes, who sends, who collects metrics, and who waits for a processor."""
    before = threading.enumerate()
    with OtlpSink() as sink, restored_meter_provider():
        client = agentops_otel.init(
            endpoint=sink.endpoint,
            console=False,
            spool_dir=False,
            upload_metrics=True,
            span_processors=[SimpleSpanProcessor(InMemorySpanExporter())],
        )
        client.record_action("work")(lambda: None)()
        client.flush(60)
        begun = [thread for thread in threading.enumerate() if thread not in before]
        names = sorted(thread.name for thread in begun if thread.name.startswith("agentops"))
        client.shutdown(60)

    ours = ["agentops-otel", "agentops-otel-metrics", "agentops-otel-processor", *["agentops-otel-send"] * 2]
    assert names == ours


class Late(Outbox):
    """An outbox that is asked for a request a moment later."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.goes_on = threading.Event(), threading.Event()

    def take(self, *given: Any, **named: Any) -> Entry | None:
        """Its thread has seen that it is still wanted."""
        self.is_asked.set()
        self.goes_on.wait(60)
        return super().take(*given, **named)


def test_a_sender_that_is_just_about_to_wait_ends_before_a_fork() -> None:
    """Nothing would wake it any more, and the fork would wait for it."""
    outbox = Late()
    sender = Sender("destination", outbox, HttpTransport(Destination(endpoint="http://127.0.0.1:9")))
    sender.start()
    assert outbox.is_asked.wait(60)

    thread = sender.pause()
    outbox.goes_on.set()

    assert thread is not None
    thread.join(5)
    ended = not thread.is_alive()
    sender.stop(0.0)
    assert ended
