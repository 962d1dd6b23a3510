"""What older AgentOps SDKs call on a client, on the client itself."""

from typing import Any

import pytest

import agentops_otel
from agentops_otel.testing import Capture, capture


@pytest.mark.parametrize(
    ("key", "attribute"),
    [
        ("agent_id", "gen_ai.agent.id"),
        ("agent_name", "gen_ai.agent.name"),
        ("error_type", "error.type"),
        ("operation_name", "operation.name"),
        ("operation_version", "operation.version"),
        ("tool_name", "gen_ai.tool.name"),
        ("workflow_name", "gen_ai.workflow.name"),
        ("anything", "trace.metadata.anything"),
    ],
)
def test_metadata_has_the_attribute_that_it_is_known_by(key: str, attribute: str) -> None:
    """Any other key stands behind the prefix, and nothing is set without a trace."""
    with capture() as captured:
        client: Any = captured.client
        assert client.update_trace_metadata({key: "lost"}) is False
        client.start_trace("run")
        assert client.update_trace_metadata({key: "value", "tags": {"a": 1}}) is True
        assert client.update_trace_metadata({"x": 1, "agentops.tags": ["b"]}, prefix="own") is True
        client.end_trace()

    (span,) = captured.spans
    attributes = dict(span.attributes or {})
    assert attributes[attribute] == "value"
    assert attributes["own.x"] == 1
    assert attributes["agentops.tags"] == ("b",)
    assert not [name for name in attributes if "tags" in name and name != "agentops.tags"]


def _ends(captured: Capture) -> list[tuple[object, ...]]:
    found = [(span.name, span.attributes or {}) for span in captured.spans]
    names = ("agentops.session.end_state", "agentops.session.end_state_reason")
    return [(name.removeprefix("invoke_workflow "), *map(attributes.get, names)) for name, attributes in found]


def test_traces_are_ended_from_the_innermost_with_any_word() -> None:
    """One, or all that are open; a word that is no state is the reason of one that is not known."""
    with capture() as captured:
        client: Any = captured.client
        first, second, third = (client.start_trace(name) for name in ("first", "second", "third"))
        assert client.current_session_ids == [trace.session_id for trace in (first, second, third)]
        assert client.get_session(str(second.session_id)) is second
        assert client.get_session("none") is None
        client.end_trace(second, "Completed")
        client.end_trace()
        client.start_trace()
        client.end_all_sessions()
        assert client.current_session_ids == []

    assert _ends(captured) == [
        ("second", "Indeterminate", "Completed"),
        ("third", "Success", None),
        ("first", "Success", None),
        ("session", "Indeterminate", None),
    ]


@pytest.mark.parametrize(
    ("given", "tags"),
    [(None, None), ("one", ("one",)), (["a", 2], ("a", "2")), ({"k": 1, "v": 2}, ("k:1", "v:2")), (7, ("7",))],
)
def test_the_tags_of_a_trace_are_given_in_any_form(given: Any, tags: tuple[str, ...] | None) -> None:
    """One, several, or a mapping."""
    with capture() as captured:
        client: Any = captured.client
        client.start_trace("run", given)
        client.end_trace()

    (span,) = captured.spans
    assert (span.attributes or {}).get("agentops.tags") == tags


def test_an_agent_is_named_by_its_id() -> None:
    """A new one, or the one that is given; events that have only the id say the name."""
    with capture() as captured:
        client: Any = captured.client
        identity = client.create_agent("Ann")
        assert client.create_agent("Bob", agent_id=7) == "7"
        for number in (identity, "7"):
            agentops_otel.record(agentops_otel.ActionEvent("act", agent_id=number))

    assert len({identity, client.create_agent("Ann")}) == 2
    named = [(span.attributes or {}).get("gen_ai.agent.name") for span in captured.spans]
    assert named == ["Ann", "Bob"]
