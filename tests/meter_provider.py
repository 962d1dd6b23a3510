"""The global meter provider, of which OpenTelemetry takes one a process."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.metrics import _internal


@contextmanager
def restored_meter_provider() -> Iterator[None]:
    """What follows finds the meter provider that was there before: with one, calls are read at once."""
    before = _internal._METER_PROVIDER, _internal._METER_PROVIDER_SET_ONCE._done
    try:
        yield
    finally:
        _internal._METER_PROVIDER, _internal._METER_PROVIDER_SET_ONCE._done = before
        _internal._PROXY_METER_PROVIDER = _internal._ProxyMeterProvider()
