"""Runs a program under opentelemetry-instrument."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.e2e.install_servers import launcher_folder


def launch(program: str, folder: Path, *arguments: str, **variables: str) -> str:
    """Run the program's text under the launcher, with arguments and variables; what it and OpenTelemetry said."""
    if not launcher_folder().is_dir():
        pytest.skip("no opentelemetry-instrument: `make e2e-servers` installs it")
    environment = {
        **os.environ,
        "HOME": str(folder),
        "PYTHONPATH": str(launcher_folder()),
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        **variables,
    }
    launcher = launcher_folder() / "bin" / "opentelemetry-instrument"
    command = [sys.executable, str(launcher), sys.executable, "-c"]
    command += [textwrap.dedent(program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stderr
