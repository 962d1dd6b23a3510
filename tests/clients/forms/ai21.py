"""The ai21 package."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import httpx
from ai21 import AI21Client, AsyncAI21Client
from ai21.models import ChatMessage as OldMessage
from ai21.models.chat import ChatMessage

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback.llm_server import Answer

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

OLD_CHAT: dict[str, Any] = {
    "model": "j2-ultra",
    "messages": [OldMessage(role="user", text=QUESTION)],
    "system": "Be brief.",
    "max_tokens": 100,
    "num_results": 2,
}
TOOL = {"type": "http", "function": {"name": "weather", "description": "How warm it is.", "parameters": {}}}
RUN: dict[str, Any] = {"input": [{"role": "user", "content": QUESTION}], "models": ["jamba-large"], "tools": [TOOL]}
USED = {"tool_name": "weather", "tool_type": "http", "parameters": {"city": "Paris"}, "response": {"city": "Paris"}}


def _alone(said: Any) -> Any:
    """An answer that never comes as a stream."""
    return lambda *, stream: Answer.json(said)


WHOLE = replace(FORMS, stream=Forms.stream)
OTHERS = {
    "chat": replace(
        WHOLE,
        plain=lambda client: client.chat.create(**OLD_CHAT),
        answer=_alone(
            {"outputs": [{"text": TEXT, "role": "assistant", "finishReason": {"reason": "endoftext", "length": 7}}] * 2}
        ),
    ),
    "maestro": replace(
        WHOLE,
        plain=lambda client: client.beta.maestro.runs.create(**RUN),
        answer=_alone({"id": "run-1", "status": "completed", "result": TEXT, "data_sources": {"tool_calls": [USED]}}),
    ),
    "rag": replace(
        WHOLE,
        plain=lambda client: client.beta.conversational_rag.create([ChatMessage(role="user", content=QUESTION)]),
        answer=_alone(
            {
                "id": "rag-1",
                "choices": [{"role": "assistant", "content": TEXT}],
                "search_queries": ["Paris"],
                "context_retrieved": True,
                "answer_in_context": True,
                "sources": [],
            }
        ),
    ),
}
