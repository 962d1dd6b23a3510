"""Spans as a tree, and its totals: one implementation for the terminal, command line, page and tests."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import orjson
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from agentops_otel import semconv
from agentops_otel.view import cost

Number = TypeVar("Number", int, float)
Role = Literal["llm", "tool", "agent", "workflow", "action", "other"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """A span and the spans under it, in the order they started."""

    span: ReadableSpan
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """The node and all under it, parents first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The totals of one tree or several."""

    duration_ns: int = 0
    """From the first start to the last end."""
    spans: int = 0
    llm_calls: int = 0
    input_tokens: int | None = None
    """None when no call states its usage."""
    output_tokens: int | None = None
    tools: int = 0
    actions: int = 0
    errors: int = 0
    """Errors by their origin: an exception that passes through five spans counts once."""
    cost_usd: float | None = None
    """None when no price is known."""

    def __add__(self, other: "Summary") -> "Summary":
        """The totals of both."""
        both = (self, other)
        return Summary(
            duration_ns=self.duration_ns + other.duration_ns,
            spans=self.spans + other.spans,
            llm_calls=self.llm_calls + other.llm_calls,
            input_tokens=added(one.input_tokens for one in both),
            output_tokens=added(one.output_tokens for one in both),
            tools=self.tools + other.tools,
            actions=self.actions + other.actions,
            errors=self.errors + other.errors,
            cost_usd=added(one.cost_usd for one in both),
        )


def build(spans: Iterable[ReadableSpan]) -> list[Node]:
    """The roots in the order they started, each with its children in the order they started.

    A span whose parent is not among the spans is a root. A span given twice appears once.

    Example:
        ```python
        for root in build(spans):
            print(root.span.name, len(root.children))
        ```
    """
    nodes = {key_of(span): Node(span=span) for span in sorted(spans, key=lambda span: span.start_time or 0)}
    roots: list[Node] = []
    for node in nodes.values():
        parent = nodes.get(_parent_key(node.span))
        (parent.children if parent else roots).append(node)
    _cut_circles(nodes, roots)
    return roots


def by_trace(spans: Iterable[ReadableSpan]) -> list[list[Node]]:
    """The roots of each trace, in the order the traces started."""
    traces: dict[str, list[Node]] = {}
    for root in build(spans):
        traces.setdefault(trace_id(root.span), []).append(root)
    return list(traces.values())


def summarize(roots: Sequence[Node], *, wait: bool = True) -> Summary:
    """The totals of the trees. Of nested LLM calls (one client library over another) only the outer counts.

    With *wait* False there is no cost until another thread has imported the price list.
    """
    nodes, calls = [node for root in roots for node in root.walk()], list(_calls(roots))
    roles = Counter(role(node.span) for node in nodes)
    costs = (cost.cost_of(call, wait=wait) for call in calls)
    return Summary(
        duration_ns=duration_ns([node.span for node in nodes]),
        spans=len(nodes),
        llm_calls=len(calls),
        input_tokens=added(tokens(call)[0] for call in calls),
        output_tokens=added(tokens(call)[1] for call in calls),
        tools=roles["tool"],
        actions=roles["action"],
        errors=sum(is_origin(node) for node in nodes),
        cost_usd=added(costs),
    )


def added(values: Iterable[Number | None]) -> Number | None:
    """The sum of the values that are known; None if none is."""
    present = [value for value in values if value is not None]
    return sum(present[1:], present[0]) if present else None


def role(span: ReadableSpan) -> Role:
    """The role of the span, read from its attributes."""
    return role_of(span.attributes or {})


def role_of(attributes: Mapping[str, Any]) -> Role:
    """The role of a span with these attributes."""
    operation = attributes.get(semconv.GEN_AI_OPERATION_NAME)
    if operation is not None:
        return semconv.OPERATION_ROLES.get(str(operation), "other")
    ours = semconv.OPERATION_NAME in attributes or semconv.AGENTOPS_SPAN_KIND in attributes
    return "action" if ours else "other"


def tokens(span: ReadableSpan) -> tuple[int | None, int | None]:
    """The input and the output tokens that the span states."""
    return tokens_of(span.attributes or {})


def tokens_of(attributes: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """The input and the output tokens that these attributes of a span state."""
    values = (attributes.get(name) for name in (semconv.GEN_AI_USAGE_INPUT_TOKENS, semconv.GEN_AI_USAGE_OUTPUT_TOKENS))
    first, second = (value if isinstance(value, int) else None for value in values)
    return first, second


def asked(node: Node) -> str:
    """The prompt of the tree's first LLM call: the text of its newest user message; empty if none is recorded."""
    for below in node.walk():
        messages = (below.span.attributes or {}).get(semconv.GEN_AI_INPUT_MESSAGES)
        if isinstance(messages, str):
            with suppress(
                ValueError, TypeError, LookupError, AttributeError
            ):  # another library's span, or one from a file
                return next(_texts(orjson.loads(messages)))
    return ""


def _texts(messages: list[dict[str, Any]]) -> Iterator[str]:
    for message in reversed(messages):
        if message.get("role") == "user":
            yield from (part["content"] for part in message["parts"] if isinstance(part.get("content"), str))
    yield ""


def error_of(span: ReadableSpan) -> str | None:
    """The error of the span as one text; None if it did not fail."""
    if span.status.status_code is not StatusCode.ERROR:
        return None
    kind = str((span.attributes or {}).get(semconv.ERROR_TYPE, ""))
    text = span.status.description or ""
    return text if not kind or kind in text else f"{kind}: {text}" if text else kind


def is_origin(node: Node) -> bool:
    """True for a failed span none of whose children has the same error."""
    error = error_of(node.span)
    return error is not None and all(error_of(child.span) != error for child in node.children)


def trace_id(span: ReadableSpan) -> str:
    """The id of the span's trace: 32 hex digits."""
    return f"{key_of(span)[0]:032x}"


def duration_ns(spans: Sequence[ReadableSpan]) -> int:
    """From the first start to the last end, in nanoseconds."""
    starts = [span.start_time for span in spans if span.start_time is not None]
    ends = [span.end_time for span in spans if span.end_time is not None]
    return max(max(ends) - min(starts), 0) if starts and ends else 0


def key_of(span: ReadableSpan) -> tuple[int, int]:
    """The identity of the span: its trace id and span id."""
    context = span.get_span_context()
    return (context.trace_id, context.span_id) if context else (0, id(span))


def _parent_key(span: ReadableSpan) -> tuple[int, int]:
    return (key_of(span)[0], span.parent.span_id) if span.parent else (0, 0)


def _cut_circles(nodes: dict[tuple[int, int], Node], roots: list[Node]) -> None:
    """Make roots of spans that are their own ancestors, as a damaged file may have."""
    reached = {id(node) for root in roots for node in root.walk()}
    for node in nodes.values():
        if id(node) not in reached:
            nodes[_parent_key(node.span)].children.remove(node)
            roots.append(node)
            reached.update(id(below) for below in node.walk())


def _calls(roots: Sequence[Node]) -> Iterator[ReadableSpan]:
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if role(node.span) == "llm":
            yield node.span
        else:
            waiting.extend(node.children)
