"""The dashscope package, whose server is a setting of the whole module."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import dashscope
from dashscope.aigc.chat_completion import Completions
from dashscope.api_entities.aio_session import close_shared_aio_session

from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.loopback import anthropic_server
from tests.loopback.llm_server import Answer
from tests.loopback.openai_server import chunks, completion

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


@contextmanager
def _conversation(url: str) -> Iterator[Any]:
    with _client(url) as found:
        yield found.Conversation()


@asynccontextmanager
async def _async_client(url: str) -> AsyncIterator[Any]:
    with _client(url) as found:
        yield found
    await close_shared_aio_session()


FORMS = Forms(
    client=_client,
    async_client=_async_client,
    async_plain=lambda client: client.AioGeneration.call(**ASKED, api_key="key"),
    async_stream=lambda client: client.AioGeneration.call(**ASKED, api_key="key", stream=True),
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

CALL = {
    "id": "call_1",
    "type": "function",
    "index": 0,
    "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
}
IMAGE = "https://example.com/paris.png"
SEEN = {
    "model": "qwen-vl-max",
    "messages": [{"role": "user", "content": [{"image": IMAGE}, {"text": QUESTION}]}],
    "api_key": "key",
}


def _calling(text: str, reason: str, **more: Any) -> dict[str, Any]:
    said = _said(text, reason)
    said["output"]["choices"][0]["message"].update(more)
    return said


def _called(*, stream: bool) -> Answer:
    whole = _calling(TEXT, "tool_calls", reasoning_content="Look it up.", tool_calls=[CALL])
    begun = _calling("", "null", reasoning_content="Look it up.")
    return Answer.events([begun, whole], done=False) if stream else Answer.json(whole)


def _told_in_pieces(*, stream: bool) -> Answer:
    """A stream of what is new in each chunk."""
    if not stream:
        return _called(stream=False)
    part = {**CALL, "function": {"name": "", "arguments": '"Paris"}'}}
    return Answer.events(
        [
            _calling("", "null", reasoning_content="Look it "),
            _calling("", "null", reasoning_content="up."),
            _calling(TEXT[:9], "null"),
            _calling(TEXT[9:], "null"),
            _calling("", "null", tool_calls=[{**CALL, "function": {"name": "weather", "arguments": '{"city": '}}]),
            _calling("", "tool_calls", tool_calls=[part]),
        ],
        done=False,
    )


def _parts(text: str, reason: str) -> dict[str, Any]:
    said = _said(text, reason)
    said["output"]["choices"][0]["message"]["content"] = [{"text": text}]
    return said


def _looked(*, stream: bool) -> Answer:
    if not stream:
        return Answer.json(_parts(TEXT, "stop"))
    return Answer.events([_parts(TEXT[:9], "null"), _parts(TEXT, "stop")], done=False)


def _seen_in_pieces(*, stream: bool) -> Answer:
    if not stream:
        return _looked(stream=False)
    return Answer.events([_parts(TEXT[:9], "null"), _parts(TEXT[9:], "stop")], done=False)


APPLIED = {"app_id": "app-1", "prompt": QUESTION, "session_id": "session-0", "api_key": "key", "temperature": 0.5}


def _applied(text: str, reason: str) -> dict[str, Any]:
    models = [{"model_id": "qwen-max", "input_tokens": 9, "output_tokens": 5}]
    models.append({"model_id": "qwen-turbo", "input_tokens": 2, "output_tokens": 2})
    output = {"text": text, "finish_reason": reason, "session_id": "session-1"}
    return {"request_id": "req-1", "output": output, "usage": {"models": models}}


def _application(*said: str, stream: bool) -> Answer:
    """In a stream each chunk says what is given; the last one says why it ended."""
    if not stream:
        return Answer.json(_applied(TEXT, "stop"))
    *before, last = said
    return Answer.events([*(_applied(text, "null") for text in before), _applied(last, "stop")], done=False)


APPLICATION = replace(
    FORMS,
    async_client=None,
    plain=lambda client: client.Application.call(**APPLIED),
    stream=lambda client: client.Application.call(**APPLIED, stream=True),
    answer=partial(_application, TEXT[:9], TEXT),
)
HEARD = {"model": "qwen-plus", "messages": QUESTION, "max_tokens": 100}


@contextmanager
def _new_client(url: str, **more: Any) -> Iterator[Any]:
    with dashscope.Client(api_key="key", base_url=url, **more) as client:
        yield client


@asynccontextmanager
async def _new_async_client(url: str, **more: Any) -> AsyncIterator[Any]:
    async with dashscope.AsyncClient(api_key="key", base_url=url, **more) as client:
        yield client


def _speaking(protocol: str, **more: Any) -> Forms:
    """The package's new client, in a dialect."""
    return Forms(
        client=partial(_new_client, protocol=protocol),
        async_client=partial(_new_async_client, protocol=protocol),
        plain=lambda client: client.chat.completions.create(**HEARD),
        stream=lambda client: client.chat.completions.create(**HEARD, stream=True, **more),
        embed=lambda client: client.embeddings.create(model="text-embedding-v4", input=["Paris", "Rome"]),
        vectors=FORMS.vectors,
    )


