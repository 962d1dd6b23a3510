"""Translates messages of an LLM call for the AgentOps dashboard: flat attribute names, one value each, as text.

Reasoning gets an attribute of its own: in the content the dashboard would show it as part of the answer.
"""

from collections.abc import Iterable, Iterator, Mapping

import orjson
from opentelemetry.util.types import AttributeValue

_PART_TEXT = {"text": "content", "tool_call_response": "response"}
_APART = ("reasoning", "tool_call")
"""Types of message parts that are left out of the content."""


def read(text: AttributeValue | None) -> list[Mapping[str, object]]:
    """The messages of a JSON array. An item that is no object becomes the content of a message."""
    value = parsed(text)
    items = value if isinstance(value, list) else []
    return [item if isinstance(item, dict) else {"content": item} for item in items]


def prompts(messages: Iterable[Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    """`gen_ai.prompt.{i}.*`. Prompts without content are not shown: theirs are the tool calls."""
    for i, message in enumerate(messages):
        content, reasoning, calls = _split(message)
        called = "\n".join(f"{call.get('name')}({as_text(call.get('arguments', ''))})" for call in calls)
        yield f"gen_ai.prompt.{i}.content", content or called
        yield f"gen_ai.prompt.{i}.role", str(message.get("role", "user"))
        yield from _beside(f"gen_ai.prompt.{i}", reasoning, calls)


def completions(messages: Iterable[Mapping[str, object]], reasons: object) -> Iterator[tuple[str, str]]:
    """`gen_ai.completion.{i}.*`. Content comes first: without tool calls the dashboard shows the first value."""
    finished = reasons if isinstance(reasons, tuple | list) else ()
    for i, message in enumerate(messages):
        content, reasoning, calls = _split(message)
        if content or not calls:
            yield f"gen_ai.completion.{i}.content", content
        yield f"gen_ai.completion.{i}.role", str(message.get("role", "assistant"))
        reason = finished[i] if i < len(finished) else message.get("finish_reason")
        if reason is not None:
            yield f"gen_ai.completion.{i}.finish_reason", str(reason)
        yield from _beside(f"gen_ai.completion.{i}", reasoning, calls)


def _beside(prefix: str, reasoning: str, calls: Iterable[Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    if reasoning:
        yield f"{prefix}.reasoning", reasoning
    for j, call in enumerate(calls):
        for name in ("id", "name", "arguments"):
            if call.get(name) is not None:
                yield f"{prefix}.tool_calls.{j}.{name}", as_text(call[name])


def _parts(message: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The message's parts; also of the older form `{role, content}`."""
    parts = message.get("parts", message.get("content"))
    if isinstance(parts, list):
        return [part if isinstance(part, dict) else {"type": "text", "content": part} for part in parts]
    return [] if parts is None else [{"type": "text", "content": parts}]


def _split(message: Mapping[str, object]) -> tuple[str, str, list[Mapping[str, object]]]:
    """The content, the reasoning and the tool calls. Without any content the reasoning is the content."""
    parts = _parts(message)
    calls = [part for part in parts if part.get("type") == "tool_call"]
    reasoning = _joined(part.get("content", "") for part in parts if part.get("type") == "reasoning")
    content = _joined(
        part.get(_PART_TEXT.get(str(part.get("type")), ""), part) for part in parts if part.get("type") not in _APART
    )
    return (content, reasoning, calls) if content or calls else (reasoning, "", calls)


def _joined(values: Iterable[object]) -> str:
    """The parts as lines: a text as it is, anything else (an image) as JSON."""
    return "\n".join(text for one in values if (text := as_text(one)))


def parsed(text: object) -> object:
    """The text parsed as JSON; None if it is not JSON."""
    if not isinstance(text, str):
        return None
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value


def as_text(value: object) -> str:
    """A text as it is, anything else as JSON; empty for a value that is nested too deep."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return ""
