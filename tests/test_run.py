"""`agentops-otel run`: any command, its children, its signals, and what is reported at its end."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from agentops_otel.config import Config
from agentops_otel.export import file, trace_directory
from agentops_otel.launcher import program_name
from agentops_otel.version import VERSION
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import TEXT, answer, completion
from tests.program import ROOT, needs, read_until
from tests.python_process import Python, run_python

ASK = """
import os, sys, groq
assert groq.__spec__.loader is groq.__loader__  # a module that starts the tracing is as without us
assert not any(type(finder).__name__ == "Trigger" for finder in sys.meta_path)  # and no other starts it again
def ask(text="hi"):
    with groq.Groq(base_url=os.environ["MODEL_URL"], api_key="none") as client:
        return client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": text}])
if __name__ == "__main__":
    ask()
"""
TELL = """
import agentops_otel
def tell(text="hi"):
    agentops_otel.record(agentops_otel.LLMEvent(model="gpt-4.1", prompt=text, completion="ho"))
if __name__ == "__main__":
    tell()
"""
"""The same where it is the process that is in question: a process takes twice as long to import a client as us."""


@pytest.fixture
def model() -> Iterator[LlmServer]:
    """A model's server."""
    with LlmServer() as server:
        server.answer(answer(completion(TEXT), stream=False), times=20)
        yield server


@pytest.fixture
def environment(tmp_path: Path, model: LlmServer) -> dict[str, str]:
    """The environment of a run: no collector, `ask.py` and `tell.py` to import."""
    (tmp_path / "ask.py").write_text(ASK)
    (tmp_path / "tell.py").write_text(TELL)
    return {
        **os.environ,
        "MODEL_URL": model.url,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "PATH": path_of_python(),
    }


def path_of_python() -> str:
    """PATH with the folder of this Python first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def run(*args: str | Path, env: dict[str, str], cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """`agentops-otel run` with these arguments."""
    return run_python("-m", "agentops_otel", "run", *args, input=stdin, timeout=120, cwd=cwd, env=env)


def llm_spans() -> int:
    """How many LLM calls are in the trace files."""
    files = trace_directory.trace_files(_traces())
    return sum(getattr(span, "name", "").startswith("chat ") for path in files for span in file.read(path))


def test_a_command_is_traced(environment: dict[str, str], tmp_path: Path) -> None:
    """A command of the environment is found on PATH, and its LLM calls have spans."""
    done = run("python", "ask.py", env=environment, cwd=tmp_path)

    assert (done.returncode, llm_spans()) == (0, 1), done.stderr


def test_a_program_that_has_our_decorators_alone_is_traced(environment: dict[str, str], tmp_path: Path) -> None:
    """A child of the command, which imports no client and calls no `init()`."""
    (tmp_path / "app.py").write_text(
        "import agentops_otel\n@agentops_otel.record_action('alone')\ndef work(): ...\nwork()\n"
    )

    starts = "import subprocess; subprocess.run(['python', 'app.py'])"
    done = run("python", "-c", starts, env=environment, cwd=tmp_path)

    spans = [span for path in trace_directory.trace_files(_traces()) for span in file.read(path)]
    assert (done.returncode, [getattr(span, "name", span) for span in spans]) == (0, ["alone"]), done.stderr


def test_a_child_is_traced_from_its_first_import_of_what_can_be_traced(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """TaskWeaver and us, beside the clients; one that is not there is missing as ever. The run leaves no folder."""
    (tmp_path / "taskweaver.py").touch()
    (tmp_path / "other.py").touch()
    (tmp_path / "temporary").mkdir()
    told = "print(name, 'agentops_otel.sdk' in sys.modules)"
    for name in ("taskweaver", "agentops_otel.environment", "other", "zhipuai"):
        (tmp_path / f"imports_{name}.py").write_text(
            f"import sys\nname = {name!r}\ntry:\n    __import__(name)\n"
            f"except ModuleNotFoundError as error:\n    name = str(error)\n{told}"
        )
    (tmp_path / "app.py").write_text(
        "import glob, subprocess, sys\n"
        "for path in sorted(glob.glob('imports_*')):\n    subprocess.run([sys.executable, path], check=True)"
    )

    done = run("app.py", env={**environment, "TMPDIR": str(tmp_path / "temporary")}, cwd=tmp_path)

    assert done.stdout.splitlines() == [
        "agentops_otel.environment True",
        "other False",
        "taskweaver True",
        "No module named 'zhipuai' False",
    ], done.stderr
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["-m", "llm", "hi"], "llm"),
        (["-X", "dev", "-W", "error", "-m", "llm"], "llm"),
        (["python3.12", "-u", "-m", "llm"], "llm"),
        (["/opt/bin/llm", "hi"], "llm"),
        (["python", "work/app.py", "-m", "gpt"], "app"),
        (["-c", "print()"], "python"),
        (["python"], "python"),
        (["python", "-m"], "python"),
        ([".py"], "python"),
        ([], "python"),
    ],
    ids=" ".join,
)
def test_a_program_has_the_name_that_people_call_it(args: list[str], name: str) -> None:
    """A module's, a script's or a command's; Python's own options are none."""
    assert program_name(args) == name


def test_a_module_gives_its_name_to_its_file(environment: dict[str, str], tmp_path: Path) -> None:
    """And the last line has it too."""
    done = run("-m", "ask", env=environment, cwd=tmp_path)

    [path] = trace_directory.trace_files(_traces())
    assert "-ask-" in path.name
    assert "ask: 1 LLM call" in done.stderr


@pytest.mark.measured
def test_a_command_gets_its_standard_input(environment: dict[str, str], tmp_path: Path) -> None:
    """Standard input and output are the command's own."""
    done = run("cat", env=environment, cwd=tmp_path, stdin="hello")

    assert (done.returncode, done.stdout) == (0, "hello")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc")
