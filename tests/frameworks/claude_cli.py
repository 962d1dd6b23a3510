#!/usr/bin/env python3
"""A stand-in for Claude Code, which the SDK starts: it speaks its lines of JSON, and calls the tools that it is told.

A user who says "weather(Paris) broken(Rome)" gets those calls, of the MCP server "local" within the SDK's process, side
by side, then an answer. "odd": what it says was used is no number. Its last answer says which trace it was started in.
"""

import json
import os
import re
import sys
from itertools import count
from typing import Any

SESSION = "session-1"
TURNS = count(1)
"""What is used is counted from the beginning."""


def say(**message: Any) -> None:
    """One line."""
    print(json.dumps(message), flush=True)


def ask(request: str, method: str, **params: Any) -> None:
    """A message to the MCP server."""
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
    if not method.startswith("notifications/"):
        message["id"] = int(request)
    said = {"subtype": "mcp_message", "server_name": "local", "message": message}
    say(type="control_request", request_id=request, request=said)


def answered() -> Any:
    """The answer to a message of ours; what else comes meanwhile is read past."""
    while True:
        line = json.loads(sys.stdin.readline() or sys.exit(0))
        if line["type"] == "control_response":
            return line["response"]["response"]["mcp_response"]


def assistant(*content: Any) -> None:
    """A message of the model."""
    say(type="assistant", session_id=SESSION, message={"model": "claude-sonnet-4-5", "content": content})


def result(tool: str, answer: Any) -> dict[str, Any]:
    """What a tool said."""
    content, is_error = answer["result"]["content"], answer["result"].get("isError", False)
    return {"type": "tool_result", "tool_use_id": tool, "content": content, "is_error": is_error}


def connect() -> None:
    """Introduce ourselves to the MCP server."""
    client = {"name": "cli", "version": "1"}
    ask("1", "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
    answered()
    ask("2", "notifications/initialized")
    answered()


def turn(text: str) -> None:
    """What follows from one message of the user."""
    calls = re.findall(r"(\w+)\((.*?)\)", text)
    say(type="system", subtype="init", session_id=SESSION, claude_code_version="99.0.0", tools=[])
    uses: list[dict[str, Any]] = [
        {"type": "tool_use", "id": f"toolu_{number}", "name": f"mcp__local__{name}", "input": {"city": city}}
        for number, (name, city) in enumerate(calls, 1)
    ]
    if uses:
        connect()
        assistant(*uses)
        for number, (name, city) in enumerate(calls, 3):
            meta = {"claudecode/toolUseId": f"toolu_{number - 2}"}
            ask(str(number), "tools/call", name=name, arguments={"city": city}, _meta=meta)
        results = sorted((answered() for _ in calls), key=lambda answer: int(answer["id"]))
        content = [result(use["id"], answer) for use, answer in zip(uses, results, strict=True)]
        say(type="user", session_id=SESSION, message={"role": "user", "content": content})
    turns = next(TURNS)
    used = {"inputTokens": 20 * turns, "cacheReadInputTokens": 5, "outputTokens": 7 * turns}
    answer = f"traced: {'TRACEPARENT' in os.environ}"
    assistant({"type": "text", "text": answer})
    say(
        type="result",
        subtype="success",
        duration_ms=1,
        duration_api_ms=1,
        is_error="fail" in text,
        num_turns=1,
        session_id=SESSION,
        total_cost_usd="much" if "odd" in text else 0.5 * turns,
        usage={"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 7},
        modelUsage="all" if "odd" in text else {"claude-1": used},
        result=answer,
    )


def main() -> None:
    """Read until there is no more."""
    for line in iter(sys.stdin.readline, ""):
        message = json.loads(line)
        if message["type"] == "control_request":
            response = {"subtype": "success", "request_id": message["request_id"], "response": {"commands": []}}
            say(type="control_response", response=response)
        elif message["type"] == "user":
            turn(str(message["message"]["content"]))


main()
