"""A model of dspy's that asks by way of litellm; its own engine is no client that we know."""

import os

if os.environ.get("PROGRAM_INIT"):
    import agentops_otel

    agentops_otel.init()

import dspy

if __name__ == "__main__":
    where = {"api_base": os.environ["MODEL_URL"] + "/v1", "api_key": "none"}
    model = dspy.LM("openai/gpt-4.1", **where, engine="litellm", cache=False)
    print(model("hi"))
