"""The page in a real browser: what arrives is on it, in each of its views, and recorded text is only text."""

import json

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export import otlp_json
from agentops_otel.view.live import LiveView, Store
from tests.view.browser import CHROMIUM, MISSING, Browser, Page
from tests.view.requests import send
from tests.view.spans import CHAT, Trace, conversation, research, text

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
TRACE = "0" * 31 + "1"
SHOWN = "document.querySelector('#main').dataset.shown === location.hash"
NAMES = "[...document.querySelectorAll('.runs a')].map(link => link.textContent)"


def test_a_browser_shows_runs_as_they_arrive(live: LiveView, store: Store, browser: Browser) -> None:
    """A row for each, newest first; what is sent while one looks appears; a filter is in the address."""
    store.add(research())
    with Page(live.url, browser) as page:
        page.wait_for(f"{NAMES}.length === 1")
        assert send(live, otlp_json.dumps([Trace(2).span("later", 1, attributes={"agentops.tags": ("x",)})])) == 200
        page.wait_for(f"{NAMES}.length === 2")
        assert page.evaluate(NAMES) == ["later", "invoke_workflow research"]

        page.evaluate("text.value = 'research'; text.dispatchEvent(new Event('change'))")
        page.wait_for(f"{NAMES}.length === 1")

        assert page.evaluate("location.hash") == "#/?text=research"
        assert page.evaluate("location.search") == ""
        cells = page.evaluate("[...document.querySelectorAll('tbody td')].map(cell => cell.textContent)")
        assert isinstance(cells, list)
        assert cells[2:] == snapshot(
            ["bot", "invoke_workflow research", "1.24 s", "1", "1", "1,200", "180", "", "$0.0048", "1", "", ""]
        )


def test_on_a_phone_the_filters_are_behind_one_button(live: LiveView, store: Store, browser: Browser) -> None:
    """But for the text; on a wide screen there is no button."""
    store.add(list(conversation()))
    seen = """[...document.querySelectorAll('.filters > *')].filter(one => one.offsetHeight)
        .map(one => one.innerText.split(' ')[0])"""
    with Page(live.url, browser) as page:
        page.wait_for(f"{NAMES}.length === 1")
        page.look(width=390, height=800)
        folded = page.evaluate(seen)
        page.tap("#more-filters")
        unfolded = page.evaluate(seen)
        page.evaluate("location.hash = '#/?failed=1'")
        page.wait_for(SHOWN)
        used = page.evaluate("document.querySelector('#more-filters').innerText")
        page.look(width=1200, height=800)
        wide = page.evaluate(seen)

    assert (folded, used) == (["text", "Filters"], "Filters (1)")
    assert isinstance(unfolded, list)
    assert wide == [name for name in unfolded if name != "Filters"]
    assert {"service", "model", "from", "errors"} <= set(unfolded)


def test_totals_are_plots_and_tables(live: LiveView, store: Store, browser: Browser) -> None:
    """By day, model, tool and agent, of the runs that pass the filters; a name leads to its runs."""
    store.add([*research(), *conversation()])
    rows = "[...document.querySelectorAll('section tbody tr')].map(row => row.innerText)"
    with Page(f"{live.url}#/totals", browser) as page:
        page.wait_for("document.querySelectorAll('section').length === 4")
        all_of_them = page.evaluate(rows)
        drawn = page.evaluate("[...document.querySelectorAll('.plots title')].map(one => one.textContent.slice(12))")
        page.evaluate("location.hash = '#/totals?tool=search&sort=cost'")
        page.wait_for(f"{SHOWN} && document.querySelectorAll('section').length === 3")
        some = page.evaluate(rows)
        page.evaluate("[...document.querySelectorAll('tbody a')].find(link => link.innerText === 'search').click()")
        page.wait_for(f"{SHOWN} && {NAMES}.length === 1")

        assert isinstance(all_of_them, list)
        assert isinstance(some, list)
        assert [row.partition("\t")[2] for row in all_of_them[:1]] == [
            "2\t2 (100%)\t1.24 s\t2.10 s\t3,600\t540\t$0.0144\t"
        ]
        assert all_of_them[1:] == [
            "gpt-4o-2024-08-06\t3\t\t835 ms\t895 ms\t3,600\t540\t$0.0144\t",
            "search\t1\t1 (100%)\t3.0 ms\t3.0 ms\t\t\t\t",
            "weather\t1\t1 (100%)\t195 ms\t195 ms\t\t\t\t",
            "travel\t1\t\t2.10 s\t2.10 s\t2,400\t360\t$0.0096\t",
        ]
        assert some[1:] == [
            "gpt-4o-2024-08-06\t1\t\t820 ms\t820 ms\t1,200\t180\t$0.0048\t",
            "search\t1\t1 (100%)\t3.0 ms\t3.0 ms\t\t\t\t",
        ]
        assert drawn == snapshot(["2 runs, 2 with errors", "4,140", "$0.0144"])
        assert page.evaluate("location.hash") == "#/?tool=search"


