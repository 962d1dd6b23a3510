"""The parts of messages that the calls of the other tests leave out, read by each client's tables."""

import json
from typing import Any

import pytest
from google.genai import types
from inline_snapshot import snapshot

from agentops_otel import semconv
from agentops_otel.clients import anthropic, ollama
from agentops_otel.clients.bedrock import spec as bedrock
from agentops_otel.clients.dashscope import spec as dashscope
from agentops_otel.clients.dialects import chat_completions
from agentops_otel.clients.google import genai, interactions
from agentops_otel.clients.openai import spec as openai
from agentops_otel.content import Content
from agentops_otel.instrumentation.folding import joined
from agentops_otel.instrumentation.spec import Operation
from agentops_otel.instrumentation.tables import attributes, contents

SPOKEN = (("user", "Hello."), ("assistant", "Hi."), ("user", "Well?"))


def told(operation: Operation, request: Any) -> Any:
    """The parts of the request's one message."""
    messages: Any = contents(operation.request_content_rows, request)[semconv.GEN_AI_INPUT_MESSAGES]
    (message,) = messages
    return message["role"], message["parts"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("a" * 1023, {"type": "uri", "modality": "image", "uri": "a" * 1023}),
        ("A" * 1024, {"type": "blob", "modality": "image", "byte_size": 768}),
        (b"abc", {"type": "blob", "modality": "image", "byte_size": 3}),
        ({"value": "dog.png"}, {"type": "uri", "modality": "image", "uri": "dog.png"}),
        ({"value": None}, None),
    ],
)
def test_an_image_of_ollama_is_a_path_if_it_is_short(image: Any, expected: dict[str, Any] | None) -> None:
    """Longer text is the image itself, which is told by its size."""
    message = {"role": "user", "content": "this", "images": [image]}

    said = told(ollama.CHAT, {"messages": [message]})

    assert said == ("user", [{"type": "text", "content": "this"}, *([expected] if expected else [])])


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"n": 3}, {"gen_ai.request.choice.count": 3}),
        ({"n": 1}, {}),
        ({"max_tokens": 5}, {"gen_ai.request.max_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 7}, {"gen_ai.request.max_tokens": 7}),
        ({"response_format": {"type": "json_schema"}}, {"gen_ai.output.type": "json"}),
        ({"response_format": {"type": "another"}}, {}),
    ],
)
def test_settings_of_a_chat_completion_that_are_worked_out(request_: dict[str, Any], expected: dict[str, Any]) -> None:
    """From several names, or only where they say something."""
    assert attributes(chat_completions.CHAT.request_rows, request_) == expected


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
                {"type": "file", "modality": "document", "file_id": "file_1"},
                {"type": "blob", "modality": "document", "mime_type": "application/pdf", "byte_size": 2},
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


def test_functions_of_a_chat_completion() -> None:
    """What the API had before tools: functions, calls without an id, and answers under the function's name."""
    weather = {"name": "weather", "parameters": {"type": "object"}}
    called = {
        "role": "assistant",
        "content": None,
        "function_call": {"name": "weather", "arguments": '{"city": "Paris"}'},
    }
    answered = {"role": "function", "name": "weather", "content": "21"}

    assert contents(openai.CHAT.request_content_rows, {"functions": [weather], "messages": [called, answered]}) == (
        snapshot(
            {
                "gen_ai.input.messages": [
                    {
                        "role": "assistant",
                        "parts": [{"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}}],
                    },
                    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "weather", "response": "21"}]},
                ],
                "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
            }
        )
    )


def test_a_streamed_function_call_is_told_as_a_plain_one() -> None:
    """Its name and its arguments come in pieces."""
    deltas = [{"role": "assistant", "function_call": {"name": "weather", "arguments": ""}}]
    deltas += [{"function_call": {"arguments": piece}} for piece in ('{"city":', ' "Paris"}')]
    whole: dict[str, Any] = {}

    assert openai.CHAT.fold is not None
    for delta in deltas:
        openai.CHAT.fold(whole, {"choices": [{"index": 0, "delta": delta}]})

    assert contents(openai.CHAT.response_content_rows, joined(whole)) == snapshot(
        {
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [{"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}}],
                }
            ]
        }
    )


