"""The ollama package, whose streams are lines of JSON."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
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
