"""The agent frameworks that are traced: one short, declarative file each."""

from agentops_otel.frameworks.agno import AGNO
from agentops_otel.frameworks.autogen import AUTOGEN
from agentops_otel.frameworks.claude_agent_sdk import CLAUDE_AGENT_SDK
from agentops_otel.frameworks.crewai import CREWAI
from agentops_otel.frameworks.dspy import DSPY
from agentops_otel.frameworks.google_adk import GOOGLE_ADK
from agentops_otel.frameworks.haystack import HAYSTACK
from agentops_otel.frameworks.langchain import LANGCHAIN
from agentops_otel.frameworks.llama_index import LLAMA_INDEX
from agentops_otel.frameworks.mcp import MCP
from agentops_otel.frameworks.openai_agents import OPENAI_AGENTS
from agentops_otel.frameworks.pydantic_ai import PYDANTIC_AI
from agentops_otel.frameworks.smolagents import SMOLAGENTS
from agentops_otel.instrumentation import FrameworkSpec

SPECS: tuple[FrameworkSpec, ...] = (
    AGNO,
    AUTOGEN,
    CLAUDE_AGENT_SDK,
    CREWAI,
    DSPY,
    GOOGLE_ADK,
    HAYSTACK,
    LANGCHAIN,
    LLAMA_INDEX,
    MCP,
    OPENAI_AGENTS,
    PYDANTIC_AI,
    SMOLAGENTS,
)
"""Every framework that `init()` listens to."""
