"""The page under hostile text, in every view and every field; and for people who do not see it, or use no mouse."""

import json
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import Event, ReadableSpan

from agentops_otel.view.live import LiveView, Store
from tests import page_tools
from tests.view.browser import CHROMIUM, MISSING, Browser, Page
from tests.view.spans import CHAT, Trace, conversation, said

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
HOSTILE = "<img src=x onerror=document.title='hacked'><script>document.title='hacked'</script>\"'&"
TRACE, OTHER = "0" * 31 + "1", "0" * 31 + "2"
SHOWN = "document.querySelector('#main')?.dataset.shown === location.hash"
NOTE = "event => reports.push(event.blockedURI)"
OURS = "[...document.querySelectorAll('main a')].every(a => /^(#|\\/api\\/)/.test(a.getAttribute('href') ?? '#'))"
VIEWS = ("#/", "#/totals", f"#/run/{TRACE}", f"#/run/{TRACE}/{1:016x}?path=1", f"#/conversation/{TRACE}")
COMPARED = f"#/compare/{TRACE}/{OTHER}"
SERIOUS = (
    "axe.run({resultTypes: ['violations']}).then(({violations}) => violations"
    ".filter(one => ['serious', 'critical'].includes(one.impact))"
    ".map(one => one.id + ' ' + one.nodes.map(node => node.target + ' ' + node.failureSummary)))"
)


@pytest.fixture
def page(live: LiveView, browser: Browser) -> Iterator[Page]:
    """A browser with the list of runs, which notes what its policy forbids."""
    with Page(live.url, browser) as opened:
        opened.wait_for(SHOWN)
        opened.evaluate(f"window.reports = [], addEventListener('securitypolicyviolation', {NOTE}), 0")
        yield opened


def hostile(*traces: int) -> list[ReadableSpan]:
    """Runs in which each name, message, attribute, error and tag would be code."""
    parts: list[dict[str, object]] = [
        {"type": "text", "content": HOSTILE},
        {"type": HOSTILE, "content": HOSTILE},
        {"type": "tool_call", "id": HOSTILE, "name": HOSTILE, "arguments": {HOSTILE: HOSTILE}},
        {"type": "uri", "uri": f"javascript:{HOSTILE}", "mime_type": HOSTILE},
        {"type": "reasoning", "content": HOSTILE},
    ]
    attributes = {
        **CHAT,
        **dict.fromkeys(("gen_ai.request.model", "gen_ai.response.model", "session.id", HOSTILE), HOSTILE),
        "gen_ai.input.messages": json.dumps([said(HOSTILE, *parts)]),
        "gen_ai.output.messages": json.dumps([said("assistant", *parts)]),
        "agentops.tags": (HOSTILE,),
    }
    names = {"gen_ai.tool.name": HOSTILE, "gen_ai.tool.call.id": HOSTILE, "gen_ai.tool.call.result": HOSTILE}
    event = Event("exception", {"exception.stacktrace": HOSTILE, "exception.message": HOSTILE, HOSTILE: HOSTILE})
    made = []
    for number in traces:
        trace = Trace(number)
        root = trace.span(HOSTILE, attributes=attributes, error=f"{HOSTILE}: {HOSTILE}", events=[event])
        tool = {"gen_ai.operation.name": "execute_tool", **names}
        agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": HOSTILE}
        made += [root, trace.span(HOSTILE, attributes=tool, under=root), trace.span(HOSTILE, attributes=agent)]
    return made


def test_hostile_text_is_text_in_every_view(page: Page, store: Store) -> None:
    """It is read on each of them, and makes no element, no request, no report of the policy, and no other title."""
    store.add(hostile(1, 2))
    read = {}
    for view in (*VIEWS, COMPARED):
        page.evaluate(f"location.hash = '{view}'")
        page.wait_for(f"{SHOWN} && document.querySelector('#main').innerText.includes('onerror=document.title')")
        read[view] = page.evaluate("document.querySelectorAll('main :is(img, script, iframe, object, embed)').length")
        assert page.evaluate(OURS)

    assert set(read.values()) == {0}
    assert page.evaluate("document.title") == "Runs - agentops-otel view"
    assert page.evaluate("reports") == []
    assert page.evaluate(
        "performance.getEntriesByType('resource').every(entry => entry.name.startsWith(location.origin))"
    )


WIDER = """[document.documentElement, document.body, ...document.querySelectorAll('main, main > div, .span, dialog')]
    .filter(one => one.scrollWidth > one.clientWidth).map(one => `${one.tagName} ${one.scrollWidth}`)"""


def test_nothing_is_wider_than_a_phone(page: Page, store: Store) -> None:
    """At 360 pixels one scrolls down, and to the side within a table alone; names without a space included."""
    root = Trace(3).span("n" * 300, attributes={**CHAT, "service.of.nobody" * 9: "v" * 300}, error="E" * 300)
    store.add([*conversation(), *hostile(1), root])
    page.look(width=360, height=640)
    found = {}
    for view in (
        *VIEWS,
        COMPARED,
        f"#/compare/{TRACE}/{'0' * 31}3",
        f"#/run/{'0' * 31}3",
        f"#/conversation/{'0' * 31}3",
    ):
        page.evaluate(f"location.hash = '{view}'")
        page.wait_for(SHOWN)
        found[view] = page.evaluate(WIDER)
    page.evaluate("help.click()")
    found["help"] = page.evaluate(WIDER)

    assert {view: wider for view, wider in found.items() if wider} == {}


@pytest.mark.skipif(page_tools.folder() is None, reason="no axe-core: make e2e-servers installs it")
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_use_it(page: Page, store: Store, dark: bool) -> None:
    """axe-core finds nothing serious on any view: names, roles, order, contrast; dark and light, wide and narrow.

    axe-core takes seconds to read all views.
    """
    folder = page_tools.folder()
    assert folder is not None
    store.add([*conversation(), *hostile(1)])
    page.evaluate(f"{(folder / 'axe-core' / 'axe.min.js').read_text('utf-8')}; 0")
    found = {}
    for width in (1200, 390):
        page.look(width=width, height=800, dark=dark)
        for view in (*VIEWS, COMPARED):
            page.evaluate(f"location.hash = '{view}'")
            page.wait_for(SHOWN)
            found[f"{view} {width}"] = page.evaluate(SERIOUS)
        page.evaluate("help.click()")
        found[f"help {width}"] = page.evaluate(SERIOUS)
        page.press("Escape")
        page.evaluate("location.hash = '#/'")
        page.wait_for(f"{SHOWN} && document.querySelectorAll('.runs a').length === 2")
        for trace in (TRACE, OTHER):
            page.evaluate(f"document.querySelector('#pick-{trace}').click()")
        page.wait_for("!document.querySelector('.bar-of-filters .button').hidden")
        found[f"two are chosen {width}"] = page.evaluate(SERIOUS)

    assert {view: problems for view, problems in found.items() if problems} == {}
