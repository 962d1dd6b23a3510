"""Resolves and starts the command of `agentops-otel run`; its signals, terminal and exit code are as without us."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

SITE = Path(__file__).parents[1] / "startup"
"""The folder of our `sitecustomize`."""

_IGNORED_BY_PYTHON = [getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name)]
_KERNEL = 0x80
"""`si_code` of a signal that the terminal has sent, to all processes in its foreground."""


def resolve(args: Sequence[str]) -> list[str]:
    """The command line to start: a Python file or module is started by the Python that runs this.

    Raises:
        FileNotFoundError: The first argument is no file, module or command.
    """
    first = args[0]
    if first == "-m" or _is_python_program(Path(first)):
        return [sys.executable, *args]
    scripts = sysconfig.get_path("scripts")  # where they are without an activated environment
    path = shutil.which(first) or shutil.which(first, path=scripts)
    if path is None:
        raise FileNotFoundError(f"there is no file {first!r}, and no command of that name")
    return [path, *args[1:]]


def program_name(args: Sequence[str]) -> str:
    """The program's name for people: `llm` for `python -m llm`, `app` for `app.py`, otherwise `python`."""
    words = iter(args)
    for word in words:
        if word == "-c":
            break
        if word == "-m":
            return next(words, "python")
        if word in ("-X", "-W"):
            next(words, None)
        elif not word.startswith("-") and not re.fullmatch(r"python[\d.]*(\.exe)?", Path(word).name):
            return Path(word).name.removesuffix(".py").removesuffix("-script") or "python"
    return "python"


def environment(inherited: Mapping[str, str], **variables: str) -> dict[str, str]:
    """The environment of the command: each Python in it imports our `sitecustomize`."""
    path = [str(SITE), *filter(None, [inherited.get("PYTHONPATH")])]
    return {**inherited, "PYTHONPATH": os.pathsep.join(path), **variables}


def run(command: list[str], env: Mapping[str, str]) -> int:
    """Run the command to its end; its exit code, or the negative number of the signal that ended it.

    Signals to this process are passed on. The command has the same process group, terminal and standard streams.
    """
    if not hasattr(os, "posix_spawn") or not hasattr(signal, "sigwaitinfo"):
        return _run_portably(command, env)
    # SIGKILL and SIGSTOP cannot be blocked; to stop and go on is as the terminal wants it.
    passed_on = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN}
    passed_on -= {signal.SIGTTOU, signal.SIGCONT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
    try:
        pid = os.posix_spawn(command[0], command, env, setsigmask=before, setsigdef=_IGNORED_BY_PYTHON)
        return _wait(pid, passed_on)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(pid: int, passed_on: set[signal.Signals]) -> int:
    while True:
        received = signal.sigwaitinfo(passed_on)
        if received.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        elif received.si_code != _KERNEL:  # the terminal has sent the signal to the command too
            os.kill(pid, received.si_signo)


def _run_portably(command: Sequence[str], env: Mapping[str, str]) -> int:
    with subprocess.Popen(command, env=env) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the command has received it too
                continue


def end_as(code: int) -> None:
    """End this process as the command ended: by the same exit code or the same signal."""
    if code < 0:
        with suppress(OSError):  # SIGKILL has no other action
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


def _is_python_program(path: Path) -> bool:
    """A file that Python can run, or a folder with a `__main__.py`; a command of that name comes before a folder."""
    if path.is_file():
        return path.suffix in (".py", ".pyw", ".pyz", ".zip", ".pyc") or not os.access(path, os.X_OK)
    return (path / "__main__.py").is_file() and shutil.which(str(path)) is None
