"""Writes traces and announcements to a stream: coloured on a terminal, plain elsewhere."""

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TextIO

from agentops_otel.environment import env
from agentops_otel.view.format import ASCII, UNICODE, Glyphs, cut, dollars, one_line, plural, seconds, tokens_text
from agentops_otel.view.lines import Line, last_line, open_line, tree_lines
from agentops_otel.view.tree import Node, Summary, summarize

WIDTH = 120
"""The width of a stream that is no terminal."""
_STYLES = {"bold": "1", "bold red": "1;31", "cyan": "36", "dim": "2", "magenta": "35", "red": "31"}
"""https://en.wikipedia.org/wiki/ANSI_escape_code#Select_Graphic_Rendition_parameters"""
LINES = 60
"""The most lines of a trace that is printed while the program runs; `agentops-otel show` prints all."""


def show(
    roots: Sequence[Node],
    *,
    stream: TextIO | None = None,
    color: bool | None = None,
    note: str = "",
    limit: int | None = None,
    wait: bool = True,
    before: Summary | None = None,
) -> None:
    """Print the trees of one trace, and a last line with its id, duration, tokens, cost and errors.

    Args:
        roots: The trees; with none, nothing is printed.
        stream: Where to; `sys.stderr` by default.
        color: False for plain text; by default colours on a terminal.
        note: Text at the end of the last line.
        limit: The most lines of the trees; None prints all.
        wait: False: no cost until another thread has imported the price list; the caller does not wait.
        before: The totals of the spans of the trace that were printed before; they are added to those of the last line.
    """
    stream = _stderr() if stream is None else stream
    if not roots or stream is None:
        return
    glyphs = _glyphs(stream)
    width = _width(stream)
    last = last_line(total(roots, before, wait=wait), roots, glyphs, width, note)
    lines = [*tree_lines(roots, glyphs, width, limit=limit), last]
    _print(lines, stream, width, color)


def total(roots: Sequence[Node], before: Summary | None, *, wait: bool) -> Summary:
    """The totals of the trees of a trace, and of what was printed of it before."""
    own = summarize(roots, wait=wait)
    return own if before is None else replace(own + before, duration_ns=own.duration_ns)


def show_open(name: str, roots: Sequence[Node], *, stream: TextIO, color: bool | None = None) -> None:
    """Print trees whose parent, the span *name*, is still open."""
    glyphs, width = _glyphs(stream), _width(stream)
    lines = [open_line(name, glyphs, width), *tree_lines(roots, glyphs, width, limit=LINES, nested=True)]
    _print(lines, stream, width, color)


def _print(lines: Sequence[Line], stream: TextIO, width: int, color: bool | None) -> None:
    glyphs, colored = _glyphs(stream), _has_colors(stream) if color is None else color
    write("".join(_text(line, width, glyphs, colored=colored) + "\n" for line in lines), stream)


def announce(text: str, *, stream: TextIO | None = None) -> None:
    """Print one line that begins with our name, on `sys.stderr` by default."""
    write(f"agentops_otel: {one_line(text)}\n", _stderr() if stream is None else stream)


def summary(
    of: Summary, *, end_state: str, links: Sequence[str] = (), counted: bool = True, stream: TextIO | None = None
) -> None:
    """Print the totals of a session.

    Args:
        of: The totals.
        end_state: The end state: "Success".
        links: URLs, paths and commands that show its spans.
        counted: False where nothing is known but the duration.
        stream: Where to; `sys.stderr` by default.
    """
    stream = _stderr() if stream is None else stream
    counts = ((of.llm_calls, "LLM call"), (of.tools, "tool"), (of.actions, "action"), (of.errors, "error"))
    facts = [
        seconds(of.duration_ns),
        *(plural(count, noun) for count, noun in counts if counted),
        tokens_text(of.input_tokens, of.output_tokens, _glyphs(stream)),
        *([dollars(of.cost_usd)] if of.cost_usd is not None else []),
    ]
    announce("; ".join([f"session {end_state}: {', '.join(filter(None, facts))}", *links]), stream=stream)


def _stderr() -> TextIO | None:
    """`sys.stderr` if it is a stream, or a notebook's; None if something of the program's stands in its place."""
    stream: TextIO | None = sys.stderr
    is_stream = isinstance(stream, io.TextIOWrapper) or type(stream).__module__.startswith("ipykernel")
    return stream if is_stream else None


def _glyphs(stream: TextIO | None) -> Glyphs:
    signs = "".join(UNICODE)
    return UNICODE if _encodable(signs, stream) == signs else ASCII


def _encodable(text: str, stream: TextIO | None) -> str:
    """The text with `?` for characters that the stream cannot encode."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def is_terminal(stream: TextIO) -> bool:
    """Whether the stream is a terminal that is open; any object may stand in for a stream."""
    return not getattr(stream, "closed", False) and bool(getattr(stream, "isatty", bool)())


def _has_colors(stream: TextIO) -> bool:
    """Whether the stream is a terminal that takes colours, and the user has not switched them off.

    `NO_COLOR`: https://no-color.org
    """
    # An old console of Windows shows escape sequences as they are.
    old_console = os.name == "nt" and not (env("WT_SESSION") or env("TERM") or env("ANSICON"))
    return is_terminal(stream) and not env("NO_COLOR") and env("TERM") != "dumb" and not old_console


def _width(stream: TextIO) -> int:
    """The columns of the terminal, by `COLUMNS` or the terminal itself."""
    if not is_terminal(stream):
        return WIDTH
    with suppress(OSError, ValueError, AttributeError):
        return int(env("COLUMNS") or os.get_terminal_size(stream.fileno()).columns) or WIDTH
    return WIDTH


def write(text: str, stream: TextIO | None) -> None:
    """Write in one call, so that the lines of threads do not mix. Does nothing without a stream (pythonw)."""
    if stream is not None and not getattr(stream, "closed", False):
        try:
            stream.write(_encodable(text, stream))
            stream.flush()
        except OSError as error:
            # The reader of a command's output (`| head`) has closed it. That must not end a program.
            if isinstance(error, BrokenPipeError) and stream is sys.stdout:
                raise


def _text(line: Line, width: int, glyphs: Glyphs, *, colored: bool) -> str:
    """The line, cut to the width, with the escape sequences of its styles if it is to be coloured."""
    text, left = "", width
    for piece, style in line:
        shown = piece if len(piece) <= left else cut(piece, left, glyphs) if left > len(glyphs.cut) else ""
        text += f"\x1b[{_STYLES[style]}m{shown}\x1b[0m" if colored and style and shown else shown
        left -= len(piece)
        if left < 0:
            break
    return text
