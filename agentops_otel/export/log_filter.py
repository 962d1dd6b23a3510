"""Hides DEBUG logs of urllib3 and hpack during our requests: URLs and headers in them contain keys."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_ours: ContextVar[bool] = ContextVar("agentops_otel_request", default=False)

for _name in ("urllib3.connectionpool", "hpack.hpack", "hpack.table"):
    logging.getLogger(_name).addFilter(lambda record: not _is_ours.get())


@contextmanager
def without_debug_logs() -> Iterator[None]:
    """Hide those logs for requests made inside; the app's own requests are still logged."""
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)
