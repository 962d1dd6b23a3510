"""LangGraph: a graph with an agent in it. `pip install langchain langchain-openai`, and a key in OPENAI_API_KEY."""

import sys

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph

import agentops_otel

agentops_otel.init()


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


def confirm(state: MessagesState) -> MessagesState:
    return {"messages": [{"role": "assistant", "content": f"Booked: {state['messages'][-1].content}"}]}


guide = create_agent(ChatOpenAI(model="gpt-4.1"), tools=[weather], name="guide")
graph = StateGraph(MessagesState)
graph.add_node("guide", guide)
graph.add_node("confirm", confirm)
graph.add_edge(START, "guide")
graph.add_edge("guide", "confirm")
graph.add_edge("confirm", END)
trip = graph.compile(name="trip")

question = sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?"
said = trip.invoke({"messages": [{"role": "user", "content": question}]}, {"configurable": {"thread_id": "thread-1"}})
print(said["messages"][-1].content)
