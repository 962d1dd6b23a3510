"""Traces on a terminal while the program runs: never the app's trouble, and never in somebody's display."""

import io
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from itertools import count
from types import SimpleNamespace

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from agentops_otel.config import Config
from agentops_otel.export.file import read
from agentops_otel.export.trace_directory import DIRECTORY, trace_files
from agentops_otel.view import open_spans, printer, screen, terminal_processor
from agentops_otel.view.open_spans import OpenSpans
from agentops_otel.view.printer import Printer
from agentops_otel.view.terminal import announce, show
from agentops_otel.view.terminal_processor import TerminalProcessor
from agentops_otel.view.tree import build, key_of
from tests.program import ROOT
from tests.python_process import Python, run_python
from tests.view.spans import CHAT, TOOL, WORKFLOW, Trace, research


class Blocked(io.StringIO):
    """A terminal that nobody reads: a write waits until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def write(self, text: str) -> int:
        """Wait, then write."""
        self.released.wait(60)
        return super().write(text)


def test_a_terminal_that_is_not_read_never_holds_up_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's thread goes on, and what waits is bounded."""
    monkeypatch.setattr(printer, "PER_SECOND", 0.0)
    stream = Blocked()
    processor = TerminalProcessor(Printer(stream))

    for number in range(2 * printer.WAITING):
        processor.on_end(Trace(number + 1).span("root"))
    assert not processor.force_flush(1)
    stream.released.set()
    processor.shutdown()

    assert re.search(rf"{2 * printer.WAITING - printer.BURST} traces more: ", stream.getvalue())


class Noticed(io.StringIO):
    """A terminal that says when a sum comes."""

    def __init__(self) -> None:
        super().__init__()
        self.summed_up = threading.Event()

    def write(self, text: str) -> int:
        """Look."""
        if "more: " in text:
            self.summed_up.set()
        return super().write(text)


def test_a_sum_comes_while_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a second, or with the next trace."""
    monkeypatch.setattr(printer, "BURST", 1)
    monkeypatch.setattr(printer, "PER_SECOND", 0.0)
    stream = Noticed()
    processor = TerminalProcessor(Printer(stream))

    for number in range(6000):
        processor.on_end(Trace(number + 1).span("root"))
        if stream.summed_up.wait(0.01):
            break
    came = stream.summed_up.is_set()
    processor.shutdown()

    assert came


def test_many_short_traces_are_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood is a few trees and one line with what the others add up to."""
    monkeypatch.setattr(printer, "PER_SECOND", 0.0)
    stream = io.StringIO()
    processor = TerminalProcessor(Printer(stream))

    for number in range(300):
        processor.on_end(Trace(number + 1).span("chat gpt-4o", attributes=CHAT))
    processor.shutdown()

    lines = stream.getvalue().splitlines()
    assert len(lines) <= 2 * (printer.BURST + 2) + 2
    trees = sum(line.startswith("chat gpt-4o ") for line in lines)
    line = r"agentops_otel: (\d+) traces? more: (\d+) LLM calls?, [\d.]+ m?s in all, (\d+)→(\d+) tok, \$"
    assert re.search(line, lines[-1])
    sums = [sum(map(int, numbers)) for numbers in zip(*re.findall(line, stream.getvalue()), strict=True)]
    others = 300 - trees
    assert sums == [others, others, others * 1200, others * 180]


