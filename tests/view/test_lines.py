"""The lines of a trace, sign by sign: colours, columns, folds, and where they are cut."""
# ruff: noqa: RUF001 - a multiplication sign is meant

import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from html import unescape
from itertools import accumulate
from types import SimpleNamespace
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.util.types import AttributeValue

from agentops_otel.view.format import ASCII, UNICODE, Glyphs
from agentops_otel.view.lines import Line, last_line, open_line, tree_lines
from agentops_otel.view.notebook import CellOutput
from agentops_otel.view.printer import Printed
from agentops_otel.view.terminal import LINES, show, show_open, summary
from agentops_otel.view.tree import Node, Summary, build
from tests.view.spans import ACTION, CHAT, TOOL, WORKFLOW, Trace, said, text


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """As a terminal does."""
        return True


def run_of_an_agent() -> list[Node]:
    """A trace that has each piece that a line can have."""
    trace = Trace()
    root = trace.span("invoke_workflow research", 0, 1240, attributes=WORKFLOW)
    asked = {**CHAT, "gen_ai.input.messages": json.dumps([said("user", text("Who wrote <it>?"))])}
    chats = [trace.span("chat gpt-4o", 2 + n, 22 + n, under=root, attributes=asked) for n in range(4)]
    plan = trace.span("plan", 30, 900, under=root, attributes=ACTION)
    failed = trace.span("execute_tool search", 31, 34, under=plan, attributes=TOOL, error="ValueError: no such page")
    return build([*chats, failed, plan, root])


def plain(lines: Sequence[Line]) -> list[str]:
    """The lines without their styles."""
    return ["".join(piece for piece, _ in line).rstrip() for line in lines]


def leaves(names: Sequence[str], attributes: Mapping[str, AttributeValue] | None = None) -> list[Node]:
    """A root with these spans below it, one after the other."""
    trace = Trace()
    root = trace.span("root", 0, 1000)
    below = [trace.span(name, n, n + 1, under=root, attributes=attributes) for n, name in enumerate(names)]
    return build([root, *below])


def test_each_piece_of_a_trace_has_its_colour_and_its_column() -> None:
    """As a person sees it on a terminal; a style ends where its piece does."""
    stream = io.StringIO()

    show(run_of_an_agent(), stream=stream, color=True, note="late")

    assert re.sub("\x1b\\[([\\d;]+)m", "<\\1>", stream.getvalue()) == snapshot("""\
<1>invoke_workflow research<0>   <36>    1.24 s<0><2>  "Who wrote <it>?"<0>
<2>├─ <0><1>chat gpt-4o × 4<0>         <36>     80 ms<0><35>  4800→720 tok<0><2>  gpt-4o-2024-08-06<0>
<2>└─ <0><1>plan<0>                    <36>    870 ms<0>
<2>   └─ <0><1;31>✗ <0><31>execute_tool search<0><36>    3.0 ms<0><31>  ValueError: no such page<0>
<2>trace 00000000000000000000000000000001  1.24 s  4800→720 tok  $0.0192  1 error  late<0>
""")


def test_what_has_ended_below_an_open_span_is_a_branch_of_its_name() -> None:
    """No last line follows: the trace goes on."""
    stream = io.StringIO()

    show_open("chat\nloop", run_of_an_agent(), stream=stream, color=False)

    assert stream.getvalue() == snapshot("""\
chat loop …
├─ invoke_workflow research       1.24 s  "Who wrote <it>?"
│  ├─ chat gpt-4o × 4              80 ms  4800→720 tok  gpt-4o-2024-08-06
│  └─ plan                        870 ms
│     └─ ✗ execute_tool search    3.0 ms  ValueError: no such page
""")


def test_the_name_of_an_open_span_stands_out_on_a_terminal() -> None:
    """As that of each span below it does."""
    stream = io.StringIO()

    show_open("chat", build([Trace().span("one")]), stream=stream, color=True)

    assert stream.getvalue().splitlines() == [
        "\x1b[1mchat …\x1b[0m",
        "\x1b[2m├─ \x1b[0m\x1b[1mone\x1b[0m\x1b[36m     10 ms\x1b[0m",
    ]


