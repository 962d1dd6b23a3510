"""Hides DEBUG logs of hpack during our requests: headers in them contain keys."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_ours: ContextVar[bool] = ContextVar("agentops_otel_request", default=False)

for _name in ("hpack.hpack", "hpack.table"):
    logging.getLogger(_name).addFilter(lambda record: not _is_ours.get())


@contextmanager
def without_debug_logs() -> Iterator[None]:
    """Hide those logs for requests made inside; the app's own requests are still logged."""
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)