def test_a_command_ignores_the_signals_that_it_would_without_us(environment: dict[str, str], tmp_path: Path) -> None:
    """Not those that Python ignores: a writer whose reader has gone ends."""
    command = ["grep", "^SigIgn", "/proc/self/status"]
    bare = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    ours = run(*command, env=environment, cwd=tmp_path).stdout

    of_the_c_library = 0b11 << 31
    assert int(ours.split()[1], 16) & ~of_the_c_library == int(bare.split()[1], 16) & ~of_the_c_library


CHILDREN = {
    "subprocess": "import subprocess, sys\nsubprocess.run([sys.executable, 'ask.py'], check=True)",
    "spawn": """
import multiprocessing, ask
if __name__ == '__main__':
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        pool.map(ask.ask, ['hi'])
        pool.close()
        pool.join()
""",
    "forkserver": """
import multiprocessing, ask
if __name__ == '__main__':
    with multiprocessing.get_context('forkserver').Pool(1) as pool:
        pool.map(ask.ask, ['hi'])
        pool.close()
        pool.join()
""",
    "shell": "import os\nassert os.system('python ask.py') == 0",
}


@pytest.mark.parametrize("ways", [("subprocess", "shell"), ("spawn", "forkserver")], ids=" and ".join)
def test_children_are_traced(environment: dict[str, str], tmp_path: Path, ways: tuple[str, str]) -> None:
    """A Python child is traced, however it was started."""
    (tmp_path / "app.py").write_text("\n".join(CHILDREN[way] for way in ways))

    done = run("app.py", env=environment, cwd=tmp_path)

    assert (done.returncode, llm_spans()) == (0, 2), done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_the_tasks_of_a_pool_join_the_trace_that_made_it(
    environment: dict[str, str], tmp_path: Path, method: str
) -> None:
    """Whatever starts its processes.

    Their seconds are the starts of several Pythons.
    """
    (tmp_path / "app.py").write_text(
        f"""
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import agentops_otel, tell

@agentops_otel.record_action("whole")
def whole(make):
    pool = make()
    list(pool.map(tell.tell, ["hi", "ho"]))
    if hasattr(pool, "close"):
        pool.close()
        pool.join()
    else:
        pool.shutdown()

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    whole(lambda: context.Pool(2))
    whole(lambda: ProcessPoolExecutor(2, mp_context=context))
"""
    )

    done = run("app.py", env=environment, cwd=tmp_path)

    assert (done.returncode, llm_spans()) == (0, 4), done.stderr
    assert "app: 4 LLM calls, 2 traces;" in done.stderr


