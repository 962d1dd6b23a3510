"""Shows traces in a notebook, as HTML: below the cell in which they ended, and by `display()`."""

from collections import deque
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.guard import guard
from agentops_otel.view import terminal
from agentops_otel.view.format import UNICODE
from agentops_otel.view.lines import Line, last_line, open_line, tree_lines
from agentops_otel.view.printer import Printed
from agentops_otel.view.tree import build, trace_id

WAITING = 50
"""The most traces shown below one cell: the newest ones."""
RECENT = 50
"""Number of traces that can be displayed again."""
_COLORS = {
    "bold": "font-weight:bold",
    "bold red": "font-weight:bold;color:#d33",
    "cyan": "color:#089",
    "dim": "opacity:.6",
    "magenta": "color:#a3a",
    "red": "color:#d33",
}


class CellOutput:
    """Shows traces as the output of the cell that is running, in place of a terminal.

    Args:
        shell: IPython's, which runs the cells.
        cell_ended: Called after each cell, before its traces are shown.
    """

    def __init__(self, shell: Any, cell_ended: Callable[[], None]) -> None:
        self._events = shell.events
        self._cell_ended = cell_ended
        self._waiting: deque[Printed] = deque(maxlen=WAITING)
        self._recent: dict[str, list[ReadableSpan]] = {}
        self._events.register("post_run_cell", self._show)

    def add(self, printed: Printed) -> None:
        """Show it below the cell."""
        self._waiting.append(printed)
        spans = [node.span for root in printed.roots for node in root.walk()]
        self._recent.setdefault(trace_id(spans[0]), []).extend(spans)
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Does nothing: spans that ended below an open one are shown at the end of the cell."""

    def flush(self, timeout_s: float) -> bool:
        """True: traces are shown at the end of the cell."""
        return True

    def close(self, timeout_s: float) -> None:
        """Show nothing more."""
        if self._show in self._events.callbacks["post_run_cell"]:
            self._events.unregister("post_run_cell", self._show)

    def html(self, trace: str) -> str | None:
        """The trace so far, which the end of the cell does not show again; None if nothing of it has ended."""
        waiting = list(self._waiting)
        self._waiting.clear()
        self._waiting.extend(printed for printed in waiting if trace_id(printed.roots[0].span) != trace)
        spans = self._recent.get(trace)
        return _html([Printed(build(spans))]) if spans else None

    def _show(self, result: object = None) -> None:
        with guard("showing traces in a notebook"):
            self._cell_ended()
            if self._waiting:
                from IPython.display import HTML, display

                waiting = list(self._waiting)
                self._waiting.clear()
                display(HTML(_html(waiting)))


def _html(shown: Sequence[Printed]) -> str:
    lines = [line for printed in shown for line in _lines(printed)]
    return f'<pre style="line-height:1.3">{"<br>".join(map(_line, lines))}</pre>'


def _lines(printed: Printed) -> list[Line]:
    limit, width, roots = terminal.LINES, terminal.WIDTH, printed.roots
    if printed.under:
        below = tree_lines(roots, UNICODE, width, limit=limit, nested=True)
        return [open_line(printed.under, UNICODE, width), *below]
    total = terminal.total(roots, printed.before, wait=False)
    return [*tree_lines(roots, UNICODE, width, limit=limit), last_line(total, roots, UNICODE, width, printed.note)]


def _line(line: Line) -> str:
    return "".join(f'<span style="{_COLORS.get(style, "")}">{escape(text)}</span>' for text, style in line)
