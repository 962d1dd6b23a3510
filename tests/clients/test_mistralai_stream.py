"""Streams of Mistral whose content comes in parts."""

from typing import Any

from agentops_otel.clients.mistralai.spec import CHAT


def test_parts_of_a_streamed_answer_are_text_and_reasoning() -> None:
    """Each chunk may have several, of either kind."""
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    response: dict[str, Any] = {}

    assert CHAT.fold is not None
    for parts in ([thinking], [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]):
        CHAT.fold(response, {"data": {"choices": [{"index": 0, "delta": {"content": parts}}]}})

    assert response == {"choices": [{"index": 0, "message": {"reasoning_content": ["hm"], "content": ["h", "i"]}}]}
