"""The span processor that collects spans into traces and has finished ones printed. It runs in the app's threads."""

import os
import threading
import time
from collections import deque

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.view.printer import Printed, Printer
from agentops_otel.view.tree import Node, Summary, build, key_of, role, summarize

HELD_SPANS = 2_000
"""How many ended spans wait for the end of their roots; beyond that the oldest are dropped."""
SHOWN_SPANS = 10_000
"""How many printed spans are remembered: a child that ends after its parent was printed is printed at once."""
OPEN_SPANS = 10_000
"""How many open spans are remembered."""
OPEN_S = 10.0
"""The children of a span that has been open for so long are printed when they end, and not again with the span."""
CLOSE_S = 2.0
"""The longest that the end of the program waits for a terminal that is not read."""


class TerminalProcessor(SpanProcessor):
    """Prints a trace when its local root ends: a span with no parent, or with one in another process.

    A child that ends after its root is printed when it ends, with its descendants; so is a child of a span that has
    been open for ten seconds, such as a turn of a chat. A trace without a span of ours is not printed. Never raises.

    Args:
        printer: Prints the traces.
        held_spans: How many ended spans wait for the end of their roots.
    """

    def __init__(self, printer: Printer | None = None, *, held_spans: int = HELD_SPANS) -> None:
        self._printer = printer or Printer()
        self._limit = held_spans
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        # Reentrant: the garbage collector may end a span (a dropped stream) while this thread is in here.
        self._lock = threading.RLock()
        self._held: dict[int, deque[ReadableSpan]] = {}
        self._shown: dict[tuple[int, int], None] = {}
        self._open: dict[tuple[int, int], tuple[str, float]] = {}
        """Name and start of each open span, on the monotonic clock."""
        self._before: dict[tuple[int, int], Summary] = {}
        """The totals of what was printed below an open span."""
        self._count = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember since when the span is open."""
        with guard("printing a trace"), self._lock:
            self._open[key_of(span)] = (span.name, time.monotonic())
            if len(self._open) > OPEN_SPANS:
                del self._open[next(iter(self._open))]

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the span, or print the tree that it completes."""
        with guard("printing a trace"):
            if self._pid != os.getpid():  # after a fork: the parent prints its own spans, and may have held the lock
                self._reset()
            printed = self._completed(span)
            if printed and any(_is_ours(node.span) for root in printed.roots for _, node in root.walk()):
                self._printer.add(printed)

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

    def _completed(self, span: ReadableSpan) -> Printed | None:
        """The tree below the span if nothing above it is waited for; None otherwise."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return None
        with self._lock:
            self._open.pop(key_of(span), None)
            self._hold(context.trace_id, span)
            parent = (context.trace_id, span.parent.span_id) if span.parent and not span.parent.is_remote else None
            under = self._long_open(parent)
            if parent is not None and parent not in self._shown and not under:
                self._forget_beyond_limit()
                return None
            tree = self._take(context.trace_id, span)
            before = self._before.pop(key_of(span), None)
            if under and parent is not None:
                total = summarize([tree], wait=False)
                for totals in (before, self._before.get(parent)):
                    total = total if totals is None else total + totals
                self._before[parent] = total
            return Printed([tree], under=under, before=before)

    def _long_open(self, parent: tuple[int, int] | None) -> str:
        """The name of the parent if it has been open for long."""
        name, since = self._open.get(parent, ("", 0.0)) if parent else ("", 0.0)
        return name if name and time.monotonic() - since >= OPEN_S else ""

    def _take(self, trace_id: int, span: ReadableSpan) -> Node:
        """The tree below the span, out of what is held of its trace."""
        held = self._held.pop(trace_id)
        self._count -= len(held)
        roots = build(held)
        # The others belong to another local root of the trace: the process called itself over HTTP.
        for node in (below for root in roots if root.span is not span for _, below in root.walk()):
            self._hold(trace_id, node.span)
        tree = next(root for root in roots if root.span is span)
        self._remember(tree)
        return tree

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
        self._shown.update((key_of(node.span), None) for _, node in tree.walk())
        while len(self._shown) > SHOWN_SPANS:
            del self._shown[next(iter(self._shown))]


def _is_ours(span: ReadableSpan) -> bool:
    """Whether the span is one of ours, or of another library's that says what an agent does."""
    scope = span.instrumentation_scope
    return role(span) != "other" or scope is None or scope.name == semconv.SCOPE
