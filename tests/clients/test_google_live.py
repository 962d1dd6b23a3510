"""Live sessions of the google-genai package over a websocket on loopback: one span a turn of the model's."""

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from google.genai.live import AsyncSession
from inline_snapshot import snapshot
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.trace import StatusCode

from agentops_otel.clients.google.live import SPEC, LiveTracker
from agentops_otel.tracing import qualified_name
from tests.clients.capture import Captured, capture
from tests.clients.contract import was_left
from tests.clients.google_credentials import NoCredentials
from tests.loopback.socket_server import WAIT_S, Said, SocketServer

trustme = pytest.importorskip("trustme")

pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession from ClientSession is discouraged:DeprecationWarning",
    "ignore:The `session.send` method is deprecated",
)

READY: dict[str, Any] = {"setupComplete": {"sessionId": "session_1"}}
USAGE = {"promptTokenCount": 11, "cachedContentTokenCount": 4, "responseTokenCount": 4, "thoughtsTokenCount": 3}
CONFIG: dict[str, Any] = {
    "response_modalities": ["TEXT"],
    "system_instruction": "Be brief.",
    "temperature": 0.5,
    "max_output_tokens": 100,
    "tools": [{"function_declarations": [{"name": "weather", "description": "The weather"}]}],
}

Talk = Callable[[Any], Awaitable[Any]]


def says(*parts: dict[str, Any], **said: Any) -> dict[str, Any]:
    """A message in which the model says something."""
    return {"serverContent": {**({"modelTurn": {"parts": list(parts)}} if parts else {}), **said}}


def in_turn(**said: Any) -> types.LiveServerMessage:
    """A message about a turn, as the package gives it to the program."""
    return types.LiveServerMessage(server_content=types.LiveServerContent(**said))


DONE = {**says(turnComplete=True), "usageMetadata": USAGE}
ANSWER: list[Said] = [says({"text": "It is "}), says({"text": "21 degrees."}), says(generationComplete=True), DONE]


@pytest.fixture(scope="module")
def authority() -> Any:
    """Signs the server's certificate: the package speaks to nobody without one."""
    return trustme.CA()


@pytest.fixture
def socket(authority: Any) -> Iterator[SocketServer]:
    """A model's server that speaks over websockets."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with SocketServer(READY, asks=("client_content", "realtime_input", "tool_response"), tls=tls) as running:
        yield running


def opened(socket: SocketServer, authority: Any, **options: Any) -> genai.Client:
    """The package's client, whose sessions go to the server."""
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    http = types.HttpOptions(base_url=f"https://127.0.0.1:{socket.port}", async_client_args={"ssl": trusted})
    return genai.Client(**{"api_key": "key", **options}, http_options=http)


@pytest.fixture
def run(socket: SocketServer, authority: Any) -> Callable[..., Any]:
    """Talks to the model in a session of its own."""

    def start(talk: Talk, *, config: dict[str, Any] | None = None, **options: Any) -> Any:
        async def session() -> Any:
            client = opened(socket, authority, **options)
            asked: Any = config or CONFIG
            async with client.aio.live.connect(model="gemini-live", config=asked) as found:
                assert type(found).__name__ == "AsyncSession"
                return await talk(found)

        return asyncio.run(session())

    return start


async def ask(session: Any, text: str = "How warm?") -> None:
    """Ask by a text."""
    await session.send_client_content(turns={"role": "user", "parts": [{"text": text}]})


async def heard(session: Any) -> list[Any]:
    """The messages of one turn."""
    return [message async for message in session.receive()]


async def asked(session: Any) -> list[Any]:
    """The messages of one turn that a text asked for."""
    await ask(session)
    return await heard(session)


def told(captured: Captured, socket: SocketServer) -> list[dict[str, Any]]:
    """The spans' tree, without what differs: the port, and the time to the first message."""
    tree: list[dict[str, Any]] = captured.tree()
    for node in tree:
        assert node["attributes"].pop("server.port") == socket.port
        assert node["attributes"].pop("gen_ai.request.stream") is True
        node["attributes"].pop("gen_ai.response.time_to_first_chunk", None)
    return tree


async def with_a_tool(session: Any) -> list[Any]:
    """A turn in which the model calls a function, and gets its answer."""
    await ask(session)
    found = []
    async for message in session.receive():
        found.append(message)
        for call in message.tool_call.function_calls if message.tool_call else ():
            response = types.FunctionResponse(id=call.id, name=call.name, response={"cityName": "Paris"})
            await session.send_tool_response(function_responses=response)
    return found


