"""The Realtime API of the openai package over a websocket on loopback: one span a response."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from inline_snapshot import snapshot
from openai import AzureOpenAI
from opentelemetry.trace import StatusCode

from tests.clients.capture import Captured, capture
from tests.clients.openai_sockets import async_opened, async_read, opened, placeless, read, spoken
from tests.clients.realtime_events import AUDIO, GREETING, answer
from tests.loopback.socket_server import Said, SocketServer

pytest.importorskip("openai.resources.realtime.realtime", reason="this openai has no realtime")
# The package opens its sockets in a way that websockets 17 no longer likes.
pytestmark = pytest.mark.filterwarnings(r"ignore:connect\(\) must be used as a context manager:DeprecationWarning")


MESSAGE: Any = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "How warm?"}]}
HEARD: Any = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": AUDIO}]}


def asked(socket: SocketServer) -> list[Any]:
    """Asked by text, and by speech in a message."""
    with opened(socket) as client, client.realtime.connect(model="gpt-realtime-2") as connection:
        connection.recv()
        connection.conversation.item.create(item=MESSAGE)
        connection.conversation.item.create(item=HEARD)
        connection.response.create()
        return read(connection)


async def async_asked(socket: SocketServer) -> list[Any]:
    """The same, asynchronous."""
    async with async_opened(socket) as client, client.realtime.connect(model="gpt-realtime-2") as connection:
        await connection.recv()
        await connection.conversation.item.create(item=MESSAGE)
        await connection.conversation.item.create(item=HEARD)
        await connection.response.create()
        return await async_read(connection)


@pytest.mark.parametrize("form", [asked, async_asked])
def test_a_realtime_response_is_one_span(form: Callable[..., Any], captured: Captured) -> None:
    """Settings are the session's, audio is said by its size, and the tokens of each medium are told apart."""
    with SocketServer(GREETING) as socket:
        socket.answer(*answer())
        found = form(socket)
        if asyncio.iscoroutine(found):
            asyncio.run(found)

    assert placeless(captured) == snapshot(
        [
            {
                "name": "chat gpt-realtime-2",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.conversation.id": "conv_1",
                    "gen_ai.input.messages": [
                        {"role": "user", "parts": [{"type": "text", "content": "How warm?"}]},
                        {"role": "user", "parts": [{"type": "blob", "modality": "audio", "byte_size": 48}]},
                    ],
                    "gen_ai.operation.name": "chat",
                    "gen_ai.output.messages": [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "text", "content": "It is 21 degrees."},
                                {"type": "blob", "modality": "audio", "byte_size": 96},
                            ],
                        }
                    ],
                    "gen_ai.output.type": "speech",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-realtime-2",
                    "gen_ai.request.stream": True,
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.response.id": "resp_1",
                    "gen_ai.response.time_to_first_chunk": 0.001,
                    "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
                    "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "parameters": {}}],
                    "gen_ai.usage.audio.input_tokens": 6,
                    "gen_ai.usage.audio.output_tokens": 5,
                    "gen_ai.usage.cache_read.input_tokens": 4,
                    "gen_ai.usage.image.input_tokens": 0,
                    "gen_ai.usage.input_tokens": 11,
                    "gen_ai.usage.output_tokens": 7,
                    "gen_ai.usage.text.input_tokens": 5,
                    "gen_ai.usage.text.output_tokens": 2,
                    "server.address": "127.0.0.1",
                },
            }
        ]
    )


def test_what_a_response_is_asked_for_is_told(captured: Captured) -> None:
    """A limit of its tokens, and the prompt that is kept at the vendor's."""
    asks: Any = {"max_output_tokens": 50, "prompt": {"id": "pmpt_1", "version": "2"}}
    with SocketServer(GREETING) as socket:
        socket.answer(*answer())
        with opened(socket) as client, client.realtime.connect(model="gpt-realtime-2") as connection:
            connection.response.create(response=asks)
            read(connection)

    [span] = captured.spans
    told = {name: value for name, value in (span.attributes or {}).items() if ".prompt." in name or ".max_" in name}
    assert told == {"gen_ai.request.max_tokens": 50, "gen_ai.prompt.name": "pmpt_1", "gen_ai.prompt.version": "2"}


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(("azure", "said"), [(False, ("chat m-1", "openai")), (True, ("chat m-1", "azure.ai.openai"))])
def test_a_realtime_answer_has_the_model_that_its_address_names(
    azure: bool, said: tuple[str, str], early: bool
) -> None:
    """Of a session that says none, also where the socket was opened before the client was wrapped."""
    with SocketServer() as socket:
        socket.answer(*answer())
        base = f"ws://127.0.0.1:{socket.port}/v1"
        client = (
            AzureOpenAI(
                api_key="key", api_version="2025-08-28", azure_endpoint="http://a.test", websocket_base_url=base
            )
            if azure
            else opened(socket)
        )
        with client:
            manager = client.realtime.connect(model="m-1")
            connection = manager.enter() if early else None
            with capture() as captured:
                connection = connection or manager.enter()
                connection.response.create()
                read(connection)
            connection.close()

    (span,) = captured.spans
    assert (span.name, (span.attributes or {})["gen_ai.provider.name"]) == said


