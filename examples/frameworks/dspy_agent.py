"""DSPy: an agent with a tool. `pip install dspy litellm`, and a key in OPENAI_API_KEY."""

import sys

import dspy

import agentops_otel

agentops_otel.init()
lm = dspy.LM("openai/gpt-4.1", cache=False, engine="litellm")  # its calls have spans
dspy.configure(lm=lm, adapter=dspy.JSONAdapter())


def weather(city: str) -> str:
    """Say the weather of a city."""
    return f"sunny in {city}"


guide = dspy.ReAct("question -> answer", tools=[weather])
print(guide(question=sys.argv[1] if len(sys.argv) > 1 else "How is the weather in Paris?").answer)
