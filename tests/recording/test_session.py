"""Sessions and tags: what every span carries, and where spans nest."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.context import Context

import agentops_otel
from agentops_otel import sdk
from agentops_otel.testing import Capture, capture
from tests.many_threads import THREADS, at_once
from tests.program import run


def step(name: str) -> None:
    """A span of ours, begun and ended."""
    recorder = sdk.current()
    assert recorder is not None

    recorder.end(recorder.start(name))


def open_sessions() -> tuple[agentops_otel.Session, ...]:
    """Those of the running client."""
    client = sdk.client()
    assert client is not None
    return client.sessions.open


def outline(captured: Capture) -> list[object]:
    """The tree as nested names."""

    def names(nodes: object) -> list[object]:
        assert isinstance(nodes, list)
        return [[node["name"], *names(node["children"])] if "children" in node else node["name"] for node in nodes]

    return names(captured.tree())


def test_spans_nest_under_the_session(agentops_spans: Capture) -> None:
    """What starts between start and end of a session is in its trace; what comes after is not."""
    agentops_otel.start_session(["nightly"], name="batch")
    step("inside")
    agentops_otel.end_session("Success", rating=5, end_state_reason="all done")
    step("after")

    assert agentops_spans.tree() == snapshot(
        [
            {
                "name": "invoke_workflow batch",
                "attributes": {
                    "agentops.session.end_state": "Success",
                    "agentops.session.end_state_reason": "all done",
                    "agentops.session.rating": "5",
                    "agentops.span.kind": "session",
                    "agentops.tags": ["nightly"],
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "batch",
                },
                "children": [{"name": "inside", "attributes": {"agentops.tags": ["nightly"]}}],
            },
            {"name": "after"},
        ]
    )


def test_session_block_ends_by_itself(agentops_spans: Capture) -> None:
    """A session as a context manager is a success, or failed by the exception that leaves it, which passes on."""
    with agentops_otel.start_session(name="good"):
        pass
    with pytest.raises(LookupError), agentops_otel.start_session(name="bad"):
        raise LookupError("nothing there")

    assert agentops_spans.tree() == snapshot(
        [
            {
                "name": "invoke_workflow good",
                "attributes": {
                    "agentops.session.end_state": "Success",
                    "agentops.span.kind": "session",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "good",
                },
            },
            {
                "name": "invoke_workflow bad",
                "status": "ERROR: nothing there",
                "attributes": {
                    "agentops.session.end_state": "Fail",
                    "agentops.span.kind": "session",
                    "error.type": "LookupError",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "bad",
                },
                "events": [
                    {"name": "exception", "exception.message": "nothing there", "exception.type": "LookupError"}
                ],
            },
        ]
    )


def test_every_span_carries_the_session_id(agentops_spans: Capture) -> None:
    """Spans of a session carry its id; spans outside carry one that holds for the run."""
    step("before")
    with agentops_otel.start_session(session_id="mine") as session:
        step("inside")
    step("after")

    ids = {span.name: (span.attributes or {})["session.id"] for span in agentops_spans.spans}
    assert (ids["inside"], ids["invoke_workflow session"]) == ("mine", "mine")
    assert ids["before"] == ids["after"] != "mine"
    assert session.trace_id == f"{2:032x}"


def test_new_threads_nest_under_the_open_session(agentops_spans: Capture) -> None:
    """A thread has no context of its own: its spans go under the session that is open."""
    with agentops_otel.start_session(name="threads"):
        thread = threading.Thread(target=step, args=("in a thread",))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(step, "in a pool").result()

    assert outline(agentops_spans) == [["invoke_workflow threads", "in a thread", "in a pool"]]


def test_a_context_that_is_given_counts(agentops_spans: Capture) -> None:
    """Not the one that is current; what has no span in it is a root, or in the session that is open."""
    recorder = sdk.current()
    assert recorder is not None
    with trace.get_tracer("app").start_as_current_span("current"):
        recorder.end(recorder.start("by itself", context=Context()))
        with agentops_otel.start_session(name="open"):
            recorder.end(recorder.start("in the session", context=Context()))

    assert sorted(map(str, outline(agentops_spans))) == [
        "['invoke_workflow open', 'in the session']",
        "by itself",
        "current",
    ]


def test_a_pools_threads_put_nothing_into_the_session_of_another_user(agentops_spans: Capture) -> None:
    """With the sessions of two users open, or one ended, what has no session around it belongs to none."""
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as of_ada, ThreadPoolExecutor(1) as of_bob:
        ada = of_ada.submit(agentops_otel.start_session, name="ada").result()
        pool.submit(step, "with ada alone").result()
        of_bob.submit(agentops_otel.start_session, name="bob").result()
        pool.submit(step, "with both").result()
        of_ada.submit(step, "in ada's own thread").result()
        ada.end_session("Success")
        of_ada.submit(step, "after ada's end").result()

    agentops_otel.end_all_sessions()
    assert outline(agentops_spans) == [
        ["invoke_workflow ada", "with ada alone", "in ada's own thread"],
        "invoke_workflow bob",
        "with both",
        "after ada's end",
    ]


def test_a_thread_is_in_the_innermost_of_nested_sessions(agentops_spans: Capture) -> None:
    """One program that opens a session within another has no other user."""
    with agentops_otel.start_session(name="outer"), agentops_otel.start_session(name="inner"):
        thread = threading.Thread(target=step, args=("in a thread",))
        thread.start()
        thread.join()

    assert outline(agentops_spans) == ["invoke_workflow outer", ["invoke_workflow inner", "in a thread"]]


def test_what_nobody_counts_is_not_said_to_be_nothing() -> None:
    """Beside the program's own provider, to which nothing of ours was added, calls are unknown and not 0."""
    finished = run(
        """
        import agentops_otel
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider

        trace.set_tracer_provider(TracerProvider())
        agentops_otel.init()
        session = agentops_otel.start_session()
        agentops_otel.record(agentops_otel.LLMEvent(model="m", prompt="a", completion="b"))
        print(session.get_analytics()["LLM calls"])
        session.end_session("Success")
        """
    )

    assert finished.stdout == "unknown\n"
    assert "session Success: " in finished.stderr
    assert "LLM call" not in finished.stderr


