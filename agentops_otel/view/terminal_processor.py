"""The span processor that collects spans into traces and has finished ones printed. It runs in the app's threads."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.view.open_spans import Key, OpenSpans
from agentops_otel.view.printer import Printed, Printer
from agentops_otel.view.tree import Node, Summary, build, key_of, role, summarize

HELD_SPANS = 2_000
"""Ended spans that wait for the end of their roots; beyond that the oldest are dropped."""
SHOWN_SPANS = 10_000
"""Printed spans that are remembered: a child that ends after its parent was printed is printed at once."""
OPEN_S = 10.0
"""The children of a span that has been open for so long are printed when they end, and not again with the span."""
CLOSE_S = 2.0
"""The longest that the end of the program waits for a terminal that is not read."""


class Output(Protocol):
    """Shows traces: a terminal, or the cells of a notebook."""

    def add(self, printed: Printed) -> None:
        """Show it soon."""

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call *call* in *seconds* seconds, if the output prints at any time."""

    def flush(self, timeout_s: float) -> bool:
        """Wait until all is shown; True if it was in time."""

    def close(self, timeout_s: float) -> None:
        """Show what waits: the program ends."""


class TerminalProcessor(SpanProcessor):
    """Prints a trace when its local root ends: a span with no parent, or with one in another process.

    A child that ends after its root is printed when it ends, with its descendants. What has ended below a span that has
    been open for ten seconds, such as the turns of a chat, is printed then. A trace without a span of ours is not
    printed. Never raises.

    Args:
        printer: Shows the traces; the terminal by default.
        open_spans: The spans that have not ended.
        held_spans: How many ended spans wait for the end of their roots.
    """

    def __init__(
        self,
        printer: Output | None = None,
        *,
        open_spans: OpenSpans | None = None,
        held_spans: int = HELD_SPANS,
    ) -> None:
        self._printer: Output = printer or Printer()
        self._open = open_spans or OpenSpans()
        self._limit = held_spans
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        # Reentrant: the garbage collector may end a span (a dropped stream) while this thread is in here.
        self._lock = threading.RLock()
        self._held: dict[int, deque[ReadableSpan]] = {}
        self._shown: dict[Key, None] = {}
        self._before: dict[Key, Summary] = {}
        """The totals of what was printed below an open span."""
        self._count = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the span, or print the tree that it completes."""
        with guard("printing a trace"):
            if self._pid != os.getpid():  # after a fork: the parent prints its own spans, and may have held the lock
                self._reset()
            if printed := self._completed(span):
                self._print(printed)
            elif self._count:
                self._printer.later(OPEN_S, lambda: self.show_open(OPEN_S))

    def shutdown(self) -> None:
        """Print the ended spans of traces whose root is still open."""
        with guard("printing the last traces"):
            with self._lock:
                held, self._held, self._count = self._held, {}, 0
            for spans in held.values():
                self._printer.add(Printed(build(spans), note="its root has not ended"))
            self._printer.close(CLOSE_S)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until all finished traces are printed; True if it was in time."""
        return self._printer.flush(timeout_millis / 1000)

    def _print(self, printed: Printed) -> None:
        if any(_is_ours(node.span) for root in printed.roots for node in root.walk()):
            self._printer.add(printed)

    def show_open(self, seconds: float) -> None:
        """Print what has ended below spans that have been open for so long, and look again if anything waits."""
        with guard("printing a trace"):
            with self._lock:
                overdue = [printed for trace_id in list(self._held) for printed in self._overdue(trace_id, seconds)]
                waiting = self._count
            for printed in overdue:
                self._print(printed)
            if waiting:
                self._printer.later(OPEN_S, lambda: self.show_open(OPEN_S))

    def _overdue(self, trace_id: int, seconds: float) -> Iterator[Printed]:
        for root in build(self._held[trace_id]):
            parent = _parent_key(root.span)
            if under := self._open.since(parent, seconds):
                yield self._below(root, parent, under)

    def _completed(self, span: ReadableSpan) -> Printed | None:
        """The tree below the span if no span above it is open; None otherwise."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return None
        with self._lock:
            self._open.remove(key_of(span))
            self._hold(context.trace_id, span)
            parent = _parent_key(span)
            under = self._open.since(parent, OPEN_S)
            if parent is not None and parent not in self._shown and not under:
                self._forget_beyond_limit()
                return None
            roots = build(self._held[context.trace_id])
            return self._below(next(root for root in roots if root.span is span), parent, under)

    def _below(self, tree: Node, parent: Key | None, under: str) -> Printed:
        """Remove the tree from the held spans, and add its totals to those of the span *under* which it is printed."""
        self._take(tree)
        before = self._before.pop(key_of(tree.span), None)
        if under and parent is not None:
            total = summarize([tree], wait=False)
            for totals in (before, self._before.get(parent)):
                total = total if totals is None else total + totals
            self._before[parent] = total
        return Printed([tree], under=under, before=before)

    def _take(self, tree: Node) -> None:
        """Remove the tree's spans from the held ones. The others have another local root, or an open span above."""
        trace_id = key_of(tree.span)[0]
        taken = {id(node.span) for node in tree.walk()}
        rest = deque(span for span in self._held.pop(trace_id) if id(span) not in taken)
        if rest:
            self._held[trace_id] = rest
        self._count -= len(taken)
        self._remember(tree)

    def _hold(self, trace_id: int, span: ReadableSpan) -> None:
        self._held.setdefault(trace_id, deque()).append(span)
        self._count += 1

    def _forget_beyond_limit(self) -> None:
        while self._count > self._limit:
            oldest = next(iter(self._held))
            self._held[oldest].popleft()
            self._count -= 1
            if not self._held[oldest]:
                del self._held[oldest]

    def _remember(self, tree: Node) -> None:
        self._shown.update((key_of(node.span), None) for node in tree.walk())
        while len(self._shown) > SHOWN_SPANS:
            del self._shown[next(iter(self._shown))]


def _parent_key(span: ReadableSpan) -> Key | None:
    """The parent in this process."""
    return (key_of(span)[0], span.parent.span_id) if span.parent and not span.parent.is_remote else None


def _is_ours(span: ReadableSpan) -> bool:
    """Whether the span is ours, or another library's with GenAI attributes."""
    scope = span.instrumentation_scope
    return role(span) != "other" or scope is None or scope.name == semconv.SCOPE
