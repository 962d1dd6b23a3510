"""The google-genai package over HTTP on loopback: what the program gets, and what the spans say."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import google.auth.credentials
import pytest
from google import genai
from google.genai import errors, types
from inline_snapshot import snapshot
from opentelemetry import trace

from tests.clients.capture import Captured, capture
from tests.clients.test_contract import outcome
from tests.clients.test_openai import STREAMED, said
from tests.loopback.google_genai_server import CALL, answer, content
from tests.loopback.llm_server import Answer, LlmServer

pytestmark = pytest.mark.filterwarnings(
    # The package's own, where aiohttp is installed.
    "ignore:Inheritance class AiohttpClientSession from ClientSession is discouraged:DeprecationWarning"
)

CONFIG = types.GenerateContentConfig(
    system_instruction="Be brief.",
    temperature=0.5,
    top_p=0.9,
    top_k=20,
    candidate_count=2,
    max_output_tokens=100,
    stop_sequences=["END"],
    presence_penalty=0.1,
    frequency_penalty=0.2,
    seed=7,
    response_mime_type="application/json",
    tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="weather", description="The weather")])],
)
ASKED: dict[str, Any] = {
    "model": "gemini-test",
    "contents": [
        types.Content(role="user", parts=[types.Part(text="How warm is it in Paris?")]),
        types.Content(role="model", parts=[types.Part(function_call=types.FunctionCall(name="place", args={}))]),
        types.Content(
            role="user",
            parts=[types.Part(function_response=types.FunctionResponse(name="place", response={"place": "Paris"}))],
        ),
        types.Content(
            role="user",
            parts=[
                types.Part.from_bytes(data=b"hi", mime_type="image/png"),
                types.Part.from_uri(file_uri="gs://there/doc.pdf", mime_type="application/pdf"),
            ],
        ),
    ],
    "config": CONFIG,
}


@pytest.fixture
def client(server: LlmServer) -> Iterator[genai.Client]:
    """The package's own client, pointed at the server."""
    with genai.Client(api_key="key", http_options=types.HttpOptions(base_url=server.url)) as opened:
        yield opened
    gc.collect()


def plain(client: genai.Client) -> None:
    """Plain."""
    client.models.generate_content(**ASKED)


def streamed(client: genai.Client) -> None:
    """Streamed, read to the end."""
    list(client.models.generate_content_stream(**ASKED))


def chat(client: genai.Client) -> None:
    """Through a chat."""
    talk = client.chats.create(model=ASKED["model"], config=CONFIG, history=ASKED["contents"][:-1])
    talk.send_message(ASKED["contents"][-1].parts)


def chat_streamed(client: genai.Client) -> None:
    """Through a chat, streamed."""
    talk = client.chats.create(model=ASKED["model"], config=CONFIG, history=ASKED["contents"][:-1])
    list(talk.send_message_stream(ASKED["contents"][-1].parts))


def async_plain(client: genai.Client) -> None:
    """Plain, asynchronous."""

    async def run() -> None:
        await client.aio.models.generate_content(**ASKED)
        await client.aio.aclose()

    asyncio.run(run())


def async_streamed(client: genai.Client) -> None:
    """Streamed, asynchronous."""

    async def run() -> None:
        async for _ in await client.aio.models.generate_content_stream(**ASKED):
            pass
        await client.aio.aclose()

    asyncio.run(run())


STREAMS = [streamed, chat_streamed, async_streamed]


