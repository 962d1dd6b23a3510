"""The page in a real browser: what arrives is on it, in each of its views, and recorded text is only text."""

import json
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export import otlp_json
from agentops_otel.view.live import LiveView, Store
from tests.view.browser import CHROMIUM, MISSING, Page
from tests.view.requests import send
from tests.view.spans import CHAT, Trace, conversation, research, text

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
TRACE = "0" * 31 + "1"
HOSTILE = "<img src=x onerror=document.title='hacked'><script>document.title='hacked'</script>\"'&"
NAMES = "[...document.querySelectorAll('.runs a')].map(link => link.textContent)"


def test_a_browser_shows_runs_as_they_arrive(live: LiveView, store: Store, tmp_path: Path) -> None:
    """A row for each, newest first; what is sent while one looks appears; a filter is in the address."""
    store.add(research())
    with Page(live.url, tmp_path / "browser") as page:
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
        assert cells[1:] == snapshot(
            ["bot", "invoke_workflow research", "1.24 s", "1", "1", "1,200", "180", "", "$0.0048", "1", "", ""]
        )


def test_a_browser_shows_a_run(live: LiveView, store: Store, tmp_path: Path) -> None:
    """The tree with its depths, and beside it the span that is chosen, by key too."""
    store.add(research())
    with Page(f"{live.url}#/run/{TRACE}", tmp_path / "browser") as page:
        page.wait_for("document.querySelectorAll('.tree li').length === 4")
        tree = page.evaluate(
            "[...document.querySelectorAll('.tree li')].map(item => item.ariaLevel + item.children[0].textContent)"
        )
        page.evaluate("document.querySelector('.tree').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown'}))")

        assert tree == snapshot(["1invoke_workflow research", "2plan", "3chat gpt-4o", "2execute_tool search"])
        assert page.evaluate("document.querySelector('.span h2').textContent") == "plan"
        assert page.evaluate("document.querySelectorAll('[aria-selected=true]').length") == 1


def test_a_conversation_reads_as_one(live: LiveView, store: Store, tmp_path: Path) -> None:
    """Each call has what is new; a tool's result stands where it was called; reasoning is folded, a medium is named."""
    store.add(conversation())
    with Page(f"{live.url}#/conversation/{'0' * 31}2", tmp_path / "browser") as page:
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


def test_a_window_of_the_dialogue_repeats_nothing(live: LiveView, store: Store, tmp_path: Path) -> None:
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
    with Page(f"{live.url}#/conversation/{TRACE}", tmp_path / "browser") as page:
        page.wait_for("document.querySelectorAll('.step').length === 5")

        steps = page.evaluate(
            "[...document.querySelectorAll('.step')]"
            ".map(step => [...step.querySelectorAll('pre')].map(said => said.textContent))"
        )
        assert steps == [["S", "one"], ["1"], ["other", "x"], ["yes", "2"], ["T", "yes", "3"]]


def test_hostile_text_is_text(live: LiveView, store: Store, tmp_path: Path) -> None:
    """Names, messages, attributes, errors and tags that would be code are shown, and do nothing."""
    said = json.dumps([{"role": HOSTILE, "parts": [{"type": "text", "content": HOSTILE}]}])
    attributes = {**CHAT, "gen_ai.output.messages": said, HOSTILE: HOSTILE, "agentops.tags": (HOSTILE,)}
    store.add([Trace().span(HOSTILE, attributes=attributes, error=f"ValueError: {HOSTILE}")])
    with Page(live.url, tmp_path / "browser") as page:
        page.wait_for(f"{NAMES}.length === 1")
        listed = page.evaluate("document.body.innerText")
        page.evaluate(f"location.hash = '#/run/{TRACE}'")
        page.wait_for("document.querySelectorAll('.message pre').length === 1")

        shown = page.evaluate("document.querySelector('main').innerText")
        assert isinstance(listed, str)
        assert isinstance(shown, str)
        assert listed.count(HOSTILE) >= 2
        assert shown.count(HOSTILE) >= 6
        assert page.evaluate("document.title") == "Runs - agentops-otel view"
        assert page.evaluate("document.querySelectorAll('main img, main script').length") == 0
