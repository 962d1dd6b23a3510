"""Makes a provider the global one, and lets the program set its own afterwards, as it could without us."""

from collections.abc import Callable
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.util._once import Once

from agentops_otel.guard import guard


def set_global(provider: trace.TracerProvider, replaced: Callable[[trace.TracerProvider], None]) -> None:
    """Make *provider* the global one.

    Args:
        provider: A provider of ours.
        replaced: Called with the provider that the program sets by `set_tracer_provider()`, once. Where OpenTelemetry
            keeps its switch elsewhere, ours stays the global one and OpenTelemetry warns of the second.
    """
    trace.set_tracer_provider(provider)
    module: Any = trace
    if trace.get_tracer_provider() is provider and type(getattr(module, "_TRACER_PROVIDER_SET_ONCE", None)) is Once:
        module._TRACER_PROVIDER_SET_ONCE = _OnceMore(lambda: replaced(trace.get_tracer_provider()))


def set_global_meters(provider: metrics.MeterProvider) -> None:
    """Make *provider*, one of ours, the global meter provider. What was made with it stays its own after another."""
    metrics.set_meter_provider(provider)
    module: Any = getattr(metrics, "_internal", None)
    if metrics.get_meter_provider() is provider and type(getattr(module, "_METER_PROVIDER_SET_ONCE", None)) is Once:
        module._METER_PROVIDER_SET_ONCE = _OnceMore(lambda: None)


class _OnceMore(Once):
    """Replaces OpenTelemetry's set-once flag of the global provider, so that the program can still set its own."""

    def __init__(self, replaced: Callable[[], None]) -> None:
        super().__init__()
        self._replaced = replaced

    def do_once(self, func: Callable[[], None]) -> bool:
        """Set the program's provider, if it is the first."""
        is_first = super().do_once(func)
        if is_first:
            with guard("giving way to the program's provider"):
                self._replaced()
        return is_first
