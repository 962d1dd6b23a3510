"""LangChain: an agent with a tool. `pip install langchain langchain-openai`, and a key in OPENAI_API_KEY."""

import sys

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

import agentops_otel

agentops_otel.init()


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = create_agent(ChatOpenAI(model="gpt-4.1"), [weather], name="guide")
question = sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"
print(guide.invoke({"messages": [("user", question)]})["messages"][-1].content)