def test_the_name_of_a_speaker() -> None:
    """A message says who speaks where the request does."""
    request = {"messages": [{"role": "user", "name": "alice", "content": "hi"}]}

    assert contents(openai.CHAT.request_content_rows, request) == snapshot(
        {
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "text", "content": "hi"}], "name": "alice"},
            ]
        }
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
                {"type": "file", "modality": "document", "file_id": "file_1"},
                {"type": "blob", "modality": "document", "mime_type": "application/pdf", "byte_size": 2},
                {"type": "file", "modality": "image", "file_id": "file_2"},
                {"type": "text", "content": "No."},
            ],
        )
    )
    assert told(openai.RESPONSES, {"input": [{"role": "developer", "content": "Be brief."}]}) == snapshot(
        ("system", [{"type": "text", "content": "Be brief."}])
    )
    assert told(openai.RESPONSES, {"input": [{"type": "reasoning", "summary": [{"text": "Hm."}]}]}) == snapshot(
        ("assistant", [{"type": "reasoning", "content": "Hm."}])
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            {"type": "web_search_call", "id": "1", "action": {"type": "search", "query": "Paris"}},
            snapshot(
                (
                    "assistant",
                    [
                        {
                            "type": "server_tool_call",
                            "id": "1",
                            "name": "web_search",
                            "server_tool_call": {"type": "web_search", "action": {"type": "search", "query": "Paris"}},
                        }
                    ],
                )
            ),
        ),
        (
            {"type": "file_search_call", "id": "1", "queries": ["Paris"], "results": None},
            snapshot(
                (
                    "assistant",
                    [
                        {
                            "type": "server_tool_call",
                            "id": "1",
                            "name": "file_search",
                            "server_tool_call": {"type": "file_search", "queries": ["Paris"]},
                        }
                    ],
                )
            ),
        ),
        (
            {"type": "code_interpreter_call", "id": "1", "code": "1+1", "outputs": [{"logs": "2"}]},
            snapshot(
                (
                    "assistant",
                    [
                        {
                            "type": "server_tool_call",
                            "id": "1",
                            "name": "code_interpreter",
                            "server_tool_call": {"type": "code_interpreter", "code": "1+1", "outputs": [{"logs": "2"}]},
                        }
                    ],
                )
            ),
        ),
        (
            {"type": "mcp_call", "id": "1", "name": "look", "server_label": "maps", "arguments": "{}", "output": "x"},
            snapshot(
                (
                    "assistant",
                    [
                        {
                            "type": "server_tool_call",
                            "id": "1",
                            "name": "look",
                            "server_tool_call": {
                                "type": "mcp",
                                "server_label": "maps",
                                "arguments": "{}",
                                "output": "x",
                            },
                        }
                    ],
                )
            ),
        ),
        (
            {"type": "mcp_list_tools", "id": "1", "server_label": "maps", "tools": [{"name": "look"}]},
            snapshot(
                (
                    "assistant",
                    [
                        {
                            "type": "server_tool_call",
                            "id": "1",
                            "name": "mcp_list_tools",
                            "server_tool_call": {
                                "type": "mcp_list_tools",
                                "server_label": "maps",
                                "tools": [{"name": "look"}],
                            },
                        }
                    ],
                )
            ),
        ),
        (
            {
                "type": "image_generation_call",
                "id": "1",
                "result": "iVBORw0KGgo=",
                "output_format": "webp",
                "action": "edit",
                "revised_prompt": "A red fox.",
            },
            snapshot(
                (
                    "assistant",
                    [
                        {
                            "type": "server_tool_call",
                            "id": "1",
                            "name": "image_generation",
                            "server_tool_call": {
                                "type": "image_generation",
                                "action": "edit",
                                "revised_prompt": "A red fox.",
                            },
                        },
                        {"type": "blob", "modality": "image", "mime_type": "image/webp", "byte_size": 8},
                    ],
                )
            ),
        ),
        (
            {"type": "image_generation_call", "id": "1", "status": "in_progress"},
            snapshot(
                (
                    "assistant",
                    [
                        {
                            "type": "server_tool_call",
                            "id": "1",
                            "name": "image_generation",
                            "server_tool_call": {"type": "image_generation"},
                        }
                    ],
                )
            ),
        ),
        (
            {"type": "tool_search_output", "call_id": "1", "tools": [{"name": "look"}]},
            snapshot(
                (
                    "assistant",
                    [
                        {
                            "type": "server_tool_call_response",
                            "id": "1",
                            "server_tool_call_response": {"type": "tool_search", "tools": [{"name": "look"}]},
                        }
                    ],
                )
            ),
        ),
        (
            {"type": "custom_tool_call", "call_id": "1", "name": "run", "input": "ls"},
            snapshot(("assistant", [{"type": "tool_call", "id": "1", "name": "run", "arguments": "ls"}])),
        ),
        (
            {"type": "custom_tool_call_output", "call_id": "1", "output": "README"},
            snapshot(("tool", [{"type": "tool_call_response", "id": "1", "response": "README"}])),
        ),
        (
            {"type": "local_shell_call", "call_id": "1", "action": {"command": ["ls"]}},
            snapshot(
                (
                    "assistant",
                    [
                        {
                            "type": "tool_call",
                            "id": "1",
                            "name": "local_shell",
                            "arguments": {"action": {"command": ["ls"]}},
                        }
                    ],
                )
            ),
        ),
        (
            {"type": "local_shell_call_output", "call_id": "1", "output": "README"},
            snapshot(("tool", [{"type": "tool_call_response", "id": "1", "response": "README"}])),
        ),
    ],
)
def test_tools_of_a_response(item: Any, expected: Any) -> None:
    """Who runs the tool decides: a call that the program answers, or one that the server runs itself."""
    assert told(openai.RESPONSES, {"input": [item]}) == expected


