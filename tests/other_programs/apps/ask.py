"""One LLM call, for the programs here; with `PROGRAM_INIT` the program calls `init()`."""

import os

if os.environ.get("PROGRAM_INIT"):
    import agentops_otel

    agentops_otel.init()

import openai


def ask(text="hi"):
    """The model's answer."""
    with openai.OpenAI(base_url=os.environ["MODEL_URL"] + "/v1", api_key="none") as client:
        request = [{"role": "user", "content": str(text)}]
        return client.chat.completions.create(model="gpt-4.1", messages=request).choices[0].message.content
