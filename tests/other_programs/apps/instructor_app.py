"""A structured answer by way of instructor."""

import os

if os.environ.get("PROGRAM_INIT"):
    import agentops_otel

    agentops_otel.init()

import instructor
import openai
from pydantic import BaseModel


class Answer(BaseModel):
    """What is asked for."""

    city: str


if __name__ == "__main__":
    with openai.OpenAI(base_url=os.environ["MODEL_URL"] + "/v1", api_key="none") as client:
        request = [{"role": "user", "content": "hi"}]
        ask = instructor.from_openai(client, mode=instructor.Mode.JSON).chat.completions.create
        print(ask(model="gpt-4.1", messages=request, response_model=Answer))
