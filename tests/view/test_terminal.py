"""A finished trace on a terminal: whole, on one line a span, and never the app's trouble."""

import gc
import io
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TextIO, cast

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from agentops_otel.view import notebook, terminal, terminal_processor
from agentops_otel.view.format import UNICODE, dollars, seconds
from agentops_otel.view.lines import last_line
from agentops_otel.view.printer import Printer
from agentops_otel.view.terminal import announce, show, summary
from agentops_otel.view.terminal_processor import TerminalProcessor
from agentops_otel.view.tree import Summary, build, summarize
from tests.python_process import run_python
from tests.view.spans import CHAT, TOOL, Trace, research


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """As a terminal does."""
        return True


class Away(io.StringIO):
    """A stream whose reader went away."""

    asked = False

    def write(self, text: str) -> int:
        """Fail as a closed pipe does."""
        self.asked = True
        raise BrokenPipeError


def printed(*batches: Sequence[ReadableSpan], held_spans: int = 100) -> str:
    """What a processor prints for spans that end in this order."""
    stream = io.StringIO()
    processor = TerminalProcessor(Printer(stream), held_spans=held_spans)
    for batch in batches:
        for span in batch:
            processor.on_end(span)
    assert processor.force_flush()
    return stream.getvalue()


def test_a_trace_is_printed_when_its_root_ends() -> None:
    """One line a span in the order they started, and a last one with what the trace adds up to."""
    spans = research()

    assert printed(spans[:-1]) == ""
    assert printed(spans) == snapshot("""\
invoke_workflow research    1.24 s
├─ plan                     899 ms
│  └─ chat gpt-4o           820 ms  1200→180 tok  gpt-4o-2024-08-06
└─ ✗ execute_tool search    3.0 ms  ValueError: no such page
trace 00000000000000000000000000000001  1.24 s  1200→180 tok  $0.0048  1 error
""")


def test_a_span_with_a_remote_parent_is_a_local_root() -> None:
    """The part of a trace that this process made is printed here."""
    trace = Trace()
    root = trace.span("served", under=trace.context(99, is_remote=True))

    assert printed([trace.span("work", 1, under=root), root]).splitlines()[:2] == snapshot(
        ["served      10 ms", "└─ work    9.0 ms"]
    )


def test_a_child_that_ends_after_its_root_is_printed_when_it_ends() -> None:
    """A background task is shown late, with what is under it, and not lost."""
    trace = Trace()
    root = trace.span("root", 0, 10)
    late = trace.span("late", 5, 50, under=root)
    below = trace.span("below", 6, 40, under=late)

    assert printed([root, below]).splitlines()[0] == "root     10 ms"
    assert printed([root, below, late]).splitlines()[2:] == snapshot(
        [
            "late         45 ms",
            "└─ below     34 ms",
            "trace 00000000000000000000000000000001  45 ms",
        ]
    )


def test_a_process_that_calls_itself_prints_each_part_once() -> None:
    """The inner root is shown when it ends, the outer one later with the rest of its own."""
    trace = Trace()
    outer = trace.span("outer", 0, 50)
    before = trace.span("before", 1, 2, under=outer)
    inner = trace.span("inner", 5, 9, under=trace.context(1, is_remote=True))

    lines = printed([before, inner, outer]).splitlines()

    assert [line.split("  ")[0] for line in lines] == snapshot(
        [
            "inner",
            "trace 00000000000000000000000000000001",
            "outer",
            "└─ before",
            "trace 00000000000000000000000000000001",
        ]
    )


def test_spans_without_a_root_are_dropped_oldest_first() -> None:
    """Traces that never end take no more memory than the limit."""
    never, trace = Trace(1), Trace(2)
    lost = [never.span(f"lost {number}", under=never.context(99)) for number in range(5)]
    root = trace.span("root")
    kept = [trace.span(f"kept {number}", number, under=root) for number in range(3)]
    stream = io.StringIO()
    processor = TerminalProcessor(Printer(stream), held_spans=4)

    for span in [*lost, *kept, root]:
        processor.on_end(span)
    processor.shutdown()

    assert re.findall(r"(?:kept|lost) \d", stream.getvalue()) == ["kept 0", "kept 1", "kept 2", "lost 4"]


