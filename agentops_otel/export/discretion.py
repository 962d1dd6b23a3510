"""What the libraries beneath us log at DEBUG: urllib3 queries, hpack headers, and keys are in both."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ours: ContextVar[bool] = ContextVar("agentops_otel_request", default=False)

for _name in ("urllib3.connectionpool", "hpack.hpack", "hpack.table"):
    logging.getLogger(_name).addFilter(lambda record: not _ours.get())


@contextmanager
def discreet() -> Iterator[None]:
    """Nothing of what is requested inside is in those logs; what the app requests itself stays there."""
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)