@pytest.mark.parametrize("kind", ["item_reference", "mcp_approval_response", "compaction_trigger"])
def test_an_item_that_nobody_said_is_no_message(kind: str) -> None:
    """References and requests to the server are not part of the conversation."""
    assert contents(openai.RESPONSES.request_content_rows, {"input": [{"type": kind, "id": "1"}]}) == {}


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
        ({"status": "cancelled"}, ("error",)),
        ({"status": "incomplete", "incomplete_details": {"reason": "steered"}}, ("steered",)),
        ({"status": "incomplete"}, ("error",)),
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
                {"type": "file", "modality": "document", "file_id": "file_1"},
                {"type": "text", "content": "hi"},
                {
                    "type": "server_tool_call",
                    "id": "1",
                    "name": "web_search",
                    "server_tool_call": {"type": "web_search", "arguments": {"query": "Paris"}},
                },
                {
                    "type": "server_tool_call_response",
                    "id": "1",
                    "server_tool_call_response": {"type": "web_search", "content": [{"type": "web_search_result"}]},
                },
                {
                    "type": "server_tool_call",
                    "id": "2",
                    "name": "look",
                    "server_tool_call": {"type": "mcp", "arguments": {}},
                },
                {"type": "tool_call_response", "id": "3", "response": "21"},
            ],
        )
    )


def test_parts_of_contents() -> None:
    """What google-genai takes for contents, down to a bare text, and a function that is given as a tool."""

    def weather() -> None: ...

    assert told(genai.GENERATE, {"contents": "Paris"}) == snapshot(("user", [{"type": "text", "content": "Paris"}]))
    assert told(genai.GENERATE, {"contents": [{"role": "model", "parts": [{"surprise": 1}, {"text": "a"}]}]}) == (
        "assistant",
        [{"type": "text", "content": "a"}],
    )
    config = {"tools": [weather, {"function_declarations": [{"name": "f", "description": None}]}]}
    assert contents(genai.GENERATE.request_content_rows, {"config": config}) == snapshot(
        {"gen_ai.tool.definitions": [{"type": "function", "name": "weather"}, {"type": "function", "name": "f"}]}
    )


def test_code_that_google_runs() -> None:
    """The code, its result, and other tools that Google runs itself."""
    parts = [
        {"executable_code": {"language": "PYTHON", "code": "print(1)"}},
        {"code_execution_result": {"outcome": "OUTCOME_OK", "output": "1"}},
        {"tool_call": {"id": "1", "tool_type": "GOOGLE_SEARCH_WEB", "args": {"queries": ["Rome"]}}},
        {"tool_response": {"id": "1", "tool_type": "GOOGLE_SEARCH_WEB", "response": {"urls": []}}},
    ]

    assert told(genai.GENERATE, {"contents": [{"role": "model", "parts": parts}]}) == snapshot(
        (
            "assistant",
            [
                {
                    "type": "server_tool_call",
                    "name": "code_execution",
                    "server_tool_call": {"type": "code_execution", "language": "PYTHON", "code": "print(1)"},
                },
                {
                    "type": "server_tool_call_response",
                    "server_tool_call_response": {"type": "code_execution", "outcome": "OUTCOME_OK", "output": "1"},
                },
                {
                    "type": "server_tool_call",
                    "id": "1",
                    "name": "google_search_web",
                    "server_tool_call": {"type": "google_search_web", "arguments": {"queries": ["Rome"]}},
                },
                {
                    "type": "server_tool_call_response",
                    "id": "1",
                    "server_tool_call_response": {"type": "google_search_web", "response": {"urls": []}},
                },
            ],
        )
    )


