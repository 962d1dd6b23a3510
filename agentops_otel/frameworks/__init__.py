"""The agent frameworks that are traced: one short, declarative file each; a program imports those of its own."""

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_otel.instrumentation import FrameworkSpec

    SPECS: tuple[FrameworkSpec, ...]
    """Every framework that `init()` listens to. To read it imports all files here."""

FILES = {
    "agno": "agno",
    "autogen_agentchat": "autogen",
    "autogen_core": "autogen",
    "claude_agent_sdk": "claude_agent_sdk",
    "crewai": "crewai",
    "dspy": "dspy",
    "google.adk": "google_adk",
    "haystack": "haystack",
    "langchain_core": "langchain",
    "langgraph": "langchain",
    "llama_index_instrumentation": "llama_index",
    "mcp": "mcp",
    "agents": "openai_agents",
    "pydantic_ai": "pydantic_ai",
    "smolagents": "smolagents",
}
"""What a program imports to use a framework -> the file here that describes it."""


def specs_in(file: str) -> "tuple[FrameworkSpec]":
    """What one of the files describes; it is imported for it."""
    return (getattr(import_module(f"{__name__}.{file}"), file.upper()),)


def imported() -> "Iterator[FrameworkSpec]":
    """What is described of the packages that the program has imported."""
    for file in dict.fromkeys(file for package, file in FILES.items() if package in sys.modules):
        yield from specs_in(file)


def __getattr__(name: str) -> object:
    if name == "SPECS":
        return tuple(spec for file in dict.fromkeys(FILES.values()) for spec in specs_in(file))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
