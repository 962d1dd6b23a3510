"""Flushes and shuts down the processors of `init(span_processors=)`, with a limit on the time they take."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from time import monotonic

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from agentops_otel.export.threads import FORK_WAIT_S, STARTS_AT_FORK, BackgroundThread, are_greenlets
from agentops_otel.guard import guard
from agentops_otel.tracing.at_fork import at_fork
from agentops_otel.tracing.fork_wait import wait_before_fork

_logger = logging.getLogger("agentops_otel")


class _Caller:
    """Calls one processor on a thread that stands ready, since Python 3.12 starts none at the end of the program."""

    def __init__(self, processor: SpanProcessor) -> None:
        self.processor = processor
        self._thread = BackgroundThread("agentops-otel-processor", self._work)
        self.renew()

    def renew(self) -> None:
        """Queue and thread anew: those there are belong to a thread that is gone or of another kind."""
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._greenlets = are_greenlets()
        self._thread.forked()

    def stand_ready(self) -> None:
        """Have the thread wait for a call; cheap if it does."""
        self._thread.start()

    def begin(self, call: Callable[[], object], doing: str) -> "Future[bool]":
        """Begin the call; where the interpreter allows no thread, it is made in this one."""
        if self._greenlets != are_greenlets():
            self.renew()
        answer: Future[bool] = Future()
        context = copy_context()
        if self._thread.start():
            self._calls.put(lambda: context.run(_answer, answer, call, doing))
        else:
            _answer(answer, call, doing)
        return answer

    def end(self) -> BackgroundThread:
        """Let the thread end, after the call that it is at."""
        self._calls.put(None)
        return self._thread

    def _work(self) -> None:
        calls = self._calls
        while call := calls.get():
            call()


def _answer(answer: "Future[bool]", call: Callable[[], object], doing: str) -> None:
    done = False
    try:
        with guard(doing):
            done = call() is not False  # The SDK's own base class, in older versions, answers None.
    finally:
        answer.set_result(done)


class UserProcessors(SpanProcessor):
    """Flushes and shuts down the processors in parallel, with a limit on the wait for all of them.

    Args:
        processors: Those of the user. A thread stands ready for each; before a fork they end, as all of ours. Where
            they cannot begin again at once, they do with the next span: it is told of each by the pipeline.
    """

    def __init__(self, processors: Sequence[SpanProcessor]) -> None:
        self._callers = [_Caller(processor) for processor in processors]
        for caller in self._callers:
            caller.stand_ready()
        if self._callers:
            at_fork(
                before=self._before_fork, after_in_parent=self._after_fork_in_parent, after_in_child=self._after_fork
            )

    def on_end(self, span: ReadableSpan) -> None:
        """Have the threads ready for the end."""
        for caller in self._callers:
            caller.stand_ready()

    def begin_flush(self, timeout_s: float) -> "list[Future[bool]]":
        """Begin to flush each; the answers are for `wait`."""
        milliseconds = max(0, int(timeout_s * 1000))
        return [
            caller.begin(partial(caller.processor.force_flush, milliseconds), "flushing a span processor")
            for caller in self._callers
        ]

    def begin_shutdown(self) -> "list[Future[bool]]":
        """Begin to shut each down; the answers are for `wait`."""
        return [caller.begin(caller.processor.shutdown, "shutting down a span processor") for caller in self._callers]

    def wait(self, answers: "Sequence[Future[bool]]", timeout_s: float) -> bool:
        """Wait for the answers, at most *timeout_s* seconds for all together.

        Returns:
            True if each came in time and was neither False nor an exception.
        """
        deadline, well = monotonic() + timeout_s, True
        for caller, answer in zip(self._callers, answers, strict=True):
            try:
                well &= answer.result(max(0.0, deadline - monotonic()))
            except TimeoutError:
                name, well = type(caller.processor).__name__, False
                _logger.warning("%s was not done in time; what it holds may be lost", name)
        return well

    def close(self, timeout_s: float) -> None:
        """End the threads that are idle; one that is in a processor ends with the process."""
        deadline = monotonic() + timeout_s
        callers, self._callers = self._callers, []
        for thread in [caller.end() for caller in callers]:
            thread.join(deadline - monotonic())

    def _before_fork(self) -> None:
        if not are_greenlets():
            wait_before_fork([caller.end().detach() for caller in self._callers], FORK_WAIT_S)

    def _after_fork_in_parent(self) -> None:
        for caller in self._callers if not are_greenlets() else ():
            caller.renew()
            if STARTS_AT_FORK:
                caller.stand_ready()

    def _after_fork(self) -> None:
        for caller in self._callers:
            caller.renew()
            caller.stand_ready()