@pytest.mark.parametrize("form", [plain, chat, async_plain, *STREAMS])
def test_every_form_of_a_call_makes_the_same_span(
    form: Callable[[genai.Client], None], client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """One span a call, and a stream's says what the plain call's says."""
    server.answer(answer(content(CALL), stream=form in STREAMS))

    form(client)

    (node,) = said(captured, server)
    attributes = node["attributes"]
    assert isinstance(attributes, dict)
    if form in STREAMS:
        assert {name: attributes.pop(name) for name in STREAMED} == STREAMED
    assert node == snapshot(
        {
            "name": "generate_content gemini-test",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]},
                    {"role": "assistant", "parts": [{"type": "tool_call", "name": "place", "arguments": {}}]},
                    {
                        "role": "tool",
                        "parts": [{"type": "tool_call_response", "id": "place", "response": {"place": "Paris"}}],
                    },
                    {
                        "role": "user",
                        "parts": [
                            {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 2},
                            {"type": "uri", "modality": "document", "uri": "gs://there/doc.pdf"},
                        ],
                    },
                ],
                "gen_ai.operation.name": "generate_content",
                "gen_ai.output.messages": [
                    {
                        "role": "assistant",
                        "parts": [
                            {"type": "reasoning", "content": "Look it up."},
                            {"type": "text", "content": "Let me see."},
                            {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
                        ],
                    }
                ],
                "gen_ai.output.type": "json",
                "gen_ai.provider.name": "gcp.gemini",
                "gen_ai.request.choice.count": 2,
                "gen_ai.request.frequency_penalty": 0.2,
                "gen_ai.request.max_tokens": 100,
                "gen_ai.request.model": "gemini-test",
                "gen_ai.request.presence_penalty": 0.1,
                "gen_ai.request.seed": 7,
                "gen_ai.request.stop_sequences": ["END"],
                "gen_ai.request.temperature": 0.5,
                "gen_ai.request.top_k": 20,
                "gen_ai.request.top_p": 0.9,
                "gen_ai.response.finish_reasons": ["tool_call"],
                "gen_ai.response.id": "response_1",
                "gen_ai.response.model": "gemini-test-001",
                "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
                "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "description": "The weather"}],
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 3,
                "server.address": "127.0.0.1",
            },
        }
    )


