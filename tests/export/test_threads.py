"""Threads that begin on demand: who ends them may come while another begins them."""

import threading
from collections.abc import Callable

import pytest

from agentops_otel.export.threads import BackgroundThread
from agentops_otel.tracing.fork_wait import wait_before_fork


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