def test_names_of_open_spans_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it the oldest is forgotten."""
    monkeypatch.setattr(open_spans, "LIMIT", 3)
    names, trace = OpenSpans(), Trace()
    spans = [trace.span(f"span {number}") for number in range(5)]
    remembered = []

    for span in spans:
        names.on_start(span)  # type: ignore[arg-type]  # only its name and ids are read
        remembered.append([names.since(key_of(each), 0) for each in spans])

    assert remembered == [
        ["span 0", "", "", "", ""],
        ["span 0", "span 1", "", "", ""],
        ["span 0", "span 1", "span 2", "", ""],
        ["", "span 1", "span 2", "span 3", ""],
        ["", "", "span 2", "span 3", "span 4"],
    ]


def test_a_name_is_forgotten_when_its_span_ends() -> None:
    """What ends below it then is not printed as below an open one."""
    names, span = OpenSpans(), Trace().span("ended")
    names.on_start(span)  # type: ignore[arg-type]  # only its name and ids are read

    names.remove(key_of(span))

    assert (names.since(key_of(span), 0), names.since(None, 0)) == ("", "")


def test_a_bar_of_tqdm_is_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as one is open."""
    bars: list[object] = []
    stand_in = SimpleNamespace(tqdm=SimpleNamespace(_instances=bars))
    monkeypatch.setitem(sys.modules, "tqdm.std", stand_in)

    assert not screen._bars()
    bars.append("a bar")
    assert screen._bars()


def test_nothing_is_printed_while_the_terminal_is_somebody_elses() -> None:
    """A trace waits until the display is gone, or the program ends."""
    stream, free = io.StringIO(), False
    processor = TerminalProcessor(Printer(stream, is_free=lambda: free))

    for span in research():
        processor.on_end(span)
    assert not processor.force_flush(100)
    assert stream.getvalue() == ""
    free = True
    assert processor.force_flush()

    assert stream.getvalue().startswith("invoke_workflow research")


def test_a_display_that_begins_while_a_trace_is_laid_out_is_not_written_into() -> None:
    """Not even the start of a line: the terminal is asked again right before all is written at once."""
    stream, answers, seen = io.StringIO(), iter([True, False]), []

    def is_free() -> bool:
        seen.append(stream.getvalue())
        return next(answers, True)

    processor = TerminalProcessor(Printer(stream, is_free=is_free))
    for span in research():
        processor.on_end(span)
    assert processor.force_flush()

    assert seen == ["", "", "", ""]
    assert stream.getvalue().count("invoke_workflow research") == 1


def test_what_waits_for_a_display_is_printed_at_the_end() -> None:
    """A program that ends with its display shows its traces then."""
    stream = io.StringIO()
    processor = TerminalProcessor(Printer(stream, is_free=lambda: False))

    for span in research():
        processor.on_end(span)
    processor.shutdown()

    assert stream.getvalue().startswith("invoke_workflow research")


def test_the_turns_of_a_long_chat_are_printed_as_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child of a span that has been open for long is printed when it ends, and not again at the end."""
    monkeypatch.setattr(terminal_processor, "OPEN_S", 0.0)
    stream, trace = io.StringIO(), Trace()
    names = OpenSpans()
    processor = TerminalProcessor(Printer(stream), open_spans=names)
    chat = trace.span("invoke_workflow chat", 0, 90_000, attributes=WORKFLOW)
    names.on_start(chat)  # type: ignore[arg-type]  # only its name and ids are read

    for turn in (1, 2):
        agent = trace.span(f"invoke_agent turn {turn}", turn * 1000, turn * 1000 + 20, under=chat)
        processor.on_end(trace.span("chat gpt-4o", turn * 1000 + 1, turn * 1000 + 9, under=agent, attributes=CHAT))
        processor.on_end(agent)
    assert processor.force_flush()
    assert stream.getvalue() == snapshot("""\