CALL = {"toolCall": {"functionCalls": [{"id": "call_1", "name": "weather", "args": {"cityName": "Paris"}}]}}


def test_a_turn_has_one_span(run: Callable[..., Any], captured: Captured, socket: SocketServer) -> None:
    """From what the program says to the end of what the model says, the calls of tools included."""
    socket.answer(says({"text": "Look it up.", "thought": True}), CALL)
    socket.answer(*ANSWER)

    run(with_a_tool)

    assert told(captured, socket) == snapshot(
        [
            {
                "name": "generate_content gemini-live",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.conversation.id": "session_1",
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "reasoning", "content": "Look it up."},
                                {
                                    "type": "tool_call",
                                    "id": "call_1",
                                    "name": "weather",
                                    "arguments": {"cityName": "Paris"},
                                },
                            ],
                        },
                        {
                            "role": "tool",
                            "parts": [
                                {"type": "tool_call_response", "id": "call_1", "response": {"cityName": "Paris"}}
                            ],
                        },
                        {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees."}]},
                    ],
                    "gen_ai.output.type": "text",
                    "gen_ai.provider.name": "gcp.gemini",
                    "gen_ai.request.max_tokens": 100,
                    "gen_ai.request.model": "gemini-live",
                    "gen_ai.request.temperature": 0.5,
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
                    "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "description": "The weather"}],
                    "gen_ai.usage.cache_read.input_tokens": 4,
                    "gen_ai.usage.input_tokens": 11,
                    "gen_ai.usage.output_tokens": 7,
                    "gen_ai.usage.reasoning.output_tokens": 3,
                    "server.address": "127.0.0.1",
                },
            }
        ]
    )


def test_the_program_gets_the_same_and_sends_the_same(run: Callable[..., Any], socket: SocketServer) -> None:
    """The messages, what goes over the wire, and the handshake's headers."""
    for _ in range(2):
        socket.answer(says({"text": "Look it up.", "thought": True}), CALL)
        socket.answer(*ANSWER)

    bare = run(with_a_tool)
    with capture():
        ours = run(with_a_tool)

    assert [repr(message) for message in ours] == [repr(message) for message in bare]
    half = len(socket.received) // 2
    assert socket.received[half:] == socket.received[:half]
    first, second = ([pair for pair in headers if pair[0] != "Sec-WebSocket-Key"] for headers in socket.headers)
    assert first == second


def test_each_turn_of_a_session_has_a_span(run: Callable[..., Any], captured: Captured, socket: SocketServer) -> None:
    """With what was said for it alone, contents that wait for others included; all of one conversation."""
    socket.answer(*ANSWER)
    socket.answer()
    socket.answer(says({"text": "25."}), DONE)

    async def talk(session: Any) -> None:
        await asked(session)
        await session.send_client_content(turns=types.Content(parts=[types.Part(text="And")]), turn_complete=False)
        await ask(session, "in Rome?")
        await heard(session)

    run(talk)

    found = [node["attributes"] for node in told(captured, socket)]
    assert [
        (each["gen_ai.conversation.id"], each["gen_ai.input.messages"], each["gen_ai.output.messages"])
        for each in found
    ] == snapshot(
        [
            (
                "session_1",
                [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                [{"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees."}]}],
            ),
            (
                "session_1",
                [
                    {"role": "user", "parts": [{"type": "text", "content": "And"}]},
                    {"role": "user", "parts": [{"type": "text", "content": "in Rome?"}]},
                ],
                [{"role": "assistant", "parts": [{"type": "text", "content": "25."}]}],
            ),
        ]
    )


