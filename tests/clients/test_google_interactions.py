"""Interactions of the google-genai package over HTTP on loopback: one span a call, a stream's like the plain one's."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import google.auth.credentials
import pytest
from google import genai
from google.genai import types
from inline_snapshot import snapshot
from opentelemetry import trace

from tests.clients.capture import Captured, capture
from tests.clients.contract import was_left
from tests.clients.forms.google_genai import FIRST
from tests.clients.google_credentials import NoCredentials
from tests.clients.openai_calls import STREAMED, said
from tests.loopback.google_interactions_server import CALL, USAGE, answer, events, interaction
from tests.loopback.llm_server import Answer, LlmServer

pytestmark = pytest.mark.filterwarnings(
    "ignore:Interactions usage is experimental",
    "ignore:Async interactions client cannot use aiohttp",
    "ignore:Inheritance class AiohttpClientSession from ClientSession is discouraged:DeprecationWarning",
)
newer = pytest.mark.skipif(FIRST, reason="the package's first version has no such thing")

ASKED: dict[str, Any] = {
    "model": "gemini-test",
    "input": "How warm is it in Paris?",
    "system_instruction": "Be brief.",
    "previous_interaction_id": "interaction_0",
    "generation_config": {
        "max_output_tokens": 100,
        "seed": 7,
        "stop_sequences": ["END"],
        "temperature": 0.5,
        "thinking_level": "low",
        "top_p": 0.9,
    },
    "response_mime_type": "application/json",
    "tools": [{"type": "function", "name": "weather", "description": "The weather"}],
}
HTTP = types.HttpRetryOptions(attempts=1)


@pytest.fixture
def client(server: LlmServer) -> Iterator[genai.Client]:
    """The package's own client, pointed at the server."""
    options = types.HttpOptions(base_url=server.url, retry_options=HTTP)
    with genai.Client(api_key="key", http_options=options) as opened:
        yield opened


def plain(interactions: Any, **asked: Any) -> None:
    """Plain."""
    interactions.create(**asked)


def streamed(interactions: Any, **asked: Any) -> None:
    """Streamed, read to the end."""
    list(interactions.create(**asked, stream=True))


def raw(interactions: Any, **asked: Any) -> None:
    """With the raw response, parsed."""
    interactions.with_raw_response.create(**asked).parse()


def raw_streamed(interactions: Any, **asked: Any) -> None:
    """A raw response whose stream is read to the end."""
    list(interactions.with_raw_response.create(**asked, stream=True).parse())


def unread(interactions: Any, **asked: Any) -> None:
    """A response whose body is read by parsing it, twice."""
    with interactions.with_streaming_response.create(**asked) as response:
        assert response.parse() is response.parse()


def unread_text(interactions: Any, **asked: Any) -> None:
    """A response whose body is read as text."""
    with interactions.with_streaming_response.create(**asked) as response:
        response.text()


def unread_streamed(interactions: Any, **asked: Any) -> None:
    """A response whose stream is read to the end."""
    with interactions.with_streaming_response.create(**asked, stream=True) as response:
        list(response.parse())


def unread_lines_streamed(interactions: Any, **asked: Any) -> None:
    """A stream whose lines the program reads itself."""
    with interactions.with_streaming_response.create(**asked, stream=True) as response:
        list(response.iter_lines())


def asynchronous(body: Callable[..., Any]) -> Callable[..., None]:
    """A form that runs in an event loop, with the asynchronous client's interactions."""

    def form(client: genai.Client, **asked: Any) -> None:
        async def run() -> None:
            await body(client.aio.interactions, **asked)
            await client.aio.aclose()

        asyncio.run(run())

    form.__name__ = body.__name__
    return form


@asynchronous
async def async_plain(interactions: Any, **asked: Any) -> None:
    """Plain."""
    await interactions.create(**asked)


@asynchronous
async def async_streamed(interactions: Any, **asked: Any) -> None:
    """Streamed, read to the end."""
    async for _ in await interactions.create(**asked, stream=True):
        pass


