"""Each field of a vendor's answer and request that a span says something of, by the name the vendor gives it.

Streams number their items otherwise than they come, so that a number which is not read is seen.
"""

from types import SimpleNamespace
from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel.clients import anthropic
from agentops_otel.clients.dialects import chat_completions, responses
from agentops_otel.clients.google import genai, interactions, live
from agentops_otel.clients.openai import realtime
from tests.clients.said import asked, said, streamed


def test_messages_of_a_chat_completion() -> None:
    """Of each role, with all that may stand beside the text."""
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    messages = [
        {"role": "developer", "content": "Be brief.", "name": "ops"},
        {"role": "system", "content": "Be kind."},
        {"content": "Who?"},
        {"role": "assistant", "content": "I", "reasoning_content": "hm", "tool_calls": [call]},
        {"role": "assistant", "refusal": "No.", "reasoning": "oh"},
        {"role": "assistant", "tool_plan": "First f.", "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "tool", "tool_call_id": "1", "content": "done"},
        {"role": "function", "name": "g", "content": [{"type": "text", "text": "done too"}]},
    ]

    assert asked(chat_completions.CHAT, {"messages": messages}) == snapshot(
        {
            "gen_ai.input.messages": [
                {"role": "system", "parts": [{"type": "text", "content": "Be brief."}], "name": "ops"},
                {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
                {"role": "user", "parts": [{"type": "text", "content": "Who?"}]},
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "hm"},
                        {"type": "text", "content": "I"},
                        {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}},
                    ],
                },
                {
                    "role": "assistant",
                    "parts": [{"type": "reasoning", "content": "oh"}, {"type": "text", "content": "No."}],
                },
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "First f."},
                        {"type": "tool_call", "name": "g", "arguments": {}},
                    ],
                },
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "done"}]},
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "g", "response": "done too"}]},
            ]
        }
    )


def test_tools_of_a_chat_completion() -> None:
    """In both names that the dialect has had for them."""
    function = {"name": "f", "parameters": {"type": "object"}}
    request = {"tools": [{"type": "function", "function": function}], "functions": [{"name": "g"}]}

    assert asked(chat_completions.CHAT, request)["gen_ai.tool.definitions"] == [
        {"type": "function", **function},
        {"type": "function", "name": "g"},
    ]


@pytest.mark.parametrize(("reported", "cost"), [(0.5, 0.5), ({"total_cost": 0.25}, 0.25), (None, None), ({}, None)])
def test_the_cost_that_a_provider_reports(reported: object, cost: float | None) -> None:
    """As a number, or within an object."""
    told = said(chat_completions.CHAT, {"usage": {"cost": reported}})

    assert told.get("agentops.usage.cost") == cost


def test_a_streamed_chat_completion() -> None:
    """Two choices, the second one first; a tool's calls likewise."""

    def delta(index: int, **fields: Any) -> dict[str, Any]:
        return {"index": index, "delta": fields}

    def calls(index: int, **fields: Any) -> list[dict[str, Any]]:
        return [{"index": index, **fields}]

    f, g = ({"id": name, "type": "function", "function": {"name": name, "arguments": ""}} for name in "fg")

    assert streamed(
        chat_completions.CHAT,
        {"id": "c", "model": "m", "choices": [delta(1, role="critic", content="B"), delta(0, reasoning="h")]},
        {"choices": [delta(0, reasoning="m", content="A"), delta(1, refusal="N", reasoning_content="o")]},
        {"choices": [delta(1, content="b", refusal="o"), delta(0, tool_calls=calls(1, **g))]},
        {"choices": [delta(0, tool_calls=calls(0, **f))]},
        {"choices": [delta(0, tool_calls=calls(1, function={"arguments": '{"b": 1}'}))]},
        {"choices": [delta(0, tool_calls=calls(0, function={"arguments": '{"a": 1}'}))]},
        {"choices": [delta(1, function_call={"name": "old", "arguments": "{"})]},
        {"choices": [delta(1, function_call={"arguments": "}"})]},
        {"choices": [{"index": 1, "finish_reason": "stop"}, {"index": 0, "finish_reason": "tool_calls"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}},
    ) == snapshot(
        {
            "gen_ai.response.finish_reasons": ("tool_call", "stop"),
            "gen_ai.response.id": "c",
            "gen_ai.response.model": "m",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "hm"},
                        {"type": "text", "content": "A"},
                        {"type": "tool_call", "id": "f", "name": "f", "arguments": {"a": 1}},
                        {"type": "tool_call", "id": "g", "name": "g", "arguments": {"b": 1}},
                    ],
                },
                {
                    "role": "critic",
                    "parts": [
                        {"type": "reasoning", "content": "o"},
                        {"type": "text", "content": "Bb"},
                        {"type": "text", "content": "No"},
                        {"type": "tool_call", "name": "old", "arguments": {}},
                    ],
                },
            ],
        }
    )


