"""Claude Code itself, as the SDK brings it, and a scripted model: its own spans and ours in one trace.

Each test takes some seconds: it starts a program of 400 MB.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export import otlp_json
from agentops_otel.export.agentops_names import translate
from agentops_otel.export.file import read
from agentops_otel.testing import Capture, capture
from agentops_otel.view.live import Store
from agentops_otel.view.live.wanted import Filter
from agentops_otel.view.tree import Node, build, summarize
from tests.frameworks.contract import look_up
from tests.loopback.anthropic_server import answer, message, text
from tests.loopback.llm_server import Answer, LlmServer, Request

pytest.importorskip("claude_agent_sdk", reason="claude-agent-sdk is not installed")

import claude_agent_sdk
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, create_sdk_mcp_server, query, tool

CLAUDE_CODE = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
pytestmark = pytest.mark.skipif(not CLAUDE_CODE.exists(), reason="the SDK's package brings no Claude Code here")

REQUEST = (20 + 30 + 64, 7)
"""Tokens in and out of each answer of the model."""


@tool("weather", "Say the weather of a city.", {"city": str})
async def weather(given: dict[str, Any]) -> dict[str, Any]:
    """Say the weather of a city."""
    return {"content": [{"type": "text", "text": look_up(given["city"])}]}


@pytest.fixture
def server() -> Iterator[LlmServer]:
    """Anthropic's server and a collector: a user who says "weather(Paris)" gets that call, and then an answer."""
    with LlmServer(_script) as server:
        yield server


def _script(request: Request) -> Answer:
    if not request.path.startswith("/v1/messages"):
        return Answer.json({})
    asked = request.json
    (*_, last) = (one for one in asked["messages"] if one["role"] == "user")
    parts: list[Any] = last["content"]
    said = " ".join(part["text"] for part in parts if part["type"] == "text")
    calls = [] if any(part["type"] == "tool_result" for part in parts) else re.findall(r"(\w+)\((\w+)\)", said)
    uses = [
        {"type": "tool_use", "id": f"toolu_{name}_{city}", **_call(name, city)}
        for name, city in calls
        if name in ("weather", "Agent")
    ]
    return answer(message(content=uses) if uses else text(), stream=bool(asked.get("stream")))


def _call(name: str, city: str) -> dict[str, Any]:
    if name == "weather":
        return {"name": "mcp__local__weather", "input": {"city": city}}
    prompt = {"description": "look", "prompt": f"weather({city})", "subagent_type": "general-purpose"}
    return {"name": "Agent", "input": prompt}


def options(server: LlmServer, home: Path, **more: str) -> Any:
    """What starts Claude Code in an empty home, with a tool within this process."""
    env = {
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home),
        "ANTHROPIC_BASE_URL": server.url,
        "ANTHROPIC_API_KEY": "none",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "ENABLE_TOOL_SEARCH": "false",
        "IS_SANDBOX": "1",
        **more,
    }
    local = create_sdk_mcp_server("local", tools=[weather])
    allowed = ["mcp__local__weather", "Agent"]
    return ClaudeAgentOptions(
        cli_path=CLAUDE_CODE, env=env, cwd=home, mcp_servers={"local": local}, allowed_tools=allowed, setting_sources=[]
    )


TELEMETRY = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
}


def asked(server: LlmServer) -> int:
    """How often the model was asked."""
    return sum(request.path.startswith("/v1/messages") for request in server.requests)


def theirs(server: LlmServer, home: Path) -> list[ReadableSpan]:
    """The spans that Claude Code has sent."""
    file = home / "spans.jsonl"
    file.write_bytes(b"\n".join(request.body for request in server.requests if request.path == "/v1/traces"))
    return [span for span in read(file) if isinstance(span, ReadableSpan)]


def tree(nodes: list[Node]) -> list[Any]:
    """The names alone, parallel steps in their order."""
    found: list[Any] = []
    for node in sorted(nodes, key=lambda node: node.span.name):
        found += [node.span.name, *([tree(node.children)] if node.children else [])]
    return found


