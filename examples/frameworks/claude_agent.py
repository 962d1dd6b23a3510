"""Claude Agent SDK: an agent with a tool. `pip install claude-agent-sdk`, and a key in ANTHROPIC_API_KEY."""

import asyncio
import os
import sys
from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, create_sdk_mcp_server, query, tool

import agentops_otel

agentops_otel.init()


@tool("weather", "Say the weather of a city.", {"city": str})
async def weather(given: dict[str, Any]) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": f"sunny in {given['city']}"}]}


options = ClaudeAgentOptions(
    cli_path=os.environ.get("CLAUDE_CLI"),  # by default the one that the package brings
    mcp_servers={"local": create_sdk_mcp_server("local", tools=[weather])},
    allowed_tools=["mcp__local__weather"],
)


async def ask(question: str) -> None:
    async for message in query(prompt=question, options=options):
        print(message)


asyncio.run(ask(sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"))