def test_a_streamed_text_completion() -> None:
    """Two choices, the second one first."""
    assert streamed(
        chat_completions.TEXT_COMPLETION,
        {"id": "c", "model": "m", "choices": [{"index": 1, "text": "B"}, {"index": 0, "text": "A"}]},
        {"choices": [{"index": 0, "text": "a", "finish_reason": "length"}, {"index": 1, "text": "b"}]},
        {"choices": [{"index": 1, "text": "", "finish_reason": "stop"}]},
    ) == snapshot(
        {
            "gen_ai.response.finish_reasons": ("length", "stop"),
            "gen_ai.response.id": "c",
            "gen_ai.response.model": "m",
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [{"type": "text", "content": "Aa"}]},
                {"role": "assistant", "parts": [{"type": "text", "content": "Bb"}]},
            ],
        }
    )


@pytest.mark.parametrize("by_id", [True, False])
def test_a_streamed_response(by_id: bool) -> None:
    """Items of each kind, the last one first, found by their ids or by their numbers."""

    def delta(kind: str, item: int, text: str, **more: Any) -> dict[str, Any]:
        place = {"item_id": f"i{item}", "output_index": 99} if by_id else {"output_index": item}
        return {"type": f"response.{kind}.delta", **place, "delta": text, **more}

    def added(item: int, **fields: Any) -> dict[str, Any]:
        return {"type": "response.output_item.added", "output_index": item, "item": {"id": f"i{item}", **fields}}

    def done(item: int, **fields: Any) -> dict[str, Any]:
        index = 99 if by_id else item
        identity = {"id": f"i{item}"} if by_id else {}
        return {"type": "response.output_item.done", "output_index": index, "item": {**identity, **fields}}

    assert streamed(
        responses.RESPONSES,
        {"type": "response.created", "response": {"id": "r", "model": "m", "status": "in_progress"}},
        added(4, type="mcp_call", name="there"),
        added(3, type="custom_tool_call", call_id="c3", name="own"),
        added(2, type="function_call", call_id="c2", name="f"),
        added(1, type="message", role="assistant"),
        added(0, type="reasoning"),
        delta("mcp_call_arguments", 4, '{"m": 1}'),
        delta("custom_tool_call_input", 3, "in"),
        delta("function_call_arguments", 2, '{"a"'),
        delta("function_call_arguments", 2, ": 1}"),
        delta("refusal", 1, "No", content_index=2),
        delta("output_audio_transcript", 1, "spoken", content_index=1),
        delta("output_text", 1, "writ", content_index=0),
        delta("output_text", 1, "ten", content_index=0),
        delta("reasoning_summary_text", 0, "second", summary_index=1),
        delta("reasoning_summary_text", 0, "first", summary_index=0),
        delta("reasoning_text", 0, "then", content_index=1),
        delta("reasoning_text", 0, "now", content_index=0),
        done(4, type="mcp_call", server_label="s", output="o"),
        {
            "type": "response.completed",
            "response": {
                "status": "incomplete",
                "incomplete_details": {"reason": "max_output_tokens"},
                "conversation": {"id": "conv"},
                "usage": {
                    "input_tokens": 3,
                    "output_tokens": 5,
                    "input_tokens_details": {"cached_tokens": 1},
                    "output_tokens_details": {"reasoning_tokens": 2},
                },
            },
        },
    ) == snapshot(
        {
            "gen_ai.conversation.id": "conv",
            "gen_ai.response.finish_reasons": ("length",),
            "gen_ai.response.id": "r",
            "gen_ai.response.model": "m",
            "gen_ai.usage.cache_read.input_tokens": 1,
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.usage.reasoning.output_tokens": 2,
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "now"},
                        {"type": "reasoning", "content": "then"},
                        {"type": "reasoning", "content": "first"},
                        {"type": "reasoning", "content": "second"},
                        {"type": "text", "content": "written"},
                        {"type": "text", "content": "spoken"},
                        {"type": "text", "content": "No"},
                        {"type": "tool_call", "id": "c2", "name": "f", "arguments": {"a": 1}},
                        {"type": "tool_call", "id": "c3", "name": "own", "arguments": "in"},
                        {
                            "type": "server_tool_call",
                            "id": "i4",
                            "name": "there",
                            "server_tool_call": {
                                "type": "mcp",
                                "arguments": '{"m": 1}',
                                "server_label": "s",
                                "output": "o",
                            },
                        },
                    ],
                }
            ],
        }
    )


def test_pieces_of_a_response_whose_items_nobody_began() -> None:
    """Each says by its type what it is a piece of."""

    def delta(kind: str, item: int, text: str, **more: Any) -> dict[str, Any]:
        return {"type": f"response.{kind}.delta", "output_index": item, "delta": text, **more}

    assert streamed(
        responses.RESPONSES,
        delta("output_text", 0, "written", content_index=0),
        delta("refusal", 0, "No", content_index=1),
        delta("reasoning_text", 1, "thought", content_index=0),
        delta("reasoning_summary_text", 2, "in short", summary_index=0),
        delta("function_call_arguments", 3, "{}"),
        delta("custom_tool_call_input", 4, "in"),
        delta("mcp_call_arguments", 5, "{}"),
        delta("code_interpreter_call_code", 6, "print()"),
        delta("output_audio_transcript", 7, "spoken", content_index=0),
    ) == snapshot(
        {
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": "written"},
                        {"type": "text", "content": "No"},
                        {"type": "reasoning", "content": "thought"},
                        {"type": "reasoning", "content": "in short"},
                        {"type": "tool_call", "name": "", "arguments": {}},
                        {"type": "tool_call", "name": "", "arguments": "in"},
                        {
                            "type": "server_tool_call",
                            "name": "mcp",
                            "server_tool_call": {"type": "mcp", "arguments": "{}"},
                        },
                        {
                            "type": "server_tool_call",
                            "name": "code_interpreter",
                            "server_tool_call": {"type": "code_interpreter", "code": "print()"},
                        },
                        {"type": "text", "content": "spoken"},
                    ],
                }
            ]
        }
    )


