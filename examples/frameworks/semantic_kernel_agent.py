"""Semantic Kernel: an agent with a tool. `pip install semantic-kernel`, and a key in OPENAI_API_KEY."""

import asyncio
import os
import sys

os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"] = "true"  # its agents and LLM calls

from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function

import agentops_otel

agentops_otel.init()


class Local:
    """What the agent can ask."""

    @kernel_function
    def weather(self, city: str) -> str:
        """Say the weather of a city."""
        return f"sunny in {city}"


async def ask(question: str) -> None:
    guide = ChatCompletionAgent(service=OpenAIChatCompletion("gpt-4.1"), name="guide", plugins=[Local()])
    print(await guide.get_response(question))


asyncio.run(ask(sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"))
