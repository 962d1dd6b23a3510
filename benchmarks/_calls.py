"""The calls that `llm_call.py` measures: requests, answers and chunks of real packages, and how a hand reads them."""

import argparse
import inspect
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import anthropic.types
import openai.types.chat
import openai.types.responses
from pydantic import TypeAdapter

from agentops_otel.clients import anthropic as anthropic_client
from agentops_otel.clients.openai import spec as openai_client
from agentops_otel.instrumentation import ClientSpec, Operation

WORD = "word "
TEXT = "It is 21 degrees. " * 10
SYSTEM = "You are an agent that mends programs. Think first, then call one tool at a time. " * 25
SOURCE = inspect.getsource(argparse)
"""What the agent's tool reads: text with as many signs, words and quotes as real text has."""
SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "string", "description": f"The {name} of it."} for name in ("path", "from", "to")},
}

Turn = dict[str, Any]
Turns = Callable[[], list[Turn]]
"""A conversation, made anew for each call."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One kind of call: what is asked, what comes back, and how a careful programmer reads the chunks of it."""

    name: str
    spec: ClientSpec
    operation: Operation
    path: str
    asked: Callable[[], dict[str, Any]]
    answer: Any
    chunk: Any = None
    last: Sequence[Any] = ()
    read: Callable[[Iterable[Any]], object] = list

    def options(self) -> SimpleNamespace:
        """The next request."""
        return SimpleNamespace(method="post", url=self.path, json_data=self.asked())

    def pieces(self, count: int) -> list[Any]:
        """A stream of so many chunks, and its end."""
        return [self.chunk] * count + list(self.last)


def chat_by_hand(stream: Iterable[Any]) -> object:
    texts, reason, usage = [], None, None
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts.append(choice.delta.content or "")
            reason = choice.finish_reason or reason
    return "".join(texts), reason, usage


def responses_by_hand(stream: Iterable[Any]) -> object:
    texts, response = [], None
    for event in stream:
        if event.type == "response.output_text.delta":
            texts.append(event.delta)
        elif event.type == "response.completed":
            response = event.response
    return "".join(texts), response


def messages_by_hand(stream: Iterable[Any]) -> object:
    texts, end = [], None
    for event in stream:
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            texts.append(event.delta.text)
        elif event.type == "message_delta":
            end = event
    return "".join(texts), end


_stamps = itertools.count()


def turns(count: int, new: int) -> list[Turn]:
    """An agent's conversation in the chat dialect: a task, then calls of a tool and what it answered.

    Args:
        count: How many turns there are.
        new: How many of them, the last ones, have texts that nobody has seen before.
    """
    stamp = next(_stamps)
    said: list[Turn] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Mend what fails. " * 40}]
    for turn in range(count // 2 - 1):
        fresh = f"{stamp} " if count - 2 * turn <= new + 2 else ""
        function = {"name": "read_file", "arguments": json.dumps({"path": "argparse.py", "from": f"{fresh}{turn}"})}
        call = {"id": f"call_{turn}", "type": "function", "function": function}
        thought = f"{fresh}Step {turn}: what does the parser do with the key of the session? " * 3
        said.append({"role": "assistant", "content": thought, "tool_calls": [call]})
        read = SOURCE[turn * 700 : turn * 700 + 580]
        said.append({"role": "tool", "tool_call_id": f"call_{turn}", "content": f"{fresh}{read}"})
    return said


def short() -> list[Turn]:
    """A question."""
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How warm is it? " * 20}]


TOOLS = [
    {"type": "function", "function": {"name": f"tool_{n}", "description": "What it does. " * 10, "parameters": SCHEMA}}
    for n in range(8)
]


def as_blocks(said: Turn) -> dict[str, Any]:
    """The same turn in Anthropic's dialect."""
    if said["role"] == "tool":
        block = {"type": "tool_result", "tool_use_id": said["tool_call_id"], "content": said["content"]}
        return {"role": "user", "content": [block]}
    if "tool_calls" in said:
        (call,) = said["tool_calls"]
        function = call["function"]
        use = {"type": "tool_use", "id": call["id"], "name": function["name"]}
        text = {"type": "text", "text": said["content"]}
        return {"role": "assistant", "content": [text, {**use, "input": json.loads(function["arguments"])}]}
    return said


def as_items(said: Turn) -> list[dict[str, Any]]:
    """The same turn in the Responses dialect."""
    if said["role"] == "tool":
        return [{"type": "function_call_output", "call_id": said["tool_call_id"], "output": said["content"]}]
    calls = [
        {"type": "function_call", "call_id": call["id"], **call["function"]} for call in said.get("tool_calls", ())
    ]
    return [{"role": said["role"], "content": said["content"]}, *calls]


BLOCK_TOOLS = [
    {"name": f"tool_{n}", "description": "What it does. " * 10, "input_schema": SCHEMA} for n in range(len(TOOLS))
]

HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1-2025-04-14"}
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
ANSWER = openai.types.chat.ChatCompletion.model_validate({
    **HEAD,
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
    "usage": USAGE,
})  # fmt: skip


def chat_chunk(delta: dict[str, Any], reason: str | None = None) -> Any:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    said = {**HEAD, "object": "chat.completion.chunk", "choices": [choice]}
    return openai.types.chat.ChatCompletionChunk.model_validate(said)


def chat(name: str, messages: Turns, *, stream: bool = False, **asked: Any) -> Call:
    return Call(
        name=f"openai chat, {name}",
        spec=openai_client.SPEC,
        operation=openai_client.CHAT,
        path="/chat/completions",
        asked=lambda: {"model": "gpt-4.1", "messages": messages(), "temperature": 0.5, **asked, **_streamed(stream)},
        answer=None if stream else ANSWER,
        chunk=chat_chunk({"content": WORD}),
        last=[chat_chunk({}, "stop")],
        read=chat_by_hand,
    )


def _streamed(stream: bool) -> dict[str, Any]:
    return {"stream": True} if stream else {}


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-4.1-2025-04-14",
    "status": "completed",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 11,
        "output_tokens": 7,
        "total_tokens": 18,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
}
_EVENT: TypeAdapter[Any] = TypeAdapter(openai.types.responses.ResponseStreamEvent)


