"""The page of one run, and of two side by side, in a real browser: tree and waterfall, folded, zoomed, compared."""

import json
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view.live import LiveView, Store
from tests.view.browser import CHROMIUM, MISSING, Browser, Page
from tests.view.spans import ACTION, AGENT, CHAT, TOOL, WORKFLOW, Trace, research, said, text

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
TRACE, OTHER = "0" * 31 + "1", "0" * 31 + "2"
TREE = "[...document.querySelectorAll('[role=treeitem]')].map(one => one.ariaLevel + ' ' + one.children[0].textContent)"
CHOSEN = "document.querySelector('.span h2').textContent"
SHOWN = "document.querySelector('#main').dataset.shown === location.hash"


@pytest.fixture
def page(live: LiveView, browser: Browser) -> Iterator[Page]:
    """A browser with the list of runs."""
    with Page(live.url, browser) as opened:
        opened.look(width=1200, height=800)
        opened.wait_for(f"document.querySelector('#main') && {SHOWN}")
        yield opened


def go(page: Page, to: str) -> None:
    """Open a view."""
    page.evaluate(f"location.hash = '{to}'")
    page.wait_for(SHOWN)


def searches(many: int, *, trace_id: int = 1, model: str = "gpt-4o") -> list[ReadableSpan]:
    """A run that plans, and then searches so many times, the third time in vain."""
    trace = Trace(trace_id)
    root = trace.span("invoke_workflow research", 0, 1000 + many * 10, attributes=WORKFLOW)
    plan = trace.span("plan", 1, 900, under=root, attributes=ACTION)
    told = {**CHAT, "gen_ai.output.messages": json.dumps([said("assistant", text("Yes."))])}
    chat = trace.span(f"chat {model}", 2, 822, under=plan, attributes=told)
    times = range(many)
    found = [
        trace.span(
            "execute_tool search", 1000 + n * 10, 1008 + n * 10, under=root, attributes=TOOL, error="E" * (n == 2)
        )
        for n in times
    ]
    return [root, plan, chat, *found]


def test_a_browser_shows_a_run(page: Page, store: Store) -> None:
    """The tree with its depths, and beside it the span that is chosen, by key too; the address names it."""
    store.add(research())
    go(page, f"#/run/{TRACE}")

    assert page.evaluate(TREE) == [
        "1 ▾invoke_workflow research",
        "2 ▾plan",
        "3 chat gpt-4o",
        "2 execute_tool search",
    ]
    page.evaluate("document.querySelector('.tree').focus()")
    for key in ("ArrowDown", "j", "k", "End", "Home", "ArrowRight"):
        page.press(key)
    assert page.evaluate(CHOSEN) == "plan"
    assert page.evaluate("document.querySelectorAll('[aria-selected=true]').length") == 1
    assert page.evaluate("location.hash") == f"#/run/{TRACE}/{2:016x}"
    page.press("ArrowLeft")
    assert page.evaluate(TREE) == ["1 ▾invoke_workflow research", "2 ▸plan", "2 execute_tool search"]
    page.press("ArrowLeft")
    assert page.evaluate(CHOSEN) == "invoke_workflow research"


def test_repeats_are_one_line_until_they_are_opened(page: Page, store: Store) -> None:
    """With a bar for each; one that the address names is shown, and a failure among them is seen."""
    store.add(searches(37))
    go(page, f"#/run/{TRACE}")
    folded = page.evaluate(TREE)
    bars = page.evaluate("[...document.querySelectorAll('.failed .bar')].map(bar => bar.className)")
    page.evaluate("document.querySelector('.failed .fold').click()")
    opened = page.evaluate("document.querySelectorAll('[aria-level=\"3\"]').length")
    go(page, f"#/run/{TRACE}/{30:016x}")
    page.wait_for(f"document.querySelector('[aria-selected=true]')?.id === 'line-{30:016x}'")

    assert folded == ["1 ▾invoke_workflow research", "2 ▾plan", "3 chat gpt-4o", "2 ▸execute_tool search × 37"]  # noqa: RUF001
    assert bars == ["bar", "bar", "bar bad", *["bar"] * 34]
    assert isinstance(opened, int)
    assert opened > 15


def test_a_part_of_a_run_is_looked_at_closer(page: Page, store: Store) -> None:
    """The zoom and the critical path are in the address, so that a link shows what one sees."""
    store.add(searches(2))
    go(page, f"#/run/{TRACE}/{2:016x}")
    ticks = "[...document.querySelectorAll('.tick')].map(tick => tick.textContent)"
    whole = page.evaluate(ticks)
    for key in ("z", "p"):
        page.press(key)
    address = page.evaluate("location.hash")
    zoomed = page.evaluate(ticks)
    page.press("0")

    assert whole == ["0.0 ms", "255 ms", "510 ms", "765 ms", "1.02 s"]
    assert zoomed == ["1.0 ms", "226 ms", "451 ms", "675 ms", "900 ms"]
    assert address == f"#/run/{TRACE}/{2:016x}?zoom=1000000-900000000&path=1"
    assert page.evaluate("location.hash") == f"#/run/{TRACE}/{2:016x}?path=1"
    assert page.evaluate("document.querySelectorAll('.on-path').length") == 5


