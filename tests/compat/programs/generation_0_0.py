"""For AgentOps 0.0.x: a client object, `record_action`, events with models."""

import asyncio
import logging

import agentops_otel as agentops
from agentops_otel import AgentOpsLogger, Client, Event, EventState, Models


def main() -> None:
    """The program."""
    ao_client = Client(
        api_key="11111111-2222-3333-4444-555555555555",
        tags=["beta", "tenant 1"],
        max_wait_time=1000,
        max_queue_size=100,
        override=True,
        bypass_new_session=True,
    )
    ao_client.start_session(tags=["first"])

    @ao_client.record_action("sample function being recorded")
    def sample_function(prompt: str, temperature: float = 0.5) -> tuple[str, int]:
        return prompt.upper(), 3

    @ao_client.record_action(event_type="async function", tags=["async"])
    async def later() -> str:
        return "done"

    @ao_client.record_action("failing")
    def failing() -> None:
        raise ValueError("no luck")

    sample_function("hello")
    asyncio.run(later())
    try:
        failing()
    except ValueError as error:
        failing.reason = str(error)  # type: ignore[attr-defined]  # programs do
    ao_client.record(
        Event(
            "openai chat completion",
            params={"temperature": 0},
            returns="hi",
            result=EventState.SUCCESS,
            action_type="llm",
            model=Models.GPT_3_5_TURBO,
            prompt="hello",
            prompt_tokens=5,
            completion_tokens=1,
        )
    )
    ao_client.record(Event("plain event"))
    ao_client.add_tags(["added"])
    logger = AgentOpsLogger.get_agentops_logger(ao_client, "generation_0_0_logger")
    logger.propagate = False
    logger.error("something broke")
    logging.getLogger("generation_0_0_logger").handlers.clear()
    ao_client.end_session("Success", rating="5 stars", end_state_reason="finished", video="https://video")
    assert str(agentops.SessionState.SUCCESS) == "Success"
