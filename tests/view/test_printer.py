"""The thread that prints; where none can be started, the thread that ended the trace prints it itself."""

import io
import re
import sys
import threading

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
