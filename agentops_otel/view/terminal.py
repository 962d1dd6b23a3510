"""Finished traces on a terminal: one line a span, then what the trace adds up to. Plain text where no terminal is."""

import os
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple, TextIO

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.view.tree import (
    Node,
    Summary,
    build,
    duration_ns,
    error_of,
    is_origin,
    key_of,
    summarize,
    tokens,
    trace_id,
)

Line = list[tuple[str, str]]
"""The pieces of a line: text, and its style as rich names it."""

WIDTH = 120
"""Where a line of plain text is cut; a terminal knows its own width."""
NAME_WIDTH = 56
INDENT_WIDTH = 30
HELD_SPANS = 2_000
"""How many ended spans wait for the end of their roots; beyond that the oldest are forgotten."""
SHOWN_SPANS = 10_000
"""How many shown spans are remembered, so that a child which ends after them is not waited for in vain."""


class Glyphs(NamedTuple):
    """The signs that not every stream can encode."""

    failed: str
    tee: str
    corner: str
    bar: str
    arrow: str
    cut: str


UNICODE = Glyphs(failed="✗ ", tee="├─ ", corner="└─ ", bar="│  ", arrow="→", cut="…")
ASCII = Glyphs(failed="x ", tee="|- ", corner="`- ", bar="|  ", arrow="->", cut="...")