@asynchronous
async def async_raw(interactions: Any, **asked: Any) -> None:
    """With the raw response, parsed."""
    await (await interactions.with_raw_response.create(**asked)).parse()


@asynchronous
async def async_unread(interactions: Any, **asked: Any) -> None:
    """A response whose body is read by parsing it, twice."""
    async with interactions.with_streaming_response.create(**asked) as response:
        assert await response.parse() is await response.parse()


@asynchronous
async def async_unread_streamed(interactions: Any, **asked: Any) -> None:
    """A response whose stream is read to the end."""
    async with interactions.with_streaming_response.create(**asked, stream=True) as response:
        async for _ in await response.parse():
            pass


@asynchronous
async def async_unread_text_streamed(interactions: Any, **asked: Any) -> None:
    """A stream that the program reads itself."""
    async with interactions.with_streaming_response.create(**asked, stream=True) as response:
        async for _ in response.iter_text():
            pass


PLAIN = [plain, raw, unread, unread_text, async_plain, async_raw, async_unread]
STREAMS = [
    streamed,
    raw_streamed,
    unread_streamed,
    unread_lines_streamed,
    async_streamed,
    async_unread_streamed,
    async_unread_text_streamed,
]


def ask(form: Callable[..., None], client: genai.Client, **asked: Any) -> None:
    """Ask in the form."""
    form(client if form.__name__.startswith("async_") else client.interactions, **asked)


def one(captured: Captured, server: LlmServer, *, stream: bool) -> dict[str, Any]:
    """The one span, without what differs: the port, and what only a stream has."""
    (node,) = said(captured, server)
    attributes: Any = node["attributes"]
    if stream:
        assert {name: attributes.pop(name) for name in STREAMED} == STREAMED
    return node


@pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")
@pytest.mark.parametrize("form", [*PLAIN, *STREAMS])
def test_every_form_of_a_call_makes_the_same_span(
    form: Callable[..., None], client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """One span a call, and a stream's says what the plain call's says."""
    server.answer(answer(interaction(CALL, first=FIRST, status="requires_action"), stream=form in STREAMS))

    ask(form, client, **ASKED)

    assert one(captured, server, stream=form in STREAMS) == snapshot(
        {
            "name": "generate_content gemini-test",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
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
                "gen_ai.request.max_tokens": 100,
                "gen_ai.request.model": "gemini-test",
                "gen_ai.request.previous_response.id": "interaction_0",
                "gen_ai.request.reasoning.level": "low",
                "gen_ai.request.seed": 7,
                "gen_ai.request.stop_sequences": ["END"],
                "gen_ai.request.temperature": 0.5,
                "gen_ai.request.top_p": 0.9,
                "gen_ai.response.finish_reasons": ["tool_call"],
                "gen_ai.response.id": "interaction_1",
                "gen_ai.response.model": "gemini-test-001",
                "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
                "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "description": "The weather"}],
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.image.input_tokens": 2,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 3,
                "gen_ai.usage.text.input_tokens": 9,
                "gen_ai.usage.text.output_tokens": 4,
                "server.address": "127.0.0.1",
            },
        }
    )


@newer
@pytest.mark.parametrize("form", [plain, streamed, async_plain, async_streamed])
def test_an_answer_that_is_asked_for_in_several_requests_is_one_call(
    form: Callable[..., None], client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """What the package continues by itself has one span, with the steps and the tokens of every request."""
    begun = interaction(CALL[:2], status="requires_continuation", continuation_token="next")
    for whole in (begun, interaction(CALL[2:], status="requires_action", id="interaction_2")):
        server.answer(answer(whole, stream=form in STREAMS))

    ask(form, client, model="gemini-test", input="How warm?")

    assert len(server.requests) == 2
    assert one(captured, server, stream=form in STREAMS) == snapshot(
        {
            "name": "generate_content gemini-test",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
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
                "gen_ai.provider.name": "gcp.gemini",
                "gen_ai.request.model": "gemini-test",
                "gen_ai.response.finish_reasons": ["tool_call"],
                "gen_ai.response.id": "interaction_2",
                "gen_ai.response.model": "gemini-test-001",
                "gen_ai.usage.cache_read.input_tokens": 8,
                "gen_ai.usage.image.input_tokens": 4,
                "gen_ai.usage.input_tokens": 22,
                "gen_ai.usage.output_tokens": 14,
                "gen_ai.usage.reasoning.output_tokens": 6,
                "gen_ai.usage.text.input_tokens": 18,
                "gen_ai.usage.text.output_tokens": 8,
                "server.address": "127.0.0.1",
            },
        }
    )


