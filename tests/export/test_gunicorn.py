"""A real prefork server: gunicorn's workers are forked from a process that traces already, or not yet."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.export.processes import START_S, Protocol
from tests.loopback.otlp_sink import OtlpSink

pytest.importorskip("gunicorn")

APP = """
import os

import agentops_otel

agentops_otel.init(
    endpoint=os.environ["COLLECTOR"],
    protocol=os.environ["PROTOCOL"],
    spool_dir=os.environ["SPOOL"],
    console=False,
    exit_timeout_s=30,  # on a busy machine, two may not do
)


@agentops_otel.record_action
def at_import(): ...


@agentops_otel.record_action
def answer(): ...


at_import()


def app(environ, start_response):
    answer()
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
"""
REQUESTS = 40


def served(
    place: Path, listener: socket.socket, sink: OtlpSink, options: list[str], **variables: str
) -> subprocess.Popen[bytes]:
    """The app, at the listening socket, with two workers."""
    (place / "served.py").write_text(APP)
    # Not measured: coverage holds a lock of its own over a fork.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "gunicorn", f"--bind=fd://{listener.fileno()}", "--workers=2", *options, "served:app"],
        cwd=place,
        env={**env, "COLLECTOR": sink.endpoint, "SPOOL": str(place / "spool"), **variables},
        pass_fds=[listener.fileno()],
    )


def get(address: str) -> str:
    """Who answered."""
    with urllib.request.urlopen(address, timeout=START_S) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("preload", [True, False], ids=["preload_app", "each worker imports"])
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_the_spans_of_gunicorns_workers_arrive_once(protocol: Protocol, preload: bool, tmp_path: Path) -> None:
    """Both workers' spans are delivered when the server is told to end, and nothing is left on disk."""
    with OtlpSink(protocol) as sink, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = served(tmp_path, listener, sink, ["--preload"] if preload else [], PROTOCOL=protocol)
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with ThreadPoolExecutor(4) as pool:
                workers = set(pool.map(lambda _: get(address), range(REQUESTS)))
            server.send_signal(signal.SIGTERM)
            ended = server.wait(START_S)
        finally:
            server.kill()
        names = [span.name for span in sink.every]

    assert ended == 0
    assert names.count("answer") == REQUESTS
    assert names.count("at_import") == (1 if preload else 2)
    assert sink.duplicates == 0
    assert str(server.pid) not in workers
    assert list(tmp_path.rglob("*.spans")) == []
