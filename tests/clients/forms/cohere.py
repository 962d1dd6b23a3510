"""The cohere package: its second API, whose streams are named events."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
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
