"""What a span becomes for AgentOps is judged by what its API and dashboard would show of it."""

import json
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import (
    SpanKind,
    StatusCode,
)
from opentelemetry.util.types import AttributeValue

from agentops_otel.content import Content
from agentops_otel.export.agentops_messages import completions, prompts
from agentops_otel.export.agentops_names import translate
from tests.export.agentops_spans import CHAT, SPANS, messages, said, span, text
from tests.loopback.agentops_dashboard import show

SHOWN = snapshot(
    {
        "session": {
            "name": "nightly.session",
            "header": "Session: nightly",
            "bar": "session: nightly",
            "type": "other",
            "outcome": "success",
            "tags": ["nightly", "db"],
        },
        "action": {
            "name": "search.operation",
            "header": "Operation: search",
            "bar": "operation: search",
            "type": "other",
            "outcome": "success",
            "step": {"name": "search", "args": [], "kwargs": {"query": "oslo", "limit": 3}, "output": "found"},
        },
        "task": {
            "name": "load.task",
            "header": "Task: load",
            "bar": "task: load",
            "type": "other",
            "outcome": "success",
            "step": {"name": "load.task", "args": ["a.csv"], "kwargs": {}, "output": None},
        },
        "failed action": {
            "name": "search.operation",
            "header": "Operation: search",
            "bar": "error: no such table",
            "type": "other",
            "outcome": "fail",
        },
        "tool": {
            "name": "weather.tool",
            "header": "Tool: weather",
            "bar": "tool: weather",
            "type": "tool",
            "outcome": "success",
            "counts as": ["tool call"],
            "tool": {"name": "weather", "parameters": '{"city": "Oslo"}', "result": "rain", "status": "succeeded"},
        },
        "failed tool": {
            "name": "weather.tool",
            "header": "Tool: weather",
            "bar": "error: too slow",
            "type": "tool",
            "outcome": "fail",
            "counts as": ["tool call"],
            "tool": {"name": "weather", "status": "failed", "error": "too slow"},
        },
        "tool told as a step": {
            "name": "weather.tool",
            "header": "Tool: weather",
            "bar": "tool: weather",
            "type": "tool",
            "outcome": "success",
            "counts as": ["tool call"],
            "tool": {
                "name": "weather",
                "parameters": '{"args": ["Oslo"], "kwargs": {}}',
                "result": "rain",
                "status": "succeeded",
            },
        },
        "agent": {
            "name": "Planner.agent",
            "header": "Agent: Planner",
            "bar": "agent: Planner",
            "type": "agent",
            "outcome": "success",
            "agent card": {"id": "Planner", "role": "Planner"},
        },
        "agent with an id": {
            "name": "Planner.agent",
            "header": "Agent: Planner",
            "bar": "agent: Planner",
            "type": "agent",
            "outcome": "success",
            "agent card": {"id": "a1", "role": "Planner"},
        },
        "workflow": {
            "name": "taskweaver.workflow",
            "header": "Workflow: taskweaver",
            "bar": "workflow: taskweaver",
            "type": "other",
            "outcome": "success",
        },
        "guardrail": {
            "name": "is_polite.guardrail",
            "header": "is_polite",
            "bar": "other: is_polite",
            "type": "other",
            "outcome": "success",
        },
        "chat": {
            "name": "chat gpt-4o.llm",
            "header": "LLM: chat gpt-4o",
            "bar": "llm: Rain",
            "type": "request",
            "outcome": "success",
            "counts as": ["llm call"],
            "system": "openai",
            "model": "gpt-4o-2024-08-06",
            "tokens": {
                "prompt_tokens": 20,
                "completion_tokens": 5,
                "cache_read_input_tokens": 12,
                "reasoning_tokens": 2,
                "total": 25,
            },
            "cost": "0.000125",
            "prompts": [
                "system: Be brief.",
                "user: Weather in Oslo?",
                'assistant: weather({"city":"Oslo"})',
                'tool: {"sky":"rain"}',
            ],
            "completions": ["assistant: Rain."],
        },
        "chat that calls tools": {
            "name": "chat gpt-4o.llm",
            "header": "LLM: chat gpt-4o",
            "bar": "llm: I look it up",
            "type": "request",
            "outcome": "success",
            "counts as": ["llm call"],
            "system": "openai",
            "model": "gpt-4o-2024-08-06",
            "tokens": {
                "prompt_tokens": 20,
                "completion_tokens": 5,
                "cache_read_input_tokens": 0,
                "reasoning_tokens": 0,
                "total": 25,
            },
            "completions": ["assistant: I look it up.", "calls weather with {'city': 'Oslo'}", "calls clock with None"],
        },
        "chat without content": {
            "name": "chat gpt-4o.llm",
            "header": "LLM: chat gpt-4o",
            "bar": "llm: chat gpt-4o",
            "type": "request",
            "outcome": "success",
            "counts as": ["llm call"],
            "system": "openai",
            "model": "gpt-4o-2024-08-06",
            "tokens": {
                "prompt_tokens": 20,
                "completion_tokens": 5,
                "cache_read_input_tokens": 0,
                "reasoning_tokens": 0,
                "total": 25,
            },
        },
        "embeddings": {
            "name": "embeddings text-embedding-3-small.llm",
            "header": "LLM: embeddings text-embedding-3-small",
            "bar": "llm: embeddings text-embedding-3-small",
            "type": "request",
            "outcome": "success",
            "counts as": ["llm call"],
            "model": "text-embedding-3-small",
            "tokens": {
                "prompt_tokens": 8,
                "completion_tokens": 0,
                "cache_read_input_tokens": 0,
                "reasoning_tokens": 0,
                "total": 8,
            },
        },
        "somebody else's": {"name": "GET", "header": "GET", "bar": "other: GET", "type": "other", "outcome": "success"},
        "chat that was cut": {
            "name": "chat gpt-4o.llm",
            "header": "LLM: chat gpt-4o",
            "bar": "error: connection reset",
            "type": "request",
            "outcome": "fail",
            "counts as": ["llm call"],
            "model": "gpt-4o",
            "tokens": {
                "prompt_tokens": 0,
                "completion_tokens": 0,
                "cache_read_input_tokens": 0,
                "reasoning_tokens": 0,
                "total": 0,
            },
            "completions": ["calls clock with None"],
        },
        "tool that costs": {
            "name": "search.tool",
            "header": "Tool: search",
            "bar": "tool: search",
            "type": "tool",
            "outcome": "success",
            "counts as": ["llm call", "tool call"],
            "tokens": {
                "prompt_tokens": 0,
                "completion_tokens": 0,
                "cache_read_input_tokens": 0,
                "reasoning_tokens": 0,
                "total": 0,
            },
            "cost": "0.01",
            "tool": {"name": "search", "status": "succeeded"},
        },
        "step of somebody's": {
            "name": "taskweaver.kernel.start.operation",
            "header": "Operation: taskweaver.kernel.start",
            "bar": "operation: taskweaver.kernel.start",
            "type": "other",
            "outcome": "success",
        },
    }
)