CITIES = ("Paris", "Rome")
LOOKED = {**HEARD, "messages": [{"role": "user", "content": [{"image": IMAGE}, {"type": "text", "text": QUESTION}]}]}
THOUGHT = anthropic_server.message(
    content=[
        {"type": "thinking", "thinking": "Look it up.", "signature": "c2ln"},
        {"type": "text", "text": TEXT},
        *({"type": "tool_use", "id": f"toolu_{city}", "name": "weather", "input": {"city": city}} for city in CITIES),
    ]
)
CLIENT = _speaking("native")
APPLYING = {name: value for name, value in APPLIED.items() if name != "api_key"}
APPS = replace(
    CLIENT,
    plain=lambda client: client.apps.completions.create(**APPLYING),
    stream=lambda client: client.apps.completions.create(**APPLYING, stream=True),
    answer=partial(_application, TEXT[:9], TEXT),
)
CODING = {
    "model": "tongyi-lingma-v1",
    "scene": "nl2code",
    "message": [{"role": "user", "content": QUESTION}, {"role": "attachment", "meta": {"language": "python"}}],
    "api_key": "key",
}
COMPATIBLE = {**HEARD, "messages": [{"role": "user", "content": QUESTION}], "api_key": "key"}


def _code(text: str, reason: str) -> dict[str, Any]:
    choice = {"index": 0, "frame_id": 1, "finish_reason": reason, "content": text}
    return {"request_id": "req-1", "output": {"choices": [choice]}, "usage": USAGE}


def _coded(*, stream: bool) -> Answer:
    if not stream:
        return Answer.json(_code(TEXT, "stop"))
    return Answer.events([_code(TEXT[:9], "null"), _code(TEXT, "stop")], done=False)


def _completed(*, stream: bool) -> Answer:
    """The chunks' own repr wants what no server says; a stream has no mark at its end."""
    wanted = dict.fromkeys(("code", "message", "request_id", "status_code"))
    if not stream:
        return Answer.json({**completion(), **wanted})
    return Answer.events([{**chunk, **wanted} for chunk in chunks(completion())], done=False)


def _shown(stream: Any) -> Iterator[Any]:
    """Each chunk, whose repr leaves out what it says, and that."""
    for chunk in stream:
        yield chunk, [str(choice.delta) for choice in chunk.choices]


@contextmanager
def _compatible(url: str) -> Iterator[Any]:
    before, dashscope.base_compatible_api_url = dashscope.base_compatible_api_url, url
    try:
        yield Completions
    finally:
        dashscope.base_compatible_api_url = before


OTHERS = {
    "client": replace(CLIENT, answer=_told_in_pieces),
    "client_again": replace(_speaking("native", parameters={"incremental_output": False}), answer=_called),
    "client_anthropic": replace(_speaking("anthropic"), answer=partial(anthropic_server.answer, THOUGHT)),
    "client_openai": _speaking("openai"),
    "client_application": APPS,
    "client_application_incremental": replace(
        APPS,
        stream=lambda client: client.apps.completions.create(**APPLYING, stream=True, incremental_output=True),
        answer=partial(_application, TEXT[:9], TEXT[9:], ""),
    ),
    "code": replace(
        FORMS,
        async_client=None,
        plain=lambda client: client.CodeGeneration.call(**CODING),
        stream=lambda client: client.CodeGeneration.call(**CODING, stream=True),
        answer=_coded,
    ),
    "completions": replace(
        FORMS,
        async_client=None,
        client=_compatible,
        plain=lambda completions: completions.create(**COMPATIBLE),
        stream=lambda completions: _shown(completions.create(**COMPATIBLE, stream=True)),
        answer=_completed,
    ),
    "client_multimodal": replace(
        CLIENT,
        plain=lambda client: client.multimodal.chat.create(**LOOKED),
        stream=lambda client: client.multimodal.chat.create(**LOOKED, stream=True),
        answer=_seen_in_pieces,
        embed=lambda client: client.multimodal.embeddings.create(
            model="tongyi-embedding-vision-plus", input=[{"text": "Paris"}, {"text": "Rome"}], dimension=2
        ),
        vectors=Answer.json(
            {
                "request_id": "req-1",
                "output": {"embeddings": [{"index": index, "embedding": [0.25, -0.5]} for index in range(2)]},
                "usage": {"input_tokens": 4, "output_tokens": 1, "total_tokens": 5},
            }
        ),
    ),
    "application": APPLICATION,
    "application_incremental": replace(
        APPLICATION,
        stream=lambda client: client.Application.call(**APPLIED, stream=True, incremental_output=True),
        answer=partial(_application, TEXT[:9], TEXT[9:], ""),
    ),
    "tools": replace(FORMS, answer=_called),
    "conversation": replace(
        FORMS,
        async_client=None,
        client=_conversation,
        plain=lambda conversation: conversation.call("qwen-turbo", QUESTION, api_key="key"),
        stream=lambda conversation: conversation.call("qwen-turbo", QUESTION, api_key="key", stream=True),
    ),
    "incremental": replace(
        FORMS,
        stream=lambda client: client.Generation.call(**ASKED, api_key="key", stream=True, incremental_output=True),
        async_stream=lambda client: client.AioGeneration.call(
            **ASKED, api_key="key", stream=True, incremental_output=True
        ),
        answer=_told_in_pieces,
    ),
    "multimodal": replace(
        FORMS,
        plain=lambda client: client.MultiModalConversation.call(**SEEN),
        stream=lambda client: client.MultiModalConversation.call(**SEEN, stream=True),
        async_plain=lambda client: client.AioMultiModalConversation.call(**SEEN),
        async_stream=lambda client: client.AioMultiModalConversation.call(**SEEN, stream=True),
        answer=_looked,
        embed=lambda client: client.MultiModalEmbedding.call(
            "tongyi-embedding-vision-plus", [{"text": "Paris"}, {"text": "Rome"}], dimension=2, api_key="key"
        ),
        vectors=Answer.json(
            {
                "request_id": "req-1",
                "output": {"embeddings": [{"index": index, "embedding": [0.25, -0.5]} for index in range(2)]},
                "usage": {"input_tokens": 4, "output_tokens": 1, "total_tokens": 5},
            }
        ),
    ),
}