class TerminalProcessor(SpanProcessor):
    """Prints a trace when its local root ends: a span with no parent, or with one in another process.

    A child that ends after its root is printed when it ends, with what ended under it. Never raises; each trace is one
    `write`, so that those of several threads do not mix.

    Args:
        stream: Where to; the `sys.stderr` of the moment by default.
        color: False for plain text; by default what the stream is decides.
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
        """Nothing: a span is shown when it has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the span, or print the tree that it completes."""
        with guard("printing a trace"):
            if self._pid != os.getpid():  # a fork: what the parent holds, the parent prints; its lock may be taken
                self._reset()
            tree = self._completed(span)
            if tree:
                show([tree], stream=self._stream, color=self._color, wait=False)

    def shutdown(self) -> None:
        """Print what ended in traces whose root has not."""
        with guard("printing the last traces"):
            with self._lock:
                held, self._held, self._count = self._held, {}, 0
            for spans in held.values():
                show(build(spans), stream=self._stream, color=self._color, note="its root has not ended", wait=False)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """True: a finished trace is printed at once."""
        return True

    def _completed(self, span: ReadableSpan) -> Node | None:
        """The tree of the span when nothing above it is still awaited; None otherwise."""
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
            # The others belong to a root above or beside: the process called itself over HTTP.
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


def show(
    roots: Sequence[Node],
    *,
    stream: TextIO | None = None,
    color: bool | None = None,
    note: str = "",
    wait: bool = True,
) -> None:
    """Print the trees of one trace, and a last line with its id, duration, tokens, cost and errors.

    Args:
        roots: The trees; with none, nothing is printed.
        stream: Where to; `sys.stderr` by default.
        color: False for plain text; by default what the stream is decides.
        note: What the last line says besides.
        wait: False says no cost before the price list has been loaded, aside: the app is not held up.
    """
    stream = sys.stderr if stream is None else stream
    if not roots or stream is None:
        return
    glyphs = _glyphs(stream)
    lines = [*_tree_lines(roots, glyphs), _last_line(roots, glyphs, note, wait=wait)]
    _write(_colored(lines, stream) if _is_terminal(stream, color) else _plain(lines, glyphs), stream)


def announce(text: str, *, stream: TextIO | None = None) -> None:
    """Say one thing about ourselves, on `sys.stderr` by default: where the spans go."""
    _write(f"agentops_otel: {_one_line(text)}\n", sys.stderr if stream is None else stream)


def summary(of: Summary, *, end_state: str, look: Sequence[str] = (), stream: TextIO | None = None) -> None:
    """Say what a session came to.

    Args:
        of: What its trees add up to.
        end_state: How it ended: "Success".
        look: Where its spans can be seen, each a path, a URL or a command.
        stream: Where to; `sys.stderr` by default.
    """
    stream = sys.stderr if stream is None else stream
    counts = ((of.llm_calls, "LLM call"), (of.tools, "tool"), (of.actions, "action"), (of.errors, "error"))
    said = [
        seconds(of.duration_ns),
        *(plural(count, noun) for count, noun in counts),
        tokens_text(of.input_tokens, of.output_tokens, _glyphs(stream)),
        *([dollars(of.cost_usd)] if of.cost_usd is not None else []),
    ]
    announce("; ".join([f"session {end_state}: {', '.join(said)}", *look]), stream=stream)


def seconds(nanoseconds: int) -> str:
    """A duration as people read it: `0.4 ms`, `12 ms`, `1.24 s`, `123 s`."""
    ms = nanoseconds / 1e6
    for below, text in ((9.95, f"{ms:.1f} ms"), (999.5, f"{ms:.0f} ms"), (99_995, f"{ms / 1e3:.2f} s")):
        if ms < below:
            return text
    return f"{ms / 1e3:.0f} s"


def dollars(usd: float) -> str:
    """An amount with as many digits as it needs: `$1.20`, `$0.0048`."""
    return f"${usd:.2f}" if usd >= 1 or not usd else f"${usd:.4f}" if usd >= 0.0001 else f"${usd:.6f}"


def plural(count: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def model_of(span: ReadableSpan) -> str | None:
    """The model that answered, or else the one that was asked."""
    attributes = span.attributes or {}
    found = attributes.get(semconv.GEN_AI_RESPONSE_MODEL) or attributes.get(semconv.GEN_AI_REQUEST_MODEL)
    return None if found is None else str(found)


def _tree_lines(roots: Sequence[Node], glyphs: Glyphs) -> list[Line]:
    heads = [(_head(branch, node, glyphs), node) for branch, node in _branches(roots, glyphs)]
    width = max(_length(head) for head, _ in heads)
    return [[*head, (" " * (width - _length(head)), ""), *_details(node, glyphs)] for head, node in heads]


def _branches(roots: Sequence[Node], glyphs: Glyphs) -> Iterator[tuple[str, Node]]:
    """Each node with the branch that leads to it; without recursion, for an agent may go a thousand levels down."""
    waiting = [("", "", root) for root in reversed(roots)]
    while waiting:
        branch, below, node = waiting.pop()
        yield branch, node
        for child in reversed(node.children):
            last = child is node.children[-1]
            own = (below + (glyphs.corner if last else glyphs.tee))[-INDENT_WIDTH:]
            waiting.append((own, (below + (" " * len(glyphs.bar) if last else glyphs.bar))[-INDENT_WIDTH:], child))


def _head(branch: str, node: Node, glyphs: Glyphs) -> Line:
    name = _cut(_one_line(node.span.name), NAME_WIDTH, glyphs)
    if error_of(node.span) is None:
        return [(branch, "dim"), (name, "bold")]
    return [(branch, "dim"), (glyphs.failed, "bold red"), (name, "red")]


def _length(line: Line) -> int:
    return sum(len(text) for text, _ in line)


def _details(node: Node, glyphs: Glyphs) -> Line:
    model, error = model_of(node.span), error_of(node.span) if is_origin(node) else None
    used = tokens_text(*tokens(node.span), glyphs)
    return [
        (f"  {seconds(duration_ns([node.span])):>8}", "cyan"),
        (f"  {used}" if used else "", "magenta"),
        (f"  {_one_line(model)}" if model and model not in node.span.name else "", "dim"),
        (f"  {_one_line(error)}" if error else "", "red"),
    ]


def _last_line(roots: Sequence[Node], glyphs: Glyphs, note: str, *, wait: bool) -> Line:
    found = summarize(roots, wait=wait)
    used = tokens_text(found.input_tokens, found.output_tokens, glyphs)
    said = [
        f"trace {trace_id(roots[0].span)}",
        seconds(found.duration_ns),
        used if found.input_tokens or found.output_tokens else "",
        "" if found.cost_usd is None else dollars(found.cost_usd),
        plural(found.errors, "error") if found.errors else "",
        note,
    ]
    return [("  ".join(part for part in said if part), "dim")]


def tokens_text(used_in: int | None, used_out: int | None, glyphs: Glyphs = UNICODE) -> str:
    """Used tokens: `1200→180 tok`; empty when none are known."""
    if used_out is None:
        return "" if used_in is None else f"{used_in} tok"
    return f"{'' if used_in is None else used_in}{glyphs.arrow}{used_out} tok"


def _one_line(text: str) -> str:
    """The text on one line and without what a terminal would obey or cannot show: control signs, lone surrogates."""
    return "".join(sign if sign.isprintable() else "�" for sign in " ".join(text.split()))


def _cut(text: str, width: int, glyphs: Glyphs) -> str:
    return text if len(text) <= width else text[: width - len(glyphs.cut)] + glyphs.cut


def _glyphs(stream: TextIO | None) -> Glyphs:
    signs = "".join(UNICODE)
    return UNICODE if _encodable(signs, stream) == signs else ASCII


def _encodable(text: str, stream: TextIO | None) -> str:
    """The text as far as the stream can encode it."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _is_terminal(stream: TextIO, color: bool | None) -> bool:
    return not stream.closed and stream.isatty() if color is None else color


def _write(text: str, stream: TextIO | None) -> None:
    """One `write`, so that the lines of several threads stay apart; without a stream (pythonw) or a terminal, none."""
    if stream is not None and not stream.closed:
        with suppress(OSError):
            stream.write(_encodable(text, stream))
            stream.flush()


def _plain(lines: Sequence[Line], glyphs: Glyphs) -> str:
    return "".join(_cut("".join(text for text, _ in line), WIDTH, glyphs) + "\n" for line in lines)


def _colored(lines: Sequence[Line], stream: TextIO) -> str:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, highlight=False)
    with console.capture() as captured:
        for line in lines:
            console.print(Text.assemble(*line), no_wrap=True, overflow="ellipsis")
    return captured.get()
