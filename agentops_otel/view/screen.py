"""Detects whether the program's own display is using the terminal."""

import io
import os
import sys
from contextlib import suppress
from typing import Any

from agentops_otel.view.terminal import is_terminal


def is_free() -> bool:
    """Whether a line on standard error can be printed without breaking the program's display.

    It would if the program has replaced a standard stream (Textual, a live display of rich, prompt_toolkit), if a
    terminal passes on keys one by one (curses, an editor, a prompt), or if a progress bar of tqdm is open.
    """
    return (
        _is_own(sys.stderr, sys.__stderr__) and _is_own(sys.stdout, sys.__stdout__) and _is_line_mode() and not _bars()
    )


def line_start(stream: Any) -> str:
    """Text that moves the cursor to the start of a line if the program has begun one, such as a streamed answer.

    Spaces of a whole line end on the next one if the cursor is within a line, and on the same if it is at its start.
    """
    if not is_terminal(stream):
        return ""
    with suppress(OSError, ValueError, AttributeError):
        if columns := os.get_terminal_size(stream.fileno()).columns:
            return " " * columns + "\r"
    return "\n"


def _is_own(stream: Any, original: Any) -> bool:
    """Whether the stream is the process's original one, or was opened on the same descriptor."""
    if stream is original or original is None:
        return True
    with suppress(OSError, ValueError, TypeError, AttributeError, NotImplementedError):
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() == original.fileno()
    return False


def _is_line_mode() -> bool:
    with suppress(ImportError, OSError, ValueError):
        import termios

        for stream in (sys.__stderr__, sys.__stdin__):
            if stream is not None and is_terminal(stream):
                return bool(termios.tcgetattr(stream.fileno())[3] & termios.ICANON)
    return True


def _bars() -> bool:
    tqdm = sys.modules.get("tqdm.std")
    return bool(len(getattr(getattr(tqdm, "tqdm", None), "_instances", ())))
