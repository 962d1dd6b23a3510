"""Pydantic AI: an agent with a tool. `pip install "pydantic-ai-slim[openai]"`, and a key in OPENAI_API_KEY."""

import sys

from pydantic_ai import Agent

import agentops_otel

agentops_otel.init()


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = Agent("openai-chat:gpt-4.1", name="guide", tools=[weather])
question = sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"
print(guide.run_sync(question).output)
