"""However an answer is cut into chunks, the folded answer says the same."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentops_otel.clients import anthropic
from agentops_otel.clients.dialects.server_sent_events import folding_bytes
from agentops_otel.clients.dialects.tool_calls import fold_tool_call
from agentops_otel.clients.google import genai, interactions, live
from agentops_otel.clients.mistralai import conversations
from agentops_otel.clients.openai import spec as openai
from agentops_otel.content import Content
from agentops_otel.instrumentation.folding import joined
from agentops_otel.instrumentation.spec import Operation
from agentops_otel.instrumentation.tables import attributes, contents
from tests.content.secret_examples import EXAMPLES, SECRETS
from tests.loopback import anthropic_server, google_genai_server, google_interactions_server, openai_server

TEXTS = st.text(min_size=1, max_size=60)
SIZES = st.integers(min_value=1, max_value=70)
ARGUMENTS = st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(0, 9), max_size=3)


def told(operation: Operation, whole: Any) -> dict[str, Any]:
    """Everything that a span says of an answer."""
    compile_table, content = operation.response_rows, operation.response_content_rows
    return {**attributes(compile_table, whole), **contents(content, whole)}


def folded(operation: Operation, chunks: list[Any]) -> Any:
    """The chunks, folded."""
    whole: dict[str, Any] = {}
    assert operation.fold is not None
    for chunk in chunks:
        operation.fold(whole, chunk)
    return joined(whole)


@pytest.mark.no_cover
@given(texts=st.lists(TEXTS, min_size=1, max_size=3), arguments=ARGUMENTS, size=SIZES)
def test_a_chat_completion_cut_anywhere(texts: list[str], arguments: Any, size: int) -> None:
    """Several choices, one with the use of a tool.

    A hundred examples of long streams take seconds.
    """
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": json.dumps(arguments)}}
    said = [{"role": "assistant", "content": text, "tool_calls": [call]} for text in texts]
    whole = openai_server.completion(*said)

    assert told(openai.CHAT, folded(openai.CHAT, openai_server.chunks(whole, size))) == told(openai.CHAT, whole)


@given(text=TEXTS, arguments=ARGUMENTS, size=SIZES)
def test_server_sent_events_in_bytes_cut_anywhere(text: str, arguments: Any, size: int) -> None:
    """A message as the bytes of its stream, which may end within a character, a line or an event."""
    use = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": arguments}
    whole = anthropic_server.message(content=[{"type": "text", "text": text}, use])
    lines = (
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"
        for event in anthropic_server.events(whole)
    )
    body = "".join(lines).encode()
    operation = replace(anthropic.MESSAGES, fold=folding_bytes(anthropic.fold))

    streamed = folded(operation, [body[start : start + size] for start in range(0, len(body), size)])

    assert told(operation, streamed) == told(operation, whole)


SECRET = st.sampled_from(sorted({*SECRETS.values(), *EXAMPLES.values()}))
STREAMS: dict[str, tuple[Operation, Callable[[str, int], list[Any]]]] = {
    "chat completions": (
        openai.CHAT,
        lambda text, size: openai_server.chunks(openai_server.completion({"role": "assistant", "content": text}), size),
    ),
    "messages": (
        anthropic.MESSAGES,
        lambda text, size: anthropic_server.events(anthropic_server.text(text), size),
    ),
}


@given(secret=SECRET, before=st.text(max_size=40), size=SIZES, dialect=st.sampled_from(sorted(STREAMS)))
def test_a_secret_that_is_cut_into_chunks_is_none_in_the_answer(
    secret: str, before: str, size: int, dialect: str
) -> None:
    """Its pieces look like nothing; what is recorded is the whole."""
    operation, cut = STREAMS[dialect]
    said = told(operation, folded(operation, cut(f"{before} {secret} and more", size)))["gen_ai.output.messages"]

    recorded = Content().json("gen_ai.output.messages", said)

    middle = len(secret) // 2
    assert recorded is not None
    assert json.dumps(secret[middle - 6 : middle + 6])[1:-1] not in recorded
    assert "and more" in recorded or "PRIVATE KEY" in secret


NUMBERING: dict[str, Callable[[int], dict[str, Any]]] = {
    "right": lambda number: {"index": number},
    "none": lambda number: {},
    "all 0": lambda number: {"index": 0},
    "null": lambda number: {"index": None},
}
SOME_ARGUMENTS = st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(0, 9), min_size=1, max_size=3)


@pytest.mark.no_cover
@given(
    calls=st.lists(SOME_ARGUMENTS, min_size=1, max_size=4),
    size=SIZES,
    numbering=st.sampled_from(sorted(NUMBERING)),
    ids=st.sampled_from(["first piece", "each piece", "none"]),
    name_apart=st.booleans(),
)
def test_tool_calls_numbered_in_any_way(
    calls: list[Any], size: int, numbering: str, ids: str, name_apart: bool
) -> None:
    """Rightly, all with 0 or not at all; with their ids once, in each piece or never: the plain call's message."""
    whole_calls, pieces = [], []
    for number, arguments in enumerate(calls):
        call_id = {} if ids == "none" else {"id": f"call_{number}"}
        said = json.dumps(arguments)
        whole_calls.append({**call_id, "type": "function", "function": {"name": f"f{number}", "arguments": said}})
        head, *rest = _cut(said, size)
        begun = (
            [{"name": f"f{number}"}, {"arguments": head}] if name_apart else [{"name": f"f{number}", "arguments": head}]
        )
        functions = [*begun, *({"arguments": piece} for piece in rest)]
        for place, function in enumerate(functions):
            identity = call_id if place == 0 or ids == "each piece" else {}
            pieces.append({**NUMBERING[numbering](number), **identity, "function": function})
    whole = openai_server.completion({"role": "assistant", "tool_calls": whole_calls})
    chunks = [{"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]} for piece in pieces]

    expected = told(openai.CHAT, whole)["gen_ai.output.messages"]
    assert told(openai.CHAT, folded(openai.CHAT, chunks))["gen_ai.output.messages"] == expected


@pytest.mark.parametrize("numbering", NUMBERING)
@pytest.mark.parametrize("arguments", ["", '{"city": "Oslo"}'])
def test_tool_calls_that_are_opened_before_one_is_filled(numbering: str, arguments: str) -> None:
    """Each piece has its call's id: they are two, also if nothing is filled in."""
    ids, message = ("call_0", "call_1"), dict[str, Any]()

    for number, call_id in enumerate(ids):
        fold_tool_call(
            message, NUMBERING[numbering](number).get("index"), {"id": call_id, "function": {"name": call_id}}
        )
    for number, call_id in enumerate(ids if arguments else ()):
        piece = {"id": call_id, "function": {"arguments": arguments}}
        fold_tool_call(message, NUMBERING[numbering](number).get("index"), piece)

    told = [
        (call["id"], *("".join(call["function"].get(name, ())) for name in ("name", "arguments")))
        for call in message["tool_calls"]
    ]
    assert told == [(call_id, call_id, arguments) for call_id in ids]


@pytest.mark.no_cover
@given(
    calls=st.lists(SOME_ARGUMENTS, min_size=1, max_size=4),
    size=SIZES,
    numbering=st.sampled_from(["right", "all 0", "none"]),
)
def test_items_of_a_response_numbered_in_any_way(calls: list[Any], size: int, numbering: str) -> None:
    """Each item that is added is another one, and its pieces find it by its id."""
    output, events = [], []
    for number, arguments in enumerate(calls):
        index = {"right": {"output_index": number}, "all 0": {"output_index": 0}, "none": {}}[numbering]
        item = {"id": f"fc_{number}", "type": "function_call", "call_id": f"call_{number}", "name": f"f{number}"}
        output.append({**item, "arguments": json.dumps(arguments)})
        events.append({"type": "response.output_item.added", **index, "item": {**item, "arguments": ""}})
        for piece in _cut(output[-1]["arguments"], size):
            kind = "response.function_call_arguments.delta"
            events.append({"type": kind, **index, "item_id": item["id"], "delta": piece})

    expected = told(openai.RESPONSES, {"output": output})["gen_ai.output.messages"]
    assert told(openai.RESPONSES, folded(openai.RESPONSES, events))["gen_ai.output.messages"] == expected


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["tool_use", "server_tool_use", "mcp_tool_use"])
@given(calls=st.lists(SOME_ARGUMENTS, min_size=1, max_size=4), size=SIZES, right=st.booleans())
def test_blocks_of_a_message_numbered_in_any_way(kind: str, calls: list[Any], size: int, right: bool) -> None:
    """Each block that starts is another one, and says its arguments as the whole answer does."""
    content, events = [], []
    for number, arguments in enumerate(calls):
        block = {"type": kind, "id": f"toolu_{number}", "name": f"f{number}"}
        content.append({**block, "input": arguments})
        index = number if right else 0
        events.append({"type": "content_block_start", "index": index, "content_block": {**block, "input": {}}})
        for piece in _cut(json.dumps(arguments), size):
            delta = {"type": "input_json_delta", "partial_json": piece}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})

    expected = told(anthropic.MESSAGES, {"content": content})["gen_ai.output.messages"]
    assert told(anthropic.MESSAGES, folded(anthropic.MESSAGES, events))["gen_ai.output.messages"] == expected


