"""A model's websocket server on loopback: says what the test tells it to; keeps what it was sent.

with SocketServer() as server:
    server.answer({"type": "response.created", ...}, {...})   # what is said to the next request
    server.answer({...}, gate, {...}, 1011)                   # waits for an event; closes with that code
    OpenAI(websocket_base_url=server.url).responses.connect()
    server.received, server.headers
"""

import json
import ssl
import threading
from collections import deque
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

WAIT_S = 60.0

Said = dict[str, Any] | str | bytes | threading.Event | int
"""A JSON message, a message as it is, a gate to wait for, or the code to close with."""


class SocketServer:
    """The server; a `with` block starts and stops it.

    Args:
        asks: What a message has, as its type or among its names, that asks for an answer.
        greeting: What is said to everyone who connects.
        tls: The server's certificate, where it is to have one.
    """

    def __init__(
        self, *greeting: Said, asks: tuple[str, ...] = ("response.create",), tls: ssl.SSLContext | None = None
    ) -> None:
        self.received: list[str | bytes] = []
        """Every message as it came."""
        self.headers: list[list[tuple[str, str]]] = []
        """Those of each handshake, and its path as ":path"."""
        self._asks = asks
        self._greeting = greeting
        self._answers: deque[tuple[Said, ...]] = deque()
        self._handlers: list[threading.Thread] = []
        self._sockets = serve(self._serve, "127.0.0.1", 0, ssl=tls, close_timeout=WAIT_S, max_size=None)
        self._thread = threading.Thread(target=self._sockets.serve_forever)
        self.port = int(self._sockets.socket.getsockname()[1])
        self.url = f"ws://127.0.0.1:{self.port}/v1"

    def answer(self, *said: Said) -> None:
        """Say this to the next request."""
        self._answers.append(said)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._sockets.shutdown()
        self._thread.join(WAIT_S)
        for handler in self._handlers:  # older versions of the package do not wait for them
            handler.join(WAIT_S)

    def _serve(self, client: ServerConnection) -> None:
        self._handlers.append(threading.current_thread())
        if client.request is not None:
            self.headers.append([(":path", client.request.path), *client.request.headers.raw_items()])
        try:
            self._say(client, self._greeting)
            for message in client:
                self.received.append(message)
                told = json.loads(message)
                if not {told.get("type"), *told}.isdisjoint(self._asks):
                    self._say(client, self._answers.popleft())
        except ConnectionClosed:
            pass  # the client has gone, as some tests want

    @staticmethod
    def _say(client: ServerConnection, answer: tuple[Said, ...]) -> None:
        for said in answer:
            match said:
                case dict():
                    client.send(json.dumps(said))
                case threading.Event():
                    said.wait(WAIT_S)
                case int():
                    client.close(said)
                case _:
                    client.send(said)
