"""What the page on frameworks says is tested with each, held against the tests that there are, read and not run."""

import ast
import re
from collections.abc import Iterator

from agentops_otel.frameworks import FILES, specs_in
from tests.program import ROOT

FOLDER = ROOT / "tests/frameworks"
SUITES = {
    "agent-framework": "agent_framework",
    "Agno": "agno",
    "AutoGen": "autogen",
    "Claude Agent SDK": "claude_agent_sdk",
    "CrewAI": "crewai",
    "DSPy": "dspy",
    "Google ADK": "google_adk",
    "Haystack": "haystack",
    "LangChain and LangGraph": "langchain",
    "LlamaIndex": "llama_index",
    "MCP": "mcp",
    "OpenAI Agents": "openai_agents",
    "Pydantic AI": "pydantic_ai",
    "Semantic Kernel": "semantic_kernel",
    "smolagents": "smolagents",
    "Strands": "strands_agents",
}
"""Framework -> the module of its tests."""

SCENARIOS = {
    "two tools, one of which fails": "one_of_which_fails|tool_that_fails|call_that_fails",
    "tools side by side": "parallel_tools|calls_at_once",
    "an agent that asks another, or hands over to it": "as_a_tool|handoff|hand_over|a_team|a_transfer|own_between",
    "a span of your own between a tool and the agent it asks": "own_between|lie_between",
    "streamed: told as a plain run": "a_stream$|a_stream_and|a_stream_is_told",
    "a stream that is left": "that_is_left",
    "a run that is cancelled": "that_is_cancelled",
    "two runs at once": "at_once",
    "what you send and get is as without us": "without_us",
    "content off": "content_off",
    "imported before `init()` and after it, and switched off by its name": "whole_program",
}
"""What is tested -> the tests that do."""


def table() -> dict[str, str]:
    """What is tested -> what the page says of those that have no such test."""
    page = (ROOT / "docs/frameworks.md").read_text().partition("## What is tested")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")][2:]
    return {first.strip(): second.strip() for first, second in rows}


def names_of(module: str) -> set[str]:
    """The names of the tests of a suite, with those that its classes have from the contract."""
    tree = ast.parse((FOLDER / f"test_{module}.py").read_text())
    return {name for node in tree.body for name in _tests_of(node)}


def _tests_of(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
        yield node.name
    if isinstance(node, ast.ClassDef):
        inherited = _contract() if any(ast.unparse(base) == "Contract" for base in node.bases) else set()
        left_out = {
            target.id
            for one in node.body
            if isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        yield from inherited - left_out
        yield from (one.name for one in node.body if isinstance(one, ast.FunctionDef))


def _contract() -> set[str]:
    (contract,) = (
        node
        for node in ast.parse((FOLDER / "contract.py").read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == "Contract"
    )
    return {one.name for one in contract.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


def test_each_cell() -> None:
    """A framework that a row does not name has a test of it, and one that it names has none."""
    lacking = {
        scenario: {
            name for name, module in SUITES.items() if not any(re.search(shown, one) for one in names_of(module))
        }
        for scenario, shown in SCENARIOS.items()
    }
    named = {
        scenario: {name for name in SUITES if re.search(rf"\b{name}\b", cell)} for scenario, cell in table().items()
    }

    assert named == lacking


def test_every_suite() -> None:
    """Each framework with a suite is in the table above, and nobody's own contract leaves a test out unseen."""
    shared = {"examples", "second_instrumentation", "claude_code"}
    there = {path.stem.removeprefix("test_") for path in FOLDER.glob("test_*.py")} - shared

    assert set(SUITES.values()) == there
    patterns = "|".join(SCENARIOS.values()) + "|two_runs|a_stream_gives"
    assert [one for one in _contract() if not re.search(patterns, one)] == []


def test_each_framework_is_switched_off_by_the_name_that_the_page_says() -> None:
    """And its description is read for the packages that it describes."""
    page = (ROOT / "docs/frameworks.md").read_text().partition("`init(instrument_frameworks")[0]
    said = set(re.findall(r"^\|.*\| `([a-z-]+)` \|$", page, re.MULTILINE))
    specs = [(package, spec) for package, file in FILES.items() for spec in specs_in(file)]

    assert {spec.name for _, spec in specs} | {"taskweaver"} == said
    assert {spec.name for package, spec in specs if package == spec.module} == said - {"taskweaver", "llama-index"}
