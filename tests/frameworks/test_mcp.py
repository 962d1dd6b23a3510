"""MCP, the real package in its first version or its second: client and server in one trace."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import get_current_span

import agentops_otel
from agentops_otel.testing import Capture, capture
from tests.content.secret_examples import EXAMPLES
from tests.frameworks.runs import cancel
from tests.frameworks.shown import names, shown
from tests.frameworks.whole_program import spans

pytest.importorskip("mcp", reason="mcp is not installed")

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.frameworks.mcp_calls import BODIES, FIRST, HEADERS, Connect, ask, in_memory, over_http

CALLS = ("tools/call", "look up", "own", "execute_tool")
"""What the spans of a call begin with; the second version has others for all that a session asks."""


def calls(captured: Capture) -> Any:
    """The tree of the calls alone, with what both versions say."""
    return _common(shown(captured.tree()))


def _common(tree: Any) -> Any:
    found = [span for span in tree if span["name"].startswith(CALLS)]
    for span in found:
        for name in ("jsonrpc.request.id", "mcp.protocol.version"):
            span["attributes"].pop(name, None)
        if "children" in span:
            span["children"] = _common(span["children"])
    return found


@pytest.mark.parametrize("connect", [in_memory, over_http])
def test_a_call(connect: Connect) -> None:
    """A call is a span of the client, the server's is below it, and what the tool does below that."""
    with capture() as captured:
        assert asyncio.run(ask(connect, "weather")) == "sunny in Paris"

    assert calls(captured) == snapshot(
        [
            {
                "name": "tools/call weather",
                "kind": "CLIENT",
                "attributes": {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                    "gen_ai.tool.call.result": '{"result":"sunny in Paris"}',
                    "gen_ai.tool.name": "weather",
                    "mcp.method.name": "tools/call",
                },
                "children": [
                    {
                        "name": "tools/call weather",
                        "kind": "SERVER",
                        "attributes": {
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
                            "gen_ai.tool.call.result": '{"result":"sunny in Paris"}',
                            "gen_ai.tool.name": "weather",
                            "mcp.method.name": "tools/call",
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
            }
        ]
    )


@pytest.mark.parametrize("connect", [in_memory, over_http])
def test_a_call_that_fails(connect: Connect) -> None:
    """A tool that fails is an error of both spans, and of nothing else."""
    with capture() as captured:
        asyncio.run(ask(connect, "broken"))

    (client,) = calls(captured)
    (served,) = client["children"]
    for span in (client, served):
        assert span["status"].startswith("ERROR")
        assert span["attributes"]["error.type"] == "tool_error"


def test_no_key_in_a_requests_meta_is_in_a_span() -> None:
    """Nor one in a tool's arguments; the server gets both."""
    key = EXAMPLES["sk-"]
    given: list[str] = []

    def log_in(note: str) -> str:
        given.append(note)
        return note

    async def call() -> None:
        async with in_memory(log_in) as session:
            await session.call_tool("log_in", {"note": f"with {key}"}, meta={"acme/api_key": key, "acme/note": key})

    with capture() as captured:
        asyncio.run(call())

    assert given == [f"with {key}"]
    recorded = "".join(span.to_json() for span in captured.spans)
    assert [text for text in ("log_in", "[redacted]", key) if text in recorded] == ["log_in", "[redacted]"]


def test_within_a_tool() -> None:
    """Within the span of a framework's tool, or of a tool of the program's own, there is no second one."""

    @agentops_otel.record_tool("ask")
    async def tool() -> str:
        return await ask(in_memory, "weather")

    with capture() as captured:
        asyncio.run(tool())

    (found,) = calls(captured)
    assert found["attributes"]["mcp.method.name"] == "tools/call"
    assert [span["name"] for span in found["children"] if span["name"].startswith(CALLS)] == ["tools/call weather"]


def test_a_server_of_stdio(tmp_path: Path) -> None:
    """A server in a process of its own continues the client's trace."""
    file = tmp_path / "server.jsonl"

    async def go() -> None:
        command = StdioServerParameters(
            command=sys.executable,
            args=["-m", "tests.frameworks.mcp_server", str(file)],
            env={**os.environ},
        )
        async with stdio_client(command) as streams, ClientSession(*streams) as session:
            await session.initialize()
            await session.call_tool("weather", {"city": "Paris"})

    with capture() as captured:
        asyncio.run(go())

    (client,) = (span for span in captured.spans if span.name == "tools/call weather")
    served = [span for line in file.read_text().splitlines() for span in _spans(json.loads(line))]
    found = {span["name"]: span for span in served}
    assert found["tools/call weather"]["parentSpanId"] == f"{client.context.span_id:016x}"
    assert found["look up"]["traceId"] == f"{client.context.trace_id:032x}"


def _spans(request: Any) -> list[Any]:
    return [
        span
        for resource in request.get("resourceSpans", ())
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


FOLLOWED = """
import asyncio
from tests.frameworks.mcp_calls import ask, over_http
asyncio.run(ask(over_http, "weather"))
for name in ("weather", "tools/list"):  # for the second, version 2 alone has spans
    traces = {{span.kind.name: span.context.trace_id for span in exporter.get_finished_spans() if name in span.name}}
    if traces or name == "weather":
        assert (traces["SERVER"] == traces["CLIENT"]) is {}
"""


@pytest.mark.parametrize(("trust_callers", "followed"), [("", True), ("false", False)])
def test_callers_that_are_not_followed(trust_callers: str, followed: bool) -> None:
    """A server continues the trace of its callers, and with AGENTOPS_TRUST_CALLERS=false it does not."""
    assert spans("import mcp", FOLLOWED.format(followed), trust_callers=trust_callers)


def test_the_headers_of_a_call() -> None:
    """Over HTTP the trace is in the headers of a call, too, and in those of no other request."""
    HEADERS.clear()
    with capture() as captured:
        asyncio.run(ask(over_http, "weather"))

    (client,) = calls(captured)
    assert client["name"] == "tools/call weather"
    (span,) = (span for span in captured.spans if span.name == "tools/call weather" and span.kind.name == "CLIENT")
    assert f"{span.context.span_id:016x}" in [headers.get("traceparent", "--")[36:52] for headers in HEADERS]


def test_calls_at_once() -> None:
    """Calls beside each other have a trace each."""

    async def together() -> None:
        async with in_memory() as session:
            await asyncio.gather(*(session.call_tool("weather", {"city": city}) for city in ("Paris", "Rome")))

    with capture() as captured:
        asyncio.run(together())

    assert names(calls(captured)) == snapshot(
        [
            "tools/call weather",
            ["tools/call weather", ["look up"]],
            "tools/call weather",
            ["tools/call weather", ["look up"]],
        ]
    )


def test_a_call_that_is_cancelled() -> None:
    """A cancelled call ends its spans, and has failed."""

    async def cancelled() -> None:
        began = asyncio.Event()

        async def wait(city: str) -> str:
            """Wait."""
            began.set()
            await asyncio.Event().wait()
            return city

        async with in_memory(wait) as session:
            await cancel(session.call_tool("wait", {"city": "Paris"}), began)

    with capture() as captured:
        asyncio.run(cancelled())

    assert names(calls(captured)) == snapshot(["tools/call wait ERROR", ["tools/call wait ERROR"]])
    assert not get_current_span().get_span_context().is_valid


def test_the_program_gets_what_it_gets_without_us() -> None:
    """Answers and requests are the same with us as without, but for the trace that a call carries."""

    async def go() -> list[str]:
        async with over_http() as session:
            listed = await session.list_tools()
            said = [await session.call_tool(name, {"city": "Paris"}) for name in ("weather", "broken", "missing")]
        return [repr(listed), *map(repr, said)]

    def work() -> tuple[list[str], list[Any]]:
        BODIES.clear()
        return asyncio.run(go()), [_untraced(json.loads(body)) for body in BODIES if body]

    plain = work()
    with capture():
        assert work() == plain


def _untraced(request: Any) -> Any:
    meta = request.get("params", {}).get("_meta", {})
    for name in ("traceparent", "tracestate", "baggage"):
        meta.pop(name, None)
    if not meta:
        request.get("params", {}).pop("_meta", None)
    return request


def test_content_off() -> None:
    """Without content there are no arguments and no results."""
    with capture(capture_content=False) as captured:
        asyncio.run(ask(in_memory, "weather"))

    assert "Paris" not in str(captured.tree())
    assert calls(captured)


WORK = """
import asyncio
from tests.frameworks.mcp_calls import ask, in_memory
asyncio.run(ask(in_memory, "weather"))
"""


@pytest.mark.parametrize("imported", ["before", "after"])
def test_a_whole_program(imported: str) -> None:
    """It does not matter whether the package is imported before `init()`."""
    found = spans("import mcp.client.session, mcp.server", WORK, imported=imported)
    assert [name for name in found if name.startswith("tools/call")] == ["tools/call weather"] * 2


def test_disabled_by_its_name() -> None:
    """Its name in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS leaves it alone: the first version has no spans then."""
    found = spans("import mcp", WORK, disabled="mcp")
    assert [name for name in found if name.startswith(("tools/call", "MCP send tools/call"))] == (
        [] if FIRST else ["tools/call weather"]
    )