invoke_workflow chat …
├─ invoke_agent turn 1     20 ms
│  └─ chat gpt-4o         8.0 ms  1200→180 tok  gpt-4o-2024-08-06
invoke_workflow chat …
├─ invoke_agent turn 2     20 ms
│  └─ chat gpt-4o         8.0 ms  1200→180 tok  gpt-4o-2024-08-06
""")
    processor.on_end(chat)
    processor.shutdown()

    assert stream.getvalue().splitlines()[-2:] == snapshot(
        ["invoke_workflow chat   90.00 s", "trace 00000000000000000000000000000001  90.00 s  2400→360 tok  $0.0096"]
    )


def test_as_many_spans_wait_as_may() -> None:
    """The one that may is there when its root ends."""
    stream, trace = io.StringIO(), Trace()
    processor = TerminalProcessor(Printer(stream), held_spans=1)
    chat = trace.span("invoke_workflow chat", attributes=WORKFLOW)

    processor.on_end(trace.span("chat gpt-4o", under=chat, attributes=CHAT))
    processor.on_end(chat)
    processor.shutdown()

    assert "chat gpt-4o" in stream.getvalue()


class Asked(Printer):
    """A printer that says when it is to look again."""

    seconds: float | None = None

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Take note."""
        self.seconds = seconds

    def close(self, timeout_s: float) -> None:
        """Take note."""
        self.seconds = timeout_s


def test_what_is_below_an_open_span_is_looked_at_after_ten_seconds() -> None:
    """Until then the program has the time to end it."""
    asked, trace = Asked(io.StringIO()), Trace()

    TerminalProcessor(asked).on_end(trace.span("step", under=trace.span("chat")))

    assert asked.seconds == 10.0


class Remembering(Printer):
    """A printer that is asked to call later, and does not."""

    def __init__(self, stream: io.StringIO) -> None:
        super().__init__(stream)
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Keep it."""
        self.calls.append((seconds, call))


def test_what_is_below_an_open_span_is_looked_at_until_it_is_printed() -> None:
    """Again and again while anything waits; what is nobody's of ours is not printed."""
    stream, names, trace = io.StringIO(), OpenSpans(), Trace()
    asked = Remembering(stream)
    processor = TerminalProcessor(asked, open_spans=names)
    chat, served = trace.span("invoke_workflow chat", attributes=WORKFLOW), Trace(2).span("GET /")
    theirs = Trace(2, count(5)).span("SELECT", under=served)
    theirs._instrumentation_scope = InstrumentationScope("database")
    for root in (chat, served):
        names.on_start(root)  # type: ignore[arg-type]  # only its name and ids are read
    for ended in (trace.span("turn 1", 0, 5, under=chat), trace.span("turn 2", 6, 9, under=chat), theirs):
        processor.on_end(ended)

    [*_, (seconds, look)] = asked.calls
    look()
    processor.force_flush()
    first, asked_for = stream.getvalue(), len(asked.calls)
    processor.show_open(0.0)
    processor.force_flush()
    processor.on_end(chat)
    processor.force_flush()

    assert (seconds, first, asked_for, len(asked.calls)) == (10.0, "", 4, 4)
    assert [re.sub(r"  .*", "", line) for line in stream.getvalue().splitlines()] == [
        *("invoke_workflow chat …", "├─ turn 1", "invoke_workflow chat …", "├─ turn 2"),
        *("invoke_workflow chat", f"trace {1:032x}"),
    ]  # fmt: skip
    processor.shutdown()


def test_after_the_end_nothing_is_looked_at_again() -> None:
    """Whatever was asked for before. A terminal that is not read holds the end up for two seconds at most."""
    asked = Asked(io.StringIO())
    processor = TerminalProcessor(asked)

    processor.shutdown()
    processor.show_open(0.0)

    assert asked.seconds == 2.0


class Flushed(Printer):
    """A printer that knows how long it may take."""

    seconds: float | None = None

    def flush(self, timeout_s: float) -> bool:
        """Take note."""
        self.seconds = timeout_s
        return False


@pytest.mark.parametrize(("given", "seconds"), [((), 30.0), ((500,), 0.5)])
def test_a_flush_has_half_a_minute_or_as_long_as_is_said(given: tuple[int, ...], seconds: float) -> None:
    """And says what came of it."""
    printer = Flushed(io.StringIO())

    assert not TerminalProcessor(printer).force_flush(*given)
    assert printer.seconds == seconds