@pytest.mark.parametrize("event", [{"code": "c"}, {"error": {"code": "c"}}, {}])
def test_an_error_in_a_stream_of_a_response(event: dict[str, Any]) -> None:
    """By its code, wherever that is."""
    whole: dict[str, Any] = {"id": "r"}

    responses.fold(whole, {"type": "error", **event})

    assert responses.failure(whole) == ("c" if event else "_OTHER")


def test_blocks_of_anthropics() -> None:
    """Of each type, from each source, in each role."""
    sources = [
        {"type": "url", "url": "https://x.org/a"},
        {"type": "file", "file_id": "f"},
        {"type": "text", "data": "words"},
        {"type": "base64", "media_type": "application/pdf", "data": "aGFsbG8="},
    ]
    blocks = [
        {"type": "text", "text": "said"},
        {"type": "thinking", "thinking": "thought"},
        *({"type": kind, "source": source} for kind in ("image", "document") for source in sources),
        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
        {"type": "server_tool_use", "id": "2", "name": "web_search", "input": {"q": "x"}},
        {"type": "mcp_tool_use", "id": "3", "name": "g", "server_name": "s", "input": {"b": 1}},
        {"type": "web_search_tool_result", "tool_use_id": "2", "content": [{"url": "u"}]},
        {"type": "mcp_tool_result", "tool_use_id": "3", "content": "done"},
        {"type": "surprise"},
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "1", "content": "text"},
        {"type": "tool_result", "tool_use_id": "2", "content": [{"type": "text", "text": "alone"}]},
        {"type": "tool_result", "tool_use_id": "3", "content": [{"type": "text", "text": "a"}, blocks[2]]},
        {"type": "tool_result", "tool_use_id": "4"},
    ]
    request = {
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": "Who?"},
            {"role": "assistant", "content": blocks},
            {"role": "user", "content": results},
            {"role": "user", "content": [*results[:1], blocks[0]]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
    }

    assert asked(anthropic.MESSAGES, request) == snapshot(
        {
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "text", "content": "Who?"}]},
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": "said"},
                        {"type": "reasoning", "content": "thought"},
                        {"type": "uri", "modality": "image", "uri": "https://x.org/a"},
                        {"type": "file", "modality": "image", "file_id": "f"},
                        {"type": "text", "content": "words"},
                        {"type": "blob", "modality": "image", "mime_type": "application/pdf", "byte_size": 5},
                        {"type": "uri", "modality": "document", "uri": "https://x.org/a"},
                        {"type": "file", "modality": "document", "file_id": "f"},
                        {"type": "text", "content": "words"},
                        {"type": "blob", "modality": "document", "mime_type": "application/pdf", "byte_size": 5},
                        {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}},
                        {
                            "type": "server_tool_call",
                            "id": "2",
                            "name": "web_search",
                            "server_tool_call": {"type": "web_search", "arguments": {"q": "x"}},
                        },
                        {
                            "type": "server_tool_call",
                            "id": "3",
                            "name": "g",
                            "server_tool_call": {"type": "mcp", "server_name": "s", "arguments": {"b": 1}},
                        },
                        {
                            "type": "server_tool_call_response",
                            "id": "2",
                            "server_tool_call_response": {"type": "web_search", "content": [{"url": "u"}]},
                        },
                        {
                            "type": "server_tool_call_response",
                            "id": "3",
                            "server_tool_call_response": {"type": "mcp", "content": "done"},
                        },
                    ],
                },
                {
                    "role": "tool",
                    "parts": [
                        {"type": "tool_call_response", "id": "1", "response": "text"},
                        {"type": "tool_call_response", "id": "2", "response": "alone"},
                        {
                            "type": "tool_call_response",
                            "id": "3",
                            "response": [
                                {"type": "text", "content": "a"},
                                {"type": "uri", "modality": "image", "uri": "https://x.org/a"},
                            ],
                        },
                        {"type": "tool_call_response", "id": "4", "response": None},
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"type": "tool_call_response", "id": "1", "response": "text"},
                        {"type": "text", "content": "said"},
                    ],
                },
            ],
            "gen_ai.tool.definitions": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
        }
    )


