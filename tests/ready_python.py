"""An interpreter that has imported other people's packages, and becomes the programs that tests start.

`tests/python_process.py` starts it with `-c`, and asks it over its stdin, a socket. For each program it forks a
process, whose parent is the one that asks, and in which the program runs as `__main__`; then `serve` returns, and the
interpreter ends as it ends after any program. Nothing of ours is imported here: each program imports the package
itself, with its locks, its hooks of forks and its end.
"""

import gc
import importlib
import json
import linecache
import os
import runpy
import signal
import socket
import sys
import time
from contextlib import suppress
from types import ModuleType
from typing import Any

PACKAGES = (
    *("opentelemetry.sdk.trace.export", "orjson", "platformdirs", "h11", "certifi"),
    *("decimal", "difflib", "encodings.idna", "fractions", "pickle", "queue", "secrets"),
    *("csv", "email.message", "email.utils", "gzip", "importlib.metadata", "pkgutil", "ssl", "sysconfig", "zipfile"),
)
"""What every program imports with us. No client and no server, nor anything else that we meet when it is imported:
whether it is there before us is for each test to say.
"""


def serve() -> None:
    """Get ready, and run programs; in the process of each this returns when the program has."""
    _import_packages()
    request, streams = _asked()
    _become(request, streams)
    try:
        _run(request["arguments"])
    except SystemExit:
        raise
    except BaseException as error:
        # What is said of it does not name this file.
        error.__traceback__ = (
            error.__traceback__ and error.__traceback__.tb_next and error.__traceback__.tb_next.tb_next
        )
        report, sys.excepthook = sys.excepthook, lambda *_: None
        report(type(error), error, error.__traceback__)
        raise


def _import_packages() -> None:
    """Import them; what is not installed is left out."""
    del sys.path[0], sys.modules[__name__]  # the folder of this file, and this file
    for name in PACKAGES:
        with suppress(ImportError):
            importlib.import_module(name)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from a terminal it is for pytest, which ends this process
    gc.collect()
    gc.freeze()


def _asked() -> tuple[dict[str, Any], list[int]]:
    """Wait for programs, and return in the process that is to be one: what it runs, and its three streams."""
    asking = socket.socket(fileno=0)
    while True:
        message, streams, _, _ = socket.recv_fds(asking, 1 << 20, 3)
        if not message:
            os._exit(0)
        if between := os.fork():
            os.waitpid(between, 0)
            for stream in streams:
                os.close(stream)
            continue
        between = os.getpid()
        if os.fork():  # the process between ends, and who asks becomes the parent of what it has forked
            os._exit(0)
        while os.getppid() == between:
            time.sleep(0)
        request = json.loads(message)
        assert os.getppid() == request["parent"], "who asks has not adopted its process"
        asking.send(str(os.getpid()).encode())
        asking.detach()
        return request, streams


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """Take on the program's surroundings, as if it had been started in them."""
    if request["session"]:
        os.setsid()
    os.chdir(request["folder"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["variables"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    paths = request["variables"].get("PYTHONPATH")
    sys.path[:0] = [os.path.abspath(path) for path in paths.split(os.pathsep)] if paths else []
    sys.orig_argv = request["command"]
    # Another than the one that `gc` no longer looks at: what the program leaves is finalized.
    main = ModuleType("__main__")
    vars(main).update(vars(sys.modules["__main__"]))
    sys.modules["__main__"] = main


def _run(arguments: list[str]) -> None:
    """As the interpreter runs `-c TEXT`, `-m MODULE` or `FILE`."""
    kind, *others = arguments
    main = vars(sys.modules["__main__"])
    if kind == "-m":
        sys.path.insert(0, os.getcwd())
        sys.argv = others
        runpy._run_module_as_main(others[0])  # type: ignore[attr-defined] # as the interpreter does
    elif kind == "-c":
        sys.path.insert(0, "")
        sys.argv = ["-c", *others[1:]]
        if "<string>" in linecache.cache:  # from Python 3.13 on tracebacks show the lines
            lines = others[0].splitlines(keepends=True)
            linecache.cache["<string>"] = (len(others[0]), None, lines, "<string>")
        exec(compile(others[0], "<string>", "exec", dont_inherit=True), main)
    else:
        sys.path.insert(0, os.path.dirname(os.path.realpath(kind)))
        sys.argv = arguments
        main.update(__file__=os.path.abspath(kind))
        with open(kind, "rb") as file:
            code = compile(file.read(), main["__file__"], "exec", dont_inherit=True)
        exec(code, main)
