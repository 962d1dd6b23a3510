"""What `agentops-otel run` decides before and beside the processes that it starts: words, paths and reports."""

import importlib
import importlib.util
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags

from agentops_otel.config import read_config
from agentops_otel.export import file
from agentops_otel.export.trace_directory import DIRECTORY
from agentops_otel.launcher import Report, Run
from agentops_otel.launcher.command import SITE, environment, resolve
from agentops_otel.one_trace import OneTrace
from agentops_otel.view import run_report
from tests.view.spans import CHAT, Trace, research


@pytest.fixture(scope="module")
def startup() -> ModuleType:
    """Our `sitecustomize`, outside of a run: it starts nothing."""
    spec = importlib.util.spec_from_file_location("agentops_otel_startup", SITE / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OURS = {"PYTHONPATH": f"/other{os.pathsep}{SITE}"}


@pytest.mark.parametrize(
    ("executable", "words", "env", "why"),
    [
        ("/bin/python3.12", ["python", "app.py"], None, ""),
        ("python", ["python"], OURS, ""),
        ("python", ["python", "app.py"], {"PYTHONPATH": "/other"}, "another PYTHONPATH"),
        ("python", ["python", "app.py"], {}, "another PYTHONPATH"),
        ("python", ["python", "-I"], OURS, "-I"),
        ("python", ["python", "-I"], {}, "-I"),
        ("python", ["python", "-E", "app.py"], None, "-E"),
        ("python", ["python", "-uS", "app.py"], None, "-S"),
        ("python", ["python", "-B", "-sE", "app.py"], None, "-E"),
        ("python", ["python", "-X", "-I", "app.py"], None, ""),
        ("python", ["python", "-X", "dev", "-W", "error", "-I", "app.py"], None, "-I"),
        ("python", ["python", "-X"], None, ""),
        ("python", ["python", "-XIES", "-WEIS", "app.py"], None, ""),
        ("python", ["python", "-c", "pass", "-I"], None, ""),
        ("python", ["python", "-cpass", "-I"], None, ""),
        ("python", ["python", "-m", "app", "-E"], None, ""),
        ("python", ["python", "-", "-E"], None, ""),
        ("python", ["python", "--version", "-E"], None, ""),
        ("python", ["python", "app.py", "-S"], None, ""),
        ("python", "python -I", None, ""),
        ("python", ("python", "-I"), None, "-I"),
        ("/bin/sh", ["sh", "-c", "cd /tmp; A=1 exec python -I app.py"], None, "-I"),
        ("/bin/bash", ["bash", "-c", b"ls | python3 -S"], None, "-S"),
        ("dash", ["dash", "-c", "true && python -E"], None, "-E"),
        ("zsh", ["zsh", "-c", "true\npython -E"], None, "-E"),
        ("sh", ["sh", "-c", "python app.py"], {}, "another PYTHONPATH"),
        ("sh", ["sh", "-c", "echo python -I"], {}, ""),
        ("sh", ["sh", "-e", "python -I"], {}, ""),
        ("sh", ["sh", "-c", "python -I", "x"], {}, ""),
        ("fish", ["fish", "-c", "python -I"], {}, ""),
        ("/bin/ls", ["ls", "-I"], {}, ""),
        ("/no/such", ["such"], {}, ""),
    ],
)
def test_a_python_that_will_not_be_reached_has_a_reason(
    startup: ModuleType, executable: str, words: object, env: dict[str, str] | None, why: str
) -> None:
    """By its options, its environment, or the shell's line that starts it; what is no Python has none."""
    assert startup.unreached(executable, words, env) == why


def test_the_hidden_sitecustomize_fails_as_it_would_without_us(
    startup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is none, nothing is said; one that imports what is missing says that."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setitem(sys.modules, "sitecustomize", startup)

    startup.next_sitecustomize()
    assert sys.modules["sitecustomize"] is startup

    (tmp_path / "sitecustomize.py").write_text("import no_such_module")
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        startup.next_sitecustomize()
    assert sys.modules["sitecustomize"] is startup


@pytest.mark.parametrize(
    ("tail", "frozen"),
    [
        (b"MEI\x0c\x0b\x0a\x0b\x0e" + bytes(80), True),
        (b"MEI\x0c\x0b\x0a\x0b\x0e" + bytes(4088), True),
        (b"MEI\x0c\x0b\x0a\x0b\x0e" + bytes(4089), False),
        (b"MEI\x0c\x0b\x0a\x0b\x0f" + bytes(80), False),
    ],
)
def test_a_frozen_program_is_known_by_its_end(startup: ModuleType, tail: bytes, frozen: bool, tmp_path: Path) -> None:
    """PyInstaller's mark in the last four kilobytes."""
    program = tmp_path / "program"
    program.write_bytes(bytes(5000) + tail)

    assert startup.unreached(str(program), ["program"], None) == ("a frozen interpreter" if frozen else "")


def test_the_environment_of_a_command_is_its_own_with_our_folder_first() -> None:
    """What is on PYTHONPATH stays on it."""
    empty, filled = environment({"A": "1", "PYTHONPATH": ""}, B="2"), environment({"PYTHONPATH": "/mine"})

    assert empty == {"A": "1", "B": "2", "PYTHONPATH": str(SITE)}
    assert filled == {"PYTHONPATH": f"{SITE}{os.pathsep}/mine"}


def test_a_command_is_a_file_a_module_or_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python file, a folder with a main module and a file that cannot be run: each goes to this Python."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in (
        "app.py",
        "app.pyw",
        "app.pyz",
        "app.zip",
        "app.pyc",
        "plain",
        "llm",
        "pack/__main__.py",
        "run/__main__.py",
    ):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    (tmp_path / "bin").mkdir()
    for command in (tmp_path / "llm", tmp_path / "bin" / "run"):
        command.touch()
        command.chmod(0o755)
    (tmp_path / "app.py").chmod(0o755)
    python = ["app.py", "app.pyw", "app.pyz", "app.zip", "app.pyc", "plain", "pack", "-m"]

    assert [resolve([name, "x"]) for name in python] == [[sys.executable, name, "x"] for name in python]
    assert resolve(["llm", "x"]) == [str(tmp_path / "llm"), "x"]
    assert resolve(["./llm"]) == ["./llm"]
    assert resolve(["run"]) == [sys.executable, "run"]
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert resolve(["run"]) == [str(tmp_path / "bin" / "run")]
    with pytest.raises(FileNotFoundError, match="there is no file 'nothing', and no command of that name"):
        resolve(["nothing"])


def test_a_command_beside_python_is_found_without_an_activated_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scripts of the environment that runs this; one on PATH comes first."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "llm").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", {"scripts": str(scripts)}.get)

    assert resolve(["llm"]) == [str(scripts / "llm")]
    (tmp_path / "llm").touch(0o755)
    assert resolve(["llm"]) == [str(tmp_path / "llm")]


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        (
            [],
            "app: nothing was traced: "
            "no Python process was reached (one with -I, -E or -S, or a frozen program, is not)",
        ),
        (
            [Report(pid=7, program="app")],
            "app: nothing was traced: no LLM client was imported; 1 process ended without a report",
        ),
        (
            [Report(pid=7, program="app", ended=True, clients={"openai": "2.0", "groq.client": "1"})],
            "app: nothing was traced: groq and openai were imported, and made no call",
        ),
        (
            [Report(pid=7, program="app", ended=True, clients={"openai": "0.1"}, not_wrapped=["openai"])],
            "app: nothing was traced: this version of openai, 0.1, cannot be traced",
        ),
        (
            [
                Report(pid=7, program="app", ended=True, traces=2, trace_file="t"),
                Report(pid=8, program="app", ended=True, joined=3, llm_calls=2, input_tokens=5, errors=1, cost_usd=0.5),
            ],
            "app: 2 LLM calls, 2 traces, 5 tok, $0.5000, 1 error; agentops-otel show",
        ),
        ([Report(pid=8, program="app", ended=True, joined=3)], "app: 0 LLM calls, 3 traces"),
        ([Report(pid=8, program="app", ended=True, traces=1, output_tokens=5)], "app: 0 LLM calls, 1 trace, →5 tok"),
        (
            [Report(pid=7, program="app", ended=True, clients={"openai": "2.0"})],
            "app: nothing was traced: openai was imported, and made no call",
        ),
        (
            [
                Report(pid=7, program="app", ended=True, clients={"openai": "0.1"}, not_wrapped=["openai"]),
                Report(pid=8, program="app", ended=True, clients={"groq": "0.2", "a": "1"}, not_wrapped=["groq"]),
            ],
            "app: nothing was traced: this version of groq, 0.2, and openai, 0.1, cannot be traced",
        ),
    ],
)
def test_the_line_at_the_end_of_a_run_adds_up_its_processes(reports: list[Report], said: str) -> None:
    """Or says why there is nothing to add."""
    run = Run.begin("app", [])
    for report in reports:
        run.write(report)
    line = run_report.describe(run, "app", lambda path: [])
    run.end()

    assert line == said