def test_a_streamed_message_of_anthropics() -> None:
    """Blocks of each type, the last one first."""

    def start(index: int, kind: str, **fields: Any) -> dict[str, Any]:
        return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}

    def delta(index: int, **fields: Any) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": fields}

    counted = {"input_tokens": 3, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 5}

    assert streamed(
        anthropic.MESSAGES,
        {"type": "message_start", "message": {"id": "m", "model": "c", "role": "assistant", "usage": counted}},
        start(4, "web_search_tool_result", tool_use_id="s", content=[{"url": "u"}]),
        start(3, "server_tool_use", id="s", name="web_search", input={}),
        start(2, "tool_use", id="t", name="f", input={}),
        start(1, "text", text="It "),
        start(0, "thinking", thinking="H"),
        delta(3, type="input_json_delta", partial_json='{"q": 1}'),
        delta(2, type="input_json_delta", partial_json='{"a"'),
        delta(2, type="input_json_delta", partial_json=": 1}"),
        delta(1, type="text_delta", text="is."),
        delta(0, type="thinking_delta", thinking="m"),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens"},
            "usage": {"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 2}},
        },
    ) == snapshot(
        {
            "gen_ai.response.finish_reasons": ("length",),
            "gen_ai.response.id": "m",
            "gen_ai.response.model": "c",
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.cache_write.input_tokens": 5,
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.reasoning.output_tokens": 2,
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "Hm"},
                        {"type": "text", "content": "It is."},
                        {"type": "tool_call", "id": "t", "name": "f", "arguments": {"a": 1}},
                        {
                            "type": "server_tool_call",
                            "id": "s",
                            "name": "web_search",
                            "server_tool_call": {"type": "web_search", "arguments": {"q": 1}},
                        },
                        {
                            "type": "server_tool_call_response",
                            "id": "s",
                            "server_tool_call_response": {"type": "web_search", "content": [{"url": "u"}]},
                        },
                    ],
                }
            ],
        }
    )


def test_parts_of_googles() -> None:
    """Of each type, in the names of Python and of the API."""
    parts: list[Any] = [
        "bare",
        {"text": "said"},
        {"text": "thought", "thought": True},
        {"function_call": {"id": "1", "name": "f", "args": {"a": 1}}},
        {"inline_data": {"mime_type": "image/png", "data": b"1234"}},
        {"inline_data": {"mime_type": "audio/wav", "byte_size": 5}},
        {"file_data": {"mime_type": "video/mp4", "file_uri": "gs://x"}},
        {"fileData": {"mimeType": "text/plain", "fileUri": "gs://y"}},
        {"executable_code": {"id": "2", "language": "PYTHON", "code": "1"}},
        {"code_execution_result": {"id": "2", "outcome": "OK", "output": "1"}},
        {"tool_call": {"id": "3", "tool_type": "MAPS", "args": {"q": 1}}},
        {"tool_response": {"id": "3", "tool_type": "MAPS", "response": {"r": 1}}},
        {"toolCall": {"id": "4", "toolType": "MAPS"}},
    ]
    answers = [
        {"function_response": {"id": "1", "name": "f", "response": {"r": 1}}},
        {"functionResponse": {"name": "g", "response": {"r": 2}}},
    ]
    own = (
        "retrieval computer_use file_search google_search google_maps code_execution enterprise_web_search"
        " google_search_retrieval parallel_ai_search url_context exa_ai_search"
    )
    schema = {"type": "OBJECT", "nullable": None, "anyOf": [{"type": "STRING", "title": None}]}
    functions = [
        {"name": "f", "description": "does", "parameters": schema},
        {"name": "g", "parameters_json_schema": {"type": "object"}},
        {"name": "h", "parametersJsonSchema": {"type": "object"}},
    ]
    request = {
        "model": "models/m",
        "contents": [{"role": "model", "parts": parts}, {"role": "user", "parts": answers}, "bare", {"text": "part"}],
        "config": {
            "system_instruction": ["Be", "brief."],
            "tools": [*({name: {}} for name in own.split()), {"function_declarations": functions}],
        },
    }

    assert asked(genai.GENERATE, request) == snapshot(
        {
            "gen_ai.request.model": "m",
            "gen_ai.system_instructions": [{"type": "text", "content": "Be"}, {"type": "text", "content": "brief."}],
            "gen_ai.input.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": "bare"},
                        {"type": "text", "content": "said"},
                        {"type": "reasoning", "content": "thought"},
                        {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}},
                        {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 4},
                        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 5},
                        {"type": "uri", "modality": "video", "uri": "gs://x"},
                        {"type": "uri", "modality": "document", "uri": "gs://y"},
                        {
                            "type": "server_tool_call",
                            "id": "2",
                            "name": "code_execution",
                            "server_tool_call": {"type": "code_execution", "language": "PYTHON", "code": "1"},
                        },
                        {
                            "type": "server_tool_call_response",
                            "id": "2",
                            "server_tool_call_response": {"type": "code_execution", "outcome": "OK", "output": "1"},
                        },
                        {
                            "type": "server_tool_call",
                            "id": "3",
                            "name": "maps",
                            "server_tool_call": {"type": "maps", "arguments": {"q": 1}},
                        },
                        {
                            "type": "server_tool_call_response",
                            "id": "3",
                            "server_tool_call_response": {"type": "maps", "response": {"r": 1}},
                        },
                        {"type": "server_tool_call", "id": "4", "name": "maps", "server_tool_call": {"type": "maps"}},
                    ],
                },
                {
                    "role": "tool",
                    "parts": [
                        {"type": "tool_call_response", "id": "1", "response": {"r": 1}},
                        {"type": "tool_call_response", "id": "g", "response": {"r": 2}},
                    ],
                },
                {"role": "user", "parts": [{"type": "text", "content": "bare"}]},
                {"role": "user", "parts": [{"type": "text", "content": "part"}]},
            ],
            "gen_ai.tool.definitions": [
                {"type": "retrieval", "name": "retrieval"},
                {"type": "computer_use", "name": "computer_use"},
                {"type": "file_search", "name": "file_search"},
                {"type": "google_search", "name": "google_search"},
                {"type": "google_maps", "name": "google_maps"},
                {"type": "code_execution", "name": "code_execution"},
                {"type": "enterprise_web_search", "name": "enterprise_web_search"},
                {"type": "google_search_retrieval", "name": "google_search_retrieval"},
                {"type": "parallel_ai_search", "name": "parallel_ai_search"},
                {"type": "url_context", "name": "url_context"},
                {"type": "exa_ai_search", "name": "exa_ai_search"},
                {
                    "type": "function",
                    "name": "f",
                    "description": "does",
                    "parameters": {"type": "OBJECT", "anyOf": [{"type": "STRING"}]},
                },
                {"type": "function", "name": "g", "parameters": {"type": "object"}},
                {"type": "function", "name": "h", "parameters": {"type": "object"}},
            ],
        }
    )


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"response_modalities": ["TEXT", "IMAGE"]}, "image"),
        ({"responseModalities": ["audio"]}, "speech"),
        ({"response_modalities": ["VIDEO"]}, "video"),
        ({"response_modalities": ["TEXT"]}, "text"),
        ({"response_modalities": ["TEXT"], "response_mime_type": "application/json"}, "json"),
        ({"response_mime_type": "text/plain"}, "text"),
        ({"response_mime_type": "text/x.enum"}, None),
        ({}, None),
    ],
)
def test_the_form_of_an_answer_of_googles(config: dict[str, Any], told: str | None) -> None:
    """The modality that is asked for, or the format of the text."""
    assert asked(genai.GENERATE, {"config": config}).get("gen_ai.output.type") == told


