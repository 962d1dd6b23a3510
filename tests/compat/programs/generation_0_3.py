"""For AgentOps 0.3: several sessions at once, agents made by hand, `record_action` and `record_tool`."""

import agentops_otel as agentops
from agentops_otel import ActionEvent, record_action, record_tool


@record_action("plan")
def plan(goal: str) -> list[str]:
    """An action."""
    return [goal]


@record_tool(tool_name="calculator")
def calculate(expression: str) -> int:
    """A tool."""
    return len(expression)


def main() -> None:
    """The program."""
    agentops.set_api_key("11111111-2222-3333-4444-555555555555")
    agentops.set_parent_key("parent")
    agentops.init(
        default_tags=["v0.3"], instrument_llm_calls=True, auto_start_session=False, skip_auto_end_session=False
    )
    assert agentops.get_api_key() == "11111111-2222-3333-4444-555555555555"
    one = agentops.start_session(tags=["one"], inherited_session_id="session-one")
    two = agentops.start_session(tags=["two"])
    plan("in one", session=one)  # type: ignore[call-arg]  # taken off by record_action
    plan("in two", session=two)  # type: ignore[call-arg]  # taken off by record_action
    agent_id = one.create_agent(name="by hand")
    one.record(ActionEvent(action_type="think", agent_id=agent_id))
    agentops.create_agent("named", agent_id="agent-7")
    calculate("1+1")
    two.record(ActionEvent(action_type="speak", agent_id="agent-7"))
    assert agentops.get_session("session-one") is one
    one.add_tags(["more"])
    one.set_video("https://video")
    print(one.get_analytics())
    one.end_session(end_state="Success", is_auto_end=False)
    assert one.has_ended
    agentops.end_all_sessions()
    assert two.has_ended
    agentops.stop_instrumenting()