def test_a_run_ends_though_its_folder_is_gone() -> None:
    """The program may have emptied the temporary directory."""
    run = Run.begin("app", [])

    run.end()
    run.end()

    assert not run.folder.exists()


def test_calls_that_no_process_could_price_are_priced_at_the_end_of_the_run() -> None:
    """As often as each was made; one that the price list does not know costs nothing."""
    run = Run.begin("app", [])
    unpriced = [({**CHAT, "gen_ai.response.model": model}, times) for model, times in (("gpt-4o", 2), ("of nobody", 1))]
    run.write(Report(pid=7, program="app", ended=True, traces=1, llm_calls=3, cost_usd=0.5, unpriced=unpriced))
    line = run_report.describe(run, "app", lambda path: [])
    run.end()

    assert line == "app: 3 LLM calls, 1 trace, $0.5096"


def test_a_run_with_a_root_of_its_own_is_one_trace() -> None:
    """However many of its processes have a part in it; who was not reached is said behind."""
    run = Run.begin("app", [])
    run.set_parent(SpanContext(0xAB, 0xCD, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)))
    run.write(Report(pid=7, program="app", ended=True, joined=3, traces=2))
    for name, text in (("7.unreached", "/bin/python"), ("7-0.isolated", "-I"), ("7-1.isolated", "-I")):
        (run.folder / name).write_text(text)
    line = run_report.describe(run, "app", lambda path: [])
    run.end()

    assert line == (
        "app: 0 LLM calls, 1 trace; 1 process of /bin/python was not traced: the package is not installed there; "
        "not traced: 2 Python processes with -I"
    )


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        (research(), "app: 1 LLM call, 1 trace, 1200→180 tok, $0.0048, 1 error; agentops-otel show"),
        (research()[:1], "app: 1 LLM call, 1 trace, 1200→180 tok, $0.0048; agentops-otel show"),
        (research()[2:3], "app: 0 LLM calls, 1 trace, 1 error; agentops-otel show"),
        (
            [*research()[:1], Trace(2, count(5)).span("root")],
            "app: 1 LLM call, 2 traces, 1200→180 tok, $0.0048; agentops-otel show",
        ),
        (
            [Trace().span("step", under=Trace().context(9, is_remote=True)), *research()[:1]],
            "app: 1 LLM call, 1 trace, 1200→180 tok, $0.0048; agentops-otel show",
        ),
        ([], "app: nothing was traced: openai was imported, and made no call; 1 process ended without a report"),
    ],
)
def test_a_process_that_was_killed_is_counted_by_its_own_trace_file(
    spans: list[ReadableSpan], said: str, tmp_path: Path
) -> None:
    """Also one whose root had not ended. Another process has counted a file that is not of this run."""
    run = Run.begin("app", [])
    own, other = tmp_path / f"{run.name}.7.jsonl", tmp_path / "other.jsonl"
    lines = []
    for path in (own, other):
        path.touch()
        run.write(Report(pid=7, program="app", clients={"openai": "2.0"}, trace_file=str(path)))
        lines.append(run_report.describe(run, "app", {own: spans}.__getitem__))
    run.end()

    assert lines == [
        said,
        "app: nothing was traced: openai was imported, and made no call; 1 process ended without a report",
    ]