def test_a_streamed_answer_of_googles() -> None:
    """Two candidates, the second one first, and the tokens of each modality."""

    def candidate(index: int, *parts: Any, **more: Any) -> dict[str, Any]:
        return {"index": index, "content": {"parts": list(parts)}, **more}

    def counted(first: int, key: str) -> list[dict[str, Any]]:
        return [{"modality": kind, key: first + n} for n, kind in enumerate(("TEXT", "IMAGE", "AUDIO", "VIDEO"))]

    assert streamed(
        genai.GENERATE,
        {"response_id": "r", "model_version": "m", "candidates": [candidate(1, {"text": "B"}), candidate(0)]},
        {"candidates": [candidate(0, {"text": "h", "thought": True}), candidate(1, {"text": "b"})]},
        {"candidates": [candidate(0, {"text": "m", "thought": True}, {"text": "A"}, {"text": "a"})]},
        {"candidates": [candidate(0, {"function_call": {"name": "f", "args": {}}}, finish_reason="STOP")]},
        {
            "candidates": [candidate(1, finish_reason="MAX_TOKENS")],
            "usage_metadata": {
                "prompt_token_count": 10,
                "tool_use_prompt_token_count": 1,
                "candidates_token_count": 20,
                "thoughts_token_count": 2,
                "cached_content_token_count": 3,
                "prompt_tokens_details": counted(30, "token_count"),
                "candidates_tokens_details": counted(40, "tokens"),
            },
        },
    ) == snapshot(
        {
            "gen_ai.usage.text.input_tokens": 30,
            "gen_ai.usage.image.input_tokens": 31,
            "gen_ai.usage.audio.input_tokens": 32,
            "gen_ai.usage.text.output_tokens": 40,
            "gen_ai.usage.image.output_tokens": 41,
            "gen_ai.usage.audio.output_tokens": 42,
            "gen_ai.response.finish_reasons": ("tool_call", "length"),
            "gen_ai.response.id": "r",
            "gen_ai.response.model": "m",
            "gen_ai.usage.cache_read.input_tokens": 3,
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 22,
            "gen_ai.usage.reasoning.output_tokens": 2,
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "hm"},
                        {"type": "text", "content": "Aa"},
                        {"type": "tool_call", "name": "f", "arguments": {}},
                    ],
                },
                {"role": "assistant", "parts": [{"type": "text", "content": "Bb"}]},
            ],
        }
    )


def test_a_prompt_that_google_blocks() -> None:
    """There is no candidate, and the reason is the filter's."""
    chunk = {"prompt_feedback": {"block_reason": "SAFETY"}}

    assert streamed(genai.GENERATE, chunk) == {"gen_ai.response.finish_reasons": ("content_filter",)}


