"""CrewAI: a crew of one agent with a tool. `pip install crewai`, and a key in OPENAI_API_KEY."""

import sys

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

import agentops_otel

agentops_otel.init()


@tool("weather")
def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


question = sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"
model = LLM(model="openai/gpt-4.1")
guide = Agent(role="guide", goal="Say the weather.", backstory="You are local.", llm=model, tools=[weather])
trip = Task(name="trip", description=question, expected_output="The weather.", agent=guide)
print(Crew(name="travel", agents=[guide], tasks=[trip]).kickoff().raw)
