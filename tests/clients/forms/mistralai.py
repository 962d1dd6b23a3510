"""The mistralai package."""

from dataclasses import replace
from typing import Any

try:
    from mistralai.client import Mistral
except ImportError:  # before its second version
    from mistralai import Mistral

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback.llm_server import Answer
from tests.loopback.openai_server import answer, completion, events, response

ASKED = {"model": "mistral-large", "messages": [{"role": "user", "content": QUESTION}], "random_seed": 7}


def _answer(*, stream: bool, whole: dict[str, Any] | None = None) -> Answer:
    """Its client wants the call of a tool to come in one piece."""
    if not stream or whole is None:
        return answer(whole or completion(), stream=stream)
    (choice,) = whole["choices"]
    calls = [{**call, "index": index} for index, call in enumerate(choice["message"]["tool_calls"])]
    delta = {"role": "assistant", "content": "", "tool_calls": calls}
    return Answer.events(
        [{**whole, "choices": [{"index": 0, "delta": delta, "finish_reason": choice["finish_reason"]}]}]
    )


FORMS = Forms(
    answer=_answer,
    client=lambda url: Mistral(server_url=url, api_key="key"),
    async_client=lambda url: Mistral(server_url=url, api_key="key"),
    plain=lambda client: client.chat.complete(**ASKED),
    stream=lambda client: client.chat.stream(**ASKED),
    async_plain=lambda client: client.chat.complete_async(**ASKED),
    async_stream=lambda client: client.chat.stream_async(**ASKED),
    embed=lambda client: client.embeddings.create(model="mistral-embed", inputs=["Paris", "Rome"]),
)

OF_AGENT = {"agent_id": "ag-1", "messages": ASKED["messages"], "max_tokens": 100}
BETWEEN = {"model": "codestral", "prompt": QUESTION, "suffix": "In Paris.", "max_tokens": 100}

RESPONDING: dict[str, Any] = {"model": "mistral-large", "input": QUESTION, "max_output_tokens": 100}


def _whole(found: Any) -> Any:
    """The answer; a stream, where the server sends one unasked."""
    return found if hasattr(found, "output") else list(found)


STARTED: dict[str, Any] = {
    "model": "mistral-large",
    "inputs": QUESTION,
    "instructions": "Be brief.",
    "completion_args": {"max_tokens": 100, "random_seed": 7},
}
APPENDED: dict[str, Any] = {
    "conversation_id": "conv_0",
    "inputs": [
        {"type": "message.input", "role": "user", "content": [{"type": "text", "text": QUESTION}]},
        {"type": "function.call", "tool_call_id": "call_0", "name": "weather", "arguments": '{"city": "Paris"}'},
        {"type": "function.result", "tool_call_id": "call_0", "result": "21"},
    ],
    "completion_args": {"max_tokens": 100},
}
PLACE: dict[str, Any] = {"agent_id": "ag-1", "model": "mistral-large-2026"}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Look it up."}]}
SEARCH = {"id": "exec_1", "name": "web_search", "arguments": '{"query": "Paris"}'}
CALL = {"id": "fc_1", "name": "weather", "tool_call_id": "call_1", "arguments": '{"city": "Paris"}', **PLACE}


USED = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def _conversing(*outputs: dict[str, Any]) -> Answer:
    return Answer.json({"conversation_id": "conv_1", "outputs": [*outputs], "usage": USED})


def _conversed(*said: tuple[str, dict[str, Any]]) -> Answer:
    """The events of a stream, with what begins and ends it."""
    return Answer.events(
        [
            {"type": "conversation.response.started", "conversation_id": "conv_1"},
            *({"type": kind, **told} for kind, told in said),
            {"type": "conversation.response.done", "usage": USED},
        ],
        done=False,
    )


def _said(content: Any, **place: Any) -> tuple[str, dict[str, Any]]:
    return "message.output.delta", {"id": "msg_1", "content": content, **place}


TOLD = {
    False: _conversing({"type": "message.output", "content": TEXT, "model": "mistral-large-2026"}),
    True: _conversed(*(_said(piece, model="mistral-large-2026") for piece in (TEXT[:5], TEXT[5:9], TEXT[9:]))),
}
WORKED = {
    False: _conversing(
        {"type": "tool.execution", **SEARCH, "info": {"city": "Paris"}},
        {"type": "message.output", "content": [THOUGHT, {"type": "text", "text": TEXT}], **PLACE},
        {"type": "function.call", **CALL},
    ),
    True: _conversed(
        ("tool.execution.started", {**SEARCH, "arguments": '{"query": '}),
        ("tool.execution.delta", {**SEARCH, "arguments": '"Paris"}'}),
        ("tool.execution.done", {"id": "exec_1", "name": "web_search", "info": {"city": "Paris"}}),
        _said(THOUGHT, output_index=1, **PLACE),
        _said(TEXT[:9], output_index=1, content_index=1, **PLACE),
        _said({"type": "text", "text": TEXT[9:]}, output_index=1, content_index=1, **PLACE),
        ("function.call.delta", {**CALL, "output_index": 2, "arguments": '{"city": '}),
        ("function.call.delta", {**CALL, "output_index": 2, "arguments": '"Paris"}'}),
    ),
}

ANSWERED = response(output=response()["output"][2:])

OTHERS = {
    "conversations": replace(
        FORMS,
        plain=lambda client: client.beta.conversations.start(**STARTED),
        stream=lambda client: client.beta.conversations.start_stream(**STARTED),
        async_plain=lambda client: client.beta.conversations.start_async(**STARTED),
        async_stream=lambda client: client.beta.conversations.start_stream_async(**STARTED),
        answer=lambda *, stream: TOLD[stream],
    ),
    # What goes on, and what begins anew from the midst of another.
    "conversations_tools": replace(
        FORMS,
        plain=lambda client: client.beta.conversations.append(**APPENDED),
        stream=lambda client: client.beta.conversations.append_stream(**APPENDED),
        async_plain=lambda client: client.beta.conversations.restart_async(**APPENDED, from_entry_id="msg_0"),
        async_stream=lambda client: client.beta.conversations.restart_stream_async(**APPENDED, from_entry_id="msg_0"),
        answer=lambda *, stream: WORKED[stream],
    ),
    "responses": replace(
        FORMS,
        plain=lambda client: _whole(client.responses.create(**RESPONDING)),
        stream=lambda client: client.responses.create(**RESPONDING, stream=True),
        async_plain=lambda client: client.responses.create_async(**RESPONDING),
        async_stream=lambda client: client.responses.create_async(**RESPONDING, stream=True),
        answer=lambda *, stream: Answer.events(events(ANSWERED), done=False) if stream else Answer.json(ANSWERED),
    ),
    "agents": replace(
        FORMS,
        plain=lambda client: client.agents.complete(**OF_AGENT),
        stream=lambda client: client.agents.stream(**OF_AGENT),
        async_plain=lambda client: client.agents.complete_async(**OF_AGENT),
        async_stream=lambda client: client.agents.stream_async(**OF_AGENT),
    ),
    "fim": replace(
        FORMS,
        plain=lambda client: client.fim.complete(**BETWEEN),
        stream=lambda client: client.fim.stream(**BETWEEN),
        async_plain=lambda client: client.fim.complete_async(**BETWEEN),
        async_stream=lambda client: client.fim.stream_async(**BETWEEN),
    ),
}