def test_a_session_is_a_trace_of_its_own(agentops_spans: Capture) -> None:
    """A session under an open span, or inside another session, starts a new trace and links back."""
    with trace.get_tracer("app").start_as_current_span("request"):
        with agentops_otel.start_session(name="outer"), agentops_otel.start_session(name="inner"):
            step("deep")
        step("after")

    assert sorted(map(str, outline(agentops_spans)), reverse=True) == [
        "invoke_workflow outer",
        "['request', 'after']",
        "['invoke_workflow inner', 'deep']",
    ]
    assert {span.name: len(span.links) for span in agentops_spans.spans if span.links} == {
        "invoke_workflow inner": 1,
        "invoke_workflow outer": 1,
    }


def test_ended_elsewhere_the_session_is_left_behind(agentops_spans: Capture) -> None:
    """A session that another thread ends is nobody's parent any more, though its context is still current here."""
    session = agentops_otel.start_session(name="short")
    thread = threading.Thread(target=session.end, args=("Success",))
    thread.start()
    thread.join()
    step("on its own")

    assert outline(agentops_spans) == ["invoke_workflow short", "on its own"]


def test_ending_twice_counts_once(agentops_spans: Capture) -> None:
    """The first end of a session decides; without a session, ending one does nothing."""
    session = agentops_otel.start_session()
    session.end("Fail")
    session.end("Success")
    agentops_otel.end_session("Success")

    (span,) = agentops_spans.spans
    assert (span.attributes or {})["agentops.session.end_state"] == "Fail"


