"""What Bedrock says: each model's answer in its own dialect, and events in the binary frames of AWS."""

import base64
import json
import struct
import zlib
from dataclasses import replace
from typing import Any

from tests.loopback.llm_server import Answer

TEXT = "It is 21 degrees in Paris."
USAGE = {"inputTokens": 7, "outputTokens": 7, "totalTokens": 18, "cacheReadInputTokens": 4, "cacheWriteInputTokens": 0}


def converse(*, stream: bool) -> Answer:
    """An answer of Converse, or of ConverseStream."""
    if not stream:
        message = {"role": "assistant", "content": [{"text": TEXT}]}
        return Answer.json({"output": {"message": message}, "stopReason": "end_turn", "usage": USAGE})
    pieces = [TEXT[start : start + 5] for start in range(0, len(TEXT), 5)]
    return events(
        [
            ("messageStart", {"role": "assistant"}),
            *(("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}}) for piece in pieces),
            ("contentBlockStop", {"contentBlockIndex": 0}),
            ("messageStop", {"stopReason": "end_turn"}),
            ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}}),
        ]
    )


def events(said: list[tuple[str, dict[str, Any]]]) -> Answer:
    """Events by name, in their frames."""
    frames = [packed(name, json.dumps(value).encode()) for name, value in said]
    return Answer(headers={"content-type": "application/vnd.amazon.eventstream"}, chunks=frames)


def packed(name: str, payload: bytes, *, exception: bool = False) -> bytes:
    """One event in its frame, or the exception that ends them."""
    message_type = "exception" if exception else "event"
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for key, value in (
            (f":{message_type}-type", name),
            (":content-type", "application/json"),
            (":message-type", message_type),
        )
    )
    prelude = struct.pack("!II", len(headers) + len(payload) + 16, len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


def unpacked(frame: bytes) -> tuple[str, bytes]:
    """The event's name and what it says."""
    (length,) = struct.unpack("!I", frame[4:8])
    name = frame[12 : 12 + length].partition(b":event-type")[2]
    return name[3 : 3 + int.from_bytes(name[1:3])].decode(), frame[12 + length : -4]


CALL = {"toolUseId": "call_1", "name": "weather", "input": {"city": "Paris"}}
CALLED = [
    {"reasoningContent": {"reasoningText": {"text": "Look it up.", "signature": "s"}}},
    {"text": TEXT},
    {"toolUse": CALL},
]


def tools(*, stream: bool) -> Answer:
    """A thought, a text and the use of a tool, by Converse."""
    if not stream:
        message = {"role": "assistant", "content": CALLED}
        return Answer.json({"output": {"message": message}, "stopReason": "tool_use", "usage": USAGE})
    deltas: list[tuple[int, dict[str, Any]]] = [
        (0, {"reasoningContent": {"text": "Look it "}}),
        (0, {"reasoningContent": {"text": "up."}}),
        (0, {"reasoningContent": {"signature": "s"}}),
        (1, {"text": TEXT[:9]}),
        (1, {"text": TEXT[9:]}),
        (2, {"toolUse": {"input": '{"city": '}}),
        (2, {"toolUse": {"input": '"Paris"}'}}),
    ]
    said = [("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}) for index, delta in deltas]
    begun = {"toolUse": {"toolUseId": "call_1", "name": "weather"}}
    return events(
        [
            ("messageStart", {"role": "assistant"}),
            *said[:5],
            ("contentBlockStart", {"contentBlockIndex": 2, "start": begun}),
            *said[5:],
            ("contentBlockStop", {"contentBlockIndex": 2}),
            ("messageStop", {"stopReason": "tool_use"}),
            ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}}),
        ]
    )


COUNTS = {"inputTokenCount": 11, "outputTokenCount": 7, "invocationLatency": 1, "firstByteLatency": 1}
HEADERS = {"x-amzn-bedrock-input-token-count": "11", "x-amzn-bedrock-output-token-count": "7"}


def invoked(whole: dict[str, Any], *chunks: dict[str, Any], stream: bool) -> Answer:
    """What a model says when it is invoked: its own answer whole, or its own chunks, the counts beside the last one."""
    if not stream:
        answer = Answer.json(whole)
        return replace(answer, headers={**answer.headers, **HEADERS})
    said = [*chunks[:-1], {**chunks[-1], "amazon-bedrock-invocationMetrics": COUNTS}]
    return events([("chunk", {"bytes": base64.b64encode(json.dumps(chunk).encode()).decode()}) for chunk in said])


A, B = TEXT[:9], TEXT[9:]
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-4"}
DIALECTS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "titan": (
        {"inputTextTokenCount": 11, "results": [{"tokenCount": 7, "outputText": TEXT, "completionReason": "FINISH"}]},
        [
            {"outputText": A, "index": 0, "totalOutputTextTokenCount": None, "completionReason": None},
            {"outputText": B, "index": 0, "totalOutputTextTokenCount": 7, "completionReason": "FINISH"},
        ],
    ),
    "nova": (
        {
            "output": {"message": {"role": "assistant", "content": [{"text": TEXT}]}},
            "stopReason": "end_turn",
            "usage": USAGE,
        },
        [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"delta": {"text": A}, "contentBlockIndex": 0}},
            {"contentBlockDelta": {"delta": {"text": B}, "contentBlockIndex": 0}},
            {"messageStop": {"stopReason": "end_turn"}},
            {"metadata": {"usage": USAGE, "metrics": {}}},
        ],
    ),
    "llama": (
        {"generation": TEXT, "prompt_token_count": 11, "generation_token_count": 7, "stop_reason": "stop"},
        [
            {"generation": A, "prompt_token_count": 11, "generation_token_count": 3, "stop_reason": None},
            {"generation": B, "prompt_token_count": None, "generation_token_count": 7, "stop_reason": "stop"},
        ],
    ),
    "mistral": (
        {"outputs": [{"text": TEXT, "stop_reason": "length"}]},
        [
            {"outputs": [{"text": A, "stop_reason": None}]},
            {"outputs": [{"text": B, "stop_reason": "length"}]},
        ],
    ),
    "cohere": (
        {"generation_id": "gen-1", "text": TEXT, "finish_reason": "COMPLETE"},
        [
            {"event_type": "stream-start", "generation_id": "gen-1", "is_finished": False},
            {"event_type": "text-generation", "text": A, "is_finished": False},
            {"event_type": "text-generation", "text": B, "is_finished": False},
            {"event_type": "stream-end", "finish_reason": "COMPLETE", "is_finished": True, "response": {"text": TEXT}},
        ],
    ),
    "claude": (
        {
            **MESSAGE,
            "content": [{"type": "text", "text": TEXT}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 11, "output_tokens": 7},
        },
        [
            {
                "type": "message_start",
                "message": {**MESSAGE, "content": [], "usage": {"input_tokens": 11, "output_tokens": 1}},
            },
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": A}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": B}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
            {"type": "message_stop"},
        ],
    ),
}
"""What each family of models answers, whole and in chunks."""