@pytest.mark.measured
def test_the_tasks_of_joblib_join_the_trace_that_asks(environment: dict[str, str], tmp_path: Path) -> None:
    """Each time, although its processes last; some tasks are sent from a thread of joblib's.

    Its seconds are the starts of several Pythons.
    """
    needs("joblib")
    (tmp_path / "app.py").write_text(
        """
from joblib import Parallel, delayed
import agentops_otel, tell

@agentops_otel.record_action("whole")
def whole(tasks):
    Parallel(n_jobs=2, pre_dispatch=2)(tasks)

if __name__ == "__main__":
    for number in range(2):
        whole([delayed(tell.tell)("hi") for _ in range(5)])
        whole(delayed(tell.tell)("hi") for _ in range(5))
"""
    )

    done = run("app.py", env=environment, cwd=tmp_path)

    assert (done.returncode, llm_spans()) == (0, 20), done.stderr
    assert "app: 20 LLM calls, 4 traces;" in done.stderr


@pytest.mark.measured
def test_a_spawned_process_outside_of_a_span_has_its_own_trace(environment: dict[str, str], tmp_path: Path) -> None:
    """As a server's worker: nothing is its parent."""
    (tmp_path / "app.py").write_text(CHILDREN["spawn"].replace("ask", "tell"))

    run("app.py", env=environment, cwd=tmp_path)

    files = trace_directory.trace_files(_traces())
    assert [span.parent for path in files for span in file.read(path) if not isinstance(span, ValueError)] == [None]


SERVED = """
import ask
async def app(scope, receive, send):
    if scope["type"] == "http":
        ask.ask()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"answered"})
"""


@pytest.mark.parametrize("option", ["--reload", "--workers=2"])
def test_the_workers_of_a_server_are_traced(environment: dict[str, str], tmp_path: Path, option: str) -> None:
    """Those of uvicorn's supervisors, each request in its own trace.

    Their seconds are the starts of the server's processes.
    """
    needs("uvicorn")
    (tmp_path / "served.py").write_text(SERVED)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ("-m", "agentops_otel", "run", "uvicorn", "served:app", option, f"--port={port}")
    with Python(*command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as server:
        try:
            assert {answer_of(port, server) for _ in range(2)} == {b"answered"}
        finally:
            server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=60)

    assert llm_spans() == 2
    assert "uvicorn: 2 LLM calls, 2 traces, " in said


def test_the_processes_of_a_pool_that_is_terminated_are_counted(environment: dict[str, str], tmp_path: Path) -> None:
    """`with Pool()` ends its processes by a signal.

    Its seconds are the starts of several Pythons.
    """
    (tmp_path / "app.py").write_text(
        "import multiprocessing, tell\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        pool.map(tell.tell, ['hi', 'ho', 'hu'])"
    )

    done = run("app.py", env=environment, cwd=tmp_path)

    assert "app: 3 LLM calls, 3 traces;" in done.stderr
    assert llm_spans() == 3


@pytest.mark.measured
@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_a_process_that_leaves_no_report_is_counted(environment: dict[str, str], tmp_path: Path, end: str) -> None:
    """By its trace file: Chainlit ends its server so."""
    (tmp_path / "app.py").write_text(f"import os, agentops_otel, tell\ntell.tell()\nagentops_otel.flush(60)\n{end}")

    done = run("app.py", env=environment, cwd=tmp_path)

    assert done.returncode in (3, -9)
    assert "app: 1 LLM call, 1 trace;" in done.stderr


def answer_of(port: int, server: subprocess.Popen[str]) -> bytes:
    """What the server answers as soon as it listens."""
    while True:
        try:
            return bytes(urlopen(f"http://127.0.0.1:{port}/", timeout=60).read())
        except URLError:
            assert server.poll() is None
            time.sleep(0.1)


