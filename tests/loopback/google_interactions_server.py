"""What Gemini's server says to an interaction: each whole, and the same one as a stream; as it did at first, too."""

import json
from collections.abc import Iterator
from typing import Any

from tests.loopback.llm_server import Answer

USAGE = {
    "total_input_tokens": 11,
    "total_cached_tokens": 4,
    "total_output_tokens": 4,
    "total_thought_tokens": 3,
    "total_tokens": 18,
    "input_tokens_by_modality": [{"modality": "text", "tokens": 9}, {"modality": "image", "tokens": 2}],
    "output_tokens_by_modality": [{"modality": "text", "tokens": 4}, {"modality": "video", "tokens": 0}],
}
TEXT: list[dict[str, Any]] = [
    {"type": "model_output", "content": [{"type": "text", "text": "It is 21 degrees in Paris."}]}
]
CALL: list[dict[str, Any]] = [
    {"type": "thought", "summary": [{"type": "text", "text": "Look it up."}]},
    {"type": "model_output", "content": [{"type": "text", "text": "Let me see."}]},
    {"type": "function_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
]
TIME = "2026-01-01T00:00:00Z"


def interaction(steps: list[dict[str, Any]] | None = None, *, first: bool = False, **changes: Any) -> dict[str, Any]:
    """An interaction; with `first`, as the first version of the package has them."""
    known = TEXT if steps is None else steps
    said = {"outputs": [content for step in known for content in _contents(step)]} if first else {"steps": known}
    return {
        "id": "interaction_1",
        "created": TIME,
        "updated": TIME,
        "model": "gemini-test-001",
        "status": "completed",
        "usage": USAGE,
        **said,
        **changes,
    }


def _contents(step: dict[str, Any]) -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = step["content"] if step["type"] == "model_output" else [step]
    return contents


def events(whole: dict[str, Any], size: int = 5) -> list[dict[str, Any]]:
    """The interaction as the events of a stream, its texts and arguments cut into pieces of that size."""
    first = "outputs" in whole
    steps = whole["outputs" if first else "steps"]
    head = {name: value for name, value in whole.items() if name not in ("steps", "outputs", "usage")}
    said = [
        event
        for index, step in enumerate(steps)
        for event in _events(index, step, size, "content" if first else "step")
    ]
    return [
        {
            "event_type": f"interaction.{'start' if first else 'created'}",
            "interaction": {**head, "status": "in_progress"},
        },
        *said,
        {
            "event_type": f"interaction.{'complete' if first else 'completed'}",
            "interaction": {**head, "usage": whole["usage"]},
        },
    ]


def _events(index: int, step: dict[str, Any], size: int, name: str) -> Iterator[dict[str, Any]]:
    yield {"event_type": f"{name}.start", "index": index, name: _begun(step)}
    for delta in _deltas(step, size, name):
        yield {"event_type": f"{name}.delta", "index": index, "delta": delta}
    yield {"event_type": f"{name}.stop", "index": index}


def _begun(step: dict[str, Any]) -> dict[str, Any]:
    empty = {"text": "", "arguments": {}}
    return {key: empty.get(key, value) for key, value in step.items() if key not in ("content", "summary")}


def _deltas(step: dict[str, Any], size: int, name: str) -> Iterator[dict[str, Any]]:
    match step["type"]:
        case "text":
            yield from ({"type": "text", "text": piece} for piece in _pieces(step["text"], size))
        case "model_output":
            for content in step["content"]:
                yield from _deltas(content, size, name)
        case "thought":
            for said in step["summary"]:
                for delta in _deltas(said, size, name):
                    yield {"type": "thought_summary", "content": delta}
        case "function_call" if name == "step":
            for piece in _pieces(json.dumps(step["arguments"]), size):
                yield {"type": "arguments_delta", "arguments": piece}
        case _:
            yield step


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def answer(whole: dict[str, Any], *, stream: bool) -> Answer:
    """The interaction as the server says it, plain or streamed."""
    return Answer.events(events(whole), done=False) if stream else Answer.json(whole)
