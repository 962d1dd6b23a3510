"""Finished spans as an agent leaves them, with ids and times that count."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

MS = 1_000_000
START = 1_700_000_000_000_000_000
SCOPE = InstrumentationScope("agentops_otel", "0.1.0", "https://opentelemetry.io/schemas/1.41.0")
RESOURCE = Resource({"service.name": "bot", "process.pid": 7})

ACTION = {"agentops.span.kind": "action", "operation.name": "plan"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "travel"}
WORKFLOW = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "research"}
CHAT: Mapping[str, AttributeValue] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 180,
}


@dataclass(slots=True)
class Trace:
    """Makes the spans of one trace; the times are milliseconds after its start."""

    trace_id: int = 1
    ids: "count[int]" = field(default_factory=lambda: count(1))

    def span(
        self,
        name: str,
        start: float = 0,
        end: float = 10,
        *,
        under: ReadableSpan | SpanContext | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        error: str | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        events: Sequence[Event] = (),
        links: Sequence[Link] = (),
    ) -> ReadableSpan:
        """A span that has ended."""
        return ReadableSpan(
            name=name,
            context=self.context(next(self.ids)),
            parent=under.get_span_context() if isinstance(under, ReadableSpan) else under,
            resource=RESOURCE,
            attributes={**(attributes or {}), **({"error.type": error.split(":")[0]} if error else {})},
            kind=kind,
            events=events,
            links=links,
            status=Status(StatusCode.ERROR, error) if error else Status(),
            start_time=START + int(start * MS),
            end_time=START + int(end * MS),
            instrumentation_scope=SCOPE,
        )

    def context(self, span_id: int, *, is_remote: bool = False) -> SpanContext:
        """The identity of a span of this trace."""
        return SpanContext(self.trace_id, span_id, is_remote, TraceFlags(TraceFlags.SAMPLED))


def research() -> list[ReadableSpan]:
    """A run in which a tool fails and is handled; in the order the spans ended."""
    trace = Trace()
    root = trace.span("invoke_workflow research", 0, 1240, attributes=WORKFLOW)
    plan = trace.span("plan", 1, 900, under=root, attributes=ACTION)
    chat = trace.span("chat gpt-4o", 2, 822, under=plan, attributes=CHAT, kind=SpanKind.CLIENT)
    search = trace.span("execute_tool search", 901, 904, under=root, attributes=TOOL, error="ValueError: no such page")
    return [chat, plan, search, root]


def conversation() -> list[ReadableSpan]:
    """A run that asks a model twice, with two tools between: the second question repeats the first dialogue."""
    trace = Trace(2)
    question = said(
        "user", text("Weather?"), {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 48213}
    )
    calls = [
        {"type": "tool_call", "id": f"c{n}", "name": "weather", "arguments": {"city": city}}
        for n, city in enumerate(("Oslo", "Rome"))
    ]
    wish = said("assistant", {"type": "reasoning", "content": "I need two."}, *calls)
    answers = [
        said("tool", {"type": "tool_call_response", "id": f"c{n}", "response": sky})
        for n, sky in enumerate(("snow", "sun"))
    ]
    end = said("assistant", text("Oslo: snow. Rome: sun."))
    rules = {"gen_ai.system_instructions": json.dumps([text("Be brief.")])}
    root = trace.span(
        "invoke_agent travel",
        0,
        2100,
        attributes=AGENT,
    )
    first = {
        **CHAT,
        **rules,
        "gen_ai.input.messages": json.dumps([question]),
        "gen_ai.output.messages": json.dumps([wish]),
    }
    then = {
        **CHAT,
        **rules,
        "gen_ai.input.messages": json.dumps([question, wish, *answers]),
        "gen_ai.output.messages": json.dumps([end]),
    }
    tool = {**TOOL, "gen_ai.tool.name": "weather", "gen_ai.tool.call.id": "c1"}
    return [
        root,
        trace.span("chat gpt-4o", 5, 900, under=root, attributes=first),
        trace.span("execute_tool weather", 905, 1100, under=root, attributes=tool, error="TimeoutError: late"),
        trace.span("chat gpt-4o", 1260, 2095, under=root, attributes=then),
    ]


def said(role: str, *parts: Mapping[str, object]) -> dict[str, object]:
    """A message."""
    return {"role": role, "parts": parts}


def text(content: str) -> dict[str, object]:
    """A part of a message."""
    return {"type": "text", "content": content}


def over_its_limits() -> ReadableSpan:
    """A span of the SDK that has dropped attributes, an event and a link, and these an attribute each."""
    limits = SpanLimits(max_span_attributes=1, max_events=1, max_links=1, max_event_attributes=1, max_link_attributes=1)
    tracer = TracerProvider(span_limits=limits, shutdown_on_exit=False).get_tracer("t", "1", "https://s", {"x": 1.5})
    links = [Link(SpanContext(3, n, is_remote=True), {"a": 1, "b": 2}) for n in (4, 5)]
    span = tracer.start_span("limited", attributes={"a": 1, "b": 2}, links=links)
    span.add_event("e", {"a": 1, "b": 2})
    span.add_event("f", {"a": 1, "b": 2})
    span.end()
    assert isinstance(span, ReadableSpan)
    return span
