"""Records exceptions: the type's name, and the stack trace with a limit."""

from traceback import TracebackException
from types import CodeType, TracebackType

FRAMES = 100
"""Recorded frames of a stack trace, the innermost ones; formatting a frame costs about ten microseconds."""

Origin = tuple[int, type, CodeType | None, int]
"""Identity of an exception: its id and where it was raised. A later exception at the same address differs."""


def qualified_name(kind: type) -> str:
    """The class's name as `error.type` wants it: `openai.RateLimitError`, `ValueError`."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def stack_text(error: BaseException) -> str:
    """The stack trace as Python prints it, of the innermost frames."""
    return "".join(TracebackException(type(error), error, error.__traceback__, limit=-FRAMES, compact=True).format())


def origin_of(error: BaseException) -> Origin:
    """The identity of an exception while it passes through the stack. Holds no reference to it."""
    innermost: TracebackType | None = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    code = innermost.tb_frame.f_code if innermost is not None else None
    return id(error), type(error), code, innermost.tb_lasti if innermost is not None else -1
