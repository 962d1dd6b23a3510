"""Of the runs that grow, their spans without content: a run is summed up anew without reading what it said again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view.live.facts import brief, span_id
from agentops_otel.view.tree import trace_id

LIMIT_SPANS = 30_000
"""How many spans are held, a kilobyte and a half each; the runs that have not grown for the longest time give way."""


@dataclass(slots=True)
class Run:
    """The spans of a run, and the costs of its LLM calls, by their ids."""

    spans: dict[str, ReadableSpan] = field(default_factory=dict)
    costs: dict[str, float | None] = field(default_factory=dict)

    def add(self, span: ReadableSpan, cost: float | None) -> None:
        """Hold a span; one of the same id is replaced."""
        self.spans[span_id(span)], self.costs[span_id(span)] = brief(span), cost


class Briefs:
    """The runs that have grown last.

    Args:
        read: The run of a trace, from where it is kept.
        limit_spans: How many spans are held at most; the run that has grown last is held whatever its size.
    """

    def __init__(self, read: Callable[[str], Run], *, limit_spans: int = LIMIT_SPANS) -> None:
        self._read = read
        self._limit_spans = limit_spans
        self._held: dict[str, Run] = {}

    def add(self, span: ReadableSpan, cost: float | None) -> None:
        """A span has been kept: hold it, if its run is held."""
        if run := self._held.get(trace_id(span)):
            run.add(span, cost)

    def run(self, trace: str) -> Run:
        """The run of a trace, read if it is not held; it is held from now on."""
        run = self._held.pop(trace, None) or self._read(trace)
        self._held[trace] = run  # at the end, where the newest are
        while len(self._held) > 1 and sum(len(one.spans) for one in self._held.values()) > self._limit_spans:
            del self._held[next(iter(self._held))]
        return run

    def forget(self, trace: str) -> None:
        """A run is kept no longer."""
        self._held.pop(trace, None)

    def clear(self) -> None:
        """What is held may not be what is kept."""
        self._held.clear()
