"""Recorded events, in the words of every AgentOps generation."""

import re
import time
from typing import Any

import pytest
from inline_snapshot import snapshot

from agentops_otel.recording.event_spans import record
from agentops_otel.recording.events import (
    ActionEvent,
    ActionType,
    ErrorEvent,
    Event,
    EventState,
    LLMEvent,
    Models,
    ToolEvent,
    nanoseconds,
)
from tests.recording.conftest import Recording

NOON = 1_767_268_800.0


def test_a_name_is_the_word_that_it_stands_for() -> None:
    """Of models, results and types: AgentOps's words, which programs compare with."""
    models = {model.name: re.sub("[-.]", "_", model).upper() for model in Models}
    results = {state.name: state.upper() for state in EventState}
    types = {kind.name: kind.upper() for kind in ActionType}

    assert all(name == word for name, word in (models | results | types).items())
    assert list(EventState) == ["Success", "Fail", "Indeterminate"]
    assert list(ActionType) == ["action", "llm", "api", "screenshot", "tool"]


def test_a_time_without_a_zone_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the machine is; one with a zone is in that."""
    texts = ("2026-01-01T12:00:00", "2026-01-01T12:00:00Z", "2026-01-01T13:00:00+01:00")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        read = [nanoseconds("init_timestamp", text, 0) for text in texts]
    time.tzset()

    assert read == [int(NOON * 1e9)] * 3


def test_event_says_what_happened_and_when(recording: Recording) -> None:
    """Type, parameters, result, tags and times of an event are those of its span, under the current one."""

    @recording.decorators.agent
    def work() -> None:
        event = Event(
            "api call",
            params={"url": "/x"},
            returns=[1],
            result="Success",
            action_type="api",
            tags=["event"],
            init_timestamp=NOON,
            end_timestamp="2026-01-01T12:00:01.500Z",
        )
        record(recording.recorder, event)

    work()

    assert recording.tree() == snapshot(
        [
            {
                "name": "invoke_agent work",
                "attributes": {
                    "agentops.span.kind": "agent",
                    "gen_ai.agent.name": "work",
                    "gen_ai.operation.name": "invoke_agent",
                },
                "children": [
                    {
                        "name": "api call",
                        "attributes": {
                            "agentops.action.type": "api",
                            "agentops.entity.input": '{"url": "/x"}',
                            "agentops.entity.output": "[1]",
                            "agentops.event.result": "Success",
                            "agentops.span.kind": "operation",
                            "agentops.tags": ["session", "event"],
                            "gen_ai.agent.name": "work",
                            "operation.name": "api call",
                        },
                    }
                ],
            }
        ]
    )
    assert [recording.spans[0].start_time, recording.spans[0].end_time] == [
        1_767_268_800_000_000_000,
        1_767_268_801_500_000_000,
    ]


def test_event_lasts_from_its_making_to_its_recording(recording: Recording) -> None:
    """An event without times began when it was made; with a timestamp alone it has no duration."""
    before = time.time()
    lasting = Event("lasting")
    point = Event("point", timestamp=NOON)
    after = time.time()

    record(recording.recorder, lasting)
    record(recording.recorder, point)

    assert isinstance(lasting.timestamp, float)
    assert before <= lasting.timestamp <= after
    spans = {span.name: (span.start_time, span.end_time) for span in recording.spans}
    assert spans["point"] == (int(NOON * 1e9), int(NOON * 1e9))
    assert spans["lasting"][0] == int(lasting.timestamp * 1e9)


def test_event_that_ends_before_it_began_has_no_duration(recording: Recording) -> None:
    """A clock that went backwards makes no negative duration."""
    record(recording.recorder, Event("odd", init_timestamp=NOON, end_timestamp=NOON - 1))

    assert recording.spans[0].start_time == recording.spans[0].end_time


def test_event_with_a_model_is_a_chat(recording: Recording) -> None:
    """A model without an action type makes it llm: a CLIENT span with the messages, the provider left out."""
    event = Event("draft", prompt="hello", returns="hi", model=Models.GPT_4, prompt_tokens=3, completion_tokens=1)

    record(recording.recorder, event)

    assert event.action_type is ActionType.LLM
    assert recording.tree() == snapshot(
        [
            {
                "name": "chat gpt-4",
                "kind": "CLIENT",
                "attributes": {
                    "agentops.action.type": "llm",
                    "agentops.event.result": "Indeterminate",
                    "agentops.span.kind": "llm",
                    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]',
                    "gen_ai.operation.name": "chat",
                    "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "hi"}]}]',
                    "gen_ai.request.model": "gpt-4",
                    "gen_ai.usage.input_tokens": 3,
                    "gen_ai.usage.output_tokens": 1,
                    "operation.name": "draft",
                },
            }
        ]
    )


@pytest.mark.parametrize(
    ("prompt", "content"),
    [("all the content", '"all the content"'), ({"role": "user", "text": "hi"}, '{"role": "user", "text": "hi"}')],
)
def test_a_prompt_that_is_no_message_is_the_content_of_one(prompt: Any, content: str, recording: Recording) -> None:
    """A text, whatever words are in it, and a mapping of another shape."""
    record(recording.recorder, LLMEvent(prompt=prompt))

    [span] = recording.spans
    assert (span.attributes or {})["gen_ai.input.messages"] == (
        f'[{{"role": "user", "parts": [{{"type": "text", "content": {content}}}]}}]'
    )


def test_llm_event_says_messages_tokens_and_cost(recording: Recording) -> None:
    """An LLMEvent takes a list of messages and a message as completion."""
    record(
        recording.recorder,
        LLMEvent(
            prompt=[{"role": "system", "content": "be brief"}],
            completion={"role": "assistant", "content": "hi"},
            model="my-model",
            prompt_tokens=12,
            completion_tokens=2,
            cost=0.5,
            thread_id="thread",
        ),
    )

    assert recording.tree() == snapshot(
        [
            {
                "name": "chat my-model",
                "kind": "CLIENT",
                "attributes": {
                    "agentops.action.type": "llm",
                    "agentops.span.kind": "llm",
                    "agentops.usage.cost": 0.5,
                    "gen_ai.conversation.id": "thread",
                    "gen_ai.input.messages": '[{"role": "system", "parts": [{"type": "text", "content": "be brief"}]}]',
                    "gen_ai.operation.name": "chat",
                    "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "hi"}]}]',
                    "gen_ai.request.model": "my-model",
                    "gen_ai.usage.input_tokens": 12,
                    "gen_ai.usage.output_tokens": 2,
                },
            }
        ]
    )


def test_action_and_tool_events_name_their_span(recording: Recording) -> None:
    """An ActionEvent is called by its action, which is any text, a ToolEvent by its tool, others by their type."""
    record(recording.recorder, ActionEvent(action_type="plan", agent_id="a1", logs="log", screenshot="http://x"))
    record(recording.recorder, ActionEvent("custom"))
    record(recording.recorder, ToolEvent(name="search", params={"q": 1}, returns="r"))
    record(recording.recorder, Event("lookup", action_type="tool"))
    record(recording.recorder, LLMEvent())

    assert recording.tree() == snapshot(
        [
            {
                "name": "plan",
                "attributes": {
                    "agentops.action.type": "plan",
                    "agentops.event.logs": '"log"',
                    "agentops.event.screenshot": '"http://x"',
                    "agentops.span.kind": "operation",
                    "gen_ai.agent.id": "a1",
                    "operation.name": "plan",
                },
            },
            {
                "name": "custom",
                "attributes": {
                    "agentops.span.kind": "operation",
                    "operation.name": "custom",
                },
            },
            {
                "name": "execute_tool search",
                "attributes": {
                    "agentops.action.type": "tool",
                    "agentops.span.kind": "tool",
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.arguments": '{"q": 1}',
                    "gen_ai.tool.call.result": '"r"',
                    "gen_ai.tool.name": "search",
                },
            },
            {
                "name": "execute_tool lookup",
                "attributes": {
                    "agentops.action.type": "tool",
                    "agentops.event.result": "Indeterminate",
                    "agentops.span.kind": "tool",
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "lookup",
                    "operation.name": "lookup",
                },
            },
            {
                "name": "chat",
                "kind": "CLIENT",
                "attributes": {
                    "agentops.action.type": "llm",
                    "agentops.span.kind": "llm",
                    "gen_ai.operation.name": "chat",
                },
            },
        ]
    )


def test_failed_events_are_errors(recording: Recording) -> None:
    """Fail is status ERROR; an ErrorEvent says what it knows of the error, and links a trigger that has a span."""
    trigger = ToolEvent(name="search")
    known = ActionEvent("known")

    record(recording.recorder, Event("step", result=EventState.FAIL))
    record(recording.recorder, ErrorEvent(trigger_event=trigger, exception=LookupError("gone")))
    record(recording.recorder, known)
    record(
        recording.recorder,
        ErrorEvent(trigger_event=known, error_type="Timeout", code="504", details="too slow", logs="a trace"),
    )
    record(recording.recorder, ErrorEvent(details={"why": 1}))

    assert recording.tree() == snapshot(
        [
            {
                "name": "execute_tool search",
                "status": "ERROR: gone",
                "attributes": {
                    "agentops.action.type": "tool",
                    "agentops.event.result": "Fail",
                    "agentops.span.kind": "tool",
                    "error.type": "LookupError",
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "search",
                },
                "events": [{"name": "exception", "exception.message": "gone", "exception.type": "LookupError"}],
            },
            {
                "name": "known",
                "attributes": {
                    "agentops.span.kind": "operation",
                    "operation.name": "known",
                },
            },
            {
                "name": "step",
                "status": "ERROR: the event was recorded as failed",
                "attributes": {
                    "agentops.action.type": "action",
                    "agentops.event.result": "Fail",
                    "agentops.span.kind": "operation",
                    "error.type": "agentops.event.fail",
                    "operation.name": "step",
                },
            },
            {
                "name": "Timeout",
                "status": "ERROR: too slow",
                "attributes": {
                    "agentops.event.error.code": "504",
                    "agentops.event.logs": '"a trace"',
                    "agentops.event.result": "Fail",
                    "agentops.event.trigger": "known",
                    "agentops.span.kind": "operation",
                    "error.type": "Timeout",
                    "operation.name": "Timeout",
                },
            },
            {
                "name": "error",
                "status": "ERROR: the event was recorded as failed",
                "attributes": {
                    "agentops.entity.output": '{"why": 1}',
                    "agentops.event.result": "Fail",
                    "agentops.span.kind": "operation",
                    "error.type": "agentops.event.fail",
                    "operation.name": "error",
                },
            },
        ]
    )
    links = {span.name: [link.context for link in span.links] for span in recording.spans}
    assert links["Timeout"] == [known.span_context]


def test_an_error_fails_its_trigger(recording: Recording) -> None:
    """One failure is one span: the tool that failed, with its own arguments and what the error knows."""
    tool = ToolEvent(name="search", params={"q": "oslo"})
    error = ErrorEvent(trigger_event=tool, error_type="Timeout", code="504", details="too slow", logs="a trace")

    record(recording.recorder, error)

    assert recording.tree() == snapshot(
        [
            {
                "name": "execute_tool search",
                "status": "ERROR: too slow",
                "attributes": {
                    "agentops.action.type": "tool",
                    "agentops.event.error.code": "504",
                    "agentops.event.logs": '"a trace"',
                    "agentops.event.result": "Fail",
                    "agentops.span.kind": "tool",
                    "error.type": "Timeout",
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.arguments": '{"q": "oslo"}',
                    "gen_ai.tool.name": "search",
                },
            }
        ]
    )
    assert error.span_context == tool.span_context


@pytest.mark.parametrize(("given", "kind"), [(None, "LookupError"), ("Mine", "Mine"), ("", "LookupError")])
def test_an_errors_type_is_the_given_one_or_its_exceptions(given: str | None, kind: str) -> None:
    """As AgentOps 0.3 has it."""
    assert ErrorEvent(exception=LookupError("gone"), error_type=given).error_type == kind


def test_error_event_made_while_an_error_is_handled_has_its_stack(recording: Recording) -> None:
    """As in AgentOps 0.3, the stack trace need not be given."""
    try:
        raise LookupError("gone")
    except LookupError:
        event = ErrorEvent(error_type="Mine")

    record(recording.recorder, event)

    (span,) = recording.spans
    assert "LookupError: gone" in str((span.attributes or {})["agentops.event.logs"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"result": "Perfect"}, "result='Perfect' is none of Success, Fail, Indeterminate"),
        ({"action_type": "dance"}, "action_type='dance' is none of action, llm, api, screenshot, tool"),
        ({"timestamp": "yesterday"}, "timestamp='yesterday' is no time"),
        ({"init_timestamp": -1}, "init_timestamp=-1 is no time"),
        ({"end_timestamp": float("nan")}, "end_timestamp=nan is no time"),
        ({"end_timestamp": []}, r"end_timestamp=\[\] is no time"),
    ],
)
def test_wrong_word_or_time_is_refused_when_the_event_is_made(arguments: dict[str, Any], message: str) -> None:
    """What cannot be right raises a ValueError that says what would be."""
    with pytest.raises(ValueError, match=message):
        Event("x", **arguments)


@pytest.mark.parametrize("name", ["init_timestamp", "end_timestamp"])
def test_a_time_that_became_wrong_is_refused_when_the_event_is_recorded(name: str, recording: Recording) -> None:
    """By its name; no span says that it began in another century."""
    event = Event("x")
    setattr(event, name, -1)

    with pytest.raises(ValueError, match=f"^{name}=-1 is no time"):
        record(recording.recorder, event)

    assert recording.spans == ()


def test_words_are_known_in_any_case() -> None:
    """The first release wrote SUCCESS, later ones Success."""
    assert Event("x", result="SUCCESS").result is EventState.SUCCESS
    assert Event("x", action_type="API").action_type is ActionType.API


def test_only_events_are_recorded(recording: Recording) -> None:
    """Anything else is a TypeError."""
    with pytest.raises(TypeError, match="record\\(\\) takes an Event, not str"):
        record(recording.recorder, "step")  # type: ignore[arg-type]  # wrong on purpose


def test_the_oldest_events_words_are_understood() -> None:
    """AgentOps 0.0.2 called the result of the work `output`, and had the tags where the action type came to stand."""
    named = Event("search", params={"q": 1}, output="found", result="SUCCESS")
    placed = Event("search", {"q": 1}, "found", "Success", ["a", "b"])

    assert (named.returns, named.result) == ("found", "Success")
    assert (placed.returns, placed.tags, placed.action_type) == ("found", ["a", "b"], "action")


@pytest.mark.parametrize("seconds", [0, 0.5, "1970-01-01", 253_402_300_799])
def test_any_time_of_the_epoch_is_one(seconds: float | str) -> None:
    """Up to the end of the year 9999; what is outside is refused."""
    expected = 0 if isinstance(seconds, str) else int(seconds * 1e9)

    assert nanoseconds("init_timestamp", Event("e", timestamp=seconds).timestamp, 1) == expected
    for outside in (-0.5, 253_402_300_800):
        with pytest.raises(ValueError, match="is no time"):
            Event("e", timestamp=outside)
