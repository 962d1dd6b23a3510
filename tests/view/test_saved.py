"""Runs as one HTML file: the page with its data, which opens from disk, asks for nothing, and runs nothing recorded."""

import json
import re
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import Event

from agentops_otel.export import otlp_json
from agentops_otel.view.live import LiveView, Store, saved
from agentops_otel.view.live.store import day
from agentops_otel.view.live.wanted import Filter
from tests.program import ROOT
from tests.view.browser import CHROMIUM, MISSING, Browser, Page
from tests.view.requests import request
from tests.view.spans import CHAT, START, Trace, conversation, research

EVIL = "</script><script>document.title='hacked'</script><img src=x onerror=document.title='hacked'>\"'&<!--\u2028"
TRACE = "0" * 31 + "1"
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)


@pytest.fixture
def memory() -> Iterator[Store]:
    """A store without a file."""
    with closing(Store(None, otlp_json)) as made:
        yield made


def test_a_title_may_be_any_text(memory: Store) -> None:
    """Also one of which half a character is left, and one with the signs of HTML."""
    html = saved.page(memory, title="a\ud800 <b>").decode()

    assert "<title>a? &lt;b&gt;" in html


def test_the_file_is_whole(memory: Store) -> None:
    """Two scripts, one of them data, and a style; no address; a policy with the digest of what may run."""
    memory.add([*research(), *conversation()])

    html = saved.page(memory, title="t.jsonl").decode()

    assert re.findall(r"<(?:script|style|link|img)[^>]*>", html) == [
        "<style>",
        '<script type="application/json" id="saved">',
        '<script type="module">',
    ]
    assert [html.count(tag) for tag in ("<body>", "</body>", "</html>")] == [1, 1, 1]
    assert not re.search(
        r"https?://", html.replace("http://localhost:4318", "").replace("http://www.w3.org/2000/svg", "")
    )
    assert re.search(r"default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='", html)
    assert "</script" not in saved.bundle()
    assert not re.search(r"^(import|export)\b", saved.bundle(), re.MULTILINE)


def test_the_data_of_a_file_are_what_the_page_would_ask_for(memory: Store) -> None:
    """The runs, newest first, each with its day and its spans; what the filters can be set to; the totals."""
    memory.add(research())
    memory.add([Trace(3).span("other", 1, attributes={"agentops.tags": ("b", "a"), "gen_ai.agent.name": "travel"})])

    html = saved.page(memory, title="t").decode()
    text = html.partition('id="saved">')[2].partition("</script>")[0]
    data, keys = json.loads(text), list[list[str]]()
    json.loads(text, object_pairs_hook=lambda pairs: keys.append([name for name, _ in pairs]))

    assert [names for names in keys if len(names) != len(set(names))] == []
    runs = memory.runs(Filter())
    assert [{name: run[name] for name in run if name != "day"} for run in data["list"]] == runs
    assert {run["day"] for run in data["list"]} == {day(START)}
    assert list(data["runs"]) == ["0" * 31 + "3", TRACE]
    for run in runs:
        trace = str(run["trace"])
        assert data["runs"][trace] == {**run, "spans": [json.loads(json.dumps(one)) for one in memory.spans(trace)]}
    assert data["choices"] == {
        "tags": ["a", "b"],
        "models": ["gpt-4o-2024-08-06"],
        "tool_names": ["search"],
        "agents": ["travel"],
        "services": ["bot"],
    }
    totals = {kind: [asdict(one) for one in found] for kind, found in memory.totals(Filter()).items()}
    assert data["totals"] == totals
    assert sorted(data) == ["choices", "list", "runs", "totals"]


def test_a_file_may_hold_as_much_as_is_said() -> None:
    """More is left out by `agentops-otel show --html`."""
    assert f"the newest {saved.LIMIT_BYTES / 2**20:.0f} MB of spans" in (ROOT / "docs/limits.md").read_text()


class Brief(Store):
    """A store whose answers have one run, unless more are asked for."""

    def runs(self, wanted: Filter, *, limit: int | None = 1) -> list[dict[str, object]]:
        """As a store does."""
        return super().runs(wanted, limit=limit)


def test_a_file_has_all_runs() -> None:
    """However many the page would be given at a time."""
    with closing(Brief(None, otlp_json)) as store:
        store.add([Trace(n).span(f"run-{n}") for n in (1, 2)])
        html = saved.page(store, title="t").decode()

        assert len(store.runs(Filter())) == 1
    assert set(re.findall(r"run-\d", html)) == {"run-1", "run-2"}


def test_the_frame_of_a_file_is_html_of_its_own(memory: Store) -> None:
    """Its policy, its width and its colours are said before anything is shown."""
    head = saved.page(memory, title="t").decode().partition("<style>")[0]

    assert re.sub("sha256-[^']+", "sha256-", head) == (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-'; "
        "style-src 'sha256-'; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<title>t</title>\n'
    )


