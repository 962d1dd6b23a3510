"""Kinds, defaults and places that the clients' tables and trackers read, and the calls of the other tests leave out."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from openai import AsyncAzureOpenAI, AzureOpenAI
from opentelemetry import trace
from opentelemetry.context import attach, detach, set_value
from opentelemetry.trace import NoOpTracerProvider

from agentops_otel.clients import anthropic, groq, ollama
from agentops_otel.clients.dialects import chat_completions, responses, stainless
from agentops_otel.clients.google import genai, interactions, live
from agentops_otel.clients.mistralai import conversations
from agentops_otel.clients.mistralai import spec as mistralai
from agentops_otel.clients.openai import realtime
from agentops_otel.clients.openai import spec as openai
from agentops_otel.clients.openai.websockets import ResponsesTracker
from agentops_otel.instrumentation.call import CALL_IN_PROGRESS
from agentops_otel.instrumentation.connection import ConnectionTracker, Turn
from agentops_otel.tracing.provider import OwnProvider
from tests.clients.said import asked, said, streamed

NOTED = {"type": "x", "id": "i", "call_id": "c", "name": "n", "status": "completed", "index": 3}
"""What an item of a response says beside its details."""


def parts(operation: Any, request: Any) -> Any:
    """The parts of the one message of a request."""
    (message,) = asked(operation, request)["gen_ai.input.messages"]
    return message["parts"]


@pytest.mark.parametrize("tool", ["apply_patch", "computer", "local_shell", "shell"])
def test_a_tool_of_openais_that_the_program_runs(tool: str) -> None:
    """It is a tool's call, whose details are the arguments, and a tool's answer."""
    call = {**NOTED, "type": f"{tool}_call", "action": {"a": 1}}
    output = {**NOTED, "type": f"{tool}_call_output", "output": "done"}

    assert asked(responses.RESPONSES, {"input": [call, output]})["gen_ai.input.messages"] == [
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c", "name": tool, "arguments": {"action": {"a": 1}}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "done"}]},
    ]


@pytest.mark.parametrize(
    ("kind", "tool"),
    [
        ("mcp_call", "mcp"),
        ("mcp_list_tools", "mcp_list_tools"),
        ("program", "program"),
        ("tool_search_call", "tool_search"),
        ("web_search_call", "web_search"),
    ],
)
def test_a_tool_that_openai_runs_itself(kind: str, tool: str) -> None:
    """By the ids and the name that the item says, or by what is left of them; the rest are the details."""
    call = {**NOTED, "type": kind, "detail": 1}
    told = {"type": "server_tool_call", "id": "c", "name": "n", "server_tool_call": {"type": tool, "detail": 1}}

    assert parts(responses.RESPONSES, {"input": [call]}) == [told]
    assert parts(responses.RESPONSES, {"input": [{**call, "call_id": None, "name": None}]}) == [
        {**told, "id": "i", "name": tool}
    ]


@pytest.mark.parametrize("tool", ["mcp_list_tools", "program", "tool_search"])
def test_the_answer_of_a_tool_that_openai_runs_itself(tool: str) -> None:
    """It is none of the program's."""
    output = {**NOTED, "type": f"{tool}_output", "detail": 1}

    assert asked(responses.RESPONSES, {"input": [output]})["gen_ai.input.messages"] == [
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "server_tool_call_response",
                    "id": "c",
                    "server_tool_call_response": {"type": tool, "detail": 1},
                }
            ],
        }
    ]


def test_media_of_a_response() -> None:
    """Each of the ways to give one, and what is left out is not told."""
    content = [
        {"type": "input_file", "file_url": "https://x.org/a.pdf"},
        {"type": "input_image", "image_url": "https://x.org/a.png"},
        {"type": "input_audio", "input_audio": {"data": "aGFsbG8="}},
        {"type": "input_audio", "input_audio": {"data": "aGFsbG8=", "format": "wav"}},
        {"type": "input_audio", "byte_size": 7},
        {"type": "output_audio", "transcript": "spoken"},
        {"type": 7},
    ]
    image = {"type": "image_generation_call", "id": "i", "result": "aGFsbG8="}

    assert parts(responses.RESPONSES, {"input": [{"content": content}]}) == [
        {"type": "uri", "modality": "document", "uri": "https://x.org/a.pdf"},
        {"type": "uri", "modality": "image", "uri": "https://x.org/a.png"},
        {"type": "blob", "modality": "audio", "byte_size": 5},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 5},
        {"type": "blob", "modality": "audio", "byte_size": 7},
        {"type": "text", "content": "spoken"},
    ]
    assert parts(responses.RESPONSES, {"input": [image]})[1] == {
        "type": "blob",
        "modality": "image",
        "mime_type": "image/png",
        "byte_size": 5,
    }


def test_a_thought_of_a_response() -> None:
    """Its whole text comes before its summary."""
    thought = {"type": "reasoning", "content": [{"text": "whole"}], "summary": [{"text": "short"}]}

    assert said(responses.RESPONSES, {"output": [thought, {"type": "compaction"}]})["gen_ai.output.messages"] == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "whole"},
                {"type": "reasoning", "content": "short"},
                {"type": "compaction"},
            ],
        }
    ]


