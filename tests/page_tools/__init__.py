"""TypeScript and axe-core, pinned in `package-lock.json`, in a cache: they check the page, and are no part of it."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json")
LIMIT_S = 300.0


class CannotInstall(Exception):
    """Says what is missing."""


def folder() -> Path | None:
    """Where they are installed; None where they are not."""
    return _cached() if _cached().is_dir() else None


def install() -> Path:
    """Install them, unless they are there.

    Raises:
        CannotInstall: There is no node, or no registry.
    """
    target = _cached()
    if target.is_dir():
        return target
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise CannotInstall(f"{program} is not on PATH")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        for name in _FILES:
            shutil.copy(_HERE / name, scratch)
        command = ["npm", "ci", "--prefix", scratch, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        try:
            subprocess.run(command, cwd=scratch, check=True, timeout=LIMIT_S)
            shutil.move(Path(scratch) / "node_modules", target)
        except (subprocess.SubprocessError, OSError) as error:
            raise CannotInstall(f"npm ci: {error}") from error
    return target


def _cached() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentops_otel"
    pins = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    return cache / f"page-tools-{pins}"