def test_a_realtime_socket_is_what_it_is_without_us() -> None:
    """The same events, the same messages and the same handshake."""
    with SocketServer(GREETING) as socket:
        for _ in range(2):
            socket.answer(*answer())
        bare = asked(socket)
        with capture() as captured:
            ours = asked(socket)

    assert len(captured.spans) == 1
    assert [(type(event), event) for event in ours] == [(type(event), event) for event in bare]
    assert socket.received[:3] == socket.received[3:]
    first, second = ([pair for pair in pairs if pair[0] != "Sec-WebSocket-Key"] for pairs in socket.headers)
    assert first == second


def test_an_answer_to_speech_is_a_span(captured: Captured) -> None:
    """The server begins it, when it has heard the speaker; the program asks for nothing."""
    committed: Said = {"type": "input_audio_buffer.committed", "event_id": "ev_c", "item_id": "item_0"}
    with SocketServer(GREETING, asks=("input_audio_buffer.append",)) as socket, opened(socket) as client:
        socket.answer(committed, *answer())
        with client.realtime.connect(model="gpt-realtime-2") as connection:
            connection.input_audio_buffer.append(audio=AUDIO)
            read(connection)

    (node,) = placeless(captured)
    assert node["name"] == "chat gpt-realtime-2"
    assert node["attributes"]["gen_ai.input.messages"] == [
        {"role": "user", "parts": [{"type": "blob", "modality": "audio"}]}
    ]
    assert "It is 21 degrees." in str(node["attributes"]["gen_ai.output.messages"])


def test_speech_that_the_program_commits_is_said_by_its_size(captured: Captured) -> None:
    """What was cleared is not counted, and settings that were just sent hold."""
    committed: Said = {"type": "input_audio_buffer.committed", "event_id": "ev_c", "item_id": "item_0"}
    with SocketServer(asks=("response.create",)) as socket, opened(socket) as client:
        socket.answer(committed, *answer())
        with client.realtime.connect(model="gpt-realtime-2") as connection:
            connection.session.update(session={"type": "realtime", "instructions": "Sing."})
            connection.input_audio_buffer.append(audio=AUDIO)
            connection.input_audio_buffer.clear()
            connection.input_audio_buffer.append(audio=AUDIO)
            connection.input_audio_buffer.append(audio=AUDIO)
            connection.input_audio_buffer.commit()
            connection.response.create()
            read(connection)

    (node,) = placeless(captured)
    assert node["attributes"]["gen_ai.system_instructions"] == [{"type": "text", "content": "Sing."}]
    assert node["attributes"]["gen_ai.input.messages"] == [
        {"role": "user", "parts": [{"type": "blob", "modality": "audio", "byte_size": 96}]}
    ]


def test_speech_of_two_turns_is_counted_apart(captured: Captured) -> None:
    """Each commit says what was sent since the one before it; the server's word for a commit adds nothing."""
    committed: Said = {"type": "input_audio_buffer.committed", "event_id": "ev_c", "item_id": "item_0"}
    with SocketServer(asks=("response.create",)) as socket, opened(socket) as client:
        socket.answer(committed, *answer("resp_1"))
        socket.answer(committed, committed, *answer("resp_2"))
        with client.realtime.connect(model="gpt-realtime-2") as connection:
            for sizes in ((2,), (1, 3)):
                for number in sizes:
                    for _ in range(number):
                        connection.input_audio_buffer.append(audio=AUDIO)
                    connection.input_audio_buffer.commit()
                connection.response.create()
                read(connection)

    heard = [node["attributes"]["gen_ai.input.messages"] for node in placeless(captured)]
    assert [[part["byte_size"] for message in said for part in message["parts"]] for said in heard] == [[96], [48, 144]]


def test_answers_that_overlap_are_kept_apart(captured: Captured) -> None:
    """Two answers out of the conversation, whose events come in turns."""
    first, second = answer("resp_1"), answer("resp_2", status="incomplete", status_details={"reason": "content_filter"})
    with SocketServer(GREETING) as socket, opened(socket) as client:
        socket.answer()
        socket.answer(*(event for pair in zip(first, second, strict=True) for event in pair))
        with client.realtime.connect(model="gpt-realtime-2") as connection:
            for text in ("one", "two"):
                item: Any = {**MESSAGE, "content": [{"type": "input_text", "text": text}]}
                connection.response.create(response={"conversation": "none", "input": [item]})
            read(connection)
            read(connection)

    found = {
        node["attributes"]["gen_ai.response.id"]: (
            spoken(node, "input"),
            node["attributes"]["gen_ai.response.finish_reasons"],
        )
        for node in placeless(captured)
    }
    assert found == {"resp_1": ("one", ["stop"]), "resp_2": ("two", ["content_filter"])}


