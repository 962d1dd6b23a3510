"""A program that gevent has patched: its threads are greenlets, and its subprocesses are forks of it."""

from pathlib import Path
from typing import Literal

import pytest

from tests.loopback.otlp_sink import OtlpSink
from tests.program import needs, run
from tests.run_program import arrived, ended, where

PROGRAM = """
from gevent import monkey; monkey.patch_all()
import os, subprocess, sys
import gevent
import agentops_otel

client = agentops_otel.init(endpoint={endpoint!r}, spool_dir={spool!r}, console=False)

@agentops_otel.record_action("work")
def work(number):
    os.write(1, f"{{number}}\\n".encode())
    subprocess.run([sys.executable, "-c", ""], check=True)

gevent.joinall([gevent.spawn(work, number) for number in range(3)], raise_error=True)
assert client.flush(60)
"""


@pytest.mark.measured
def test_greenlets_that_start_subprocesses_run_once(tmp_path: Path) -> None:
    """A child that waits for anything between its fork and its program would run the other greenlets again."""
    pytest.importorskip("gevent")
    with OtlpSink() as sink:
        done = run(PROGRAM.format(endpoint=sink.endpoint, spool=str(tmp_path)))

        assert sorted(done.stdout.split()) == ["0", "1", "2"]
        assert len(sink.wait_for(3)) == 3
        assert sink.duplicates == 0


@pytest.mark.parametrize("when", ["after init", "after spans"])
@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_a_program_that_is_patched_after_init_goes_on(library: str, when: str, tmp_path: Path) -> None:
    """As under `agentops-otel run`: our threads have become greenlets, and wait for nothing that stops all others."""
    needs(library)  # importing eventlet here would make each fork of the tests warn
    with OtlpSink() as sink:
        done = ended("greenlets.py", library, when, **where(sink, tmp_path))

        assert done.code == 0
        assert library == "eventlet" or "Traceback" not in done.err  # eventlet has one of its own
        assert arrived(sink, tmp_path) == {"work": 15}


IMPORTS = """
import sys, threading
import agentops_otel

class Told:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is not threading.main_thread():
            print(threading.current_thread().name, name)

client = agentops_otel.init(endpoint={endpoint!r}, protocol={protocol!r}, spool_dir={spool!r}, console=False)
sys.meta_path.insert(0, Told())
agentops_otel.record_action(lambda: None)()
assert client.flush(60)
"""


TUNNEL = """
import sys
from agentops_otel.config import Destination
from agentops_otel.export import transport

through = transport(Destination(endpoint="http://collector:4317", protocol="grpc", proxy={proxy!r}))
through.prepare()
print("agentops_otel.export.http1" in sys.modules)
"""


@pytest.mark.parametrize(("proxy", "is_needed"), [("http://proxy:3128", True), (None, False)])
def test_what_asks_a_proxy_for_a_tunnel_is_imported_by_the_program(proxy: str | None, *, is_needed: bool) -> None:
    """HTTP/1.1, for gRPC too: our thread would import it otherwise."""
    assert run(TUNNEL.format(proxy=proxy)).stdout == f"{is_needed}\n"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_our_threads_import_nothing(protocol: Literal["http/protobuf", "grpc"], tmp_path: Path) -> None:
    """While the program imports eventlet, which holds all imports, theirs would wait for it, and it for them."""
    with OtlpSink(protocol) as sink:
        done = run(IMPORTS.format(endpoint=sink.endpoint, protocol=protocol, spool=str(tmp_path)))

        assert done.stdout == ""
        assert len(sink.wait_for(1)) == 1