def test_a_child_without_a_client_imports_nothing_of_ours(environment: dict[str, str], tmp_path: Path) -> None:
    """A child that imports no LLM client takes no longer than before."""
    child = "import sys; assert not any(name.startswith(('agentops_otel', 'opentelemetry')) for name in sys.modules)"
    (tmp_path / "app.py").write_text(
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}], check=True)"
    )

    done = run("app.py", env=environment, cwd=tmp_path)

    assert done.returncode == 0, done.stderr


def test_the_next_sitecustomize_runs(environment: dict[str, str], tmp_path: Path) -> None:
    """The `sitecustomize` that ours hides is imported, and is the module of that name."""
    (tmp_path / "sitecustomize.py").write_text("MINE = 1")
    (tmp_path / "app.py").write_text("import sitecustomize; print(sitecustomize.MINE)")

    done = run("app.py", env=environment, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


@contextmanager
def ready(environment: dict[str, str], folder: Path) -> Iterator[Python]:
    """The command with the folder's app.py, which has said that it is ready."""
    command = ("-m", "agentops_otel", "run", "app.py")
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with Python(*command, **streams, cwd=folder, env=environment) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        yield running


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(environment: dict[str, str], tmp_path: Path, sent: signal.Signals) -> None:
    """A signal to the command's process reaches the program once, and its exit code comes back."""
    (tmp_path / "app.py").write_text(
        f"import os, signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, [{int(sent)}])\nprint('ready', flush=True)\n"
        f"print(int(signal.sigwait([{int(sent)}])), signal.sigtimedwait([{int(sent)}], 0.2), flush=True)\nsys.exit(7)"
    )
    with ready(environment, tmp_path) as running:
        assert running.stdout is not None
        running.send_signal(sent)
        said = running.stdout.read()
        running.wait(60)

    assert (running.returncode, said) == (7, f"{int(sent)} None\n")


def test_to_go_on_is_not_passed_on(environment: dict[str, str], tmp_path: Path) -> None:
    """The terminal stops the whole group and lets it go on; the next signal reaches the program, and this none."""
    (tmp_path / "app.py").write_text(
        "import signal\nboth = [signal.SIGCONT, signal.SIGWINCH]\nsignal.pthread_sigmask(signal.SIG_BLOCK, both)\n"
        "print('ready', flush=True)\nprint(signal.Signals(signal.sigwait(both)).name, flush=True)"
    )
    with ready(environment, tmp_path) as running:
        assert running.stdout is not None
        running.send_signal(signal.SIGCONT)
        running.send_signal(signal.SIGWINCH)
        said = running.stdout.read()
        running.wait(60)

    assert (running.returncode, said) == (0, "SIGWINCH\n")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_that_a_signal_ends_ends_us_so(environment: dict[str, str], tmp_path: Path, sent: int) -> None:
    """What waits for the command sees the signal that ended the program."""
    (tmp_path / "app.py").write_text(f"import os; os.kill(os.getpid(), {int(sent)})")

    assert run("app.py", env=environment, cwd=tmp_path).returncode == -sent


def test_ctrl_c_reaches_the_program_once(environment: dict[str, str], tmp_path: Path) -> None:
    """The terminal sends the signal to both; it is not passed on a second time.

    Several times: one that comes while the first still waits would be one with it.
    """
    (tmp_path / "app.py").write_text(
        "import signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, [2])\n"
        "print('ready', sys.stdin.isatty(), flush=True)\n"
        "for _ in range(4):\n"
        "    first, again = signal.sigwait([2]), signal.sigtimedwait([2], 0.2)\n"
        "    print(int(first), again, flush=True)\n"
        "    if again:\n        break"
    )
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, "-m", "agentops_otel", "run", "app.py"], environment)
    said = read_until(terminal, b"ready True")
    for _ in range(4):
        os.write(terminal, b"\x03")
        said += read_until(terminal, b"2 None")

    read_until(terminal, None)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_what_the_run_saw_is_said_at_its_end(environment: dict[str, str], tmp_path: Path) -> None:
    """Calls, tokens and where to look, over all processes."""
    (tmp_path / "app.py").write_text(f"import ask\nask.ask()\n{CHILDREN['subprocess']}")

    done = run("app.py", env=environment, cwd=tmp_path)

    last = done.stderr.splitlines()[-1]
    assert last.startswith("agentops_otel: app: 2 LLM calls, "), done.stderr
    assert " tok" in last
    assert last.endswith("; agentops-otel show")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("pass", "no LLM client was imported"),
        ("import groq", "groq was imported, and made no call"),
    ],
)
def test_the_reason_is_said_where_nothing_was_seen(
    environment: dict[str, str], tmp_path: Path, program: str, reason: str
) -> None:
    """A run without a span says why."""
    (tmp_path / "app.py").write_text(program)

    done = run("app.py", env=environment, cwd=tmp_path)

    assert f"agentops_otel: app: nothing was traced: {reason}" in done.stderr


