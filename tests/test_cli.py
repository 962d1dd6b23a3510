"""The command line, as a user meets it; in a process of its own where streams, signals or the program's exit matter."""

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import click
import pytest
from inline_snapshot import snapshot

from agentops_otel.cli import _follow, commands, main
from agentops_otel.config import Config
from agentops_otel.export.file import FileExporter
from agentops_otel.export.otlp_json import dumps, loads
from agentops_otel.export.trace_directory import DIRECTORY
from agentops_otel.view import selection
from agentops_otel.view.live import Store
from tests.program import read_until
from tests.python_process import Python, run_python
from tests.view.spans import Trace, research

SAY = """
import json, os, sys
print(json.dumps({
    "name": __name__, "argv": [os.path.abspath(sys.argv[0]), *sys.argv[1:]], "path": sys.path, "file": __file__,
    "package": __package__ or "", "main": sys.modules["__main__"].__dict__ is globals(),
    "running": __import__("agentops_otel.sdk").sdk.current() is not None,
}))
"""


def command(
    *args: str | Path, cwd: Path | None = None, stdin: str = "", env: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run `python -m agentops_otel` with these arguments."""
    return run_python(
        "-m",
        "agentops_otel",
        *args,
        input=stdin,
        timeout=60,
        cwd=cwd,
        env={**os.environ, "OTEL_TRACES_EXPORTER": "none", **env},
    )


Ask = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """The command with these arguments, in this process."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")

    def asked(*args: str | Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["agentops-otel", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        return subprocess.CompletedProcess(args, int(ended.value.code or 0), *capsys.readouterr())

    return asked


@pytest.fixture
def trace_file(tmp_path: Path) -> Path:
    """A file with two traces and a broken line."""
    path = tmp_path / "t.jsonl"
    FileExporter(path).export(research())
    path.write_bytes(path.read_bytes() + b"{broken\n")
    FileExporter(path).export([Trace(0xABC).span("later", 5000, 5001)])
    return path


def test_show_prints_a_tree_a_trace(trace_file: Path) -> None:
    """The trees go to stdout; a line that holds no spans is named on stderr."""
    done = command("show", trace_file)

    assert done.returncode == 0
    assert done.stdout == snapshot("""\
invoke_workflow research    1.24 s
├─ plan                     899 ms
│  └─ chat gpt-4o           820 ms  1200→180 tok  gpt-4o-2024-08-06
└─ ✗ execute_tool search    3.0 ms  ValueError: no such page
trace 00000000000000000000000000000001  1.24 s  1200→180 tok  $0.0048  1 error
later    1.0 ms
trace 00000000000000000000000000000abc  1.0 ms
""")
    [said] = done.stderr.splitlines()  # and no bar: the file is small
    assert said.startswith(f"agentops_otel: left out: {trace_file}:2: not a line of OTLP JSON traces")


def test_show_takes_the_latest_file_when_none_is_named(ask: Ask, tmp_path: Path) -> None:
    """The trace file written last is the one that is meant."""
    directory = Config().state_dir / DIRECTORY
    for age, name in enumerate(["20260102T000000Z-old-1.jsonl", "20260101T000000Z-new-1.jsonl"]):
        FileExporter(directory / name).export([Trace().span(name)])
        os.utime(directory / name, (age, age))

    done = ask("show")

    assert done.stdout.startswith("20260101T000000Z-new-1.jsonl")


def test_show_says_how_to_get_a_file_when_there_is_none(ask: Ask) -> None:
    """Before the first run there is advice and no traceback."""
    done = ask("show")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: no trace file in ")
    assert "agentops-otel run app.py" in done.stderr


@pytest.mark.parametrize("wanted", ["00000000000000000000000000000abc", "00000000000000000000000000000ABC"])
def test_show_can_be_asked_for_one_trace(ask: Ask, trace_file: Path, wanted: str) -> None:
    """An id selects its trace, in either case."""
    done = ask("show", trace_file, "--trace", wanted)

    assert done.stdout.splitlines()[0].startswith("later")
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize(("args", "said"), [(["--trace", "9"], "no trace 9 in"), ([], "no spans in")])
def test_show_fails_when_there_is_nothing_to_show(ask: Ask, tmp_path: Path, args: list[str], said: str) -> None:
    """Nothing found is an error that says so."""
    path = tmp_path / "empty.jsonl"
    path.write_text("\n")

    done = ask("show", path, *args)

    assert (done.returncode, said in done.stderr) == (1, True)


def test_show_gives_otlp_json_a_trace_a_line(ask: Ask, trace_file: Path) -> None:
    """What another tool reads: the spans whole, one trace a line."""
    done = ask("show", trace_file, "--json")

    first, second = done.stdout.splitlines()
    assert loads(first)[0].name == "invoke_workflow research"
    assert json.loads(second) == json.loads(dumps(loads(second)))


@pytest.mark.parametrize("args", [[], ["--json"]])
def test_show_stops_in_silence_when_its_reader_does(trace_file: Path, args: list[str]) -> None:
    """`show | head` is no error to read about; the rest of the file is not read."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = run_python(
        "-m", "agentops_otel", "show", trace_file, *args, stdout=write_end, stderr=subprocess.PIPE, timeout=60
    )
    os.close(write_end)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "BrokenPipeError" not in done.stderr


def test_show_writes_a_page(ask: Ask, trace_file: Path, tmp_path: Path) -> None:
    """The page is one file, which the user alone can read, whatever was there before."""
    (tmp_path / "out.html").write_text("an older one")
    (tmp_path / "out.html").chmod(0o644)

    done = ask("show", trace_file, "--html", tmp_path / "out.html")

    assert (done.returncode, done.stdout) == (0, "")
    assert "invoke_workflow research" in (tmp_path / "out.html").read_text("utf-8")
    assert stat.S_IMODE((tmp_path / "out.html").stat().st_mode) == 0o600


def as_python(*args: str, cwd: Path) -> dict[str, object]:
    """What a program that runs SAY says without us; the script's own name is absolute with us."""
    env = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    done = run_python(*args, timeout=60, check=True, cwd=cwd, env=env)
    said: dict[str, object] = json.loads(done.stdout)
    return said


def as_ours(*args: str, cwd: Path) -> dict[str, object]:
    """What the same program says when we run it."""
    said: dict[str, object] = json.loads(command("run", *args, cwd=cwd).stdout)
    return said


@pytest.mark.parametrize(
    "args", [["here/app.py", "-m", "--help", "-x=1"], ["app.pyz", "a"], ["-m", "pack", "-m", "--help"], ["pack", "b"]]
)
def test_run_runs_a_program_as_python_would(tmp_path: Path, args: list[str]) -> None:
    """A script, a zip file, a module and a directory: name, file, package, arguments and the path are python's own."""
    for folder, file in (("here", "app.py"), ("pack", "__main__.py")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text(SAY)
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as app:
        app.writestr("__main__.py", SAY)

    ours, pythons = as_ours(*args, cwd=tmp_path), as_python(*args, cwd=tmp_path)

    assert (ours.pop("running"), pythons.pop("running")) == (True, False)
    assert ours == pythons


@pytest.mark.measured
def test_run_keeps_to_the_safe_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With PYTHONSAFEPATH nothing of the script's directory gets on the path."""
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    (tmp_path / "app.py").write_text("import sys; print(sys.path)")

    ours = command("run", "app.py", cwd=tmp_path)

    assert str(tmp_path) not in ours.stdout


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads from /proc whether a process sleeps")
def test_a_command_that_is_interrupted_ends_at_once(tmp_path: Path) -> None:
    """Ctrl-C is exit code 130 and no traceback."""
    os.mkfifo(tmp_path / "pipe")
    with (
        Python("-m", "agentops_otel", "show", tmp_path / "pipe", stderr=subprocess.PIPE) as waiting,
        open(tmp_path / "pipe", "w"),
    ):  # opens when the command reads
        # A signal between Python's last look and the read itself would count after the read: it is to sleep there.
        end = time.monotonic() + 60
        while Path(f"/proc/{waiting.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
            assert time.monotonic() < end
        waiting.send_signal(signal.SIGINT)
        _, stderr = waiting.communicate(timeout=30)

    assert (waiting.returncode, stderr.strip()) == (130, "")


@pytest.mark.parametrize(
    ("program", "code", "stderr"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('bye')", 1, "bye"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero"),
        ("input()", 1, "EOFError"),
        ("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt"),
        ("pass", 0, ""),
    ],
)
def test_run_keeps_the_exit_code(tmp_path: Path, program: str, code: int, stderr: str) -> None:
    """A program ends as it would without us, with its own traceback."""
    script = tmp_path / "app.py"
    script.write_text(program)

    done = command("run", script)

    assert (done.returncode, stderr in done.stderr, "Aborted" in done.stderr) == (code, True, False)


@pytest.mark.measured
@pytest.mark.parametrize(
    ("args", "said"),
    [(["run"], "Missing argument"), (["run", "-m"], "-m wants"), (["run", "no.py"], "no file 'no.py'"), (["x"], "x")],
)
def test_a_wrong_command_is_explained(ask: Ask, args: list[str], said: str) -> None:
    """Mistakes end with exit code 2 and a sentence."""
    done = ask(*args)

    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_help_and_version_are_there(ask: Ask) -> None:
    """`--help` names the commands, `--version` the version."""
    assert "run" in ask("--help").stdout
    assert command("--version").stdout.startswith("agentops-otel, version ")


def test_the_help_of_each_command_says_what_its_options_do() -> None:
    """Their names, what stands for a value, the sentence, the default; examples below."""
    said: dict[str, tuple[str, list[tuple[str, str] | None], str | None]] = {}
    with commands.make_context("agentops-otel", [], resilient_parsing=True, terminal_width=200) as top:
        for name, asked in [("", commands), *commands.commands.items()]:
            with asked.make_context(name, [], parent=top, resilient_parsing=True) if name else top as context:
                options = [one for one in asked.get_params(context) if isinstance(one, click.Option)]
                said[name] = (asked.get_usage(context), [one.get_help_record(context) for one in options], asked.epilog)

    helped = ("-h, --help", "Show this message and exit.")
    assert said == {
        "": (
            "Usage: agentops-otel [OPTIONS] COMMAND [ARGS]...",
            [("--version", "Show the version and exit."), helped],
            None,
        ),
        "run": (
            "Usage: agentops-otel run [OPTIONS] [-m MODULE | SCRIPT | COMMAND] [ARGS]...",
            [
                ("--one-trace", "One trace for the whole run, printed at its end."),
                ("--name NAME", "What the run is called; by default as the command."),
                helped,
            ],
            None,
        ),
        "show": (
            "Usage: agentops-otel show [OPTIONS] [FILE]",
            [
                ("--trace ID", "Only this trace: its id, or how it begins."),
                ("--errors", "Only traces in which something failed."),
                ("--slow SECONDS", "Only traces that took as long, or longer."),
                ("--model NAME", "Only traces that called a model with this in its name."),
                ("--since TIME", "Only traces that began since then: 10m, 2h, 3d, 2026-01-31."),
                ("--follow", "Go on with what a running program adds, until Ctrl-C."),
                ("--totals", "Only what the traces add up to."),
                ("--json", "OTLP JSON, one trace a line, instead of trees."),
                ("--html OUT", "Write one HTML page instead."),
                helped,
            ],
            "\b\nExamples:\n  agentops-otel show --errors\n  agentops-otel show --model gpt-4 --slow 5 --since 2h\n"
            "  agentops-otel show --follow",
        ),
        "doctor": (
            "Usage: agentops-otel doctor [OPTIONS]",
            [("--json", "A JSON object a line instead of text: level, text, advice."), helped],
            "\b\nExamples:\n  agentops-otel doctor\n  agentops-otel doctor --json",
        ),
        "send": (
            "Usage: agentops-otel send [OPTIONS]",
            [("--timeout SECONDS", "How long to try.  [default: 60.0]"), helped],
            None,
        ),
        "view": (
            "Usage: agentops-otel view [OPTIONS] [FILE]...",
            [
                ("--port PORT", "Of the page; 0 takes a free one.  [default: 4319]"),
                ("--otlp-port PORT", "Where spans are taken by OTLP/HTTP.  [default: 4318]"),
                ("--jaeger URL", "Jaeger's user interface: each run has a link to its trace there."),
                helped,
            ],
            "\b\nExamples:\n  agentops-otel view\n  agentops-otel view yesterday.jsonl\n"
            "  agentops-otel view --otlp-port 4320 --jaeger http://localhost:16686   # beside Jaeger on 4318",
        ),
    }


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_asked_for_in_two_ways(ask: Ask, option: str) -> None:
    """Of a command too; its text keeps its paragraphs."""
    done = ask("doctor", option)

    assert (done.returncode, done.stderr) == (0, "")
    assert "agentops-otel doctor [OPTIONS]\n\n  Find out why no traces arrive: looks at " in done.stdout
    assert "Examples:\n    agentops-otel doctor\n    agentops-otel doctor --json\n" in done.stdout


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["run", "-m"], 2, "-m wants the name of a module"),
        (["show", "no.jsonl"], 2, "Invalid value for '[FILE]': File 'no.jsonl' does not exist."),
        (["show", "."], 2, "Invalid value for '[FILE]': File '.' is a directory."),
        (["show", "--html", "."], 2, "Invalid value for '--html': File '.' is a directory."),
        (["view", "no.jsonl"], 2, "Invalid value for '[FILE]...': File 'no.jsonl' does not exist."),
        (["view", "."], 2, "Invalid value for '[FILE]...': File '.' is a directory."),
        (["send"], 1, "no destination is named: set OTEL_EXPORTER_OTLP_ENDPOINT or AGENTOPS_API_KEY"),
        (
            ["show", "t.jsonl", "--since", "1 week"], 2,
            "--since 1 week: give 10m, 2h, 3d, or a date such as 2026-01-31",
        ),
        (["show", "t.jsonl", "--trace", "f"], 1, "no trace f in t.jsonl"),
        (["show", "t.jsonl", "--slow", "9"], 1, "no such trace in t.jsonl"),
        (["show", "empty.jsonl"], 1, "no spans in empty.jsonl"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_sentence(
    ask: Ask, trace_file: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, said: str
) -> None:
    """The last line of stderr; the exit code is that of a wrong command, or of one that found nothing."""
    monkeypatch.chdir(trace_file.parent)
    Path("empty.jsonl").touch()

    done = ask(*args)

    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-1] == f"Error: {said}"


def test_without_a_trace_file_the_directory_is_named(ask: Ask) -> None:
    """And what makes one."""
    directory = Config().state_dir / DIRECTORY

    assert ask("show").stderr == f"Error: no trace file in {directory} yet: agentops-otel run app.py makes one\n"


def test_totals_leave_out_what_is_not_known(ask: Ask, trace_file: Path, tmp_path: Path) -> None:
    """Of all traces; without a call there are no tokens and no price, and each number has its noun."""
    FileExporter(tmp_path / "none.jsonl").export([Trace(9).span("a", 0, 1500), Trace(8).span("b", 0, 500)])

    assert ask("show", tmp_path / "none.jsonl", "--totals").stdout == (
        "2 traces, 0 LLM calls, 0 tools, 0 errors, 2.00 s in all\n"
    )
    assert ask("show", trace_file, "--totals").stdout == (
        "2 traces, 1 LLM call, 1 tool, 1 error, 1200→180 tok, $0.0048, 1.24 s in all\n"
    )


def test_a_page_has_the_name_of_its_file(ask: Ask, trace_file: Path, tmp_path: Path) -> None:
    """The last part of it; a page that has no room is said to be no smaller."""
    done = ask("show", trace_file, "--html", tmp_path / "new.html")

    assert "<title>t.jsonl</title>" in (tmp_path / "new.html").read_text("utf-8")
    [said] = done.stderr.splitlines()
    assert said.startswith(f"agentops_otel: left out: {trace_file}:2: ")


def test_doctor_prints_a_finding_a_line_and_its_advice_below(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The levels are one column; what is wrong last or first makes the exit code."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    done = ask("doctor")

    lines = done.stdout.splitlines()
    wrong = lines.index("wrong  tracing is off: OTEL_SDK_DISABLED=true")
    assert done.returncode == 1
    assert lines[wrong + 1] == "       -> unset OTEL_SDK_DISABLED"
    assert "ok     prompts, arguments and results are captured and redacted" in lines
    assert {line[:7] for line in lines} <= {"ok     ", "note   ", "wrong  ", "       "}


def test_a_wrong_setting_is_one_sentence(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each command that reads settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTOPS_DURABILITY", "disk")
    Path("app.py").touch()

    for command_line in (["run", "app.py"], ["doctor"], ["send"], ["view"]):
        done = ask(*command_line)

        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "Error: AGENTOPS_DURABILITY='disk' is not usable: use batch or span\n"


def test_show_takes_filters_and_totals(ask: Ask, trace_file: Path) -> None:
    """Only what failed, and what it adds up to."""
    done = ask("show", trace_file, "--errors", "--totals")

    assert done.stdout == snapshot("1 trace, 1 LLM call, 1 tool, 1 error, 1200→180 tok, $0.0048, 1.24 s in all\n")


@pytest.mark.parametrize(
    ("option", "within", "beyond"),
    [("--slow", "1", "2"), ("--model", "gpt", "claude"), ("--since", "2020-01-01", "9999-01-01")],
)
def test_show_takes_what_each_filter_lets_through(
    ask: Ask, trace_file: Path, option: str, within: str, beyond: str
) -> None:
    """And says so where there is nothing of the kind."""
    found, none = (ask("show", trace_file, option, value, "--totals") for value in (within, beyond))

    assert found.returncode == 0
    assert (none.returncode, "no such trace in" in none.stderr) == (1, True)


def test_show_says_which_parents_never_ended(ask: Ask, tmp_path: Path) -> None:
    """A program that was killed in the middle."""
    FileExporter(tmp_path / "t.jsonl").export(research()[:-1])

    done = ask("show", tmp_path / "t.jsonl")

    assert done.stdout.splitlines()[-1].endswith("2 parents never ended")


def test_a_point_in_time_that_is_none_is_explained(ask: Ask, trace_file: Path) -> None:
    """The message says what would be right."""
    done = ask("show", trace_file, "--since", "yesterday")

    assert (done.returncode, "--since yesterday: give 10m" in done.stderr) == (2, True)


@pytest.mark.measured
def test_show_follows_a_running_program(trace_file: Path) -> None:
    """What is added appears; Ctrl-C ends it."""
    with Python(
        "-u",
        "-m",
        "agentops_otel",
        "show",
        trace_file,
        "--follow",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ,
    ) as following:
        assert following.stdout is not None
        while not following.stdout.readline().startswith("trace 00000000000000000000000000000abc"):
            pass
        FileExporter(trace_file).export([Trace(0xDEF).span("added")])

        assert following.stdout.readline().startswith("added")
        following.send_signal(signal.SIGINT)
        _, stderr = following.communicate(timeout=60)

    assert (following.returncode, stderr.strip()) == (130, "")


def test_a_trace_that_is_followed_is_shown_when_its_root_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all that has come before it; another that has ended does not wait for it, and too many spans do not wait."""
    monkeypatch.setattr(selection, "HELD_SPANS", 2)
    path, trace, other = tmp_path / "t.jsonl", Trace(1), Trace(2)
    root = trace.span("root", 0, 100)
    steps = [trace.span(f"step {n}", n, under=root) for n in range(3)]
    FileExporter(path).export([*steps, other.span("other", 1)])
    followed = _follow(path)

    first = next(followed)
    FileExporter(path).export([root])
    second = next(followed)
    FileExporter(path).export([Trace(3).span("next", 1)])
    third = next(followed)

    assert [[node.span.name for one in roots for node in one.walk()] for roots in (first, second, third)] == [
        ["other"],
        ["root", "step 1", "step 2"],
        ["next"],
    ]


def test_doctor_speaks_json(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finding is an object on a line, and the settings that the environment holds are named."""
    monkeypatch.setenv("AGENTOPS_TRACE_FILE", str(tmp_path / "t.jsonl"))
    monkeypatch.setenv("AGENTOPS_CONSOLE", "0")

    done = ask("doctor", "--json")

    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(finding) == {"level", "text", "advice"} for finding in findings)
    assert "settings from the environment: AGENTOPS_CONSOLE, AGENTOPS_TRACE_FILE" in [one["text"] for one in findings]


def test_the_shell_completes_commands() -> None:
    """Click's completion works under the command's name."""
    script = Path(sys.executable).parent / "agentops-otel"
    env = {
        **os.environ,
        "_AGENTOPS_OTEL_COMPLETE": "bash_complete",
        "COMP_WORDS": "agentops-otel sh",
        "COMP_CWORD": "1",
    }

    done = subprocess.run([script], env=env, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == "plain,show\n"


def test_a_page_says_how_much_it_leaves_out(
    trace_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first traces, beyond what a browser can show."""
    monkeypatch.setattr("agentops_otel.view.live.saved.LIMIT_BYTES", 500)

    commands(["show", str(trace_file), "--html", str(tmp_path / "out.html")], standalone_mode=False)

    assert "left out: 4 of 5 spans, the first, since a page has 0 MB of them at most" in capsys.readouterr().err
    assert "later" in (tmp_path / "out.html").read_text("utf-8")


def test_a_page_of_more_traces_than_are_shown_at_a_time_leaves_none_out(
    trace_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All are counted."""
    monkeypatch.setattr(Store.runs, "__kwdefaults__", {"limit": 1})

    commands(["show", str(trace_file), "--html", str(tmp_path / "out.html")], standalone_mode=False)

    assert "spans, the first" not in capsys.readouterr().err


def test_a_large_file_is_read_under_a_bar(tmp_path: Path) -> None:
    """On the terminal of its errors, where nothing else is printed meanwhile, and not where its output goes.

    It reads 17 MB.
    """
    path = tmp_path / "large.jsonl"
    FileExporter(path).export([Trace(number).span("large", attributes={"text": "x" * 990_000}) for number in range(18)])
    pid, terminal = pty.fork()
    if not pid:
        os.dup2(os.open(tmp_path / "totals", os.O_CREAT | os.O_WRONLY), 1)
        os.execv(sys.executable, [sys.executable, "-m", "agentops_otel", "show", str(path), "--totals"])

    said = read_until(terminal, None).decode()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert "reading  [####" in said
    assert "100%" in said
    assert said.endswith("\x1b[?25h\r\n")
    assert (tmp_path / "totals").read_text() == "18 traces, 0 LLM calls, 0 tools, 0 errors, 180 ms in all\n"
