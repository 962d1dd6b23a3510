"""smolagents: an agent with a tool. `pip install "smolagents[openai,toolkit]"`, and a key in OPENAI_API_KEY."""

import sys

from smolagents import OpenAIServerModel, ToolCallingAgent, tool

import agentops_otel

agentops_otel.init()


@tool
def weather(city: str) -> str:
    """Say the weather of a city.

    Args:
        city: The city.
    """
    return f"sunny in {city}"


guide = ToolCallingAgent([weather], OpenAIServerModel("gpt-4.1"), name="guide", max_steps=1)
print(guide.run(sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"))
