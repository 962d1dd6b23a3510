"""The google-genai package over HTTP on loopback: what the program gets, and what the spans say."""

import asyncio
import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from inline_snapshot import snapshot
from opentelemetry import trace

from tests.clients.capture import Captured, capture
from tests.clients.contract import outcome
from tests.clients.google_credentials import NoCredentials
from tests.clients.openai_calls import STREAMED, said
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


def vertex(server: LlmServer) -> genai.Client:
    """The package's client of Vertex, pointed at the server."""
    options = types.HttpOptions(base_url=server.url)
    fresh = NoCredentials()  # type: ignore[no-untyped-call]  # the base class has no types
    return genai.Client(vertexai=True, project="p", location="l", credentials=fresh, http_options=options)


def test_vertex_is_told_by_its_client(captured: Captured, server: LlmServer) -> None:
    """The same package speaks to Vertex, under another provider's name."""
    server.answer(answer(content(), stream=False))

    with vertex(server) as client:
        client.models.generate_content(model="gemini-test", contents="How warm?")

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.provider.name"] == "gcp.vertex_ai"


@pytest.mark.filterwarnings("ignore:The generate_videos method with prompt")
def test_a_video_is_asked_for(captured: Captured, server: LlmServer) -> None:
    """The answer names what makes it, which takes longer."""
    server.answer(Answer.json({"name": "models/veo-test/operations/1"}))

    with vertex(server) as client:
        client.models.generate_videos(model="veo-test", prompt="Paris")

    assert said(captured, server) == snapshot(
        [
            {
                "name": "generate_content veo-test",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Paris"}]}],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.type": "video",
                    "gen_ai.provider.name": "gcp.vertex_ai",
                    "gen_ai.request.model": "veo-test",
                    "gen_ai.response.id": "models/veo-test/operations/1",
                    "server.address": "127.0.0.1",
                },
            }
        ]
    )


@pytest.mark.filterwarnings("ignore:The generate_images method is deprecated")
def test_tokens_are_counted_and_images_made(captured: Captured, server: LlmServer) -> None:
    """Counting says the count, which is no usage; images are told by type and size."""
    server.answer(Answer.json({"totalTokens": 5}))
    server.answer(Answer.json({"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": "aGk="}]}))

    with vertex(server) as client:
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


@pytest.mark.parametrize("form", [plain, async_plain, streamed, async_streamed])
def test_an_answer_that_is_asked_for_in_several_requests_is_one_call(
    form: Callable[[genai.Client], None], client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """What the package continues by itself has one span, with the text and the tokens of every request."""
    if not hasattr(client.models, "_generate_content_with_continuation"):
        pytest.skip("this version of the package continues nothing")
    begun = content([{"text": "It is "}])
    begun["candidates"][0] |= {"finishReason": "CONTINUATION", "continuationToken": "bmV4dA=="}
    for whole in (begun, content([{"text": "21 degrees."}])):
        server.answer(Answer.events([whole], done=False) if form in STREAMS else Answer.json(whole))

    form(client)

    assert len(server.requests) == 2
    (span,) = captured.spans
    attributes = span.attributes or {}
    assert json.loads(str(attributes["gen_ai.output.messages"])) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees."}]}
    ]
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert attributes["gen_ai.usage.input_tokens"] == 22
    assert attributes["gen_ai.usage.output_tokens"] == 14


