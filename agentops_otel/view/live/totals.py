"""Totals of the steps of many runs, by name: calls, errors, tokens, percentiles of duration. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from agentops_otel.view.tree import added


@dataclass(slots=True, kw_only=True)
class Step:
    """The counted values of an LLM call, a tool, an agent or a day's run."""

    kind: str
    name: str
    duration: int
    """In nanoseconds."""
    failed: bool
    input_tokens: int | None = None
    """None where nothing is known."""
    output_tokens: int | None = None
    cost: float | None = None

    def add(self, call: "Step") -> None:
        """Count the usage of a call under this step as its own."""
        self.input_tokens = added((self.input_tokens, call.input_tokens))
        self.output_tokens = added((self.output_tokens, call.output_tokens))
        self.cost = added((self.cost, call.cost))


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The totals of the steps with one name."""

    name: str
    calls: int
    errors: int
    p50: int
    """The median duration, in nanoseconds."""
    p95: int
    input_tokens: int | None
    output_tokens: int | None
    cost: float | None


def totals(steps: Iterable[Step]) -> dict[str, list[Total]]:
    """The totals of each kind, by name."""
    by_kind: dict[str, dict[str, list[Step]]] = {}
    for step in steps:
        by_kind.setdefault(step.kind, {}).setdefault(step.name, []).append(step)
    return {kind: [_total(name, names[name]) for name in sorted(names)] for kind, names in by_kind.items()}


def _total(name: str, steps: Sequence[Step]) -> Total:
    durations = sorted(step.duration for step in steps)
    return Total(
        name=name,
        calls=len(steps),
        errors=sum(step.failed for step in steps),
        p50=percentile(durations, 0.5),
        p95=percentile(durations, 0.95),
        input_tokens=added(step.input_tokens for step in steps),
        output_tokens=added(step.output_tokens for step in steps),
        cost=added(step.cost for step in steps),
    )


def percentile(ordered: Sequence[int], part: float) -> int:
    """The smallest of the values, in order, that *part* of them do not exceed."""
    return ordered[max(ceil(part * len(ordered)) - 1, 0)]
