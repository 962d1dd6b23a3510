"""The agent frameworks that we know: a short file each, which describes one as data."""

from agentops_otel.frameworks.langchain import LANGCHAIN
from agentops_otel.frameworks.openai_agents import OPENAI_AGENTS
from agentops_otel.instrumentation import FrameworkSpec

SPECS: tuple[FrameworkSpec, ...] = (LANGCHAIN, OPENAI_AGENTS)
"""Every framework that `init()` listens to."""