def test_a_request_of_google_genai_may_be_written_as_the_api_writes_it() -> None:
    """The package takes dicts with either kind of name; what stands in arguments and answers is the program's own."""
    call = {"functionCall": {"name": "weather", "args": {"cityName": "Rome"}}}
    answer = {"functionResponse": {"name": "weather", "response": {"degreesC": 25}}}
    image = {"inlineData": {"mimeType": "image/png", "data": b"\x89PNG"}}
    document = {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://there/doc.pdf"}}
    declared = {"name": "weather", "parameters": {"type": "OBJECT", "properties": {"cityName": {"type": "STRING"}}}}
    request = {
        "contents": [
            {"role": "user", "parts": [image, document]},
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [answer]},
        ],
        "config": {
            "systemInstruction": "Be brief.",
            "maxOutputTokens": 100,
            "thinkingConfig": {"thinkingLevel": "low"},
            "responseMimeType": "application/json",
            "tools": [{"functionDeclarations": [declared]}, {"googleSearch": {}}],
        },
    }

    assert {
        **attributes(genai.GENERATE.request_rows, request),
        **contents(genai.GENERATE.request_content_rows, request),
    } == snapshot(
        {
            "gen_ai.output.type": "json",
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.reasoning.level": "low",
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.input.messages": [
                {
                    "role": "user",
                    "parts": [
                        {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 4},
                        {"type": "uri", "modality": "document", "uri": "gs://there/doc.pdf"},
                    ],
                },
                {
                    "role": "assistant",
                    "parts": [{"type": "tool_call", "name": "weather", "arguments": {"cityName": "Rome"}}],
                },
                {
                    "role": "tool",
                    "parts": [{"type": "tool_call_response", "id": "weather", "response": {"degreesC": 25}}],
                },
            ],
            "gen_ai.tool.definitions": [
                {
                    "type": "function",
                    "name": "weather",
                    "parameters": {"type": "OBJECT", "properties": {"cityName": {"type": "STRING"}}},
                },
                {"type": "google_search", "name": "google_search"},
            ],
        }
    )


def test_a_declared_function_says_its_parameters() -> None:
    """As a schema of the package's own or as JSON schema; what the schema does not say is left out."""
    own = types.FunctionDeclaration(
        name="weather",
        parameters=types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}),
    )
    other = types.FunctionDeclaration(name="now", parameters_json_schema={"type": "object"})
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[own, other]), types.Tool(code_execution=types.ToolCodeExecution())]
    )
    found = contents(genai.GENERATE.request_content_rows, {"config": config})

    assert json.loads(Content().json("tools", found) or "") == snapshot(
        {
            "gen_ai.tool.definitions": [
                {
                    "type": "function",
                    "name": "weather",
                    "parameters": {"properties": {"city": {"type": "STRING"}}, "type": "OBJECT"},
                },
                {"type": "function", "name": "now", "parameters": {"type": "object"}},
                {"type": "code_execution", "name": "code_execution"},
            ]
        }
    )


