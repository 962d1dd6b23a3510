"""Google ADK: an agent with a tool. `pip install google-adk litellm`, and a key in OPENAI_API_KEY."""

import asyncio
import sys

from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner

import agentops_otel

agentops_otel.init()


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = LlmAgent(name="guide", model=LiteLlm("openai/gpt-4.1"), tools=[weather])
question = sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"
asyncio.run(InMemoryRunner(agent=guide).run_debug(question))