def usage(captured: Capture) -> list[tuple[object, object]]:
    """The tokens of each agent of ours, the first that ended first."""
    agents = [span.attributes or {} for span in captured.spans if span.name == "invoke_agent"]
    return [(agent.get("gen_ai.usage.input_tokens"), agent.get("gen_ai.usage.output_tokens")) for agent in agents]


def times(number: int) -> tuple[int, int]:
    """The tokens of so many answers."""
    return REQUEST[0] * number, REQUEST[1] * number


async def run(options: Any, prompt: str) -> None:
    """Read a whole request."""
    async for _ in query(prompt=prompt, options=options):
        pass


def test_its_own_spans(server: LlmServer, tmp_path: Path) -> None:
    """They lie below the request, one for each LLM call; the request's own tokens are in no total besides theirs."""
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url}
    with capture() as captured:
        asyncio.run(run(options(server, tmp_path, **TELEMETRY, **endpoint), "weather(Paris)"))
    found = [*captured.spans, *theirs(server, tmp_path)]
    whole = build(found)

    assert tree(whole) == snapshot(
        [
            "invoke_agent",
            [
                "claude_code.interaction",
                [
                    "claude_code.llm_request",
                    "claude_code.llm_request",
                    "claude_code.tool",
                    ["claude_code.tool.blocked_on_user", "claude_code.tool.execution"],
                ],
                "execute_tool mcp__local__weather",
                ["tools/call weather", ["look up"]],
            ],
        ]
    )
    total = summarize(whole)
    assert usage(captured) == [times(2)]
    assert (total.llm_calls, total.input_tokens, total.output_tokens) == (asked(server), *times(2))
    with closing(Store(None, otlp_json)) as page:
        page.add(found)
        (shown,) = page.runs(Filter())
        totals = page.totals(Filter())
    assert [shown[name] for name in ("llm_calls", "input_tokens", "output_tokens")] == [asked(server), *times(2)]
    assert [(agent.name, agent.input_tokens) for agent in totals["agent"]] == [
        ("claude_code.interaction", times(2)[0]),
        ("invoke_agent", None),
    ]


def test_agentops_counts_no_token_twice(server: LlmServer, tmp_path: Path) -> None:
    """With the names that AgentOps reads, the request is no LLM call and has no tokens or cost that it adds up."""
    with capture() as captured:
        asyncio.run(run(options(server, tmp_path), "weather(Paris)"))

    (agent,) = (span for span in captured.spans if span.name == "invoke_agent")
    _, attributes, _ = translate(agent)
    assert "gen_ai.usage.input_tokens" in (agent.attributes or {})
    assert [name for name in attributes if name.startswith("gen_ai.")] == []


def test_a_sub_agent(server: LlmServer, tmp_path: Path) -> None:
    """Its tools are below the tool that started it, though that has ended; its tokens are among the request's."""
    with capture() as captured:
        asyncio.run(run(options(server, tmp_path), "Agent(Oslo)"))

    assert tree(build(captured.spans)) == snapshot(
        [
            "invoke_agent",
            ["execute_tool Agent", ["execute_tool mcp__local__weather", ["tools/call weather", ["look up"]]]],
        ]
    )
    assert usage(captured) == [times(asked(server))]


def test_requests_of_a_client(server: LlmServer, tmp_path: Path) -> None:
    """Each has the tokens and the cost of its own LLM calls alone, and nothing else is a trace."""

    async def converse() -> None:
        async with ClaudeSDKClient(options(server, tmp_path)) as client:
            for prompt in ("weather(Paris)", "hello"):
                await client.query(prompt)
                async for _ in client.receive_response():
                    pass

    with capture() as captured:
        asyncio.run(converse())

    assert tree(build(captured.spans)) == snapshot(
        ["invoke_agent", ["execute_tool mcp__local__weather", ["tools/call weather", ["look up"]]], "invoke_agent"]
    )
    assert usage(captured) == [times(2), times(1)]
    first, second = [span.attributes or {} for span in captured.spans if span.name == "invoke_agent"]
    assert first["agentops.usage.cost"] == pytest.approx(2 * float(str(second["agentops.usage.cost"])))