INTERACTION = [
    {"type": "user_input", "content": [{"type": "text", "text": "Who?"}]},
    {"type": "thought", "summary": [{"type": "text", "text": "hm"}]},
    {
        "type": "model_output",
        "content": [
            {"type": "text", "text": "I"},
            *({"type": kind, "uri": f"gs://{kind}"} for kind in ("image", "audio", "video", "document")),
            {"type": "image", "mime_type": "image/png", "data": "aGFsbG8="},
            {"type": "audio", "mime_type": "audio/wav", "byte_size": 9},
        ],
    },
    {"type": "function_call", "id": "1", "name": "f", "arguments": {"a": 1}},
    {"type": "function_result", "call_id": "1", "result": {"r": 1}},
    {"type": "mcp_server_tool_call", "id": "2", "name": "g", "server_name": "s", "arguments": {"b": 1}},
    {"type": "mcp_server_tool_result", "call_id": "2", "result": "done", "is_error": True},
    {"type": "url_context_call", "id": "3", "arguments": {"urls": []}},
    {"role": "model", "content": [{"type": "text", "text": "an older turn"}]},
    {"role": "user", "content": "of the program"},
    {"text": "of no type"},
]


def test_steps_of_an_interaction() -> None:
    """Of each type; successive ones of a role are one message."""
    request = {"model": "models/m", "input": INTERACTION, "system_instruction": "Be brief.", "tools": [{"type": "x"}]}

    assert asked(interactions.INTERACT, request) == snapshot(
        {
            "gen_ai.request.model": "m",
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "text", "content": "Who?"}]},
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "hm"},
                        {"type": "text", "content": "I"},
                        {"type": "uri", "modality": "image", "uri": "gs://image"},
                        {"type": "uri", "modality": "audio", "uri": "gs://audio"},
                        {"type": "uri", "modality": "video", "uri": "gs://video"},
                        {"type": "uri", "modality": "document", "uri": "gs://document"},
                        {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 5},
                        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 9},
                        {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}},
                    ],
                },
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": {"r": 1}}]},
                {
                    "role": "assistant",
                    "parts": [
                        {
                            "type": "server_tool_call",
                            "id": "2",
                            "name": "g",
                            "server_tool_call": {"type": "mcp_server_tool", "server_name": "s", "arguments": {"b": 1}},
                        },
                        {
                            "type": "server_tool_call_response",
                            "id": "2",
                            "server_tool_call_response": {
                                "type": "mcp_server_tool",
                                "result": "done",
                                "is_error": True,
                            },
                        },
                        {
                            "type": "server_tool_call",
                            "id": "3",
                            "name": "url_context",
                            "server_tool_call": {"type": "url_context", "arguments": {"urls": []}},
                        },
                        {"type": "text", "content": "an older turn"},
                    ],
                },
                {
                    "role": "user",
                    "parts": [{"type": "text", "content": "of the program"}, {"type": "text", "content": "of no type"}],
                },
            ],
            "gen_ai.tool.definitions": [{"type": "x"}],
        }
    )
    assert said(interactions.INTERACT, {"steps": INTERACTION[:4]}) == snapshot(
        {
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "hm"},
                        {"type": "text", "content": "I"},
                        {"type": "uri", "modality": "image", "uri": "gs://image"},
                        {"type": "uri", "modality": "audio", "uri": "gs://audio"},
                        {"type": "uri", "modality": "video", "uri": "gs://video"},
                        {"type": "uri", "modality": "document", "uri": "gs://document"},
                        {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 5},
                        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 9},
                        {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}},
                    ],
                }
            ]
        }
    )


