"""TaskWeaver in a process of its own: what is there when it ends, one way or another."""

import hashlib
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export import file, trace_directory
from tests.loopback.taskweaver_llm import Held, ScriptedLLM, code, final, plan
from tests.program import ROOT, run
from tests.taskweaver.conftest import configure
from tests.taskweaver.shown import tree

BOUND_S = 180.0
"""For a person's patience with a machine that does much else: nothing here takes long."""
SESSION = """
import warnings; warnings.simplefilter("ignore")
import agentops_otel
agentops_otel.init(trace_file="trace.jsonl", spool_dir=False)
from taskweaver.app.app import TaskWeaverApp
app = TaskWeaverApp(app_dir=".")
session = app.get_session()
session.send_message("What is 6*7?")
from agentops_otel.view import cost
cost.price({{"gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 1}})  # the price list is there now
{end}
"""
TERMINAL = """
import sys, warnings; warnings.simplefilter("ignore")
import agentops_otel
agentops_otel.init(trace_file="trace.jsonl", spool_dir=False)
from taskweaver.chat.console import chat_taskweaver
chat_taskweaver(".")
"""


@pytest.mark.parametrize("end", ["session.stop(); session.stop()", ""], ids=["stopped", "left"])
def test_summary(llm: ScriptedLLM, tmp_path: Path, end: str) -> None:
    """When a session stops, or the process ends, one line says what the session came to, tokens and cost too."""
    configure(tmp_path, llm, **{"llm.model": "gpt-4o-mini"})
    llm.script(final("42"))

    finished = run(SESSION.format(end=end), cwd=tmp_path, PYTHONPATH=str(ROOT))

    (line,) = [line for line in finished.stderr.splitlines() if "stopped after" in line]
    assert re.sub(r"[\d.]+ m?s", "TIME", line).removeprefix("agentops_otel: ") == snapshot(
        "session stopped after 1 round: TIME, 1 LLM call, 0 tools, 0 actions, 0 errors, 20→7 tok, $0.000007"
    )
    assert len(_names(tmp_path / "trace.jsonl")) == 3


TIKTOKEN = """
class Encoding:
    def encode(self, text):
        return text.split()

def encoding_for_model(model):
    return Encoding()
"""
"""Stands in for tiktoken, which downloads its tables."""
OWN_TRACING = """
import json, warnings; warnings.simplefilter("ignore")
from agentops_otel.providers.taskweaver import TaskWeaverEventHandler
from agentops_otel.testing import capture
from tests.taskweaver.shown import tree

with capture(**{settings}) as captured:
    from taskweaver.app.app import TaskWeaverApp
    app = TaskWeaverApp(app_dir=".")
    session = app.get_session()
    session.send_message("SECRET question", event_handler=TaskWeaverEventHandler())
    session.stop()
    said = "".join(span.to_json() for span in captured.spans)
    print("SPANS", json.dumps([tree(captured.spans), "SECRET" in said]))
app.stop()
"""


@pytest.mark.measured
@pytest.mark.parametrize(
    ("settings", "warns", "expected"),
    [
        (
            {},
            True,
            snapshot([["invoke_workflow taskweaver", "  invoke_agent Planner", "    chat scripted-model"], True]),
        ),
        (
            {"instrument_taskweaver": False},
            False,
            snapshot(
                [
                    [
                        "chat scripted-model",
                        "Session.send_message",
                        "  Session._send_text_message",
                        "    invoke_workflow taskweaver",
                        "      invoke_agent Planner",
                        "    _send_message",
                        "      Planner.reply",
                        "Session.stop",
                    ],
                    True,
                ]
            ),
        ),
        (
            {"instrument_taskweaver": False, "capture_content": False},
            True,
            snapshot([["invoke_workflow taskweaver", "  invoke_agent Planner", "chat scripted-model"], False]),
        ),
    ],
    ids=["hooks", "handler", "handler, content off"],
)
def test_own_tracing(
    llm: ScriptedLLM, tmp_path: Path, settings: dict[str, bool], warns: bool, expected: list[object]
) -> None:
    """Beside TaskWeaver's own tracing one whole tree comes out, or a warning, and no content where it is off."""
    configure(tmp_path, llm, **{"tracing.enabled": True, "tracing.exporter": "console"})
    (tmp_path / "tiktoken.py").write_text(TIKTOKEN)
    llm.script(final("SECRET answer"))

    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    finished = run(OWN_TRACING.format(settings=settings), cwd=tmp_path, PYTHONPATH=path)

    assert ("TaskWeaver's own tracing is disabled" in finished.stderr) is warns
    (line,) = [line for line in finished.stdout.splitlines() if line.startswith("SPANS")]
    assert json.loads(line.removeprefix("SPANS")) == expected