def responses(name: str, messages: Turns, *, stream: bool = False) -> Call:
    delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    return Call(
        name=f"openai responses, {name}",
        spec=openai_client.SPEC,
        operation=openai_client.RESPONSES,
        path="/responses",
        asked=lambda: {
            "model": "gpt-4.1",
            "input": [item for said in messages() for item in as_items(said)],
            **_streamed(stream),
        },
        answer=None if stream else openai.types.responses.Response.model_validate(RESPONSE),
        chunk=_EVENT.validate_python({**delta, "delta": WORD, "logprobs": [], "sequence_number": 1}),
        last=[_EVENT.validate_python({"type": "response.completed", "response": RESPONSE, "sequence_number": 2})],
        read=responses_by_hand,
    )


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": TEXT}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 7},
}
_BLOCK_EVENT: TypeAdapter[Any] = TypeAdapter(anthropic.types.RawMessageStreamEvent)


def messages(name: str, said: Turns, *, stream: bool = False, **asked: Any) -> Call:
    delta = {"type": "text_delta", "text": WORD}
    ends = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}
    return Call(
        name=f"anthropic messages, {name}",
        spec=anthropic_client.SPEC,
        operation=anthropic_client.MESSAGES,
        path="/v1/messages",
        asked=lambda: {
            "model": "claude-sonnet-4-5",
            "max_tokens": 1024,
            "system": SYSTEM,
            "messages": list(map(as_blocks, said()[1:])),
            **asked,
            **_streamed(stream),
        },
        answer=None if stream else anthropic.types.Message.model_validate(MESSAGE),
        chunk=_BLOCK_EVENT.validate_python({"type": "content_block_delta", "index": 0, "delta": delta}),
        last=[_BLOCK_EVENT.validate_python({**ends, "usage": {"output_tokens": 7}})],
        read=messages_by_hand,
    )


PLAIN = [
    chat("a question", short),
    chat("an agent's next step", lambda: turns(40, 2), tools=TOOLS),
    chat("an agent's, all of it new", lambda: turns(40, 40), tools=TOOLS),
    chat("the next step of a long one", lambda: turns(240, 2), tools=TOOLS),
    responses("an agent's next step", lambda: turns(40, 2)),
    messages("an agent's next step", lambda: turns(40, 2), tools=BLOCK_TOOLS),
]
STREAMED = [
    chat("a question", short, stream=True),
    responses("a question", short, stream=True),
    messages("a question", short, stream=True),
]
