"""Strands: an agent with a tool. `pip install "strands-agents[openai]"`, and a key in OPENAI_API_KEY."""

import sys

from strands import Agent, tool
from strands.models.openai import OpenAIModel

import agentops_otel

agentops_otel.init()


@tool
def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = Agent(OpenAIModel(model_id="gpt-4.1"), name="guide", tools=[weather])
guide(sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?")