def test_terminal_interrupted(llm: ScriptedLLM, tmp_path: Path) -> None:
    """Ctrl-C in the terminal ends the process in the middle of a reply: what was open is ended, and says so.

    Its seconds are TaskWeaver's start.
    """
    configure(tmp_path, llm)
    held = Held(text=final("It is")[:60], rest="")
    llm.script(held)

    with _Terminal(tmp_path, "-c", TERMINAL) as terminal:
        terminal.expect("Human")
        terminal.say("What is 6*7?\r")
        terminal.expect("receiving")
        terminal.say("\x03")
        terminal.wait()
        held.event.set()

    assert {"invoke_agent Planner", "invoke_workflow taskweaver"} <= set(_names(tmp_path / "trace.jsonl"))


def test_command_line(llm: ScriptedLLM, tmp_path: Path) -> None:
    """`agentops-otel run` traces a project that has not a line of ours: the round's tree is in the trace file.

    Its seconds are the starts of TaskWeaver and its kernel.
    """
    configure(tmp_path / "project", llm)
    llm.script(plan("compute"), code("6*7"), final("It is 42."))

    _talk(tmp_path, "-m", "agentops_otel", "run", "-m", "taskweaver", "-p", "project/")

    (trace_file,) = trace_directory.trace_files(tmp_path / "state" / "agentops_otel" / trace_directory.DIRECTORY)
    assert tree(span for span in file.read(trace_file) if isinstance(span, ReadableSpan)) == snapshot(
        [
            "invoke_workflow taskweaver",
            "  invoke_agent Planner",
            "    chat scripted-model",
            "  invoke_agent CodeInterpreter",
            "    taskweaver.kernel.start",
            "    chat scripted-model",
            "    execute_tool python",
            "  invoke_agent Planner",
            "    chat scripted-model",
        ]
    )


def _talk(folder: Path, *args: str) -> None:
    with _Terminal(folder, *args) as terminal:
        terminal.expect("Human")
        terminal.say("What is 6*7?\r")
        terminal.expect("It is 42.")
        terminal.expect("Human")
        terminal.say("/exit\r")
        assert terminal.wait() == 0


class _Terminal:
    """A Python that talks to a person: behind a pseudo-terminal."""

    def __init__(self, folder: Path, *args: str) -> None:
        self._ours, theirs = pty.openpty()
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "200", "LINES": "50"}
        self._process = subprocess.Popen(
            [sys.executable, *args],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=variables,
            start_new_session=True,
            preexec_fn=lambda: _take_terminal(theirs),
        )
        os.close(theirs)
        self._seen = ""

    def __enter__(self) -> "_Terminal":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait(10)
        os.close(self._ours)

    def say(self, text: str) -> None:
        """Type it."""
        os.write(self._ours, text.encode())

    def expect(self, text: str) -> None:
        """Read until it shows; what was seen before does not count."""
        until = time.monotonic() + BOUND_S
        while text not in self._seen:
            assert time.monotonic() < until, f"no {text!r} in {self._seen[-2000:]!r}"
            self._read()
        self._seen = self._seen.partition(text)[2]

    def wait(self) -> int:
        """The exit code."""
        until = time.monotonic() + BOUND_S
        while self._process.poll() is None:
            assert time.monotonic() < until, f"still running: {self._seen[-2000:]!r}"
            self._read()
        return self._process.wait(1)

    def _read(self) -> None:
        if select.select([self._ours], [], [], 0.1)[0]:
            try:
                self._seen += os.read(self._ours, 65536).decode(errors="replace")
            except OSError:
                time.sleep(0.05)


def _take_terminal(theirs: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)


def _names(trace_file: Path) -> list[str]:
    return [
        span["name"]
        for line in trace_file.read_text().splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


PLACES = ("question", "plan", "code", "printed", "answer")
WHOLE = """
import warnings; warnings.simplefilter("ignore")
import os
import agentops_otel
agentops_otel.init(console=False, trace_file="t.jsonl", spool_dir=False)
from taskweaver.app.app import TaskWeaverApp
app = TaskWeaverApp(app_dir=".")
session = app.get_session()
session.send_message("use " + os.environ["QUESTION"])
session.stop()
agentops_otel.shutdown()
os._exit(0)
"""


@pytest.mark.measured
def test_no_key_in_a_round_is_in_the_trace(llm: ScriptedLLM, tmp_path: Path) -> None:
    """One in the question, plan, code, what that prints, and answer.

    Its seconds are the start of TaskWeaver and its kernel.
    """
    planted = {place: "ghp_" + hashlib.sha256(place.encode()).hexdigest()[:36] for place in PLACES}
    configure(tmp_path, llm)
    (tmp_path / "tiktoken.py").write_text(TIKTOKEN)
    printed = planted["printed"]
    source = f"x = {planted['code']!r}\nprint({printed[:20]!r} + {printed[20:]!r})"
    llm.script(plan(f"compute {planted['plan']}"), code(source), final(f"It is {planted['answer']}"))

    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    run(WHOLE, cwd=tmp_path, PYTHONPATH=path, QUESTION=planted["question"])

    recorded = (tmp_path / "t.jsonl").read_text()
    assert "execute_tool python" in recorded
    assert recorded.count("[redacted]") >= len(PLACES)
    assert {place for place, text in planted.items() if text[8:] in recorded} == set()
