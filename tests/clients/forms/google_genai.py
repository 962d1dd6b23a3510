"""The google-genai package."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google import genai
from google.genai import types

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback import google_interactions_server
from tests.loopback.google_genai_server import answer, content

FIRST = genai.__version__.startswith("1.")
"""Whether interactions are those of the package's first version."""
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

INTERACTION: dict[str, Any] = {"model": "gemini-test", "input": QUESTION}


def _read(answered: Any) -> Any:
    """What was answered; a server that streams unasked makes the package give a stream."""
    return list(answered) if hasattr(answered, "__next__") else answered


OTHERS = {
    "interactions": Forms(
        client=_client,
        async_client=_async_client,
        plain=lambda client: _read(client.interactions.create(**INTERACTION)),
        async_plain=lambda client: client.interactions.create(**INTERACTION),
        stream=lambda client: client.interactions.create(**INTERACTION, stream=True),
        answer=lambda *, stream: google_interactions_server.answer(
            google_interactions_server.interaction(first=FIRST), stream=stream
        ),
    )
}