@given(text=TEXTS, thought=TEXTS, size=SIZES)
def test_a_response_cut_anywhere(text: str, thought: str, size: int) -> None:
    """With and without the last event, which carries the whole: the deltas say as much."""
    whole = openai_server.response()
    whole["output"][0]["summary"][0]["text"] = thought
    whole["output"][2]["content"][0]["text"] = text
    events = openai_server.events(whole, size)

    expected = told(openai.RESPONSES, whole)
    assert told(openai.RESPONSES, folded(openai.RESPONSES, events)) == expected
    cut = told(openai.RESPONSES, folded(openai.RESPONSES, events[:-1]))
    assert cut["gen_ai.output.messages"] == expected["gen_ai.output.messages"]


@given(thought=TEXTS, text=TEXTS, arguments=ARGUMENTS, size=SIZES)
def test_a_conversation_cut_anywhere(thought: str, text: str, arguments: Any, size: int) -> None:
    """A thought, a text with a document in its midst, and the use of a tool."""
    paper = {"type": "document_url", "document_url": "https://example.com/paris.pdf"}
    words = {"type": "text", "text": text}
    parts = [{"type": "thinking", "thinking": thought}, words, paper, words]
    call = {"type": "function.call", "tool_call_id": "1", "name": "f", "arguments": json.dumps(arguments)}
    whole = {"conversation_id": "conv_1", "outputs": [{"type": "message.output", "content": parts}, call]}
    said = [
        *({"type": "message.output.delta", "content": piece} for part in parts for piece in _pieces_of(part, size)),
        *(
            {**call, "type": "function.call.delta", "output_index": 1, "arguments": piece}
            for piece in _cut(call["arguments"], size)
        ),
    ]
    operation = conversations.CONVERSATION

    told_whole = told(operation, whole)

    begun = {"type": "conversation.response.started", "conversation_id": "conv_1"}
    assert told(operation, folded(operation, [{"data": event} for event in [begun, *said]])) == told_whole
    assert len(told_whole["gen_ai.output.messages"][0]["parts"]) == 5