def test_a_trace_that_is_dropped_whole_takes_no_room() -> None:
    """Every span of an unfinished trace may be forgotten."""
    never, other = Trace(1), Trace(2)
    spans = [trace.span("x", under=trace.context(99)) for trace in (never, other)]

    assert printed(spans, [Trace(3).span("root")], held_spans=1).startswith("root")


def test_what_has_no_root_at_the_end_is_printed_at_shutdown() -> None:
    """A program that stops in the middle shows what it had done."""
    stream = io.StringIO()
    processor = TerminalProcessor(Printer(stream))
    for span in research()[:-1]:
        processor.on_end(span)

    processor.shutdown()
    processor.shutdown()

    assert stream.getvalue() == snapshot("""\
plan                     899 ms
└─ chat gpt-4o           820 ms  1200→180 tok  gpt-4o-2024-08-06
✗ execute_tool search    3.0 ms  ValueError: no such page
trace 00000000000000000000000000000001  903 ms  1200→180 tok  $0.0048  1 error  its root has not ended
""")


def test_unsampled_spans_are_not_printed() -> None:
    """A sampler's no counts here too."""
    context = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(0))

    assert printed([ReadableSpan("x", context), ReadableSpan("y")]) == ""


def test_only_so_many_shown_spans_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of shown traces does not grow with them."""
    monkeypatch.setattr(terminal_processor, "SHOWN_SPANS", 1)
    first, second = Trace(1), Trace(2)
    root = first.span("root")
    other = second.span("other")
    second.ids = first.ids

    assert "late" not in printed([root, Trace(3, first.ids).span("next"), first.span("late", under=root)])
    assert "late" in printed([other, second.span("late", under=other)])


def test_an_error_is_told_where_it_came_up() -> None:
    """The spans that an exception passes through are marked; its text stands once."""
    trace = Trace()
    root = trace.span("root", error="ValueError: no")
    leaf = trace.span("leaf", error="ValueError: no", under=root)

    assert printed([leaf, root]).splitlines()[:2] == snapshot(
        ["✗ root        10 ms", "└─ ✗ leaf     10 ms  ValueError: no"]
    )


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"gen_ai.usage.input_tokens": 7}, "x    10 ms  7 tok"),
        ({"gen_ai.usage.output_tokens": 7}, "x    10 ms  →7 tok"),
        ({"gen_ai.request.model": "gpt"}, "x    10 ms  gpt"),
        ({}, "x    10 ms"),
    ],
)
def test_a_line_says_what_is_known_and_no_more(attributes: Mapping[str, str | int], expected: str) -> None:
    """Absent tokens and models leave no gap."""
    line = printed([Trace().span("x", attributes=attributes)]).splitlines()[0]

    assert re.sub(" +", " ", line) == re.sub(" +", " ", expected)


def test_long_names_and_errors_are_cut() -> None:
    """A line is a line, however much a model or an exception says."""
    lines = printed([Trace().span("n" * 500, error="ValueError: " + "e" * 500)]).splitlines()

    assert len(lines) == 2
    assert (len(lines[0]), lines[0][-1]) == (terminal.WIDTH, "…")


def test_a_deep_tree_stays_readable() -> None:
    """A thousand levels need no recursion and no thousand columns."""
    trace = Trace()
    spans = [trace.span("top")]
    for level in range(2_000):
        spans.append(trace.span(f"level {level}", under=spans[-1]))

    stream = io.StringIO()
    show(build(spans), stream=stream)
    lines = stream.getvalue().splitlines()

    assert len(lines) == 2_002
    assert max(len(line) for line in lines) < 80


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    """Escape sequences, line breaks and lone surrogates of a name or an error are shown as signs."""
    span = Trace().span("a\x1b[2Jb\nc", error="E: \udcff\u202e\r\x07")

    assert printed([span]).splitlines()[0] == snapshot("✗ a�[2Jb c     10 ms  E: �� �")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_stream_that_cannot_encode_the_signs_gets_others(encoding: str) -> None:
    """Windows consoles and LANG=C show the same tree in ASCII."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")

    show(build([*research(), Trace(2).span("Grüße 日本")]), stream=stream, color=False)

    assert "\n".join(raw.getvalue().decode(encoding).splitlines()[:4]) == snapshot("""\
invoke_workflow research    1.24 s
|- plan                     899 ms
|  `- chat gpt-4o           820 ms  1200->180 tok  gpt-4o-2024-08-06
`- x execute_tool search    3.0 ms  ValueError: no such page\
""")


