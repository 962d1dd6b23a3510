"""A model that does as it is told: a user who says "weather(Paris) broken(Rome)" gets those calls, then an answer."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.loopback.llm_server import Answer, LlmServer, Request
from tests.loopback.openai_server import answer, completion


def scripted_model() -> LlmServer:
    """The server; it answers chat completions, plain and streamed, of any number of runs at once."""
    return LlmServer(_script)


def _script(request: Request) -> Answer:
    asked = request.json
    last = asked["messages"][-1]
    calls = list(_calls(_text(last["content"]), asked)) if last["role"] == "user" else []
    return answer(_tool_calls(calls) if calls else completion(), stream=bool(asked.get("stream")))


def _text(content: Any) -> str:
    return "\n".join(part.get("text", "") for part in content) if isinstance(content, list) else str(content)


def _calls(text: str, asked: Any) -> Iterator[dict[str, Any]]:
    """One for each `tool(argument)` in the text; the argument's name is the tool's own."""
    tools = {tool["function"]["name"]: tool["function"]["parameters"] for tool in asked.get("tools") or ()}
    # Semantic Kernel puts the name of a plugin before that of a tool.
    full = {name.rpartition("-")[2]: name for name in tools}
    asked_for = [(full[name], value) for name, value in re.findall(r"(\w+)\((.*?)\)", text) if name in full]
    for number, (name, value) in enumerate(asked_for, start=1):
        arguments = {field: value for field in tools.get(name, {}).get("properties", {})}
        function = {"name": name, "arguments": json.dumps(arguments)}
        yield {"id": f"call_{number}", "type": "function", "function": function}


def _tool_calls(calls: list[dict[str, Any]]) -> dict[str, Any]:
    return completion({"role": "assistant", "content": None, "tool_calls": calls}, finish_reason="tool_calls")
