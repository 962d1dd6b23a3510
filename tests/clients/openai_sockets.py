"""Clients of the openai package whose websockets go to a server on loopback, and what is read from them."""

from typing import Any

from openai import AsyncOpenAI, OpenAI

from tests.clients.capture import Captured
from tests.loopback.socket_server import SocketServer


def opened(socket: SocketServer, **options: Any) -> OpenAI:
    """The package's client, whose sockets go to the server."""
    return OpenAI(base_url=f"http://127.0.0.1:{socket.port}/v1", api_key="key", max_retries=0, **options)


def async_opened(socket: SocketServer) -> AsyncOpenAI:
    """The same, asynchronous."""
    return AsyncOpenAI(base_url=f"http://127.0.0.1:{socket.port}/v1", api_key="key", max_retries=0)


def is_last(event: Any) -> bool:
    """Whether an answer ends with the event."""
    return event.type in ("response.completed", "response.failed", "response.incomplete", "response.done", "error")


def read(connection: Any) -> list[Any]:
    """The events of one answer."""
    found = []
    for event in connection:
        found.append(event)
        if is_last(event):
            break
    return found


async def async_read(connection: Any) -> list[Any]:
    """The events of one answer."""
    found = []
    async for event in connection:
        found.append(event)
        if is_last(event):
            break
    return found


def create(asked: dict[str, Any]) -> Any:
    """The event that asks for an answer."""
    return {"type": "response.create", **asked}


def placeless(captured: Captured) -> list[Any]:
    """The spans without what differs from server to server."""
    tree: list[Any] = captured.tree()
    for node in tree:
        assert node["attributes"].pop("server.port") > 0
    return tree


def spoken(node: Any, direction: str = "output") -> str:
    """The text that a span's messages say."""
    said = node["attributes"].get(f"gen_ai.{direction}.messages", [])
    return "".join(part["content"] for message in said for part in message["parts"])
