"""The global meter provider, of which OpenTelemetry takes one a process."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.metrics import _internal
from opentelemetry.util._once import Once


@contextmanager
def restored_meter_provider() -> Iterator[None]:
    """Begin with none, and put back what there was: with one, calls are read at once."""
    before = _internal._METER_PROVIDER, _internal._METER_PROVIDER_SET_ONCE, _internal._PROXY_METER_PROVIDER
    _internal._METER_PROVIDER, _internal._METER_PROVIDER_SET_ONCE = None, Once()
    _internal._PROXY_METER_PROVIDER = _internal._ProxyMeterProvider()
    try:
        yield
    finally:
        _internal._METER_PROVIDER, _internal._METER_PROVIDER_SET_ONCE, _internal._PROXY_METER_PROVIDER = before
