"""What carries a trace from one process to another: the caller writes its context down, the receiver takes it up.

W3C trace context by OpenTelemetry's own `inject` and `extract`; `OTEL_PROPAGATORS` chooses another format. A caller's
trace is continued only where a program says so, as `taken_up` does: nothing else reads what comes in. A service on the
open internet does better not to, or to link to the caller's span instead.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import attach, detach, get_current
from opentelemetry.propagate import extract, inject


def carried() -> dict[str, str]:
    """The current context as a dict of strings, for headers, a message or an argument."""
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier


@contextmanager
def taken_up(carrier: Mapping[str, str]) -> Iterator[None]:
    """Spans that begin inside continue the caller's trace."""
    token = attach(extract(carrier, get_current()))
    try:
        yield
    finally:
        detach(token)
