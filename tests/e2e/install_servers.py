"""Builds the real servers that these tests run, a Collector and a Jaeger, from the Go module registry into a cache.

OpenTelemetry's launcher, `opentelemetry-instrument`, is put there too, in a folder of its own: among the packages of
the tests it would decide which version of OpenTelemetry's SDK they run with. So are Chromium, by apt, and axe-core, for
the tests of the page.

`python -m tests.e2e.install_servers`: minutes the first time, nothing the second. Needs Go 1.25 or later and no C
compiler. `OTELCOL=/path` and `JAEGER=/path`, or either program on PATH, take precedence over what is built here. What
cannot be had is named at the end, with exit code 1; the rest is installed all the same, and nothing waits for ever.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests import page_tools

MANIFEST = Path(__file__).with_name("collector-builder.yaml")
BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.159.0"
# Jaeger 2.13.0: the same code carries both numbers, and Go's module registry knows the version 1 tags only.
JAEGER_MODULE = "github.com/jaegertracing/jaeger@v1.76.0"
LAUNCHER_VERSION = "0.66b2"
# For everything together: several times what it takes on two busy cores, and half of what a run of .ci/run may take.
LIMIT_S = 45 * 60.0
BEGAN = time.monotonic()


def _cache(name: str) -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentops_otel" / name


def launcher_folder() -> Path:
    """What `PYTHONPATH` needs for `opentelemetry-instrument`."""
    return _cache(f"launcher-{LAUNCHER_VERSION}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One server: how to find it and how to build it."""

    name: str
    variable: str
    """The environment variable that names another build of it."""
    pins: str
    """What it is made of."""
    build: Callable[[Path], None]
    """Writes the program, under its name, into the folder."""

    @property
    def cached(self) -> Path:
        """Where it is once it is built; another folder for other pins."""
        return _cache(f"{self.name}-{hashlib.sha256(self.pins.encode()).hexdigest()[:12]}") / self.name

    def find(self) -> Path | None:
        """The program named by the variable, or on PATH, or in the cache; None where there is none."""
        named = os.environ.get(self.variable) or shutil.which(self.name) or self.cached
        return Path(named) if Path(named).is_file() else None


class CannotBuild(Exception):
    """Says what was tried and what stood in the way."""


def _build_collector(folder: Path) -> None:
    manifest = folder / MANIFEST.name
    manifest.write_text(MANIFEST.read_text().replace("dist:\n", f"dist:\n  output_path: {folder}\n", 1))
    _run("go", "run", BUILDER, f"--config={manifest}")


def _build_jaeger(folder: Path) -> None:
    # Its go.mod replaces a module, which `go install` refuses; built in its own folder, its go.mod and go.sum hold.
    module = json.loads(_run("go", "mod", "download", "-json", JAEGER_MODULE))
    flags = ["-trimpath", "-ldflags=-s -w", "-o", str(folder / "jaeger")]
    _run("go", "-C", module["Dir"], "build", *flags, "./cmd/jaeger")


COLLECTOR = Program(
    name="otelcol", variable="OTELCOL", pins=f"{BUILDER}\n{MANIFEST.read_text()}", build=_build_collector
)
JAEGER = Program(name="jaeger", variable="JAEGER", pins=JAEGER_MODULE, build=_build_jaeger)


def _run(*command: str) -> str:
    if shutil.which(command[0]) is None:
        raise CannotBuild(f"{command[0]} is not on PATH")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    # The folder keeps a go.mod above the current one from being read; the session, that its children outlive it.
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment, start_new_session=True
        )
        try:
            output, _ = process.communicate(timeout=max(0.0, LIMIT_S - (time.monotonic() - BEGAN)))
        except subprocess.TimeoutExpired as error:
            raise CannotBuild(f"{' '.join(command)}: not done after {LIMIT_S / 60:.0f} minutes in all") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        raise CannotBuild(f"{' '.join(command)}: exit code {process.returncode}; its words are above")
    return output


def _install(program: Program) -> None:
    if there := program.find():
        print(f"{program.name}: {there}")
        return
    print(f"{program.name}: building, which takes minutes", flush=True)
    began = time.monotonic()
    target = program.cached
    target.parent.mkdir(parents=True, exist_ok=True)
    # In the cache, so that the last step is a rename: an interrupted build never looks like a program.
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        program.build(Path(scratch))
        shutil.move(Path(scratch) / program.name, target)
    print(f"{program.name}: built in {time.monotonic() - began:.0f} s: {target}", flush=True)


def _install_launcher() -> None:
    folder = launcher_folder()
    if not folder.is_dir():
        packages = [f"opentelemetry-{name}=={LAUNCHER_VERSION}" for name in ("instrumentation", "distro")]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            _run(*pip, f"--target={scratch}/packages", *packages)
            shutil.move(f"{scratch}/packages", folder)
    print(f"opentelemetry-instrument: {folder}")


def _install_chromium() -> None:
    if shutil.which("chromium") is None:
        if os.geteuid() != 0:
            raise CannotBuild("as root: apt-get install chromium")
        _run("apt-get", "update", "--quiet")
        _run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "chromium")
    print(f"chromium: {shutil.which('chromium')}")


def _install_page_tools() -> None:
    try:
        print(f"axe-core: {page_tools.install()}")
    except page_tools.CannotInstall as error:
        raise CannotBuild(str(error)) from error


def main() -> int:
    """Install all, whatever becomes of one of them."""
    os.nice(10)
    steps: dict[str, Callable[[], None]] = {
        "opentelemetry-instrument": _install_launcher,
        "chromium": _install_chromium,
        "axe-core": _install_page_tools,
        COLLECTOR.name: partial(_install, COLLECTOR),
        JAEGER.name: partial(_install, JAEGER),
    }
    failed = 0
    for name, install in steps.items():
        try:
            install()
        except CannotBuild as error:
            print(f"{name}: not installed, its tests skip: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
