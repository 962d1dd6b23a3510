"""The other APIs of the openai package: responses, embeddings, images, audio and the rest."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import openai
import pytest
from inline_snapshot import snapshot
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from pydantic import BaseModel

from agentops_otel.clients.openai.spec import SPEC
from tests.clients.capture import Captured
from tests.clients.openai_calls import ASKED, RESPONSES_ASKED, STREAMED, async_client, said, sync_client
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import TEXT, USAGE, completion, events, response
from tests.loopback.openai_server import answer as chat_answer


def create(client: OpenAI) -> None:
    """Plain."""
    client.responses.create(**RESPONSES_ASKED)


def parse(client: OpenAI) -> None:
    """Parsed."""
    client.responses.parse(**RESPONSES_ASKED)


def raw(client: OpenAI) -> None:
    """Raw."""
    client.responses.with_raw_response.create(**RESPONSES_ASKED).parse()


def stream(client: OpenAI) -> None:
    """Streamed."""
    list(client.responses.create(**RESPONSES_ASKED, stream=True))


def helper(client: OpenAI) -> None:
    """The stream() helper."""
    with client.responses.stream(**RESPONSES_ASKED) as read:
        read.until_done()


async def async_create(client: AsyncOpenAI) -> None:
    """Plain."""
    await client.responses.create(**RESPONSES_ASKED)


async def async_stream(client: AsyncOpenAI) -> None:
    """Streamed."""
    async for _ in await client.responses.create(**RESPONSES_ASKED, stream=True):
        pass


def run(form: Callable[[Any], Any], server: LlmServer) -> None:
    """Run the form with a client of its kind."""

    async def awaited() -> None:
        async with async_client(server) as client:
            await form(client)

    if asyncio.iscoroutinefunction(form):
        asyncio.run(awaited())
    else:
        with sync_client(server) as client:
            form(client)


@pytest.mark.parametrize("form", [create, parse, raw, stream, helper, async_create, async_stream])
def test_every_form_of_a_response_makes_the_same_span(
    form: Callable[[Any], Any], captured: Captured, server: LlmServer
) -> None:
    """One span a call, and a stream's says what the plain call's says."""
    streams = form in (stream, helper, async_stream)
    server.answer(Answer.events(events(response())) if streams else Answer.json(response()))

    run(form, server)

    (node,) = said(captured, server)
    attributes = node["attributes"]
    assert isinstance(attributes, dict)
    if streams:
        assert {name: attributes.pop(name) for name in STREAMED} == STREAMED
    assert node == snapshot(
        {
            "name": "chat gpt-5",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.conversation.id": "conv_1",
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm?"}]},
                    {
                        "role": "assistant",
                        "parts": [{"type": "tool_call", "id": "call_0", "name": "place", "arguments": {}}],
                    },
                    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_0", "response": "Paris"}]},
                    {
                        "role": "user",
                        "parts": [{"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 2}],
                    },
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {
                        "role": "assistant",
                        "parts": [
                            {"type": "reasoning", "content": "Look it up."},
                            {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
                            {"type": "text", "content": "It is 21 degrees in Paris."},
                        ],
                    }
                ],
                "gen_ai.output.type": "json",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.max_tokens": 100,
                "gen_ai.request.model": "gpt-5",
                "gen_ai.request.reasoning.level": "low",
                "gen_ai.request.temperature": 0.5,
                "gen_ai.response.finish_reasons": ["tool_call"],
                "gen_ai.response.id": "resp_1",
                "gen_ai.response.model": "gpt-5-2026-01-01",
                "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
                "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "parameters": {}, "strict": True}],
                "gen_ai.usage.cache_creation.input_tokens": 2,
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.cache_write.input_tokens": 2,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 3,
                "openai.api.type": "responses",
                "openai.response.service_tier": "default",
                "server.address": "127.0.0.1",
            },
        }
    )


def test_a_response_stream_that_is_cut_says_what_came(captured: Captured, server: LlmServer) -> None:
    """What the deltas said until then is on the span, and that it was cut."""
    server.answer(Answer.events(events(response())[:-3], cut=True))

    with sync_client(server) as client, pytest.raises(Exception, match=r"Connection error|peer closed"):
        list(client.responses.create(model="gpt-5", input="How warm?", stream=True))

    (node,) = said(captured, server)
    assert isinstance(node["attributes"], dict)
    assert node["attributes"].pop("error.type")
    assert [node] == snapshot(
        [
            {
                "name": "chat gpt-5",
                "kind": "CLIENT",
                "status": "ERROR",
                "attributes": {
                    "gen_ai.conversation.id": "conv_1",
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                    "gen_ai.operation.name": "chat",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "reasoning", "content": "Look it up."},
                                {
                                    "type": "tool_call",
                                    "id": "call_1",
                                    "name": "weather",
                                    "arguments": {"city": "Paris"},
                                },
                                {"type": "text", "content": "It is 21 degrees in Paris"},
                            ],
                        }
                    ],
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-5",
                    "gen_ai.request.stream": True,
                    "gen_ai.response.finish_reasons": ["error"],
                    "gen_ai.response.id": "resp_1",
                    "gen_ai.response.model": "gpt-5-2026-01-01",
                    "gen_ai.response.time_to_first_chunk": 0.001,
                    "openai.api.type": "responses",
                    "openai.response.service_tier": "default",
                    "server.address": "127.0.0.1",
                },
                "events": ["exception"],
            }
        ]
    )


@pytest.mark.parametrize("streams", [False, True])
def test_a_failed_response_is_an_error(streams: bool, captured: Captured, server: LlmServer) -> None:
    """`status: failed` raises nothing in the program, and is an error with the server's code."""
    failed = response(status="failed", output=[], usage=None, error={"code": "server_error", "message": "Paris!"})
    server.answer(Answer.events(events(failed)) if streams else Answer.json(failed))

    run(stream if streams else create, server)

    (span,) = captured.spans
    assert span.status.status_code.name == "ERROR"
    assert (span.attributes or {})["error.type"] == "server_error"
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("error",)