NOT_READ = """
from agentops_otel.view import terminal_processor
from agentops_otel.view.terminal_processor import TerminalProcessor
from tests.view.spans import Trace
terminal_processor.CLOSE_S = 0.1
processor = TerminalProcessor()
for number in range(1, 41):
    trace = Trace(number)
    root = trace.span("root")
    for n in range(50):
        processor.on_end(trace.span("step " + "x" * 50, n, n + 1, under=root, error=f"E: {n} " + "y" * 40))
    processor.on_end(root)
processor.shutdown()
"""


def test_a_program_ends_though_nobody_reads_its_terminal() -> None:
    """Its pipe takes no more than 64 kB."""
    with Python("-c", NOT_READ, cwd=ROOT, stderr=subprocess.PIPE) as program:
        code = program.wait(20)

    assert code == 0


CHAT_LOOP = """
import sys, threading
import agentops_otel
from agentops_otel.view import terminal_processor
terminal_processor.OPEN_S = 0.3
agentops_otel.init(console=True, trace_file=False)
with agentops_otel.start_session(name="chat"):
    agentops_otel.record_action("turn 1")(lambda: None)()
    sys.stdin.read()
"""


@pytest.mark.measured
def test_a_root_that_stays_open_shows_what_has_ended_beneath_it() -> None:
    """While the program waits for its user, the turn that has ended is printed, though nothing else ends."""
    with Python("-c", CHAT_LOOP, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stderr is not None
        shown = iter(program.stderr.readline, "")
        while_open = next(line for line in shown if "turn 1" in line)
        _, after = program.communicate(timeout=60)

    assert while_open.startswith("└─ turn 1") or while_open.startswith("├─ turn 1")
    assert "turn 1" not in after
    assert "invoke_workflow chat" in after


FORKS = """
import os, threading
threads = []
os.register_at_fork(before=lambda: threads.append([thread.name for thread in threading.enumerate()]))
from agentops_otel.view.terminal_processor import TerminalProcessor
from tests.view.spans import Trace, research
processor = TerminalProcessor()
for span in research():
    processor.on_end(span)
processor.on_end(Trace(2).span("below a root that is open", under=Trace(2).span("root")))
if not os.fork():
    os._exit(0)
os.wait()
print("agentops_otel terminal" in threads[0])
processor.on_end(Trace(3).span("after the fork"))
processor.shutdown()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on Windows")
def test_a_fork_finds_no_thread_of_the_terminal() -> None:
    """Python 3.12 warns of a fork with threads; the parent prints on."""
    finished = run_python("-c", FORKS, cwd=ROOT, timeout=60, check=True)

    assert finished.stdout == "False\n"
    assert "after the fork" in finished.stderr


def test_a_trace_without_a_span_of_ours_is_not_printed() -> None:
    """What a web framework traces by itself is sent, and not shown."""
    stream, trace = io.StringIO(), Trace()
    processor = TerminalProcessor(Printer(stream))
    theirs = trace.span("GET /")
    theirs._instrumentation_scope = InstrumentationScope("fastapi")

    processor.on_end(theirs)
    processor.shutdown()

    assert stream.getvalue() == ""


def test_a_trace_is_printed_for_one_span_of_ours() -> None:
    """Whoever made the others."""
    stream, trace = io.StringIO(), Trace()
    processor = TerminalProcessor(Printer(stream))
    theirs = trace.span("GET /")
    theirs._instrumentation_scope = InstrumentationScope("fastapi")

    for span in (trace.span("ours", under=theirs), theirs):
        processor.on_end(span)
    processor.shutdown()

    assert stream.getvalue().startswith("GET / ")


def test_what_ends_after_its_parent_is_printed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not below the parent's name, which is not open any more; and nothing is kept of it."""
    monkeypatch.setattr(terminal_processor, "OPEN_S", 0.0)
    stream, names, trace = io.StringIO(), OpenSpans(), Trace()
    processor = TerminalProcessor(Printer(stream), open_spans=names)
    root = trace.span("root")
    names.on_start(root)  # type: ignore[arg-type]  # only its name and ids are read

    for span in (root, trace.span("late", under=root)):
        processor.on_end(span)
    processor.shutdown()

    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["root", "trace", "late", "trace"]
    assert "…" not in stream.getvalue()
    assert not processor._before


class Theirs:
    """A stand-in for a stream with a write method alone."""

    def write(self, text: str) -> None:
        """Fail."""
        raise AssertionError(text)


def test_a_stderr_that_is_not_the_process_s_own_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a display has put in its place is not written to, nor asked for attributes that a stream has."""
    monkeypatch.setattr(sys, "stderr", Theirs())

    announce("spans go nowhere")
    show(build(research()))


def lines_of(spans: Sequence[ReadableSpan], columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a terminal of that many columns shows."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    show(build(spans), stream=stream, color=False)
    return stream.getvalue().splitlines()


def test_repeats_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal leaves in a row are one line with their number, their time and their tokens in all."""
    trace = Trace()
    root = trace.span("invoke_agent a", 0, 100)
    tools = [trace.span("execute_tool search", n, n + 1, under=root, attributes=TOOL) for n in range(37)]
    other = trace.span("execute_tool open", 60, 61, under=root, attributes=TOOL)

    assert lines_of([*tools, other, root], 120, monkeypatch)[:-1] == [
        "invoke_agent a                 100 ms",
        "├─ execute_tool search × 37     37 ms",  # noqa: RUF001
        "└─ execute_tool open           1.0 ms",
    ]


ASKED = (
    '[{"role":"user","parts":[{"type":"text","content":"old"}]},{"role":"user","parts":[{"type":"uri","uri":"x"},'
    '{"type":"text","content":"How warm\\nis it in Paris, and will it rain there tomorrow?"}]}]'
)


def test_a_trace_has_the_first_words_of_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person knows it by its question, in the first line; the lines below have none."""
    trace = Trace()
    root = trace.span("invoke_agent a", 0, 100)
    chat = trace.span("chat gpt-4o", 1, 90, under=root, attributes={**CHAT, "gen_ai.input.messages": ASKED})

    assert lines_of([chat, root], 120, monkeypatch)[:-1] == [
        'invoke_agent a    100 ms  "How warm is it in Paris, and will it ra…"',
        "└─ chat gpt-4o     89 ms  1200→180 tok  gpt-4o-2024-08-06",
    ]


@pytest.mark.parametrize("messages", ["{", "7", '["x"]', '[{"role":"user"}]', '[{"role":"user","parts":[{}]}]', "[]"])
def test_a_question_that_cannot_be_read_is_left_out(messages: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans of others, and damaged files, are shown without it."""
    chat = Trace().span("chat gpt-4o", 1, 90, attributes={**CHAT, "gen_ai.input.messages": messages})

    assert lines_of([chat], 120, monkeypatch)[0] == "chat gpt-4o     89 ms  1200→180 tok  gpt-4o-2024-08-06"


def test_a_narrow_terminal_keeps_durations_and_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 40 columns names are cut, and durations and totals are not."""
    trace = Trace()
    root = trace.span("invoke_workflow a very long name of a workflow", 0, 1000, attributes=WORKFLOW)
    chat = trace.span("chat gpt-4o", 1, 400, under=root, attributes=CHAT)

    assert lines_of([chat, root], 40, monkeypatch) == [
        "invoke_workflow a very long n…    1.00 s",
        "└─ chat gpt-4o                    399 ms",
        "00000000  1.00 s  1200→180 tok  $0.0048",
    ]


def test_a_long_trace_is_cut_with_its_count() -> None:
    """While the program runs, the middle of a long trace is a number; `show` prints it whole."""
    stream, trace = io.StringIO(), Trace()
    processor = TerminalProcessor(Printer(stream))
    root = trace.span("root")
    for number in range(500):
        processor.on_end(trace.span(f"step {number}", number, number + 1, under=root))
    processor.on_end(root)
    processor.shutdown()

    lines = stream.getvalue().splitlines()
    assert len(lines) < 70
    assert "… 441 spans more" in lines


PROGRAM = """
import os, sys, time
from agentops_otel.view import printer, terminal_processor
from agentops_otel.view.terminal_processor import TerminalProcessor
from tests.view.spans import research
terminal_processor.CLOSE_S = 60.0  # it bounds the wait for a terminal that nobody reads
processor = TerminalProcessor()
def trace():
    for span in research():
        processor.on_end(span)
{}
processor.shutdown()
"""
DISPLAYS = {
    "replaced stderr": """
class Theirs:
    def write(self, text): raise AssertionError(text)
own, sys.stderr = sys.stderr, Theirs()
trace(); processor.force_flush(300); print("theirs is over", flush=True)
sys.stderr = own
""",
    "curses": """
import curses
def screen(window):
    window.addstr(0, 0, "theirs"); window.refresh()
    trace(); processor.force_flush(300)
curses.wrapper(screen); print("theirs is over", flush=True)
""",
    "rich": """
from rich.console import Console
from rich.live import Live
with Live("theirs", console=Console(force_terminal=True)):
    trace(); processor.force_flush(300)
print("theirs is over", flush=True)
""",
    "one key": """
import termios, tty
before = termios.tcgetattr(0); tty.setcbreak(0)
trace(); processor.force_flush(300); print("theirs is over", flush=True)
termios.tcsetattr(0, termios.TCSADRAIN, before)
""",
}


def on_a_terminal(program: str) -> str:
    """What a program shows on a terminal of its own."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(ROOT)
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
        os.execve(sys.executable, [sys.executable, "-c", program], environment)
    shown = b""
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux: the program has ended
            break
        if not data:
            break
        shown += data
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown.decode()
    return shown.decode()


@pytest.mark.parametrize("display", DISPLAYS.values(), ids=DISPLAYS)
def test_a_display_is_never_written_into(display: str) -> None:
    """On a real terminal the trace comes after the program's display."""
    shown = on_a_terminal(PROGRAM.format(display))

    before, over, after = shown.partition("theirs is over")
    assert over
    assert "invoke_workflow" not in before
    assert "invoke_workflow" in after


@pytest.mark.parametrize(("columns", "between"), [(0, "\r\n"), (40, " " * 40 + "\r")])
@pytest.mark.parametrize("line", ["It is 21 degr", ""])
def test_a_trace_does_not_stand_in_a_streamed_answer(line: str, columns: int, between: str) -> None:
    """A line that the program has begun is left; one that is empty is used."""
    shown = on_a_terminal(
        PROGRAM.format(
            "import fcntl, struct, termios\n"
            f"fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack('HHHH', 24, {columns}, 0, 0))\n"
            f"print({line!r}, end='', flush=True); trace(); processor.force_flush(60_000)"
        )
    )

    assert shown.startswith(f"{line}{between}\x1b[1minvoke_workflow")


@pytest.mark.parametrize(("console", "is_shown"), [("false", False), ("true", True)])
def test_one_variable_silences_the_terminal_and_keeps_the_file(
    console: str, is_shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`AGENTOPS_CONSOLE=false`: nothing of ours on the terminal, and the span in the trace file."""
    monkeypatch.setenv("AGENTOPS_CONSOLE", console)

    shown = on_a_terminal(
        "import agentops_otel as a; a.init(); a.record_action('step')(lambda: None)(); print('theirs')"
    )

    (path,) = trace_files(Config().state_dir / DIRECTORY)
    assert [span.name for span in read(path) if isinstance(span, ReadableSpan)] == ["step"]
    assert (shown == "theirs\r\n") is not is_shown


def test_a_trace_comes_before_the_next_prompt() -> None:
    """A program that prompts after each trace shows the trace first."""
    shown = on_a_terminal(PROGRAM.format("printer.TURN_S = 60.0\ntrace()\nprint('You: ', flush=True)"))

    assert shown.index("invoke_workflow") < shown.index("You: ")
