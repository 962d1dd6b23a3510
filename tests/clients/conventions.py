"""The shape that the GenAI conventions give to messages and to tools' definitions, against which every span is held.

Source: the message models of https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai/non-normative).
"""

import json
from collections.abc import Iterable
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel import semconv

PARTS: dict[str, tuple[set[str], set[str]]] = {
    "text": ({"content"}, set()),
    "reasoning": ({"content"}, set()),
    "tool_call": ({"name"}, {"id", "arguments"}),
    "tool_call_response": ({"response"}, {"id"}),
    "server_tool_call": ({"name", "server_tool_call"}, {"id"}),
    "server_tool_call_response": ({"server_tool_call_response"}, {"id"}),
    "file": ({"modality", "file_id"}, {"mime_type"}),
    "uri": ({"modality", "uri"}, {"mime_type"}),
    "blob": ({"modality"}, {"mime_type", "byte_size"}),
    "compaction": (set(), {"id", "content"}),
    "question": ({"question"}, {"id"}),
    "decision": ({"answer"}, {"id"}),
}
"""What a part must say and what it may say beside its type. A blob says its size in place of its content, by design;
the questions of a decision and their answers are parts of kinds of our own, which the conventions allow."""

MODALITIES = {"image", "video", "audio", "document"}
ROLES = {"system", "user", "assistant", "tool"}


def assert_conventional(spans: Iterable[ReadableSpan], *, damaged: bool = False) -> None:
    """Every message, instruction and definition on the spans has the conventions' shape.

    Where an answer is *damaged*, a role may be any text, as the conventions allow.
    """
    for span in spans:
        said = span.attributes or {}
        for message in _list(said, semconv.GEN_AI_INPUT_MESSAGES) + _list(said, semconv.GEN_AI_OUTPUT_MESSAGES):
            assert set(message) - {"name"} == {"role", "parts"}, message
            assert message["role"] in ROLES or (damaged and isinstance(message["role"], str)), message
            assert message["parts"], message
            for part in message["parts"]:
                _assert_part(part)
        for part in _list(said, semconv.GEN_AI_SYSTEM_INSTRUCTIONS):
            _assert_part(part)
        for tool in _list(said, semconv.GEN_AI_TOOL_DEFINITIONS):
            assert {"type", "name"} <= set(tool), tool


def _list(said: Any, name: str) -> list[Any]:
    found: list[Any] = json.loads(said.get(name, "[]"))
    return found


def _assert_part(part: dict[str, Any]) -> None:
    assert part.get("type") in PARTS, part
    required, allowed = PARTS[part["type"]]
    said = set(part) - {"type"}
    assert required <= said <= required | allowed, part
    assert part.get("modality", "image") in MODALITIES, part
    for name in ("server_tool_call", "server_tool_call_response"):
        assert "type" in part.get(name, {"type": ""}), part
