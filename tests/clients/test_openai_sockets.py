"""The openai package over websockets on loopback: one span a response, the same as over HTTP."""

import asyncio
import gc
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from openai import OpenAI
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.trace import StatusCode

from agentops_otel import semconv
from tests.clients.capture import Captured, capture
from tests.clients.openai_calls import RESPONSES_ASKED
from tests.clients.openai_sockets import async_opened, async_read, create, is_last, opened, placeless, read, spoken
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import events, response
from tests.loopback.socket_server import WAIT_S, SocketServer

sockets = pytest.importorskip("openai.lib.responses_websocket", reason="this openai has no websockets")

ASKED: dict[str, Any] = {"model": "gpt-5", "input": "How warm?"}
# The package opens its sockets in a way that websockets 17 no longer likes.
pytestmark = pytest.mark.filterwarnings(r"ignore:connect\(\) must be used as a context manager:DeprecationWarning")

LEFT = {"agentops.stream.abandoned": True, "gen_ai.response.finish_reasons": ("error",)}


@pytest.fixture
def socket() -> Iterator[SocketServer]:
    """A model's server that speaks over websockets."""
    with SocketServer() as running:
        yield running


def iterated(socket: SocketServer, **asked: Any) -> list[Any]:
    """Asked by the resource, read by iterating."""
    with opened(socket) as client, client.responses.connect() as connection:
        connection.response.create(**asked)
        return read(connection)


def received(socket: SocketServer, **asked: Any) -> list[Any]:
    """Asked by an event, read one by one."""
    with opened(socket) as client, client.responses.connect() as connection:
        connection.send(create(asked))
        return _until_last(connection.recv)


def received_bytes(socket: SocketServer, **asked: Any) -> list[Any]:
    """Asked by text, read as bytes, which the program parses."""
    with opened(socket) as client, client.responses.connect() as connection:
        connection.send_raw(json.dumps(create(asked)))
        return _until_last(lambda: connection.parse_event(connection.recv_bytes()))


def test_what_parses_events_alone_needs_no_socket(captured: Captured) -> None:
    """A connection that a program makes for its parser has no socket that could be watched."""
    from openai.resources.responses.responses import ResponsesConnection

    connection: Any = object.__new__(ResponsesConnection)

    assert connection.parse_event(b'{"type": "error", "code": "server_error"}').type == "error"
    assert captured.spans == ()


def _until_last(receive: Callable[[], Any]) -> list[Any]:
    found = [receive()]
    while not is_last(found[-1]):
        found.append(receive())
    return found


def dispatched(socket: SocketServer, **asked: Any) -> list[Any]:
    """Asked before there is a connection, read by a handler that closes it."""
    found: list[Any] = []
    with opened(socket) as client:
        manager = client.responses.connect()
        manager.send(create(asked))
        with manager as connection:

            def handle(event: Any) -> None:
                found.append(event)
                if is_last(event):
                    connection.close()

            connection.on("event", handle)
            connection.dispatch_events()
    return found


def lane(socket: SocketServer, **asked: Any) -> list[Any]:
    """By a lane of a session."""
    limits = sockets.ResponsesWebSocketLimits(
        max_lanes=4, max_events_per_lane=100, max_events=100, max_bytes_per_lane=10**6, max_bytes=10**6
    )
    with (
        opened(socket) as client,
        client.responses.connect() as connection,
        sockets.ResponsesWebSocketSession(connection, limits=limits) as session,
    ):
        session.default.send(create(asked))
        return _until_last(session.default.recv)


def beta(socket: SocketServer, **asked: Any) -> list[Any]:
    """The beta form."""
    with opened(socket) as client, client.beta.responses.connect() as connection:
        connection.response.create(**asked)
        return read(connection)


async def async_iterated(socket: SocketServer, **asked: Any) -> list[Any]:
    """Asked by the resource, read by iterating."""
    async with async_opened(socket) as client, client.responses.connect() as connection:
        await connection.response.create(**asked)
        return await async_read(connection)


async def async_received(socket: SocketServer, **asked: Any) -> list[Any]:
    """Entered by hand, asked by an event, read one by one; the first wait is given up."""
    async with async_opened(socket) as client:
        connection = await client.responses.connect().enter()
        with suppress(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0)
        await connection.send(create(asked))
        found = [await connection.recv()]
        while not is_last(found[-1]):
            found.append(await connection.recv())
        await connection.close()
        return found


async def async_beta(socket: SocketServer, **asked: Any) -> list[Any]:
    """The beta form."""
    async with async_opened(socket) as client, client.beta.responses.connect() as connection:
        await connection.response.create(**asked)
        return await async_read(connection)


FORMS = [iterated, received, received_bytes, dispatched, lane, beta, async_iterated, async_received, async_beta]


