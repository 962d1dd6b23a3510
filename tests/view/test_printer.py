"""The thread that prints; where none can be started, the thread that ended the trace prints it itself."""

import asyncio
import io
import re
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from agentops_otel.view import printer
from agentops_otel.view.printer import Printed, Printer
from agentops_otel.view.tree import build, summarize
from tests.view.spans import CHAT, TOOL, Trace


def _trace(name: str) -> Printed:
    return Printed(build([Trace().span(name)]))


def test_a_trace_that_its_own_thread_has_printed_changes_nothing_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a thread it is printed at once, whoever has the terminal; the next waits again until that is free."""

    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    stream, asked = io.StringIO(), list[str]()

    def is_free() -> bool:
        asked.append(stream.getvalue())
        return len(asked) > 1

    prints = Printer(stream, is_free=is_free)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        prints.add(_trace("at once"))
    at_once = stream.getvalue()
    prints.add(_trace("later"))

    assert prints.flush(60)
    assert at_once.startswith("at once ")
    assert asked[:1] == [at_once]
    assert "later " in stream.getvalue()


@pytest.mark.parametrize(("traces", "skipped"), [(3, ""), (4, "1 trace more: "), (5, "2 traces more: ")])
def test_so_many_traces_wait_for_a_terminal_and_the_oldest_are_counted(
    traces: int, skipped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the program's own display has it; the newest are printed at the end."""
    monkeypatch.setattr(printer, "WAITING", 3)
    stream = io.StringIO()
    waiting = Printer(stream, is_free=lambda: False)

    for number in range(traces):
        waiting.add(_trace(f"trace-{number}"))
    waiting.close(60)

    assert re.findall(r"^trace-(\d)", stream.getvalue(), re.MULTILINE) == [str(n) for n in range(traces)][-3:]
    assert re.findall(r"\d traces? more: ", stream.getvalue()) == [skipped] * bool(skipped)


def test_a_trace_that_had_to_wait_once_more_is_one_of_a_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a display has begun while it was laid out."""
    monkeypatch.setattr(printer, "BURST", 2)
    monkeypatch.setattr(printer, "PER_SECOND", 0.0)
    stream, answers = io.StringIO(), iter([True, True, True, False])
    burst = Printer(stream, is_free=lambda: next(answers, True))

    for number in range(4):
        burst.add(_trace(f"trace-{number}"))
        assert burst.flush(60)
    burst.close(60)

    assert re.findall(r"^trace-\d", stream.getvalue(), re.MULTILINE) == ["trace-0", "trace-1"]
    assert " more: " in stream.getvalue()


def test_a_sum_of_traces_says_what_is_known_of_them() -> None:
    """Errors, tokens and a price where there are any."""
    trace = Trace(2)
    call = trace.span("chat gpt-4o", 0, 1500, attributes=CHAT)
    failed = trace.span("execute_tool x", 1500, 2000, attributes=TOOL, error="E: x")
    none, some = summarize(build([Trace().span("root", 0, 500)])), summarize(build([call, failed]))

    assert printer._summed_up([none]) == "1 trace more: 0 LLM calls, 500 ms in all"
    assert printer._summed_up([none, some, some]) == (
        "3 traces more: 2 LLM calls, 4.50 s in all, 2400→360 tok, $0.0096, 2 errors"
    )


@pytest.mark.parametrize("is_free", [True, False])
def test_the_end_waits_for_the_sum_of_what_was_not_printed(is_free: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """However soon after the last trace the program ends, and whoever has the terminal then."""
    monkeypatch.setattr(printer, "BURST", 0)
    monkeypatch.setattr(printer, "PER_SECOND", 0.0)
    stream, answers = io.StringIO(), iter([True] * 3)
    prints = Printer(stream, is_free=lambda: next(answers, is_free))

    prints.add(_trace("counted"))
    assert prints.flush(60)
    prints.close(60)

    assert stream.getvalue() == "agentops_otel: 1 trace more: 0 LLM calls, 10 ms in all\n"


def test_where_there_is_no_stream_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without a console has none; what would be printed is gone when its turn comes."""
    monkeypatch.setattr(sys, "__stderr__", None)
    flushing, done = threading.Event(), list[bool]()
    prints = Printer(is_free=flushing.is_set)
    prints.add(_trace("nowhere"))

    def flush() -> None:
        flushing.set()
        done.append(prints.flush(300))

    waiting = threading.Thread(target=flush, daemon=True)
    waiting.start()
    waiting.join(20)

    assert done == [True]


