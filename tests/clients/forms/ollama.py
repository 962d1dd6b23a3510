"""The ollama package, whose streams are lines of JSON."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import ollama

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback.llm_server import Answer

ASKED = {
    "model": "llama3.2",
    "messages": [{"role": "user", "content": QUESTION}],
    "options": {"temperature": 0.5, "num_predict": 100},
}
END = {
    "model": "llama3.2",
    "created_at": "2026-01-01T00:00:00Z",
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 11,
    "eval_count": 7,
}


def _answer(*, stream: bool) -> Answer:
    if not stream:
        return Answer.json({**END, "message": {"role": "assistant", "content": TEXT}})
    pieces = [{"role": "assistant", "content": TEXT[start : start + 5]} for start in range(0, len(TEXT), 5)]
    said = [{"model": "llama3.2", "message": piece, "done": False} for piece in pieces]
    last = {**END, "message": {"role": "assistant", "content": ""}}
    lines = [json.dumps(line).encode() + b"\n" for line in [*said, last]]
    return Answer(headers={"content-type": "application/x-ndjson"}, chunks=lines)


@contextmanager
def _client(url: str) -> Iterator[Any]:
    client = ollama.Client(host=url)
    try:
        yield client
    finally:
        client._client.close()


@asynccontextmanager
async def _async_client(url: str) -> AsyncIterator[Any]:
    client = ollama.AsyncClient(host=url)
    try:
        yield client
    finally:
        await client._client.aclose()


FORMS = Forms(
    client=_client,
    async_client=_async_client,
    plain=lambda client: client.chat(**ASKED),
    stream=lambda client: client.chat(**ASKED, stream=True),
    embed=lambda client: client.embed(model="nomic-embed-text", input=["Paris", "Rome"]),
    answer=_answer,
    vectors=Answer.json({"model": "embed-2026", "embeddings": [[0.25, -0.5]] * 2, "prompt_eval_count": 4}),
)


def _lines(*said: dict[str, Any]) -> Answer:
    return Answer(
        headers={"content-type": "application/x-ndjson"}, chunks=[json.dumps(line).encode() + b"\n" for line in said]
    )


WHOLE = {**END, "response": TEXT, "thinking": "Look it up."}
GENERATED = {
    False: Answer.json(WHOLE),
    True: _lines(
        {"model": "llama3.2", "response": "", "thinking": "Look it up.", "done": False},
        {"model": "llama3.2", "response": TEXT[:9], "done": False},
        {"model": "llama3.2", "response": TEXT[9:], "done": False},
        {**END, "response": ""},
    ),
}
CALL = {"function": {"name": "weather", "arguments": {"city": "Paris"}}}
CALLING = {"role": "assistant", "content": TEXT, "thinking": "Look it up.", "tool_calls": [CALL]}
SAYING = {"role": "assistant", "content": ""}
CALLED = {
    False: Answer.json({**END, "message": CALLING}),
    True: _lines(
        {
            "model": "llama3.2",
            "message": {"role": "assistant", "content": "", "thinking": "Look it up."},
            "done": False,
        },
        {"model": "llama3.2", "message": {"role": "assistant", "content": TEXT}, "done": False},
        {"model": "llama3.2", "message": {"role": "assistant", "content": "", "tool_calls": [CALL]}, "done": False},
        {**END, "message": {"role": "assistant", "content": ""}},
    ),
}
PROMPT = {"model": "llama3.2", "prompt": QUESTION, "system": "Be brief.", "options": {"seed": 7}}
IMAGE = b"\x89PNG\r\n"


def weather(city: str) -> str:
    """How warm it is.

    Args:
        city: Where.
    """
    return city


TOOLS = {
    "model": "llama3.2",
    "messages": [
        {"role": "user", "content": QUESTION, "images": [IMAGE]},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "content": "21"},
    ],
    "tools": [weather],
    "format": "json",
}

OTHERS = {
    "generate": replace(
        FORMS,
        plain=lambda client: client.generate(**PROMPT),
        stream=lambda client: client.generate(**PROMPT, stream=True),
        embed=lambda client: client.embeddings(model="nomic-embed-text", prompt="Paris"),
        answer=lambda *, stream: GENERATED[stream],
        vectors=Answer.json({"embedding": [0.25, -0.5]}),
    ),
    "tools": replace(
        FORMS,
        plain=lambda client: client.chat(**TOOLS),
        stream=lambda client: client.chat(**TOOLS, stream=True),
        answer=lambda *, stream: CALLED[stream],
    ),
}