def _cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _pieces_of(part: dict[str, str], size: int) -> list[Any]:
    """The part in pieces, where it can be cut: texts come bare or as parts."""
    kind = part["type"]
    if kind == "text":
        return _cut(part["text"], size)
    if kind == "thinking":
        return [{"type": kind, "thinking": [{"type": "text", "text": piece}]} for piece in _cut(part[kind], size)]
    return [part]


@given(text=TEXTS, thought=TEXTS, size=SIZES)
def test_a_message_cut_anywhere(text: str, thought: str, size: int) -> None:
    """A thought, a text and the use of a tool."""
    whole = anthropic_server.message()
    whole["content"][0]["thinking"] = thought
    whole["content"][1]["text"] = text
    chunks = anthropic_server.events(whole, size)

    assert told(anthropic.MESSAGES, folded(anthropic.MESSAGES, chunks)) == told(anthropic.MESSAGES, whole)


def snake(value: Any) -> Any:
    """What the package makes of the server's names."""
    if isinstance(value, dict):
        return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): snake(v) for key, v in value.items()}
    return [snake(inner) for inner in value] if isinstance(value, list) else value


@given(text=TEXTS, thought=TEXTS, size=SIZES)
def test_content_cut_anywhere(text: str, thought: str, size: int) -> None:
    """A thought, a text and a function call."""
    parts: list[dict[str, Any]] = [{"text": thought, "thought": True}, {"text": text}, google_genai_server.CALL[2]]
    whole = google_genai_server.content(parts)
    chunks = snake(google_genai_server.chunks(whole, size))

    expected = told(genai.GENERATE, snake(whole))
    assert told(genai.GENERATE, folded(genai.GENERATE, chunks)) == expected


