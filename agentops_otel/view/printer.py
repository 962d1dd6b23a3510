"""Prints traces on a thread of its own, so that a slow or blocked terminal never holds up the program."""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO, cast
from weakref import WeakSet

from agentops_otel.guard import guard
from agentops_otel.tracing.fork_wait import wait_before_fork
from agentops_otel.view import screen, terminal
from agentops_otel.view.format import dollars, plural, seconds, tokens_text
from agentops_otel.view.tree import Node, Summary, summarize

WAITING = 200
"""Traces that wait to be printed; beyond that the oldest are only counted."""
BURST = 20
"""Traces printed in a row. Beyond that, one line per second counts the others."""
PER_SECOND = 4.0
"""The rate of printed traces in the long run."""
SUM_S = 1.0
"""Seconds between two such lines."""
TURN_S = 0.2
"""The longest that the thread which ended a trace waits for it to be printed, so that a program which prompts for the
next question does so below the trace. Once a second at most, and not again while the terminal is slow."""
FORK_WAIT_S = 0.25
"""Seconds that a fork waits for our thread."""
RETRY_S = 0.1
"""Seconds until a terminal that the program's own display uses is checked again."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A trace, or part of one, to be printed."""

    roots: Sequence[Node]
    note: str = ""
    under: str = ""
    """The name of their parent, where that is still open."""
    before: Summary | None = None
    """The totals of the spans of the trace that were printed before."""

    def show(self, stream: TextIO, color: bool | None) -> None:
        """Print it."""
        if self.under:
            terminal.show_open(self.under, self.roots, stream=stream, color=color)
        else:
            limit = terminal.LINES
            terminal.show(
                self.roots, stream=stream, color=color, note=self.note, limit=limit, wait=False, before=self.before
            )


