"""Spans that the garbage collector finds end outside of its run."""

import _thread
import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from agentops_otel import sdk
from agentops_otel.config import Config
from agentops_otel.testing import capture
from agentops_otel.tracing import attach_context, attached, current_context, gc_safe, leave_context
from tests.program import run

pytestmark = pytest.mark.no_cover


class _Forgotten:
    """In a cycle, so that only the collector finds it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.itself = self
        self._work = work

    def __del__(self) -> None:
        gc_safe.run_outside_gc(self._work)


class _Locked(SpanProcessor):
    """A processor with a lock that cannot be taken twice, as exporters and metrics have."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ended: list[str] = []

    def on_end(self, span: ReadableSpan) -> None:
        if self.lock.acquire(timeout=60):
            self.ended.append(span.name)
            self.lock.release()


@pytest.fixture
def watched() -> Iterator[None]:
    """The collector's runs are seen, and are not afterwards."""
    gc_safe.install_gc_callback()
    yield
    gc_safe.drain()


def test_work_outside_of_a_collection_is_done_at_once(watched: None) -> None:
    """Whoever drops an object sees its work done."""
    done: list[int] = []

    gc_safe.run_outside_gc(done.append, threading.get_ident())

    assert done == [threading.get_ident()]


def test_work_of_a_collection_is_done_in_another_thread(watched: None) -> None:
    """Soon, without anybody's asking; not in the thread that is collecting."""
    threads: list[int] = []
    done = threading.Event()

    def work() -> None:
        threads.append(threading.get_ident())
        done.set()

    _Forgotten(work)
    gc.collect()

    assert done.wait(60)
    assert threads != [threading.get_ident()]


def test_settling_waits_for_the_work_that_is_under_way(watched: None) -> None:
    """What flushes next finds it done."""
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(60)
        done.set()

    _Forgotten(work)
    gc.collect()
    assert begun.wait(60)
    threading.Timer(0.05, go_on.set).start()
    gc_safe.drain(60)

    assert done.is_set()


def test_work_that_is_held_up_does_not_hold_up_a_flush_for_ever(watched: None) -> None:
    """Settling ends at its time limit."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(60)

    _Forgotten(work)
    gc.collect()
    assert begun.wait(60)
    before = time.monotonic()
    took = gc_safe.drain(0.01)

    assert not go_on.is_set()
    assert 0 < took <= time.monotonic() - before
    go_on.set()


def test_what_waits_asks_for_one_thread(watched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the collector runs before the work is done."""
    begun, go_on = threading.Event(), threading.Event()
    done: list[int] = []
    started: list[object] = []
    start = _thread.start_new_thread

    def note(*arguments: Any) -> int:
        started.append(arguments)
        return start(*arguments)

    def work() -> None:
        begun.set()
        go_on.wait(60)

    _Forgotten(work)
    gc.collect()
    assert begun.wait(60)
    monkeypatch.setattr(_thread, "start_new_thread", note)
    for number in range(50):
        _Forgotten(partial(done.append, number))
        gc.collect(0)  # where what was just made is found, without looking at all that the process has
    go_on.set()
    gc_safe.drain(60)

    assert len(started) == 1
    assert done == list(range(50))


def test_work_for_which_no_thread_can_be_started_is_done_later(watched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the thread of a later collection, if nobody flushes before."""
    done: list[int] = []
    both = threading.Event()

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(_thread, "start_new_thread", refuse)
        _Forgotten(partial(done.append, 1))
        gc.collect()
    before = list(done)
    _Forgotten(both.set)
    gc.collect()

    assert both.wait(60)
    assert (before, done) == ([], [1])


def test_a_context_is_left_while_another_thread_collects(watched: None) -> None:
    """That thread alone leaves alone what it finds."""
    begun, go_on, before = threading.Event(), threading.Event(), current_context()

    class Slow:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            begun.set()
            go_on.wait(60)

    def collect() -> None:
        Slow()
        gc.collect()

    thread = threading.Thread(target=collect)
    thread.start()
    assert begun.wait(60)
    leave_context(attach_context(Context({"a": 1})))
    left = current_context()
    with attached(Context({"b": 2})):
        within = current_context()
    after = current_context()
    go_on.set()
    thread.join()

    assert (left, within, after) == (before, {"b": 2}, before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_at_the_end_of_a_program_nobody_waits_for_a_collection() -> None:
    """One that a daemon thread is in the middle of has no end that is told."""
    finished = run("""
        import atexit, gc, os, sys, threading

        from agentops_otel.tracing import gc_safe

        def check():
            print(gc_safe.is_collecting(), gc_safe._collection in gc.callbacks, flush=True)
            os._exit(0)

        class Forgotten:
            def __init__(self):
                self.itself = self

            def __del__(self):
                begun.set()
                threading.Event().wait()

        def collect():
            Forgotten()
            gc.collect()

        begun = threading.Event()
        atexit.register(check)
        gc_safe.install_gc_callback()
        gc_safe.install_gc_callback()
        print(gc.callbacks.count(gc_safe._collection))
        threading.Thread(target=collect, daemon=True).start()
        begun.wait()
        print(gc_safe.is_collecting())
        """)

    assert finished.stdout.split() == ["1", "True", "False", "False"]


def test_a_flush_within_the_work_does_not_wait_for_itself(watched: None) -> None:
    """A processor that flushes when a span ends."""
    done = threading.Event()

    def work() -> None:
        gc_safe.drain(60)
        done.set()

    _Forgotten(work)
    gc.collect()

    assert done.wait(30)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_a_child_does_not_wait_for_what_its_parent_is_ending(watched: None) -> None:
    """A fork while work is under way: the parent does it, the child has nothing to wait for."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(60)

    _Forgotten(work)
    gc.collect()
    assert begun.wait(60)
    child = os.fork()
    if not child:
        gc_safe.drain(60)
        os._exit(0 if not go_on.is_set() else 1)
    _, status = os.waitpid(child, 0)
    go_on.set()

    assert status == 0


def test_a_generator_found_while_a_lock_is_held_ends_its_span() -> None:
    """The collector may run where the program holds a lock that the end of a span takes too."""
    locked = _Locked()
    with sdk.running(Config(quiet=True), TracerProvider(), locked, clock=time.time_ns) as client:

        @client.record_action
        def count() -> Iterator[int]:
            yield from range(9)

        numbers = count()
        next(numbers)
        cycle: list[object] = [numbers]
        cycle.append(cycle)
        del numbers, cycle
        with locked.lock:
            gc.collect()
        client.flush()

    assert locked.ended == ["count"]


def test_a_capture_has_the_spans_whose_end_waits_for_a_collection() -> None:
    """Whoever looks ends them."""
    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        gc_safe.state.deferred.put(partial(recorder.end, recorder.start("forgotten")))

        assert [span.name for span in captured.spans] == ["forgotten"]


def test_the_collector_is_watched_until_the_interpreter_ends() -> None:
    """What it would begin then, in a thread, may find its modules gone."""
    finished = run("""
        import atexit, gc

        def watched():
            return [watching.__module__ for watching in gc.callbacks if watching.__module__.startswith("agentops_otel")]

        atexit.register(lambda: print(watched()))
        import agentops_otel
        agentops_otel.init(console=False, trace_file=False, endpoint="http://127.0.0.1:9", spool_dir=False)
        print(watched())
        """)

    assert finished.stdout == "['agentops_otel.tracing.gc_safe']\n[]\n"
