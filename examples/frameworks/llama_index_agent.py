"""LlamaIndex: an agent with a tool. `pip install llama-index-llms-openai`, and a key in OPENAI_API_KEY."""

import asyncio
import sys

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai import OpenAI

import agentops_otel

agentops_otel.init()


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


async def ask(question: str) -> None:
    guide = FunctionAgent(name="guide", tools=[weather], llm=OpenAI("gpt-4.1"))
    print(await guide.run(user_msg=question))


asyncio.run(ask(sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"))
