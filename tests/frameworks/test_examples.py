"""The example of each framework that is installed: as many LLM spans as requests, in one trace, as the framework is."""

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel import semconv
from agentops_otel.export.file import read
from tests.frameworks.runs import variables
from tests.loopback.llm_server import LlmServer
from tests.program import ROOT, TIMEOUT_S

EXAMPLES = {
    "agno_agent": (
        "agno.agent",
        snapshot(["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", "invoke_agent guide"]),
    ),
    "autogen_agent": (
        "autogen_agentchat",
        snapshot(["chat gpt-4.1", "execute_tool weather", "invoke_agent guide"]),
    ),
    "claude_agent": (
        "claude_agent_sdk",
        snapshot(["execute_tool mcp__local__weather", "invoke_agent", "tools/call weather"]),
    ),
    "haystack_agent": ("haystack", snapshot(["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", "invoke_agent"])),
    "langchain_agent": (
        "langchain",
        snapshot(["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", "invoke_agent guide"]),
    ),
    "langgraph_trip": (
        "langchain",
        snapshot(
            [
                "chat gpt-4.1",
                "chat gpt-4.1",
                "execute_tool weather",
                "invoke_agent guide",
                "invoke_workflow trip",
                "node confirm",
                "node guide",
            ]
        ),
    ),
    "openai_agents": (
        "agents",
        snapshot(["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", "invoke_agent guide"]),
    ),
    "crewai_crew": (
        "crewai",
        snapshot(
            [
                "chat gpt-4.1",
                "chat gpt-4.1",
                "execute_tool weather",
                "invoke_agent guide",
                "invoke_workflow travel",
                "task trip",
            ]
        ),
    ),
    "llama_index_agent": (
        "llama_index.core",
        snapshot(["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", "invoke_agent guide"]),
    ),
    "mcp_tool": (
        "mcp.server.mcpserver",
        snapshot(["MCP send initialize", "MCP send tools/list", "tools/call weather"]),
    ),
    "pydantic_ai_agent": (
        "pydantic_ai",
        snapshot(["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", "invoke_agent guide"]),
    ),
    "google_adk_agent": (
        "google.adk",
        snapshot(
            [
                "execute_tool weather",
                "generate_content openai/gpt-4.1",
                "generate_content openai/gpt-4.1",
                "invoke_agent guide",
                "invoke_workflow guide",
            ]
        ),
    ),
    "agent_framework_agent": (
        "agent_framework",
        snapshot(["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", "invoke_agent guide"]),
    ),
    "smolagents_agent": (
        "smolagents",
        snapshot(["chat gpt-4.1", "chat gpt-4.1", "execute_tool weather", "invoke_agent guide"]),
    ),
    "strands_agent": (
        "strands",
        snapshot(
            [
                "chat",
                "chat",
                "execute_event_loop_cycle",
                "execute_event_loop_cycle",
                "execute_tool weather",
                "invoke_agent guide",
            ]
        ),
    ),
    "semantic_kernel_agent": (
        "semantic_kernel",
        snapshot(
            [
                "AutoFunctionInvocationLoop",
                "chat gpt-4.1",
                "chat gpt-4.1",
                "execute_tool Local-weather",
                "invoke_agent guide",
            ]
        ),
    ),
}
"""Example -> the package that it is about, and the names of the spans."""


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def ask(example: str, model: LlmServer, file: Path, **more: str) -> None:
    """Run the example against the model; its spans go to the file."""
    environment = {**os.environ, **variables(model), "AGENTOPS_TRACE_FILE": str(file), **more}
    question = [] if example == "mcp_tool" else ["weather(Paris)"]
    command = [sys.executable, f"examples/frameworks/{example}.py", *question]
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example(example: str, model: LlmServer, tmp_path: Path) -> None:
    """Each LLM call is one span, whoever makes it, and all are in one trace."""
    package, names = EXAMPLES[example]
    if not _is_installed(package):
        pytest.skip(f"{package} is not installed")
    ask(example, model, tmp_path / "spans.jsonl")

    spans = [span for span in read(tmp_path / "spans.jsonl") if isinstance(span, ReadableSpan)]
    llm = [span for span in spans if _said(span).get(semconv.GEN_AI_OPERATION_NAME) in semconv.INFERENCE_OPERATIONS]
    assert sorted(span.name for span in spans) == names
    assert len(llm) == len(model.requests)
    assert all(_said(span).get(semconv.GEN_AI_USAGE_INPUT_TOKENS) for span in llm)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_with_content_off(example: str, model: LlmServer, tmp_path: Path) -> None:
    """No word of question, tool or answer is in the trace file, in attributes or in events, whoever makes the span."""
    package, _ = EXAMPLES[example]
    if not _is_installed(package):
        pytest.skip(f"{package} is not installed")
    ask(example, model, tmp_path / "spans.jsonl", OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="NO_CONTENT")

    written = (tmp_path / "spans.jsonl").read_text()
    assert "weather" in written
    assert [word for word in ("Paris", "sunny") if word in written] == []


def _said(span: ReadableSpan) -> Mapping[str, object]:
    return span.attributes or {}
