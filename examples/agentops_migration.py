"""A program written for AgentOps, of any generation: only the import has changed.

Without AGENTOPS_API_KEY it is recorded locally; with one it is in your AgentOps dashboard as well.
"""

import asyncio
import os

import agentops_otel as agentops  # was: import agentops


# AgentOps 0.4: decorators on functions and classes.
@agentops.agent(name="Researcher")
class Researcher:
    """Looks things up."""

    @agentops.operation
    async def research(self, topic: str) -> str:
        """What is known about the topic."""
        if not polite(topic):
            return ""
        return await search(topic)


@agentops.tool(name="search", cost=0.01)
async def search(topic: str) -> str:
    return f"all about {topic}"


@agentops.guardrail(spec="input")
def polite(text: str) -> bool:
    return "!" not in text


# AgentOps 0.1 to 0.3: actions, tools, tracked agents and events.
@agentops.track_agent(name="Writer")
class Writer:
    """Writes them down."""

    @agentops.record_function("write")
    def write(self, facts: str) -> str:
        """A text of the facts."""
        agentops.record(
            agentops.LLMEvent(prompt=facts, completion="A text.", model="gpt-4o", prompt_tokens=9, completion_tokens=3)
        )
        return count(f"A text of {facts}.")


@agentops.track_tool("counter")
def count(text: str) -> str:
    return f"{text} ({len(text)} letters)"


def main() -> None:
    # AgentOps 0.0: a client object and events of one class.
    # With a key, what the program prints is in the Logs tab of its trace.
    client = agentops.Client(
        tags=["migration"],
        auto_start_session=False,
        max_wait_time=1000,
        upload_logs="AGENTOPS_API_KEY" in os.environ,
    )

    with agentops.start_trace("article", tags=["tea"]) as trace:
        agentops.update_trace_metadata({"edition": 2})
        facts = asyncio.run(Researcher().research("tea"))
        print(Writer().write(facts))
        client.record(
            agentops.Event("published", returns="https://example.com/tea", result=agentops.EventState.SUCCESS)
        )

    editor = agentops.create_agent("Editor")
    one, two = agentops.start_session(["one"]), agentops.start_session(["two"])
    one.record(agentops.ActionEvent(action_type="review", agent_id=editor))
    two.record(agentops.ToolEvent(name="spell checker", params={"text": facts}, returns="no mistakes"))
    one.end_session("Success", end_state_reason="reviewed")
    agentops.end_all_sessions()
    print("trace", trace.trace_id)


if __name__ == "__main__":
    main()
