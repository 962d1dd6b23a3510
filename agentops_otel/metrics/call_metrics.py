"""The conventions' metrics of a call: duration, tokens, and the time to and between chunks."""

from collections.abc import Iterable, Mapping, Set
from functools import lru_cache

from opentelemetry import metrics
from opentelemetry.metrics import Counter, Histogram
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv

LATEST = "gen_ai_latest_experimental"
"""In `OTEL_SEMCONV_STABILITY_OPT_IN`: the newest metric names in place of those of v1.41, which most backends know."""

SECONDS = tuple(0.01 * 2**power for power in range(14))
TOKENS = tuple(4**power for power in range(14))

CALL_ATTRIBUTES = (
    semconv.GEN_AI_OPERATION_NAME,
    semconv.GEN_AI_PROVIDER_NAME,
    semconv.GEN_AI_REQUEST_MODEL,
    semconv.GEN_AI_RESPONSE_MODEL,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
)
"""The attributes of a call's span that its measurements have."""

_COUNTED = (
    semconv.GEN_AI_USAGE_INPUT_TOKENS,
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS,
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
)
_TYPES = {semconv.GEN_AI_USAGE_INPUT_TOKENS: "input", semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "output"}


def are_kept(instrument: object = None) -> bool:
    """Whether a meter provider records measurements: the placeholders of OpenTelemetry's API do not.

    Args:
        instrument: One of the global provider's. It answers without a look into the environment.
    """
    # A private name of the API's placeholder, which has no instrument behind it then.
    if getattr(instrument, "_real_instrument", instrument) is None and instrument is not None:
        return False
    return _records(type(metrics.get_meter_provider()))


@lru_cache(maxsize=16)
def _records(provider: type) -> bool:
    return not provider.__module__.startswith("opentelemetry.metrics")


class Metrics:
    """Records measurements by the global meter provider. Without one they cost next to nothing.

    Args:
        opt_in: The words of `OTEL_SEMCONV_STABILITY_OPT_IN`.
    """

    def __init__(self, opt_in: Set[str] = frozenset()) -> None:
        self._latest = LATEST in opt_in
        self._meter = metrics.get_meter(semconv.SCOPE)
        self._duration = self._seconds(semconv.METRIC_OPERATION_DURATION, "Duration of an operation.")
        if self._latest:
            self._inference = self._seconds(semconv.METRIC_INFERENCE_DURATION, "Duration of an inference.")
            self._first_chunk = self._seconds(semconv.METRIC_INFERENCE_FIRST_CHUNK, "Time to the first chunk.")
            self._chunk = self._seconds(semconv.METRIC_INFERENCE_CHUNK, "Time from one chunk to the next.")
            self._counters = {name: self._counter(name) for name in _COUNTED}
            self._tokens = {
                semconv.GEN_AI_USAGE_INPUT_TOKENS: self._sizes(semconv.METRIC_INFERENCE_INPUT_TOKENS),
                semconv.GEN_AI_USAGE_OUTPUT_TOKENS: self._sizes(semconv.METRIC_INFERENCE_OUTPUT_TOKENS),
            }
        else:
            self._inference = self._duration
            self._first_chunk = self._seconds(semconv.METRIC_OPERATION_FIRST_CHUNK, "Time to the first chunk.")
            self._chunk = self._seconds(semconv.METRIC_OPERATION_CHUNK, "Time from one chunk to the next.")
            self._counters = {}
            self._tokens = dict.fromkeys(_TYPES, self._sizes(semconv.METRIC_TOKEN_USAGE))

    @property
    def kept(self) -> bool:
        """Whether the measurements are recorded."""
        return are_kept(self._duration)

    def record(
        self, attributes: Mapping[str, AttributeValue], duration_s: float, waits_s: Iterable[float] = ()
    ) -> None:
        """Record one call.

        Args:
            attributes: The attributes of its span.
            duration_s: From the request to the last chunk, in seconds.
            waits_s: From each chunk to the next, in seconds.
        """
        dimensions = {name: attributes[name] for name in CALL_ATTRIBUTES if name in attributes}
        failed = {semconv.ERROR_TYPE: attributes[semconv.ERROR_TYPE]} if semconv.ERROR_TYPE in attributes else {}
        inference = attributes.get(semconv.GEN_AI_OPERATION_NAME) in semconv.INFERENCE_OPERATIONS
        (self._inference if inference else self._duration).record(duration_s, {**dimensions, **failed})
        first_chunk_s = attributes.get(semconv.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
        if isinstance(first_chunk_s, float):
            self._first_chunk.record(first_chunk_s, dimensions)
        for wait in waits_s:
            self._chunk.record(wait, dimensions)
        for name, counter in self._counters.items():
            if isinstance(count := attributes.get(name), int):
                counter.add(count, dimensions)
        for name, histogram in self._tokens.items():
            if isinstance(count := attributes.get(name), int):
                kind = {} if self._latest else {semconv.GEN_AI_TOKEN_TYPE: _TYPES[name]}
                histogram.record(count, {**dimensions, **kind})

    def _seconds(self, name: str, description: str) -> Histogram:
        return self._meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=SECONDS)

    def _sizes(self, name: str) -> Histogram:
        return self._meter.create_histogram(
            name, "{token}", "Tokens of a call.", explicit_bucket_boundaries_advisory=TOKENS
        )

    def _counter(self, usage: str) -> Counter:
        name = semconv.METRIC_INFERENCE_USAGE + usage.removeprefix(semconv.GEN_AI_USAGE)
        return self._meter.create_counter(name, "{token}", "Tokens in all.")
