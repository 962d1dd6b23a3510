"""What Gemini's server says: each answer whole, and the same one as a stream."""

from typing import Any

from tests.loopback.llm_server import Answer

USAGE = {
    "promptTokenCount": 11,
    "cachedContentTokenCount": 4,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 3,
    "totalTokenCount": 18,
}
TEXT: list[dict[str, Any]] = [{"text": "It is 21 degrees in Paris."}]
CALL: list[dict[str, Any]] = [
    {"text": "Look it up.", "thought": True},
    {"text": "Let me see."},
    {"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Paris"}}},
]


def content(parts: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """An answer with one candidate."""
    return {
        "responseId": "response_1",
        "modelVersion": "gemini-test-001",
        "candidates": [
            {"index": 0, "content": {"role": "model", "parts": parts or TEXT}, "finishReason": "STOP"},
        ],
        "usageMetadata": {**USAGE},
        **changes,
    }


def chunks(whole: dict[str, Any], size: int = 5) -> list[dict[str, Any]]:
    """The answer as the chunks of a stream, its texts cut into pieces of that size."""
    head = {name: whole[name] for name in ("responseId", "modelVersion")}
    said = [
        {**head, "candidates": [{"index": 0, "content": {"role": "model", "parts": [piece]}}]}
        for part in whole["candidates"][0]["content"]["parts"]
        for piece in _pieces(part, size)
    ]
    last = {"index": 0, "finishReason": whole["candidates"][0]["finishReason"]}
    return [*said, {**head, "candidates": [last], "usageMetadata": whole["usageMetadata"]}]


def _pieces(part: dict[str, Any], size: int) -> list[dict[str, Any]]:
    if "text" not in part:
        return [part]
    text = part["text"]
    return [{**part, "text": text[start : start + size]} for start in range(0, len(text), size)]


def answer(whole: dict[str, Any], *, stream: bool) -> Answer:
    """The answer as the server says it, plain or streamed."""
    return Answer.events(chunks(whole), done=False) if stream else Answer.json(whole)