def test_the_critical_path_leaves_out_what_ran_beside(page: Page, store: Store) -> None:
    """Backwards from the end: what ended last, then what ended last before that began."""
    trace = Trace()
    root = trace.span("root", 0, 100)
    short, long = trace.span("short", 0, 20, under=root), trace.span("long", 0, 50, under=root)
    late = trace.span("late", 50, 120, under=root)
    store.add(
        [root, short, long, late, trace.span("below", 60, 70, under=late), trace.span("beside", 10, 99, under=root)]
    )
    go(page, f"#/run/{TRACE}?path=1")

    found = page.evaluate("[...document.querySelectorAll('.on-path .name')].map(name => name.title)")

    assert found == ["root", "long", "late", "below"]


def test_a_circle_of_parents_is_shown(page: Page, store: Store) -> None:
    """A damaged file costs nothing but its order."""
    trace = Trace()
    store.add([trace.span("a", 0, under=trace.context(2)), trace.span("b", 1, under=trace.context(1))])
    go(page, f"#/run/{TRACE}")

    assert page.evaluate(TREE) == ["1 ▾b", "2 a"]


def test_two_runs_are_seen_side_by_side(page: Page, store: Store) -> None:
    """Chosen in the list; numbers, steps that only one has, and where they part, which another model alone is not."""
    store.add([*searches(3), *searches(2, trace_id=2, model="gpt-5")])
    go(page, "#/?sort=name")
    page.wait_for("document.querySelectorAll('.runs a').length === 2")
    for trace in (TRACE, OTHER):
        page.evaluate(f"document.querySelector('#pick-{trace}').click()")
    page.evaluate("[...document.querySelectorAll('a')].find(link => link.textContent === 'Compare').click()")
    page.wait_for(f"{SHOWN} && document.querySelectorAll('.pair').length === 6")
    pairs = (
        "[...document.querySelectorAll('.pair')].map(pair => [pair.className, pair.innerText.split('\\n').join(' ')])"
    )

    assert page.evaluate("location.hash") == f"#/compare/{TRACE}/{OTHER}"
    assert page.evaluate("document.querySelector('.compared tbody tr:last-child').innerText") == (
        "Difference\t−10 ms (−1%)\t−1 (−17%)\t\t−1 (−33%)\t\t\t\t−1 (−100%)"  # noqa: RUF001
    )
    assert (
        page.evaluate("document.querySelector('.tools').innerText") == "They part at chat gpt-4o.\n only what differs"
    )
    assert page.evaluate(pairs) == [
        ["pair", "invoke_workflow research 1.03 s invoke_workflow research 1.02 s"],
        ["pair", "plan 899 ms plan 899 ms"],
        ["pair differs parted", "chat gpt-4o 820 ms chat gpt-5 820 ms"],
        ["pair", "execute_tool search 8.0 ms execute_tool search 8.0 ms"],
        ["pair", "execute_tool search 8.0 ms execute_tool search 8.0 ms"],
        ["pair left-only", "execute_tool search 8.0 ms –"],  # noqa: RUF001
    ]
    page.evaluate("document.querySelector('#only').click()")
    page.wait_for(f"{SHOWN} && document.querySelectorAll('.pair').length === 2")
    page.evaluate("document.querySelector('.pairs').focus()")
    page.press("j")
    assert page.evaluate("document.querySelector('.both').innerText.includes('No such step.')") is True


def test_two_runs_are_compared_on_a_phone(page: Page, store: Store) -> None:
    """The boxes and the button are in the window, and the button is over nothing else that one could mean."""
    store.add([*searches(3), *searches(2, trace_id=2)])
    page.look(width=360, height=640)
    page.wait_for("document.querySelectorAll('.runs a').length === 2")
    for trace in (TRACE, OTHER):
        page.tap(f"#pick-{trace}")
    page.tap(".bar-of-filters .button")
    page.wait_for(f"{SHOWN} && document.querySelectorAll('.pair').length === 6")

    assert page.evaluate("location.hash") == f"#/compare/{TRACE}/{OTHER}"


@pytest.mark.no_cover
def test_a_run_of_five_thousand_spans_does_not_stutter(page: Page, store: Store) -> None:
    """Few of them are in the page at a time, and a key is answered about as soon as on an empty page.

    Its seconds are five thousand spans.
    """
    trace = Trace()
    root = trace.span("root", 0, 50_000, attributes=WORKFLOW)
    agents = [trace.span(f"invoke_agent {n}", n * 10, n * 10 + 9, under=root, attributes=AGENT) for n in range(2500)]
    calls = [trace.span("chat gpt-4o", n * 10 + 1, n * 10 + 8, under=agents[n], attributes=CHAT) for n in range(2499)]
    store.add([root, *agents, *calls])
    keys = ("PageDown", "j", "p")
    page.evaluate("document.querySelector('#main').replaceChildren()")
    empty = page.answered_in("document.body", *keys)
    go(page, f"#/run/{TRACE}")
    page.wait_for("document.querySelectorAll('[role=treeitem]').length > 10")
    full = page.answered_in("document.querySelector('.tree')", *keys)

    assert page.evaluate("document.querySelectorAll('[role=treeitem]').length < 100") is True
    assert page.evaluate("document.querySelector('.tree').scrollHeight") == 26 * 5000
    assert full < 4 * empty, (empty, full)
