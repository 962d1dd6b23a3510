"""Of the runs that grow, their spans without content: a run is summed up anew without reading its content again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view.live.facts import brief, span_id
from agentops_otel.view.tree import trace_id

LIMIT_SPANS = 30_000
"""The most spans in memory, about 1.5 kB each. Beyond that the runs that grew longest ago are removed."""


@dataclass(slots=True)
class Run:
    """The spans of a run, and the costs of its LLM calls, by their ids."""

    spans: dict[str, ReadableSpan] = field(default_factory=dict)
    costs: dict[str, float | None] = field(default_factory=dict)

    def add(self, span: ReadableSpan, cost: float | None) -> None:
        """Add a span; one with the same id is replaced."""
        self.spans[span_id(span)], self.costs[span_id(span)] = brief(span), cost


class Briefs:
    """The runs in memory: those that grew last.

    Args:
        read: Reads the run of a trace from the store.
        limit_spans: The most spans in memory. The run that grew last is in memory whatever its size.
    """

    def __init__(self, read: Callable[[str], Run], *, limit_spans: int = LIMIT_SPANS) -> None:
        self._read = read
        self._limit_spans = limit_spans
        self._held: dict[str, Run] = {}

    def add(self, span: ReadableSpan, cost: float | None) -> None:
        """Add a span to its run, if the run is in memory."""
        if run := self._held.get(trace_id(span)):
            run.add(span, cost)

    def run(self, trace: str) -> Run:
        """The run of a trace, from memory or else read; it stays in memory from now on."""
        run = self._held.pop(trace, None) or self._read(trace)
        self._held[trace] = run  # at the end, where the newest are
        while len(self._held) > 1 and sum(len(one.spans) for one in self._held.values()) > self._limit_spans:
            del self._held[next(iter(self._held))]
        return run

    def forget(self, trace: str) -> None:
        """Drop a run that the store has removed."""
        self._held.pop(trace, None)

    def clear(self) -> None:
        """Drop the runs in memory: they may differ from those in the store."""
        self._held.clear()