@pytest.mark.parametrize(
    ("model", "asked", "answer", "expected"),
    [
        (
            "anthropic.claude-v2:1",
            {"prompt": "Human: hi Assistant:", "max_tokens_to_sample": 20},
            {"completion": " hello", "stop_reason": "stop_sequence"},
            snapshot(
                {
                    "name": "text_completion",
                    "gen_ai.request.model": "anthropic.claude-v2:1",
                    "gen_ai.request.max_tokens": 20,
                    "gen_ai.input.messages": [
                        {"role": "user", "parts": [{"type": "text", "content": "Human: hi Assistant:"}]}
                    ],
                    "gen_ai.response.finish_reasons": ("stop",),
                    "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": " hello"}]}],
                }
            ),
        ),
        (
            "ai21.j2-mid-v1",
            {"prompt": "hi", "maxTokens": 20},
            {"completions": [{"data": {"text": "hello"}, "finishReason": {"reason": "endoftext"}}]},
            snapshot(
                {
                    "name": "text_completion",
                    "gen_ai.request.model": "ai21.j2-mid-v1",
                    "gen_ai.request.max_tokens": 20,
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}],
                    "gen_ai.response.finish_reasons": ("stop",),
                    "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "hello"}]}],
                }
            ),
        ),
        (
            "arn:aws:bedrock:us-east-1:1:imported-model/mine",
            {"prompt": "hi", "max_tokens": 20},
            {
                "choices": [{"text": "hello", "finish_reason": "length"}],
                "model": "mine-7b",
                "usage": {"prompt_tokens": 1, "completion_tokens": 20},
            },
            snapshot(
                {
                    "name": "text_completion",
                    "gen_ai.request.model": "arn:aws:bedrock:us-east-1:1:imported-model/mine",
                    "gen_ai.request.max_tokens": 20,
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}],
                    "gen_ai.response.finish_reasons": ("length",),
                    "gen_ai.response.model": "mine-7b",
                    "gen_ai.usage.input_tokens": 1,
                    "gen_ai.usage.output_tokens": 20,
                    "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "hello"}]}],
                }
            ),
        ),
    ],
)
def test_texts_that_bedrock_goes_on_with(model: str, asked: Any, answer: Any, expected: Any) -> None:
    """Each maker of models has words of its own for a prompt, its continuation and why that ended."""
    arguments = {"operation_name": "InvokeModel", "api_params": {"modelId": model, "body": json.dumps(asked)}}
    operation = next(known for known in bedrock.SPEC.operations if known.matches(arguments))
    body = bedrock.SPEC.body(arguments)

    assert {
        "name": operation.name,
        **attributes(operation.request_rows, body),
        **contents(operation.request_content_rows, body),
        **attributes(operation.response_rows, answer),
        **contents(operation.response_content_rows, answer),
    } == expected


def test_what_a_guardrail_is_to_look_at_in_a_conversation() -> None:
    """Text and images for Bedrock's guardrails are part of what was said."""
    image = {"format": "png", "source": {"bytes": b"\x89PNG"}}
    content = [{"guardContent": {"text": {"text": "hi", "qualifiers": ["query"]}}}, {"guardContent": {"image": image}}]

    assert told(bedrock.CONVERSE, {"messages": [{"role": "user", "content": content}]}) == snapshot(
        (
            "user",
            [
                {"type": "text", "content": "hi"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 4},
            ],
        )
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"response_format": {"type": "image"}}, "image"),
        ({"response_format": [{"type": "audio"}]}, "speech"),
        ({"response_format": {"type": "video"}}, "video"),
        ({"response_format": {"type": "text", "mime_type": "application/json"}}, "json"),
        ({"response_mime_type": "text/plain"}, "text"),
        ({}, None),
    ],
)
def test_what_an_interaction_of_googles_asks_for_is_told(asked: dict[str, Any], told: str | None) -> None:
    """In whichever way the request says it."""
    assert attributes(interactions.INTERACT.request_rows, asked).get("gen_ai.output.type") == told


def test_the_turns_of_googles_first_interactions_say_who_spoke() -> None:
    """Later versions of the package have steps in their place."""
    turns = [
        {"role": "user", "content": "How warm?"},
        {"role": "model", "content": [{"type": "text", "text": "21 degrees."}]},
        {"content": "And in Rome?"},
    ]

    assert contents(interactions.INTERACT.request_content_rows, {"input": turns})["gen_ai.input.messages"] == [
        {"role": "user", "parts": [{"type": "text", "content": "How warm?"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "21 degrees."}]},
        {"role": "user", "parts": [{"type": "text", "content": "And in Rome?"}]},
    ]


@pytest.mark.parametrize("kind", ["text", "thinking"])
def test_what_a_block_of_anthropics_begins_with_is_part_of_it(kind: str) -> None:
    """The pieces that follow go on with it."""
    whole: dict[str, Any] = {}
    assert anthropic.MESSAGES.fold is not None

    for event in (
        {"type": "content_block_start", "content_block": {"type": kind, kind: "It is "}},
        {"type": "content_block_delta", "delta": {"type": f"{kind}_delta", kind: "warm."}},
    ):
        anthropic.MESSAGES.fold(whole, {**event, "index": 0})

    part = {"type": {"thinking": "reasoning"}.get(kind, kind), "content": "It is warm."}
    told: Any = contents(anthropic.MESSAGES.response_content_rows, joined(whole))["gen_ai.output.messages"]
    assert [message["parts"] for message in told] == [[part]]