def test_a_client_that_is_too_old_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    """A version of which nothing can be wrapped is the reason."""
    (tmp_path / "openai").mkdir()
    (tmp_path / "openai" / "__init__.py").write_text("__version__ = VERSION = '0.28.1'\nclass ChatCompletion: pass")
    (tmp_path / "app.py").write_text("import openai")

    done = run("app.py", env=environment, cwd=tmp_path)

    assert "nothing was traced: this version of openai, 0.28.1, cannot be traced" in done.stderr


@pytest.mark.parametrize("flag", ["-I", "-E", "-S"])
def test_a_python_that_was_not_reached_is_said(environment: dict[str, str], tmp_path: Path, flag: str) -> None:
    """A Python that reads no PYTHONPATH cannot be traced, and that is said in one line."""
    done = run("python", flag, "-c", "pass", env=environment, cwd=tmp_path)

    assert done.returncode == 0
    assert "nothing was traced: no Python process was reached" in done.stderr


def test_children_that_were_not_reached_are_said(environment: dict[str, str], tmp_path: Path) -> None:
    """Beside processes that were reached."""
    (tmp_path / "app.py").write_text(
        "import subprocess, sys, tell\ntell.tell()\n"
        "for option in 2 * ['-I', '-E', '-S', '-sIB']:\n"
        "    subprocess.run([sys.executable, option, '-c', 'print(1)', '-I'], check=True)"
    )

    done = run("app.py", env=environment, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "1\n" * 8), done.stderr
    assert {said for said in done.stderr.splitlines()[-1].split("; ") if "not traced" in said} == {
        "not traced: 4 Python processes with -I",
        "not traced: 2 Python processes with -E",
        "not traced: 2 Python processes with -S",
    }


def test_children_of_a_shell_that_were_not_reached_are_said(environment: dict[str, str], tmp_path: Path) -> None:
    """As those that are started without a shell; another command of the line is none."""
    line = "echo python -I; A=1 python -E -c 'print(2)'"
    (tmp_path / "app.py").write_text(
        f"import os, subprocess, tell\ntell.tell()\nline = {line!r}\n"
        "os.system(line)\nsubprocess.run(line, shell=True, check=True)\nos.execl('/bin/sh', 'sh', '-c', line)"
    )

    done = run("app.py", env=environment, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "python -I\n2\n" * 3), done.stderr
    assert "; not traced: 3 Python processes with -E" in done.stderr


def test_a_frozen_child_is_said(environment: dict[str, str], tmp_path: Path) -> None:
    """It ends as what PyInstaller makes; it is a shell's script here, which runs as it is."""
    program = tmp_path / "frozen"
    program.write_bytes(b"#!/bin/sh\nexit 0\n" + b"#" * 5000 + b"MEI\x0c\x0b\x0a\x0b\x0e" + bytes(80))
    program.chmod(0o755)
    (tmp_path / "app.py").write_text(
        f"import subprocess, tell\ntell.tell()\nsubprocess.run([{str(program)!r}], check=True)"
    )

    done = run("app.py", env=environment, cwd=tmp_path)

    assert "; not traced: 1 Python process with a frozen interpreter; agentops-otel show" in done.stderr


