"""A model of dspy's, which asks by way of litellm."""

import os

if os.environ.get("PROGRAM_INIT"):
    import agentops_otel

    agentops_otel.init()

import dspy

if __name__ == "__main__":
    model = dspy.LM("openai/gpt-4.1", api_base=os.environ["MODEL_URL"] + "/v1", api_key="none", cache=False)
    print(model("hi"))