class Printer:
    """Prints traces in the order they come.

    Args:
        stream: Where to; the process's own standard error by default.
        color: False for plain text; by default colours on a terminal.
        is_free: Whether the terminal may be written to now.
    """

    def __init__(
        self, stream: TextIO | None = None, color: bool | None = None, is_free: Callable[[], bool] | None = None
    ) -> None:
        self._stream = stream
        self._color = color
        self._is_free = is_free or (screen.is_free if stream is None else lambda: True)
        self._reset()
        _printers.add(self)

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._waiting: deque[Printed] = deque()
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._busy = self._closing = False
        self._allowance, self._allowed_at = float(BURST), time.monotonic()
        self._waited_at = 0.0
        self._later: tuple[float, Callable[[], None]] | None = None
        """The pending call and its time on the monotonic clock."""
        self._forking = False
        self._is_fast = True
        self._skipped: list[Summary] = []

    def add(self, printed: Printed) -> None:
        """Print it soon."""
        if self._pid != os.getpid():  # after a fork: the thread and its traces are the parent's
            self._reset()
        with self._changed:
            self._waiting.append(printed)
            if len(self._waiting) > WAITING:
                self._skip(self._waiting.popleft())
            self._changed.notify_all()
            if not self._start():
                self._print_here()
        self._wait_its_turn()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call *call* in *seconds* seconds, in the printing thread. While one call waits, others are ignored."""
        with self._changed:
            if self._later is None and not self._closing:
                self._later = (time.monotonic() + seconds, call)
                self._start()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all is printed; True if it was in time. A blocked terminal ends the wait."""
        if self._pid != os.getpid():
            return True
        with self._changed:
            if self._is_awaited() and not self._start():
                self._print_here()
            return self._changed.wait_for(lambda: not (self._is_awaited() or self._busy), timeout_s)

    def _is_awaited(self) -> bool:
        """Whether something is to be printed: at the end also the sum of what was only counted."""
        return bool(self._waiting or (self._closing and self._skipped))

    def close(self, timeout_s: float) -> None:
        """Print what waits, also on a terminal that is not free: the program ends."""
        if self._pid == os.getpid():
            with self._changed:
                self._closing = True
                self._changed.notify_all()
            self.flush(timeout_s)

    def _start(self) -> bool:
        """Make sure that the thread runs; False if it cannot be started, or could not finish: the program ends."""
        if self._thread is None and threading.main_thread().is_alive():
            self._thread = threading.Thread(target=self._work, name="agentops_otel terminal", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                self._thread = None
        return self._thread is not None

    def _print_here(self) -> None:
        closing, self._closing = self._closing, True
        self._work()
        self._closing = closing

    def _wait_its_turn(self) -> None:
        now = time.monotonic()
        own_thread = threading.current_thread() is self._thread  # a span that the garbage collector has ended
        if self._is_fast and now - self._waited_at > 1.0 and not own_thread and not _in_event_loop():
            self._waited_at = now
            self._is_fast = self.flush(TURN_S)

    def _work(self) -> None:
        with self._changed:
            while self._has_work():
                if self._waiting and (self._closing or self._is_free()):
                    self._print(self._waiting.popleft())
                elif self._skipped and self._is_free() and not self._waiting:
                    self._changed.wait(SUM_S)
                    self._sum_up()
                elif self._later and (left_s := self._later[0] - time.monotonic()) > 0:
                    self._changed.wait(min(left_s, RETRY_S) if self._waiting or self._skipped else left_s)
                elif self._later:
                    (_, call), self._later = self._later, None
                    self._unlocked(call)
                else:
                    self._changed.wait(RETRY_S)
            self._sum_up()
            self._thread = None
            self._changed.notify_all()

    def _has_work(self) -> bool:
        """Whether the thread continues. It ends when nothing waits: a program that forks then has one thread less."""
        return bool(self._waiting or (not self._closing and (self._skipped or self._later))) and not self._forking

    def before_fork(self) -> None:
        """End the thread; one that a blocked terminal holds is left behind."""
        with self._changed:
            thread, self._forking = self._thread, True
            self._changed.notify_all()
        wait_before_fork([thread], FORK_WAIT_S)

    def after_fork_in_parent(self) -> None:
        """Go on with the next trace or flush: Python 3.13 warns of a thread that begins here."""
        self._forking = False

    def _print(self, printed: Printed) -> None:
        if self._is_allowed():
            self._write(lambda stream: printed.show(stream, self._color), lambda: self._again(printed))
        else:
            self._skip(printed)

    def _again(self, printed: Printed) -> None:
        self._waiting.appendleft(printed)
        self._allowance += 1

    def _write(self, show: Callable[[TextIO], None], again: Callable[[], None]) -> None:
        """Write in one piece what *show* prints; call *again* if a display of the program's has begun meanwhile."""
        stream = self._stream or sys.__stderr__
        if stream is None:
            return

        def write() -> None:
            text = _Text(stream)
            show(cast(TextIO, text))
            if self._closing or self._is_free():
                terminal.write(screen.line_start(stream) + text.written, stream)
            else:
                again()

        self._unlocked(write)

    def _unlocked(self, call: Callable[[], None]) -> None:
        """Call without the lock: the terminal may block."""
        self._busy = True
        self._changed.release()
        try:
            with guard("printing a trace"):
                call()
        finally:
            self._changed.acquire()
            self._busy = False
            self._is_fast |= not self._waiting
            self._changed.notify_all()

    def _is_allowed(self) -> bool:
        now = time.monotonic()
        self._allowance = min(self._allowance + (now - self._allowed_at) * PER_SECOND, float(BURST))
        self._allowed_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _skip(self, printed: Printed) -> None:
        with guard("summing up a trace"):
            self._skipped.append(summarize(printed.roots, wait=False))
            self._changed.notify_all()

    def _sum_up(self) -> None:
        skipped, self._skipped = self._skipped, []
        if skipped:
            text = _summed_up(skipped)
            self._write(lambda stream: terminal.announce(text, stream=stream), lambda: self._skipped.extend(skipped))


_printers: WeakSet[Printer] = WeakSet()


def _before_fork() -> None:
    for printer in _printers:
        printer.before_fork()


def _after_fork_in_parent() -> None:
    for printer in _printers:
        printer.after_fork_in_parent()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent)


class _Text:
    """Takes what would be written to the stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.written = ""

    def write(self, text: str) -> None:
        """Take it."""
        self.written += text

    def flush(self) -> None:
        """Nothing is written."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _summed_up(traces: Sequence[Summary]) -> str:
    total = sum(traces[1:], traces[0])
    facts = [
        plural(total.llm_calls, "LLM call"),
        f"{seconds(total.duration_ns)} in all",
        tokens_text(total.input_tokens, total.output_tokens),
        "" if total.cost_usd is None else dollars(total.cost_usd),
        plural(total.errors, "error") if total.errors else "",
    ]
    return f"{plural(len(traces), 'trace')} more: {', '.join(filter(None, facts))}"


def _in_event_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None