def test_what_is_said_before_the_answer_begins_belongs_to_it(
    run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """Two contents, one answer."""
    socket.answer()
    socket.answer(*ANSWER)

    async def talk(session: Any) -> None:
        await ask(session)
        await ask(session, "In Paris?")
        await heard(session)

    run(talk)

    (node,) = told(captured, socket)
    assert node["attributes"]["gen_ai.input.messages"] == snapshot(
        [
            {"role": "user", "parts": [{"type": "text", "content": "How warm?"}]},
            {"role": "user", "parts": [{"type": "text", "content": "In Paris?"}]},
        ]
    )


SPOKEN: list[Said] = [
    says(inputTranscription={"text": "How "}),
    says({"inlineData": {"mimeType": "audio/pcm", "data": "aGkh"}}),
    says(inputTranscription={"text": "warm?"}),
    says(outputTranscription={"text": "It is "}),
    says({"inlineData": {"mimeType": "audio/pcm", "data": "aGkh"}}),
    says(outputTranscription={"text": "21 degrees."}),
    DONE,
]


async def aloud(session: Any) -> None:
    """Three pieces of sound."""
    for _ in range(3):
        await session.send_realtime_input(audio=types.Blob(data=b"123456", mime_type="audio/pcm;rate=16000"))


@pytest.mark.parametrize("ends", [False, True], ids=["heard by the server", "told by the program"])
def test_what_is_said_aloud_is_told_by_size_and_words(
    ends: bool, run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """Sound comes in pieces, and in words where the session has them written down, however late."""
    for said in [[], [], *([[]] if ends else []), SPOKEN]:
        socket.answer(*said)

    async def talk(session: Any) -> None:
        await aloud(session)
        if ends:
            await session.send_realtime_input(activity_end=types.ActivityEnd())
        await heard(session)

    run(talk, config={"response_modalities": ["AUDIO"], "output_audio_transcription": {}})

    assert told(captured, socket) == snapshot(
        [
            {
                "name": "generate_content gemini-live",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.conversation.id": "session_1",
                    "gen_ai.input.messages": [
                        {
                            "role": "user",
                            "parts": [
                                {
                                    "type": "blob",
                                    "modality": "audio",
                                    "mime_type": "audio/pcm;rate=16000",
                                    "byte_size": 18,
                                },
                                {"type": "text", "content": "How warm?"},
                            ],
                        }
                    ],
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "blob", "modality": "audio", "mime_type": "audio/pcm", "byte_size": 6},
                                {"type": "text", "content": "It is 21 degrees."},
                            ],
                        }
                    ],
                    "gen_ai.output.type": "speech",
                    "gen_ai.provider.name": "gcp.gemini",
                    "gen_ai.request.model": "gemini-live",
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.usage.cache_read.input_tokens": 4,
                    "gen_ai.usage.input_tokens": 11,
                    "gen_ai.usage.output_tokens": 7,
                    "gen_ai.usage.reasoning.output_tokens": 3,
                    "server.address": "127.0.0.1",
                },
            }
        ]
    )


