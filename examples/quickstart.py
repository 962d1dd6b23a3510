"""A small agent, traced: nested actions, a stream, a failure that is handled, and the real OpenAI client.

Without OPENAI_API_KEY it talks to a scripted server that it starts on loopback.
"""

import asyncio
import os
from collections.abc import Iterator

import openai
from scripted_llm import scripted_llm

import agentops_otel
from agentops_otel import record_action, record_tool

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")


@record_action("plan", tags=["quickstart"])
def plan(question: str) -> list[str]:
    answer = openai.OpenAI().chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Name two cities that answer the question, separated by a comma."},
            {"role": "user", "content": question},
        ],
    )
    return [city.strip() for city in (answer.choices[0].message.content or "").split(",")]


@record_tool("weather")
async def weather(city: str, unit: str = "celsius") -> dict[str, object]:
    await asyncio.sleep(0.02)
    if city == "Atlantis":
        raise LookupError(f"no weather station in {city}")
    return {"city": city, "unit": unit, "temperature": 21}


@record_action("research")
async def research(cities: list[str]) -> list[object]:
    return await asyncio.gather(*(weather(city) for city in cities), return_exceptions=True)


@record_action("write")
def write(facts: list[object]) -> Iterator[str]:
    chunks = openai.OpenAI().chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": f"Say in one sentence where to go: {facts}"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in chunks:
        if chunk.choices:
            yield chunk.choices[0].delta.content or ""


@record_action("agent")
def agent(question: str) -> str:
    facts = asyncio.run(research([*plan(question), "Atlantis"]))
    return "".join(write(facts))


def main() -> None:
    client = agentops_otel.init(service_name="quickstart", console=True, upload_metrics=True)
    with scripted_llm():
        answer = agent("Where is it warm in November?")
    agentops_otel.flush()
    print(f"\n{answer}\n")
    if client.trace_file:
        print(f"The trace is in {client.trace_file}; `agentops-otel show` prints it again.")
    print("To see it in Jaeger, start `jaeger`, run this again and open http://localhost:16686.")


if __name__ == "__main__":
    main()
