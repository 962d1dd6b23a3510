"""The span processor that prints finished traces. It runs in the application's threads."""

import os
import threading
from collections import deque
from typing import TextIO

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agentops_otel.guard import guard
from agentops_otel.view.terminal import show
from agentops_otel.view.tree import Node, build, key_of

HELD_SPANS = 2_000
"""How many ended spans wait for the end of their roots; beyond that the oldest are dropped."""
SHOWN_SPANS = 10_000
"""How many printed spans are remembered: a child that ends after its parent was printed is printed at once."""


class TerminalProcessor(SpanProcessor):
    """Prints a trace when its local root ends: a span with no parent, or with one in another process.

    A child that ends after its root is printed when it ends, with its descendants. Never raises. Each trace is one
    `write`, so that traces of several threads do not mix.

    Args:
        stream: Where to; by default the value of `sys.stderr` at that time.
        color: False for plain text; by default colours on a terminal.
        held_spans: How many ended spans wait for the end of their roots.
    """

    def __init__(
        self, *, stream: TextIO | None = None, color: bool | None = None, held_spans: int = HELD_SPANS
    ) -> None:
        self._stream = stream
        self._color = color
        self._limit = held_spans
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        # Reentrant: the garbage collector may end a span (a dropped stream) while this thread is in here.
        self._lock = threading.RLock()
        self._held: dict[int, deque[ReadableSpan]] = {}
        self._shown: dict[tuple[int, int], None] = {}
        self._count = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Does nothing: a span is printed after its end."""

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the span, or print the tree that it completes."""
        with guard("printing a trace"):
            if self._pid != os.getpid():  # after a fork: the parent prints its own spans, and may have held the lock
                self._reset()
            tree = self._completed(span)
            if tree:
                show([tree], stream=self._stream, color=self._color, wait=False)

    def shutdown(self) -> None:
        """Print the ended spans of traces whose root is still open."""
        with guard("printing the last traces"):
            with self._lock:
                held, self._held, self._count = self._held, {}, 0
            for spans in held.values():
                show(build(spans), stream=self._stream, color=self._color, note="its root has not ended", wait=False)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """True: a finished trace is printed at once."""
        return True

    def _completed(self, span: ReadableSpan) -> Node | None:
        """The tree below the span if it is a local root, or if its parent was printed already; None otherwise."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return None
        with self._lock:
            self._hold(context.trace_id, span)
            if span.parent and not span.parent.is_remote and (context.trace_id, span.parent.span_id) not in self._shown:
                self._forget_beyond_limit()
                return None
            held = self._held.pop(context.trace_id)
            self._count -= len(held)
            roots = build(held)
            # The others belong to another local root of the trace: the process called itself over HTTP.
            for node in (below for root in roots if root.span is not span for _, below in root.walk()):
                self._hold(context.trace_id, node.span)
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
