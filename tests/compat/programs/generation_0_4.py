"""For AgentOps 0.4: decorators on functions and classes, and traces."""

import asyncio
from collections.abc import Iterator

import agentops_otel as agentops
from agentops_otel import TraceState, agent, guardrail, operation, session, task, tool, trace, workflow


@agent(name="Writer")
class Writer:
    """An agent."""

    def __init__(self, style: str) -> None:
        self.style = style

    @operation
    def draft(self, topic: str) -> str:
        """One step."""
        return self.polish(f"{self.style} {topic}")

    @tool(name="polisher", cost=0.05)
    def polish(self, text: str) -> str:
        """A tool with a price."""
        return text.title()

    @task(version="1")
    async def publish(self) -> bool:
        """A coroutine."""
        return True


@guardrail(spec="input")
def check(text: str) -> bool:
    """A guardrail."""
    return bool(text)


@workflow(name="paragraphs")
def paragraphs() -> Iterator[int]:
    """A generator."""
    yield 1
    yield 2


@trace(name="whole run", tags=["nightly"])
def run() -> str:
    """All of it."""
    writer = Writer("dry")
    assert check("x")
    text = writer.draft("tea")
    asyncio.run(writer.publish())
    return text + str(list(paragraphs()))


@session
def older_run() -> int:
    """By the older name."""
    return 1


def main() -> None:
    """The program."""
    agentops.configure(default_tags=["v0.4"])
    auto = agentops.init(
        trace_name="auto", auto_start_session=True, log_level="INFO", fail_safe=True, export_flush_interval=1000
    )
    assert auto.session_id
    run()
    older_run()
    context = agentops.start_trace(trace_name="by hand", tags={"team": "a"})
    agentops.update_trace_metadata({"attempt": 2, "ok": True, "note": "text", "list": [1]})
    check("y")
    agentops.end_trace(context, TraceState.ERROR)
    with agentops.start_trace("in a block"):
        check("z")
    agentops.end_trace(agentops.start_trace("odd"), "Completed")
    agentops.end_trace(None, "Success")
