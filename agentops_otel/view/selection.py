"""The traces that `agentops-otel show` shows: assembled from spans in bounded memory, and filtered. Pure functions."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view.format import model_of
from agentops_otel.view.tree import Node, build, by_trace, duration_ns, error_of, key_of

HELD_SPANS = 20_000
"""Spans held at a time. Beyond that the oldest trace is returned, even if its root has not been read."""
LATE_SPANS = 1_000
"""A trace is returned this many spans after its root: spans that end later than the root are read by then."""
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Conditions that a trace must meet to be shown."""

    trace_id: str = ""
    """A prefix of its id, in lower case."""
    errors: bool = False
    """True: at least one of its spans failed."""
    slow_s: float = 0.0
    """Its least duration, in seconds."""
    model: str = ""
    """Part of the name of a model that it called."""
    since: datetime | None = None
    """Its earliest start."""

    def takes(self, roots: Sequence[Node]) -> bool:
        """Whether the trace is to be shown."""
        spans = [node.span for root in roots for node in root.walk()]
        return (
            f"{key_of(spans[0])[0]:032x}".startswith(self.trace_id)
            and (not self.errors or any(error_of(span) is not None for span in spans))
            and duration_ns(spans) >= self.slow_s * 1e9
            and (not self.model or any(self.model in (model_of(span) or "") for span in spans))
            and (self.since is None or min(span.start_time or 0 for span in spans) >= self.since.timestamp() * 1e9)
        )


def traces(spans: Iterable[ReadableSpan], held_spans: int = HELD_SPANS) -> Iterator[list[Node]]:
    """The roots of each trace, in the order their roots ended, and then those that have none.

    A trace is in one piece unless more spans than are held, or a thousand after its root, lie between its own.
    """
    held: dict[int, list[ReadableSpan]] = {}
    complete: dict[int, int] = {}
    count = 0
    for read, span in enumerate(spans):
        trace_id = key_of(span)[0]
        held.setdefault(trace_id, []).append(span)
        count += 1
        if span.parent is None:
            complete.pop(trace_id, None)
            complete[trace_id] = read  # at the end, where the newest are
        while count > held_spans or (complete and read - next(iter(complete.values())) >= LATE_SPANS):
            oldest = next(iter(complete or held))
            complete.pop(oldest, None)
            given = held.pop(oldest)
            count -= len(given)
            yield build(given)
    yield from by_trace(span for rest in held.values() for span in rest)


def unfinished(roots: Sequence[Node]) -> int:
    """Number of spans whose parent in the same process has not ended."""
    return sum(root.span.parent is not None and not root.span.parent.is_remote for root in roots)


def since(text: str, now: datetime) -> datetime:
    """A point in time: `10m`, `2h`, `3d` before now, or an ISO date or time, in UTC where no zone is given.

    Raises:
        ValueError: The text is neither.
    """
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text):
        return now - timedelta(**{_UNITS[match[2]]: float(match[1])})
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