def test_what_is_long_below_an_open_span_is_cut() -> None:
    """As a whole trace is, while the program runs."""
    stream = io.StringIO()

    show_open("chat loop", leaves([f"step {n}" for n in range(200)]), stream=stream, color=False)

    lines = stream.getvalue().splitlines()
    assert len(lines) == LINES + 2  # the open span, and how many are left out
    assert any("more" in line for line in lines)


def test_a_notebook_has_the_same_pieces_as_html() -> None:
    """What a name or a prompt says is text there."""
    events = pytest.importorskip("IPython.core.events", reason="the group `taskweaver` brings it")
    output = CellOutput(
        SimpleNamespace(events=events.EventManager(None, events.available_events)), cell_ended=lambda: None
    )

    output.add(Printed(run_of_an_agent()))
    html = output.html(f"{1:032x}") or ""

    pieces = [
        [(style, unescape(shown)) for style, shown in re.findall('<span style="(.*?)">(.*?)</span>', line) if shown]
        for line in html.split("<br>")
    ]
    assert re.sub('<span style=".*?">.*?</span>', "", html) == f'<pre style="line-height:1.3">{"<br>" * 4}</pre>'
    assert "<it>" not in html
    assert pieces == snapshot(
        [
            [
                ("font-weight:bold", "invoke_workflow research"),
                ("", "   "),
                ("color:#089", "    1.24 s"),
                ("opacity:.6", '  "Who wrote <it>?"'),
            ],
            [
                ("opacity:.6", "├─ "),
                ("font-weight:bold", "chat gpt-4o × 4"),
                ("", "         "),
                ("color:#089", "     80 ms"),
                ("color:#a3a", "  4800→720 tok"),
                ("opacity:.6", "  gpt-4o-2024-08-06"),
            ],
            [
                ("opacity:.6", "└─ "),
                ("font-weight:bold", "plan"),
                ("", "                    "),
                ("color:#089", "    870 ms"),
            ],
            [
                ("opacity:.6", "   └─ "),
                ("font-weight:bold;color:#d33", "✗ "),
                ("color:#d33", "execute_tool search"),
                ("color:#089", "    3.0 ms"),
                ("color:#d33", "  ValueError: no such page"),
            ],
            [("opacity:.6", "trace 00000000000000000000000000000001  1.24 s  4800→720 tok  $0.0192  1 error")],
        ]
    )


def test_a_notebook_remembers_so_many_traces_and_shows_the_newest_of_a_cell() -> None:
    """The fifty newest of each; an older one is displayed no more."""
    events = pytest.importorskip("IPython.core.events", reason="the group `taskweaver` brings it")
    output = CellOutput(
        SimpleNamespace(events=events.EventManager(None, events.available_events)), cell_ended=lambda: None
    )

    for number in range(1, 53):
        output.add(Printed(build([Trace(number).span("one")])))

    assert [number for number in range(1, 53) if output.html(f"{number:032x}") is None] == [1, 2]


