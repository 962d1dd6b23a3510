"""Runs each program plain, under `run` and with `init()`, and compares: output, exit code, a span and a trace a call.

python -m tests.other_programs [NAME]...    # all without a name; an environment each, kept in .venv-programs
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export import file, trace_directory
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import answer, completion
from tests.other_programs import screen
from tests.other_programs.catalogue import PROGRAMS, Program
from tests.program import ROOT

APPS = Path(__file__).parent / "apps"
ENVIRONMENTS = ROOT / ".venv-programs"
INSTALL_S, START_S, RUN_S = 900.0, 60.0, 180.0
MODES = ("plain", "run", "init")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a program came to."""

    exit_code: int
    output: str
    requests: int
    spans: int
    traces: int
    """In so many traces the spans are."""


def install(program: Program) -> Path:
    """The folder of the environment's commands; made anew where it is not whole."""
    folder = ENVIRONMENTS / program.name
    python = folder / "bin" / "python"
    if not (folder / ".done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=INSTALL_S)
        _install(python, *program.packages, str(ROOT))
        (folder / ".done").touch()
    _install(python, "--no-deps", "--force-reinstall", str(ROOT))
    return python.parent


def _install(python: Path, *what: str) -> None:
    """With uv, or with pip where only that knows the registry."""
    uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", str(python), *what]
    if subprocess.run(uv, check=False, stderr=subprocess.DEVNULL, timeout=INSTALL_S).returncode:
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *what]
        subprocess.run(pip, check=True, timeout=INSTALL_S)


def run(program: Program, mode: str, commands: Path) -> Outcome:
    """Run the program once."""
    with tempfile.TemporaryDirectory() as home, LlmServer() as model:
        model.answer(answer(completion({"role": "assistant", "content": program.text}), stream=False), times=20)
        for name, text in program.files.items():
            (Path(home) / name).write_text(text.replace("{url}", model.url))
        shutil.copytree(APPS, Path(home) / "apps")
        port = free_port()
        command = program.init if mode == "init" and program.init else program.command
        command = tuple(word.replace("{port}", str(port)) for word in command)
        command = (str(commands / command[0]), *command[1:])
        if mode == "run":
            command = (str(commands / "agentops-otel"), "run", *command)
        environment = variables(Path(home), model.url, commands, mode)
        if program.on_screen:
            exit_code, output = screen.shown(command, environment, commands / "python")
        else:
            exit_code, output = start(program, command, environment, port)
        traces = trace_directory.trace_files(Path(home) / "state" / "agentops_otel" / trace_directory.DIRECTORY)
        read = [span for path in traces for span in file.read(path) if isinstance(span, ReadableSpan)]
        calls = [span.get_span_context() for span in read if span.name.startswith("chat ")]
        return Outcome(
            exit_code, output, len(model.requests), len(calls), len({call.trace_id for call in calls if call})
        )


def variables(home: Path, url: str, commands: Path, mode: str) -> dict[str, str]:
    """The environment variables of a run."""
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "LLM_USER_PATH": str(home),
        "MODEL_URL": url,
        "PATH": f"{commands}{os.pathsep}{os.defpath}",
        "PYTHONPATH": str(home / "apps"),
        "PYTHONHASHSEED": "0",
        "XDG_STATE_HOME": str(home / "state"),
        "GRADIO_ANALYTICS_ENABLED": "false",
        "NO_PROXY": "127.0.0.1,localhost",
        **({"PROGRAM_INIT": "1"} if mode == "init" else {}),
    }


def start(program: Program, command: tuple[str, ...], env: Mapping[str, str], port: int) -> tuple[int, str]:
    """Start the command in the folder of the apps; its exit code, and what it printed, or answered as a server."""
    with subprocess.Popen(
        command,
        env=env,
        cwd=Path(env["HOME"]) / "apps",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            if not program.requests:
                output, errors = process.communicate(timeout=RUN_S)
                return process.returncode, output + (errors[-2000:] if process.returncode else "")
            wait_for(port, process)
            answers = [
                urlopen(f"http://127.0.0.1:{port}{path}", timeout=30).read().decode() for path in program.requests
            ]
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=RUN_S)
            return process.returncode, "\n".join(answers)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    """Wait until the server takes connections."""
    end = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


def free_port() -> int:
    """A port that is free at the moment."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def faults(program: Program, outcomes: Mapping[str, Outcome]) -> list[str]:
    """What differs from the program without us, and from a span for each call."""
    plain = outcomes["plain"]
    found = (
        []
        if plain.requests == program.calls
        else [f"plain: {plain.requests} requests, not {program.calls}: {plain.output}"]
    )
    if plain.exit_code and not program.requests:
        found.append(f"plain: {plain.exit_code}, {plain.output!r}")
    for mode in MODES[1:]:
        ours = outcomes[mode]
        if (ours.exit_code, ours.output) != (plain.exit_code, plain.output):
            found.append(f"{mode}: {ours.exit_code}, {ours.output!r} instead of {plain.exit_code}, {plain.output!r}")
        traces = program.traces if mode == "run" and program.traces else program.calls
        if (ours.requests, ours.spans, ours.traces) != (program.calls, program.calls, traces):
            counted = f"{ours.requests} requests, {ours.spans} spans, {ours.traces} traces"
            found.append(f"{mode}: {counted}, not {program.calls} in {traces}")
    return found


def main(names: list[str]) -> int:
    """Run the programs, print a line each, and give the exit code."""
    wrong = 0
    chosen = [program for program in PROGRAMS if not names or program.name in names]
    for program in chosen:
        try:
            commands = install(program)
            found = faults(program, {mode: run(program, mode, commands) for mode in MODES})
        except (OSError, subprocess.SubprocessError) as error:
            found = [repr(error)]
        wrong += bool(found)
        sys.stdout.write(
            f"{program.name:12} {'; '.join(found) or f'the same, {program.calls} of {program.calls} calls'}\n"
        )
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - wrong} passed, {wrong} failed\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
