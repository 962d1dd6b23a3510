"""Claude Agent SDK, the real package, and a stand-in for the program that it starts: agents and tools."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from inline_snapshot import snapshot

from agentops_otel.testing import capture
from tests.frameworks.contract import Contract, look_up
from tests.frameworks.shown import holds_together, names, shown
from tests.loopback.llm_server import LlmServer

pytest.importorskip("claude_agent_sdk", reason="claude-agent-sdk is not installed")

from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, create_sdk_mcp_server, query, tool

CLI = Path(__file__).with_name("claude_cli.py")


async def weather(city: str) -> str:
    """Say the weather of a city."""
    return look_up(city)


async def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no weather in {city}")


def _tool(function: Callable[[str], Awaitable[str]]) -> Any:
    async def call(given: dict[str, Any]) -> dict[str, Any]:
        return {"content": [{"type": "text", "text": await function(given["city"])}]}

    return tool(function.__name__, str(function.__doc__), {"city": str})(call)


def options(*more: Any) -> Any:
    """What starts the stand-in, with tools within this process."""
    server = create_sdk_mcp_server("local", tools=[_tool(one) for one in (weather, broken, *more)])
    return ClaudeAgentOptions(cli_path=CLI, mcp_servers={"local": server}, model="sonnet")


class TestQuery(Contract):
    """A request by `query`."""

    run: ClassVar = [
        "invoke_agent",
        ["execute_tool mcp__local__weather", ["tools/call weather", ["look up"]]],
    ]
    left: ClassVar = ["invoke_agent"]
    cancelled: ClassVar = ["invoke_agent", ["execute_tool mcp__local__wait", ["tools/call wait ERROR"]]]
    program: ClassVar = (
        "from claude_agent_sdk import ClaudeAgentOptions, query",
        f"""
import asyncio
async def main(server="{{}}"):
    return [one async for one in query(prompt="hello", options=ClaudeAgentOptions(cli_path={str(CLI)!r}))]
asyncio.run(main())
""",
    )
    found: ClassVar = ["invoke_agent"]
    disabled: ClassVar = {"claude-agent-sdk": []}

    async def ask(self, server: LlmServer, task: str, *tools: Any) -> object:
        """Read all messages."""
        return [str(message) async for message in query(prompt=task, options=options(*tools))][-2]

    def stream(self, server: LlmServer, task: str) -> AsyncIterator[object]:
        """It is a stream."""
        found: AsyncIterator[object] = query(prompt=task, options=options())
        return found

    def test_the_program_gets_what_it_gets_without_us(self, model: LlmServer) -> None:
        """The messages are the same, but that the program was not told of a trace without us."""
        without = asyncio.run(self.ask(model, "weather(Paris) broken(Rome)"))
        with capture():
            with_us = asyncio.run(self.ask(model, "weather(Paris) broken(Rome)"))

        assert "traced: False" in str(without)
        assert with_us == str(without).replace("traced: False", "traced: True")

    def test_a_stream_gives_what_it_gives_without_us(self, model: LlmServer) -> None:
        """The kinds of its messages are the same; it is Claude Code that asks the model."""

        async def read() -> list[type]:
            return [type(item) async for item in self.stream(model, "weather(Paris)")]

        without = asyncio.run(read())
        with capture():
            assert asyncio.run(read()) == without


def test_a_request_and_two_tools_one_of_which_fails(model: LlmServer) -> None:
    """A request is an agent's, with tokens and cost of all of it; a tool that fails is an error of its own alone."""
    with capture() as captured:
        asyncio.run(TestQuery().ask(model, "weather(Paris) broken(Rome)"))

    assert shown(captured.tree()) == snapshot(
        [
            {
                "name": "invoke_agent",
                "attributes": {
                    "agentops.entity.input": '"weather(Paris) broken(Rome)"',
                    "agentops.entity.output": '"traced: True"',
                    "agentops.usage.cost": 0.5,
                    "gen_ai.conversation.id": "session-1",
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.request.model": "sonnet",
                    "gen_ai.usage.input_tokens": 25,
                    "gen_ai.usage.output_tokens": 7,
                },
                "children": [
                    {
                        "name": "execute_tool mcp__local__broken",
                        "status": "ERROR: tool_error",
                        "attributes": {
                            "error.type": "tool_error",
                            "gen_ai.conversation.id": "session-1",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                            "gen_ai.tool.call.id": "toolu_2",
                            "gen_ai.tool.call.result": '[{"text":"no weather in Rome","type":"te...',
                            "gen_ai.tool.name": "mcp__local__broken",
                            "gen_ai.tool.type": "function",
                        },
                        "children": [
                            {
                                "name": "tools/call broken",
                                "kind": "SERVER",
                                "status": "ERROR: tool_error",
                                "attributes": {
                                    "error.type": "tool_error",
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                                    "gen_ai.tool.call.result": '"no weather in Rome"',
                                    "gen_ai.tool.name": "broken",
                                    "jsonrpc.request.id": "4",
                                    "mcp.method.name": "tools/call",
                                    "mcp.protocol.version": "2025-06-18",
                                },
                            }
                        ],
                    },
                    {
                        "name": "execute_tool mcp__local__weather",
                        "attributes": {
                            "gen_ai.conversation.id": "session-1",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                            "gen_ai.tool.call.id": "toolu_1",
                            "gen_ai.tool.call.result": '[{"text":"sunny in Paris","type":"text"}...',
                            "gen_ai.tool.name": "mcp__local__weather",
                            "gen_ai.tool.type": "function",
                        },
                        "children": [
                            {
                                "name": "tools/call weather",
                                "kind": "SERVER",
                                "attributes": {
                                    "gen_ai.operation.name": "execute_tool",
                                    "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                                    "gen_ai.tool.call.result": '"sunny in Paris"',
                                    "gen_ai.tool.name": "weather",
                                    "jsonrpc.request.id": "3",
                                    "mcp.method.name": "tools/call",
                                    "mcp.protocol.version": "2025-06-18",
                                },
                                "children": [
                                    {
                                        "name": "look up",
                                        "attributes": {
                                            "agentops.entity.input": '{"city":"Paris"}',
                                            "agentops.entity.output": '"sunny in Paris"',
                                            "agentops.span.kind": "operation",
                                            "operation.name": "look up",
                                        },
                                    }
                                ],
                            }
                        ],
                    },
                ],
            }
        ]
    )
    holds_together(captured, model)


