"""A program that does not know where its spans go: an agent with an LLM call, a tool, and a tool that fails."""

import agentops_otel as agentops


@agentops.tool
def weather(city: str) -> str:
    """What the sky is like."""
    return f"rain in {city}"


@agentops.record_tool("clock")
def clock() -> str:
    """What time it is, if there were time."""
    raise TimeoutError("too slow")


@agentops.agent(name="Planner")
def plan(question: str) -> str:
    """Asks a model, then its tools."""
    agentops.record(
        agentops.LLMEvent(
            prompt=question, completion="I look it up.", model="gpt-4o", prompt_tokens=9, completion_tokens=4
        )
    )
    try:
        clock()
    except TimeoutError:
        return weather("Oslo")
    return "never"


@agentops.record_action("answer")
def answer(question: str) -> str:
    """What the program is for."""
    return plan(question)


def main() -> None:
    """One run, one session."""
    agentops.init(tags=["nightly"], console=False)
    agentops.start_session(name="report")
    answer("Weather in Oslo?")
    agentops.end_session("Success")


if __name__ == "__main__":
    main()
