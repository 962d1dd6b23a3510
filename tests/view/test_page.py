"""The page of a trace: one file without script, in which recorded text is only text."""

import re
from html.parser import HTMLParser

from inline_snapshot import snapshot
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link

from agentops_otel.view import page
from agentops_otel.view.tree import build
from tests.view.spans import CHAT, Trace, research

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&</pre></style>\udcff"


class Outline(HTMLParser):
    """What a browser makes of the page: the tags that are there, their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Every tag ends in its turn."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


def test_the_page_shows_every_span_with_its_numbers() -> None:
    """Names, durations, tokens, errors, and what the trace adds up to."""
    html = page.render([build(research())], title="t.jsonl")

    lines = re.findall(r"<summary>(.*?)</summary>|(<p class=.sum.*?)</p>", html)
    assert Outline(html).open == []
    assert [
        " | ".join(re.findall("[^<>]+(?=<|$)", re.sub("<[^>]*>", "<", "".join(line)))) for line in lines
    ] == snapshot(
        [
            "1.24 s · 4 spans · 1 LLM call · 1200→180 tok · $0.0048  | 1 error",
            "invoke_workflow research | 1.24 s",
            "plan | 899 ms",
            "chat gpt-4o | 820 ms | 1200→180 tok  gpt-4o-2024-08-06",
            "execute_tool search | 3.0 ms | ValueError: no such page",
        ]
    )


def test_nothing_recorded_is_ever_more_than_text() -> None:
    """Markup in names, values, messages, errors and titles is escaped, each time."""
    trace = Trace()
    messages = '[{"role": "<b>", "parts": [{"type": "text", "content": "<i onclick=x>"}, "<u>"]}, "<s>"]'
    span = trace.span(
        EVIL,
        attributes={EVIL: EVIL, "bytes": b"<a>", **CHAT, "gen_ai.input.messages": messages},
        error=f"E: {EVIL}",
        events=[Event(EVIL, {EVIL: EVIL})],
        links=[Link(trace.context(9))],
    )

    html = page.render([build([span])], title=EVIL)

    harmless = Outline(page.render([build(research())], title="t"))
    outline = Outline(html)
    assert outline.tags - harmless.tags == {"b", "div", "h3"}
    assert outline.attributes == harmless.attributes
    assert outline.text.count("<script>alert(1)</script>") == 9
    assert "\udcff" not in html


def test_the_page_needs_nothing_and_runs_nothing() -> None:
    """No script, no address, and a policy that would refuse both."""
    html = page.render([build(research())], title="t")

    outline = Outline(html)
    assert not outline.tags & {"script", "img", "link", "iframe", "object", "form"}
    assert not outline.attributes & {"src", "href", "style", "onclick"}
    assert "http://" not in html
    assert "https://" not in html
    assert re.search(r"default-src 'none'; style-src 'sha256-[\w+/]{43}='", html)


def test_a_conversation_reads_as_one() -> None:
    """Messages show role and text, a tool call all that it says; what is no list of messages is shown as it is."""
    span = Trace().span(
        "chat",
        attributes={
            "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]',
            "gen_ai.input.messages": '[{"role": "user", "content": "Hi\\nthere"}]',
            "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "tool_call", "name": "f"}]}]',
        },
    )
    odd = Trace(2).span("chat", attributes={"gen_ai.input.messages": "[cut", "gen_ai.output.messages": '{"parts": 1}'})

    said = re.findall(
        r'<div class="message"><b>(.*?)</b><pre>(.*?)</pre>', page.render([build([span, odd])], title=""), re.S
    )

    assert said == snapshot(
        [
            ("", "Be brief."),
            (
                "user",
                """\
Hi
there\
""",
            ),
            (
                "assistant",
                """\
{
  &quot;type&quot;: &quot;tool_call&quot;,
  &quot;name&quot;: &quot;f&quot;
}\
""",
            ),
            ("", "[cut"),
            ("", "1"),
        ]
    )


def test_values_that_json_cannot_lay_out_are_shown_too() -> None:
    """Deep nesting and huge numbers do not stop the page."""
    span = Trace().span("x", attributes={"deep": "[" * 900 + "]" * 900, "huge": (2**80,)})

    html = page.render([build([span])], title="")

    assert "[[[[" in html
    assert str(2**80) in html


def test_spans_without_times_stand_at_the_start() -> None:
    """A trace of no length divides by nothing."""
    html = page.render([build([Trace().span("x", 0, 0)])], title="")

    assert 'x="0%" width="0%"' in html
