"""Builds the real servers that these tests run, a Collector and a Jaeger, from the Go module registry into a cache.

OpenTelemetry's launcher, `opentelemetry-instrument`, is put there too, in a folder of its own: among the packages of
the tests it would decide which version of OpenTelemetry's SDK they run with.

`python tests/e2e/install_servers.py`: minutes the first time, nothing the second. Needs Go 1.25 or later and no C
compiler. `OTELCOL=/path` and `JAEGER=/path`, or either program on PATH, take precedence over what is built here.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MANIFEST = Path(__file__).with_name("collector-builder.yaml")
BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.159.0"
# Jaeger 2.13.0: the same code carries both numbers, and Go's module registry knows the version 1 tags only.
JAEGER_MODULE = "github.com/jaegertracing/jaeger@v1.76.0"
LAUNCHER_VERSION = "0.66b2"


def _cache(name: str) -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentops_otel" / name


def cache_folder() -> Path:
    """Where the built programs are; another folder for each set of pins."""
    pins = hashlib.sha256(f"{BUILDER}{JAEGER_MODULE}{MANIFEST.read_text()}".encode()).hexdigest()[:12]
    return _cache(f"e2e-{pins}")


def launcher_folder() -> Path:
    """What `PYTHONPATH` needs for `opentelemetry-instrument`."""
    return _cache(f"launcher-{LAUNCHER_VERSION}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One server: how to find it and how to build it."""

    name: str
    variable: str
    """The environment variable that names another build of it."""
    build: Callable[[Path, Path], None]
    """`(scratch folder, program to write)`."""

    def find(self) -> Path | None:
        """The program named by the variable, or on PATH, or in the cache; None where there is none."""
        named = os.environ.get(self.variable) or shutil.which(self.name) or cache_folder() / self.name
        return Path(named) if Path(named).is_file() else None


def _build_collector(scratch: Path, program: Path) -> None:
    manifest = scratch / MANIFEST.name
    manifest.write_text(MANIFEST.read_text().replace("dist:\n", f"dist:\n  output_path: {scratch}\n", 1))
    _go("run", BUILDER, f"--config={manifest}")
    shutil.move(scratch / program.name, program)


def _build_jaeger(scratch: Path, program: Path) -> None:
    # Its go.mod replaces a module, which `go install` refuses; built in its own folder, its go.mod and go.sum hold.
    module = json.loads(_go("mod", "download", "-json", JAEGER_MODULE))
    _go("-C", module["Dir"], "build", "-trimpath", "-ldflags=-s -w", "-o", str(scratch / program.name), "./cmd/jaeger")
    shutil.move(scratch / program.name, program)


COLLECTOR = Program(name="otelcol", variable="OTELCOL", build=_build_collector)
JAEGER = Program(name="jaeger", variable="JAEGER", build=_build_jaeger)


def _go(*arguments: str) -> str:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    # The folder keeps a go.mod above the current one from being read.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["go", *arguments], stdout=subprocess.PIPE, text=True, cwd=folder, env=environment)
    if done.returncode:
        sys.exit(f"go {' '.join(arguments)}: exit code {done.returncode}; its words are above")
    return done.stdout


def _install(program: Program) -> None:
    if there := program.find():
        print(f"{program.name}: {there}")
        return
    if shutil.which("go") is None:
        sys.exit(f"{program.name} is not here, and Go, which would build it, is not on PATH")
    print(f"{program.name}: building, which takes minutes", flush=True)
    began = time.monotonic()
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    # In the cache, so that the last step is a rename: an interrupted build never looks like a program.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        program.build(Path(scratch), folder / program.name)
    print(f"{program.name}: built in {time.monotonic() - began:.0f} s: {folder / program.name}")


def _install_launcher() -> None:
    folder = launcher_folder()
    if not folder.is_dir():
        packages = [f"opentelemetry-{name}=={LAUNCHER_VERSION}" for name in ("instrumentation", "distro")]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            subprocess.run([*pip, f"--target={scratch}/packages", *packages], check=True)
            shutil.move(f"{scratch}/packages", folder)
    print(f"opentelemetry-instrument: {folder}")


if __name__ == "__main__":
    os.nice(10)
    for one in (COLLECTOR, JAEGER):
        _install(one)
    _install_launcher()
