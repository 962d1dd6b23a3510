"""The cohere package: its second API, whose streams are named events, and its first."""

import inspect
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import cohere
import httpx

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback.llm_server import Answer

ASKED = {"model": "command-a", "messages": [{"role": "user", "content": QUESTION}], "k": 40, "p": 0.5}
USAGE = {
    "billed_units": {"input_tokens": 11, "output_tokens": 7},
    "tokens": {"input_tokens": 500, "output_tokens": 9},
    "cached_tokens": 4,
}


def _answer(*, stream: bool) -> Answer:
    if not stream:
        message = {"role": "assistant", "content": [{"type": "text", "text": TEXT}]}
        return Answer.json({"id": "chat-1", "finish_reason": "COMPLETE", "message": message, "usage": USAGE})
    pieces = [TEXT[start : start + 5] for start in range(0, len(TEXT), 5)]
    begin = {"delta": {"message": {"content": {"type": "text", "text": ""}}}}
    return Answer.events(
        [
            {"type": "message-start", "id": "chat-1", "delta": {"message": {"role": "assistant", "content": []}}},
            {"type": "content-start", "index": 0, **begin},
            *(
                {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": piece}}}}
                for piece in pieces
            ),
            {"type": "content-end", "index": 0},
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": USAGE}},
        ]
    )


@contextmanager
def _client(url: str) -> Iterator[Any]:
    with httpx.Client() as http:
        yield cohere.ClientV2(api_key="key", base_url=url, httpx_client=http)


@asynccontextmanager
async def _async_client(url: str) -> AsyncIterator[Any]:
    async with httpx.AsyncClient() as http:
        yield cohere.AsyncClientV2(api_key="key", base_url=url, httpx_client=http)


FORMS = Forms(
    client=_client,
    async_client=_async_client,
    plain=lambda client: client.chat(**ASKED),
    stream=lambda client: client.chat_stream(**ASKED),
    embed=lambda client: client.embed(
        model="embed-v4", texts=["Paris", "Rome"], input_type="search_query", embedding_types=["float"]
    ),
    answer=_answer,
    vectors=Answer.json(
        {
            "id": "embed-1",
            "response_type": "embeddings_by_type",
            "embeddings": {"float": [[0.25, -0.5]] * 2},
            "texts": ["Paris", "Rome"],
            "meta": {"billed_units": {"input_tokens": 4}},
        }
    ),
)

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}


def _delta(kind: str, index: int = 0, **message: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}