@pytest.mark.parametrize("conversation", ["conv", {"id": "conv"}])
def test_the_conversation_of_a_response(conversation: Any) -> None:
    """By its id, or as an object."""
    assert asked(responses.RESPONSES, {"conversation": conversation}) == {"gen_ai.conversation.id": "conv"}
    assert said(responses.RESPONSES, {"conversation": conversation}) == {"gen_ai.conversation.id": "conv"}


@pytest.mark.parametrize(
    ("url", "method", "identity"),
    [
        ("/responses/r-1", "get", "r-1"),
        ("/responses/r-1?stream=true", "GET", "r-1"),
        ("/responses/r-1/input_items", "get", None),
        ("/responses/r-1", "delete", None),
        ("/responses", "get", None),
    ],
)
def test_which_request_fetches_a_response(url: str, method: str, identity: str | None) -> None:
    """By its path and method."""
    assert responses.fetched(SimpleNamespace(url=url, method=method)) == identity


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ([], []),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        (
            [{"type": "text", "text": "a"}, {"type": "image_url"}],
            [{"type": "text", "text": "a"}, {"type": "image_url"}],
        ),
        ("text", "text"),
        (None, None),
    ],
)
def test_what_a_tool_answers_in_a_chat_completion(content: Any, response: Any) -> None:
    """Texts alone are one text; all else is told as it is."""
    message = {"role": "tool", "tool_call_id": "1", "content": content}

    assert parts(chat_completions.CHAT, {"messages": [message]}) == [
        {"type": "tool_call_response", "id": "1", "response": response}
    ]


def test_parts_of_a_chat_completion() -> None:
    """Images by an object or a text, and thoughts by a text or a list."""
    content = [
        {"type": "image_url", "image_url": {"url": "https://x.org/a"}},
        {"type": "image_url", "image_url": "https://x.org/b"},
        {"type": "thinking", "thinking": "whole"},
        {"type": "thinking", "thinking": [{"text": "in "}, {"text": 7}, {"text": "pieces"}]},
        {"type": "thinking", "thinking": []},
        {"type": "text", "text": "said"},
    ]

    assert parts(chat_completions.CHAT, {"messages": [{"content": content}]}) == [
        {"type": "uri", "modality": "image", "uri": "https://x.org/a"},
        {"type": "uri", "modality": "image", "uri": "https://x.org/b"},
        {"type": "reasoning", "content": "whole"},
        {"type": "reasoning", "content": "in pieces"},
        {"type": "text", "content": "said"},
    ]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ({"json_data": {"a": 1}, "extra_json": {"b": 2}}, {"a": 1, "b": 2}),
        ({"json_data": {"a": 1}, "extra_json": {"a": 2}}, {"a": 2}),
        ({"json_data": {"a": 1}, "extra_json": None}, {"a": 1}),
        ({"json_data": [1], "extra_json": {"b": 2}}, [1]),
        ({}, None),
    ],
)
def test_the_body_that_a_client_of_stainless_sends(options: dict[str, Any], body: Any) -> None:
    """What the program adds to it wins."""
    assert stainless.body({"options": options}) == body


@pytest.mark.parametrize("kind", ["image_generation", "image_edit"])
def test_a_streamed_image(kind: str) -> None:
    """The last event has it whole; those before are sketches of it."""
    image = {"b64_json": "aGFsbG8=", "output_format": "webp", "usage": {"input_tokens": 3, "output_tokens": 5}}
    sketch = {"type": f"{kind}.partial_image", "b64_json": "aGE=", "output_format": "png", "usage": {"input_tokens": 1}}

    assert streamed(openai.IMAGES, sketch, {"type": f"{kind}.completed", **image}) == {
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "blob", "modality": "image", "mime_type": "image/webp", "byte_size": 5}],
            }
        ],
    }


@pytest.mark.parametrize("details", ["input_tokens_details", "input_token_details"])
def test_the_tokens_of_each_medium_that_openai_is_asked_in(details: str) -> None:
    """In both of the API's names for them; an image without a format is a PNG."""
    usage = {"input_tokens": 6, details: {"text_tokens": 1, "image_tokens": 2, "audio_tokens": 3}}

    assert said(openai.IMAGES, {"usage": usage, "data": [{"url": "https://x.org/a"}, {"b64_json": "aGFsbG8="}]}) == {
        "gen_ai.usage.input_tokens": 6,
        "gen_ai.usage.text.input_tokens": 1,
        "gen_ai.usage.image.input_tokens": 2,
        "gen_ai.usage.audio.input_tokens": 3,
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "uri", "modality": "image", "uri": "https://x.org/a"},
                    {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 5},
                ],
            }
        ],
    }


def test_streamed_speech() -> None:
    """The sizes of its pieces add up."""
    pieces = [{"type": "speech.audio.delta", "audio": "aGFsbG8="}] * 3

    told = streamed(openai.SPEECH, *pieces, {"type": "speech.audio.done", "usage": {"output_tokens": 5}})

    assert told == {
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "blob", "modality": "audio", "byte_size": 15}]}
        ],
    }
    assert said(openai.SPEECH, {}) == {}


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([{"type": "transcript.text.delta", "delta": "a"}, {"type": "transcript.text.done", "text": "ab"}], "a"),
        ([{"type": "transcript.text.done", "text": "ab"}], "ab"),
        ([{"type": "transcript.text.segment", "text": "ab"}], None),
    ],
)
def test_a_streamed_transcript(events: list[Any], text: str | None) -> None:
    """By its pieces, or by the last event where there are none."""
    messages = [{"role": "assistant", "parts": [{"type": "text", "content": text}]}] if text else None

    assert streamed(openai.TRANSCRIPTION, *events).get("gen_ai.output.messages") == messages


