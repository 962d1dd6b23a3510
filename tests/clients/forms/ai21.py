"""The ai21 package."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
from ai21 import AI21Client, AsyncAI21Client
from ai21.models.chat import ChatMessage

from tests.clients.forms.form import QUESTION, Forms

ASKED = {"model": "jamba-large", "messages": [ChatMessage(role="user", content=QUESTION)], "max_tokens": 100}


@contextmanager
def _client(url: str) -> Iterator[Any]:
    with httpx.Client() as http:
        yield AI21Client(api_key="key", api_host=url, http_client=http)


@asynccontextmanager
async def _async_client(url: str) -> AsyncIterator[Any]:
    async with httpx.AsyncClient() as http:
        yield AsyncAI21Client(api_key="key", api_host=url, http_client=http)


FORMS = Forms(
    client=_client,
    async_client=_async_client,
    plain=lambda client: client.chat.completions.create(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
)
