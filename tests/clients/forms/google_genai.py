"""The google-genai package."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google import genai
from google.genai import types

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback.google_genai_server import answer, content

ASKED: dict[str, Any] = {"model": "gemini-test", "contents": QUESTION}


def _client(url: str) -> genai.Client:
    return genai.Client(api_key="key", http_options=types.HttpOptions(base_url=url))


@asynccontextmanager
async def _async_client(url: str) -> AsyncIterator[Any]:
    with _client(url) as client:
        async with client.aio as opened:
            yield opened


FORMS = Forms(
    client=_client,
    async_client=_async_client,
    plain=lambda client: client.models.generate_content(**ASKED),
    stream=lambda client: client.models.generate_content_stream(**ASKED),
    answer=lambda *, stream: answer(content(), stream=stream),
    lazy=True,
)