@pytest.mark.parametrize("what", SPANS)
def test_every_kind_of_span_is_shown(what: str) -> None:
    """Each kind of span fills the places that the API and the dashboard have for it."""
    shown = show(*translate(SPANS[what]()))

    assert shown == SHOWN[what]


def test_a_chat_has_the_older_names_alone() -> None:
    """An LLM call goes out in the names that are read, each thing once."""
    _, attributes, status = translate(SPANS["chat"]())

    assert status.status_code is StatusCode.OK
    assert attributes == snapshot(
        {
            "session.id": "s1",
            "gen_ai.conversation.id": "c1",
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.prompt_tokens": 20,
            "gen_ai.usage.completion_tokens": 5,
            "gen_ai.usage.cache_read_input_tokens": 12,
            "gen_ai.usage.reasoning_tokens": 2,
            "gen_ai.usage.total_cost": 0.000125,
            "gen_ai.agent.name": "Planner",
            "gen_ai.usage.total_tokens": 25,
            "gen_ai.prompt.0.content": "Be brief.",
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.1.content": "Weather in Oslo?",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.2.content": 'weather({"city":"Oslo"})',
            "gen_ai.prompt.2.role": "assistant",
            "gen_ai.prompt.2.tool_calls.0.id": "t1",
            "gen_ai.prompt.2.tool_calls.0.name": "weather",
            "gen_ai.prompt.2.tool_calls.0.arguments": '{"city":"Oslo"}',
            "gen_ai.prompt.3.content": '{"sky":"rain"}',
            "gen_ai.prompt.3.role": "tool",
            "gen_ai.completion.0.content": "Rain.",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.finish_reason": "stop",
            "agentops.span.kind": "llm",
        }
    )


