"""A span of each kind, to be translated for AgentOps."""

import json
from collections.abc import Mapping

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("test")
GENERAL: Mapping[str, AttributeValue] = {
    "session.id": "s1",
    "gen_ai.conversation.id": "c1",
}
CHAT: Mapping[str, AttributeValue] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 20,
    "gen_ai.usage.output_tokens": 5,
}


def span(
    name: str,
    attributes: Mapping[str, AttributeValue],
    *,
    error: str | None = None,
    parent: bool | None = False,
    kind: SpanKind = SpanKind.INTERNAL,
) -> ReadableSpan:
    """An ended span; *parent* is None for a root, else whether the parent is remote."""
    above = SpanContext(1, 2, is_remote=bool(parent), trace_flags=TraceFlags(1))
    context = None if parent is None else set_span_in_context(NonRecordingSpan(above))
    made = TRACER.start_span(name, context, kind=kind, attributes={**GENERAL, **attributes})
    if error is not None:
        made.set_status(StatusCode.ERROR, error)
    made.end()
    assert isinstance(made, ReadableSpan)
    return made


def messages(*given: object) -> str:
    """Messages as a span maker writes them."""
    return json.dumps(given)


def said(role: str, *parts: Mapping[str, object], **more: object) -> dict[str, object]:
    """One message of the conventions."""
    return {"role": role, "parts": list(parts), **more}


def text(content: str) -> dict[str, object]:
    """A part that is text."""
    return {"type": "text", "content": content}


SPANS = {
    "session": lambda: span(
        "invoke_workflow nightly",
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "nightly",
            "agentops.span.kind": "session",
            "agentops.usage.cost": 0.5,
            "agentops.tags": ("nightly", "db"),
        },
        parent=None,
    ),
    "action": lambda: span(
        "search",
        {
            "agentops.span.kind": "operation",
            "operation.name": "search",
            "agentops.entity.input": '{"query": "oslo", "limit": 3}',
            "agentops.entity.output": '"found"',
            "gen_ai.agent.name": "Planner",
            "gen_ai.agent.id": "a1",
        },
    ),
    "task": lambda: span("load", {"agentops.span.kind": "task", "agentops.entity.input": '["a.csv"]'}),
    "failed action": lambda: span(
        "search", {"agentops.span.kind": "operation", "error.type": "ValueError"}, error="no such table"
    ),
    "tool": lambda: span(
        "execute_tool weather",
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.call.id": "t1",
            "gen_ai.tool.call.arguments": '{"city": "Oslo"}',
            "gen_ai.tool.call.result": '"rain"',
            "gen_ai.agent.name": "Planner",
        },
    ),
    "failed tool": lambda: span(
        "execute_tool weather",
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "error.type": "TimeoutError"},
        error="too slow",
    ),
    "tool that costs": lambda: span(
        "execute_tool search",
        {"agentops.usage.cost": 0.01, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"},
    ),
    "tool told as a step": lambda: span(
        "weather",
        {
            "agentops.span.kind": "tool",
            "operation.name": "weather",
            "agentops.entity.input": '{"args": ["Oslo"], "kwargs": {}}',
            "agentops.entity.output": '"rain"',
        },
    ),
    "agent": lambda: span(
        "invoke_agent Planner",
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "Planner",
            "gen_ai.tool.definitions": "[]",
            "gen_ai.usage.input_tokens": 900,
        },
    ),
    "agent with an id": lambda: span(
        "invoke_agent Planner",
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Planner", "gen_ai.agent.id": "a1"},
    ),
    "workflow": lambda: span(
        "invoke_workflow taskweaver",
        {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "taskweaver", "taskweaver.round.id": "r1"},
    ),
    "guardrail": lambda: span("is_polite", {"agentops.span.kind": "guardrail"}),
    "chat": lambda: span(
        "chat gpt-4o",
        {
            **CHAT,
            "gen_ai.usage.cache_read.input_tokens": 12,
            "gen_ai.usage.reasoning.output_tokens": 2,
            "agentops.usage.cost": 0.000125,
            "gen_ai.agent.name": "Planner",
            "gen_ai.system_instructions": json.dumps([text("Be brief.")]),
            "gen_ai.input.messages": messages(
                said("user", text("Weather in Oslo?")),
                said("assistant", {"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": "Oslo"}}),
                said("tool", {"type": "tool_call_response", "id": "t1", "response": {"sky": "rain"}}),
            ),
            "gen_ai.output.messages": messages(said("assistant", text("Rain."), finish_reason="stop")),
        },
        kind=SpanKind.CLIENT,
    ),
    "chat that calls tools": lambda: span(
        "chat gpt-4o",
        {
            **CHAT,
            "gen_ai.response.finish_reasons": ("tool_call",),
            "gen_ai.output.messages": messages(
                said(
                    "assistant",
                    text("I look it up."),
                    {"type": "tool_call", "id": "t1", "name": "weather", "arguments": '{"city": "Oslo"}'},
                    {"type": "tool_call", "id": "t2", "name": "clock"},
                ),
            ),
        },
        kind=SpanKind.CLIENT,
    ),
    "chat that was cut": lambda: span(
        "chat gpt-4o",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.output.messages": messages(said("assistant", {"type": "tool_call", "name": "clock"})),
            "error.type": "openai.APIConnectionError",
        },
        error="connection reset",
        kind=SpanKind.CLIENT,
    ),
    "chat without content": lambda: span("chat gpt-4o", CHAT, kind=SpanKind.CLIENT),
    "embeddings": lambda: span(
        "embeddings text-embedding-3-small",
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": 8,
        },
        kind=SpanKind.CLIENT,
    ),
    "step of somebody's": lambda: span("taskweaver.kernel.start", {"taskweaver.kernel.mode": "local"}),
    "somebody else's": lambda: span("GET", {"http.request.method": "GET"}, kind=SpanKind.CLIENT),
}
