"""What an OpenAI-compatible server says: each answer whole, and the same one as a stream."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from tests.loopback.llm_server import Answer

USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}

TEXT = {"role": "assistant", "content": "It is 21 degrees in Paris."}

TOOL_CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Paris", "unit": "C"}'},
        }
    ],
}


def completion(*said: dict[str, Any], finish_reason: str | None = "stop", usage: Any = USAGE) -> dict[str, Any]:
    """A chat completion with one choice for each message."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "gpt-4.1-2025-04-14",
        "service_tier": "default",
        "system_fingerprint": "fp_1",
        "choices": [
            {"index": index, "message": deepcopy(message), "finish_reason": finish_reason, "logprobs": None}
            for index, message in enumerate(said or (TEXT,))
        ],
        "usage": usage,
    }


def chunks(whole: dict[str, Any], size: int = 5) -> list[dict[str, Any]]:
    """The completion as the chunks of a stream, its texts cut into pieces of that size; the usage comes last."""
    head = {name: whole[name] for name in ("id", "created", "model", "service_tier", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"
    deltas: list[tuple[int, dict[str, Any], Any]] = [
        (choice["index"], delta, None) for choice in whole["choices"] for delta in _deltas(choice["message"], size)
    ]
    ends: list[tuple[int, dict[str, Any], Any]] = [
        (choice["index"], {}, choice["finish_reason"]) for choice in whole["choices"]
    ]
    said: list[dict[str, Any]] = [
        {**head, "choices": [{"index": index, "delta": delta, "finish_reason": reason}], "usage": None}
        for index, delta, reason in [*deltas, *ends]
    ]
    return [*said, {**head, "choices": [], "usage": whole["usage"]}] if whole["usage"] else said


def _deltas(message: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    yield {"role": message["role"], "content": ""}
    for piece in _pieces(message.get("content") or "", size):
        yield {"content": piece}
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        opening = {"id": call["id"], "type": "function", "function": {"name": function["name"], "arguments": ""}}
        yield {"tool_calls": [{"index": index, **opening}]}
        for piece in _pieces(function["arguments"], size):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _pieces(text: str, size: int) -> Sequence[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def answer(whole: dict[str, Any], *, stream: bool) -> Answer:
    """The completion as the server says it, plain or streamed."""
    return Answer.events(chunks(whole)) if stream else Answer.json(whole)


def response(**changes: Any) -> dict[str, Any]:
    """An answer of the Responses API: a thought, a tool call and a text."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1767225600.0,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": "gpt-5-2026-01-01",
        "service_tier": "default",
        "conversation": {"id": "conv_1"},
        "output": [
            {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Look it up."}]},
            {
                "id": "fc_1",
                "type": "function_call",
                "call_id": "call_1",
                "name": "weather",
                "arguments": '{"city": "Paris"}',
                "status": "completed",
            },
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "It is 21 degrees in Paris.", "annotations": []}],
            },
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 11,
            "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 3},
            "total_tokens": 18,
        },
        **changes,
    }


def events(whole: dict[str, Any], size: int = 5) -> list[dict[str, Any]]:
    """The response as the events of a stream; the last one carries it whole."""
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    said: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    for number, item in enumerate(whole["output"]):
        said += _item_events(number, item, size)
    said.append({"type": f"response.{whole['status']}", "response": whole})
    return [{**event, "sequence_number": number} for number, event in enumerate(said)]


def _item_events(number: int, item: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    place = {"output_index": number, "item_id": item["id"]}
    empty = {"arguments": "", "content": [], "summary": []}
    yield {"type": "response.output_item.added", "output_index": number, "item": {**item, **_same_keys(empty, item)}}
    match item["type"]:
        case "reasoning":
            for piece in _pieces(item["summary"][0]["text"], size):
                kind = "response.reasoning_summary_text.delta"
                yield {"type": kind, **place, "summary_index": 0, "delta": piece}
        case "function_call":
            for piece in _pieces(item["arguments"], size):
                yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
        case "message":
            part = {"type": "output_text", "text": "", "annotations": []}
            yield {"type": "response.content_part.added", **place, "content_index": 0, "part": part}
            for piece in _pieces(item["content"][0]["text"], size):
                kind = "response.output_text.delta"
                yield {"type": kind, **place, "content_index": 0, "delta": piece, "logprobs": []}
    yield {"type": "response.output_item.done", "output_index": number, "item": item}


def _same_keys(values: dict[str, Any], keys: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in keys}


def embeddings(*vectors: list[float]) -> Answer:
    """Vectors, as numbers."""
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return Answer.json(
        {"object": "list", "model": "embed-test", "data": data, "usage": {"prompt_tokens": 2, "total_tokens": 2}}
    )


def text_completion(*, stream: bool) -> Answer:
    """An answer of the API that goes on with a text."""
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1767225600, "model": "gpt-4.1-2025-04-14"}
    text = str(TEXT["content"])
    if not stream:
        choice = {"index": 0, "text": text, "finish_reason": "length", "logprobs": None}
        return Answer.json({**head, "choices": [choice], "usage": USAGE})
    said = [{**head, "choices": [{"index": 0, "text": piece, "finish_reason": None}]} for piece in _pieces(text, 5)]
    last = {**head, "choices": [{"index": 0, "text": "", "finish_reason": "length"}], "usage": USAGE}
    return Answer.events([*said, last])