def test_a_streamed_interaction() -> None:
    """Steps of each type, the last one first; a further request of the same call counts from 0 again."""

    def start(index: int, **step: Any) -> dict[str, Any]:
        return {"event_type": "step.start", "index": index, "step": step}

    def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
        return {"event_type": "step.delta", "index": index, "delta": {"type": kind, **fields}}

    def usage(number: int) -> dict[str, Any]:
        names = "total_input_tokens total_tool_use_tokens total_output_tokens total_thought_tokens total_cached_tokens"
        by_modality = {
            side: [{"modality": kind, "tokens": number} for kind in ("text", "image", "audio")]
            for side in ("input_tokens_by_modality", "output_tokens_by_modality")
        }
        return {**{name: number + n for n, name in enumerate(names.split())}, **by_modality}

    assert streamed(
        interactions.INTERACT,
        {"event_type": "interaction.created", "interaction": {"id": "i", "model": "m", "status": "in_progress"}},
        start(4, type="url_context_call", id="3"),
        start(3, type="mcp_server_tool_result", call_id="2"),
        start(2, type="mcp_server_tool_call", id="2", name="g", server_name="s"),
        start(1, type="function_call", id="1", name="f"),
        start(0, type="model_output"),
        delta(4, "url_context_call", arguments={"urls": []}),
        delta(3, "mcp_server_tool_result", result="done", is_error=True),
        delta(2, "mcp_server_tool_call", arguments={"b": 1}),
        delta(1, "arguments_delta", arguments='{"a"'),
        delta(1, "arguments_delta", arguments=": 1}"),
        delta(0, "text", text="It "),
        delta(0, "text", text="is."),
        delta(0, "image", uri="gs://x"),
        delta(0, "audio", mime_type="audio/wav", data="aGFsbG8="),
        delta(0, "audio", data="aGFsbG8="),
        delta(0, "audio", uri="gs://y"),
        {"event_type": "interaction.status_update", "interaction_id": "j", "status": "requires_continuation"},
        {"event_type": "interaction.completed", "interaction": {"usage": usage(10)}},
        {"event_type": "interaction.created", "interaction": {"status": "in_progress"}},
        delta(1, "text", text="More."),
        delta(0, "thought_summary", content={"type": "text", "text": "hm"}),
        {"event_type": "interaction.completed", "interaction": {"status": "completed", "usage": usage(100)}},
    ) == snapshot(
        {
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.response.id": "j",
            "gen_ai.response.model": "m",
            "gen_ai.usage.text.input_tokens": 110,
            "gen_ai.usage.image.input_tokens": 110,
            "gen_ai.usage.audio.input_tokens": 110,
            "gen_ai.usage.text.output_tokens": 110,
            "gen_ai.usage.image.output_tokens": 110,
            "gen_ai.usage.audio.output_tokens": 110,
            "gen_ai.usage.cache_read.input_tokens": 118,
            "gen_ai.usage.input_tokens": 222,
            "gen_ai.usage.output_tokens": 230,
            "gen_ai.usage.reasoning.output_tokens": 116,
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": "It is."},
                        {"type": "uri", "modality": "image", "uri": "gs://x"},
                        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 10},
                        {"type": "uri", "modality": "audio", "uri": "gs://y"},
                        {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}},
                        {
                            "type": "server_tool_call",
                            "id": "2",
                            "name": "g",
                            "server_tool_call": {"type": "mcp_server_tool", "server_name": "s", "arguments": {"b": 1}},
                        },
                        {
                            "type": "server_tool_call_response",
                            "id": "2",
                            "server_tool_call_response": {
                                "type": "mcp_server_tool",
                                "result": "done",
                                "is_error": True,
                            },
                        },
                        {
                            "type": "server_tool_call",
                            "id": "3",
                            "name": "url_context",
                            "server_tool_call": {"type": "url_context", "arguments": {"urls": []}},
                        },
                        {"type": "reasoning", "content": "hm"},
                        {"type": "text", "content": "More."},
                    ],
                }
            ],
        }
    )


def test_pieces_of_an_interaction_whose_steps_nobody_began() -> None:
    """Each says by its type what it is a piece of, in the names of google-genai 1."""

    def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
        return {"event_type": "content.delta", "index": index, "delta": {"type": kind, **fields}}

    assert streamed(
        interactions.INTERACT,
        {"event_type": "interaction.start", "interaction": {"id": "i"}},
        delta(0, "thought_summary", content={"type": "text", "text": "hm"}),
        {"event_type": "content.start", "index": 1, "content": {"type": "text", "text": "It "}},
        delta(1, "text", text="is."),
        delta(2, "arguments_delta", arguments="{}"),
        {"event_type": "content.start", "index": 3, "content": {"type": "text", "text": "begun"}},
        delta(4, "text", text="alone"),
        {
            "event_type": "interaction.complete",
            "interaction": {"steps": [{"type": "thought", "summary": [{"type": "text", "text": "in the end"}]}]},
        },
        {"event_type": "error", "error": {"code": "c"}},
    ) == snapshot(
        {
            "gen_ai.response.finish_reasons": ("error",),
            "gen_ai.response.id": "i",
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "in the end"},
                        {"type": "text", "content": "It is."},
                        {"type": "tool_call", "name": "", "arguments": {}},
                        {"type": "text", "content": "begun"},
                        {"type": "text", "content": "alone"},
                    ],
                }
            ],
        }
    )


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("completed", "stop"),
        ("requires_action", "tool_call"),
        ("incomplete", "length"),
        ("requires_continuation", "length"),
        ("budget_exceeded", "length"),
        ("failed", "error"),
        ("cancelled", "error"),
        ("queued", None),
        ("in_progress", None),
        (7, None),
    ],
)
def test_how_an_interaction_ended(status: object, reason: str | None) -> None:
    """By its status; one in progress has not ended, but a stream that ended before it has failed."""
    told = said(interactions.INTERACT, {"status": status}).get("gen_ai.response.finish_reasons")

    assert told == ((reason,) if reason else None)
    in_background = interactions.INTERACT.background_id({"id": "i", "status": status})
    assert in_background == ("i" if status in ("queued", "in_progress") else None)
    streamed_to_here = {"status": status, "streamed": True}
    assert said(interactions.INTERACT, streamed_to_here)["gen_ai.response.finish_reasons"] == (reason or "error",)


def test_an_interaction_whose_stream_ends_before_it() -> None:
    """Its status is that of one in progress: the stream broke off."""
    created = {"event_type": "interaction.created", "interaction": {"id": "i", "status": "in_progress"}}

    assert streamed(interactions.INTERACT, created)["gen_ai.response.finish_reasons"] == ("error",)


