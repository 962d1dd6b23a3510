"""What a session adds up to, counted span by span; and where it can be seen, in words."""

import os
import threading
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import SpanProcessor

from agentops_otel import config
from agentops_otel.launcher import Report
from agentops_otel.view import cost, locations, session_totals
from agentops_otel.view.tree import Summary
from tests.forked import fork
from tests.program import run
from tests.view.spans import ACTION, CHAT, TOOL, Trace

SESSION = {"session.id": "s"}


def test_a_session_counts_its_spans() -> None:
    """Calls, tokens, tools and actions add up; an error that passes through its parents counts once."""
    trace, found = Trace(), session_totals.SessionTotals()
    root = trace.span("plan", 0, 100, attributes=ACTION | SESSION, error="ValueError: no")
    tool = trace.span("execute_tool x", 1, 9, under=root, attributes=TOOL | SESSION, error="ValueError: no")
    chats = [trace.span("chat gpt-4o", attributes={**CHAT, **SESSION}, under=root) for _ in range(2)]
    cost.cost_of(chats[0])  # the price list is there
    for span in [tool, *chats, root, trace.span("other", attributes={"session.id": "t"}), trace.span("none")]:
        found.on_end(span)

    assert found.pop("s", 5) == snapshot(
        Summary(
            duration_ns=5,
            spans=4,
            llm_calls=2,
            input_tokens=2400,
            output_tokens=360,
            tools=1,
            actions=1,
            errors=1,
            cost_usd=0.0096,
        )
    )
    assert found.pop("s", 5) == Summary(duration_ns=5)
    assert found.pop("t", 0).spans == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on Windows")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_of_a_fork_counts_anew() -> None:
    """Also where another thread was counting meanwhile: that one will never release the lock."""
    trace, found = Trace(), session_totals.SessionTotals()
    found.on_end(trace.span("before", attributes=SESSION))
    counting, counted = threading.Event(), threading.Event()

    def count() -> None:
        with found._lock:
            counting.set()
            counted.wait(60)

    thread = threading.Thread(target=count)
    thread.start()
    assert counting.wait(60)

    def in_child() -> bool:
        found.on_end(trace.span("after", attributes=SESSION))
        return found.pop("s", 0).spans == 1

    well = fork(in_child)
    counted.set()
    thread.join()
    assert well
    assert found.pop("s", 0).spans == 1


def test_a_process_reports_what_it_added_up() -> None:
    """Traces that began in it, spans of traces that came from elsewhere, calls, tokens and errors."""
    found, of_itself = session_totals.SessionTotals(), Report(pid=7, program="app", traces=99)
    cost.cost_of(Trace().span("chat", attributes=CHAT))  # the price list is there
    for number in range(3):
        root = Trace(number + 1).span("root", attributes=ACTION, error="ValueError: no" if number else None)
        found.on_end(root)
    remote = Trace(9).context(5, is_remote=True)
    for name in ("chat gpt-4o", "chat gpt-4o"):
        found.on_end(Trace(9).span(name, under=remote, attributes=CHAT))

    assert found.report(of_itself) == snapshot(
        Report(
            pid=7,
            program="app",
            traces=3,
            joined=2,
            llm_calls=2,
            input_tokens=2400,
            output_tokens=360,
            errors=2,
            cost_usd=0.0096,
            unpriced=[],
        )
    )


def test_calls_that_come_before_the_price_list_are_priced_with_it() -> None:
    """More calls than are kept to be priced together, made while another thread still loads the list: all are paid."""
    run(
        """
        import math, threading
        from agentops_otel.view import cost, session_totals
        from tests.view.spans import CHAT, Trace

        session_totals.PRICED_TOGETHER = 10
        totals, trace = session_totals.SessionTotals(), Trace()
        spans = [
            trace.span("chat", attributes={**CHAT, "session.id": "s", "gen_ai.usage.input_tokens": 1000 + n})
            for n in range(25)
        ]
        for span in spans:
            totals.on_end(span)
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join(30)
        told = totals.get("s", 0)
        assert told.llm_calls == 25
        assert math.isclose(told.cost_usd, sum(map(cost.cost_of, spans))), told
        """
    )


@pytest.mark.parametrize(("calls", "kept"), [(2, 2), (3, 0), (4, 1)])
def test_so_many_calls_without_a_price_are_kept(calls: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are asked for once more at the end of the process; more of them, in a price list that is there, are not."""
    monkeypatch.setattr(session_totals, "PRICED_TOGETHER", 3)
    found = session_totals.SessionTotals()
    for number in range(calls):
        mine = {**CHAT, "gen_ai.response.model": f"mine-{number}"}
        found.on_end(Trace(number + 1).span("chat", attributes=mine))

    report = found.report(Report(pid=7, program="app"))

    assert (report.llm_calls, len(report.unpriced), report.cost_usd) == (calls, kept, None)


def test_an_error_below_a_parent_in_another_process_counts_by_itself() -> None:
    """Nothing is remembered for a parent that does not end here."""
    trace, found = Trace(), session_totals.SessionTotals()
    above = trace.span("above", error="E: no")
    served = trace.span("served", under=trace.context(1, is_remote=True), error="E: no")
    for span in (served, above):
        found.on_end(span)

    assert found.report(Report(pid=7, program="app")).errors == 2


def test_the_oldest_session_is_forgotten() -> None:
    """No more sessions are counted at a time than fit; the newest stay."""
    trace, found = Trace(), session_totals.SessionTotals()
    for number in range(session_totals.SESSIONS + 1):
        found.on_end(trace.span("x", attributes={"session.id": str(number)}))

    assert [found.pop(str(number), 0).spans for number in (0, 1, session_totals.SESSIONS)] == [0, 1, 1]


def test_places_are_named_without_secrets() -> None:
    """The line at the start names every place, and none of the keys in their URLs."""
    settings = config.read_config(
        endpoint="http://user:hunter2@c:4318/?key=hunter2", api_key="hunter2", console=True, trace_file="t.jsonl"
    )

    assert locations.describe_destinations(settings, settings.trace_file) == snapshot(
        "spans go to http://c:4318/v1/traces, to https://otlp.agentops.ai/v1/traces, to t.jsonl, to this terminal"
    )
    assert locations.describe_destinations(config.read_config(), None) == snapshot(
        "spans go to http://localhost:4318/v1/traces if a collector answers there"
    )
    assert locations.describe_destinations(config.Config(), None) == "spans go where the tracer provider sends them"
    assert locations.links_to_trace(settings, Path("t.jsonl"), "abc") == snapshot(
        ["https://app.agentops.ai/sessions?trace_id=abc", "agentops-otel show t.jsonl"]
    )


def test_no_exporter_is_said_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `OTEL_TRACES_EXPORTER=none` spans go nowhere, unless the program has a place for them."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    processor = SpanProcessor()
    described = locations.describe_destinations

    assert described(config.read_config(), None) == snapshot(
        "spans are made and go nowhere, since OTEL_TRACES_EXPORTER=none"
    )
    assert described(config.read_config(), None, guest=True) == "spans go where the tracer provider sends them"
    assert described(config.read_config(span_processors=[processor]), None) == "spans go to your span processors"


def test_each_place_is_named_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exporters by their names; metrics after the spans."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp,otlp_proto_http")

    settings = config.read_config(upload_metrics=True, span_processors=[SpanProcessor()])

    assert locations.describe_destinations(settings, None) == (
        "spans go to http://localhost:4318/v1/traces, to the otlp_proto_http exporter, to your span processors; "
        "metrics go to http://localhost:4318/v1/metrics"
    )
    assert locations.links_to_trace(settings, None, "abc") == []