@pytest.mark.parametrize(("tier", "told"), [("auto", None), ("flex", "flex")])
def test_the_tier_that_openai_is_asked_for(tier: str, told: str | None) -> None:
    """Where it is not left to the server."""
    for operation in (openai.CHAT, openai.RESPONSES, openai.COMPACTION):
        assert asked(operation, {"service_tier": tier}).get("openai.request.service_tier") == told


def test_the_end_of_what_openai_makes_that_has_no_reason() -> None:
    """It has one if there is something."""
    reasons = "gen_ai.response.finish_reasons"

    assert said(openai.COMPACTION, {"output": [{"type": "compaction"}]})[reasons] == ("compaction",)
    assert reasons not in said(openai.COMPACTION, {"output": []})
    assert said(openai.DECISION, {"answers": [{"id": "a"}]}) == {
        reasons: ("stop",),
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "decision", "answer": {"id": "a"}}]}],
    }
    assert said(openai.DECISION, {"answers": []}) == {}
    assert said(ollama.DECISION, {"answers": {}}) == {}


def tracked(tracker: type[ConnectionTracker]) -> tuple[Any, list[Any]]:
    """A tracker, and the requests of the turns that it begins."""
    begun: list[Any] = []
    made: Any = tracker
    return made(begun.append), begun


AUDIO = "aGFsbG8="


def test_the_settings_of_a_realtime_session() -> None:
    """What the server says of them and what the program sets, the last one each; a request's own win."""
    tracker, begun = tracked(realtime.RealtimeTracker)

    tracker.received({"type": "session.created", "session": {"model": "a", "instructions": "b", "voice": "c"}})
    tracker.received({"type": "session.updated", "session": {"instructions": "d"}})
    tracker.sent({"type": "session.update", "session": {"voice": "e"}})
    tracker.sent({"type": "session.update", "session": None})
    tracker.sent({"type": "response.create", "event_id": "mine", "response": {"model": "f", "input": []}})

    assert begun == [{"model": "f", "instructions": "d", "voice": "e", "event_id": "mine", "input": []}]


def test_what_a_realtime_session_hears() -> None:
    """Of audio the size, until it is committed or cleared; each turn has what came since the one before it."""
    tracker, begun = tracked(realtime.RealtimeTracker)
    item = {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_audio", "audio": AUDIO}]}

    for message in (
        {"type": "input_audio_buffer.append", "audio": AUDIO},
        {"type": "input_audio_buffer.clear"},
        {"type": "input_audio_buffer.append", "audio": AUDIO},
        {"type": "input_audio_buffer.append", "audio": AUDIO},
        {"type": "input_audio_buffer.commit"},
        {"type": "conversation.item.create", "item": item},
        {"type": "conversation.item.create", "item": {"role": "user", "content": "bare"}},
    ):
        assert tracker.sent(message) is None
    tracker.received({"type": "input_audio_buffer.committed"})  # what the program committed
    turn = tracker.sent({"type": "response.create"})
    tracker.received({"type": "input_audio_buffer.committed"})  # what the server did
    tracker.sent({"type": "response.create"})

    assert tracker.turns[0] is turn
    assert [request["input"] for request in begun] == [
        [
            {"role": "user", "content": [{"type": "input_audio", "byte_size": 10}]},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "a"},
                    {"type": "input_audio", "audio": None, "byte_size": 5},
                ],
            },
            {"role": "user", "content": "bare"},
        ],
        [{"role": "user", "content": [{"type": "input_audio", "byte_size": None}]}],
    ]


def test_realtime_answers_go_to_the_oldest_request() -> None:
    """One that nobody asked for is begun by the server; an end without a beginning is nobody's."""
    tracker, begun = tracked(realtime.RealtimeTracker)
    first, second = (tracker.sent({"type": "response.create", "event_id": name}) for name in "ab")

    tracker.received({"type": "response.done", "response": {"id": "unknown"}})
    tracker.received({"type": "response.created", "response": {}})
    assert [turn.has_begun for turn in tracker.turns] == [False, False]
    tracker.received({"type": "response.created", "response": {"id": "1"}})
    assert [turn.has_begun for turn in tracker.turns] == [True, False]
    tracker.received({"type": "response.created", "response": {"id": "2"}})
    tracker.received({"type": "response.created", "response": {"id": "3"}})
    assert tracker.turns[:2] == [first, second]
    assert len(begun) == len(tracker.turns) == 3
    tracker.received({"type": "response.output_text.delta", "response_id": "2"})
    tracker.received({"type": "response.done", "response": {"id": "2"}})
    assert second not in tracker.turns
    assert first in tracker.turns


