"""A trace as lines of text: one line a span, then the totals. Coloured on a terminal, plain elsewhere."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TextIO

from agentops_otel.view.format import (
    ASCII,
    UNICODE,
    Glyphs,
    cut,
    dollars,
    model_of,
    one_line,
    plural,
    seconds,
    tokens_text,
)
from agentops_otel.view.tree import (
    Node,
    Summary,
    duration_ns,
    error_of,
    is_origin,
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
        color: False for plain text; by default colours on a terminal.
        note: Text at the end of the last line.
        wait: False: no cost until another thread has imported the price list; the caller does not wait.
    """
    stream = sys.stderr if stream is None else stream
    if not roots or stream is None:
        return
    glyphs = _glyphs(stream)
    lines = [*_tree_lines(roots, glyphs), _last_line(roots, glyphs, note, wait=wait)]
    _write(_colored(lines, stream) if _is_terminal(stream, color) else _plain(lines, glyphs), stream)


def announce(text: str, *, stream: TextIO | None = None) -> None:
    """Print one line that begins with our name, on `sys.stderr` by default."""
    _write(f"agentops_otel: {one_line(text)}\n", sys.stderr if stream is None else stream)


def summary(of: Summary, *, end_state: str, links: Sequence[str] = (), stream: TextIO | None = None) -> None:
    """Print the totals of a session.

    Args:
        of: The totals.
        end_state: The end state: "Success".
        links: URLs, paths and commands that show its spans.
        stream: Where to; `sys.stderr` by default.
    """
    stream = sys.stderr if stream is None else stream
    counts = ((of.llm_calls, "LLM call"), (of.tools, "tool"), (of.actions, "action"), (of.errors, "error"))
    facts = [
        seconds(of.duration_ns),
        *(plural(count, noun) for count, noun in counts),
        tokens_text(of.input_tokens, of.output_tokens, _glyphs(stream)),
        *([dollars(of.cost_usd)] if of.cost_usd is not None else []),
    ]
    announce("; ".join([f"session {end_state}: {', '.join(filter(None, facts))}", *links]), stream=stream)


def _tree_lines(roots: Sequence[Node], glyphs: Glyphs) -> list[Line]:
    heads = [(_head(branch, node, glyphs), node) for branch, node in _branches(roots, glyphs)]
    width = max(_length(head) for head, _ in heads)
    return [[*head, (" " * (width - _length(head)), ""), *_details(node, glyphs)] for head, node in heads]


def _branches(roots: Sequence[Node], glyphs: Glyphs) -> Iterator[tuple[str, Node]]:
    """Each node with the branch that leads to it. Without recursion: a trace may be a thousand levels deep."""
    waiting = [("", "", root) for root in reversed(roots)]
    while waiting:
        branch, below, node = waiting.pop()
        yield branch, node
        for child in reversed(node.children):
            last = child is node.children[-1]
            own = (below + (glyphs.corner if last else glyphs.tee))[-INDENT_WIDTH:]
            waiting.append((own, (below + (" " * len(glyphs.bar) if last else glyphs.bar))[-INDENT_WIDTH:], child))


def _head(branch: str, node: Node, glyphs: Glyphs) -> Line:
    name = cut(one_line(node.span.name), NAME_WIDTH, glyphs)
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
        (f"  {one_line(model)}" if model and model not in node.span.name else "", "dim"),
        (f"  {one_line(error)}" if error else "", "red"),
    ]


def _last_line(roots: Sequence[Node], glyphs: Glyphs, note: str, *, wait: bool) -> Line:
    total = summarize(roots, wait=wait)
    used = tokens_text(total.input_tokens, total.output_tokens, glyphs)
    facts = [
        f"trace {trace_id(roots[0].span)}",
        seconds(total.duration_ns),
        used if total.input_tokens or total.output_tokens else "",
        "" if total.cost_usd is None else dollars(total.cost_usd),
        plural(total.errors, "error") if total.errors else "",
        note,
    ]
    return [("  ".join(part for part in facts if part), "dim")]


def _glyphs(stream: TextIO | None) -> Glyphs:
    signs = "".join(UNICODE)
    return UNICODE if _encodable(signs, stream) == signs else ASCII


def _encodable(text: str, stream: TextIO | None) -> str:
    """The text with `?` for characters that the stream cannot encode."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _is_terminal(stream: TextIO, color: bool | None) -> bool:
    return not stream.closed and stream.isatty() if color is None else color


def _write(text: str, stream: TextIO | None) -> None:
    """Write in one call, so that the lines of threads do not mix. Does nothing without a stream (pythonw)."""
    if stream is not None and not stream.closed:
        with suppress(OSError):
            stream.write(_encodable(text, stream))
            stream.flush()


def _plain(lines: Sequence[Line], glyphs: Glyphs) -> str:
    return "".join(cut("".join(text for text, _ in line), WIDTH, glyphs) + "\n" for line in lines)


def _colored(lines: Sequence[Line], stream: TextIO) -> str:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, highlight=False)
    with console.capture() as captured:
        for line in lines:
            console.print(Text.assemble(*line), no_wrap=True, overflow="ellipsis")
    return captured.get()