def test_who_waits_for_a_trace_does_not_wait_for_the_sum_that_it_goes_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum comes later, or at the end."""
    monkeypatch.setattr(printer, "BURST", 0)
    monkeypatch.setattr(printer, "PER_SECOND", 0.0)
    monkeypatch.setattr(printer, "SUM_S", 3600.0)
    flushing, done, stream = threading.Event(), list[bool](), io.StringIO()
    prints = Printer(stream, is_free=flushing.is_set)
    prints.add(_trace("counted"))

    def flush() -> None:
        flushing.set()
        done.append(prints.flush(300))

    waiting = threading.Thread(target=flush, daemon=True)
    waiting.start()
    waiting.join(20)
    before = stream.getvalue()
    prints.close(20)

    assert (done, before) == ([True], "")
    assert stream.getvalue() == "agentops_otel: 1 trace more: 0 LLM calls, 10 ms in all\n"


class Slow(io.StringIO):
    """A terminal that takes its time over each write."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.released = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        """Say that it has begun, and wait."""
        self.begun.set()
        self.released.wait(60)
        return super().write(text)


def test_a_trace_that_is_just_being_written_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on the terminal when a flush has been in time."""
    monkeypatch.setattr(printer, "TURN_S", 0.0)
    stream = Slow()
    prints = Printer(stream)
    prints.add(_trace("slow"))
    assert stream.begun.wait(20)

    early = prints.flush(0.0)
    stream.released.set()

    assert not early
    assert prints.flush(20)
    assert stream.getvalue().startswith("slow ")


def test_traces_are_printed_in_a_burst_and_then_so_many_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long nothing was printed, a burst is no longer."""
    now = [100.0]
    monkeypatch.setattr(printer, "BURST", 2)
    monkeypatch.setattr(printer, "PER_SECOND", 4.0)
    monkeypatch.setattr(printer, "time", SimpleNamespace(monotonic=lambda: now[0]))
    stream = io.StringIO()
    prints = Printer(stream, is_free=lambda: True)

    shown = []
    for seconds in (0, 0, 0, 0.125, 0.125, 0.25, 0, 100, 0, 0):
        now[0] += seconds
        before = stream.getvalue()
        prints.add(_trace("trace-x"))
        assert prints.flush(60)
        shown.append("trace-x" in stream.getvalue().removeprefix(before))
    prints.close(60)

    assert shown == [True, True, False, False, True, True, False, True, True, False]


def test_a_call_for_later_is_one_at_a_time_and_none_comes_after_the_end() -> None:
    """It is made by the thread that prints, which may add a trace; it does not wait for itself then."""
    stream, called, made = io.StringIO(), list[str](), threading.Event()
    prints = Printer(stream)

    def call() -> None:
        called.append(threading.current_thread().name)
        prints.add(_trace("later"))
        made.set()

    with prints._changed:  # the first one is not made before
        prints.later(0.0, call)
        prints.later(0.0, lambda: called.append("a second one"))
    assert made.wait(20)
    assert prints.flush(20)
    printed = stream.getvalue()
    prints.later(3600.0, lambda: called.append("in an hour"))
    prints.close(20)
    prints.later(0.0, lambda: called.append("after the end"))
    prints.add(_trace("last"))
    assert prints.flush(20)

    assert printed.startswith("later ")
    assert called == ["agentops_otel terminal"]


def test_a_trace_does_not_wait_for_a_later_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The printing thread, which sleeps until then, is woken; nobody waits for its turn here."""
    monkeypatch.setattr(printer, "TURN_S", 0.0)
    stream = io.StringIO()
    prints = Printer(stream)
    prints.later(3600, lambda: None)
    until = time.monotonic() + 60
    while not prints._changed._waiters and time.monotonic() < until:  # type: ignore[attr-defined]  # it sleeps
        time.sleep(0.001)

    prints.add(_trace("now"))

    assert prints.flush(30)
    prints.close(60)
    assert stream.getvalue().startswith("now ")


