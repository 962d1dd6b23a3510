"""A program that a ready interpreter becomes ends, speaks and sees its surroundings as when it is started."""

import os
import signal
import subprocess
import textwrap
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT, WARNINGS
from tests.python_process import Python, run_python

BUSY_S = 60.0
ENDS = {
    "the end": "print('out')",
    "sys.exit": "import sys; sys.exit(3)",
    "sys.exit with a text": "import sys; sys.exit('no')",
    "os._exit": "import os; print('lost'); os._exit(4)",
    "an exception": "def f():\n    return 1 / 0\n\nf()",
    "an exception with a cause": "try: int('x')\nexcept ValueError as error: raise KeyError(1) from error",
    "a program's own excepthook": "import sys; sys.excepthook = lambda *error: print('mine', error[0]); 1 / 0",
    "a syntax error": "print('never')\ndef",
    "an interrupt": "raise KeyboardInterrupt",
    "an interrupt by the signal": "import os, signal; os.kill(os.getpid(), signal.SIGINT); input()",
    "a signal that kills": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "an abort": "import os; os.abort()",
    "atexit": "import atexit, sys; atexit.register(print, 'at exit'); sys.exit(5)",
    "a thread that goes on": """
import threading

def later():
    threading.main_thread().join()
    print('later')

threading.Thread(target=later).start()
""",
    "a finalizer": "class A:\n    def __del__(self):\n        print('gone')\n\na = A()",
    "large outputs": "import sys; print('o' * 300_000); print('e' * 300_000, file=sys.stderr)",
    "a child that forks": "import os, sys\nif pid := os.fork(): print(os.waitpid(pid, 0)[1])\nelse: sys.exit(7)",
    "a child of multiprocessing": """
import multiprocessing
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.map(abs, [-1]))
""",
    "a warning": "import warnings; warnings.warn('an error here')",
    "streams": """
import sys
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.name, stream.mode, stream.encoding, stream.errors, stream.isatty(), stream.line_buffering)
    print(stream.seekable(), stream.fileno())
""",
    "surroundings": """
import os, signal, sys, threading, time
print(sys.argv, sys.orig_argv, sys.path, sys.flags, sys.warnoptions, os.getcwd(), __name__, sorted(globals()))
print(sorted(os.environ.keys() - {'STARTS'}), ascii(os.environ['OWN']))
print(time.tzname, threading.active_count(), os.getppid())
print(os.getpgid(0), os.getsid(0), sorted(os.listdir('/proc/self/fd')), os.get_inheritable(1))
print([signal.getsignal(number) for number in (2, 13, 15, 17)])
print(__loader__, [name for name in sys.modules if name.startswith('agentops_otel')])
""",
}


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that coverage measures is always started."""
    for name in os.environ:
        if name.startswith("COVERAGE_"):
            monkeypatch.delenv(name)


def both(*arguments: str | Path, env: Mapping[str, str] = os.environ, **options: Any) -> list[tuple[int, str, str]]:
    """The exit code, stdout and stderr of a program that is forked, and of the same one that is started."""
    variables = [{**env, "STARTS": starts} for starts in ("quick", "real")]
    runs = [run_python(*arguments, timeout=BUSY_S, env=each, **options) for each in variables]
    return [(run.returncode, run.stdout, run.stderr) for run in runs]


@pytest.mark.parametrize("program", ENDS.values(), ids=ENDS)
def test_a_program_is_the_same_as_when_it_is_started(program: str, tmp_path: Path) -> None:
    """Its exit code, each byte of its output, and what it sees of its process."""
    variables = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}relative", "TZ": "Asia/Tokyo", "OWN": "ä\udc80"}

    forked, started = both(*WARNINGS, "-c", program, "an", "argument", input="", cwd=tmp_path, env=variables)

    assert forked == started


@pytest.mark.parametrize("start", [["-m", "mine", "an"], ["folder/mine.py", "an"], ["-u", "-m", "mine"]], ids=str)
def test_a_module_and_a_file_are_the_same_too(start: list[str], tmp_path: Path) -> None:
    """With the names, the path and the traceback that they have."""
    program = (
        "import sys\nprint(__name__, __file__, __spec__ and __spec__.name, sys.argv, sys.path)\ndef f(): 1 / 0\nf()"
    )
    for path in (tmp_path / "mine.py", tmp_path / "folder" / "mine.py"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(program)

    forked, started = both(*start, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""})

    assert forked == started
    assert forked[0] == 1


def test_it_is_a_child_of_ours_that_has_imported_what_others_make() -> None:
    """A fork is what it is; and what is fresh has imported nothing."""
    program = (
        "import os, sys; print(os.getppid(), os.getsid(0) == os.getpid(), 'opentelemetry.sdk.trace' in sys.modules)"
    )

    said = [out for _, out, _ in both("-c", program, start_new_session=True)]

    assert said == [f"{os.getpid()} True True\n", f"{os.getpid()} True False\n"]


@pytest.mark.parametrize(
    "variables", [{"STARTS": "real"}, {"OTEL_PROPAGATORS": "none"}, {"PYTHONUTF8": "1"}, {"COVERAGE_X": "1"}], ids=str
)
def test_what_reads_its_environment_at_its_start_is_started(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the test's own process has the variable, or the program alone."""
    program = "import sys; print('opentelemetry.sdk.trace' in sys.modules)"
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert run_python("-c", program, timeout=BUSY_S).stdout == "False\n"


def test_it_is_waited_for_written_to_and_ended_as_any_process() -> None:
    """A limit of time ends it; a signal is its exit code; and its streams are pipes."""
    with pytest.raises(subprocess.TimeoutExpired):
        run_python("-c", "import time; time.sleep(60)", timeout=0.2)

    with Python("-c", "print(input()); input()", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("said\n")
        process.stdin.flush()
        assert process.stdout.readline() == "said\n"
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(BUSY_S) == -signal.SIGTERM


def test_the_interpreter_that_is_ready_ends_with_the_process_that_uses_it() -> None:
    """Also when that is killed."""
    program = """
        import os, signal
        from tests.python_process import _ready, run_python
        run_python("-c", "", timeout=60)
        print(_ready((), os.getpid())._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """

    with Python("-c", textwrap.dedent(program), cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        ready = int(process.stdout.read())  # to the end of the last process that has its pipe

    with suppress(ProcessLookupError):
        while os.getpgid(ready):
            time.sleep(0.01)


def test_a_program_ends_with_the_block_that_fails() -> None:
    """Nobody would tell it to end any more, and the tests would wait for it."""
    with pytest.raises(LookupError), Python("-c", "input()", stdin=subprocess.PIPE) as program:
        raise LookupError

    assert program.returncode == -signal.SIGKILL