def test_an_incomplete_response_says_why(captured: Captured, server: LlmServer) -> None:
    """Cut by its own limit it is no failure."""
    server.answer(Answer.json(response(status="incomplete", incomplete_details={"reason": "max_output_tokens"})))

    run(create, server)

    (span,) = captured.spans
    assert span.status.status_code.name == "UNSET"
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("length",)


def test_a_background_response_is_linked_to_its_retrieval(captured: Captured, server: LlmServer) -> None:
    """Asking for the answer later is a span of its own that points back, and counts no token twice."""
    queued = response(status="queued", background=True, output=[], usage=None)
    server.answer(Answer.json(queued))
    server.answer(Answer.json(response(background=True)))

    with sync_client(server) as client:
        client.responses.create(model="gpt-5", input="How warm?", background=True)
        client.responses.retrieve("resp_1")

    first, second = captured.spans
    assert [link.context for link in second.links] == [first.context]
    assert said(captured, server) == snapshot(
        [
            {
                "name": "chat gpt-5",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.conversation.id": "conv_1",
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-5",
                    "gen_ai.response.id": "resp_1",
                    "gen_ai.response.model": "gpt-5-2026-01-01",
                    "openai.api.type": "responses",
                    "openai.response.service_tier": "default",
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "fetch_response",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.conversation.id": "conv_1",
                    "gen_ai.operation.name": "fetch_response",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "reasoning", "content": "Look it up."},
                                {
                                    "type": "tool_call",
                                    "id": "call_1",
                                    "name": "weather",
                                    "arguments": {"city": "Paris"},
                                },
                                {"type": "text", "content": "It is 21 degrees in Paris."},
                            ],
                        }
                    ],
                    "gen_ai.provider.name": "openai",
                    "gen_ai.response.finish_reasons": ["tool_call"],
                    "gen_ai.response.id": "resp_1",
                    "gen_ai.response.model": "gpt-5-2026-01-01",
                    "openai.response.service_tier": "default",
                    "server.address": "127.0.0.1",
                },
            },
        ]
    )


