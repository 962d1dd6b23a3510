"""The dashscope package, whose server is a setting of the whole module."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dashscope

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback.llm_server import Answer

ASKED = {"model": "qwen-max", "messages": [{"role": "user", "content": QUESTION}], "result_format": "message"}
USAGE = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}


def _said(text: str, reason: str) -> dict[str, Any]:
    choice = {"finish_reason": reason, "message": {"role": "assistant", "content": text}}
    return {"request_id": "req-1", "output": {"choices": [choice]}, "usage": USAGE}


def _answer(*, stream: bool) -> Answer:
    """A stream says everything again in each chunk."""
    if not stream:
        return Answer.json(_said(TEXT, "stop"))
    ends = [*range(5, len(TEXT), 5), len(TEXT)]
    return Answer.events([_said(TEXT[:end], "stop" if end == len(TEXT) else "null") for end in ends], done=False)


@contextmanager
def _client(url: str) -> Iterator[Any]:
    before, dashscope.base_http_api_url = dashscope.base_http_api_url, url
    try:
        yield dashscope
    finally:
        dashscope.base_http_api_url = before


FORMS = Forms(
    client=_client,
    plain=lambda client: client.Generation.call(**ASKED, api_key="key"),
    stream=lambda client: client.Generation.call(**ASKED, api_key="key", stream=True),
    embed=lambda client: client.TextEmbedding.call("text-embedding-v4", ["Paris", "Rome"], api_key="key"),
    answer=_answer,
    raises=False,
    vectors=Answer.json(
        {
            "request_id": "req-1",
            "output": {"embeddings": [{"text_index": index, "embedding": [0.25, -0.5]} for index in range(2)]},
            "usage": {"total_tokens": 4},
        }
    ),
)
