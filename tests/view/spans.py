"""Finished spans as an agent leaves them, with ids and times that count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

MS = 1_000_000
START = 1_700_000_000_000_000_000
SCOPE = InstrumentationScope("agentops_otel", "0.1.0", "https://opentelemetry.io/schemas/1.41.0")
RESOURCE = Resource({"service.name": "bot", "process.pid": 7})

ACTION = {"agentops.span.kind": "action", "operation.name": "plan"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
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
