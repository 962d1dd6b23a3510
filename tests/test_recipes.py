"""The recipes of docs/recipes.md on the real thing: the server, the test runner and the host that they are for."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.loopback.otlp_sink import OtlpSink
from tests.program import ROOT, run


def recipe(heading: str, number: int = 1) -> str:
    """A block of Python below a heading of the page, counted from 1."""
    section = (ROOT / "docs/recipes.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return str(re.findall(r"```python\n(.*?)```", section, re.DOTALL)[number - 1])


@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["plain", "preloaded"])
def test_gunicorn(options: list[str], tmp_path: Path) -> None:
    """Each request to the recipe's app is one trace at the collector, with preloading and without."""
    pytest.importorskip("gunicorn")
    (tmp_path / "served.py").write_text(recipe("With gunicorn"))
    with OtlpSink() as sink, socket.create_server(("127.0.0.1", 0)) as listener:
        # Not measured: coverage holds a lock of its own over a fork.
        env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        env |= {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": sink.endpoint, "PYTHONPATH": str(ROOT)}
        bound = f"--bind=fd://{listener.fileno()}"
        command = [sys.executable, "-m", "gunicorn", bound, "--workers=2", *options, "served:app"]
        with subprocess.Popen(command, cwd=tmp_path, env=env, pass_fds=[listener.fileno()]) as server:
            try:
                url = f"http://127.0.0.1:{listener.getsockname()[1]}/rome"
                answers = {urllib.request.urlopen(url, timeout=60).read() for _ in range(4)}
            finally:
                server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
        sink.wait_for(4)

        assert answers == {b"you asked for /rome\n"}
        assert [span.name for span in sink.every] == ["invoke_workflow answer"] * 4
        assert len({span.trace_id for span in sink.every}) == 4


def test_pytest(tmp_path: Path) -> None:
    """The recipe's test passes under pytest as it stands, with nothing imported for the fixture."""
    (tmp_path / "test_add.py").write_text(recipe("With pytest"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]

    finished = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )

    assert "1 passed" in finished.stdout


def test_function_that_is_frozen(tmp_path: Path) -> None:
    """What the recipe's handler recorded is at the collector when it has answered, though the process does no more."""
    with OtlpSink() as sink:
        run(
            recipe("In a container or a function", 2) + "\nimport os; os._exit(0)",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint,
        )

        assert list(sink.spans) == ["invoke_workflow invocation"]
