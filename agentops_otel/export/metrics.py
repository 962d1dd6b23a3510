"""The counts of delivery as metrics, by the names of OpenTelemetry's SDK; without a MeterProvider they go nowhere."""

from collections.abc import Callable, Iterable, Iterator
from weakref import WeakMethod

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from agentops_otel import semconv
from agentops_otel.export.outbox import Stats
from agentops_otel.version import VERSION

_observed: list[Callable[[], Callable[[], Stats] | None]] = []
"""Weak references: a meter takes the callbacks of a counter once, however many pipelines follow each other."""


def observe(stats: Callable[[], Stats]) -> None:
    """Offer the counts of a pipeline for as long as it lives.

    Args:
        stats: Its method.
    """
    _observed[:] = [*(alive for alive in _observed if alive() is not None), WeakMethod(stats)]

    def watch(
        read: Callable[[str, Stats], Iterator[Observation]],
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(options: CallbackOptions) -> Iterable[Observation]:
            counts = [count() for alive in _observed if (count := alive()) is not None]
            each = [(name, of) for count in counts for name, of in count.destinations.items()]
            return [observation for name, of in each for observation in read(name, of)]

        return callback

    meter = get_meter(semconv.SCOPE, VERSION)
    meter.create_observable_counter(
        semconv.METRIC_SPANS_EXPORTED, [watch(_exported)], "{span}", "Spans sent, and those given up by error.type."
    )
    meter.create_observable_up_down_counter(
        semconv.METRIC_SPANS_IN_FLIGHT, [watch(_in_flight)], "{span}", "Spans in memory, on their way."
    )
    meter.create_observable_up_down_counter(
        semconv.METRIC_SPANS_SPOOLED, [watch(_spooled)], "{span}", "Spans on disk, to be sent later."
    )


def _exported(name: str, of: Stats) -> Iterator[Observation]:
    about = {semconv.OTEL_COMPONENT_NAME: name}
    yield Observation(of.sent, about)
    for reason, spans in of.dropped.items():
        yield Observation(spans, {**about, semconv.ERROR_TYPE: reason})


def _in_flight(name: str, of: Stats) -> Iterator[Observation]:
    yield Observation(of.pending, {semconv.OTEL_COMPONENT_NAME: name})


def _spooled(name: str, of: Stats) -> Iterator[Observation]:
    yield Observation(of.spooled, {semconv.OTEL_COMPONENT_NAME: name})