@pytest.mark.parametrize(
    ("rating", "said"),
    [
        ("good", "good"),
        (5, "5"),
        (4.5, "4.5"),
        (True, "True"),
        ({"stars": 5, "password": "letmein"}, '{"stars":5,"password":"[redacted]"}'),
        (None, None),
    ],
)
def test_a_rating_is_said_as_a_text(rating: object, said: str | None, agentops_spans: Capture) -> None:
    """A number as it is, all else under the content policy."""
    agentops_otel.start_session().end("Success", rating=rating)

    (span,) = agentops_spans.spans
    assert (span.attributes or {}).get("agentops.session.rating") == said


def test_a_session_that_has_ended_stays_as_it_is(agentops_spans: Capture, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever ends it again changes nothing, and nothing is logged of it."""
    session = agentops_otel.start_session()
    session.end_session()
    session.end("Fail", rating=1)

    (span,) = agentops_spans.spans
    attributes = span.attributes or {}
    assert (session.end_state, attributes["agentops.session.end_state"]) == ("Indeterminate", "Indeterminate")
    assert "agentops.session.rating" not in attributes
    assert caplog.records == []


def test_an_event_is_recorded_in_the_session_that_is_asked(agentops_spans: Capture) -> None:
    """Though another one is current."""
    first, second = agentops_otel.start_session(name="first"), agentops_otel.start_session(name="second")
    first.record(agentops_otel.Event("happened"))
    second.end()
    first.end()

    traces = {span.name: span.context and f"{span.context.trace_id:032x}" for span in agentops_spans.spans}
    assert traces["happened"] == first.trace_id != second.trace_id


def test_what_is_said_of_a_session_is_what_it_is(agentops_spans: Capture) -> None:
    """Numbers stay numbers; a text and all else is content, and nothing is not said."""
    told = {"text": "my key is sk-proj-a1B2c3D4e5F6g7H8", "n": 1, "share": 0.5, "yes": True, "none": None, "list": [1]}
    session = agentops_otel.start_session()
    session.say({f"trace.metadata.{name}": value for name, value in told.items()})
    session.end()

    (span,) = agentops_spans.spans
    prefix = "trace.metadata."
    said = {name.removeprefix(prefix): value for name, value in (span.attributes or {}).items() if prefix in name}
    assert said == {"text": "my key is [redacted]", "n": 1, "share": 0.5, "yes": True, "list": "[1]"}
    assert type(said["yes"]) is bool


def test_a_failure_without_a_reason_is_said_in_a_sentence(agentops_spans: Capture) -> None:
    """The span's message is for people; what kind of failure it is stays in `error.type`."""
    agentops_otel.start_session().end("Fail")

    (span,) = agentops_spans.spans
    assert span.status.description == "the session ended as failed"
    assert (span.attributes or {})["error.type"] == "agentops.session.fail"


def test_tags_are_replaced_without_a_session(agentops_spans: Capture) -> None:
    """With no session open, set_tags counts for every span that follows."""
    agentops_otel.set_tags("one")  # a single tag may be given bare
    step("tagged")

    (span,) = agentops_spans.spans
    assert dict(span.attributes or {})["agentops.tags"] == ("one",)


def test_end_states_are_checked(agentops_spans: Capture) -> None:
    """An enum's value is as good as the word, in any case; another word is a ValueError that names the three."""

    class State(Enum):
        DONE = "success"

    agentops_otel.start_session()
    with pytest.raises(ValueError, match="'Done' is not one of Success, Fail, Indeterminate"):
        agentops_otel.end_session("Done")
    agentops_otel.end_session(State.DONE)

    assert [(span.attributes or {})["agentops.session.end_state"] for span in agentops_spans.spans] == ["Success"]


def test_tags_follow_their_changes() -> None:
    """Tags of init, added and set ones are on every span that starts after, and on the session's root."""
    with capture(tags=("a",)) as captured:
        step("one")
        agentops_otel.add_tags(["b", "a"])
        step("two")
        with agentops_otel.start_session(["c"]):
            agentops_otel.add_tags(["d"])
            step("three")
            agentops_otel.set_tags(["e"])
            step("four")
        step("five")

    tags = {span.name: dict(span.attributes or {})["agentops.tags"] for span in captured.spans}
    assert tags == snapshot(
        {
            "one": ("a",),
            "two": ("a", "b"),
            "three": ("a", "b", "c", "d"),
            "four": ("e",),
            "invoke_workflow session": ("e",),
            "five": ("e",),
        }
    )


def test_a_session_is_summed_up_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """At its end one line on stderr says what the session came to and where to look; with console=False none does."""
    for console in (None, False):
        agentops_otel.init(console=console, trace_file=tmp_path / "t.jsonl", spool_dir=False)
        with agentops_otel.start_session(name="summed"):
            agentops_otel.record_action("work")(lambda: None)()
            agentops_otel.record(
                agentops_otel.LLMEvent(model="in-house", prompt_tokens=9, completion_tokens=3, completion="yes")
            )
        agentops_otel.shutdown()

    (line,) = [line for line in capfd.readouterr().err.splitlines() if "session Success" in line]
    assert re.sub(r"[\d.]+ m?s,", "0 ms,", line).replace(str(tmp_path), "").split("; ") == snapshot(
        [
            "agentops_otel: session Success: 0 ms, 1 LLM call, 0 tools, 1 action, 0 errors, 9→3 tok",
            "agentops-otel show /t.jsonl",
        ]
    )


def test_a_running_session_tells_its_numbers(agentops_spans: Capture) -> None:
    """get_analytics counts so far; a patched function is called with its session; without a client there are none."""

    def whose(session: agentops_otel.Session) -> str:
        return session.session_id

    with agentops_otel.start_session(session_id="mine") as session:
        agentops_otel.record_tool("look")(lambda: None)()
        numbers = session.get_analytics()
        patched = session.patch(whose)()
    agentops_otel.shutdown()

    assert numbers == {
        "LLM calls": "0",
        "Tool calls": "1",
        "Actions": "0",
        "Errors": "0",
        "Duration": "0.0 ms",
        "Cost": "unknown",
    }
    assert patched == "mine"
    assert agentops_otel.start_session().get_analytics() is None


def test_a_session_tells_how_long_it_took(agentops_spans: Capture) -> None:
    """From the start of its root span to its end; nothing while it runs."""
    session = agentops_otel.start_session()
    running = session.duration_ns
    session.end()

    [root] = agentops_spans.spans
    assert root.start_time is not None
    assert root.end_time is not None
    assert (running, session.duration_ns) == (0, root.end_time - root.start_time)
    assert session.duration_ns > 0


def test_an_open_session_is_found_by_its_id(agentops_spans: Capture) -> None:
    """Among several; one that has ended is not."""
    first, second = (agentops_otel.start_session(session_id=name) for name in ("first", "second"))

    assert [agentops_otel.get_session(name) for name in ("first", "second", "third")] == [first, second, None]
    first.end()
    assert [agentops_otel.get_session(name) for name in ("first", "second")] == [None, second]


def test_sessions_of_many_threads_are_all_known(agentops_spans: Capture) -> None:
    """Opened and closed at once, those that are left open are all there, and ended once by whoever asks for all."""

    def open_some(number: int) -> None:
        for turn in range(60):
            with agentops_otel.start_session(session_id=f"{number} closed {turn}"):
                agentops_otel.start_session(session_id=f"{number} open {turn}")

    at_once(open_some)

    left = {f"{number} open {turn}" for number in range(THREADS) for turn in range(60)}
    assert {session.session_id for session in open_sessions()} == left
    agentops_otel.end_all_sessions()
    assert open_sessions() == ()
    assert len(agentops_spans.spans) == 2 * len(left)


def test_content_off_keeps_the_reason() -> None:
    """With content off, the words given as a reason are kept off the span."""
    with capture(capture_content=False) as captured:
        agentops_otel.start_session()
        agentops_otel.end_session("Fail", end_state_reason="a secret")

    assert "a secret" not in repr(captured.tree())
