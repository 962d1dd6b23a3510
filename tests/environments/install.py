"""Makes an environment of what `locks/` pins.

uv installs in seconds what takes pip minutes. It comes from the registry as everything else does, and reads no settings
of pip: on a machine that has told only pip where its registry is, pip does the work.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "locks"
LIMIT_S = 1200

PARTS = {"check": ("test", "check")}
"""The locks that an environment is made of, where it is not the one of its name."""

WITH_TASKWEAVER = ("test", "check", "backends")


class CannotInstall(Exception):
    """Says which environment could not be made."""


def install(folder: Path, name: str, interpreter: str = sys.executable, *, locked: bool = True) -> Path:
    """Make or renew the environment in the folder, and give back its Python.

    What is optional and cannot be had is named, and its tests skip. `locked=False` takes what the registry has today.
    """
    python = folder / "bin" / "python"
    if not python.exists():
        _run(interpreter, "-m", "venv", str(folder))
    if not _run(*_pip(python), "--requirement", str(LOCKS / "install.txt")):
        raise CannotInstall(f"{folder}: neither uv nor what builds the package can be had")
    if locked:
        _locked(python, name)
    else:
        _newest(python, name)
    if not _run(*_uv(python), "--no-deps", "--no-build-isolation", "--editable", str(ROOT)):
        raise CannotInstall(f"{folder}: the package cannot be installed")
    if name in WITH_TASKWEAVER:
        _taskweaver(python)
    return python


def _locked(python: Path, name: str) -> None:
    for part in PARTS.get(name, (name,)):
        lock = LOCKS / f"{part}.txt"
        if not any(_run(*command, "--requirement", str(lock)) for command in (_uv(python), _pip(python))):
            _each(python, part, "--constraint", str(lock))


def _newest(python: Path, name: str) -> None:
    if not _run(*_uv(python), "--upgrade", "--group", f"{ROOT / 'pyproject.toml'}:{name}", "--editable", str(ROOT)):
        _each(python, name, "--upgrade")


def _each(python: Path, name: str, *options: str) -> None:
    """What cannot be had whole, one by one; the tests of what is missing skip."""
    missing = [one for one in wanted(name) if not _run(*_uv(python), *options, one)]
    if not _run(*_uv(python), *options, "--no-build-isolation", "--editable", str(ROOT)):
        raise CannotInstall(f"{name}: what the package needs cannot be had")
    print(f"{name}: cannot be installed here, and their tests skip: {', '.join(missing)}", flush=True)


def _taskweaver(python: Path) -> None:
    """It is on no package index, and its version wants the variable."""
    there = _run(*_uv(python), "--requirement", str(LOCKS / "taskweaver.txt")) and _run(
        *_uv(python), "--no-deps", *wanted("taskweaver"), BUILD_SOURCEBRANCHNAME="main"
    )
    if not there:
        print("TaskWeaver could not be installed: its tests skip", flush=True)


def wanted(group: str) -> list[str]:
    """What a dependency group asks for, that of the groups in it too; TaskWeaver has a lock of its own."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    found: list[str] = []
    for one in groups[group]:
        if isinstance(one, str):
            found.append(one)
        elif one["include-group"] != "taskweaver":
            found += wanted(one["include-group"])
    return found


def _pip(python: Path) -> Sequence[str]:
    return (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def _uv(python: Path) -> Sequence[str]:
    return (str(python), "-m", "uv", "pip", "install", "--quiet", "--python", str(python))


def _run(*command: str, **variables: str) -> bool:
    try:
        return subprocess.run(command, env={**os.environ, **variables}, timeout=LIMIT_S, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