def test_a_cell_shows_what_has_ended_in_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one piece, below the cell; what was displayed is not shown again, and nothing after the end."""
    events = pytest.importorskip("IPython.core.events", reason="the group `taskweaver` brings it")
    shown, ended = list[Any](), list[int]()
    monkeypatch.setattr("IPython.display.display", shown.append)
    manager = events.EventManager(None, events.available_events)
    output = CellOutput(SimpleNamespace(events=manager), cell_ended=lambda: ended.append(len(shown)))
    traces = [Printed(build([Trace(n).span(f"trace-{n}")])) for n in range(6)]

    def cell(*printed: Printed) -> None:
        for one in printed:
            output.add(one)
        manager.trigger("post_run_cell", None)

    cell(*traces[:2])
    cell()
    for one in traces[2:4]:
        output.add(one)
    displayed = output.html("0" * 31 + "2") or ""
    cell()
    cell(Printed(traces[4].roots, under="chat", note="none"))
    cell(Printed(traces[5].roots, note="its root has not ended", before=Summary(llm_calls=1, input_tokens=7)))
    for _ in range(2):
        output.close(1)
    cell(traces[0])

    assert [re.findall(r"trace-\d", html.data) for html in shown] == [
        ["trace-0", "trace-1"], ["trace-3"], ["trace-4"], ["trace-5"],
    ]  # fmt: skip
    assert ("trace-2" in displayed, output.html("f" * 32), output.flush(0.0)) == (True, None, True)
    assert "chat …" in shown[2].data
    assert "├─ " in shown[2].data
    assert "7 tok  its root has not ended" in shown[3].data
    assert ended == [0, 1, 1, 2, 3]


def test_a_cell_shows_no_more_than_a_person_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fifty newest traces, and of a long one, or of what is below an open span, its first and its last lines."""
    events = pytest.importorskip("IPython.core.events", reason="the group `taskweaver` brings it")
    shown = list[Any]()
    monkeypatch.setattr("IPython.display.display", shown.append)
    manager = events.EventManager(None, events.available_events)
    output = CellOutput(SimpleNamespace(events=manager), cell_ended=lambda: None)
    long = leaves([f"step {n}" for n in range(200)])

    for printed in (
        [Printed(build([Trace(n).span(f"trace-{n}")])) for n in range(1, 53)],
        [Printed(long)],
        [Printed(long, under="chat")],
    ):
        for one in printed:
            output.add(one)
        manager.trigger("post_run_cell", None)

    many, whole, below = (html.data for html in shown)
    assert re.findall(r"trace-(\d+)", many) == [str(n) for n in range(3, 53)]
    # With how many are left out, and the last line or the open span.
    assert [html.count("<br>") + 1 for html in (whole, below)] == [LINES + 2] * 2


@pytest.mark.parametrize(("length", "shown"), [(56, "n" * 56), (57, "n" * 55 + "…")])
def test_a_name_that_just_fits_its_column_is_not_cut(length: int, shown: str) -> None:
    """However wide the terminal is."""
    assert plain(tree_lines(build([Trace().span("n" * length)]), UNICODE, 200)) == [f"{shown}     10 ms"]


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (70, ["n" * 56 + "         10 ms", "└─ ✗ " + "m" * 54 + "…     10 ms"]),
        (40, ["n" * 29 + "…     10 ms", "└─ ✗ " + "m" * 24 + "…     10 ms"]),
        (12, ["n" * 7 + "…          10 ms", "└─ ✗ mmmmmmm…     10 ms"]),
    ],
)
def test_names_leave_room_for_the_durations(width: int, shown: list[str]) -> None:
    """Branches and marks of failure count; eight signs of a name are always there."""
    trace = Trace()
    root = trace.span("n" * 56)
    failed = trace.span("m" * 56, 1, 11, under=root, error="E")
    assert [line.removesuffix("  E") for line in plain(tree_lines(build([root, failed]), UNICODE, width))] == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(4, "└─ " + "m" * 22 + "… × 4    4.0 ms"), (10, "└─ " + "m" * 21 + "… × 10     10 ms")]
)
def test_a_long_name_leaves_room_for_how_often_it_is_there(number: int, shown: str) -> None:
    """The duration stands behind both."""
    assert plain(tree_lines(leaves(["m" * 56] * number), UNICODE, 40))[1] == shown


@pytest.mark.parametrize(("number", "lines"), [(3, 4), (4, 2), (5, 2)])
def test_four_equal_leaves_are_one_line(number: int, lines: int) -> None:
    """Three are three."""
    found = plain(tree_lines(leaves(["search"] * number, TOOL), UNICODE, 120))

    assert len(found) == lines
    assert (f"search × {number} " in found[1]) == (lines == 2)