@pytest.mark.parametrize(
    "last", [[says(turnComplete=True)], []], ids=["and says that the turn is over", "and goes on with the next"]
)
def test_a_turn_that_is_interrupted_says_so(
    last: list[Said], run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """The program speaks while the model does: two turns, the first with what was said of it."""
    socket.answer(says({"text": "It is"}))
    socket.answer(says(interrupted=True), *last, says({"text": "25."}), DONE)

    async def talk(session: Any) -> None:
        await ask(session)
        await anext(session.receive())
        await session.send_realtime_input(text="In Rome!")
        while len(captured.spans) < 2:
            await heard(session)

    run(talk)

    found = [node["attributes"] for node in told(captured, socket)]
    assert [
        (each["gen_ai.input.messages"], each["gen_ai.output.messages"], each["gen_ai.response.finish_reasons"])
        for each in found
    ] == snapshot(
        [
            (
                [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                [{"role": "assistant", "parts": [{"type": "text", "content": "It is"}]}],
                ["interrupted"],
            ),
            (
                [{"role": "user", "parts": [{"type": "text", "content": "In Rome!"}]}],
                [{"role": "assistant", "parts": [{"type": "text", "content": "25."}]}],
                ["stop"],
            ),
        ]
    )


def test_what_the_model_says_unasked_has_a_span(
    run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """A greeting has no input."""
    socket._greeting = (READY, *ANSWER)

    run(heard)

    (node,) = told(captured, socket)
    assert "gen_ai.input.messages" not in node["attributes"]
    assert "21 degrees" in str(node["attributes"]["gen_ai.output.messages"])


@pytest.mark.parametrize(
    ("message", "answers"),
    [
        (types.LiveServerMessage(tool_call=types.LiveServerToolCall()), True),
        (in_turn(model_turn=types.Content()), True),
        (in_turn(output_transcription=types.Transcription(text="Hello.")), True),
        (in_turn(input_transcription=types.Transcription(text="How warm?")), False),
        (in_turn(generation_complete=True), False),
        (types.LiveServerMessage(usage_metadata=types.UsageMetadata()), False),
    ],
)
def test_a_turn_that_nobody_asked_for_begins_with_what_the_model_says(
    message: types.LiveServerMessage, *, answers: bool
) -> None:
    """Or calls: what else is told of a session makes no turn."""
    begun: list[Any] = []
    start: Any = begun.append  # in place of what makes a span

    LiveTracker(start).received(message)

    assert bool(begun) is answers


@pytest.mark.parametrize(
    ("reason", "word"),
    [("MALFORMED_FUNCTION_CALL", "error"), ("RESPONSE_REJECTED", "content_filter"), ("NEED_MORE_INPUT", "stop")],
)
def test_the_reason_for_a_turns_end_is_its_finish_reason(
    reason: str, word: str, run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """In the conventions' words."""
    socket.answer(says({"text": "It"}), says(turnComplete=True, turnCompleteReason=reason))

    run(asked)

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == (word,)


async def left_in_the_middle(session: Any) -> None:
    """The session is left before the turn is over."""
    await ask(session)
    async for _ in session.receive():
        break


async def left_unread(session: Any) -> None:
    """Nothing is received."""
    await ask(session)


async def closed(session: Any) -> None:
    """The session is closed by the program."""
    await left_in_the_middle(session)
    await session.close()


async def broken(session: Any) -> None:
    """The program's own exception leaves the session."""
    await left_in_the_middle(session)
    raise ZeroDivisionError


async def cancelled(session: Any) -> None:
    """The task that reads is cancelled, and the session is left."""
    await ask(session)
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in session.receive():
            begun.set()

    task = asyncio.create_task(read())
    await asyncio.wait_for(begun.wait(), WAIT_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("way", [left_in_the_middle, left_unread, closed, broken, cancelled])
def test_a_turn_that_is_left_ends_its_span(
    way: Talk, run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """UNSET, "error" for the finish reason that never came, and the flag."""
    socket.answer(*ANSWER[:1])

    try:
        run(way)
    except ZeroDivisionError:
        assert way is broken

    was_left(captured)


def test_a_session_is_closed_at_the_end_of_its_block(captured: Captured, socket: SocketServer, authority: Any) -> None:
    """As without us: the server is told at once."""

    async def session() -> Any:
        client = opened(socket, authority)
        async with client.aio.live.connect(model="gemini-live", config=types.LiveConnectConfig()) as found:
            pass
        return found._ws.close_code

    assert asyncio.run(session()) == 1000
    assert captured.tree() == []


def test_a_turn_goes_on_where_reading_was_broken_off(
    run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """A cancelled or abandoned `receive()` leaves what follows to the next one."""
    socket.answer(*ANSWER)

    async def talk(session: Any) -> None:
        await left_in_the_middle(session)
        assert captured.spans == ()
        await heard(session)

    run(talk)

    (node,) = told(captured, socket)
    assert "It is 21 degrees." in str(node["attributes"]["gen_ai.output.messages"])


def outcome(run: Callable[..., Any], talk: Talk) -> str:
    """What the program gets: the messages, or an exception."""
    try:
        return repr(run(talk))
    except Exception as error:  # noqa: BLE001  # whatever it is, it has to be the same
        return f"{qualified_name(type(error))}: {error}"


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "said",
    [
        [says({"text": "It"}), 1011],
        [1000],
        [says({"text": "It"}), {"code": 13, "error": "no"}],
        ["<html>"],
        ["[1, 2"],
        [says({"text": "It"}), "", 1000],
        [says({"text": {"surprise": 1}}), 1000],
        [{"serverContent": None, "surprise": 1}, 1000],
        [{"serverContent": {"turnComplete": "yes"}}, 1000],
        [{"serverContent": {"modelTurn": {"parts": None}}}, DONE],
        [{"serverContent": {"modelTurn": {"parts": [{}, {"text": ""}]}}}, DONE],
        [{"toolCall": {}}, {"toolCall": {"functionCalls": None}}, DONE],
        [{"toolCall": {"functionCalls": [{"name": None, "args": None}]}}, DONE],
        [{"usageMetadata": {"promptTokenCount": None}}, {"goAway": {"timeLeft": "1s"}}, DONE],
        [says({"text": "\ud83d half a smile"}), DONE],
        [says({"text": "long " * 500_000}), DONE],
        [says({"inlineData": {"data": "!!"}}), DONE],
    ],
    ids=lambda said: str(said)[:40],
)
def test_whatever_the_server_says_the_program_gets_the_same(
    said: list[Said], run: Callable[..., Any], socket: SocketServer
) -> None:
    """The outcome is what it would be without us, and the turn has its span, with the program's own exception."""
    for _ in range(2):
        socket.answer(*said)

    bare = outcome(run, asked)
    with capture() as captured:
        ours = outcome(run, asked)

    assert ours == bare
    (span,) = captured.spans
    assert len(json.dumps(captured.tree())) < 300_000
    if not bare.startswith("["):
        assert span.status.status_code is StatusCode.ERROR
        assert bare.startswith(str((span.attributes or {})["error.type"]))


def test_what_the_program_does_meanwhile_is_no_part_of_the_turn(
    run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """The turn belongs to the span in which it was asked for; what is done between two messages does not to it."""
    socket.answer(*ANSWER)
    tracer = captured.provider.get_tracer("program")

    async def talk(session: Any) -> None:
        with tracer.start_as_current_span("answer"):
            await ask(session)
        async for _ in session.receive():
            tracer.start_span("show").end()

    run(talk)

    tree: list[dict[str, Any]] = captured.tree()
    (answer,) = [node for node in tree if node["name"] == "answer"]
    assert [child["name"] for child in answer["children"]] == ["generate_content gemini-live"]
    assert "children" not in answer["children"][0]


def test_two_sessions_keep_apart(
    captured: Captured, socket: SocketServer, authority: Any, run: Callable[..., Any]
) -> None:
    """Each has its own turns, whoever is first."""
    gate = threading.Event()
    socket.answer(gate, says({"text": "First."}), DONE)
    socket.answer(says({"text": "Second."}), DONE)

    async def talk(one: Any) -> None:
        await ask(one, "1")
        client = opened(socket, authority)
        async with client.aio.live.connect(model="gemini-other") as other:
            await asked(other)
            gate.set()
            await heard(one)

    run(talk)

    assert [span.name for span in captured.spans] == ["generate_content gemini-other", "generate_content gemini-live"]


def test_a_suppressed_turn_makes_no_span(run: Callable[..., Any], captured: Captured, socket: SocketServer) -> None:
    """OpenTelemetry's suppression is kept."""
    socket.answer(*ANSWER)
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))

    try:
        run(asked)
    finally:
        detach(token)

    assert captured.spans == ()


def test_with_content_off_nothing_that_was_said_is_kept(run: Callable[..., Any], socket: SocketServer) -> None:
    """Neither of what the program says nor of what the model does, errors included."""
    socket.answer(says({"text": "It is 21 degrees."}), CALL)
    socket.answer({"code": 13, "error": "How warm? 21 degrees."})

    with capture(content=False) as captured, pytest.raises(errors.APIError):
        run(with_a_tool)

    (span,) = captured.spans
    said = str([span.to_json(), [(event.name, dict(event.attributes or {})) for event in span.events]])
    assert "gemini-live" in said
    assert not [word for word in ("warm", "degrees", "Paris", "brief", "weather") if word in said]


def test_the_older_way_to_say_something_is_told_too(
    run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """`send()`, which guesses what it is given."""
    socket.answer(*ANSWER)

    async def talk(session: Any) -> None:
        await session.send(input="How warm?", end_of_turn=True)
        await heard(session)

    run(talk)

    (node,) = told(captured, socket)
    assert node["attributes"]["gen_ai.input.messages"] == [
        {"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}
    ]


def test_sound_that_is_said_the_older_way_is_told_by_its_size(
    run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """`send()` gives it another name."""
    socket.answer(*ANSWER)

    async def talk(session: Any) -> None:
        await session.send(input={"data": b"12345", "mime_type": "audio/pcm"})
        await session.send(input="How warm?", end_of_turn=True)
        await heard(session)

    run(talk)

    (node,) = told(captured, socket)
    assert node["attributes"]["gen_ai.input.messages"] == snapshot(
        [
            {"role": "user", "parts": [{"type": "text", "content": "How warm?"}]},
            {
                "role": "user",
                "parts": [{"type": "blob", "modality": "audio", "mime_type": "audio/pcm", "byte_size": 5}],
            },
        ]
    )


def test_vertex_is_told_by_its_client(run: Callable[..., Any], captured: Captured, socket: SocketServer) -> None:
    """The same package speaks to Vertex, under another provider's name."""
    socket.answer(*ANSWER)
    fresh = NoCredentials()  # type: ignore[no-untyped-call]  # the base class has no types

    run(asked, api_key=None, vertexai=True, project="p", location="l", credentials=fresh)

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.provider.name"] == "gcp.vertex_ai"
    assert "How warm?" in str((span.attributes or {})["gen_ai.input.messages"])


@pytest.mark.parametrize("begun", [asked, left_in_the_middle], ids=["between answers", "in the middle of one"])
def test_a_session_from_before_has_the_spans_of_one_from_after(
    begun: Talk, run: Callable[..., Any], socket: SocketServer
) -> None:
    """Its next answer says all that it would say, down to what the session was opened with."""
    for _ in range(4):
        socket.answer(*ANSWER)

    async def early(session: Any) -> Captured:
        await begun(session)
        with capture() as captured:
            if begun is left_in_the_middle:
                await heard(session)
            await asked(session)
        return captured

    before = run(early)
    with capture() as after:
        run(asked)

    assert len(after.spans) == 1
    assert told(before, socket) == told(after, socket)


def test_an_answer_that_a_program_waits_for_already_has_no_span_and_the_next_has(
    run: Callable[..., Any], socket: SocketServer
) -> None:
    """Nobody could say whether all of it was heard."""
    for _ in range(2):
        socket.answer(*ANSWER)

    async def early(session: Any) -> Captured:
        reading = session.receive()
        waits = asyncio.ensure_future(anext(reading))
        await asyncio.sleep(0)
        with capture() as captured:
            await ask(session, "How cold?")
            await waits
            async for _ in reading:
                pass
            await asked(session)
        return captured

    (only,) = told(run(early), socket)

    assert only["attributes"]["gen_ai.input.messages"][0]["parts"][0]["content"] == "How warm?"


def test_a_session_outlives_wrapping_and_is_wrapped_again(run: Callable[..., Any], socket: SocketServer) -> None:
    """Nothing is said between the two, and what was begun under the first is told to its end by it."""
    for _ in range(3):
        socket.answer(*ANSWER)

    async def twice(session: Any) -> tuple[Captured, Captured]:
        with capture() as first:
            await ask(session)
            first.installation.uninstall()
            await heard(session)
            assert len(await asked(session)) == len(ANSWER)
        with capture() as second:
            await asked(session)
        return first, second

    first, second = run(twice)

    assert len(first.spans) == 1
    assert told(first, socket) == told(second, socket)


def test_who_asks_while_another_receives_ends_nothing(
    run: Callable[..., Any], captured: Captured, socket: SocketServer
) -> None:
    """The turn goes on for the other: the error that says so is none of the answer's."""
    gate = threading.Event()
    socket.answer(ANSWER[0], gate, *ANSWER[1:])

    async def twice(session: Any) -> None:
        await ask(session)
        reading = session.receive()
        await anext(reading)
        waiting = asyncio.ensure_future(anext(reading))
        await asyncio.sleep(0)
        with pytest.raises(Exception, match="already running recv"):
            await anext(session.receive())
        gate.set()
        await waiting
        async for _ in reading:
            pass

    run(twice)

    (span,) = captured.spans
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("stop",)


def test_every_way_to_say_something_is_wrapped() -> None:
    """Those of the package's session; a change of its settings is none."""
    sends = {f"AsyncSession.{name}" for name in vars(AsyncSession) if name.startswith("send")}

    assert sends - {"AsyncSession.send_context_update"} <= {
        method for operation in SPEC.operations for method in operation.methods
    }


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        ({"realtime_input": {"audio_stream_end": True}}, True),
        ({"realtime_input": {"activity_end": {}}}, True),
        ({"realtime_input": {"text": "How warm?"}}, True),
        ({"realtime_input": {"activity_start": {}}}, False),
        ({"client_content": {"turn_complete": True}}, True),
        ({"client_content": {"turns": []}}, False),
        ({"tool_response": {"function_responses": []}}, True),
    ],
)
def test_a_turn_begins_with_what_ends_the_input(message: dict[str, Any], *, begins: bool) -> None:
    """Its time is from then on, and not from when the model answers."""
    start: Any = lambda request: None  # noqa: E731  # in place of what makes a span

    assert (LiveTracker(start).sent(message) is not None) is begins