def test_a_terminal_gets_colors_and_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines have styles, and are cut to the terminal's width."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()

    show(build(research()), stream=stream)

    plain = re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()).splitlines()
    assert plain[2] == snapshot("│  └─ chat gpt-4o           820 ms  120…")
    assert "\x1b[1;31m✗" in stream.getvalue()


@pytest.mark.parametrize(("columns", "length"), [(46, 46), (45, 22), (22, 22), (21, 16), (16, 16), (15, 6)])
def test_the_last_line_says_as_much_of_the_trace_as_there_is_room_for(columns: int, length: int) -> None:
    """Its whole id where that fits exactly, else the beginning, else none."""
    [(text, _)] = last_line(Summary(duration_ns=1_000_000), build([Trace().span("one")]), UNICODE, columns)

    assert len(text) == length


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves no colour, though it is a terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    show(build(research()), stream=stream)

    assert not re.search(r"\x1b\[(?:\d+;)?3\d", stream.getvalue())


def test_nothing_is_imported_to_print() -> None:
    """Printing costs no import of a library."""
    program = (
        "import sys\n"
        "from agentops_otel.view import terminal\n"
        "from agentops_otel.view.tree import build\n"
        "from tests.view.spans import research\n"
        "terminal.show(build(research()))\n"
        "assert 'rich' not in sys.modules"
    )

    done = run_python("-c", program, timeout=60, env={**os.environ, "STARTS": "real"})

    assert (done.returncode, len(done.stderr.splitlines())) == (0, 5)