def test_leaves_that_differ_in_what_a_line_says_are_not_folded() -> None:
    """By name, role or model, or since something failed or is below them."""
    trace = Trace()
    root = trace.span("root", 0, 1000)
    kinds: list[tuple[str, Mapping[str, AttributeValue]]] = [
        ("chat", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "one"}),
        ("chat", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "two"}),
        ("chat", {"gen_ai.operation.name": "execute_tool", "gen_ai.request.model": "two"}),
        ("talk", {"gen_ai.operation.name": "execute_tool", "gen_ai.request.model": "two"}),
    ]
    spans = [
        trace.span(name, 10 * kind + n, 10 * kind + n + 1, under=root, attributes=attributes)
        for kind, (name, attributes) in enumerate(kinds)
        for n in range(4)
    ]
    failed = [trace.span("fails", 50 + n, 51 + n, under=root, error="E") for n in range(4)]
    parents = [trace.span("calls", 60 + n, 61 + n, under=root) for n in range(4)]
    below = [trace.span("called", 60, 61, under=parent) for parent in parents]

    shown = [
        line.split("    ")[0]
        for line in plain(tree_lines(build([root, *spans, *failed, *parents, *below]), UNICODE, 120))
    ]

    assert [re.sub("[│├└─ ]", "", line) for line in shown] == [
        "root", "chat×4", "chat×4", "chat×4", "talk×4", *["✗fails"] * 4, *["calls", "called"] * 4,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        (7, ["root", "├─ s0", "├─ s1", "├─ s2", "├─ s3", "├─ s4", "├─ s5", "└─ s6"]),
        (8, ["root", "├─ s0", "├─ s1", "├─ s2", "├─ s3", "├─ s4", "… 1 span more", "├─ s6", "└─ s7"]),
        (12, ["root", "├─ s0", "├─ s1", "├─ s2", "├─ s3", "├─ s4", "… 5 spans more", "├─ s10", "└─ s11"]),
    ],
)
def test_of_a_long_trace_the_first_three_quarters_and_the_last_are_shown(steps: int, shown: list[str]) -> None:
    """With as many lines as there may be, all are."""
    lines = plain(tree_lines(leaves([f"s{n}" for n in range(steps)]), UNICODE, 120, limit=8))

    assert [line.split("   ")[0] for line in lines] == shown


def test_the_number_of_spans_that_are_left_out_is_dim() -> None:
    """On a terminal."""
    stream = io.StringIO()

    show(leaves([f"s{n}" for n in range(9)]), stream=stream, color=True, limit=8)

    assert "\x1b[2m… 2 spans more\x1b[0m\n" in stream.getvalue()


def test_spans_that_were_folded_count_among_those_left_out() -> None:
    """The number is of spans, not of lines."""
    names = [*(f"s{n}" for n in range(5)), *["same"] * 9, *(f"s{n}" for n in range(5, 9))]

    assert "… 11 spans more" in plain(tree_lines(leaves(names), UNICODE, 120, limit=8))


@pytest.mark.parametrize(("width", "branch"), [(80, 20), (40, 10), (16, 8)])
def test_the_branches_of_a_deep_tree_take_a_quarter_of_the_width(width: int, branch: int) -> None:
    """Eight columns at the least."""
    trace = Trace()
    spans = [trace.span("n")]
    for _ in range(30):
        spans.append(trace.span("n", under=spans[-1]))

    assert plain(tree_lines(build(spans), UNICODE, width))[-1].index("n ") == branch


@pytest.mark.parametrize(("length", "shown"), [(40, "q" * 40), (41, "q" * 39 + "…")])
def test_a_question_that_just_fits_its_column_is_not_cut(length: int, shown: str) -> None:
    """Each tree has its own, in its first line."""
    asked = {"gen_ai.input.messages": json.dumps([said("user", text("q" * length))])}
    spans = [Trace(n).span("chat", n, attributes=asked) for n in (1, 2)]

    assert [line.partition('"')[2] for line in plain(tree_lines(build(spans), UNICODE, 120))] == [f'{shown}"'] * 2


def test_a_model_that_the_name_says_is_not_said_again() -> None:
    """A part of the name is enough."""
    spans = [
        Trace(n).span("chat gpt-4o", n, attributes={"gen_ai.request.model": model})
        for n, model in enumerate(("gpt-4o", "gpt-4", "gpt-4o-mini"))
    ]

    assert [line.partition(" ms")[2] for line in plain(tree_lines(build(spans), UNICODE, 120))] == [
        "", "", "  gpt-4o-mini",
    ]  # fmt: skip


@pytest.mark.parametrize(("width", "shown"), [(7, ["loops …"]), (6, ["loops…"]), (5, ["loop…"])])
def test_the_name_of_an_open_span_has_a_mark_of_its_own(width: int, shown: list[str]) -> None:
    """Cut where it does not fit."""
    assert plain([open_line("loops", UNICODE, width)]) == shown