@pytest.mark.parametrize("streams", [False, True])
def test_a_background_response_that_failed_says_so_when_it_is_fetched(
    streams: bool, captured: Captured, server: LlmServer
) -> None:
    """Read whole or as a stream."""
    failed = response(status="failed", error={"code": "server_error", "message": "no"}, output=[], usage=None)
    server.answer(Answer.events([{"type": "response.failed", "response": failed}]) if streams else Answer.json(failed))

    with sync_client(server) as client:
        if streams:
            list(client.responses.retrieve("resp_1", stream=True))
        else:
            client.responses.retrieve("resp_1")

    (span,) = captured.spans
    attributes = span.attributes or {}
    assert (span.name, span.status.status_code.name) == ("fetch_response", "ERROR")
    assert [attributes[name] for name in ("error.type", "gen_ai.response.id")] == ["server_error", "resp_1"]


def embedding(client: OpenAI) -> None:
    """Vectors for two texts."""
    client.embeddings.create(model="text-embedding-3-small", input=["warm", "cold"], dimensions=2)


def completion_call(client: OpenAI) -> None:
    """A legacy completion."""
    client.completions.create(model="gpt-3.5-turbo-instruct", prompt="How warm", max_tokens=5)


def image(client: OpenAI) -> None:
    """An image."""
    client.images.generate(model="gpt-image-1", prompt="Paris", n=2)


def image_edit(client: OpenAI) -> None:
    """An image, changed."""
    client.images.edit(model="gpt-image-1", image=b"\x89PNG", prompt="Paris at night")


def speech(client: OpenAI) -> None:
    """A text, spoken."""
    assert client.audio.speech.create(model="tts-1", voice="alloy", input="Paris").content == b"RIFF"


def transcription(client: OpenAI) -> None:
    """Speech, written down."""
    client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF"))


def compaction(client: OpenAI) -> None:
    """A conversation, made shorter."""
    client.responses.compact(model="gpt-5", input="How warm?")


def counting(client: OpenAI) -> None:
    """The tokens that a request would have."""
    client.responses.input_tokens.count(model="gpt-5", input="How warm?")


def decision(client: OpenAI) -> None:
    """A question with given answers."""
    client.decisions.create(model="gpt-6-luna", input="21 degrees", questions=[{"type": "predicate", "text": "Warm?"}])  # type: ignore[typeddict-item,typeddict-unknown-key,list-item,unused-ignore]  # the shape is the server's business


def moderation(client: OpenAI) -> None:
    """A text, judged."""
    client.moderations.create(model="omni-moderation-latest", input="Paris")


