"""The events of a spoken answer of the Realtime API."""

import base64
from typing import Any

from tests.loopback.socket_server import Said

AUDIO = base64.b64encode(bytes(48)).decode()

SESSION = {
    "type": "realtime",
    "id": "sess_1",
    "model": "gpt-realtime-2",
    "instructions": "Be brief.",
    "output_modalities": ["audio"],
    "max_output_tokens": "inf",
    "tools": [{"type": "function", "name": "weather", "parameters": {}}],
}

GREETING = {"type": "session.created", "event_id": "ev_0", "session": SESSION}

USAGE = {
    "total_tokens": 18,
    "input_tokens": 11,
    "output_tokens": 7,
    "input_token_details": {"cached_tokens": 4, "text_tokens": 5, "audio_tokens": 6, "image_tokens": 0},
    "output_token_details": {"text_tokens": 2, "audio_tokens": 5},
}


def answer(identity: str = "resp_1", **changes: Any) -> list[Said]:
    """The events of one spoken answer."""
    item = {
        "id": f"item_{identity}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_audio", "transcript": "It is 21 degrees."}],
    }
    response = {
        "id": identity,
        "object": "realtime.response",
        "conversation_id": "conv_1",
        "output_modalities": ["audio"],
    }
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    done = {**response, "status": "completed", "output": [item], "usage": USAGE, **changes}
    place = {"response_id": identity, "item_id": item["id"], "output_index": 0, "content_index": 0}
    said: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", **place, "item": {**item, "content": []}},
        {"type": "response.output_audio_transcript.delta", **place, "delta": "It is "},
        {"type": "response.output_audio.delta", **place, "delta": AUDIO},
        {"type": "response.output_audio.delta", **place, "delta": AUDIO},
        {"type": "response.output_audio_transcript.delta", **place, "delta": "21 degrees."},
        {"type": "response.done", "response": done},
        {"type": "rate_limits.updated", "rate_limits": []},
    ]
    return [{"event_id": f"ev_{number}", **event} for number, event in enumerate(said)]