def run(form: Callable[..., Any], socket: SocketServer, **asked: Any) -> list[Any]:
    """What the program gets by the form."""
    found = form(socket, **asked)
    return list(asyncio.run(found) if asyncio.iscoroutine(found) else found)


@pytest.mark.parametrize("form", FORMS)
def test_a_response_over_a_socket_makes_the_span_of_one_over_http(
    form: Callable[..., Any], captured: Captured, server: LlmServer, socket: SocketServer
) -> None:
    """Whatever way it is asked for and read."""
    server.answer(Answer.events(events(response())))
    socket.answer(*events(response()))

    with OpenAI(base_url=f"{server.url}/v1", api_key="key") as client:
        list(client.responses.create(**RESPONSES_ASKED, stream=True))
    read = run(form, socket, **RESPONSES_ASKED)

    over_http, over_socket = placeless(captured)
    assert over_socket == over_http
    assert len(read) == len(events(response()))


@pytest.mark.no_cover
@pytest.mark.parametrize("form", FORMS)
def test_a_socket_is_to_the_program_and_the_server_what_it_is_without_us(
    form: Callable[..., Any], socket: SocketServer
) -> None:
    """The same events, the same messages and the same handshake."""
    for _ in range(2):
        socket.answer(*events(response()))

    bare = run(form, socket, **RESPONSES_ASKED)
    with capture() as captured:
        ours = run(form, socket, **RESPONSES_ASKED)

    assert len(captured.spans) == 1
    assert [(type(event), event) for event in ours] == [(type(event), event) for event in bare]
    assert socket.received[0] == socket.received[1]
    first, second = ([pair for pair in pairs if pair[0] != "Sec-WebSocket-Key"] for pairs in socket.headers)
    assert first == second


def test_several_responses_on_one_socket_are_a_span_each(captured: Captured, socket: SocketServer) -> None:
    """Each is a child of what was current when it was asked for, and says which answer it goes on from."""
    tracer = captured.provider.get_tracer("program")
    socket.answer(*events(response()))
    socket.answer(*events(response(id="resp_2", usage=None)))

    with opened(socket) as client, client.responses.connect() as connection:
        with tracer.start_as_current_span("first turn"):
            connection.response.create(**ASKED)
        with tracer.start_as_current_span("reading"):
            read(connection)
        with tracer.start_as_current_span("second turn"):
            connection.response.create(**ASKED, previous_response_id="resp_1")
        read(connection)

    tree: dict[Any, Any] = {root["name"]: root.get("children", []) for root in captured.tree()}
    (first,), (second,) = tree["first turn"], tree["second turn"]
    assert tree["reading"] == []
    assert first["attributes"]["gen_ai.response.id"] == "resp_1"
    assert second["attributes"]["gen_ai.response.id"] == "resp_2"
    assert second["attributes"]["gen_ai.request.previous_response.id"] == "resp_1"
    assert "gen_ai.usage.input_tokens" not in second["attributes"]


def test_spans_that_the_program_makes_while_it_reads_are_its_own(captured: Captured, socket: SocketServer) -> None:
    """Nothing of ours is current between two events, or after them."""
    tracer = captured.provider.get_tracer("program")
    socket.answer(*events(response()))

    with opened(socket) as client, client.responses.connect() as connection:
        connection.response.create(**ASKED)
        for event in connection:
            tracer.start_span("show").end()
            if is_last(event):
                break

    shown = [span for span in captured.spans if span.name == "show"]
    assert len(shown) == len(events(response()))
    assert all(span.parent is None for span in shown)