@pytest.mark.parametrize(
    "begun",
    [
        {"event_type": "step.start", "step": {"type": "model_output", "content": [{"type": "text", "text": "It is "}]}},
        {"event_type": "content.start", "content": {"type": "text", "text": "It is "}},
    ],
    ids=["version 2", "version 1"],
)
def test_what_a_step_of_googles_begins_with_is_part_of_it(begun: dict[str, Any]) -> None:
    """The pieces that follow go on with it."""
    whole: dict[str, Any] = {}
    assert interactions.INTERACT.fold is not None

    for event in (begun, {"event_type": "step.delta", "delta": {"type": "text", "text": "warm."}}):
        interactions.INTERACT.fold(whole, {**event, "index": 0})

    assert contents(interactions.INTERACT.response_content_rows, joined(whole)) == {
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "It is warm."}]}]
    }


def test_a_streamed_search_of_googles_is_told_as_a_plain_one() -> None:
    """A tool that Google runs itself: what it was asked, and what it answered."""
    call = {"type": "google_search_call", "id": "1", "arguments": {"queries": ["Rome"]}}
    result = {"type": "google_search_result", "call_id": "1", "result": [{"search_suggestions": "Rome weather"}]}
    events: list[dict[str, Any]] = [
        {"event_type": "step.start", "index": 0, "step": {"type": "google_search_call", "id": "1"}},
        {"event_type": "step.delta", "index": 0, "delta": {key: call[key] for key in ("type", "arguments")}},
        {"event_type": "step.start", "index": 1, "step": {"type": "google_search_result", "call_id": "1"}},
        {"event_type": "step.delta", "index": 1, "delta": {key: result[key] for key in ("type", "result")}},
    ]
    whole: dict[str, Any] = {}

    assert interactions.INTERACT.fold is not None
    for event in events:
        interactions.INTERACT.fold(whole, event)

    streamed, plain = (
        contents(interactions.INTERACT.response_content_rows, said)
        for said in (joined(whole), {"steps": [call, result]})
    )
    assert (
        streamed
        == plain
        == snapshot(
            {
                "gen_ai.output.messages": [
                    {
                        "role": "assistant",
                        "parts": [
                            {
                                "type": "server_tool_call",
                                "id": "1",
                                "name": "google_search",
                                "server_tool_call": {"type": "google_search", "arguments": {"queries": ["Rome"]}},
                            },
                            {
                                "type": "server_tool_call_response",
                                "id": "1",
                                "server_tool_call_response": {
                                    "type": "google_search",
                                    "result": [{"search_suggestions": "Rome weather"}],
                                },
                            },
                        ],
                    }
                ]
            }
        )
    )


TURNS = [{"user": "Hello.", "bot": "Hi."}, {"user": "Well?"}]
MESSAGES = [{"role": role, "content": text} for role, text in SPOKEN]


@pytest.mark.parametrize(
    ("operation", "before"),
    [
        (dashscope.CHAT, {"history": TURNS, "messages": MESSAGES[:1]}),
        (dashscope.CHAT, {"messages": MESSAGES}),
        (dashscope.APPLICATION, {"history": TURNS}),
        (dashscope.APPLICATION, {"history": TURNS[:1], "messages": MESSAGES}),
    ],
)
def test_what_dashscope_is_asked(operation: Operation, before: Any) -> None:
    """What was said before, in turns or as messages, whichever the package sends, and then the prompt."""
    said = contents(operation.request_content_rows, {"prompt": "And now?", **before})

    assert said[semconv.GEN_AI_INPUT_MESSAGES] == [
        {"role": role, "parts": [{"type": "text", "content": text}]} for role, text in (*SPOKEN, ("user", "And now?"))
    ]


def test_pictures_of_which_dashscope_makes_vectors() -> None:
    """By their address; tokens are told where they are those of the pictures too."""
    operation = dashscope.MULTIMODAL_EMBEDDING
    image = {"image": "https://example.com/paris.png", "factor": 1}

    assert told(operation, {"input": [{"text": "Paris"}, image, 7]}) == (
        "user",
        [
            {"type": "text", "content": "Paris"},
            {"type": "uri", "modality": "image", "uri": "https://example.com/paris.png"},
        ],
    )
    assert attributes(operation.response_rows, {"usage": {"input_tokens": 4}}) == {"gen_ai.usage.input_tokens": 4}
    assert attributes(operation.response_rows, {"usage": {"input_tokens": 4, "image_tokens": 90}}) == {}
