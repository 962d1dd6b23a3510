"""`agentops-otel send`: a spool delivered by hand."""

import os
import subprocess
import sys
from pathlib import Path

from tests.export.test_processes import run, stopped_sink
from tests.loopback.otlp_sink import Answer, OtlpSink


def send(sink: OtlpSink, spool: Path) -> tuple[str, int]:
    """Run the command for the sink: what it prints and its exit code."""
    env = {**os.environ, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": sink.endpoint, "XDG_STATE_HOME": str(spool)}
    command = [sys.executable, "-m", "agentops_otel", "send", "--timeout", "20"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout, done.returncode


def test_what_waits_on_disk_is_sent(tmp_path: Path) -> None:
    """Everything that an earlier run left is delivered, and said; a second time there is nothing."""
    sink = stopped_sink()
    run("start(); make(300)", sink.endpoint, tmp_path / "agentops_otel" / "spool")

    with sink:
        first, second = send(sink, tmp_path), send(sink, tmp_path)

    assert len(sink.ids) == 300
    assert first == (f"{sink.endpoint}: 300 spans sent, none left\n", 0)
    assert second == (f"{sink.endpoint}: 0 spans sent, none left\n", 0)


def test_what_is_not_taken_stays(tmp_path: Path) -> None:
    """A collector that answers 503: nothing is lost, and the exit code says that it did not work."""
    sink = stopped_sink()
    run("start(); make(300)", sink.endpoint, tmp_path / "agentops_otel" / "spool")

    with sink:
        sink.decide = lambda received: Answer(status=503)
        refused = send(sink, tmp_path)
        sink.decide = lambda received: Answer()
        taken = send(sink, tmp_path)

    assert refused == (f"{sink.endpoint}: 0 spans sent, 300 left\n", 1)
    assert taken == (f"{sink.endpoint}: 300 spans sent, none left\n", 0)
