"""The ibm_watsonx_ai package."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
from ibm_watsonx_ai import APIClient, Credentials
from ibm_watsonx_ai.foundation_models import Embeddings, ModelInference
from ibm_watsonx_ai.gateway import Gateway, GatewayInference

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback.llm_server import Answer
from tests.loopback.openai_server import answer, chunks, completion, text_completion

MODEL = "ibm/granite-4-h-small"
MESSAGES = [{"role": "user", "content": QUESTION}]


# The package does not take a URL without TLS, and takes the HTTP clients that it is given.
class _Plain(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http")
        return super().handle_request(request)


class _AsyncPlain(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http")
        return await super().handle_async_request(request)


def _model(client: APIClient, **params: Any) -> Any:
    """A model of the server, asked one time only."""
    return ModelInference(model_id=MODEL, api_client=client, validate=False, max_retries=0, params=params)


def _gateway(client: APIClient, **params: Any) -> Any:
    """A model behind the server, asked one time only."""
    return GatewayInference(model=MODEL, api_client=client, max_retries=0, **params)


def _own(client: APIClient, **_: Any) -> Any:
    """The gateway itself, whose parts are of classes of its own."""
    return Gateway(api_client=client, max_retries=0)


def _api(url: str, http: httpx.Client, async_http: httpx.AsyncClient) -> APIClient:
    safe = url.replace("http://", "https://")
    credentials = Credentials(url=safe, platform_url=safe, token="token")
    return APIClient(credentials, httpx_client=http, async_httpx_client=async_http)


@contextmanager
def _client(url: str, make: Callable[..., Any] = _model, **params: Any) -> Iterator[Any]:
    with httpx.Client(transport=_Plain()) as http:
        yield make(_api(url, http, httpx.AsyncClient(transport=_AsyncPlain())), **params)


@asynccontextmanager
async def _async_client(url: str, make: Callable[..., Any] = _model, **params: Any) -> AsyncIterator[Any]:
    async with httpx.AsyncClient(transport=_AsyncPlain()) as http:
        with httpx.Client(transport=_Plain()) as unused:
            yield make(_api(url, unused, http), **params)


def _vectors(model: Any) -> Any:
    return Embeddings(model_id="ibm/slate-125m", api_client=model._client).embed_documents(["Paris", "Rome"])


def _answer(*, stream: bool, whole: dict[str, Any] | None = None) -> Answer:
    """The model's name is `model_id`, and a stream has no mark at its end."""
    said = whole or completion()
    named = {"model_id": said["model"], "model": None}
    if not stream:
        return Answer.json({**said, **named})
    return Answer.events([{**chunk, **named} for chunk in chunks(said)], done=False)


FORMS = Forms(
    client=partial(_client, max_tokens=100),
    async_client=partial(_async_client, max_tokens=7),
    plain=lambda model: model.chat(MESSAGES),
    stream=lambda model: model.chat_stream(MESSAGES),
    # What a call says goes before what the model was told.
    async_plain=lambda model: model.achat(MESSAGES, params={"max_tokens": 100}),
    async_stream=lambda model: model.achat_stream(MESSAGES, params={"max_tokens": 100}),
    embed=_vectors,
    answer=_answer,
    vectors=Answer.json(
        {"model_id": "embed-2026", "results": [{"embedding": [0.25, -0.5]}] * 2, "input_token_count": 4}
    ),
)


def _result(text: str, reason: str, read: int, written: int) -> dict[str, Any]:
    counts = {"input_token_count": read, "generated_token_count": written}
    return {"model_id": MODEL, "results": [{"generated_text": text, "stop_reason": reason, **counts}]}


WRITTEN = {
    False: Answer.json(_result(TEXT, "eos_token", 11, 7)),
    # What was read is told once, what was written so far in each.
    True: Answer.events(
        [
            _result("", "not_finished", 11, 0),
            _result(TEXT[:9], "not_finished", 0, 3),
            _result(TEXT[9:], "eos_token", 0, 7),
        ],
        done=False,
    ),
}
PARAMS: dict[str, Any] = {
    "max_new_tokens": 100,
    "temperature": 0.5,
    "random_seed": 7,
    "stop_sequences": ["."],
    "top_k": 40,
}

GENERATE = replace(
    FORMS,
    client=partial(_client, **PARAMS),
    plain=lambda model: model.generate(QUESTION),
    stream=lambda model: model.generate_text_stream(QUESTION, raw_response=True),
    async_plain=lambda model: model.agenerate(QUESTION, params=PARAMS),
    async_stream=lambda model: model.agenerate_stream(QUESTION, params=PARAMS),
    answer=lambda *, stream: WRITTEN[stream],
)
GATEWAY = replace(
    FORMS,
    client=partial(_client, make=_gateway, max_tokens=100, max_completion_tokens=7, temperature=0.5),
    async_client=partial(_async_client, make=_gateway, max_tokens=7, temperature=0.5),
    plain=lambda model: model.chat(MESSAGES, max_completion_tokens=100),
    stream=lambda model: model.chat_stream(MESSAGES, max_completion_tokens=100),
    async_plain=lambda model: model.achat(MESSAGES, max_tokens=100),
    async_stream=lambda model: model.achat_stream(MESSAGES, max_tokens=100),
    answer=lambda *, stream, whole=None: answer(whole or completion(), stream=stream),
)
CHATTED: dict[str, Any] = {"model": MODEL, "messages": MESSAGES, "max_tokens": 100}
CONTINUED: dict[str, Any] = {"model": MODEL, "prompt": QUESTION, "max_tokens": 100}
OWN = replace(
    GATEWAY,
    client=partial(_client, make=_own),
    async_client=partial(_async_client, make=_own),
    plain=lambda gateway: gateway.chat.completions.create(**CHATTED),
    stream=lambda gateway: gateway.chat.completions.create(**CHATTED, stream=True),
    async_plain=lambda gateway: gateway.chat.completions.acreate(**CHATTED),
    async_stream=lambda gateway: gateway.chat.completions.acreate(**CHATTED, stream=True),
    embed=lambda gateway: gateway.embeddings.create(model="ibm/slate-125m", input=["Paris", "Rome"]),
    vectors=Forms.vectors,
)
OTHERS = {
    "own": OWN,
    "own_text": replace(
        OWN,
        plain=lambda gateway: gateway.completions.create(**CONTINUED),
        stream=lambda gateway: gateway.completions.create(**CONTINUED, stream=True),
        async_plain=lambda gateway: gateway.completions.acreate(**CONTINUED),
        async_stream=lambda gateway: gateway.completions.acreate(**CONTINUED, stream=True),
        answer=text_completion,
    ),
    "gateway": GATEWAY,
    "gateway_text": replace(
        GATEWAY,
        plain=lambda model: model.generate(QUESTION),
        stream=lambda model: model.generate_stream(QUESTION),
        async_plain=lambda model: model.agenerate(QUESTION, max_tokens=100),
        async_stream=lambda model: model.agenerate_stream(QUESTION, max_tokens=100),
        answer=text_completion,
    ),
    "generate": GENERATE,
    # Bare texts.
    "text": replace(
        GENERATE,
        plain=lambda model: model.generate_text(QUESTION),
        stream=lambda model: model.generate_text_stream(QUESTION),
        async_client=None,
        untold=(
            "gen_ai.response.finish_reasons",
            "gen_ai.response.model",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
        ),
    ),
}
