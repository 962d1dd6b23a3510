"""OpenAI Agents: an agent with a tool. `pip install openai-agents`, and a key in OPENAI_API_KEY."""

import sys

from agents import Agent, Runner, function_tool, set_default_openai_api, set_tracing_disabled

import agentops_otel

agentops_otel.init()
set_tracing_disabled(True)  # else its own spans go to OpenAI
set_default_openai_api("chat_completions")


@function_tool
def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = Agent(name="guide", model="gpt-4.1", tools=[weather])
question = sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"
print(Runner.run_sync(guide, question).final_output)
