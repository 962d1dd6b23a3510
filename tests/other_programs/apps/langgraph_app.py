"""A graph of one step, which asks a model."""

from typing import TypedDict

from ask import ask
from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    """What is asked, and the answer."""

    text: str
    answer: str


def step(state: State) -> State:
    """Ask."""
    return {"answer": ask(state["text"])}


graph = StateGraph(State).add_node("step", step).add_edge(START, "step").add_edge("step", END).compile()
