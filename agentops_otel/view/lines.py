"""A trace as lines of text: one line a span, repeats folded, then the totals. Pure functions."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view.format import Glyphs, cut, dollars, model_of, one_line, plural, seconds, tokens_text
from agentops_otel.view.tree import (
    Node,
    Summary,
    added,
    asked,
    duration_ns,
    error_of,
    is_origin,
    role,
    tokens,
    trace_id,
)

Line = list[tuple[str, str]]
"""The pieces of a line: text, and the name of its style."""

NAME_WIDTH = 56
ASKED_WIDTH = 40
"""Columns for the beginning of a prompt."""
TIME_WIDTH = 10
"""The columns of a duration, which is never cut."""
FOLDED = 4
"""At least this many equal leaves in a row become one line."""


class Row(NamedTuple):
    """One line of a tree: a node, or several equal leaves."""

    branch: str
    nodes: Sequence[Node]
    is_top: bool = False
    """No line stands above it."""

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans of the line."""
        return [node.span for node in self.nodes]


def tree_lines(
    roots: Sequence[Node], glyphs: Glyphs, width: int, *, limit: int | None = None, nested: bool = False
) -> list[Line]:
    """The trees, a line a span.

    Args:
        roots: The trees.
        glyphs: The signs that the stream can encode.
        width: The columns of the stream.
        limit: The most lines; those in the middle are replaced by their number.
        nested: Whether the trees are drawn as children of a span above.
    """
    rows = list(_rows(roots, glyphs, max(width // 4, 8), nested=nested))
    heads = [_head(row, glyphs, width - TIME_WIDTH) for row in rows]
    column = max(_length(head) for head in heads)
    lines = [
        [*head, (" " * (column - _length(head)), ""), *_details(row, glyphs)]
        for head, row in zip(heads, rows, strict=True)
    ]
    return lines if limit is None else _shortened(lines, rows, glyphs, limit)


def open_line(name: str, glyphs: Glyphs, width: int) -> Line:
    """The line of a span that is still open, above those of its children."""
    return [(cut(f"{one_line(name)} {glyphs.cut}", width, glyphs), "bold")]


def last_line(total: Summary, roots: Sequence[Node], glyphs: Glyphs, width: int, note: str = "") -> Line:
    """The last line of a trace: id, duration, tokens, cost, errors. On a narrow terminal the id is short or missing."""
    name = trace_id(roots[0].span)
    facts = [
        seconds(total.duration_ns),
        tokens_text(total.input_tokens, total.output_tokens, glyphs),
        "" if total.cost_usd is None else dollars(total.cost_usd),
        plural(total.errors, "error") if total.errors else "",
        note,
    ]
    text = "  ".join(filter(None, facts))
    names = (f"trace {name}", f"trace {name[:8]}", name[:8])
    shown = next((shown for shown in names if len(shown) + 2 + len(text) <= width), "")
    return [(f"{shown}  {text}".lstrip(), "dim")]


def _shortened(lines: list[Line], rows: Sequence[Row], glyphs: Glyphs, limit: int) -> list[Line]:
    if len(lines) <= limit:
        return lines
    first, last = limit - limit // 4, limit // 4
    left_out = sum(len(row.nodes) for row in rows[first : len(rows) - last])
    return [*lines[:first], [(f"{glyphs.cut} {plural(left_out, 'span')} more", "dim")], *lines[len(lines) - last :]]


def _rows(roots: Sequence[Node], glyphs: Glyphs, indent: int, *, nested: bool) -> Iterator[Row]:
    """The lines with the branches that lead to them. Without recursion: a trace may be a thousand levels deep."""
    first = (glyphs.tee, glyphs.bar) if nested else ("", "")
    waiting = [(*first, group, True) for group in reversed(_groups(roots))]
    while waiting:
        branch, below, group, is_top = waiting.pop()
        yield Row(branch, group, is_top)
        groups = _groups(group[0].children)
        for child in reversed(groups):
            last = child is groups[-1]
            own = (below + (glyphs.corner if last else glyphs.tee))[-indent:]
            waiting.append((own, (below + (" " * len(glyphs.bar) if last else glyphs.bar))[-indent:], child, False))


def _groups(nodes: Sequence[Node]) -> list[Sequence[Node]]:
    """The nodes one by one, but equal leaves in a row together."""
    groups: list[Sequence[Node]] = []
    for key, same in groupby(nodes, key=_fold_key):
        together = list(same)
        groups += [together] if key is not None and len(together) >= FOLDED else [[node] for node in together]
    return groups


def _fold_key(node: Node) -> tuple[str, str, str | None] | None:
    if node.children or error_of(node.span) is not None:
        return None
    return node.span.name, role(node.span), model_of(node.span)


def _head(row: Row, glyphs: Glyphs, width: int) -> Line:
    times = f" {glyphs.times} {len(row.nodes)}" if len(row.nodes) > 1 else ""
    failed = error_of(row.nodes[0].span) is not None
    room = width - len(row.branch) - len(times) - (len(glyphs.failed) if failed else 0)
    name = cut(one_line(row.nodes[0].span.name), max(min(room, NAME_WIDTH), 8), glyphs) + times
    if failed:
        return [(row.branch, "dim"), (glyphs.failed, "bold red"), (name, "red")]
    return [(row.branch, "dim"), (name, "bold")]


def _length(line: Line) -> int:
    return sum(len(text) for text, _ in line)


def _details(row: Row, glyphs: Glyphs) -> Line:
    node = row.nodes[0]
    question = one_line(asked(node)) if row.is_top else ""
    model, error = model_of(node.span), error_of(node.span) if is_origin(node) else None
    used_in, used_out = (added(tokens(span)[side] for span in row.spans) for side in (0, 1))
    used = tokens_text(used_in, used_out, glyphs)
    return [
        (f"  {seconds(sum(duration_ns([span]) for span in row.spans)):>8}", "cyan"),
        (f"  {used}" if used else "", "magenta"),
        (f"  {one_line(model)}" if model and model not in node.span.name else "", "dim"),
        (f"  {one_line(error)}" if error else "", "red"),
        (f'  "{cut(question, ASKED_WIDTH, glyphs)}"' if question else "", "dim"),
    ]