@given(text=TEXTS, thought=TEXTS, arguments=ARGUMENTS, size=SIZES, first=st.booleans())
def test_an_interaction_cut_anywhere(text: str, thought: str, arguments: Any, size: int, first: bool) -> None:
    """A thought, a text and a function call, as steps and as the package had them first."""
    steps: list[dict[str, Any]] = [
        {"type": "thought", "summary": [{"type": "text", "text": thought}]},
        {"type": "model_output", "content": [{"type": "text", "text": text}]},
        {**google_interactions_server.CALL[2], "arguments": arguments},
    ]
    whole = google_interactions_server.interaction(steps, first=first)
    chunks = google_interactions_server.events(whole, size)

    expected = told(interactions.INTERACT, whole)
    assert told(interactions.INTERACT, folded(interactions.INTERACT, chunks)) == expected


@given(text=TEXTS, spoken=TEXTS, size=SIZES, sounds=st.lists(st.binary(max_size=5), min_size=1))
def test_a_live_turn_cut_anywhere(text: str, spoken: str, size: int, sounds: list[bytes]) -> None:
    """A thought, sound, and its words."""

    def message(*parts: Any, **said: Any) -> Any:
        return {"server_content": {"model_turn": {"parts": list(parts)}, **said}}

    def sound(data: bytes) -> Any:
        return message({"inline_data": {"mime_type": "audio/pcm", "data": data}})

    def words(text: str) -> Any:
        return message(output_transcription={"text": text})

    def cut(whole: str) -> list[str]:
        return [whole[start : start + size] for start in range(0, len(whole), size)]

    done = {"server_content": {"turn_complete": True}, "usage_metadata": {"prompt_token_count": 3}}
    thoughts = [message({"text": piece, "thought": True}) for piece in cut(text)]
    chunks = [*thoughts, *map(sound, sounds), *map(words, cut(spoken)), done]

    whole = [message({"text": text, "thought": True}), sound(b"".join(sounds)), words(spoken), done]
    assert told(live.LIVE, folded(live.LIVE, chunks)) == told(live.LIVE, folded(live.LIVE, whole))


NOTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
JSON = st.recursive(NOTHING, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))
KEYS = st.sampled_from(
    [
        *("choices", "delta", "message", "content", "tool_calls", "function", "arguments", "usage", "index", "id"),
        *("type", "item", "output", "output_index", "content_index", "summary", "response", "status", "error"),
        *("content_block", "text", "thinking", "partial_json", "candidates", "parts", "usage_metadata", "role"),
        *("server_content", "model_turn", "turn_complete", "tool_call", "function_calls", "output_transcription"),
        *("event_type", "interaction", "step", "steps", "outputs", "usages", "errors", "uri", "answers", "questions"),
        *("finish_reason", "stop_reason", "prompt_tokens", "input_tokens", "function_call", "inline_data", "source"),
    ]
)
CONVERTERS = st.sampled_from(
    [
        *("message_start", "content_block_start", "content_block_delta", "message_delta", "tool_use", "text", "image"),
        *("response.output_item.added", "response.output_text.delta", "response.completed", "error", "message"),
        *("interaction.created", "interaction.completed", "step.start", "step.delta", "arguments_delta", "audio"),
        *("response.function_call_arguments.delta", "function_call", "reasoning", "refusal", "input_image", "file"),
    ]
)
NONSENSE = st.recursive(
    NOTHING | CONVERTERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)
OPERATIONS = [
    *(openai.CHAT, openai.RESPONSES, openai.COMPLETIONS, openai.IMAGES, openai.TRANSCRIPTION, openai.EMBEDDINGS),
    *(anthropic.MESSAGES, genai.GENERATE, interactions.INTERACT, interactions.DECISION),
    live.LIVE,
]


@pytest.mark.no_cover
@given(chunks=st.lists(NONSENSE, max_size=4), operation=st.sampled_from(OPERATIONS))
def test_nonsense_is_read_without_a_fault(chunks: list[Any], operation: Operation) -> None:
    """Whatever stands where something else should, reading it raises nothing."""
    for chunk in chunks:
        told(operation, chunk)
        attributes(operation.request_rows, chunk)
        contents(operation.request_content_rows, chunk)
        operation.failure(chunk)
        operation.background_id(chunk)
    if operation.fold is not None:
        told(operation, folded(operation, chunks))
