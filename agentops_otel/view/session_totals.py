"""The totals of each running session, counted span by span: a session may last for days."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.launcher import Report
from agentops_otel.tracing import CallForm, Ids, ids_of, parts_of_call
from agentops_otel.tracing.at_fork import at_fork
from agentops_otel.view import cost, tree

PRICED_TOGETHER = 1_000
"""Different calls after which they are priced and removed: a process may make calls for weeks."""
SESSIONS = 1_000
"""Sessions counted at a time; beyond that the oldest is dropped."""

_PricedBy = tuple[tuple[str, AttributeValue], ...]
"""The attributes that a call's price depends on."""
_Call = tuple[int | None, int | None, _PricedBy]
"""An LLM call: its input tokens, its output tokens, and what prices it."""


@dataclass(slots=True)
class _Count:
    """The totals of one session."""

    roles: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    traces: int = 0
    joined: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    calls: Counter[_PricedBy] = field(default_factory=Counter)
    """LLM calls that are not priced yet, by the attributes that price them: the price list is slow to import."""
    failed_below: dict[int, str] = field(default_factory=dict)
    """Id of an open span -> the error of its child."""


class SessionTotals(SpanProcessor):
    """Counts the spans that end by `session.id` and, separately, by `gen_ai.conversation.id`."""

    def __init__(self) -> None:
        self._reset()
        at_fork(after_in_child=self._reset)  # another thread of the parent may hold the lock

    def _reset(self) -> None:
        self._counts: dict[str, _Count] = {}
        self._process = _Count()
        self._lock = threading.RLock()

    def on_end(self, span: ReadableSpan) -> None:
        """Called by the provider when a span has ended."""
        if (parts := parts_of_call(span)) is not None:
            form, _, ids = parts
            attributes: Mapping[str, Any] = form.values
            (role, sessions), error = form.once(_about_call), None
        else:
            ids = ids_of(span)
            attributes = span.attributes or {}
            (role, sessions), error = _about(attributes), tree.error_of(span)
        call = _call(attributes) if role == "llm" else None
        with self._lock:
            _add(self._process, ids, role, error, call)
            for session_id in sessions:
                _add(self._count_of(session_id), ids, role, error, call)

    def _count_of(self, session_id: str) -> _Count:
        count = self._counts.get(session_id)
        if count is None:
            count = self._counts[session_id] = _Count()
            if len(self._counts) > SESSIONS:
                del self._counts[next(iter(self._counts))]
        return count

    def pop(self, session_id: str, duration_ns: int) -> tree.Summary:
        """The totals of the session, which is dropped."""
        with self._lock:
            return _summary(self._counts.pop(session_id, _Count()), duration_ns)

    def get(self, session_id: str, duration_ns: int) -> tree.Summary:
        """The totals of the session so far."""
        with self._lock:
            return _summary(self._counts.get(session_id, _Count()), duration_ns)

    def report(self, report: Report) -> Report:
        """The report of this process with its totals."""
        with self._lock:
            count = self._process
            _price(count)
        return report._replace(
            traces=count.traces,
            joined=count.joined,
            llm_calls=count.roles["llm"],
            input_tokens=count.input_tokens,
            output_tokens=count.output_tokens,
            errors=count.errors,
            cost_usd=count.cost_usd,
            unpriced=[(dict(call), times) for call, times in count.calls.items()],
        )


def _summary(count: _Count, duration_ns: int) -> tree.Summary:
    _price(count)
    return tree.Summary(
        duration_ns=duration_ns,
        spans=count.roles.total(),
        llm_calls=count.roles["llm"],
        input_tokens=count.input_tokens,
        output_tokens=count.output_tokens,
        tools=count.roles["tool"],
        actions=count.roles["action"],
        errors=count.errors,
        cost_usd=count.cost_usd,
    )


def _about(attributes: Mapping[str, Any]) -> tuple[tree.Role, list[str]]:
    """The role of a span, and the sessions that it belongs to."""
    keys = {attributes.get(semconv.SESSION_ID), attributes.get(semconv.GEN_AI_CONVERSATION_ID)}
    return tree.role_of(attributes), [key for key in keys if isinstance(key, str)]


def _about_call(form: CallForm) -> tuple[tree.Role, list[str]]:
    return _about(form.values)


def _call(attributes: Mapping[str, Any]) -> _Call:
    return *tree.tokens_of(attributes), tuple(cost.price_attributes(attributes).items())


def _add(count: _Count, ids: Ids, role: tree.Role, error: str | None, call: _Call | None) -> None:
    count.roles[role] += 1
    if call is not None:
        used_in, used_out, priced_by = call
        if used_in is not None:
            count.input_tokens = (count.input_tokens or 0) + used_in
        if used_out is not None:
            count.output_tokens = (count.output_tokens or 0) + used_out
        count.calls[priced_by] += 1
        if len(count.calls) >= PRICED_TOGETHER:
            _price(count)
            if cost.is_loaded():
                count.calls.clear()
    _, span_id, _, parent_id, is_remote = ids
    if parent_id is None:
        count.traces += 1
    elif is_remote:
        count.joined += 1
    # An error is counted at the innermost span only, not again in the spans that it passes through.
    below = count.failed_below.pop(span_id, None) if count.failed_below else None
    if error is not None:
        count.errors += error != below
        if parent_id is not None and not is_remote:
            count.failed_below[parent_id] = error


def _price(count: _Count) -> None:
    """Price the calls whose price is known by now, and drop them."""
    for call, times in list(count.calls.items()):
        usd = cost.price(dict(call), wait=False)
        if usd is not None:
            count.cost_usd = tree.added([count.cost_usd, usd * times])
            del count.calls[call]
