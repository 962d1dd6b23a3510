"""Rows about a run and its steps, and words for the search, from spans. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import orjson
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel import semconv
from agentops_otel.view.cost import cost_of
from agentops_otel.view.format import model_of
from agentops_otel.view.live.totals import Step
from agentops_otel.view.tree import Node, added, duration_ns, error_of, is_origin, role, tokens

LISTS = ("tags", "models", "tool_names", "agents")
"""Columns of a run that hold several values."""
_CACHED, _TOOL, _AGENT = (
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    semconv.GEN_AI_TOOL_NAME,
    semconv.GEN_AI_AGENT_NAME,
)
_KINDS = {"llm": "model", "tool": "tool", "agent": "agent"}
_COUNTED = (
    *(semconv.GEN_AI_OPERATION_NAME, semconv.OPERATION_NAME, semconv.AGENTOPS_SPAN_KIND, semconv.ERROR_TYPE),
    *(semconv.GEN_AI_REQUEST_MODEL, semconv.GEN_AI_RESPONSE_MODEL, _TOOL, _AGENT),
    *(semconv.GEN_AI_USAGE_INPUT_TOKENS, semconv.GEN_AI_USAGE_OUTPUT_TOKENS, _CACHED),
    *(semconv.SESSION_ID, semconv.AGENTOPS_TAGS),
)
"""The attributes that the rows are made of."""


def span_id(span: ReadableSpan) -> str:
    """The id of the span: 16 hex digits; empty if it has none."""
    context = span.get_span_context()
    return f"{context.span_id:016x}" if context else ""


def call_cost(span: ReadableSpan) -> float | None:
    """The cost in USD of the LLM call that the span is; None if it is none, or its price is not known."""
    return cost_of(span) if role(span) == "llm" else None


def brief(span: ReadableSpan) -> ReadableSpan:
    """The span without its content: all that the rows are made of."""
    attributes = span.attributes or {}
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=_resource(_service(span)),
        attributes={name: attributes[name] for name in _COUNTED if name in attributes},
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
    )


def run_row(roots: Sequence[Node], steps: Sequence[Step]) -> dict[str, object]:
    """The columns of a run, from its spans and its steps: the first root names it."""
    nodes, first = [node for root in roots for node in root.walk()], roots[0].span
    spans = sorted((node.span for node in nodes), key=lambda span: span.start_time or 0)
    calls = [step for step in steps if step.kind == "model"]
    attributes = [span.attributes or {} for span in spans]
    cached = [tokens for value in attributes if isinstance(tokens := value.get(_CACHED), int)]
    return {
        "start": first.start_time or 0,
        "duration": duration_ns(spans),
        "name": first.name,
        "service": _service(first),
        "session": str((first.attributes or {}).get(semconv.SESSION_ID, "")),
        "spans": len(spans),
        "llm_calls": len(calls),
        "tools": Counter(map(role, spans))["tool"],
        "input_tokens": added(call.input_tokens for call in calls),
        "output_tokens": added(call.output_tokens for call in calls),
        "cached_tokens": sum(cached) if cached else None,
        "cost": added(call.cost for call in calls),
        "errors": sum(map(is_origin, nodes)),
        "tags": _json(tag for value in attributes for tag in _texts(value.get(semconv.AGENTOPS_TAGS))),
        "models": _json(model for span in spans if role(span) == "llm" and (model := model_of(span))),
        "tool_names": _json(str(value[_TOOL]) for value in attributes if _TOOL in value),
        "agents": _json(str(value[_AGENT]) for value in attributes if _AGENT in value),
    }


def _service(span: ReadableSpan) -> str:
    return str(span.resource.attributes.get(semconv.SERVICE_NAME, ""))


@lru_cache
def _resource(service: str) -> Resource:
    # One for all spans of a service: each that was read has its own.
    return Resource({semconv.SERVICE_NAME: service})


def steps(roots: Sequence[Node], costs: Mapping[str, float | None]) -> list[Step]:
    """The LLM calls, tools and agents; of nested LLM calls the outer. A call's usage is also its tool's and agent's.

    *costs* has the cost of each call by the id of its span.
    """
    made: list[Step] = []
    waiting: list[tuple[Node, dict[str, Step]]] = [(root, {}) for root in roots]
    while waiting:
        node, above = waiting.pop()
        kind = _KINDS.get(role(node.span))
        if kind is not None and not (kind == "model" and kind in above):
            made.append(step := _step(kind, node.span, costs))
            if kind == "model":
                for one in above.values():
                    one.add(step)
            above = {**above, kind: step}
        waiting.extend((child, above) for child in node.children)
    return made


def _step(kind: str, span: ReadableSpan, costs: Mapping[str, float | None]) -> Step:
    attributes = span.attributes or {}
    names = {"model": model_of(span), "tool": attributes.get(_TOOL), "agent": attributes.get(_AGENT)}
    step = Step(kind=kind, name=str(names[kind] or span.name), duration=duration_ns([span]), failed=_failed(span))
    if kind == "model":
        (step.input_tokens, step.output_tokens), step.cost = tokens(span), costs.get(span_id(span))
    return step


def _failed(span: ReadableSpan) -> bool:
    return error_of(span) is not None


def shown(span: ReadableSpan, cost: float | None) -> dict[str, object]:
    """A span as the page reads it. Times are nanoseconds since the epoch, as text: JavaScript would round numbers."""
    return {
        "id": span_id(span),
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "role": role(span),
        "start": str(span.start_time or 0),
        "end": str(span.end_time or 0),
        "error": error_of(span),
        "message": span.status.description,
        "model": model_of(span),
        "cost": cost,
        "attributes": dict(span.attributes or {}),
        "events": [{"name": event.name, "attributes": dict(event.attributes or {})} for event in span.events],
    }


def words(span: ReadableSpan) -> str:
    """The searched text of a span: its name, its error, and every text in its attributes and events."""
    sources = [span.attributes or {}, *(event.attributes or {} for event in span.events)]
    texts = [text for attributes in sources for value in attributes.values() for text in _texts(value)]
    return "\n".join([span.name, span.status.description or "", *texts])


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, tuple | list) else (value,)
    return [one for one in values if isinstance(one, str)]


def _json(values: Iterable[str]) -> str:
    return orjson.dumps(list(dict.fromkeys(values))).decode()
