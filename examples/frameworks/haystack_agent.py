"""Haystack: an agent with a tool. `pip install haystack-ai`, and a key in OPENAI_API_KEY."""

import sys

from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool

import agentops_otel

agentops_otel.init()


@tool
def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = Agent(chat_generator=OpenAIChatGenerator(model="gpt-4.1"), tools=[weather])
question = sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"
print(guide.run([ChatMessage.from_user(question)])["messages"][-1].text)