def test_a_day_of_the_totals_leads_to_its_runs(live: LiveView, store: Store, browser: Browser) -> None:
    """By a filter that the address holds: from one day to another, both included."""
    day = 24 * 3600 * 1000
    store.add([Trace(number).span(f"day {number}", number * day) for number in (1, 2, 3)])
    days = "[...document.querySelectorAll('section th a')]"
    with Page(f"{live.url}#/totals", browser) as page:
        page.wait_for(f"{days}.length === 3")
        second = page.evaluate(f"{days}[1].textContent")
        page.evaluate(f"{days}[1].click()")
        page.wait_for(f"{SHOWN} && {NAMES}.length === 1")
        alone = page.evaluate(NAMES)
        page.evaluate("until.value = ''; until.dispatchEvent(new Event('change'))")
        page.wait_for(f"{SHOWN} && {NAMES}.length === 2")

        assert alone == ["day 2"]
        assert page.evaluate(NAMES) == ["day 3", "day 2"]
        assert page.evaluate("since.value") == second
        assert page.evaluate("location.hash") == f"#/?since={second}"


def test_the_keys_are_told(live: LiveView, store: Store, browser: Browser) -> None:
    """By `?`, or a button; while they are shown no other key does anything, and Escape goes back to where one was."""
    store.add(research())
    opened = "document.querySelectorAll('dialog[open]').length === 1"
    closed = "document.querySelectorAll('dialog').length === 0"
    with Page(f"{live.url}#/run/{TRACE}", browser) as page:
        page.wait_for("document.querySelectorAll('[role=treeitem]').length === 4")
        address = page.evaluate("location.hash")
        page.press("?")
        page.wait_for(opened)
        told = page.evaluate("document.querySelector('dialog').innerText")
        for key in ("p", "/", "Escape"):
            page.press(key)
        page.wait_for(closed)
        page.evaluate("help.click()")
        page.wait_for(opened)
        page.press("?")
        page.wait_for(closed)

        assert isinstance(told, str)
        assert "critical path" in told
        assert page.evaluate("location.hash") == address
        page.press("p")
        assert page.evaluate("location.hash") == f"#/run/{TRACE}/{1:016x}?path=1"
        page.press("Escape")
        page.wait_for(f"{NAMES}.length === 1")


@pytest.mark.no_cover
def test_a_thousand_runs_are_as_many_rows_as_fit(live: LiveView, store: Store, browser: Browser) -> None:
    """The others are drawn when they are scrolled to, or walked to by key.

    Its seconds are a thousand runs.
    """
    store.add([Trace(number).span(f"run {number}", number) for number in range(1, 1001)])
    with Page(live.url, browser) as page:
        page.wait_for(f"{NAMES}.length > 10")
        page.look(width=1200, height=800)
        page.wait_for("document.querySelector('.frame').clientHeight > 300")
        most = page.evaluate("document.querySelectorAll('.runs a').length")
        page.evaluate("document.querySelector('.frame').scrollTop = 1e6")
        page.wait_for(f"{NAMES}.at(-1) === 'run 1'")
        page.evaluate("document.querySelector('.frame').scrollTop = 0")
        page.wait_for(f"{NAMES}[0] === 'run 1000'")
        page.evaluate("document.querySelector('.runs a').focus()")
        for _ in range(60):
            page.press("j")

        assert isinstance(most, int)
        assert most < 100
        assert page.evaluate("document.activeElement.textContent") == "run 940"
        page.press("Enter")
        page.wait_for("document.querySelector('h1')?.textContent === 'run 940'")