FAILED = {
    "status": "failed",
    "output": [],
    "status_details": {"type": "failed", "error": {"code": "rate_limit_exceeded"}},
}
CANCELLED = {"status": "cancelled", "status_details": {"type": "cancelled", "reason": "turn_detected"}}


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [(FAILED, StatusCode.ERROR, "rate_limit_exceeded"), (CANCELLED, StatusCode.UNSET, None)],
    ids=["failed", "cancelled"],
)
def test_a_realtime_answer_that_is_not_whole_says_why(
    changes: dict[str, Any], status: StatusCode, kind: str | None, captured: Captured
) -> None:
    """A failure has the server's code; one that the speaker interrupts is none."""
    with SocketServer(GREETING) as socket:
        socket.answer(*answer(**changes))
        asked(socket)

    (span,) = captured.spans
    assert span.status.status_code is status
    assert (span.attributes or {}).get("error.type") == kind
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("error",)


def refusal(**named: Any) -> Said:
    """An error event."""
    error = {"type": "invalid_request_error", "code": "bad", "message": "Paris", "event_id": None, **named}
    return {"type": "error", "event_id": "ev_e", "error": error}


@pytest.mark.parametrize("named", [{}, {"event_id": "mine"}], ids=["anonymous", "named"])
@pytest.mark.parametrize("then_asked", [False, True])
def test_a_request_that_is_refused_is_an_error(named: Any, then_asked: bool, captured: Captured) -> None:
    """At once if it is named, else by the time that the next answer begins, or the connection ends."""
    with SocketServer(GREETING) as socket, opened(socket) as client:
        socket.answer(refusal(**named))
        socket.answer(*answer())
        with client.realtime.connect(model="gpt-realtime-2") as connection:
            connection.response.create(event_id="mine")
            read(connection)
            assert len(captured.spans) == len(named)
            if then_asked:
                connection.response.create()
                read(connection)

    first, *rest = captured.spans
    assert first.status.status_code is StatusCode.ERROR
    assert (first.attributes or {})["error.type"] == "bad"
    assert "agentops.stream.abandoned" not in (first.attributes or {})
    assert [span.status.status_code for span in rest] == [StatusCode.UNSET] * then_asked


@pytest.mark.parametrize("named", [{}, {"event_id": "another"}], ids=["anonymous", "named"])
def test_an_error_that_is_about_something_else_ends_nothing(named: Any, captured: Captured) -> None:
    """The answer begins all the same, and has the one span."""
    with SocketServer(GREETING) as socket, opened(socket) as client:
        socket.answer(refusal(**named), *answer())
        with client.realtime.connect(model="gpt-realtime-2") as connection:
            connection.response.create(event_id="mine")
            read(connection)
            read(connection)

    (span,) = captured.spans
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("stop",)


def test_an_answer_that_begins_after_an_error_and_is_left_was_not_refused(captured: Captured) -> None:
    """It is abandoned, as any other."""
    with SocketServer(GREETING) as socket, opened(socket) as client:
        socket.answer(refusal(), *answer()[:2])
        with client.realtime.connect(model="gpt-realtime-2") as connection:
            connection.response.create()
            for _ in range(4):
                connection.recv()

    (span,) = captured.spans
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})["agentops.stream.abandoned"] is True


def test_a_realtime_answer_that_is_left_says_what_came(captured: Captured) -> None:
    """The transcript until then, and how much of the voice."""
    with SocketServer(GREETING) as socket, opened(socket) as client:
        socket.answer(*answer()[:4])
        with client.realtime.connect(model="gpt-realtime-2") as connection:
            connection.response.create()
            for _ in range(5):
                connection.recv()

    (node,) = placeless(captured)
    assert node["attributes"]["agentops.stream.abandoned"] is True
    assert node["attributes"]["gen_ai.response.finish_reasons"] == ["error"]
    assert node["attributes"]["gen_ai.output.messages"] == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "It is "},
                {"type": "blob", "modality": "audio", "byte_size": 48},
            ],
        }
    ]


def test_without_content_a_realtime_session_says_nothing() -> None:
    """Not a word of question, answer or instructions."""
    with SocketServer(GREETING) as socket, capture(content=False) as captured:
        socket.answer(*answer())
        asked(socket)

    (span,) = captured.spans
    assert not [word for word in ("warm", "21 degrees", "brief", AUDIO) if word in span.to_json()]