def in_lane(name: str, said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events as they come in a lane."""
    return [{**event, "stream_id": name} for event in said]


def test_answers_in_several_lanes_are_kept_apart(captured: Captured, socket: SocketServer) -> None:
    """Their events come in turns; each span has its own."""
    texts = {"a": "Warm.", "b": "Cold."}
    answers = [in_lane(name, events(response(id=name, output=[message(text)]))) for name, text in texts.items()]
    socket.answer()
    socket.answer(*(event for pair in zip(*answers, strict=True) for event in pair))

    with opened(socket) as client, client.responses.connect() as connection:
        for name in texts:
            connection.response.create(**ASKED, stream_id=name)
        read(connection)
        read(connection)

    found = {node["attributes"]["gen_ai.response.id"]: spoken(node) for node in placeless(captured)}
    assert found == texts


def message(text: str) -> dict[str, Any]:
    """An answer's text."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def test_an_answer_that_the_server_begins_after_steering_is_a_span(captured: Captured, socket: SocketServer) -> None:
    """It goes on with the settings of the one before, and comes before what waits in the lane."""
    incomplete = {"reason": "steered"}
    steered = {"type": "response.steer.accepted", "steer": {"id": "s"}, "sequence_number": 3}
    gate = threading.Event()
    first = events(response(status="incomplete", incomplete_details=incomplete, output=[]))
    second = events(response(id="resp_2", previous_response_id="resp_1", output=[message("Colder.")]))
    third = events(response(id="resp_3", output=[message("Done.")]))
    socket.answer(first[0], gate, steered, *first[1:], *second)
    socket.answer(*third)

    with opened(socket) as client, client.responses.connect() as connection:
        connection.response.create(**ASKED, instructions="Be brief.")
        connection.recv()
        connection.response.steer(input="And in winter?", previous_response_id="resp_1")
        connection.response.create(model="gpt-5-mini", input="Bye.")
        gate.set()
        for _ in range(3):
            read(connection)

    found = [
        (
            *(node["name"], spoken(node, "input"), spoken(node), node["attributes"]["gen_ai.response.finish_reasons"]),
            node["attributes"].get(semconv.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID),
        )
        for node in sorted(placeless(captured), key=lambda node: node["attributes"]["gen_ai.response.id"])
    ]
    assert found == [
        ("chat gpt-5", "How warm?", "", ["steered"], None),
        ("chat gpt-5", "And in winter?", "Colder.", ["stop"], "resp_1"),
        ("chat gpt-5-mini", "Bye.", "Done.", ["stop"], None),
    ]


def test_an_answer_that_the_program_asks_for_after_steering_is_its_own(
    captured: Captured, socket: SocketServer
) -> None:
    """The one that it names as the one before is no word for the server's own beginning."""
    first = events(response(output=[message("Warm.")]))
    second = events(response(id="resp_2", previous_response_id="resp_1", output=[message("Colder.")]))
    socket.answer(*first)
    socket.answer(*second)

    with opened(socket) as client, client.responses.connect() as connection:
        connection.response.create(**ASKED)
        read(connection)
        connection.response.steer(input="And in winter?", previous_response_id="resp_1")
        connection.response.create(model="gpt-5-mini", input="In winter.", previous_response_id="resp_1")
        read(connection)

    found = [(node["name"], spoken(node, "input"), spoken(node)) for node in placeless(captured)]
    assert found == [("chat gpt-5", "How warm?", "Warm."), ("chat gpt-5-mini", "In winter.", "Colder.")]


def closed_elsewhere(connection: Any) -> None:
    """Another thread waits for an event meanwhile."""
    waiting = threading.Thread(target=lambda: read(connection))
    waiting.start()
    connection.close()
    waiting.join(WAIT_S)


@pytest.mark.parametrize("way", [lambda connection: connection.close(), closed_elsewhere])
def test_an_answer_that_the_program_leaves_ends_at_once(
    way: Callable[[Any], None], captured: Captured, socket: SocketServer
) -> None:
    """Closing the connection is no error."""
    gate = threading.Event()
    socket.answer(events(response())[0], gate)

    with opened(socket) as client:
        connection = client.responses.connect().enter()
        connection.response.create(**ASKED)
        connection.recv()
        assert not captured.spans
        way(connection)

        (span,) = captured.spans
    gate.set()
    assert span.status.status_code is StatusCode.UNSET
    assert LEFT.items() <= dict(span.attributes or {}).items()
    assert (span.attributes or {})["gen_ai.response.id"] == "resp_1"


def test_an_answer_on_a_forgotten_connection_ends(captured: Captured, socket: SocketServer) -> None:
    """Nobody closes it: the collector does."""
    socket.answer(events(response())[0])

    with opened(socket) as client:
        connection = client.responses.connect().enter()
        proxy: Any = connection._connection
        raw = proxy.__wrapped__
        connection.response.create(**ASKED)
        connection.recv()
        del connection, proxy
        gc.collect()

        (span,) = captured.spans
    raw.close()
    assert LEFT.items() <= dict(span.attributes or {}).items()


def test_a_cancelled_wait_ends_nothing(captured: Captured, socket: SocketServer) -> None:
    """The next one who asks gets the event; leaving the connection ends the span."""
    gate = threading.Event()
    socket.answer(events(response())[0], gate, *events(response())[1:])

    async def ask() -> None:
        async with async_opened(socket) as client, client.responses.connect() as connection:
            await connection.response.create(**ASKED)
            await connection.recv()
            waiting = asyncio.create_task(connection.recv())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert captured.spans == ()
            gate.set()
            await async_read(connection)

    asyncio.run(ask())

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("tool_call",)


@pytest.mark.parametrize("code", [1000, 1011])
def test_a_connection_that_the_server_closes_is_an_error(code: int, captured: Captured, socket: SocketServer) -> None:
    """What came until then is on the span, and the class of what ended it."""
    socket.answer(*events(response())[:-3], code)

    with opened(socket) as client, client.responses.connect() as connection:
        connection.response.create(**ASKED)
        with suppress(Exception):
            read(connection)

        (node,) = placeless(captured)
    assert node["status"] == "ERROR"
    kind = "ConnectionClosedOK" if code == 1000 else "ConnectionClosedError"
    assert node["attributes"]["error.type"] == f"websockets.exceptions.{kind}"
    assert node["attributes"]["gen_ai.response.finish_reasons"] == ["error"]
    assert "It is 21" in str(node["attributes"]["gen_ai.output.messages"])


ERROR = {"type": "error", "status": 400, "error": {"type": "invalid_request_error", "code": "gone", "message": "Paris"}}
FAILED = events(response(status="failed", output=[], usage=None, error={"code": "server_error", "message": "Paris!"}))
CUT = events(response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}))


