"""The thread that prints; where none can be started, the thread that ended the trace prints it itself."""

import io
import threading

import pytest

from agentops_otel.view.printer import Printed, Printer
from agentops_otel.view.tree import build
from tests.view.spans import Trace


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

    printer = Printer(stream, is_free=is_free)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        printer.add(_trace("at once"))
    at_once = stream.getvalue()
    printer.add(_trace("later"))

    assert printer.flush(60)
    assert at_once.startswith("at once ")
    assert asked[:1] == [at_once]
    assert "later " in stream.getvalue()