def test_an_event_of_a_realtime_answer_with_its_conversation_and_its_end() -> None:
    """The sizes of its audio add up after what was said."""
    told = streamed(
        realtime.REALTIME,
        {"type": "response.created", "response": {"id": "r", "conversation_id": "conv", "status": "in_progress"}},
        {"type": "response.output_audio_transcript.delta", "output_index": 0, "content_index": 0, "delta": "spoken"},
        {"type": "response.output_audio.delta", "byte_size": 5},
        {"type": "response.output_audio.delta", "byte_size": 7},
        {
            "type": "response.done",
            "response": {"status": "incomplete", "status_details": {"reason": "max_output_tokens"}},
        },
    )

    assert told == {
        "gen_ai.conversation.id": "conv",
        "gen_ai.response.finish_reasons": ("length",),
        "gen_ai.response.id": "r",
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": "spoken"},
                    {"type": "blob", "modality": "audio", "byte_size": 12},
                ],
            }
        ],
    }
    alone = streamed(realtime.REALTIME, {"type": "response.output_audio.delta", "byte_size": 5})
    assert alone["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [{"type": "blob", "modality": "audio", "byte_size": 5}]}
    ]


def test_a_response_that_began_before_it_was_watched() -> None:
    """It has no span, and does not take the place of the one that is asked for."""
    tracker, begun = tracked(ResponsesTracker)
    turn = tracker.sent({"type": "response.create", "model": "m"})

    for number, kind in ((7, "response.output_text.delta"), (8, "response.completed")):
        tracker.received({"type": kind, "sequence_number": number})
        assert turn in tracker.turns
    assert tracker.turns == [turn]
    tracker.received({"type": "response.created", "sequence_number": 0})
    tracker.received({"type": "response.in_progress", "sequence_number": 1})
    tracker.received({"type": "response.steer.accepted", "sequence_number": 2})
    tracker.received({"sequence_number": 2})
    assert tracker.turns == [turn]
    tracker.received({"type": "response.completed", "sequence_number": 3})
    assert tracker.turns == []
    assert begun == [{"type": "response.create", "model": "m"}]


@pytest.mark.parametrize("end", ["response.completed", "response.failed", "response.incomplete", "error"])
def test_what_ends_a_response_on_a_socket(end: str) -> None:
    """Each of the events that come last, in its own lane."""
    tracker, _ = tracked(ResponsesTracker)
    turns = [tracker.sent({"type": "response.create", "stream_id": lane}) for lane in ("a", "b")]

    tracker.received({"type": end, "stream_id": "b"})

    assert tracker.turns == turns[:1]


def test_a_response_that_nobody_was_seen_to_ask_for_ends_in_its_lane() -> None:
    """The connection was open before; what is asked there later is another turn."""
    tracker, begun = tracked(ResponsesTracker)

    tracker.received({"type": "response.created", "stream_id": "a"})
    asked = tracker.sent({"type": "response.create", "stream_id": "a"})
    tracker.received({"type": "response.completed", "stream_id": "a"})

    assert tracker.turns == [asked]
    assert len(begun) == 1


@pytest.mark.parametrize("kind", [ResponsesTracker, realtime.RealtimeTracker, live.LiveTracker])
def test_who_watches_a_connection_from_its_beginning_has_seen_all(kind: type[ConnectionTracker]) -> None:
    """No message is read a second time when the client parses it."""
    tracker, _ = tracked(kind)

    assert tracker.has_unseen_recv is False


def test_what_the_server_answers_to_steering() -> None:
    """A response of its own, with the settings of the one before and what was said since, ahead of those that wait."""
    tracker, begun = tracked(ResponsesTracker)
    tracker.sent({"type": "response.create", "model": "m", "input": "Who?"})
    tracker.received({"type": "response.created", "response": {"id": "1"}})
    for given in ("And now?", [{"role": "user", "content": "And then?"}]):
        tracker.sent({"type": "response.steer", "previous_response_id": "1", "input": given})
    tracker.received({"type": "response.completed", "response": {"id": "1"}})
    waiting = tracker.sent({"type": "response.create", "model": "other", "previous_response_id": "0"})

    tracker.received({"type": "response.created", "response": {"id": "2", "previous_response_id": "1"}})

    assert begun[-1] == {
        "type": "response.create",
        "model": "m",
        "previous_response_id": "1",
        "input": [{"role": "user", "content": "And now?"}, {"role": "user", "content": "And then?"}],
    }
    steered, last = tracker.turns
    assert last is waiting
    assert (steered.has_begun, last.has_begun) == (True, False)


def test_the_server_of_googles_first_interactions() -> None:
    """Vertex or Gemini, by the client."""
    for vertex, provider in ((True, "gcp.vertex_ai"), (False, "gcp.gemini")):
        client = SimpleNamespace(_is_vertex=vertex, base_url="https://x.org/v1")
        assert interactions.FIRST.server_attributes(client) == {
            "gen_ai.provider.name": provider,
            "server.address": "x.org",
            "server.port": 443,
        }


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({"model": "m", "extra_body": {"input": "a"}}, {"model": "m", "extra_body": {"input": "a"}, "input": "a"}),
        ({"request": {"body": {"model": "m"}}}, {"model": "m"}),
        ({"request": {"body": {"model": "m"}}, "extra_body": {"model": "n"}}, {"model": "n"}),
        ({"model": "m", "extra_body": None}, {"model": "m", "extra_body": None}),
    ],
)
def test_the_body_of_an_interaction(arguments: dict[str, Any], body: Any) -> None:
    """In arguments of its own, or as a whole; what the program adds wins."""
    assert interactions.SPEC.body(arguments) == body