IMAGE = {
    "created": 1,
    "output_format": "png",
    "data": [{"b64_json": "aGk="}, {"url": "http://there/image.png"}],
    "usage": {
        "input_tokens": 5,
        "output_tokens": 6,
        "total_tokens": 11,
        "input_tokens_details": {"text_tokens": 2, "image_tokens": 3},
    },
}
VECTOR = base64.b64encode(b"\0\0\0\0\0\0\x80?").decode()
ANSWERS = {
    embedding: Answer.json(
        {
            "object": "list",
            "model": "text-embedding-3-small",
            "data": [{"object": "embedding", "index": index, "embedding": VECTOR} for index in range(2)],
            "usage": {"prompt_tokens": 2, "total_tokens": 2},
        }
    ),
    completion_call: Answer.json(
        {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 1,
            "model": "gpt-3.5-turbo-instruct",
            "choices": [{"index": 0, "text": " is it?", "finish_reason": "length", "logprobs": None}],
            "usage": {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7},
        }
    ),
    image: Answer.json(IMAGE),
    image_edit: Answer.json(IMAGE),
    speech: Answer(headers={"content-type": "audio/wav"}, body=b"RIFF"),
    transcription: Answer.json(
        {
            "text": "Paris",
            "usage": {
                "type": "tokens",
                "input_tokens": 3,
                "output_tokens": 1,
                "total_tokens": 4,
                "input_token_details": {"audio_tokens": 3},
            },
        }
    ),
    moderation: Answer.json({"id": "modr-1", "model": "omni-moderation-latest", "results": []}),
}
NEWER = {
    compaction: Answer.json(
        {
            "id": "resp_1",
            "object": "response.compaction",
            "created_at": 1,
            "output": [{"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}],
            "usage": {
                "input_tokens": 9,
                "output_tokens": 4,
                "total_tokens": 13,
                "input_tokens_details": {"cached_tokens": 2},
                "output_tokens_details": {"reasoning_tokens": 1},
            },
        }
    ),
    counting: Answer.json({"object": "response.input_tokens", "input_tokens": 9}),
    decision: Answer.json(
        {
            "id": "dec_1",
            "model": "gpt-6-luna",
            "answers": [{"type": "predicate", "probability": 0.75}],
            "usage": {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6},
        }
    ),
}


@pytest.mark.skipif(not hasattr(OpenAI, "decisions"), reason="this version of the package has none of them")
def test_the_newer_apis_have_a_span_each(captured: Captured, server: LlmServer) -> None:
    """Compaction, counting and decisions."""
    for call, answer in NEWER.items():
        server.answer(answer)
        run(call, server)

    assert said(captured, server) == snapshot(
        [
            {
                "name": "chat gpt-5",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                    "gen_ai.operation.name": "chat",
                    "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "compaction"}]}],
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-5",
                    "gen_ai.response.finish_reasons": ["compaction"],
                    "gen_ai.response.id": "resp_1",
                    "gen_ai.usage.cache_read.input_tokens": 2,
                    "gen_ai.usage.input_tokens": 9,
                    "gen_ai.usage.output_tokens": 4,
                    "gen_ai.usage.reasoning.output_tokens": 1,
                    "openai.api.type": "responses",
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "count_tokens gpt-5",
                "kind": "CLIENT",
                "attributes": {
                    "agentops.counted.input_tokens": 9,
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                    "gen_ai.operation.name": "count_tokens",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-5",
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "generate_content gpt-6-luna",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "21 degrees"}]}],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "decision", "answer": {"name": None, "probability": 0.75, "type": "predicate"}}
                            ],
                        }
                    ],
                    "gen_ai.output.type": "json",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-6-luna",
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.response.id": "dec_1",
                    "gen_ai.response.model": "gpt-6-luna",
                    "gen_ai.usage.input_tokens": 5,
                    "gen_ai.usage.output_tokens": 1,
                    "server.address": "127.0.0.1",
                },
            },
        ]
    )


