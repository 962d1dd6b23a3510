"""Python imports this at the start of each process below `agentops-otel run`, which has put its folder on PYTHONPATH.

It starts tracing in the command itself; in its children when they import an LLM client, so that a child without one
takes no longer than before. Then it imports the `sitecustomize` that it hides. The process may be any Python, with or
without the package: nothing of the package is imported before it is needed.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import count
from types import ModuleType
from typing import Any

FOLDER = os.path.dirname(os.path.abspath(__file__))
RUN = os.environ.get("AGENTOPS_OTEL_RUN", "")
_numbers = count()


class Trigger(MetaPathFinder):
    """Starts tracing after the first import of one of the modules."""

    def __init__(self, modules: list[str]) -> None:
        self._modules = frozenset(modules)

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module's own spec, with a loader that starts tracing; None for all other modules."""
        if name not in self._modules:
            return None
        self._modules -= {name}
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """The module's own loader, which starts tracing when the module is loaded."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the module's own loader does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """As the module's own loader does; then start tracing."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Trigger)]
        start()


def start() -> None:
    """Start tracing in this process."""
    from agentops_otel.guard import guard

    with guard("starting under agentops-otel run"):
        from agentops_otel.sdk import init_for_program

        init_for_program()


def note_unreached(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook: notes each Python that this process starts and that will not import this file."""
    if event in ("subprocess.Popen", "os.exec"):
        why = unreached(os.fsdecode(args[0]), args[1], args[-1])
    elif event == "os.system":
        why = unreached("sh", ["sh", "-c", args[0]], None)
    else:
        return
    if why and os.path.isdir(RUN):
        with open(os.path.join(RUN, f"{os.getpid()}-{next(_numbers)}.isolated"), "w") as file:
            file.write(why)


def unreached(executable: str, words: Any, env: Mapping[Any, Any] | None) -> str:
    """Why the program is a Python that will not import this file; empty if it is none, or will."""
    if not isinstance(words, (list, tuple)):
        return ""
    if os.path.basename(executable) in ("sh", "bash", "dash", "zsh") and len(words) == 3 and words[1] == "-c":
        words = of_python(os.fsdecode(words[2]))
        executable = words[0] if words else ""
    if os.path.basename(executable).startswith("python"):
        return isolation(words) or ("" if env is None or has_folder(env) else "another PYTHONPATH")
    return "a frozen interpreter" if is_frozen(executable) else ""


def of_python(line: str) -> list[str]:
    """The first command of a shell's line that is a Python's."""
    for command in re.split(r"[;&|\n]+", line):
        words = [word for word in command.split() if "=" not in word and word != "exec"]
        if words and os.path.basename(words[0]).startswith("python"):
            return words
    return []


def is_frozen(executable: str) -> bool:
    """Whether the file is a program that PyInstaller has made: it ends with an archive of PyInstaller's."""
    try:
        with open(executable, "rb") as file:
            file.seek(-4096, os.SEEK_END)
            return b"MEI\x0c\x0b\x0a\x0b\x0e" in file.read()
    except (OSError, ValueError):
        return False


def isolation(words: Sequence[Any]) -> str:
    """The option on Python's command line that makes it ignore PYTHONPATH or `sitecustomize`."""
    rest = map(str, words[1:])
    for word in rest:
        if not word.startswith("-") or word[1:2] in ("", "-", "c", "m"):
            break
        if word in ("-X", "-W"):
            next(rest, None)
        elif word[1] not in "XW":
            for option in "IES":
                if option in word:
                    return f"-{option}"
    return ""


def has_folder(env: Mapping[Any, Any]) -> bool:
    """Whether a Python with this environment imports this file."""
    return FOLDER in str(env.get("PYTHONPATH", ""))


def main() -> None:
    """Start tracing, now or later, if this is a process of a run."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != FOLDER]
    if not os.path.isdir(RUN):  # the run is over
        return
    if any("taskweaver.ces" in word for word in getattr(sys, "orig_argv", ())):
        return  # TaskWeaver's kernel: the process that starts it traces it
    if not all(importlib.util.find_spec(name) for name in ("agentops_otel", "opentelemetry")):
        with open(os.path.join(RUN, f"{os.getpid()}.unreached"), "w") as file:
            file.write(sys.executable)
        return
    sys.addaudithook(note_unreached)
    if os.path.basename(RUN).endswith(f"-{os.getppid()}"):
        start()
    else:
        with open(os.path.join(RUN, "modules")) as file:
            sys.meta_path.insert(0, Trigger(file.read().split()))


def next_sitecustomize() -> None:
    """Import the module that this one hides, if there is one."""
    own = sys.modules.pop("sitecustomize", None)
    try:
        importlib.import_module("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        # The import of this module ends with a look for its name.
        if own is not None:
            sys.modules.setdefault("sitecustomize", own)


if RUN:
    try:
        main()
    finally:
        next_sitecustomize()
