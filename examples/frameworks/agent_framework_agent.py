"""Microsoft's agent-framework: an agent with a tool. `pip install agent-framework-openai`, and OPENAI_API_KEY."""

import asyncio
import sys

from agent_framework import Agent
from agent_framework.openai import OpenAIChatCompletionClient

import agentops_otel

agentops_otel.init()


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = Agent(OpenAIChatCompletionClient("gpt-4.1"), name="guide", tools=[weather])
question = sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"
print(asyncio.run(guide.run(question)).text)