def test_what_the_processes_of_a_run_leave_is_read_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last report of each, who was not reached and why, and the span above them all; nothing once it is over."""
    run = Run.begin("my app/ü" + "u" * 100, ["openai", "groq"])
    first = Report(pid=7, program="app")
    last = Report(pid=7, program="app", ended=True, clients={"openai": "1"}, cost_usd=0.5)
    root = SpanContext(0xAB, 0xCD, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    assert run.parent is None
    for report in (first, last, Report(pid=8, program="b")):
        run.write(report)
    for name, text in (("7.unreached", "/bin/python"), ("7-0.isolated", "-I"), ("7-1.isolated", "-E")):
        (run.folder / name).write_text(text)
    run.set_parent(root)

    started, program, pid = run.name.rsplit("-", 2)
    assert abs((datetime.strptime(started, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - datetime.now(UTC)).days) <= 1
    assert (program, pid) == ("my_app_" + "u" * 57, str(os.getpid()))
    assert run.folder.stat().st_mode & 0o777 == 0o700
    assert (run.folder / "modules").read_text() == "openai\ngroq"
    assert [(report.pid, report.ended, report.clients, report.cost_usd) for report in run.reports()] == [
        (7, True, {"openai": "1"}, 0.5),
        (8, False, {}, None),
    ]
    assert (run.unreached(), run.isolated()) == (["/bin/python"], ["-I", "-E"])
    assert run.parent == SpanContext(0xAB, 0xCD, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    monkeypatch.setattr(os, "getppid", lambda: int(pid))
    assert run.is_main_process
    monkeypatch.setattr(os, "getppid", lambda: int(pid) + 1)
    assert not run.is_main_process
    run.end()
    run.write(last)
    assert not run.folder.parent.exists()
    assert (run.reports(), run.parent) == ([], None)


@pytest.mark.parametrize(
    ("code", "status"), [(0, (StatusCode.UNSET, None)), (-15, (StatusCode.ERROR, "exit code -15"))]
)
def test_the_root_of_a_run_goes_where_its_spans_go(
    code: int, status: tuple[StatusCode, str | None], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Into the file that is named for them, and on the terminal where the processes have files of their own."""
    for named in (True, False):
        run = Run.begin("app", [])
        config = read_config(trace_file=tmp_path / "trace.jsonl" if named else True, spool_dir=False)
        whole = OneTrace.begin(run, "nightly", replace(config, destinations=()))
        above = run.parent
        damaged = config.state_dir / DIRECTORY / f"{run.name}.7.jsonl"
        damaged.parent.mkdir(parents=True, exist_ok=True)
        damaged.write_text("what a killed process has left\n")
        whole.end(code)
        run.end()
        path = tmp_path / "trace.jsonl" if named else config.state_dir / DIRECTORY / f"{run.name}.jsonl"
        (root,) = file.read(path)

        assert isinstance(root, ReadableSpan)
        assert above is not None
        assert root.context is not None
        assert (root.context.trace_id, root.context.span_id) == (above.trace_id, above.span_id)
        assert (root.name, root.parent) == ("invoke_workflow nightly", None)
        assert (root.status.status_code, root.status.description) == status
        assert (root.start_time or 0) <= (root.end_time or 0)
        assert ("invoke_workflow nightly" in capfd.readouterr().err) is not named