@pytest.mark.parametrize(
    ("response", "told"),
    [
        ({"answers": {"a": {"choice": "x"}}}, "stop"),
        ({"answers": {"a": {}}, "prompt_feedback": {"block_reason": "SAFETY"}}, "content_filter"),
        ({"answers": {}}, None),
    ],
)
def test_how_a_decision_of_googles_ended(response: Any, told: str | None) -> None:
    """With an answer, or by the filter."""
    reasons = said(interactions.DECISION, response).get("gen_ai.response.finish_reasons")

    assert reasons == ((told,) if told else None)


def test_a_failed_interaction_says_its_code() -> None:
    """Or that it has none; one that did not fail has no failure."""
    failed = {"status": "failed", "errors": [{"code": "c"}, {"code": "d"}]}

    assert interactions.INTERACT.failure(failed) == "c"
    assert interactions.INTERACT.failure({**failed, "errors": [{"code": 7}]}) == "_OTHER"
    assert interactions.INTERACT.failure({**failed, "errors": [{"code": ""}]}) == "_OTHER"
    assert interactions.INTERACT.failure({"status": "failed"}) == "_OTHER"
    assert interactions.INTERACT.failure({**failed, "status": "completed"}) is None


@pytest.mark.parametrize(
    ("response", "tokens"),
    [
        ({"usage_metadata": {"prompt_token_count": 3}, "embeddings": [{"statistics": {"token_count": 5}}]}, 3),
        ({"embeddings": [{"statistics": {"token_count": 5.0}}, {"statistics": {"token_count": 2}}, {}]}, 7),
        ({"embeddings": [{}]}, None),
    ],
)
def test_the_tokens_of_googles_embeddings(response: Any, tokens: int | None) -> None:
    """The total, or the sum over the texts."""
    assert said(genai.EMBED, response).get("gen_ai.usage.input_tokens") == tokens


def test_what_google_is_asked_to_draw() -> None:
    """By its prompt, or by that of its source."""
    for request in ({"prompt": "a fox"}, {"source": {"prompt": "a fox"}}):
        assert parts(genai.IMAGES, request) == [{"type": "text", "content": "a fox"}]
        assert parts(genai.VIDEOS, request) == [{"type": "text", "content": "a fox"}]
    assert asked(genai.IMAGES, {"config": {"number_of_images": 3}})["gen_ai.request.choice.count"] == 3


LIVE: dict[str, Any] = {"client_content": {"turns": [{"parts": [{"text": "a"}]}], "turn_complete": True}}


@pytest.mark.parametrize(
    "realtime_input",
    [
        {"audio": {"mime_type": "audio/pcm", "data": "aGFsbG8="}},
        {"video": {"mimeType": "image/jpeg", "data": b"12345"}},
        {"media_chunks": [{"mime_type": "audio/pcm", "data": "aGE="}, {"mime_type": "audio/pcm", "data": b"123"}]},
        {"mediaChunks": [{"mimeType": "audio/pcm", "data": "aGFsbG8="}]},
    ],
)
def test_what_a_live_session_hears_and_sees(realtime_input: dict[str, Any]) -> None:
    """It is told by its size, in each of the names of the API, with the turn that it comes before."""
    tracker, begun = tracked(live.LiveTracker)

    assert tracker.sent({"realtime_input": realtime_input}) is None
    tracker.sent(LIVE)

    (request,) = begun
    ((first, second)) = request["input"].messages
    assert second == {"role": "user", "parts": [{"type": "text", "content": "a"}]} or first == {
        "role": "user",
        "parts": [{"type": "text", "content": "a"}],
    }
    (heard,) = [part for message in (first, second) for part in message["parts"] if part["type"] == "blob"]
    assert heard["byte_size"] == 5
    assert heard["modality"] == ("image" if "video" in realtime_input else "audio")


def test_a_tools_answer_within_a_live_turn() -> None:
    """It belongs to the turn that has called the tool, and begins none; without a turn it begins one."""
    tracker, begun = tracked(live.LiveTracker)
    answer = {"tool_response": {"function_responses": [{"id": "1", "name": "f", "response": {"r": 1}}]}}
    turn = tracker.sent(LIVE)

    assert tracker.sent(answer) is None
    assert tracker.turns == [turn]
    tracker.received({"server_content": {"turn_complete": True}})
    assert tracker.turns == []
    assert isinstance(tracker.sent(answer), Turn)
    assert begun[-1]["input"].messages == [
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": {"r": 1}}]}
    ]


@pytest.mark.parametrize("kind", ["ConcurrencyError", "ConnectionClosed"])
def test_what_ends_the_turns_of_a_live_session(kind: str) -> None:
    """Any error of the package but that another task receives already."""
    tracker, _ = tracked(live.LiveTracker)
    turn = tracker.sent(LIVE)

    tracker.failed(type(kind, (Exception,), {})())

    assert tracker.turns == ([turn] if kind == "ConcurrencyError" else [])
    tracker.failed(KeyboardInterrupt())
    assert tracker.turns == ([turn] if kind == "ConcurrencyError" else [])


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("21 degrees", [{"type": "text", "content": "21 degrees"}]),
        ({"degrees": 21}, [{"type": "json", "content": {"degrees": 21}}]),
        (None, None),
    ],
)
def test_what_ollama_decides_on(state: Any, told: Any) -> None:
    """A text, or JSON."""
    messages = asked(ollama.DECISION, {"state": state}).get("gen_ai.input.messages")

    assert messages == ([{"role": "user", "parts": told}] if told else None)


