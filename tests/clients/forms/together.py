"""The together package."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import together

from tests.clients.forms.form import QUESTION, Forms
from tests.loopback.openai_server import text_completion

ASKED = {"model": "meta-llama/Llama-3.3-70B", "messages": [{"role": "user", "content": QUESTION}], "top_k": 40}


# Before the second version a client is nothing that could be closed.
@contextmanager
def _client(url: str) -> Iterator[Any]:
    client: Any = together.Together(base_url=url, api_key="key", max_retries=0)
    with client if hasattr(client, "__enter__") else nullcontext(client) as opened:
        yield opened


@asynccontextmanager
async def _async_client(url: str) -> AsyncIterator[Any]:
    client: Any = together.AsyncTogether(base_url=url, api_key="key", max_retries=0)
    async with client if hasattr(client, "__aenter__") else nullcontext(client) as opened:
        yield opened


FORMS = Forms(
    client=_client,
    async_client=_async_client,
    plain=lambda client: client.chat.completions.create(**ASKED),
    stream=lambda client: client.chat.completions.create(**ASKED, stream=True),
    embed=lambda client: client.embeddings.create(model="m2-bert", input=["Paris", "Rome"]),
)

CONTINUED = {"model": "meta-llama/Llama-3.3-70B", "prompt": QUESTION, "max_tokens": 100}

OTHERS = {
    "completions": replace(
        FORMS,
        plain=lambda client: client.completions.create(**CONTINUED),
        stream=lambda client: client.completions.create(**CONTINUED, stream=True),
        answer=text_completion,
    )
}