@pytest.mark.filterwarnings("ignore:MODEL_ARMOR is not a valid FinishReason")  # of older versions
@pytest.mark.parametrize(
    ("reason", "word"),
    [("MAX_TOKENS", "length"), ("MODEL_ARMOR", "content_filter"), ("UNEXPECTED_TOOL_CALL", "error"), (None, None)],
)
def test_the_reason_for_the_end_is_told_in_the_conventions_words(
    reason: str | None, word: str | None, client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """A whole answer without a reason has none."""
    whole = content()
    whole["candidates"][0]["finishReason"] = reason
    server.answer(Answer.json(whole))

    client.models.generate_content(model="gemini-test", contents="How warm?")

    (span,) = captured.spans
    assert (span.attributes or {}).get("gen_ai.response.finish_reasons") == ((word,) if word else None)


@pytest.mark.parametrize("streams", [False, True])
def test_a_prompt_that_is_blocked_has_no_answer_and_a_reason(
    streams: bool, client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """Where there are no candidates, the prompt's feedback says why."""
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}
    server.answer(Answer.events([blocked], done=False) if streams else Answer.json(blocked))

    if streams:
        list(client.models.generate_content_stream(model="gemini-test", contents="How warm?"))
    else:
        client.models.generate_content(model="gemini-test", contents="How warm?")

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("content_filter",)
    assert (span.attributes or {})["gen_ai.usage.input_tokens"] == 3


@pytest.mark.parametrize("streams", [False, True])
def test_tools_that_the_server_runs_and_media_that_it_makes_are_told(
    streams: bool, client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """What was run and what came of it, which tools there are, and the tokens of each kind of medium."""
    whole = content(
        [
            {"executableCode": {"code": "print(21)", "language": "PYTHON"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "21\n"}},
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        ]
    )
    whole["usageMetadata"] |= {
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}, {"modality": "AUDIO", "tokenCount": 3}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 4}],
    }
    server.answer(answer(whole, stream=streams))
    config: Any = {"response_modalities": ["TEXT", "IMAGE"], "tools": [{"code_execution": {}}, {"google_search": {}}]}
    asked: dict[str, Any] = {"model": "gemini-test", "contents": "How warm?", "config": config}

    if streams:
        list(client.models.generate_content_stream(**asked))
    else:
        client.models.generate_content(**asked)

    (node,) = said(captured, server)
    attributes: Any = node["attributes"]
    names = ("output.type", "output.messages", "tool.definitions", "usage.text.input_tokens")
    more = ("usage.audio.input_tokens", "usage.image.output_tokens")
    assert {name: attributes[f"gen_ai.{name}"] for name in (*names, *more)} == snapshot(
        {
            "output.type": "image",
            "output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {
                            "type": "server_tool_call",
                            "name": "code_execution",
                            "server_tool_call": {"type": "code_execution", "language": "PYTHON", "code": "print(21)"},
                        },
                        {
                            "type": "server_tool_call_response",
                            "server_tool_call_response": {
                                "type": "code_execution",
                                "outcome": "OUTCOME_OK",
                                "output": "21\n",
                            },
                        },
                        {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 2},
                    ],
                }
            ],
            "tool.definitions": [
                {"type": "code_execution", "name": "code_execution"},
                {"type": "google_search", "name": "google_search"},
            ],
            "usage.text.input_tokens": 8,
            "usage.audio.input_tokens": 3,
            "usage.image.output_tokens": 4,
        }
    )


def test_embeddings_say_the_tokens_where_the_server_does(captured: Captured, server: LlmServer) -> None:
    """Vertex counts them for each text."""
    predictions = [{"embeddings": {"values": [0.1], "statistics": {"token_count": count}}} for count in (3, 4)]
    server.answer(Answer.json({"predictions": predictions}))

    with vertex(server) as client:
        client.models.embed_content(model="embed-test", contents=["warm", "cold"])

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.usage.input_tokens"] == 7


async def _async_asked(client: genai.Client, config: Any) -> None:
    async with client.aio as opened:
        await opened.models.generate_content(model="gemini-test", contents="x", config=config)


REDIRECTED: list[Callable[[genai.Client, Any], Any]] = [
    lambda client, config: client.models.generate_content(model="gemini-test", contents="x", config=config),
    lambda client, config: list(
        client.models.generate_content_stream(model="gemini-test", contents="x", config=config)
    ),
    lambda client, config: asyncio.run(_async_asked(client, config)),
    lambda client, config: client.chats.create(model="gemini-test", config=config).send_message("x"),
    lambda client, config: client.models.embed_content(model="gemini-test", contents="x", config=config),
    lambda client, config: client.models.count_tokens(model="gemini-test", contents="x", config=config),
]


@pytest.mark.parametrize("ask", REDIRECTED)
@pytest.mark.parametrize("names", [("http_options", "base_url"), ("httpOptions", "baseUrl")])
def test_the_server_is_the_one_that_a_call_names(
    ask: Callable[[genai.Client, Any], Any], names: tuple[str, str], captured: Captured, server: LlmServer
) -> None:
    """Not the one that its client is for."""
    server.answer(Answer.json({}))
    options, base = names

    with genai.Client(api_key="key", http_options=types.HttpOptions(base_url="http://localhost:1")) as client:
        ask(client, {options: {base: server.url}})

    (span,) = captured.spans
    said = span.attributes or {}
    assert (said["server.address"], said["server.port"]) == ("127.0.0.1", server.port)