@pytest.mark.parametrize(
    ("url", "method", "body", "name"),
    [
        ("/v1beta/interactions", "post", {"agent": "a"}, "invoke_agent"),
        ("/v1beta/interactions?x=1", "POST", {"model": "m"}, "generate_content"),
        ("/v1beta/interactions/i-1", "get", None, "fetch_response"),
        ("/v1beta/interactions/i-1?stream=true", "GET", None, "fetch_response"),
        ("/v1beta/interactions/i-1", "delete", None, None),
        ("/v1beta/interactions", "get", None, None),
        ("/v1beta/interactions/i-1/cancel", "post", {}, None),
    ],
)
def test_what_a_request_of_googles_first_interactions_is(url: str, method: str, body: Any, name: str | None) -> None:
    """By its path, its method and whom it asks; a fetched one is told by its id."""
    arguments = {"options": SimpleNamespace(url=url, method=method, json_data=body)}

    found = next((one for one in interactions.FIRST.operations if one.matches(arguments)), None)

    assert (found and found.name) == name
    assert (found.fetched_id(arguments) if found else None) == ("i-1" if name == "fetch_response" else None)


@pytest.mark.parametrize(("asks", "told"), [(["text"], "text"), (["audio"], "speech"), (["video"], None), ([], None)])
def test_the_form_of_a_realtime_answer(asks: list[str], told: str | None) -> None:
    """Of the first modality that is asked for."""
    assert asked(realtime.REALTIME, {"output_modalities": asks}).get("gen_ai.output.type") == told


def test_input_of_a_live_session_that_is_not_recorded_keeps_its_place() -> None:
    """A turn that began before the session was watched has no span; the next one has."""
    begun: list[Any] = []
    tracker = live.LiveTracker(begun.append)  # type: ignore[arg-type]  # it is called with the request
    tracker._midway = True

    unseen = tracker.sent({"client_content": {"turns": [{"parts": [{"text": "a"}]}], "turn_complete": True}})

    assert [unseen] == tracker.turns
    assert begun == []
    tracker.received({"server_content": {"model_turn": {"parts": [{"text": "b"}]}}})
    assert unseen is not None
    assert unseen.has_begun
    tracker.received({"server_content": {"turn_complete": True}})
    assert tracker.turns == []
    seen = tracker.sent({"client_content": {"turns": [{"parts": [{"text": "c"}]}], "turn_complete": True}})
    assert [seen] == tracker.turns
    assert [request["input"].contents for request in begun] == [[{"parts": [{"text": "c"}]}]]


def test_a_live_turn() -> None:
    """What the model says, writes and hears, and the tools that it calls."""

    def spoken(**content: Any) -> dict[str, Any]:
        return {"server_content": content}

    sound, picture = ({"inline_data": {"mime_type": kind, "data": b"123"}} for kind in ("audio/pcm", "image/png"))

    assert streamed(
        live.LIVE,
        spoken(model_turn={"parts": [{"text": "h", "thought": True}, picture, sound, picture, {"text": "I"}, sound]}),
        spoken(output_transcription={"text": " am"}),
        {"tool_call": {"function_calls": [{"id": "1", "name": "f", "args": {"a": 1}}]}},
        {"tool_response": {"function_responses": [{"id": "1", "name": "f", "response": {"r": 1}}]}},
        {"tool_response": {"functionResponses": [{"id": "2", "name": "g", "response": {"r": 2}}]}},
        spoken(model_turn={"parts": [{"text": "Done."}]}, turn_complete=True),
        {"usage_metadata": {"prompt_token_count": 3, "response_token_count": 5, "thoughts_token_count": 1}},
    ) == snapshot(
        {
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 6,
            "gen_ai.usage.reasoning.output_tokens": 1,
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "h"},
                        {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 3},
                        {"type": "blob", "modality": "audio", "mime_type": "audio/pcm", "byte_size": 6},
                        {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 3},
                        {"type": "text", "content": "I am"},
                        {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}},
                    ],
                },
                {
                    "role": "tool",
                    "parts": [
                        {"type": "tool_call_response", "id": "1", "response": {"r": 1}},
                        {"type": "tool_call_response", "id": "2", "response": {"r": 2}},
                    ],
                },
                {"role": "assistant", "parts": [{"type": "text", "content": "Done."}]},
            ],
        }
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"turn_complete": True}, "stop"),
        ({"turn_complete": True, "turn_complete_reason": "TURN_COMPLETE_REASON_UNSPECIFIED"}, "stop"),
        ({"turn_complete": True, "turn_complete_reason": "NEED_MORE_INPUT"}, "stop"),
        ({"turn_complete": True, "turn_complete_reason": "MALFORMED_FUNCTION_CALL"}, "error"),
        ({"turn_complete": True, "turn_complete_reason": "PROHIBITED_INPUT_CONTENT"}, "content_filter"),
        ({"turn_complete": True, "interrupted": True}, "interrupted"),
        ({"interrupted": True}, "interrupted"),
    ],
)
def test_how_a_live_turn_ended(content: dict[str, Any], reason: str) -> None:
    """By what the model says of it."""
    assert streamed(live.LIVE, {"server_content": content})["gen_ai.response.finish_reasons"] == (reason,)