def test_the_last_line_counts_errors_where_there_are_any() -> None:
    """Tokens and price where they are known."""
    roots = build([Trace().span("one")])

    assert plain(
        [
            last_line(Summary(duration_ns=1_000_000), roots, UNICODE, 120),
            last_line(Summary(errors=2, output_tokens=3, cost_usd=0.0), roots, UNICODE, 120, "note"),
        ]
    ) == [
        "trace 00000000000000000000000000000001  1.0 ms",
        "trace 00000000000000000000000000000001  0.0 ms  →3 tok  $0.00  2 errors  note",
    ]


class OldTerminal(Terminal):
    """One that knows no sign beyond ASCII."""

    encoding = "ascii"


@pytest.mark.parametrize(("kind", "glyphs"), [(Terminal, UNICODE), (OldTerminal, ASCII)], ids=["unicode", "ascii"])
def test_a_line_is_whole_where_it_fits_and_as_much_of_it_as_fits_elsewhere(
    kind: type[Terminal], glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any width, in colours as without: a piece is cut with a mark, unless there is only room for that."""
    roots = run_of_an_agent()
    for width in range(1, 90):
        monkeypatch.setenv("COLUMNS", str(width))
        colored, black = kind(), kind()
        show(roots, stream=colored, color=True)
        show(roots, stream=black, color=False)

        shown = black.getvalue().splitlines()
        assert re.sub(r"\x1b\[[\d;]*m", "", colored.getvalue()).splitlines() == shown
        for line, pieces in zip(shown, tree_lines(roots, glyphs, width), strict=False):
            whole = "".join(piece for piece, _ in pieces)
            assert line == whole if len(whole) <= width else width - len(glyphs.cut) <= len(line) <= width
            assert whole.startswith(line.removesuffix(glyphs.cut))
            ends = set(accumulate(len(piece) for piece, _ in pieces))
            assert whole.startswith(line) or width - 1 not in ends
            assert line == whole[:width] or width not in ends


@pytest.mark.parametrize(("columns", "length"), [("50", 50), ("", 120), ("0", 120), ("wide", 120), ("-1", None)])
def test_a_line_is_as_wide_as_the_terminal_is_known_to_be(
    columns: str, length: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `COLUMNS`, else by itself; a stream that is none, and one that does not know, has 120."""
    monkeypatch.setenv("COLUMNS", columns)
    long = build([Trace().span("n", error="E: " + "e" * 500)])
    terminal, other = Terminal(), io.StringIO()

    show(long, stream=terminal, color=False)
    show(long, stream=other)

    assert length is None or len(terminal.getvalue().splitlines()[0]) == length
    assert len(other.getvalue().splitlines()[0]) == 120


@pytest.mark.parametrize(
    ("term", "no_color", "colors"),
    [("xterm", "", True), ("", "", True), ("dumb", "", False), ("xterm", "1", False), ("xterm", "0", False)],
)
def test_colours_are_for_a_terminal_that_takes_them(
    term: str, no_color: str, colors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None where the user wants none, and none in a file."""
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("NO_COLOR", no_color)
    terminal, other = Terminal(), io.StringIO()

    for stream in (terminal, other):
        show(run_of_an_agent(), stream=stream)

    assert ("\x1b[" in terminal.getvalue(), "\x1b[" in other.getvalue()) == (colors, False)


@pytest.mark.parametrize(
    ("variable", "colors"), [("WT_SESSION", True), ("TERM", True), ("ANSICON", True), ("PROMPT", False)]
)
def test_an_old_console_of_windows_gets_no_colours(
    variable: str, colors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would show the signs for them; a newer one says in a variable what it is."""
    roots, terminal = run_of_an_agent(), Terminal()
    for name in ("WT_SESSION", "TERM", "ANSICON", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "x")

    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        show(roots, stream=terminal)

    assert ("\x1b[" in terminal.getvalue()) is colors


def test_a_session_whose_spans_are_not_seen_has_a_duration_alone() -> None:
    """Zeros would be wrong."""
    stream = io.StringIO()

    summary(Summary(duration_ns=2_000_000_000), end_state="Fail", links=["a", "b"], counted=False, stream=stream)

    assert stream.getvalue() == "agentops_otel: session Fail: 2.00 s; a; b\n"
