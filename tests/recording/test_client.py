"""The decorators, `record` and the threads of the running client."""

import asyncio
import threading

import pytest
from opentelemetry.trace import Link, get_current_span, get_tracer

import agentops_otel
from agentops_otel import sdk
from agentops_otel.testing import capture


@agentops_otel.record_action
def step(x: int) -> int:
    """A step that is decorated before there is a client."""
    return x


def test_functions_decorated_before_init_are_recorded_from_then_on() -> None:
    """Without a client a call is the bare call; with one it is a span; afterwards it is the bare call again."""
    step(1)
    with capture(capture_content=False) as captured:
        step(2)
        captured.client.tool(step)(3)
        agentops_otel.record(agentops_otel.Event("event"))
        captured.client.record(agentops_otel.Event("another"))
    step(4)

    assert [span.name for span in captured.spans] == ["step", "step", "execute_tool step", "event", "another"]


def test_recording_without_a_client_warns(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that nobody records is said in the log."""
    monkeypatch.setattr(sdk._running, "warned", set())  # those of earlier tests
    agentops_otel.record(agentops_otel.Event("lost"))

    assert [message for message in caplog.messages if "record() recorded nothing" in message]


def test_client_carries_its_spans_into_threads_if_asked() -> None:
    """`propagate_threads` holds as long as the client runs."""
    seen = []

    @agentops_otel.operation
    def start() -> None:
        thread = threading.Thread(target=lambda: seen.append(get_current_span().get_span_context().is_valid))
        thread.start()
        thread.join()

    with capture(capture_content=False, propagate_threads=True):
        start()
    with capture(capture_content=False):
        start()

    assert seen == [True, False]


def test_session_argument_brings_the_tags_of_its_session() -> None:
    """A call with `session=` has that session's tags before its own, whatever the current session is."""

    @agentops_otel.record_action(tags=["act"])
    async def act() -> None: ...

    with capture() as captured:
        one, _ = captured.client.start_session(["one"]), captured.client.start_session(["two"])
        asyncio.run(act(session=one))  # type: ignore[call-arg]  # the decorator takes it off again
        one.record(agentops_otel.Event("event", tags=["event"]))

    tags = {span.name: (span.attributes or {}).get("agentops.tags") for span in captured.spans}
    assert (tags["act"], tags["event"]) == (("one", "act"), ("one", "event"))


def test_a_capture_has_opentelemetrys_limits_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """128 of each, and texts of any length, also of spans that the program makes itself."""
    for variable in (
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_SPAN_EVENT_COUNT_LIMIT",
        "OTEL_SPAN_LINK_COUNT_LIMIT",
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    ):
        monkeypatch.setenv(variable, "1")
    attributes = {f"name {number}": "long" for number in range(200)}
    with capture() as captured:
        with get_tracer("app").start_as_current_span("outer") as outer:
            links = [Link(outer.get_span_context(), attributes)] * 200
            with get_tracer("app").start_as_current_span("inner", attributes=attributes, links=links) as inner:
                for _ in range(200):
                    inner.add_event("event", attributes)
        [span, _] = captured.spans

    assert span.attributes is not None
    assert (len(span.attributes), len(span.events), len(span.links)) == (128, 128, 128)
    assert {len(event.attributes or {}) for event in span.events} == {128}
    assert {len(link.attributes or {}) for link in span.links} == {128}
    assert set(span.attributes.values()) == {"long"}
