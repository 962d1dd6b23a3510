"""Attaches a context for a block and detaches it afterwards; the only place that does."""

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType

from opentelemetry import context as context_api
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context, attach, detach, get_current, set_value
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

from agentops_otel.tracing.gc_safe import is_collecting_here, state

SUPPRESS_KEY = _SUPPRESS_INSTRUMENTATION_KEY
"""Set in a context, it turns every instrumentation off. OpenTelemetry has no public name for it."""

SUPPRESSED_BY_US = "agentops_otel"
"""The value of `SUPPRESS_KEY` in our own blocks; other libraries set True."""

OWN_WORK = "agentops_otel's own work"
"""The value of `SUPPRESS_KEY` where we export and send."""

SPAN_KEY = next(iter(set_span_in_context(INVALID_SPAN, Context())))
"""Context key of the current span. OpenTelemetry has no public name for it."""


def _variable() -> "ContextVar[Context] | None":
    """The variable that OpenTelemetry keeps the current context in; None with another `OTEL_PYTHON_CONTEXT`."""
    get_current()  # the SDK chooses it on first use in older versions
    runtime = getattr(context_api, "_RUNTIME_CONTEXT", None)
    variable = getattr(runtime, "_current_context", None)
    return variable if type(runtime) is ContextVarsRuntimeContext and isinstance(variable, ContextVar) else None


variable = _variable()
current_context: Callable[[], Context] = get_current if variable is None else variable.get
"""`get_current`, without the calls between it and its variable."""
attach_context: Callable[[Context], Token[Context]] = attach if variable is None else variable.set
detach_context: Callable[[Token[Context]], None] = detach if variable is None else variable.reset
"""As `detach`; raises ValueError for a token of another `contextvars.Context`."""

_entered: ContextVar[None] = ContextVar("agentops_otel_entered")


class attached:
    """Makes *context* the current one for the block. Entered again, it starts with the context that the block left.

    A generator or coroutine enters it for each step, never across a `yield`.

    Args:
        context: The context of the block.
    """

    __slots__ = ("_entered", "_token", "context")

    def __init__(self, context: Context) -> None:
        self.context = context

    def __enter__(self) -> None:
        self._token: Token[Context] | None = None
        # CPython 3.11 crashes where a generator that the collector closes sets a context variable.
        if not is_collecting_here():
            self._entered = _entered.set(None)
            self._token = attach(self.context)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is None or is_collecting_here():
            return
        self.context = get_current()
        # A step that ends in another contextvars.Context (the garbage collector closes a coroutine, an event loop shuts
        # down) has nothing to undo. Our own variable raises for that in silence; OpenTelemetry's `detach` would log a
        # traceback.
        with suppress(ValueError):
            _entered.reset(self._entered)
            detach(self._token)


def leave_context(token: Token[Context]) -> None:
    """Detach what `attach_context` attached. Does nothing if the garbage collector or a closing loop ends the block."""
    if state.collecting_thread is None or not is_collecting_here():
        try:  # noqa: SIM105 - `suppress` takes longer than all the rest
            detach_context(token)
        except ValueError:
            pass


def suppressed(value: str = SUPPRESSED_BY_US) -> attached:
    """A block in which no instrumentation makes spans."""
    return attached(set_value(SUPPRESS_KEY, value))


def is_suppressed(current: Context) -> bool:
    """Whether no span is to be made. The garbage collector runs the program's finalizers in our threads too."""
    value = current.get(SUPPRESS_KEY)
    return bool(value) and not (value is OWN_WORK and is_collecting_here())