def test_functions_that_the_package_calls_are_no_part_of_the_call(
    client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """Asking again with a function's result is a call of its own, with its own tokens."""
    tracer = captured.provider.get_tracer("program")

    def weather(city: str) -> str:
        """Look up the weather."""
        with tracer.start_as_current_span("look up"):
            return f"21 degrees in {city}"

    server.answer(answer(content(CALL), stream=False))
    server.answer(answer(content(), stream=False))

    config = types.GenerateContentConfig(tools=[weather])
    response = client.models.generate_content(model="gemini-test", contents="How warm is it in Paris?", config=config)

    assert response.text == "It is 21 degrees in Paris."
    spans = [
        (span.name, span.parent, (span.attributes or {}).get("gen_ai.usage.output_tokens")) for span in captured.spans
    ]
    assert spans == [
        ("generate_content gemini-test", None, 7),
        ("look up", None, None),
        ("generate_content gemini-test", None, 7),
    ]


@pytest.mark.parametrize("way", ["break", "close"])
def test_a_stream_left_early_ends_its_span_at_once(
    way: str, client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """UNSET, "error" for the finish reason that never came, and the flag."""
    server.answer(answer(content(), stream=True))

    stream: Any = client.models.generate_content_stream(model="gemini-test", contents="How warm?")
    next(stream)
    if way == "close":
        stream.close()
    del stream
    gc.collect()

    (span,) = captured.spans
    assert span.status.status_code is trace.StatusCode.UNSET
    assert (span.attributes or {})["agentops.stream.abandoned"] is True
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("error",)


def test_an_error_is_the_packages_own(client: genai.Client, captured: Captured, server: LlmServer) -> None:
    """The exception passes, and names itself on the span."""
    server.answer(Answer.json({"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}, 400))

    with pytest.raises(errors.ClientError):
        client.models.generate_content(model="gemini-test", contents="How warm?")

    (span,) = captured.spans
    assert span.status.status_code is trace.StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "google.genai.errors.ClientError"


def test_embeddings_have_a_span(client: genai.Client, captured: Captured, server: LlmServer) -> None:
    """Vectors are told by their length."""
    server.answer(Answer.json({"embeddings": [{"values": [0.1, 0.2]}, {"values": [0.3, 0.4]}]}))

    client.models.embed_content(model="embed-test", contents=["warm", "cold"])

    assert said(captured, server) == snapshot(
        [
            {
                "name": "embeddings embed-test",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.embeddings.dimension.count": 2,
                    "gen_ai.input.messages": [
                        {"role": "user", "parts": [{"type": "text", "content": "warm"}]},
                        {"role": "user", "parts": [{"type": "text", "content": "cold"}]},
                    ],
                    "gen_ai.operation.name": "embeddings",
                    "gen_ai.provider.name": "gcp.gemini",
                    "gen_ai.request.model": "embed-test",
                    "server.address": "127.0.0.1",
                },
            }
        ]
    )


class NoCredentials(google.auth.credentials.Credentials):
    """Nobody asks for more on loopback."""

    def refresh(self, request: object) -> None:
        """Always fresh."""
        self.token = "token"


def test_vertex_is_told_by_its_client(captured: Captured, server: LlmServer) -> None:
    """The same package speaks to Vertex, under another provider's name."""
    server.answer(answer(content(), stream=False))
    options = types.HttpOptions(base_url=server.url)
    fresh = NoCredentials()  # type: ignore[no-untyped-call]  # the base class has no types

    with genai.Client(vertexai=True, project="p", location="l", credentials=fresh, http_options=options) as client:
        client.models.generate_content(model="gemini-test", contents="How warm?")

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.provider.name"] == "gcp.vertex_ai"


@pytest.mark.filterwarnings("ignore:The generate_images method is deprecated")
def test_tokens_are_counted_and_images_made(captured: Captured, server: LlmServer) -> None:
    """Counting says the count, which is no usage; images are told by type and size."""
    server.answer(Answer.json({"totalTokens": 5}))
    server.answer(Answer.json({"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": "aGk="}]}))
    options = types.HttpOptions(base_url=server.url)
    fresh = NoCredentials()  # type: ignore[no-untyped-call]  # the base class has no types

    with genai.Client(vertexai=True, project="p", location="l", credentials=fresh, http_options=options) as client:
        client.models.count_tokens(model="gemini-test", contents="warm")
        client.models.generate_images(model="imagen-test", prompt="Paris")

    assert said(captured, server) == snapshot(
        [
            {
                "name": "count_tokens gemini-test",
                "kind": "CLIENT",
                "attributes": {
                    "agentops.counted.input_tokens": 5,
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "warm"}]}],
                    "gen_ai.operation.name": "count_tokens",
                    "gen_ai.provider.name": "gcp.vertex_ai",
                    "gen_ai.request.model": "gemini-test",
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "generate_content imagen-test",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Paris"}]}],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [{"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 2}],
                        }
                    ],
                    "gen_ai.output.type": "image",
                    "gen_ai.provider.name": "gcp.vertex_ai",
                    "gen_ai.request.model": "imagen-test",
                    "server.address": "127.0.0.1",
                },
            },
        ]
    )


@pytest.mark.parametrize("given", [iter, lambda texts: (text for text in texts)], ids=["iterator", "generator"])
@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream", "embed_content", "count_tokens"])
def test_an_iterator_is_sent_as_it_is_without_us(
    method: str, given: Callable[[list[str]], Any], client: genai.Client, server: LlmServer
) -> None:
    """The package takes one apart as it does without us, and the span tells what it took."""
    streams = method.endswith("stream")
    said = {**content(), "embeddings": [{"values": [0.1]}], "totalTokens": 5}
    server.answer(answer(content(), stream=True) if streams else Answer.json(said), times=2)

    def ask() -> Any:
        found = getattr(client.models, method)(model="test", contents=given(["How", "warm?"]))
        return list(found) if streams else found

    bare = outcome(ask)
    with capture() as captured:
        ours = outcome(ask)

    assert ours == bare
    first, second = server.requests
    assert second.body == first.body
    (span,) = captured.spans
    assert "warm?" in str((span.attributes or {})["gen_ai.input.messages"])
