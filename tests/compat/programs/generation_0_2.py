"""For AgentOps 0.1 to 0.2: functions of the module, event classes, `record_function`, tracked agents."""

import agentops_otel as agentops
from agentops_otel import ActionEvent, ErrorEvent, LLMEvent, ToolEvent, record_function, track_agent


@track_agent(name="researcher")
class Researcher:
    """An agent."""

    def __init__(self, topic: str) -> None:
        self.topic = topic

    @record_function("research")
    def research(self) -> str:
        """Its work."""
        agentops.record(LLMEvent(prompt="q", completion="a", model="gpt-4", prompt_tokens=1, completion_tokens=2))
        return self.topic


def main() -> None:
    """The program."""
    agentops.init(parent_key="parent", max_wait_time=5000, tags=["v0.2"], auto_start_session=False)
    agentops.start_session(tags=["one"], config=None)
    Researcher(topic="tea").research()
    Researcher("coffee", agentops_name="second").research()  # type: ignore[call-arg]  # taken off by track_agent
    event = ActionEvent(action_type="click", params={"x": 1})
    event.returns = "clicked"
    agentops.record(event)
    tool = ToolEvent(name="browser", params={"url": "x"}, returns="page", logs="GET x")
    try:
        raise ConnectionError("refused")
    except ConnectionError as error:
        agentops.record(ErrorEvent(trigger_event=tool, exception=error))
    agentops.set_tags(["replaced"])
    agentops.end_session(end_state="Fail", end_state_reason="refused", video=None)