def test_the_other_apis_have_a_span_each(captured: Captured, server: LlmServer) -> None:
    """Embeddings, completions, images, speech, transcription and moderation are told as what they are."""
    for call, answer in ANSWERS.items():
        server.answer(answer)
        run(call, server)

    assert said(captured, server) == snapshot(
        [
            {
                "name": "embeddings text-embedding-3-small",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.embeddings.dimension.count": 2,
                    "gen_ai.input.messages": [
                        {
                            "role": "user",
                            "parts": [{"type": "text", "content": "warm"}, {"type": "text", "content": "cold"}],
                        }
                    ],
                    "gen_ai.operation.name": "embeddings",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.encoding_formats": ["base64"],
                    "gen_ai.request.model": "text-embedding-3-small",
                    "gen_ai.response.model": "text-embedding-3-small",
                    "gen_ai.usage.input_tokens": 2,
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "text_completion gpt-3.5-turbo-instruct",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm"}]}],
                    "gen_ai.operation.name": "text_completion",
                    "gen_ai.output.messages": [
                        {"role": "assistant", "parts": [{"type": "text", "content": " is it?"}]}
                    ],
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.max_tokens": 5,
                    "gen_ai.request.model": "gpt-3.5-turbo-instruct",
                    "gen_ai.response.finish_reasons": ["length"],
                    "gen_ai.response.id": "cmpl-1",
                    "gen_ai.response.model": "gpt-3.5-turbo-instruct",
                    "gen_ai.usage.input_tokens": 2,
                    "gen_ai.usage.output_tokens": 5,
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "generate_content gpt-image-1",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Paris"}]}],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 2},
                                {"type": "uri", "modality": "image", "uri": "http://there/image.png"},
                            ],
                        }
                    ],
                    "gen_ai.output.type": "image",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.choice.count": 2,
                    "gen_ai.request.model": "gpt-image-1",
                    "gen_ai.usage.image.input_tokens": 3,
                    "gen_ai.usage.input_tokens": 5,
                    "gen_ai.usage.output_tokens": 6,
                    "gen_ai.usage.text.input_tokens": 2,
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "generate_content gpt-image-1",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [
                        {"role": "user", "parts": [{"type": "text", "content": "Paris at night"}]}
                    ],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 2},
                                {"type": "uri", "modality": "image", "uri": "http://there/image.png"},
                            ],
                        }
                    ],
                    "gen_ai.output.type": "image",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-image-1",
                    "gen_ai.usage.image.input_tokens": 3,
                    "gen_ai.usage.input_tokens": 5,
                    "gen_ai.usage.output_tokens": 6,
                    "gen_ai.usage.text.input_tokens": 2,
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "generate_content tts-1",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Paris"}]}],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [{"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 4}],
                        }
                    ],
                    "gen_ai.output.type": "speech",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "tts-1",
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "generate_content whisper-1",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Paris"}]}],
                    "gen_ai.output.type": "text",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "whisper-1",
                    "gen_ai.usage.audio.input_tokens": 3,
                    "gen_ai.usage.input_tokens": 3,
                    "gen_ai.usage.output_tokens": 1,
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "moderation omni-moderation-latest",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Paris"}]}],
                    "gen_ai.operation.name": "moderation",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "omni-moderation-latest",
                    "gen_ai.response.id": "modr-1",
                    "gen_ai.response.model": "omni-moderation-latest",
                    "server.address": "127.0.0.1",
                },
            },
        ]
    )


@pytest.mark.parametrize(
    ("name", "call", "chunks"),
    [
        (
            "completion",
            lambda client: client.completions.create(model="m", prompt="How warm", stream=True),
            [
                {"id": "1", "model": "m", "choices": [{"index": 0, "text": " is", "finish_reason": None}]},
                {"id": "1", "model": "m", "choices": [{"index": 0, "text": " it?", "finish_reason": "length"}]},
                {"id": "1", "model": "m", "choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 5}},
            ],
        ),
        (
            "image",
            lambda client: client.images.generate(model="m", prompt="Paris", stream=True),
            [
                {"type": "image_generation.partial_image", "b64_json": "aGk=", "partial_image_index": 0},
                {"type": "image_generation.completed", **IMAGE, "output_format": "webp", "b64_json": "aGk="},
            ],
        ),
        (
            "transcript",
            lambda client: client.audio.transcriptions.create(model="m", file=("a.wav", b"RIFF"), stream=True),
            [
                {"type": "transcript.text.delta", "delta": "Pa"},
                {"type": "transcript.text.delta", "delta": "ris"},
                {"type": "transcript.text.done", "text": "Paris", "usage": {"input_tokens": 3, "output_tokens": 1}},
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_other_streams_are_folded(
    name: str, call: Callable[[OpenAI], Any], chunks: list[Any], captured: Captured, server: LlmServer
) -> None:
    """A streamed completion, image or transcript says what its whole form says."""
    server.answer(Answer.events(chunks))

    with sync_client(server) as client:
        list(call(client))

    (node,) = said(captured, server)
    attributes = node["attributes"]
    assert isinstance(attributes, dict)
    told = {key: value for key, value in attributes.items() if "usage" in key or "output" in key}
    assert (
        told
        == snapshot(
            {
                "completion": {
                    "gen_ai.output.messages": [
                        {"role": "assistant", "parts": [{"type": "text", "content": " is it?"}]}
                    ],
                    "gen_ai.usage.input_tokens": 2,
                    "gen_ai.usage.output_tokens": 5,
                },
                "image": {
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [{"type": "blob", "modality": "image", "mime_type": "image/webp", "byte_size": 2}],
                        }
                    ],
                    "gen_ai.output.type": "image",
                    "gen_ai.usage.image.input_tokens": 3,
                    "gen_ai.usage.input_tokens": 5,
                    "gen_ai.usage.output_tokens": 6,
                    "gen_ai.usage.text.input_tokens": 2,
                },
                "transcript": {
                    "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Paris"}]}],
                    "gen_ai.output.type": "text",
                    "gen_ai.usage.input_tokens": 3,
                    "gen_ai.usage.output_tokens": 1,
                },
            }
        )[name]
    )


