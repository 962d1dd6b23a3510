"""A trace in AgentOps' list and on its page: what its API answers for the spans that arrived.

Each rule names the file it is from, in https://github.com/AgentOps-AI/agentops at a855a92d; `API` `app/api/agentops`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.trace import Status, StatusCode

from tests.loopback.agentops_dashboard import TOKENS, outcome, show, stored
from tests.loopback.otlp_sink import attributes_of

PRICES = {
    "gpt-4o": ("2.5", "10"),
    "gpt-4": ("30", "60"),
    "gpt-3.5-turbo": ("0.5", "1.5"),
    "claude-sonnet-4-20250514": ("3", "15"),
}
"""USD for a million tokens of prompt and of completion, by exact names: `app/clickhouse/migrations/0004`."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A span as the backend keeps it."""

    span_id: bytes
    name: str
    start: int
    end: int
    attributes: Mapping[str, object]
    status: Status

    def text(self, name: str) -> str:
        """The attribute's text; empty where there is none, as in a ClickHouse map."""
        return stored(self.attributes[name]) if name in self.attributes else ""

    @property
    def tags(self) -> list[str]:
        """`API/api/models/traces.py`, parse_tags_json."""
        tags: list[str] = json.loads(self.text("agentops.tags") or "[]")
        return tags

    @property
    def cost(self) -> Decimal:
        """The cost that came with it, else all prompt tokens at one price and all completion tokens at another.

        `API/api/models/traces.py`, _get_select_query; `app/clickhouse/migrations/0001_udfs_and_pricing.sql`. Cached
        tokens have no price of their own.
        """
        if given := self.text("gen_ai.usage.total_cost"):
            return Decimal(given)
        model = (self.text("gen_ai.response.model") or self.text("gen_ai.request.model")).lower()
        prices = PRICES.get(model, ("0", "0"))
        used = (int(self.text(f"gen_ai.usage.{key}") or 0) for key in TOKENS[:2])
        return sum((tokens * Decimal(price) / 1_000_000 for tokens, price in zip(used, prices, strict=True)), Decimal())


def of(spans: Iterable[Span]) -> list[list[Stored]]:
    """The spans that arrived, a list a trace, each by start as the API selects them; the earliest trace first."""
    traces: dict[bytes, list[Stored]] = {}
    for span in sorted(spans, key=lambda span: span.start_time_unix_nano):
        status = Status(StatusCode(span.status.code), span.status.message or None)
        attributes = attributes_of(span)
        start, end = span.start_time_unix_nano, span.end_time_unix_nano
        traces.setdefault(span.trace_id, []).append(Stored(span.span_id, span.name, start, end, attributes, status))
    return list(traces.values())


def row(spans: list[Stored]) -> dict[str, object]:
    """The trace in the list: named and tagged by its earliest span (`argMin`), its state that of the latest.

    `API/api/models/traces.py`, TraceSummaryModel and TraceListMetricsModel; the warning is
    `app/dashboard/app/(with-layout)/traces/_components/trace-drilldown-drawer.tsx`.
    """
    first, last = spans[0], spans[-1]
    seen = {
        "name": first.name,
        "tags": first.tags,
        "spans": len(spans),
        "errors": sum(outcome(span.status) == "fail" for span in spans),
        "state": outcome(last.status),
        "cost": str(sum((span.cost for span in spans), Decimal())),
        "warning": len(spans) == 1 and first.name.endswith(".session"),
    }
    return {key: value for key, value in seen.items() if value not in (0, [], "0", False)}


def counts(spans: list[Stored]) -> dict[str, int]:
    """How many spans of a trace are a success, a fail and indeterminate: TraceMetricsMixin."""
    return dict(Counter(outcome(span.status) for span in spans))


def bars(spans: list[Stored]) -> list[str]:
    """The bars of the trace's waterfall, as `type: label`."""
    return [str(show(span.name, span.attributes, span.status)["bar"]) for span in spans]


def summary(spans: list[Stored]) -> dict[str, object]:
    """The trace in the public API: `API/public/v1/traces.py`, TraceResponse."""
    told = [{"span_name": span.name, "status_code": span.status.status_code.name} for span in spans]
    return {"tags": spans[0].tags, "spans": told}
