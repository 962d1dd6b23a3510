"""Sockets that were opened before the clients were wrapped, or outlive it: what is asked next has its span."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from websockets.sync.messages import Assembler

from tests.clients.capture import Captured, capture
from tests.clients.openai_calls import RESPONSES_ASKED
from tests.clients.openai_sockets import async_opened, async_read, create, opened, read
from tests.clients.realtime_events import answer
from tests.loopback.openai_server import events, response
from tests.loopback.socket_server import WAIT_S, SocketServer

pytest.importorskip("openai.lib.responses_websocket", reason="this openai has no websockets")
# The package opens its sockets in a way that websockets 17 no longer likes.
pytestmark = pytest.mark.filterwarnings(r"ignore:connect\(\) must be used as a context manager:DeprecationWarning")


@pytest.fixture
def socket() -> Iterator[SocketServer]:
    """A model's server that speaks over websockets."""
    with SocketServer() as running:
        yield running


Path = Callable[[Any], Any]


def responses(client: Any) -> Any:
    """A socket of the Responses API."""
    return client.responses.connect()


def beta(client: Any) -> Any:
    """Its beta form."""
    return client.beta.responses.connect()


def realtime(client: Any) -> Any:
    """A socket of the Realtime API, whose address names the model."""
    return client.realtime.connect(model="gpt-realtime-2")


Asking = Callable[[Any], Any]


def by_resource(connection: Any) -> Any:
    """Asked by the connection's resource."""
    return connection.response.create(**({} if "Realtime" in type(connection).__name__ else RESPONSES_ASKED))


def by_event(connection: Any) -> Any:
    """Asked by an event."""
    return connection.send(create({} if "Realtime" in type(connection).__name__ else RESPONSES_ASKED))


def said(path: Path, identity: str = "resp_1") -> Any:
    """One answer of the kind that the socket gives."""
    return answer(identity) if path is realtime else events(response(id=identity))


def twice(socket: SocketServer, path: Path, asking: Asking) -> list[list[Any]]:
    """Two spans' trees: of an answer over a socket that was opened before, and over one that was opened after."""
    found = []
    for early in (True, False):
        socket.answer(*said(path))
        with opened(socket) as client:
            manager = path(client)
            connection = manager.enter() if early else None
            with capture() as captured:
                connection = connection or manager.enter()
                asking(connection)
                read(connection)
                found.append(captured.tree())
            connection.close()
    return found


async def async_twice(socket: SocketServer, path: Path, asking: Asking) -> list[list[Any]]:
    """The same, asynchronous."""
    found = []
    for early in (True, False):
        socket.answer(*said(path))
        async with async_opened(socket) as client:
            manager = path(client)
            connection = await manager.enter() if early else None
            with capture() as captured:
                connection = connection or await manager.enter()
                await asking(connection)
                await async_read(connection)
                found.append(captured.tree())
            await connection.close()
    return found


@pytest.mark.no_cover
@pytest.mark.parametrize("asking", [by_resource, by_event])
@pytest.mark.parametrize("path", [responses, beta, realtime])
@pytest.mark.parametrize("form", [twice, async_twice])
def test_an_answer_over_a_socket_from_before_has_the_span_of_one_from_after(
    form: Callable[..., Any], path: Path, asking: Asking, socket: SocketServer
) -> None:
    """Wherever the connection was opened, the span says the same."""
    done = form(socket, path, asking)

    before, after = asyncio.run(done) if asyncio.iscoroutine(done) else done

    assert len(after) == 1
    assert before == after


def identities(captured: Captured) -> list[Any]:
    """The answers' ids, in the order in which their spans ended."""
    return [(span.attributes or {}).get("gen_ai.response.id") for span in captured.spans]


@pytest.mark.parametrize("path", [responses, realtime])
@pytest.mark.parametrize("early", [0, 2])
def test_the_end_of_an_answer_from_before_is_no_part_of_the_next(path: Path, early: int, socket: SocketServer) -> None:
    """Even where the next one was asked for while it was still to come, and part of it was read already."""
    gate = threading.Event()
    first = said(path)
    socket.answer(*first[:early], gate, *first[early:])
    for number in (2, 3):
        socket.answer(*said(path, f"resp_{number}"))

    with opened(socket) as client, path(client) as connection:
        by_resource(connection)
        for _ in range(early):
            connection.recv()
        with capture() as captured:
            if early:
                by_resource(connection)
            gate.set()
            read(connection)
            if not early:
                by_resource(connection)
            read(connection)
            by_resource(connection)
            read(connection)

    assert [one for one in identities(captured) if one != "resp_1"] == ["resp_2", "resp_3"]


@pytest.mark.parametrize("path", [responses, realtime])
def test_a_reader_that_waits_already_hears_the_first_answer(path: Path, socket: SocketServer) -> None:
    """Another thread has been waiting for an event since before: not one of them is missing from the span."""
    found = []
    for early in (True, False):
        socket.answer(*said(path))
        with opened(socket) as client, path(client) as connection:
            waits = _Waiting(connection)
            if early:
                waits.start()
            with capture() as captured:
                if not early:
                    waits.start()
                by_resource(connection)
                waits.join(WAIT_S)
                found.append(captured.tree())

    before, after = found
    assert len(after) == 1
    assert before == after


class _Waiting(threading.Thread):
    """Reads one answer; started when it has begun to wait for it."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection
        self._receives = threading.Event()

    def start(self) -> None:
        super().start()
        assert self._receives.wait(WAIT_S)

    def run(self) -> None:
        sys.setprofile(self._sees)
        read(self._connection)

    def _sees(self, frame: FrameType, event: str, _: object) -> None:
        if frame.f_code is Assembler.get.__code__:
            self._receives.set()


@pytest.mark.parametrize("path", [responses, realtime])
@pytest.mark.parametrize("early", [True, False], ids=["opened before", "opened after"])
def test_a_socket_outlives_wrapping_and_is_wrapped_again(path: Path, early: bool, socket: SocketServer) -> None:
    """Nothing is said between the two, and what was begun under the first is told to its end by it."""
    for number in range(4):
        socket.answer(*said(path, f"resp_{number}"))

    with opened(socket) as client:
        connection = path(client).enter() if early else None
        with capture() as first:
            connection = connection or path(client).enter()
            by_resource(connection)
            connection.recv()
            first.installation.uninstall()
            read(connection)
            by_resource(connection)
            read(connection)
        with capture() as second:
            for _ in range(2):
                by_resource(connection)
                read(connection)
        connection.close()

    assert identities(first) == ["resp_0"]
    assert identities(second) == ["resp_2", "resp_3"]
    assert [node["attributes"].get("server.port") for node in second.tree()] == [socket.port] * 2  # type: ignore[attr-defined]