def test_each_message_keeps_its_role() -> None:
    """Also one that another library names otherwise; without one it is the user's, or the model's."""
    given = [{"role": role, "content": "x"} for role in ("user", "critic")] + [{"content": "x"}]
    told = {name: value for rows in (prompts(given), completions(given, None)) for name, value in rows}

    roles = {name: value for name, value in told.items() if name.endswith(".role")}
    assert roles == snapshot(
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.1.role": "critic",
            "gen_ai.prompt.2.role": "user",
            "gen_ai.completion.0.role": "user",
            "gen_ai.completion.1.role": "critic",
            "gen_ai.completion.2.role": "assistant",
        }
    )


def test_a_tool_has_no_name_of_an_llm_call() -> None:
    """A tool goes out as `tool.*` and as a step, and its agent does not make an agent of it."""
    _, attributes, _ = translate(SPANS["tool"]())

    assert attributes == snapshot(
        {
            "session.id": "s1",
            "conversation.id": "c1",
            "tool.name": "weather",
            "tool.call.id": "t1",
            "tool.parameters": '{"city": "Oslo"}',
            "tool.result": "rain",
            "agent_name": "Planner",
            "operation.name": "weather",
            "agentops.tool.input": '{"args":[],"kwargs":{"city":"Oslo"}}',
            "tool.status": "succeeded",
            "agentops.span.kind": "tool",
        }
    )