@newer
@pytest.mark.parametrize("form", [plain, streamed])
def test_a_continuation_that_fails_says_what_came_before(
    form: Callable[..., None], client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """The first request's answer and tokens are on the span, and the exception that the program gets."""
    begun = interaction(status="requires_continuation", continuation_token="next")
    server.answer(answer(begun, stream=form is streamed))
    server.answer(Answer.json({"error": {"message": "no"}}, 400))

    with pytest.raises(Exception, match="nterrupted"):
        ask(form, client, model="gemini-test", input="How warm?")

    (span,) = captured.spans
    attributes = span.attributes or {}
    assert span.status.status_code is trace.StatusCode.ERROR
    assert attributes["error.type"] == "google.genai.errors.ContinuationInterruptedError"
    assert attributes["gen_ai.usage.output_tokens"] == 7
    assert "21 degrees" in str(attributes["gen_ai.output.messages"])


def test_a_background_interaction_is_linked_to_its_retrieval(
    client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """Asking for the answer later, plain or streamed, is a span of its own that points back, without the tokens."""
    server.answer(answer(interaction([], first=FIRST, status="in_progress", usage=None), stream=False))
    server.answer(answer(interaction(first=FIRST), stream=False))
    server.answer(answer(interaction(first=FIRST), stream=True))

    client.interactions.create(model="gemini-test", input="How warm?", background=True)
    client.interactions.get("interaction_1")
    list(client.interactions.get("interaction_1", stream=True))

    first, second, third = captured.spans
    assert [link.context for span in (second, third) for link in span.links] == [first.context] * 2
    asked, *fetched = said(captured, server)
    attributes: Any = fetched[1]["attributes"]
    assert {name: attributes.pop(name) for name in STREAMED} == STREAMED
    assert fetched[0] == fetched[1]
    assert [asked, fetched[0]] == snapshot(
        [
            {
                "name": "generate_content gemini-test",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.provider.name": "gcp.gemini",
                    "gen_ai.request.model": "gemini-test",
                    "gen_ai.response.id": "interaction_1",
                    "gen_ai.response.model": "gemini-test-001",
                    "server.address": "127.0.0.1",
                },
            },
            {
                "name": "fetch_response",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.operation.name": "fetch_response",
                    "gen_ai.output.messages": [
                        {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                    ],
                    "gen_ai.provider.name": "gcp.gemini",
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.response.id": "interaction_1",
                    "gen_ai.response.model": "gemini-test-001",
                    "server.address": "127.0.0.1",
                },
            },
        ]
    )


def test_an_interaction_that_is_cancelled_or_deleted_has_no_span(
    client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """Neither asks a model for anything."""
    server.answer(answer(interaction([], first=FIRST, status="cancelled"), stream=False))
    server.answer(Answer.json({}))

    client.interactions.cancel("interaction_1")
    client.interactions.delete("interaction_1")

    assert captured.spans == ()


FAILED = [{"code": "internal", "message": "Paris!"}]


def error(**failure: str) -> Answer:
    """A stream that begins well and ends with an event that says the error."""
    begun = events(interaction(first=FIRST))[:4]
    return Answer.events([*begun, {"event_type": "error", "error": failure}], done=False)


@pytest.mark.parametrize(
    ("form", "failed", "kind"),
    [
        pytest.param(plain, Answer.json(interaction([], status="failed", errors=FAILED)), "internal", marks=newer),
        (plain, Answer.json(interaction([], first=FIRST, status="failed")), "_OTHER"),
        (streamed, answer(interaction([], first=FIRST, status="failed"), stream=True), "_OTHER"),
        (streamed, error(code="unavailable", message="Paris!"), "unavailable"),
        (streamed, error(), "_OTHER"),
        (async_streamed, error(code="unavailable"), "unavailable"),
    ],
)
def test_a_failed_interaction_is_an_error(
    form: Callable[..., None], failed: Answer, kind: str, client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """It raises nothing in the program, and is an error with the server's code."""
    server.answer(failed)

    ask(form, client, model="gemini-test", input="How warm?")

    (span,) = captured.spans
    assert span.status.status_code is trace.StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == kind
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("error",)


@pytest.mark.parametrize(
    ("status", "reason"),
    [("completed", "stop"), ("incomplete", "length"), ("cancelled", "error"), ("requires_action", "tool_call")],
)
@pytest.mark.parametrize("form", [plain, streamed])
def test_the_status_is_the_finish_reason(
    form: Callable[..., None], status: str, reason: str, client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """In the conventions' words; none of these is a failure."""
    server.answer(answer(interaction(first=FIRST, status=status), stream=form is streamed))

    ask(form, client, model="gemini-test", input="How warm?")

    (span,) = captured.spans
    assert span.status.status_code is trace.StatusCode.UNSET
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == (reason,)


def test_a_stream_that_ends_before_its_answer_does_was_cut(
    client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """Where the last event is missing, so is the finish reason."""
    server.answer(Answer.events(events(interaction(first=FIRST))[:-2], done=False))

    ask(streamed, client, model="gemini-test", input="How warm?")

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("error",)
    assert "21 degrees in Paris." in str((span.attributes or {})["gen_ai.output.messages"])


@pytest.mark.parametrize("form", [plain, streamed])
def test_an_agent_is_invoked_by_its_name(
    form: Callable[..., None], client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """A hosted agent that is asked in place of a model has one span, called after it."""
    server.answer(answer(interaction(first=FIRST, model=None, agent="deep-research"), stream=form is streamed))

    ask(form, client, agent="deep-research", input="How warm?")

    assert one(captured, server, stream=form is streamed) == snapshot(
        {
            "name": "invoke_agent deep-research",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.agent.name": "deep-research",
                "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
                ],
                "gen_ai.provider.name": "gcp.gemini",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.id": "interaction_1",
                "gen_ai.usage.cache_read.input_tokens": 4,
                "gen_ai.usage.image.input_tokens": 2,
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 3,
                "gen_ai.usage.text.input_tokens": 9,
                "gen_ai.usage.text.output_tokens": 4,
                "server.address": "127.0.0.1",
            },
        }
    )


WHOLE = [
    {"type": "user_input", "content": [{"type": "text", "text": "And in Rome?"}]},
    {"type": "function_call", "id": "call_0", "name": "place", "arguments": {}},
    {"type": "function_result", "call_id": "call_0", "name": "place", "result": "Rome"},
    {"type": "google_search_call", "id": "call_1", "arguments": {"queries": ["Rome"]}},
    {"type": "model_output", "content": [{"type": "text", "text": "It is 25 degrees."}]},
]


@newer
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            [
                {"text": "What is this?"},
                {"type": "image", "data": "aGk=", "mime_type": "image/png"},
                {"type": "document", "uri": "gs://there/doc.pdf", "mime_type": "application/pdf"},
            ],
            snapshot(
                [
                    {
                        "role": "user",
                        "parts": [
                            {"type": "text", "content": "What is this?"},
                            {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 2},
                            {"type": "uri", "modality": "document", "uri": "gs://there/doc.pdf"},
                        ],
                    }
                ]
            ),
        ),
        (
            {"type": "text", "text": "How warm?"},
            snapshot([{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}]),
        ),
        (
            WHOLE,
            snapshot(
                [
                    {"role": "user", "parts": [{"type": "text", "content": "And in Rome?"}]},
                    {
                        "role": "assistant",
                        "parts": [{"type": "tool_call", "id": "call_0", "name": "place", "arguments": {}}],
                    },
                    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_0", "response": "Rome"}]},
                    {
                        "role": "assistant",
                        "parts": [
                            {
                                "type": "server_tool_call",
                                "id": "call_1",
                                "name": "google_search",
                                "server_tool_call": {"type": "google_search", "arguments": {"queries": ["Rome"]}},
                            },
                            {"type": "text", "content": "It is 25 degrees."},
                        ],
                    },
                ]
            ),
        ),
    ],
)
def test_an_input_is_told_in_whichever_shape_it_is_given(
    given: Any, told: Any, client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """A content, contents with or without their type, or the steps of a conversation."""
    server.answer(answer(interaction(), stream=False))

    client.interactions.create(model="gemini-test", input=given)

    (node,) = said(captured, server)
    attributes: Any = node["attributes"]
    assert attributes["gen_ai.input.messages"] == told


@newer
@pytest.mark.parametrize("form", [plain, streamed])
def test_media_in_an_answer_are_told_by_type_and_size(
    form: Callable[..., None], client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """Also where a sound comes in pieces."""
    sound = {"type": "audio", "mime_type": "audio/wav", "data": "aGkh"}
    image = {"type": "image", "mime_type": "image/png", "data": "aGk="}
    whole = interaction([{"type": "model_output", "content": [{**sound, "data": "aGkhaGkh"}, image]}])
    begun, last = events(interaction([{"type": "model_output", "content": []}]))[::3]
    pieces = [{"event_type": "step.delta", "index": 0, "delta": piece} for piece in (sound, sound, image)]
    server.answer(Answer.events([begun, *pieces, last], done=False) if form is streamed else Answer.json(whole))

    ask(form, client, model="gemini-test", input="Sing!")

    attributes = one(captured, server, stream=form is streamed)["attributes"]
    assert attributes["gen_ai.output.messages"] == snapshot(
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 6},
                    {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 2},
                ],
            }
        ]
    )


