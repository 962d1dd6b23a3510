"""A client and a server of MCP in one process or over HTTP, and the call of a tool."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Any

from mcp import ClientSession

from tests.frameworks.mcp_server import server

FIRST = version("mcp").startswith("1.")
HEADERS: list[dict[str, str]] = []
BODIES: list[bytes] = []
"""Of the requests that the server over HTTP had."""
Connect = Callable[[], AbstractAsyncContextManager[ClientSession]]


@asynccontextmanager
async def in_memory(*tools: Any) -> AsyncIterator[ClientSession]:
    """A client and a server in one process; with more tools than it has."""
    served = server()
    for tool in tools:
        served.add_tool(tool)
    if FIRST:
        from mcp.shared.memory import create_connected_server_and_client_session

        async with create_connected_server_and_client_session(served._mcp_server) as session:
            yield session
    else:
        from mcp.client import Client

        async with Client(served) as client:
            yield client.session


@asynccontextmanager
async def over_http() -> AsyncIterator[ClientSession]:
    """A client and a server that speak HTTP on loopback."""
    import uvicorn
    from mcp.client import streamable_http

    app = server().streamable_http_app()

    async def seen(scope: Any, receive: Any, send: Any) -> None:
        HEADERS.append({name.decode(): value.decode() for name, value in scope.get("headers", ())})

        async def heard() -> Any:
            message = await receive()
            BODIES.append(message.get("body", b""))
            return message

        await app(scope, heard, send)

    serving = uvicorn.Server(uvicorn.Config(seen, port=0, log_level="error", lifespan="on"))
    running = asyncio.create_task(serving.serve())
    while not serving.started:
        await asyncio.sleep(0.01)
    port = serving.servers[0].sockets[0].getsockname()[1]
    connect = getattr(streamable_http, "streamable_http_client", None) or streamable_http.streamablehttp_client
    async with connect(f"http://127.0.0.1:{port}/mcp") as streams, ClientSession(*streams[:2]) as session:
        await session.initialize()
        yield session
    serving.should_exit = True
    await running


async def ask(connect: Connect, tool: str) -> str:
    """What the tool answers."""
    async with connect() as session:
        return str((await session.call_tool(tool, {"city": "Paris"})).content[0].text)