def test_a_client(model: LlmServer) -> None:
    """Each request of a client is an agent's, from `query` to its result, and a trace of its own."""

    async def converse() -> None:
        async with ClaudeSDKClient(options()) as client:
            for text in ("weather(Oslo)", "hello"):
                await client.query(text)
                async for _ in client.receive_response():
                    pass
            await client.query("the result of this is not read")

    with capture() as captured:
        asyncio.run(converse())

    assert names(captured.tree()) == snapshot(
        [
            "invoke_agent",
            "invoke_agent",
            "invoke_agent",
            ["execute_tool mcp__local__weather", ["tools/call weather", ["look up"]]],
        ]
    )
    agents = [span.attributes or {} for span in captured.spans if span.name == "invoke_agent"]
    counted = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "agentops.usage.cost")
    assert [[agent.get(name) for name in counted] for agent in agents] == [[25, 7, 0.5], [20, 7, 0.5], [None] * 3]
    assert [span.name for span in captured.spans if (span.attributes or {}).get("agentops.stream.abandoned")] == [
        "invoke_agent"
    ]


def test_a_result_that_counts_nothing(model: LlmServer) -> None:
    """The program gets it, and the request has what can be read of it."""

    async def converse() -> list[str]:
        async with ClaudeSDKClient(options()) as client:
            await client.query("odd")
            return [type(message).__name__ async for message in client.receive_response()]

    with capture() as captured:
        heard = asyncio.run(converse())

    assert heard == ["SystemMessage", "AssistantMessage", "ResultMessage"]
    (agent,) = captured.spans
    attributes = agent.attributes or {}
    counted = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    assert ([attributes.get(name) for name in counted], agent.status.is_ok) == ([15, 7], True)


def test_a_request_that_fails(model: LlmServer) -> None:
    """A result that says so is an error of the agent's."""
    with capture() as captured:
        asyncio.run(TestQuery().ask(model, "fail"))

    assert names(captured.tree()) == ["invoke_agent ERROR"]
