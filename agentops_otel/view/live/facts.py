"""Rows about a run and its steps, and words for the search, from spans. Pure functions."""

from collections.abc import Iterable, Sequence

import orjson
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel import semconv
from agentops_otel.view.cost import cost_of
from agentops_otel.view.format import model_of
from agentops_otel.view.live.totals import Step
from agentops_otel.view.tree import Node, duration_ns, error_of, role, summarize, tokens

LISTS = ("tags", "models", "tool_names", "agents")
"""Columns of a run that hold several values."""
_CACHED, _TOOL, _AGENT = (
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    semconv.GEN_AI_TOOL_NAME,
    semconv.GEN_AI_AGENT_NAME,
)
_KINDS = {"llm": "model", "tool": "tool", "agent": "agent"}


def run_row(roots: Sequence[Node]) -> dict[str, object]:
    """The columns of a run: the first root names it."""
    first, total = roots[0].span, summarize(roots)
    spans = sorted((node.span for root in roots for _, node in root.walk()), key=lambda span: span.start_time or 0)
    attributes = [span.attributes or {} for span in spans]
    cached = [tokens for value in attributes if isinstance(tokens := value.get(_CACHED), int)]
    return {
        "start": first.start_time or 0,
        "duration": total.duration_ns,
        "name": first.name,
        "service": str(first.resource.attributes.get(semconv.SERVICE_NAME, "")),
        "session": str((first.attributes or {}).get(semconv.SESSION_ID, "")),
        "spans": total.spans,
        "llm_calls": total.llm_calls,
        "tools": total.tools,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cached_tokens": sum(cached) if cached else None,
        "cost": total.cost_usd,
        "errors": total.errors,
        "tags": _json(tag for value in attributes for tag in _texts(value.get(semconv.AGENTOPS_TAGS))),
        "models": _json(model for span in spans if role(span) == "llm" and (model := model_of(span))),
        "tool_names": _json(str(value[_TOOL]) for value in attributes if _TOOL in value),
        "agents": _json(str(value[_AGENT]) for value in attributes if _AGENT in value),
    }


def steps(roots: Sequence[Node]) -> list[Step]:
    """The LLM calls, tools and agents; of nested LLM calls the outer. A call's usage is also its tool's and agent's."""
    made: list[Step] = []
    waiting: list[tuple[Node, dict[str, Step]]] = [(root, {}) for root in roots]
    while waiting:
        node, above = waiting.pop()
        kind = _KINDS.get(role(node.span))
        if kind is not None and not (kind == "model" and kind in above):
            made.append(step := _step(kind, node.span))
            if kind == "model":
                for one in above.values():
                    one.add(step)
            above = {**above, kind: step}
        waiting.extend((child, above) for child in node.children)
    return made


def _step(kind: str, span: ReadableSpan) -> Step:
    attributes = span.attributes or {}
    names = {"model": model_of(span), "tool": attributes.get(_TOOL), "agent": attributes.get(_AGENT)}
    step = Step(kind=kind, name=str(names[kind] or span.name), duration=duration_ns([span]), failed=_failed(span))
    if kind == "model":
        (step.input_tokens, step.output_tokens), step.cost = tokens(span), cost_of(span)
    return step


def _failed(span: ReadableSpan) -> bool:
    return error_of(span) is not None


def shown(span: ReadableSpan) -> dict[str, object]:
    """A span as the page reads it. Times are nanoseconds since the epoch, as text: JavaScript would round numbers."""
    context = span.get_span_context()
    return {
        "id": f"{context.span_id:016x}" if context else "",
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "role": role(span),
        "start": str(span.start_time or 0),
        "end": str(span.end_time or 0),
        "error": error_of(span),
        "message": span.status.description,
        "model": model_of(span),
        "cost": cost_of(span) if role(span) == "llm" else None,
        "attributes": dict(span.attributes or {}),
        "events": [{"name": event.name, "attributes": dict(event.attributes or {})} for event in span.events],
    }


def words(span: ReadableSpan) -> str:
    """The searched text of a span: its name, its error, and every text in its attributes and events."""
    said = [span.attributes or {}, *(event.attributes or {} for event in span.events)]
    texts = [text for one in said for value in one.values() for text in _texts(value)]
    return "\n".join([span.name, span.status.description or "", *texts])


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, tuple | list) else (value,)
    return [one for one in values if isinstance(one, str)]


def _json(values: Iterable[str]) -> str:
    return orjson.dumps(list(dict.fromkeys(values))).decode()