class Weather(BaseModel):
    """What the model is asked to fill in."""

    degrees: int


def test_a_transcript_without_deltas_is_in_its_last_event(captured: Captured, server: LlmServer) -> None:
    """A short one comes whole."""
    server.answer(Answer.events([{"type": "transcript.text.done", "text": "Paris"}]))

    with sync_client(server) as client:
        list(client.audio.transcriptions.create(model="m", file=("a.wav", b"RIFF"), stream=True))

    (span,) = captured.spans
    assert "Paris" in str((span.attributes or {})["gen_ai.output.messages"])


def test_speech_as_events_says_its_size_and_tokens(captured: Captured, server: LlmServer) -> None:
    """The program reads the events itself."""
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    audio = {"type": "speech.audio.delta", "audio": "aGk="}
    server.answer(Answer.events([audio, audio, {"type": "speech.audio.done", "usage": usage}]))

    with (
        sync_client(server) as client,
        client.audio.speech.with_streaming_response.create(
            model="m", voice="alloy", input="Paris", stream_format="sse"
        ) as response,
    ):
        list(response.iter_lines())

    (node,) = said(captured, server)
    attributes: Any = node["attributes"]
    assert attributes["gen_ai.usage.output_tokens"] == 4
    assert attributes["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [{"type": "blob", "modality": "audio", "byte_size": 4}]}
    ]


def test_a_parsed_answer_that_is_cut_short_keeps_its_tokens(captured: Captured, server: LlmServer) -> None:
    """The helper's exception carries the answer: its tokens were spent."""
    whole = completion({"role": "assistant", "content": "{"}, finish_reason="length")
    server.answer(chat_answer(whole, stream=False))

    with sync_client(server) as client, pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(**ASKED, response_format=Weather)

    (span,) = captured.spans
    assert (span.attributes or {})["error.type"] == "openai.LengthFinishReasonError"
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("length",)
    assert (span.attributes or {})["gen_ai.usage.output_tokens"] == USAGE["completion_tokens"]


def test_azure_is_told_by_its_client(captured: Captured, server: LlmServer) -> None:
    """The provider is the client's word first, the host's second."""
    server.answer(chat_answer(completion(TEXT), stream=False))

    with AzureOpenAI(azure_endpoint=server.url, api_key="key", api_version="2024-10-21") as client:
        client.chat.completions.create(**ASKED)

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.provider.name"] == "azure.ai.openai"
    assert server.requests[0].path.startswith("/openai/deployments/gpt-4.1/chat/completions")


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://api.x.ai/v1", "x_ai"),
        ("https://us-east-1.api.x.ai/v1", "x_ai"),
        ("https://api.anthropic.com/v1", "anthropic"),
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", "dashscope"),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "dashscope"),
        ("https://mine.cognitiveservices.azure.com/openai/v1", "azure.ai.openai"),
        ("https://mine.openai.azure.com/openai/v1", "azure.ai.openai"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "aws.bedrock"),
        ("http://localhost:11434/v1", "openai"),
    ],
)
def test_the_provider_is_told_by_the_host(url: str, provider: str) -> None:
    """A compatible server is called by its own name where the host gives it away."""
    with OpenAI(base_url=url, api_key="key") as client:
        place = SPEC.server_attributes(client)

    assert place["gen_ai.provider.name"] == provider