@pytest.mark.parametrize(
    ("said", "status", "kind", "finish"),
    [([ERROR], "ERROR", "gone", "error"), (FAILED, "ERROR", "server_error", "error"), (CUT, "UNSET", None, "length")],
    ids=["error", "failed", "incomplete"],
)
def test_an_answer_that_is_not_whole_says_why(
    said: list[Any], status: str, kind: str | None, finish: str, captured: Captured, socket: SocketServer
) -> None:
    """An error event raises nothing in the program, and is an error; a limit is none. The next answer is well."""
    socket.answer(*said)
    socket.answer(*events(response()))

    with opened(socket) as client, client.responses.connect() as connection:
        for _ in range(2):
            connection.response.create(**ASKED)
            read(connection)

    first, second = captured.spans
    assert first.status.status_code.name == status
    assert (first.attributes or {}).get("error.type") == kind
    assert (first.attributes or {})["gen_ai.response.finish_reasons"] == (finish,)
    assert second.status.status_code.name == "UNSET"


def test_what_cannot_be_sent_is_an_error(captured: Captured, socket: SocketServer) -> None:
    """The program gets the exception, and the span ends with it."""
    with opened(socket) as client:
        connection = client.responses.connect().enter()
        connection.close()
        with pytest.raises(Exception, match="sent 1000") as caught:
            connection.response.create(**ASKED)

    (span,) = captured.spans
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == f"websockets.exceptions.{type(caught.value).__name__}"


def test_nothing_is_said_under_suppression(captured: Captured, socket: SocketServer) -> None:
    """An answer asked for under suppression has no span, and those after it have theirs."""
    socket.answer(*events(response()))
    socket.answer(*events(response(id="resp_2")))

    with opened(socket) as client, client.responses.connect() as connection:
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        connection.response.create(**ASKED)
        detach(token)
        read(connection)
        connection.response.create(**ASKED)
        read(connection)

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.id"] == "resp_2"


def test_a_socket_outlives_uninstrumenting(captured: Captured, socket: SocketServer) -> None:
    """What was begun is told to its end; nothing else is begun."""
    for _ in range(2):
        socket.answer(*events(response()))

    with opened(socket) as client, client.responses.connect() as connection:
        connection.response.create(**ASKED)
        captured.installation.uninstall()
        read(connection)
        connection.response.create(**ASKED)
        read(connection)

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("tool_call",)


def test_without_content_nothing_of_it_is_said(socket: SocketServer) -> None:
    """Not a word of question, answer or error is on the span."""
    socket.answer(*events(response())[:-1], 1011)

    with capture(content=False) as captured, opened(socket) as client, client.responses.connect() as connection:
        connection.response.create(**RESPONSES_ASKED)
        with suppress(Exception):
            read(connection)

    (span,) = captured.spans
    assert not [word for word in ("warm", "21 degrees", "Paris", "brief") if word in span.to_json()]


HOSTILE: list[Any] = [
    *("not json", b"\xff\xfe", "[1]", "null", '{"type": 4}', '{"type": "response.created", "response": 3}'),
    *('{"type": "response.output_text.delta", "output_index": "one", "delta": {}}', '{"type": "\\ud800"}', "[" * 9999),
    *({"type": "response.completed", "response": None}, {"type": "response.completed", "stream_id": {}}),
]


@pytest.mark.no_cover
@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_comes_over_a_socket_the_program_gets_the_same(hostile: Any, socket: SocketServer) -> None:
    """The same event or the same exception, and one span."""
    for _ in range(2):
        socket.answer(hostile, events(response())[0], events(response())[-1])

    def outcome() -> list[str]:
        found = []
        with opened(socket) as client, client.responses.connect() as connection:
            connection.response.create(model="gpt-5", input="\ud800")
            for _ in range(3):
                try:
                    found.append(repr(connection.recv()))
                except Exception as error:  # noqa: BLE001  # whatever it is, it has to be the same
                    found.append(repr(error))
        return found

    bare = outcome()
    with capture() as captured:
        ours = outcome()

    assert ours == bare
    assert len(captured.spans) == 1