def _called(*, stream: bool) -> Answer:
    """A plan, a thought, a text and the use of a tool."""
    plan = "I will look it up."
    if not stream:
        content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": TEXT}]
        message = {"role": "assistant", "tool_plan": plan, "content": content, "tool_calls": [CALL]}
        return Answer.json({"id": "chat-1", "finish_reason": "TOOL_CALL", "message": message, "usage": USAGE})
    begun = {**CALL, "function": {"name": "weather", "arguments": ""}}
    return Answer.events(
        [
            {"type": "message-start", "id": "chat-1", "delta": {"message": {"role": "assistant", "content": []}}},
            {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": plan[:6]}}},
            {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": plan[6:]}}},
            _delta("content-start", content={"type": "thinking", "thinking": ""}),
            _delta("content-delta", content={"thinking": "Hm."}),
            _delta("content-start", 1, content={"type": "text", "text": ""}),
            _delta("content-delta", 1, content={"text": TEXT}),
            _delta("tool-call-start", tool_calls=begun),
            _delta("tool-call-delta", tool_calls={"function": {"arguments": '{"city": '}}),
            _delta("tool-call-delta", tool_calls={"function": {"arguments": '"Paris"}'}}),
            {"type": "tool-call-end", "index": 0},
            {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": USAGE}},
        ]
    )


META = {"billed_units": {"input_tokens": 11, "output_tokens": 7}}
CITY = {"city": {"type": "str"}}
OLD_CALL = {"name": "weather", "parameters": {"city": "Paris"}}
RESULT = {"call": OLD_CALL, "outputs": [{"warm": 21}]}
CHATTED = {"text": TEXT, "generation_id": "gen-1", "finish_reason": "COMPLETE", "meta": META, "tool_calls": [OLD_CALL]}
OLD_CHAT = {
    "model": "command-r",
    "preamble": "Be brief.",
    "chat_history": [
        {"role": "CHATBOT", "message": "Hello.", "tool_calls": [OLD_CALL]},
        {"role": "TOOL", "tool_results": [RESULT]},
    ],
    "message": QUESTION,
    "tools": [{"name": "weather", "description": "How warm it is.", "parameter_definitions": CITY}],
    "tool_results": [RESULT],
    "max_tokens": 100,
}
OLD_PROMPT = {"model": "command", "prompt": QUESTION, "max_tokens": 100, "num_generations": 1}


def _pieces(*ends: dict[str, Any], **more: Any) -> Answer:
    """A stream of the older API: objects, line by line."""
    said = [{"event_type": "text-generation", "text": text, "is_finished": False} for text in (TEXT[:9], TEXT[9:])]
    begin = [{"event_type": "stream-start", "generation_id": "gen-1", "is_finished": False}] if more else []
    return Answer(chunks=[json.dumps(line).encode() + b"\n" for line in [*begin, *said, *ends]])


def _chatted(*, stream: bool) -> Answer:
    end = {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE", "response": CHATTED}
    return _pieces(end, starts=True) if stream else Answer.json(CHATTED)


def _generated(*, stream: bool) -> Answer:
    generation = {"id": "gen-1", "index": 0, "text": TEXT, "finish_reason": "COMPLETE"}
    whole = {"id": "answer-1", "generations": [generation], "meta": META}
    end = {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE", "response": whole}
    return _pieces(end) if stream else Answer.json(whole)


@contextmanager
def _old_client(url: str) -> Iterator[Any]:
    with httpx.Client() as http, ThreadPoolExecutor() as threads:
        yield cohere.Client(api_key="key", base_url=url, httpx_client=http, thread_pool_executor=threads)


@asynccontextmanager
async def _old_async_client(url: str) -> AsyncIterator[Any]:
    async with httpx.AsyncClient() as http:
        yield cohere.AsyncClient(api_key="key", base_url=url, httpx_client=http)


def _data(response: Any) -> Any:
    """What is in a raw response, whose own name says where it lies in memory."""

    async def later() -> Any:
        return (await response).data

    return later() if inspect.isawaitable(response) else response.data


class _Opened:
    """The stream in a raw response, whose context is left when the stream ends or is closed."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __iter__(self) -> Iterator[Any]:
        with self._context as response:
            yield from response.data

    async def __aiter__(self) -> AsyncIterator[Any]:
        async with self._context as response:
            async for event in response.data:
                yield event


CHAT = replace(
    FORMS,
    client=_old_client,
    async_client=_old_async_client,
    plain=lambda client: client.chat(**OLD_CHAT),
    stream=lambda client: client.chat_stream(**OLD_CHAT),
    embed=lambda client: client.embed(
        model="embed-v3", texts=["Paris", "Rome"], input_type="search_query", batching=False
    ),
    answer=_chatted,
    vectors=Answer.json(
        {
            "id": "embed-1",
            "response_type": "embeddings_floats",
            "embeddings": [[0.25, -0.5]] * 2,
            "texts": ["Paris", "Rome"],
            "meta": {"billed_units": {"input_tokens": 4}},
        }
    ),
)
RAW = replace(
    CHAT,
    plain=lambda client: _data(client.with_raw_response.chat(**OLD_CHAT)),
    stream=lambda client: _Opened(client.with_raw_response.chat_stream(**OLD_CHAT)),
    embed=lambda client: client.with_raw_response.embed(
        model="embed-v3", texts=["Paris", "Rome"], input_type="search_query"
    ),
)
OTHERS = {
    "tools": replace(FORMS, answer=_called),
    "raw_chat": RAW,
    "raw_generate": replace(
        RAW,
        plain=lambda client: _data(client.with_raw_response.generate(**OLD_PROMPT)),
        stream=lambda client: _Opened(client.with_raw_response.generate_stream(**OLD_PROMPT)),
        answer=_generated,
    ),
    "chat": CHAT,
    "generate": replace(
        CHAT,
        plain=lambda client: client.generate(**OLD_PROMPT),
        stream=lambda client: client.generate_stream(**OLD_PROMPT),
        answer=_generated,
    ),
}
