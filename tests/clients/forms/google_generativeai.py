"""The google-generativeai package by REST, whose server is a setting of the whole module."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import google.generativeai as genai
import grpc
from google.ai.generativelanguage_v1beta.services.generative_service import (
    GenerativeServiceAsyncClient,
    GenerativeServiceClient,
)
from google.ai.generativelanguage_v1beta.services.generative_service.transports import (
    GenerativeServiceGrpcAsyncIOTransport,
    GenerativeServiceGrpcTransport,
)
from google.generativeai.client import get_default_generative_client

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback.google_genai_server import content
from tests.loopback.google_generativeai_server import answer
from tests.loopback.llm_server import Answer


def model(client: Any = None, **settings: Any) -> Any:
    """The model that is asked, by the API client."""
    found = genai.GenerativeModel("gemini-test", generation_config={"max_output_tokens": 100}, **settings)
    found._client = client
    return found


@contextmanager
def _client(url: str) -> Iterator[Any]:
    genai.configure(api_key="key", transport="rest", client_options={"api_endpoint": url})
    try:
        yield model()
    finally:
        get_default_generative_client().transport.close()
        genai.configure(api_key="key")


@contextmanager
def by_grpc(port: int) -> Iterator[Any]:
    """The API client that the package makes, but for TLS."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield GenerativeServiceClient(
            transport=GenerativeServiceGrpcTransport(host=f"127.0.0.1:{port}", channel=channel)
        )


@asynccontextmanager
async def by_async_grpc(port: int) -> AsyncIterator[Any]:
    """The asynchronous one."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield GenerativeServiceAsyncClient(
            transport=GenerativeServiceGrpcAsyncIOTransport(host=f"127.0.0.1:{port}", channel=channel)
        )


FORMS = Forms(
    client=_client,
    plain=lambda client: client.generate_content(QUESTION),
    stream=lambda client: client.generate_content(QUESTION, stream=True),
    embed=lambda _: genai.embed_content("models/embedding-001", ["Paris", "Rome"]),
    answer=lambda *, stream: answer(content(), stream=stream),
    leaves_open=True,
    vectors=Answer.json({"embeddings": [{"values": [0.25, -0.5]}] * 2}),
)