@pytest.mark.parametrize(("form", "told"), [("json", "json"), ({"type": "object"}, "json"), ("", None), (None, None)])
def test_the_form_of_an_answer_of_ollamas(form: Any, told: str | None) -> None:
    """JSON, by its name or by a schema."""
    for operation in (ollama.CHAT, ollama.GENERATE):
        assert asked(operation, {"format": form}).get("gen_ai.output.type") == told


@pytest.mark.parametrize(
    ("reason", "calls", "told"),
    [("stop", [], "stop"), ("stop", [{}], "tool_call"), ("length", [{}], "length"), (None, [{}], None)],
)
def test_how_a_chat_of_ollamas_ended(reason: Any, calls: list[Any], told: str | None) -> None:
    """One that calls tools says that it stopped."""
    response = {"done_reason": reason, "message": {"tool_calls": calls}}

    reasons = said(ollama.CHAT, response).get("gen_ai.response.finish_reasons")

    assert reasons == ((told,) if told else None)


def test_a_streamed_chat_of_ollamas() -> None:
    """Its thoughts, its words, its calls and its counts; the same for a prompt."""
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    end = {"model": "m", "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 5}
    told = {
        "gen_ai.response.finish_reasons": ("tool_call",),
        "gen_ai.response.model": "m",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 5,
    }
    thought, spoken = {"type": "reasoning", "content": "hm"}, {"type": "text", "content": "It is."}
    called = {"type": "tool_call", "name": "f", "arguments": {"a": 1}}

    assert streamed(
        ollama.CHAT,
        {"message": {"thinking": "h"}},
        {"message": {"thinking": "m", "content": "It "}},
        {"message": {"content": "is.", "tool_calls": [call]}},
        {"message": {"tool_calls": [call]}, **end},
    ) == {**told, "gen_ai.output.messages": [{"role": "assistant", "parts": [thought, spoken, called, called]}]}
    assert streamed(
        ollama.GENERATE,
        {"thinking": "h"},
        {"thinking": "m", "response": "It "},
        {"response": "is."},
        {"image": "A" * 2000},
        end,
    ) == {
        **told,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [thought, spoken, {"type": "blob", "modality": "image", "byte_size": 1500}],
            }
        ],
    }