@pytest.mark.no_cover
def test_a_list_of_a_thousand_runs_does_not_stutter(live: LiveView, store: Store, browser: Browser) -> None:
    """A key that goes to the next run is answered about as soon as on an empty page.

    Its seconds are a thousand runs.
    """
    store.add([Trace(number).span(f"run {number}", number, attributes=CHAT) for number in range(1, 1001)])
    with Page(live.url, browser) as page:
        page.look(width=1200, height=800)
        page.wait_for(f"{NAMES}.length > 10")
        page.evaluate("document.querySelector('.runs a').focus()")
        full = page.answered_in("document.activeElement", "j", "ArrowDown")
        reached = page.evaluate("document.activeElement.textContent")
        page.evaluate("document.querySelector('#main').replaceChildren()")
        empty = page.answered_in("document.body", "j", "ArrowDown")

        assert reached == "run 970"
        assert full < 4 * empty, (empty, full)


def test_a_conversation_reads_as_one(live: LiveView, store: Store, browser: Browser) -> None:
    """Each call has what is new; a tool's result stands where it was called; reasoning is folded, a medium is named."""
    store.add(conversation())
    with Page(f"{live.url}#/conversation/{'0' * 31}2", browser) as page:
        page.wait_for("document.querySelectorAll('.step').length === 2")

        assert page.evaluate("[...document.querySelectorAll('.step')].map(step => step.innerText)") == snapshot(
            [
                """\
chat gpt-4o
gpt-4o-2024-08-06 · 1,200 tokens in · 180 out · $0.0048 · 895 ms
System
Be brief.
User
Weather?

image/png, 48.2 kB

Assistant
Reasoning
weather
{
  "city": "Oslo"
}
Result
snow
weather
{
  "city": "Rome"
}
Result

TimeoutError: late

sun\
""",
                """\
chat gpt-4o
gpt-4o-2024-08-06 · 1,200 tokens in · 180 out · $0.0048 · 835 ms
Assistant
Oslo: snow. Rome: sun.\
""",
            ]
        )
        assert page.evaluate("[...document.querySelectorAll('.step pre')].map(said => said.textContent)") == snapshot(
            [
                "Be brief.",
                "Weather?",
                "I need two.",
                """\
{
  "city": "Oslo"
}\
""",
                "snow",
                """\
{
  "city": "Rome"
}\
""",
                "sun",
                "Oslo: snow. Rome: sun.",
            ]
        )
        assert page.evaluate("document.querySelector('.reasoning').open") is False
        page.evaluate("document.querySelector('.result a').click()")
        page.wait_for("document.querySelector('.span h2')?.textContent === 'execute_tool weather'")


def test_a_window_of_the_dialogue_repeats_nothing(live: LiveView, store: Store, browser: Browser) -> None:
    """A program that leaves out the beginning, asks again after a failure, or has two dialogues: only what is new."""
    trace = Trace()

    def call(start: int, said: list[tuple[str, str]], answer: str) -> ReadableSpan:
        given = json.dumps([{"role": role, "parts": [text(content)]} for role, content in said])
        told = {
            "gen_ai.input.messages": given,
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [text(answer)]}]),
        }
        return trace.span(
            "chat", start, attributes={**CHAT, **told} if answer else {**CHAT, "gen_ai.input.messages": given}
        )

    store.add(
        [
            call(1, [("system", "S"), ("user", "one")], ""),
            call(2, [("system", "S"), ("user", "one")], "1"),
            call(3, [("system", "S"), ("user", "other")], "x"),
            call(4, [("system", "S"), ("assistant", "1"), ("user", "yes")], "2"),
            call(5, [("system", "T"), ("assistant", "2"), ("user", "yes")], "3"),
        ]
    )
    with Page(f"{live.url}#/conversation/{TRACE}", browser) as page:
        page.wait_for("document.querySelectorAll('.step').length === 5")

        steps = page.evaluate(
            "[...document.querySelectorAll('.step')]"
            ".map(step => [...step.querySelectorAll('pre')].map(said => said.textContent))"
        )
        assert steps == [["S", "one"], ["1"], ["other", "x"], ["yes", "2"], ["T", "yes", "3"]]