def test_a_trace_that_waits_for_the_terminal_does_not_wait_for_a_later_call_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The terminal is asked again soon."""
    monkeypatch.setattr(printer, "RETRY_S", 0.01)
    stream, answers, called = io.StringIO(), iter([False] * 3), list[str]()
    prints = Printer(stream, is_free=lambda: next(answers, True))
    prints.later(3600.0, lambda: called.append("in an hour"))

    prints.add(_trace("soon"))

    assert prints.flush(60)
    assert (stream.getvalue()[:5], called) == ("soon ", [])
    prints.close(20)


class Watched(Printer):
    """A printer that knows how long it was waited for."""

    def __init__(self) -> None:
        self.waited_s: list[float] = []
        self.stream = io.StringIO()
        super().__init__(self.stream)

    def flush(self, timeout_s: float) -> bool:
        """Take note."""
        self.waited_s.append(timeout_s)
        return super().flush(timeout_s)


def test_who_ends_a_trace_waits_for_its_turn_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of a second at most. Not within an event loop, which would stand still, nor in the thread that prints."""
    now = [100.0]
    monkeypatch.setattr(printer, "time", SimpleNamespace(monotonic=lambda: now[0]))
    plain, in_loop, printing = Watched(), Watched(), Watched()
    added = threading.Event()

    async def add() -> None:
        in_loop.add(_trace("in a loop"))

    def add_and_tell() -> None:
        printing.add(_trace("by the printing thread"))
        added.set()

    waits = []
    for later_s in (0.0, 1.0, 0.5):
        now[0] += later_s
        plain.add(_trace("plain"))
        waits.append(len(plain.waited_s))
    asyncio.run(add())
    printing.later(0.0, add_and_tell)
    assert added.wait(20)

    assert (waits, plain.waited_s[0]) == ([1, 1, 2], 0.2)
    assert (in_loop.waited_s, printing.waited_s) == ([], [])
    for prints in (plain, in_loop, printing):
        prints.close(20)


def test_a_terminal_that_was_slow_is_waited_for_again_when_it_has_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before."""
    now, free = [100.0], threading.Event()
    monkeypatch.setattr(printer, "TURN_S", 0.01)
    monkeypatch.setattr(printer, "time", SimpleNamespace(monotonic=lambda: now[0]))
    stream = io.StringIO()
    prints = Printer(stream, is_free=free.is_set)

    prints.add(_trace("slow"))
    now[0] += 10
    monkeypatch.setattr(printer, "TURN_S", 60.0)
    prints.add(_trace("not waited for"))
    before = stream.getvalue()
    free.set()
    assert prints.flush(60)
    now[0] += 10
    prints.add(_trace("waited for"))

    assert (before, "waited for " in stream.getvalue().partition("not waited for ")[2]) == ("", True)
    prints.close(20)


def test_what_waits_at_a_fork_is_printed_by_the_next_flush() -> None:
    """The thread has ended for the fork."""
    stream, free = io.StringIO(), threading.Event()
    prints = Printer(stream, is_free=free.is_set)
    prints.add(_trace("waits"))
    prints.before_fork()
    prints.after_fork_in_parent()
    free.set()

    assert stream.getvalue() == ""
    assert prints.flush(20)
    assert stream.getvalue().startswith("waits ")