def test_messages_of_ollamas() -> None:
    """Of each role, and who says none is the user in what is asked, the model in what is answered."""
    messages = [
        {"content": "a"},
        {"role": "tool", "content": "b"},
        {"role": "system", "content": "c"},
        {"role": "user"},
    ]

    assert asked(ollama.CHAT, {"messages": messages})["gen_ai.input.messages"] == [
        {"role": "user", "parts": [{"type": "text", "content": "a"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": "b"}]},
        {"role": "system", "parts": [{"type": "text", "content": "c"}]},
    ]
    assert said(ollama.CHAT, {"message": {"content": "a"}})["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [{"type": "text", "content": "a"}]}
    ]


def test_the_usage_that_groq_streams() -> None:
    """In a field of its own, in the last chunk."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": "a"}}]}, {"x_groq": {"usage": {"prompt_tokens": 3}}}]

    assert streamed(groq.SPEC.operations[0], *chunks, {"x_groq": {"usage": None}})["gen_ai.usage.input_tokens"] == 3


def test_entries_of_a_conversation_of_mistrals() -> None:
    """Of each type, and those without one by what they have."""
    entries = [
        {"role": "user", "content": "a"},
        {"type": "message.input", "role": "system", "content": "b"},
        {"type": "message.output", "role": "user", "content": [{"type": "text", "text": "c"}]},
        {"type": "function.call", "tool_call_id": "1", "name": "f", "arguments": "{}"},
        {"tool_call_id": "1", "result": "d"},
        {"type": "tool.execution", "id": "2", "name": "g", "arguments": "e", "info": {"x": 1}},
        {"type": "tool.execution", "id": "3", "name": "h", "arguments": "i", "info": "text"},
        {
            "role": "user",
            "content": [
                {"type": "document_url", "document_url": "https://x.org/a"},
                {"type": "tool_file", "file_id": "file"},
                {"type": "image_url", "image_url": "https://x.org/b"},
                {"type": "surprise"},
            ],
        },
    ]

    assert asked(conversations.CONVERSATION, {"inputs": entries, "instructions": "j"}) == {
        "gen_ai.system_instructions": [{"type": "text", "content": "j"}],
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "a"}]},
            {"role": "system", "parts": [{"type": "text", "content": "b"}]},
            {"role": "assistant", "parts": [{"type": "text", "content": "c"}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "f", "arguments": {}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "d"}]},
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "id": "2",
                        "name": "g",
                        "server_tool_call": {"type": "g", "arguments": "e"},
                    },
                    {
                        "type": "server_tool_call_response",
                        "id": "2",
                        "server_tool_call_response": {"type": "g", "x": 1},
                    },
                ],
            },
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "id": "3",
                        "name": "h",
                        "server_tool_call": {"type": "h", "arguments": "i"},
                    }
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"type": "uri", "modality": "document", "uri": "https://x.org/a"},
                    {"type": "file", "modality": "document", "file_id": "file"},
                    {"type": "uri", "modality": "image", "uri": "https://x.org/b"},
                ],
            },
        ],
    }


def test_a_streamed_conversation_of_mistrals() -> None:
    """Entries of each type, the last one first, and what each of them says of itself."""

    def piece(kind: str, index: int, **fields: Any) -> dict[str, Any]:
        return {"data": {"type": kind, "output_index": index, **fields}}

    told = streamed(
        conversations.CONVERSATION,
        {"data": {"type": "conversation.response.started", "conversation_id": "conv"}},
        piece("function.call.delta", 2, id="f2", name="g", tool_call_id="c2", arguments="{"),
        piece("function.call.delta", 2, id="f1", name="f", tool_call_id="c1", arguments='{"a"'),
        piece("function.call.delta", 9, tool_call_id="c1", arguments=": 1}"),
        piece("function.call.delta", 9, tool_call_id="c2", arguments="}"),
        piece("tool.execution.started", 1, id="e", name="search", arguments='{"q"'),
        piece("tool.execution.delta", 1, arguments=": 1}"),
        piece("tool.execution.done", 1, info={"found": 1}),
        piece("message.output.delta", 0, content="It ", model="m", agent_id="ag"),
        piece("message.output.delta", 0, content={"type": "text", "text": "is."}),
        piece("message.output.delta", 0, content={"type": "thinking", "thinking": [{"text": "hm"}]}),
        piece("message.output.delta", 0, content={"type": "tool_file", "file_id": "file"}),
        piece("message.output.delta", 0, content="More."),
        {"data": {"type": "conversation.response.done", "usage": {"prompt_tokens": 3, "completion_tokens": 5}}},
        {"data": {"type": "surprise"}},
        {"data": {"type": 7}},
    )

    assert told == {
        "gen_ai.agent.id": "ag",
        "gen_ai.conversation.id": "conv",
        "gen_ai.response.finish_reasons": ("tool_call",),
        "gen_ai.response.model": "m",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": "It is."},
                    {"type": "reasoning", "content": "hm"},
                    {"type": "file", "modality": "document", "file_id": "file"},
                    {"type": "text", "content": "More."},
                    {
                        "type": "server_tool_call",
                        "id": "e",
                        "name": "search",
                        "server_tool_call": {"type": "search", "arguments": '{"q": 1}'},
                    },
                    {
                        "type": "server_tool_call_response",
                        "id": "e",
                        "server_tool_call_response": {"type": "search", "found": 1},
                    },
                    {"type": "tool_call", "id": "c2", "name": "g", "arguments": {}},
                    {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"a": 1}},
                ],
            }
        ],
    }
    assert said(conversations.CONVERSATION, {"outputs": [{"type": "message.output", "content": "a"}]}) == {
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "a"}]}]
    }


@pytest.mark.parametrize(("code", "failure"), [(3000, "3000"), ("limit", "limit"), (None, None)])
def test_an_error_in_a_conversation_of_mistrals(code: object, failure: str | None) -> None:
    """By its code, as text."""
    response: dict[str, Any] = {}
    assert conversations.CONVERSATION.fold is not None

    conversations.CONVERSATION.fold(response, {"data": {"type": "conversation.response.error", "code": code}})

    assert conversations.CONVERSATION.failure(response) == failure


def test_items_of_a_response_that_have_the_same_number() -> None:
    """Each that begins is another one; a piece of it goes to the last."""

    def event(kind: str, **fields: Any) -> dict[str, Any]:
        return {"type": f"response.{kind}", "output_index": 0, **fields}

    told = streamed(
        responses.RESPONSES,
        event("output_item.added", item={"type": "message", "content": []}),
        event("output_text.delta", content_index=0, delta="a"),
        event("output_item.added", item={"type": "function_call", "name": "f", "arguments": ""}),
        event("function_call_arguments.delta", delta="{}"),
        event("output_item.done", item={"type": "function_call", "call_id": "1", "name": "", "arguments": None}),
    )

    assert told["gen_ai.output.messages"] == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "a"},
                {"type": "tool_call", "id": "1", "name": "f", "arguments": {}},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        ([("1", "f", "{"), ("1", "f", "}")], [("1", "f", {})]),
        ([("1", "f", "{"), (None, "f", "}")], [("1", "f", {})]),
        ([("1", "f", None), (None, "oo", None), (None, None, "{}")], [("1", "foo", {})]),
        ([("1", "f", "{"), ("2", None, "}")], [("1", "f", {})]),
        ([("1", "f", "{}"), ("2", None, "{}")], [("1", "f", {}), ("2", "", {})]),
        ([("1", "f", "{}"), ("2", "g", None)], [("1", "f", {}), ("2", "g", None)]),
        ([("1", "f", None), ("2", None, None)], [("1", "f", None), ("2", "", None)]),
        ([(None, "f", "{}"), (None, "g", "{}")], [(None, "f", {}), (None, "g", {})]),
        ([(None, "f", "["), (None, "g", "]")], [(None, "f", [])]),
    ],
)
def test_which_call_a_piece_belongs_to(pieces: list[Any], calls: list[Any]) -> None:
    """Of servers that number none: by its id, its name, and whether the arguments before it are whole."""
    chunks = [
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"id": identity, "function": function}]}}]}
        for identity, name, arguments in pieces
        for function in [{"name": name, "arguments": arguments}]
    ]

    (message,) = streamed(chat_completions.CHAT, *chunks)["gen_ai.output.messages"]

    assert [(part.get("id"), part["name"], part.get("arguments")) for part in message["parts"]] == calls


@pytest.mark.parametrize("kind", [AzureOpenAI, AsyncAzureOpenAI])
def test_a_client_of_azure_is_told_whatever_its_host(kind: Any) -> None:
    """And so is one of a class that the program derives from it."""
    derived = type("Mine", (kind,), {})

    for client in (kind, derived):
        made = client(api_key="key", api_version="v", base_url="https://x.org/openai")
        assert openai.provider(made, "x.org") == "azure.ai.openai"


@pytest.mark.parametrize(
    ("chosen", "provider", "left"),
    [(None, OwnProvider, False), (None, NoOpTracerProvider, True), ("mine", OwnProvider, True)],
)
def test_whether_a_call_of_anthropics_that_makes_no_span_is_left_alone(
    chosen: object, provider: Any, left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package traces it only because of a tracer provider of ours: the program has asked for none."""
    monkeypatch.setattr(trace, "get_tracer_provider", provider)
    client = SimpleNamespace(open_telemetry=SimpleNamespace(tracer_provider=chosen))
    arguments = {"self": client, "options": SimpleNamespace(span_name="x", model_copy=lambda update: update)}

    rewritten = anthropic.rewrite_other_arguments(arguments)

    assert (rewritten is arguments) is left
    assert left or rewritten == {"self": client, "options": {"span_name": None}}


@pytest.mark.parametrize(
    ("version", "asked_for", "in_a_call", "provider", "left"),
    [
        (2, True, True, NoOpTracerProvider, False),
        (2, True, False, OwnProvider, False),
        (2, True, False, NoOpTracerProvider, True),
        (2, False, True, OwnProvider, True),
        (3, True, True, OwnProvider, True),
    ],
)
def test_whether_mistralai_traces_itself(
    version: int, asked_for: bool, in_a_call: bool, provider: Any, left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its third version, which does so only where the program says so, not for us, nor within a call."""
    monkeypatch.setattr(trace, "get_tracer_provider", provider)
    setting = "mistralai.extra.observability.telemetry"
    monkeypatch.delitem(sys.modules, setting, raising=False)
    if version == 3:
        monkeypatch.setitem(sys.modules, setting, ModuleType(setting))
    rewrite = mistralai.SPECS[-1].rewrite_other_arguments
    arguments = {"tracing_enabled": asked_for, "other": 1}
    token = attach(set_value(CALL_IN_PROGRESS, "inference")) if in_a_call else None

    try:
        rewritten = rewrite(arguments)
    finally:
        if token is not None:
            detach(token)

    assert (rewritten is arguments) is left
    assert left or rewritten == {"tracing_enabled": False, "other": 1}


def test_a_response_that_is_whole_in_one_event() -> None:
    """It needs no pieces, and those that came before are part of it already."""
    output = [{"type": "message", "content": [{"type": "output_text", "text": "whole"}]}]
    delta = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "who"}
    completed = {"type": "response.completed", "response": {"status": "completed", "output": output}}
    told = {
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "whole"}]}],
    }

    assert streamed(responses.RESPONSES, completed) == streamed(responses.RESPONSES, delta, completed) == told
    done = {"type": "response.output_item.added", "output_index": 1, "item": {"type": "compaction"}}
    assert streamed(responses.RESPONSES, {**done, **{"response": completed["response"]}}) == told
    assert len(output) == 1


def test_a_block_of_anthropics_that_is_whole_at_its_beginning() -> None:
    """A server may send what a tool is asked at once."""
    block = {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}

    told = streamed(anthropic.MESSAGES, {"type": "content_block_start", "index": 0, "content_block": block})

    (message,) = told["gen_ai.output.messages"]
    assert message["parts"] == [{"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}}]


def test_a_word_about_steering_begins_no_response() -> None:
    """The one that is asked for begins with its own first event."""
    tracker, _ = tracked(ResponsesTracker)
    turn = tracker.sent({"type": "response.create"})

    tracker.received({"type": "response.steer.accepted", "sequence_number": 0})

    assert [(one is turn, one.has_begun) for one in tracker.turns] == [(True, False)]


def test_sounds_and_words_of_an_interaction_in_turns() -> None:
    """Successive pieces of a kind are one; of sound the size, and the kind that was said last."""

    def delta(kind: str, **fields: Any) -> dict[str, Any]:
        return {"event_type": "step.delta", "index": 0, "delta": {"type": kind, **fields}}

    told = streamed(
        interactions.INTERACT,
        delta("text", text="a"),
        delta("audio", data=AUDIO, mime_type="audio/wav"),
        delta("audio", data=AUDIO),
        delta("audio"),
        delta("text", text="b"),
        delta("text", text="c"),
        delta("text", uri="gs://x"),
        delta("video", data=AUDIO, mime_type="video/mp4"),
        delta("audio", data=AUDIO),
    )

    (message,) = told["gen_ai.output.messages"]
    assert message["parts"] == [
        {"type": "text", "content": "a"},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 10},
        {"type": "text", "content": "bc"},
        {"type": "blob", "modality": "video", "mime_type": "video/mp4", "byte_size": 5},
        {"type": "blob", "modality": "audio", "byte_size": 5},
    ]