@newer
def test_a_request_is_told_that_is_given_as_a_whole(
    client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """In one argument, as the package's raw interface has it, and with fields beside those it knows."""
    server.answer(answer(interaction(), stream=False), times=2)

    asked: Any = {"body": {"model": "gemini-test", "input": "How warm?"}}
    client.interactions.create(request=asked)
    client.interactions.create(model="gemini-test", input="How warm?", extra_body={"system_instruction": "Be brief."})

    first, second = said(captured, server)
    attributes: Any = second["attributes"]
    assert attributes.pop("gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]
    assert first == second


@newer
@pytest.mark.parametrize("streams", [False, True])
def test_what_a_program_holds_from_before_is_traced(streams: bool, client: genai.Client, server: LlmServer) -> None:
    """A raw-response wrapper that was made before the package was wrapped, while it is, and after."""
    held: Any = client.interactions.with_raw_response
    server.answer(answer(interaction(), stream=streams), times=2)

    with capture() as captured:
        found = held.create(model="gemini-test", input="How warm?", stream=streams).parse()
        assert not streams or list(found)
    held.create(model="gemini-test", input="How warm?", stream=streams).parse()

    assert [span.name for span in captured.spans] == ["generate_content gemini-test"]


def test_vertex_is_told_by_its_client(captured: Captured, server: LlmServer) -> None:
    """The same package speaks to Vertex, under another provider's name."""
    server.answer(answer(interaction(first=FIRST), stream=False))
    options = types.HttpOptions(base_url=server.url)
    fresh: google.auth.credentials.Credentials = NoCredentials()  # type: ignore[no-untyped-call]  # the base class

    with genai.Client(vertexai=True, project="p", location="l", credentials=fresh, http_options=options) as client:
        client.interactions.create(model="gemini-test", input="How warm?")

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.provider.name"] == "gcp.vertex_ai"


def begin(client: genai.Client) -> Any:
    """A stream of which one event is read."""
    stream: Any = client.interactions.create(model="gemini-test", input="How warm?", stream=True)
    next(stream)
    return stream


def left_by_with(client: genai.Client) -> None:
    """Left inside `with`."""
    with begin(client):
        pass


def response_closed(client: genai.Client) -> None:
    """Closed through the HTTP response under it."""
    begin(client).response.close()


def raw_left(client: genai.Client) -> None:
    """A response that is closed before it is read."""
    with client.interactions.with_streaming_response.create(model="gemini-test", input="How warm?", stream=True):
        pass


@pytest.mark.parametrize("way", [left_by_with, response_closed, raw_left])
def test_a_stream_left_early_ends_its_span_at_once(
    way: Callable[[genai.Client], None], client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """UNSET, "error" for the finish reason that never came, and the flag."""
    server.answer(answer(interaction(first=FIRST), stream=True))

    way(client)

    was_left(captured)


def test_a_stream_that_is_cut_is_an_error(client: genai.Client, captured: Captured, server: LlmServer) -> None:
    """The class of the exception, what came, and no tokens that nobody told."""
    server.answer(Answer.events(events(interaction(first=FIRST))[:4], cut=True))

    with pytest.raises(Exception) as raised:  # noqa: PT011  # its type is what the span is asked for
        ask(streamed, client, model="gemini-test", input="How warm?")

    (span,) = captured.spans
    attributes = span.attributes or {}
    assert span.status.status_code is trace.StatusCode.ERROR
    assert attributes["error.type"] == f"{raised.type.__module__}.{raised.type.__qualname__}"
    assert "It is" in str(attributes["gen_ai.output.messages"])
    assert "gen_ai.usage.output_tokens" not in attributes


@newer
@pytest.mark.parametrize("asynchronously", [False, True])
def test_a_decision_has_a_span(
    asynchronously: bool, client: genai.Client, captured: Captured, server: LlmServer
) -> None:
    """Questions about an input, and what the model thinks of each."""
    if not hasattr(client, "decisions"):
        pytest.skip("this version of the package has none")
    answers = {"warm": {"type": "noul", "noul": 0.9, "confidence": 0.8}}
    server.answer(Answer.json({"answers": answers, "usage": USAGE}))
    asked: dict[str, Any] = {
        "model": "models/gemini-test",
        "input": "It is 21 degrees in Paris.",
        "questions": {"warm": {"type": "noul", "instructions": "Is it warm?"}},
    }

    async def run() -> None:
        await client.aio.decisions.create(**asked)
        await client.aio.aclose()

    if asynchronously:
        asyncio.run(run())
    else:
        client.decisions.create(**asked)

    assert said(captured, server) == snapshot(
        [
            {
                "name": "generate_content gemini-test",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.input.messages": [
                        {"role": "user", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]},
                        {
                            "role": "user",
                            "parts": [
                                {
                                    "type": "question",
                                    "id": "warm",
                                    "question": {"type": "noul", "instructions": "Is it warm?"},
                                }
                            ],
                        },
                    ],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [
                                {
                                    "type": "decision",
                                    "id": "warm",
                                    "answer": {"confidence": 0.8, "noul": 0.9, "type": "noul"},
                                }
                            ],
                        }
                    ],
                    "gen_ai.output.type": "json",
                    "gen_ai.provider.name": "gcp.gemini",
                    "gen_ai.request.model": "gemini-test",
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.usage.cache_read.input_tokens": 4,
                    "gen_ai.usage.image.input_tokens": 2,
                    "gen_ai.usage.input_tokens": 11,
                    "gen_ai.usage.output_tokens": 7,
                    "gen_ai.usage.reasoning.output_tokens": 3,
                    "gen_ai.usage.text.input_tokens": 9,
                    "gen_ai.usage.text.output_tokens": 4,
                    "server.address": "127.0.0.1",
                },
            }
        ]
    )
