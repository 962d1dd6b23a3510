"""MCP: a server in a process of its own, and a client that calls its tool, in one trace. `pip install mcp`."""

import asyncio
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.server.mcpserver import MCPServer

import agentops_otel


def serve() -> None:
    server = MCPServer("weather")

    @server.tool()
    def weather(city: str) -> str:
        """Say the weather of a city."""
        return f"sunny in {city}"

    server.run("stdio")


async def ask() -> None:
    command = StdioServerParameters(command=sys.executable, args=[__file__, "serve"])
    async with stdio_client(command) as streams, ClientSession(*streams) as session:
        await session.initialize()
        print((await session.call_tool("weather", {"city": "Paris"})).content)


if __name__ == "__main__":
    serving = sys.argv[1:] == ["serve"]
    agentops_otel.init(console=not serving)  # a server's output is the protocol
    serve() if serving else asyncio.run(ask())
