"""What Bedrock says: answers of Converse, and events in the binary frames that AWS streams them in."""

import json
import struct
import zlib
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
    frames = [_frame(name, json.dumps(value).encode()) for name, value in said]
    return Answer(headers={"content-type": "application/vnd.amazon.eventstream"}, chunks=frames)


def _frame(name: str, payload: bytes) -> bytes:
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for key, value in (
            (":event-type", name),
            (":content-type", "application/json"),
            (":message-type", "event"),
        )
    )
    prelude = struct.pack("!II", len(headers) + len(payload) + 16, len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))
