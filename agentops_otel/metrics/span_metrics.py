"""The conventions' metrics of agents and tools, and the cost of calls of a model, from spans that have ended."""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import Protocol

from opentelemetry import metrics
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.metrics.call_metrics import CALL_ATTRIBUTES, SECONDS, are_kept
from agentops_otel.tracing import Ids, ids_of, parts_of_call
from agentops_otel.tracing.at_fork import at_fork

AGENT_SECONDS = tuple(0.1 * 2**power for power in range(13))
CALLS = tuple(2**power for power in range(8))
UNPRICED = 1_000
"""The most calls that wait for the price list."""
UNFINISHED = 10_000
"""The most spans below which calls are counted: one whose parent has ended already is counted for nobody."""


class Prices(Protocol):
    """Says what calls cost; a thread may have to import the price list first."""

    def price(self, attributes: Mapping[str, AttributeValue], *, wait: bool) -> float | None:
        """The cost in USD of a call with these attributes; None if it is unknown, or not known without a wait."""

    def wait_until_loaded(self, timeout_s: float) -> bool:
        """Wait for the price list; True if it is there, or known to be missing."""


class SpanMetrics(SpanProcessor):
    """Records metrics of each span that ends, by the global meter provider. Without one it does next to nothing.

    Called in the exporting thread. What a sampler leaves out is in none of them.

    Args:
        prices: What calls cost.
    """

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        meter = metrics.get_meter(semconv.SCOPE)
        self._agent = meter.create_histogram(
            semconv.METRIC_INVOKE_AGENT_DURATION,
            "s",
            "Duration of an agent's run.",
            explicit_bucket_boundaries_advisory=AGENT_SECONDS,
        )
        self._inferences, self._tools = (
            meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=CALLS)
            for name, unit, description in (
                (semconv.METRIC_INVOKE_AGENT_INFERENCES, "{inference_call}", "Calls of a model in an agent's run."),
                (semconv.METRIC_INVOKE_AGENT_TOOLS, "{tool_call}", "Calls of tools in an agent's run."),
            )
        )
        self._tool = meter.create_histogram(
            semconv.METRIC_EXECUTE_TOOL_DURATION,
            "s",
            "Duration of a call of a tool.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._cost = meter.create_counter(semconv.METRIC_COST, "{USD}", "Cost of calls of a model, where it is known.")
        self._reset()
        at_fork(after_in_child=self._reset)  # another thread of the parent may hold the lock

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._unpriced: deque[Mapping[str, AttributeValue]] = deque(maxlen=UNPRICED)
        self._below: dict[int, Counter[str]] = {}
        """Id of a span that has not ended -> calls of models and tools below it, up to the next agent."""

    def on_end(self, span: ReadableSpan) -> None:
        """Called when a span has ended."""
        if not are_kept(self._tool):
            return
        parts = parts_of_call(span)
        attributes, ids = (span.attributes or {}, ids_of(span)) if parts is None else (parts[0].values, parts[2])
        operation = str(attributes.get(semconv.GEN_AI_OPERATION_NAME, ""))
        if not operation and ids[1] not in self._below:
            return
        with self._lock:
            self._measure(span, operation, attributes, self._counted(ids, operation))

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Price the calls that wait for the price list, if it comes within the time."""
        if not self._unpriced:
            return True
        is_loaded = self._prices.wait_until_loaded(timeout_millis / 1000)
        with self._lock:
            self._add_costs(is_loaded=is_loaded)
        return is_loaded

    def _counted(self, ids: Ids, operation: str) -> Counter[str]:
        """The calls below the span. They, or the span's own, are counted for its parent."""
        _, span_id, _, parent_id, is_remote = ids
        above = below = self._below.pop(span_id, _NONE)
        if operation in semconv.INFERENCE_OPERATIONS or operation == _TOOL:
            above = below + Counter([_TOOL if operation == _TOOL else _INFERENCE])
        elif operation in _AGENTS:
            above = _NONE
        if above and parent_id is not None and not is_remote:
            self._below.setdefault(parent_id, Counter()).update(above)
            if len(self._below) > UNFINISHED:
                del self._below[next(iter(self._below))]
        return below

    def _measure(
        self, span: ReadableSpan, operation: str, attributes: Mapping[str, AttributeValue], below: Counter[str]
    ) -> None:
        if not operation:
            return
        duration_s = ((span.end_time or 0) - (span.start_time or 0)) / 1e9
        failed = _some(attributes, semconv.ERROR_TYPE)
        if operation in _AGENTS:
            agent = _some(attributes, semconv.GEN_AI_OPERATION_NAME, semconv.GEN_AI_AGENT_NAME)
            if semconv.GEN_AI_WORKFLOW_NAME in attributes:
                agent[semconv.GEN_AI_AGENT_NAME] = attributes[semconv.GEN_AI_WORKFLOW_NAME]
            self._agent.record(duration_s, {**agent, **failed})
            self._inferences.record(below[_INFERENCE], agent)
            self._tools.record(below[_TOOL], agent)
        elif operation == _TOOL:
            tool = _some(attributes, semconv.GEN_AI_TOOL_NAME, semconv.GEN_AI_TOOL_TYPE, semconv.GEN_AI_AGENT_NAME)
            self._tool.record(duration_s, {**tool, **failed})
        elif semconv.OPERATION_ROLES.get(str(operation)) == "llm":
            self._unpriced.append(attributes)
            self._add_costs(is_loaded=self._prices.wait_until_loaded(0.0))

    def _add_costs(self, *, is_loaded: bool) -> None:
        """Add what the waiting calls cost. Without the price list those whose price is not known wait on."""
        for _ in range(len(self._unpriced)):
            attributes = self._unpriced.popleft()
            usd = self._prices.price(attributes, wait=False)
            if usd is not None:
                self._cost.add(usd, _some(attributes, *CALL_ATTRIBUTES))
            elif not is_loaded:
                self._unpriced.append(attributes)


_NONE = Counter[str]()
"""The calls below most spans. Nothing is added to it."""
_TOOL = "execute_tool"
_INFERENCE = "inference"
_AGENTS = ("invoke_agent", "invoke_workflow")


def _some(attributes: Mapping[str, AttributeValue], *names: str) -> dict[str, AttributeValue]:
    return {name: attributes[name] for name in names if name in attributes}
