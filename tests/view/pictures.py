"""Takes the pictures of the page that docs/looking.md shows: `python -m tests.view.pictures`.

Needs `chromium` on PATH (Debian: `apt-get install chromium`).
"""

import json
import random
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export import otlp_json
from agentops_otel.view.live import LiveView, Store
from tests.view import spans
from tests.view.browser import Browser, Page
from tests.view.spans import AGENT, CHAT, TOOL, Trace, said, text

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
HOURS = 150
MODELS = {"gpt-4o": "openai", "gpt-4o-mini": "openai", "claude-sonnet-4-20250514": "anthropic"}
LAST, BEFORE = f"{HOURS:032x}", f"{HOURS - 1:032x}"
VIEWS = {
    "view-run": f"#/run/{LAST}/{2:016x}",
    "view-compare": f"#/compare/{BEFORE}/{LAST}",
    "view-totals": "#/totals",
}


def run(number: int, chosen: random.Random) -> Iterator[ReadableSpan]:
    """An agent that asks, searches, and asks again."""
    trace, at, model = Trace(number, count(2)), 5, chosen.choice(list(MODELS))
    agent = chosen.choice(["research", "travel", "billing"]) if number < HOURS - 1 else "research"
    told = {**AGENT, "gen_ai.agent.name": agent, "agentops.tags": ("nightly",) if number % 3 else ("ci",)}
    root = trace.context(1)
    for question in ("Which papers on tracing are worth reading?", "Which of these has figures?")[: 2 - number % 2]:
        took = chosen.randint(400, 2400)
        asked = {
            **CHAT,
            "gen_ai.provider.name": MODELS[model],
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            "gen_ai.usage.input_tokens": chosen.randint(300, 6000),
            "gen_ai.input.messages": json.dumps([said("user", text(question))]),
            "gen_ai.output.messages": json.dumps([said("assistant", text(f"{chosen.randint(2, 5)} of them."))]),
        }
        yield trace.span(f"chat {model}", at, at + took, under=root, attributes=asked)
        at += took
        for _ in range(chosen.randint(1, 9)):
            took = chosen.randint(20, 300)
            error = "TimeoutError: late" if chosen.random() < 0.06 else None
            yield trace.span("execute_tool search", at, at + took, under=root, attributes=TOOL, error=error)
            at += took
    yield Trace(number).span(f"invoke_agent {agent}", 0, at + 5, attributes=told)


def main() -> None:
    """Fill a store, and take a picture of each view."""
    chosen, store = random.Random(7), Store(None, otlp_json)
    now = time.time_ns()
    for number in range(1, HOURS + 1):
        spans.START = now - (HOURS - number + 1) * 3600 * 10**9
        store.add(list(run(number, chosen)))
    with (
        tempfile.TemporaryDirectory() as folder,
        LiveView(store, otlp_json, port=0, otlp_port=0) as live,
        Browser(Path(folder)) as browser,
        Page(live.url, browser) as page,
    ):
        page.wait_for("document.querySelector('#main')?.dataset.shown === location.hash")
        page.look(width=1280, height=640)
        for name, view in VIEWS.items():
            page.evaluate(f"location.hash = '{view}'")
            page.wait_for("document.querySelector('#main').dataset.shown === location.hash")
            # Drawn, not only there.
            page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            file = PICTURES / f"{name}.png"
            page.picture(file)
            print(f"docs/pictures/{file.name}: {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