NAMES = (
    *("gen_ai.provider.name", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    *("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
    *("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.reasoning.output_tokens", "gen_ai.request.model"),
    *("agentops.usage.cost", "agentops.entity.input", "agentops.entity.output", "agentops.tags"),
    *("gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    *("gen_ai.agent.name", "gen_ai.agent.id", "gen_ai.workflow.name", "agentops.event.logs", "operation.name"),
)


def test_each_name_has_one_that_is_read_or_stays() -> None:
    """By the kind of the span; where a kind has several for one, it has all of them."""

    def told(kind: str, name: str) -> str:
        nothing = translate(span("x", {"agentops.span.kind": kind}))[1]
        something = translate(span("x", {"agentops.span.kind": kind, name: "v"}))[1]
        return " ".join(sorted(something.keys() - nothing.keys()))

    renamed = {
        kind: {name: new for name in NAMES if (new := told(kind, name)) != name}
        for kind in ("llm", "agent", "tool", "operation")
    }
    assert renamed == snapshot(
        {
            "llm": {
                "gen_ai.provider.name": "gen_ai.system",
                "gen_ai.usage.input_tokens": "gen_ai.usage.prompt_tokens",
                "gen_ai.usage.output_tokens": "gen_ai.usage.completion_tokens",
                "gen_ai.usage.cache_read.input_tokens": "gen_ai.usage.cache_read_input_tokens",
                "gen_ai.usage.cache_creation.input_tokens": "gen_ai.usage.cache_creation_input_tokens",
                "gen_ai.usage.cache_write.input_tokens": "gen_ai.usage.cache_creation_input_tokens",
                "gen_ai.usage.reasoning.output_tokens": "gen_ai.usage.reasoning_tokens",
                "agentops.usage.cost": "gen_ai.usage.total_cost",
            },
            "agent": {
                "gen_ai.provider.name": "provider.name",
                "gen_ai.usage.input_tokens": "usage.input_tokens",
                "gen_ai.usage.output_tokens": "usage.output_tokens",
                "gen_ai.usage.cache_read.input_tokens": "usage.cache_read.input_tokens",
                "gen_ai.usage.cache_creation.input_tokens": "usage.cache_creation.input_tokens",
                "gen_ai.usage.cache_write.input_tokens": "usage.cache_write.input_tokens",
                "gen_ai.usage.reasoning.output_tokens": "usage.reasoning.output_tokens",
                "gen_ai.request.model": "request.model",
                "agentops.entity.input": "agentops.agent.input",
                "gen_ai.tool.name": "tool_name",
                "gen_ai.tool.call.id": "tool_call_id",
                "gen_ai.tool.call.arguments": "tool_call_arguments",
                "gen_ai.tool.call.result": "tool_call_result",
                "gen_ai.agent.name": "agent.id agent.name agent.role",
                "gen_ai.agent.id": "agent.id",
                "gen_ai.workflow.name": "workflow.name",
            },
            "tool": {
                "gen_ai.provider.name": "provider.name",
                "gen_ai.usage.input_tokens": "usage.input_tokens",
                "gen_ai.usage.output_tokens": "usage.output_tokens",
                "gen_ai.usage.cache_read.input_tokens": "usage.cache_read.input_tokens",
                "gen_ai.usage.cache_creation.input_tokens": "usage.cache_creation.input_tokens",
                "gen_ai.usage.cache_write.input_tokens": "usage.cache_write.input_tokens",
                "gen_ai.usage.reasoning.output_tokens": "usage.reasoning.output_tokens",
                "gen_ai.request.model": "request.model",
                "agentops.usage.cost": "gen_ai.usage.total_cost",
                "agentops.entity.input": "agentops.tool.input tool.parameters",
                "agentops.entity.output": "tool.result",
                "gen_ai.tool.name": "operation.name tool.name",
                "gen_ai.tool.call.id": "tool.call.id",
                "gen_ai.tool.call.arguments": "agentops.tool.input tool.parameters",
                "gen_ai.tool.call.result": "tool.result",
                "gen_ai.agent.name": "agent_name",
                "gen_ai.agent.id": "agent_id",
                "gen_ai.workflow.name": "workflow.name",
                "operation.name": "operation.name tool.name",
            },
            "operation": {
                "gen_ai.provider.name": "provider.name",
                "gen_ai.usage.input_tokens": "usage.input_tokens",
                "gen_ai.usage.output_tokens": "usage.output_tokens",
                "gen_ai.usage.cache_read.input_tokens": "usage.cache_read.input_tokens",
                "gen_ai.usage.cache_creation.input_tokens": "usage.cache_creation.input_tokens",
                "gen_ai.usage.cache_write.input_tokens": "usage.cache_write.input_tokens",
                "gen_ai.usage.reasoning.output_tokens": "usage.reasoning.output_tokens",
                "gen_ai.request.model": "request.model",
                "gen_ai.tool.name": "tool_name",
                "gen_ai.tool.call.id": "tool_call_id",
                "gen_ai.tool.call.arguments": "tool_call_arguments",
                "gen_ai.tool.call.result": "tool_call_result",
                "gen_ai.agent.name": "agent_name",
                "gen_ai.agent.id": "agent_id",
                "gen_ai.workflow.name": "workflow.name",
            },
        }
    )


@pytest.mark.parametrize(
    ("given", "prompt", "total"),
    [
        ({"gen_ai.response.model": "Claude 4"}, 6, 15),
        ({"gen_ai.request.model": "Claude 4"}, 6, 15),
        ({"gen_ai.provider.name": "anthropic"}, 6, 15),
        ({"gen_ai.provider.name": "openai"}, 10, 15),
        ({"gen_ai.provider.name": "anthropic", "gen_ai.usage.cache_write.input_tokens": 60}, 0, 15),
        ({"gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": "ten"}, "ten", 5),
        ({"gen_ai.provider.name": "anthropic", "gen_ai.usage.cache_write.input_tokens": "one"}, 7, 15),
        ({"gen_ai.usage.total_tokens": 99}, 10, 99),
        ({"gen_ai.usage.input_tokens": "ten", "gen_ai.usage.output_tokens": "five"}, "ten", None),
    ],
)
def test_tokens_are_counted_as_they_are_priced(
    given: dict[str, AttributeValue], prompt: AttributeValue, total: AttributeValue | None
) -> None:
    """What a cache held is not in the prompt where a provider counts it apart; what is no number is in no sum."""
    used: dict[str, AttributeValue] = {
        "agentops.span.kind": "llm",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_write.input_tokens": 1,
    }
    attributes = translate(span("x", {**used, **given}))[1]

    assert (attributes["gen_ai.usage.prompt_tokens"], attributes.get("gen_ai.usage.total_tokens")) == (prompt, total)


def test_messages_of_every_form_are_flat_texts() -> None:
    """Of the conventions, older ones and odd ones: each value under its name, and nothing else."""
    call = {"type": "tool_call", "id": "t1", "name": "f", "arguments": {"a": 1}}
    asked = (
        "bare",
        {"role": "assistant", "parts": [call, {"type": "tool_call", "name": "g"}]},
        {"parts": [{"type": "reasoning", "content": "hm"}, {"type": "reasoning", "content": "so"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": 7}, {"type": "reasoning"}]},
        {"content": ["a", {"type": "uri", "uri": "u"}, {"type": "text"}]},
    )
    answered: tuple[Mapping[str, object], ...] = (
        {"parts": [{"type": "reasoning", "content": "hm"}, text("yes")]},
        {"role": "assistant", "content": "no", "finish_reason": "length"},
        {"role": "assistant", "parts": [call], "finish_reason": "tool_call"},
        {"role": "assistant", "parts": [text("said"), {"type": "tool_call", "id": "t2"}]},
        {},
    )
    given = {
        "agentops.span.kind": "llm",
        "gen_ai.system_instructions": messages(text("Be brief."), text("Be kind.")),
        "gen_ai.input.messages": messages(*asked),
        "gen_ai.output.messages": messages(*answered),
        "gen_ai.response.finish_reasons": ("stop",),
    }

    attributes = translate(span("x", given))[1]

    flat = ("gen_ai.prompt.", "gen_ai.completion.")
    assert {name: said for name, said in attributes.items() if name.startswith(flat)} == snapshot(
        {
            "gen_ai.prompt.0.content": """\
Be brief.
Be kind.\
""",
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.1.content": "bare",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.2.content": """\
f({"a":1})
g()\
""",
            "gen_ai.prompt.2.role": "assistant",
            "gen_ai.prompt.2.tool_calls.0.id": "t1",
            "gen_ai.prompt.2.tool_calls.0.name": "f",
            "gen_ai.prompt.2.tool_calls.0.arguments": '{"a":1}',
            "gen_ai.prompt.2.tool_calls.1.name": "g",
            "gen_ai.prompt.3.content": """\
hm
so\
""",
            "gen_ai.prompt.3.role": "user",
            "gen_ai.prompt.4.content": "7",
            "gen_ai.prompt.4.role": "tool",
            "gen_ai.prompt.5.content": """\
a
{"type":"uri","uri":"u"}
{"type":"text"}\
""",
            "gen_ai.prompt.5.role": "user",
            "gen_ai.completion.0.content": "yes",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.finish_reason": "stop",
            "gen_ai.completion.0.reasoning": "hm",
            "gen_ai.completion.1.content": "no",
            "gen_ai.completion.1.role": "assistant",
            "gen_ai.completion.1.finish_reason": "length",
            "gen_ai.completion.2.role": "assistant",
            "gen_ai.completion.2.finish_reason": "tool_call",
            "gen_ai.completion.2.tool_calls.0.id": "t1",
            "gen_ai.completion.2.tool_calls.0.name": "f",
            "gen_ai.completion.2.tool_calls.0.arguments": '{"a":1}',
            "gen_ai.completion.3.content": "said",
            "gen_ai.completion.3.role": "assistant",
            "gen_ai.completion.3.tool_calls.0.id": "t2",
            "gen_ai.completion.4.content": "",
            "gen_ai.completion.4.role": "assistant",
        }
    )
    assert not {*given} & {*attributes} - {"agentops.span.kind", "gen_ai.response.finish_reasons"}


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (lambda: span("main", {"agentops.span.kind": "operation"}, parent=None), "main.session"),
        (lambda: span("nightly.session", {"agentops.span.kind": "session"}, parent=None), "nightly.session"),
        (lambda: span("chat gpt-4o", CHAT, parent=None), "chat gpt-4o.llm"),
        (lambda: span("POST /ask", {}, parent=True, kind=SpanKind.SERVER), "POST /ask.session"),
        (lambda: span("in the kernel", {"agentops.span.kind": "operation"}, parent=True), "in the kernel.operation"),
        (lambda: span("click", {"agentops.span.kind": "action"}), "click.operation"),
        (lambda: span("invoke_agent", {"gen_ai.operation.name": "invoke_agent"}), "invoke_agent.agent"),
        (lambda: span("thinking", {"agentops.span.kind": "chain"}), "thinking"),
    ],
)
def test_the_root_is_the_session_and_other_spans_end_in_their_kind(made: Callable[[], ReadableSpan], name: str) -> None:
    """A root is `<name>.session`, also one that enters the process; a lone call keeps its kind; a suffix comes once."""
    translated, _, _ = translate(made())

    assert translated == name


@pytest.mark.parametrize("kind", ["session", "agent", "operation", "task", "workflow", "tool", "guardrail", "llm"])
def test_a_kind_is_the_end_of_a_name_once(kind: str) -> None:
    """A root of a kind that can stand alone keeps it; any other is a session."""
    names = ("x", f"x.{kind}", "x.y")
    inner, root = (
        [translate(span(name, {"agentops.span.kind": kind}, parent=parent))[0] for name in names]
        for parent in (False, None)
    )
    of_root = kind if kind in ("llm", "agent", "tool") else "session"

    assert inner == [f"x.{kind}", f"x.{kind}", f"x.y.{kind}"]
    assert root == [f"x.{of_root}", f"x.{kind}" if kind == of_root else f"x.{kind}.session", f"x.y.{of_root}"]


def test_a_prompt_is_never_both_text_and_a_list() -> None:
    """A flat `gen_ai.prompt` gives way to the indexed ones, and stays where it is all there is."""
    both = span("chat", {**CHAT, "gen_ai.prompt": "hi", "gen_ai.input.messages": messages(said("user", text("hi")))})
    flat = span("chat", {**CHAT, "gen_ai.prompt": "hi"})

    assert "gen_ai.prompt" not in translate(both)[1]
    assert translate(flat)[1]["gen_ai.prompt"] == "hi"
    assert show(*translate(both))["prompts"] == show(*translate(flat))["prompts"] == ["user: hi"]


def test_older_instrumentations_are_shown_as_they_are() -> None:
    """A span with the older names already, of somebody else's, keeps them and counts as an LLM call."""
    older: dict[str, AttributeValue] = {
        "gen_ai.system": "openai",
        "gen_ai.prompt.0.content": "hi",
        "gen_ai.usage.prompt_tokens": 3,
        "gen_ai.usage.total_tokens": 9,
    }

    shown = show(*translate(span("openai.chat", older)))

    assert (shown["bar"], shown["prompts"]) == ("llm: hi", ["user: hi"])
    assert shown["tokens"] == {
        "prompt_tokens": 3,
        "completion_tokens": 0,
        "cache_read_input_tokens": 0,
        "reasoning_tokens": 0,
        "total": 9,
    }


def test_parts_that_are_no_text_are_told_as_json() -> None:
    """Media and flat messages are all in what was said, in their order."""
    parts = ({"type": "reasoning", "content": "hm"}, text("Rain."), {"type": "uri", "uri": "http://x/y.png"})
    made = span(
        "chat gpt-4o",
        {
            **CHAT,
            "gen_ai.input.messages": messages({"role": "user", "content": "hi"}, {"content": ["a", "b"]}, {}),
            "gen_ai.output.messages": messages(said("assistant", *parts), said("assistant", finish_reason="length")),
        },
    )

    shown = show(*translate(made))

    assert shown["prompts"] == snapshot(
        [
            "user: hi",
            """\
user: a
b\
""",
            "user: ",
        ]
    )
    assert shown["completions"] == snapshot(
        [
            """\
assistant: Rain.
{"type":"uri","uri":"http://x/y.png"}\
""",
            "assistant: ",
        ]
    )


def test_a_conversation_that_was_shortened_is_shown_with_its_gap() -> None:
    """The content policy leaves the middle of a long list out: the rest is shown, and how much is missing."""
    long = [said("user", text(f"message {n} " + "x" * 400)) for n in range(200)]
    shortened = Content().json("gen_ai.input.messages", long)

    prompts = show(*translate(span("chat gpt-4o", {**CHAT, "gen_ai.input.messages": shortened})))["prompts"]

    assert isinstance(prompts, list)
    assert [prompts[n][:17] for n in (0, -1)] == ["user: message 0 x", "user: message 199"]
    assert [prompt for prompt in prompts if "more)" in prompt] == snapshot(["system: …(+130 more)"])


@pytest.mark.parametrize("cut", ['[{"role": "user", "par', '{"role": "user"}', "7", ""])
def test_messages_that_cannot_be_read_stay_as_they_are(cut: str) -> None:
    """What is no list of messages is sent as they are, and invent no prompt."""
    attributes = translate(span("chat gpt-4o", {**CHAT, "gen_ai.input.messages": cut}))[1]

    assert attributes["gen_ai.input.messages"] == cut
    assert not [name for name in attributes if name.startswith("gen_ai.prompt")]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ('{"a": 1}', '{"args":[],"kwargs":{"a":1}}'),
        ("{}", '{"args":[],"kwargs":{}}'),
        ("[1, 2]", '{"args":[1,2],"kwargs":{}}'),
        ("7", '{"args":[7],"kwargs":{}}'),
        ('{"args": [1], "kwargs": {}}', '{"args": [1], "kwargs": {}}'),
        ('{"cut', '{"cut'),
    ],
)
def test_the_input_of_a_step_is_a_call(given: str, shown: str) -> None:
    """Named arguments, a list and a single value become `{args, kwargs}`; what is no JSON stays."""
    attributes = translate(span("f", {"agentops.span.kind": "task", "agentops.entity.input": given}))[1]

    assert attributes["agentops.entity.input"] == shown


def test_an_error_without_words_stays_an_error() -> None:
    """ERROR without a description says no `error.message`."""
    made = span("f", {"agentops.span.kind": "task"}, error="")

    _, attributes, status = translate(made)

    assert status.status_code is StatusCode.ERROR
    assert "error.message" not in attributes


def test_what_is_nested_too_deep_to_write_is_left_out() -> None:
    """A part deeper than JSON is written has no text; the rest of the message is there."""
    deep = json.loads("[" * 300 + "]" * 300)
    asked = messages(said("user", {"type": "data", "data": deep}, text("Look.")))

    shown = show(*translate(span("chat gpt-4o", {**CHAT, "gen_ai.input.messages": asked})))

    assert shown["prompts"] == ["user: Look."]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["role", "parts", "type", "content"]), inner),
)
KEYS = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "agentops.entity.input")


@pytest.mark.no_cover
@given(name=st.sampled_from(KEYS), value=JSON)
def test_any_json_is_translated(name: str, value: object) -> None:
    """Whatever the JSON is, nothing is raised, every value is text, and no name is both a value and a prefix."""
    made = span("chat gpt-4o", {**CHAT, name: json.dumps(value)})
    before = dict(made.attributes or {})

    attributes = translate(made)[1]

    indexed = {key: said for key, said in attributes.items() if key not in before}
    assert made.attributes == before
    assert all(isinstance(said, str | int) for said in indexed.values())
    assert not [key for key in attributes if any(other.startswith(f"{key}.") for other in attributes)]