def test_one_run_is_saved_alone(memory: Store) -> None:
    """Nothing of the other runs goes with it, not even what the filters could be set to."""
    memory.add([*research(), Trace(3).span("other", attributes={"agentops.tags": ("secret project",)})])

    html = saved.page(memory, title="t", trace=TRACE).decode()

    assert "research" in html
    assert "other" not in html.partition('id="saved">')[2].partition("</script>")[0]
    with pytest.raises(KeyError):
        saved.page(memory, title="t", trace="f" * 32)


def test_the_page_saves_a_run(live: LiveView, store: Store) -> None:
    """As a file to keep, not as a page of the server."""
    store.add(research())
    _, headers, _ = request(live.port, "GET", live.url.partition(str(live.port))[2])
    cookie = {"cookie": headers["set-cookie"].partition(";")[0]}

    status, headers, body = request(live.port, "GET", f"/api/html/{TRACE}", headers=cookie)

    assert (status, headers["content-disposition"]) == (200, f'attachment; filename="{TRACE}.html"')
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert body == saved.page(store, title=TRACE, trace=TRACE)
    assert request(live.port, "GET", "/api/html/x", headers=cookie)[0] == 404


@pytest.mark.no_cover
@pytest.mark.parametrize("saved_as", ["html", "otlp"])
def test_a_run_larger_than_the_memory_is_saved(tmp_path: Path, saved_as: str) -> None:
    """A few spans of it are in memory at a time, whatever its length."""
    with closing(Store(tmp_path / "view.sqlite3", otlp_json)) as store:
        trace = Trace()
        for number in range(40):
            store.add([trace.span("x", number, attributes={"said": "y" * 50_000}) for _ in range(10)])
        tracemalloc.start()
        try:
            parts = saved.parts(store, title="t", trace=TRACE) if saved_as == "html" else store.export(TRACE)
            size = sum(map(len, parts))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert size > 400 * 50_000
    assert peak < size / 2


@needs_chromium
def test_the_file_opens_from_disk(memory: Store, tmp_path: Path, browser: Browser) -> None:
    """The list with its filters and its order, a run, and its conversation, without a request."""
    memory.add([*research(), *conversation()])
    file = tmp_path / "runs.html"
    file.write_bytes(saved.page(memory, title="runs"))
    names = "[...document.querySelectorAll('.runs a')].map(link => link.textContent)"
    with Page(file.as_uri(), browser) as page:
        page.wait_for(f"{names}.length === 2")
        found = {}
        for wanted in (
            "text=no+such+page",
            "text=SNOW",
            "text=nowhere",
            "failed=1&sort=name&order=up",
            "since=2023-11-13&until=2023-11-15&sort=name",
            "since=2023-11-16",
            "until=2023-11-12",
            "slower=2",
            "dearer=0.005",
            "tool=search",
            "agent=travel",
            "sort=name&order=up",
        ):
            page.evaluate(f"location.hash = '#/?{wanted}'")
            page.wait_for("document.querySelector('#main').dataset.shown === location.hash")
            found[wanted] = page.evaluate(names)
        page.evaluate("location.hash = '#/?'")
        page.wait_for(f"{names}.length === 2")
        page.evaluate("[...document.querySelectorAll('.runs a')].at(-1).click()")
        page.wait_for("document.querySelectorAll('.tree [role=treeitem]').length === 4")
        page.evaluate("document.querySelectorAll('.views a')[1].click()")
        page.wait_for("document.querySelectorAll('.step').length > 0")

        travel, other = ["invoke_agent travel"], ["invoke_workflow research"]
        assert found == {
            "text=no+such+page": other,
            "text=SNOW": travel,
            "text=nowhere": [],
            "failed=1&sort=name&order=up": [*travel, *other],
            "since=2023-11-13&until=2023-11-15&sort=name": [*other, *travel],
            "since=2023-11-16": [],
            "until=2023-11-12": [],
            "slower=2": travel,
            "dearer=0.005": travel,
            "tool=search": other,
            "agent=travel": travel,
            "sort=name&order=up": [*travel, *other],
        }
        assert page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)") == []
        assert page.evaluate("document.querySelector('#state').textContent") == "saved"


@needs_chromium
def test_hostile_text_in_a_file_is_text(memory: Store, tmp_path: Path, browser: Browser) -> None:
    """What would end the data, the script or an element is shown, and does nothing."""
    error = {"exception.stacktrace": EVIL, "exception.message": EVIL}
    memory.add(
        [
            Trace().span(
                EVIL,
                attributes={**CHAT, EVIL: EVIL, "gen_ai.input.messages": EVIL},
                error=f"E: {EVIL}",
                events=[Event("exception", error)],
            )
        ]
    )
    file = tmp_path / "run.html"
    file.write_bytes(saved.page(memory, title=EVIL))
    with Page(file.as_uri(), browser) as page:
        page.wait_for("document.querySelectorAll('.span table').length === 2")

        assert page.evaluate("document.title") == EVIL
        assert page.evaluate("document.querySelectorAll('img, main script').length") == 0
        assert (
            page.evaluate(
                "[...document.querySelectorAll('.span pre')].filter(said => said.textContent.includes('hacked')).length"
            )
            == 4
        )
        assert page.evaluate("performance.getEntriesByType('resource').length") == 0