def test_threads_do_not_mix_their_traces() -> None:
    """Each trace is written in one piece."""
    stream = io.StringIO()
    processor = TerminalProcessor(Printer(stream))
    gate = threading.Barrier(8)

    def run(number: int) -> None:
        gate.wait(10)
        for turn in range(2):
            trace = Trace(100 * turn + number)
            root = trace.span(f"root {number}")
            for span in [trace.span(f"child {number}", under=root), root]:
                processor.on_end(span)

    threads = [threading.Thread(target=run, args=(number + 1,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert processor.force_flush()

    blocks = re.findall(r"root (\d) .*\n└─ child (\d) .*\ntrace .*\n", stream.getvalue())
    assert len(blocks) == 16
    assert all(len(set(block)) == 1 for block in blocks)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_prints_its_own_traces_only() -> None:
    """What the parent holds is printed by the parent, even if its lock was taken at the fork."""
    program = (
        "import os, sys\n"
        "from agentops_otel.view.terminal_processor import TerminalProcessor\n"
        "from tests.view.spans import Trace\n"
        "processor, trace = TerminalProcessor(), Trace(1)\n"
        "root = trace.span('parent')\n"
        "processor.on_end(trace.span('held', under=root))\n"
        "with processor._lock:\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        processor.on_end(Trace(2).span('child'))\n"
        "        processor.shutdown()\n"
        "        sys.exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "processor.on_end(root)\n"
    )

    done = run_python("-c", program, timeout=60, check=True)

    assert re.findall("child|parent|held", done.stderr) == ["child", "parent", "held"]


def test_a_span_that_ends_while_another_is_taken_in_does_no_harm() -> None:
    """The garbage collector may end a span inside the processor, on the same thread."""
    stream = io.StringIO()
    processor = TerminalProcessor(Printer(stream))

    class Dropped:
        """Ends a span when it is collected, as a dropped stream does."""

        def __del__(self) -> None:
            processor.on_end(Trace(2).span("dropped"))

    with processor._lock:
        Dropped()
        gc.collect()

    assert stream.getvalue().startswith("dropped")


def test_a_pipe_that_broke_is_no_error() -> None:
    """Nothing is printed and nothing raised."""
    stream = Away()

    show(build(research()), stream=stream)

    assert stream.asked
    assert stream.getvalue() == ""


def test_a_stream_that_was_closed_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed elsewhere and nothing raised."""
    stream = io.StringIO()
    stream.close()

    show(build(research()), stream=stream)

    assert stream.closed
    assert capsys.readouterr() == ("", "")


def test_what_stands_in_for_a_stream_needs_no_more_than_a_stream_s_methods() -> None:
    """It is open unless it says that it is closed, and a terminal if it says so."""
    written: list[str] = []
    plain = cast("TextIO", SimpleNamespace(write=written.append, flush=lambda: written.append("flushed")))
    tty = cast("TextIO", SimpleNamespace(isatty=lambda: True))
    closed = cast("TextIO", SimpleNamespace(isatty=lambda: True, closed=True))

    terminal.write("text", plain)

    assert written == ["text", "flushed"]
    assert [terminal.is_terminal(stream) for stream in (plain, tty, closed)] == [False, True, False]


def test_without_stderr_nothing_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A program without a console has no stderr."""
    monkeypatch.setattr(sys, "stderr", None)

    show(build(research()))
    announce("spans go nowhere")

    assert capsys.readouterr() == ("", "")


def test_no_spans_print_nothing() -> None:
    """There is no last line without a first."""
    stream = io.StringIO()

    show([], stream=stream)

    assert stream.getvalue() == ""


def test_what_we_say_of_ourselves_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It carries our name and goes to stderr."""
    announce("spans go to /tmp/t.jsonl")

    assert capsys.readouterr().err == "agentops_otel: spans go to /tmp/t.jsonl\n"


def test_a_session_is_summed_up_in_one_line() -> None:
    """Duration, calls, tools, actions, errors, tokens, price, and where to look."""
    stream = io.StringIO()

    summary(summarize(build(research())), end_state="Success", links=["agentops-otel show"], stream=stream)
    summary(Summary(duration_ns=5), end_state="Fail", stream=stream)

    assert stream.getvalue() == snapshot("""\
agentops_otel: session Success: 1.24 s, 1 LLM call, 1 tool, 1 action, 1 error, 1200→180 tok, $0.0048; agentops-otel show
agentops_otel: session Fail: 0.0 ms, 0 LLM calls, 0 tools, 0 actions, 0 errors
""")


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0.0 ms"),
        (9_940_000, "9.9 ms"),
        (9_960_000, "10 ms"),
        (999_400_000, "999 ms"),
        (999_600_000, "1.00 s"),
        (99_990_000_000, "99.99 s"),
        (100_000_000_000, "100 s"),
        (7_200_000_000_000, "7200 s"),
    ],
)
def test_durations_have_the_digits_that_matter(ns: int, text: str) -> None:
    """Milliseconds below a second, seconds above."""
    assert seconds(ns) == text


@pytest.mark.parametrize(("usd", "text"), [(0, "$0.00"), (12.345, "$12.35"), (0.0048, "$0.0048"), (3e-6, "$0.000003")])
def test_amounts_have_the_digits_that_matter(usd: float, text: str) -> None:
    """Cheap calls are not free."""
    assert dollars(usd) == text


def test_a_flush_has_nothing_to_do() -> None:
    """A finished trace is printed at once."""
    assert TerminalProcessor(Printer(io.StringIO())).force_flush()


def test_a_tool_of_a_cheap_trace_has_no_price() -> None:
    """No price known, no dollar sign."""
    assert "$" not in printed([Trace().span("execute_tool x", attributes=TOOL)])
    assert "$" in printed([Trace().span("chat", attributes=CHAT)])


def test_a_notebooks_cell_has_each_style_of_the_terminal() -> None:
    """A line is made once, for both."""
    assert notebook._COLORS.keys() == terminal._STYLES.keys()
    assert all(notebook._COLORS.values())
