"""Agno: an agent with a tool. `pip install agno openai`, and a key in OPENAI_API_KEY."""

import sys

from agno.agent import Agent
from agno.models.openai import OpenAIChat

import agentops_otel

agentops_otel.init()


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = Agent(name="guide", model=OpenAIChat(id="gpt-4.1"), tools=[weather])
print(guide.run(sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?").content)
