"""AutoGen: an agent with a tool. `pip install autogen-agentchat "autogen-ext[openai]"`, and a key in OPENAI_API_KEY."""

import asyncio
import sys

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

import agentops_otel

agentops_otel.init()


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = AssistantAgent("guide", OpenAIChatCompletionClient(model="gpt-4.1"), tools=[weather])
question = sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"
print(asyncio.run(guide.run(task=question)).messages[-1])
