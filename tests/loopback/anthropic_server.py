"""What Anthropic's server says: each message whole, and the same one as a stream."""

import json
from collections.abc import Iterator
from typing import Any

from tests.loopback.llm_server import Answer


def message(**changes: Any) -> dict[str, Any]:
    """A message: a thought, a text and the use of a tool."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test-1",
        "content": [
            {"type": "thinking", "thinking": "Look it up.", "signature": "c2ln"},
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris", "unit": "C"}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 20,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 64,
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 3},
            "service_tier": "standard",
        },
        **changes,
    }


def text(said: str = "It is 21 degrees in Paris.") -> dict[str, Any]:
    """A message that says one thing and is done."""
    return message(content=[{"type": "text", "text": said}], stop_reason="end_turn")


def events(whole: dict[str, Any], size: int = 5) -> list[dict[str, Any]]:
    """The message as the events of a stream, its texts cut into pieces of that size."""
    usage = {**whole["usage"], "output_tokens": 1}
    del usage["output_tokens_details"]
    said: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None, "usage": usage}}
    ]
    for number, block in enumerate(whole["content"]):
        said += _block_events(number, block, size)
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    counts = {name: whole["usage"][name] for name in ("output_tokens", "output_tokens_details")}
    return [*said, {"type": "message_delta", "delta": delta, "usage": counts}, {"type": "message_stop"}]


_DELTAS = {"thinking": ("thinking_delta", "thinking"), "text": ("text_delta", "text")}


def _block_events(number: int, block: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    place = {"index": number}
    if block["type"] == "tool_use":
        yield {"type": "content_block_start", **place, "content_block": {**block, "input": {}}}
        pieces, kind, key = _json_pieces(block["input"], size), "input_json_delta", "partial_json"
    else:
        kind, key = _DELTAS[block["type"]]
        yield {"type": "content_block_start", **place, "content_block": {**block, key: ""}}
        pieces = [block[key][start : start + size] for start in range(0, len(block[key]), size)]
    for piece in pieces:
        yield {"type": "content_block_delta", **place, "delta": {"type": kind, key: piece}}
    yield {"type": "content_block_stop", **place}


def _json_pieces(value: Any, size: int) -> list[str]:
    said = json.dumps(value)
    return [said[start : start + size] for start in range(0, len(said), size)]


def answer(whole: dict[str, Any], *, stream: bool) -> Answer:
    """The message as the server says it, plain or streamed."""
    return Answer.events(events(whole), done=False) if stream else Answer.json(whole)
