"""A server of MCP with two tools, of the package's first version or its second: over stdio, or what the tests run."""

import sys
from typing import Any

import agentops_otel

try:
    from mcp.server.mcpserver import MCPServer as Server
except ImportError:
    from mcp.server.fastmcp import FastMCP as Server


@agentops_otel.record_action("look up")
def look_up(city: str) -> str:
    """Work of the server's own."""
    return f"sunny in {city}"


def server() -> Any:
    """A tool that works and one that fails; async, since the threads of others outlive a test."""
    made = Server("weather")

    @made.tool()
    async def weather(city: str) -> str:
        """Say the weather of a city."""
        return look_up(city)

    @made.tool()
    async def broken(city: str) -> str:
        """Fail."""
        raise ValueError(f"no weather in {city}")

    return made


if __name__ == "__main__":
    agentops_otel.init(trace_file=sys.argv[1], console=False, spool_dir=False)
    server().run("stdio")
