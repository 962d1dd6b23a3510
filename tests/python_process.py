"""Starts Python as `subprocess.Popen` does; where it comes to the same, by the fork of an interpreter that is ready.

Tests start hundreds, and each would take 0.2 s to import what others have made, and to forget it. With `STARTS=real` in
its environment a program is started really: those of tests that ask how an interpreter starts, or what is imported and
when, and all where the tests' own environment has it.
"""

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PR_SET_CHILD_SUBREAPER = 36
START_S = 180.0
READ_AT_START = ("COVERAGE_", "LANG", "LC_", "OTEL_PROPAGATORS", "OTEL_PYTHON_", "PYTHON")
"""Variables that the interpreter reads when it starts, but PYTHONPATH, or a package when it is imported."""


class Python(subprocess.Popen[str]):
    """A process of this Python with these arguments, and with the options of `subprocess.Popen`."""

    def __init__(self, *arguments: str | Path, **options: Any) -> None:
        super().__init__([sys.executable, *map(str, arguments)], **{"text": True, **options})

    def __exit__(self, kind: type[BaseException] | None, *about: Any) -> None:
        if kind is not None:
            self.kill()  # else it is waited for, and nobody tells it to end any more
        super().__exit__(kind, *about)

    # What differs between a start and a fork is in this one method of Popen, from Python 3.11 to 3.13.
    def _execute_child(self, *given: Any) -> None:
        command, executable, preexec, _, pass_fds, cwd, env, _, _, shell, *streams = given[:16]
        (stdin, _, _, stdout, _, stderr), session = streams, given[21]
        variables = dict(os.environ if env is None else env)
        flags, program = _parts(command[1:])
        unusual = executable or preexec or pass_fds or shell
        if unusual or not program or not _start_the_same(variables):
            super()._execute_child(*given)  # type: ignore[misc]
            return
        request = {
            "arguments": program,
            "command": command,
            "folder": str(cwd or os.getcwd()),
            "parent": os.getpid(),
            "session": session,
            "variables": variables,
        }
        used = [given if given >= 0 else inherited for inherited, given in enumerate((stdin, stdout, stderr))]
        self.pid = _ready(flags, os.getpid()).fork(request, used)
        self._child_created = True
        self._close_pipe_fds(*streams)  # type: ignore[attr-defined]


def run_python(
    *arguments: str | Path, input: str | None = None, timeout: float, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run`: to the process's end, with all that it says."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if input is not None:
        pipes["stdin"] = subprocess.PIPE
    with Python(*arguments, **{**pipes, **options}) as process:
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


class _Ready:
    """The interpreter that is ready, for programs with these flags."""

    def __init__(self, flags: tuple[str, ...]) -> None:
        self._lock = threading.Lock()
        self._socket, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(START_S)
        with its:
            self._process = subprocess.Popen(
                [sys.executable, *flags, "-c", "__import__('ready_python').serve()"],
                stdin=its.fileno(),
                stdout=its.fileno(),
                stderr=its.fileno(),
                cwd=HERE,
                env={**OURS, "PATH": os.environ.get("PATH", os.defpath)},
            )
        atexit.register(self.end)

    def fork(self, request: Mapping[str, Any], streams: list[int]) -> int:
        """The id of the process, which is a child of this one."""
        with self._lock:
            _adopt_orphans(True)
            try:
                socket.send_fds(self._socket, [json.dumps(request).encode()], streams)
                return self._answer()
            finally:
                _adopt_orphans(False)

    def _answer(self) -> int:
        """Before it, it may have said something on its stderr, which is the same socket."""
        said = ""
        while message := self._socket.recv(10_000).decode():
            if message.isdecimal():
                return int(message)
            said += message
        raise AssertionError(f"the interpreter that is ready has ended: {said}")

    def end(self) -> None:
        """It ends with the socket, also where this process is killed."""
        self._socket.close()
        self._process.wait()


@cache
def _ready(flags: tuple[str, ...], process: int) -> _Ready:
    """One for each process that asks: one that it forks has another."""
    return _Ready(flags)


def _adopt_orphans(on: bool) -> None:
    """Whether a process whose parent has ended is a child of ours."""
    assert ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0) == 0


def _parts(arguments: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """The flags of the interpreter, and the program with its arguments."""
    at = 0
    while arguments[at:] and arguments[at] in ("-W", "-u"):
        at += 2 if arguments[at] == "-W" else 1
    flags, program = arguments[:at], arguments[at:]
    is_program = program and (program[0] in ("-c", "-m") or program[0].endswith(".py"))
    return tuple(flags), program if is_program else []


def _start_the_same(variables: Mapping[str, str]) -> bool:
    """Whether an interpreter with these variables starts as the one that is ready has."""
    if sys.platform != "linux" or variables.get("STARTS") == "real":
        return False
    paths = variables.get("PYTHONPATH", "").split(os.pathsep)
    return _read_at_start(variables) == OURS and not any(Path(path, "sitecustomize.py").exists() for path in paths)


def _read_at_start(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith(READ_AT_START) and name != "PYTHONPATH"}


OURS = {name: value for name, value in _read_at_start(os.environ).items() if not name.startswith("COVERAGE_")}
