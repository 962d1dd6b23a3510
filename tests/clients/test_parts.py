"""The parts of messages that the calls of the other tests leave out, read by each client's tables."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel import semconv
from agentops_otel.clients import anthropic, google_genai, openai
from agentops_otel.instrumentation.reading import attributes, contents, joined
from agentops_otel.instrumentation.spec import Operation


def told(operation: Operation, request: Any) -> Any:
    """The parts of the request's one message."""
    messages: Any = contents(operation.request_content_rows, request)[semconv.GEN_AI_INPUT_MESSAGES]
    (message,) = messages
    return message["role"], message["parts"]


def test_parts_of_a_chat_completion() -> None:
    """Audio, files and what was refused; a part of a kind that nobody knows says nothing."""
    content = [
        {"type": "input_audio", "input_audio": {"format": "wav", "data": "UklGRg=="}},
        {"type": "file", "file": {"file_id": "file_1"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk="}},
        {"type": "refusal", "refusal": "No."},
        {"type": "surprise"},
        {"type": 7},
    ]

    assert told(openai.CHAT, {"messages": [{"role": "user", "content": content}]}) == snapshot(
        (
            "user",
            [
                {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 4},
                {"type": "file", "file_id": "file_1"},
                {"type": "blob", "modality": "file", "mime_type": "application/pdf", "byte_size": 2},
                {"type": "text", "content": "No."},
            ],
        )
    )


def test_tools_of_a_chat_completion() -> None:
    """A custom tool's input, and a tool's answer in several texts or in something else."""
    calls = [{"id": "1", "type": "custom", "custom": {"name": "run", "input": "ls"}}]
    texts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]

    assert told(openai.CHAT, {"messages": [{"role": "assistant", "tool_calls": calls}]}) == snapshot(
        ("assistant", [{"type": "tool_call", "id": "1", "name": "run", "arguments": "ls"}])
    )
    assert told(openai.CHAT, {"messages": [{"role": "tool", "tool_call_id": "1", "content": texts}]}) == snapshot(
        ("tool", [{"type": "tool_call_response", "id": "1", "response": "ab"}])
    )


def test_parts_of_a_response() -> None:
    """Files by id or by what they hold, plain text, and tools that the server runs itself."""
    files = [
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,aGk="},
        {"type": "input_image", "file_id": "file_2"},
        {"type": "refusal", "refusal": "No."},
        {"type": "surprise"},
    ]

    assert told(openai.RESPONSES, {"input": [{"role": "user", "content": files}]}) == snapshot(
        (
            "user",
            [
                {"type": "file", "file_id": "file_1"},
                {"type": "blob", "modality": "file", "mime_type": "application/pdf", "byte_size": 2},
                {"type": "file", "file_id": "file_2"},
                {"type": "text", "content": "No."},
            ],
        )
    )
    assert told(openai.RESPONSES, {"input": [{"role": "developer", "content": "Be brief."}]}) == snapshot(
        ("system", [{"type": "text", "content": "Be brief."}])
    )
    assert told(openai.RESPONSES, {"input": [{"type": "web_search_call", "id": "1"}]}) == snapshot(
        ("assistant", [{"type": "server_tool_call", "name": "web_search_call"}])
    )
    assert told(openai.RESPONSES, {"input": [{"type": "reasoning", "summary": [{"text": "Hm."}]}]}) == snapshot(
        ("assistant", [{"type": "reasoning", "content": "Hm."}])
    )


def test_an_error_event_fails_a_response() -> None:
    """The stream's own error event says why."""
    whole: dict[str, Any] = {}

    assert openai.RESPONSES.fold is not None
    openai.RESPONSES.fold(whole, {"type": "error", "code": "server_error"})
    openai.RESPONSES.fold(whole, {"type": "response.refusal.delta", "output_index": 0, "delta": "No."})

    assert openai.RESPONSES.failure(whole) == "server_error"
    assert openai.RESPONSES.failure({"status": "failed"}) == "_OTHER"
    assert contents(openai.RESPONSES.response_content_rows, joined(whole)) == snapshot(
        {"gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "No."}]}]}
    )


@pytest.mark.parametrize(
    ("response", "reasons"),
    [
        ({"status": "cancelled"}, ["error"]),
        ({"status": "incomplete", "incomplete_details": {"reason": "steered"}}, ["steered"]),
        ({"status": "incomplete"}, ["error"]),
        ({"status": "queued"}, None),
    ],
)
def test_finish_reasons_of_a_response(response: Any, reasons: Any) -> None:
    """One word for each way that a response may end."""
    found = attributes(openai.RESPONSES.response_rows, response)

    assert found.get(semconv.GEN_AI_RESPONSE_FINISH_REASONS) == reasons


def test_blocks_of_a_message() -> None:
    """Files, texts and addresses as documents, tools that the server runs, thoughts that are hidden."""
    content = [
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}},
        {"type": "server_tool_use", "id": "1", "name": "web_search", "input": {"query": "Paris"}},
        {"type": "web_search_tool_result", "tool_use_id": "1", "content": [{"type": "web_search_result"}]},
        {"type": "mcp_tool_use", "id": "2", "name": "look", "input": {}},
        {"type": "tool_result", "tool_use_id": "3", "content": [{"type": "text", "text": "21"}]},
        {"type": "redacted_thinking", "data": "x"},
        {"type": None},
    ]

    assert told(anthropic.MESSAGES, {"messages": [{"role": "assistant", "content": content}]}) == snapshot(
        (
            "assistant",
            [
                {"type": "file", "file_id": "file_1"},
                {"type": "text", "content": "hi"},
                {"type": "server_tool_call", "id": "1", "name": "web_search", "arguments": {"query": "Paris"}},
                {"type": "tool_call_response", "id": "1"},
                {"type": "server_tool_call", "id": "2", "name": "look", "arguments": {}},
                {"type": "tool_call_response", "id": "3", "response": "21"},
            ],
        )
    )


def test_parts_of_contents() -> None:
    """What google-genai takes for contents, down to a bare text, and a function that is given as a tool."""

    def weather() -> None: ...

    assert told(google_genai.GENERATE, {"contents": "Paris"}) == snapshot(
        ("user", [{"type": "text", "content": "Paris"}])
    )
    assert told(
        google_genai.GENERATE, {"contents": [{"role": "model", "parts": [{"surprise": 1}, {"text": "a"}]}]}
    ) == (
        "assistant",
        [{"type": "text", "content": "a"}],
    )
    config = {"tools": [weather, {"function_declarations": [{"name": "f", "description": None}]}]}
    assert contents(google_genai.GENERATE.request_content_rows, {"config": config}) == snapshot(
        {"gen_ai.tool.definitions": [{"type": "function", "name": "weather"}, {"type": "function", "name": "f"}]}
    )
