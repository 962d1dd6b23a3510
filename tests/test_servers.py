"""Servers and task queues that are told to end: the spans of what they still answer arrive."""

import signal
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.loopback.otlp_sink import OtlpSink
from tests.program import ROOT, TIMEOUT_S
from tests.python_process import run_python
from tests.run_program import ENVIRONMENT, arrived, where

SERVERS = {
    "uvicorn": ["uvicorn", "--fd={}"],
    "uvicorn with workers": ["uvicorn", "--fd={}", "--workers=2"],
    "gunicorn with uvicorn's workers": [
        "gunicorn",
        "--bind=fd://{}",
        "--workers=2",
        "--worker-class=uvicorn_worker.UvicornWorker",
    ],
    "gunicorn, preloaded": [
        "gunicorn",
        "--preload",
        "--bind=fd://{}",
        "--worker-class=uvicorn_worker.UvicornWorker",
    ],
    "hypercorn": ["hypercorn", "--bind=fd://{}"],
}


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_that_drains_its_requests_delivers_their_spans(server: str, tmp_path: Path) -> None:
    """SIGTERM comes while four requests are under way. Their spans arrive, and the last one of each process."""
    module, *options = SERVERS[server]
    pytest.importorskip(module)
    pytest.importorskip("uvicorn_worker")
    with OtlpSink() as sink, ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        release = tmp_path / "release"
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", module),
                *(option.format(listener.fileno()) for option in options),
                "tests.programs.asgi:app",
            ],
            cwd=ROOT,
            env={
                **ENVIRONMENT,
                **where(sink, tmp_path / "spool"),
                "RELEASE": str(release),
                "PYTHONPATH": str(ROOT),
            },
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(process.communicate)
        stack.callback(process.kill)
        pool = stack.enter_context(ThreadPoolExecutor(4))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        answers = [pool.submit(urllib.request.urlopen, address, timeout=TIMEOUT_S) for _ in range(4)]
        assert process.stdout is not None
        busy = 0
        while busy < 4:
            line = process.stdout.readline()
            assert line, "the server has ended"
            busy += line == "busy\n"

        process.send_signal(signal.SIGTERM)
        release.touch()

        assert [answer.result().read() for answer in answers] == [b"ok"] * 4
        stopped = process.stdout.read().splitlines().count("stopped")
        code = process.wait(TIMEOUT_S)
        assert code == (-signal.SIGTERM if server == "uvicorn" else 0)  # as without us
        assert stopped  # Not by a worker that was still starting.
        assert arrived(sink, tmp_path / "spool") == {"answer": 4, "stopped": stopped}


def test_celerys_recycled_children_deliver(tmp_path: Path) -> None:
    """A child leaves by `os._exit` after five tasks, the others when the worker is told to end.

    Most of its seconds are Celery's start, twice.
    """
    pytest.importorskip("celery")
    broker = tmp_path / "broker"
    broker.mkdir()
    with OtlpSink() as sink:
        environment = {
            **ENVIRONMENT,
            **where(sink, tmp_path / "spool"),
            "BROKER": str(broker),
            "PYTHONPATH": str(ROOT),
        }
        send = "from tests.programs.celery_tasks import task\nfor _ in range(12): task.delay()"
        run_python("-c", send, cwd=ROOT, env=environment, check=True, timeout=TIMEOUT_S)
        with (tmp_path / "log").open("w") as log:
            worker = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "--app", "tests.programs.celery_tasks", "worker"),
                    *("--concurrency=2", "--loglevel=INFO", "--without-gossip", "--without-mingle", "--pool=prefork"),
                ],
                cwd=ROOT,
                env=environment,
                stderr=log,
                stdout=log,
            )
            try:
                sink.wait_for(12)
                worker.send_signal(signal.SIGTERM)
                worker.wait(TIMEOUT_S)
            finally:
                worker.kill()
                worker.wait()

        assert arrived(sink, tmp_path / "spool") == {"task": 12}