def test_a_child_with_another_path_is_said(environment: dict[str, str], tmp_path: Path) -> None:
    """An environment of its own leaves PYTHONPATH out; one that is a copy does not, nor does `-I` of the program."""
    (tmp_path / "app.py").write_text(
        "import os, subprocess, sys, tell\ntell.tell()\n"
        "subprocess.run([sys.executable, '-c', 'pass', '-I'], env=dict(os.environ), check=True)\n"
        "subprocess.run([sys.executable, '-c', 'pass'], env={}, check=True)"
    )

    done = run("app.py", env=environment, cwd=tmp_path)

    assert "; not traced: 1 Python process with another PYTHONPATH; agentops-otel show" in done.stderr


def test_an_interpreter_without_the_package_is_said(environment: dict[str, str], tmp_path: Path) -> None:
    """Another interpreter runs as without us, and is named at the end."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "other"], check=True, timeout=120)
    other = tmp_path / "other" / "bin" / "python"

    done = run(other, "-c", "print(1)", env=environment, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "1\n")
    assert f"1 process of {other} was not traced: the package is not installed there" in done.stderr


def test_settings_are_checked_before_the_program_starts(environment: dict[str, str], tmp_path: Path) -> None:
    """A wrong setting is one line, and the program does not run."""
    (tmp_path / "app.py").write_text("print('ran')")

    done = run("app.py", env={**environment, "OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense"}, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: OTEL_EXPORTER_OTLP_ENDPOINT='nonsense' is not usable")


def test_show_shows_all_processes_of_a_run(environment: dict[str, str], tmp_path: Path) -> None:
    """Without a file, `show` reads those of all processes of the last run.

    Its seconds are the starts of several Pythons.
    """
    (tmp_path / "app.py").write_text(
        "import subprocess, sys, tell\ntell.tell()\nsubprocess.run([sys.executable, 'tell.py'], check=True)"
    )
    run("app.py", env=environment, cwd=tmp_path)

    shown = run_python("-m", "agentops_otel", "show", "--json", timeout=60, env=environment)

    assert len([json.loads(line) for line in shown.stdout.splitlines()]) == 2


@pytest.mark.measured
def test_one_trace_holds_all_processes(environment: dict[str, str], tmp_path: Path) -> None:
    """With `--one-trace` a run is one tree, printed at its end, below a span of the command."""
    (tmp_path / "app.py").write_text(
        "import agentops_otel, ask\nwith agentops_otel.start_session(name='first'):\n    ask.ask()\n"
        f"{CHILDREN['subprocess']}\nprint('done', file=sys.stderr)\nsys.exit(3)"
    )
    began = time.time_ns()

    done = run("--one-trace", "--name", "nightly", "app.py", env=environment, cwd=tmp_path)

    lines = [line.split("  ")[0] for line in done.stderr.splitlines()]
    shown = ["✗ invoke_workflow nightly", "├─ invoke_workflow first", "│", "└─ chat gpt-4.1"]
    assert lines[lines.index("done") + 1 :][:4] == shown
    assert "nightly: 2 LLM calls, 1 trace, " in done.stderr
    spans = [span for path in trace_directory.trace_files(_traces()) for span in file.read(path)]
    [root] = [span for span in spans if isinstance(span, ReadableSpan) and span.parent is None]
    scope = root.instrumentation_scope
    assert scope
    assert began <= (root.start_time or 0) < (root.end_time or 0) <= time.time_ns()
    assert (dict(root.attributes or {}), root.resource.attributes["service.name"], scope.name, scope.version) == (
        {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "nightly"},
        "nightly",
        "agentops_otel",
        VERSION,
    )
    assert (root.status.status_code, root.status.description) == (StatusCode.ERROR, "exit code 3")


def _traces() -> Path:
    return Config().state_dir / trace_directory.DIRECTORY
