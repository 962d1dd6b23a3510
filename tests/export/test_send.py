"""`agentops-otel send`: a spool delivered by hand."""

import gc
import os
import shutil
import socket
import stat
import threading
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from inline_snapshot import snapshot

from agentops_otel.config import Config, OtlpProtocol
from agentops_otel.export import build, metric_upload, send_left_overs, spool_places
from agentops_otel.export.encode import Batch
from tests.export.delivery import destination
from tests.export.processes import run, stopped_sink
from tests.loopback.otlp_sink import Answer, OtlpSink
from tests.python_process import run_python


def sending(sink: OtlpSink, spool: Path, **variables: str) -> CompletedProcess[str]:
    """Run the command for the sink."""
    named = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": sink.endpoint, "XDG_STATE_HOME": str(spool), **variables}
    env = {**os.environ, **named}
    return run_python("-m", "agentops_otel", "send", "--timeout", "20", env=env, timeout=60)


def send(sink: OtlpSink, spool: Path, **variables: str) -> tuple[str, int]:
    """Run the command for the sink: what it prints and its exit code."""
    done = sending(sink, spool, **variables)
    return done.stdout, done.returncode


@pytest.mark.measured
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


def test_a_spool_dir_that_a_program_named_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`init(spool_dir=)` leaves a note; one that is gone is forgotten."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    sink = stopped_sink()
    for place in ("first place", "second", "gone"):
        run("start(); make(10)", sink.endpoint, tmp_path / place)
    shutil.rmtree(tmp_path / "gone")

    with sink:
        first, second = (send(sink, tmp_path / "state") for _ in range(2))

    assert len(sink.ids) == 20
    assert first == (f"{sink.endpoint}: 20 spans sent, none left\n", 0)
    assert second == (f"{sink.endpoint}: 0 spans sent, none left\n", 0)


@pytest.mark.parametrize("spool_dir", ["spool", None])
def test_the_spool_dir_of_the_settings_needs_no_note(spool_dir: str | None, tmp_path: Path) -> None:
    """It may come from another machine. With the spool off, the state directory's is read: it was on before."""
    sink = stopped_sink()
    run("start(); make(10)", sink.endpoint, tmp_path / "spool")
    place, state = (tmp_path / spool_dir, tmp_path / "new") if spool_dir else (None, tmp_path)

    with sink:
        config = Config(destinations=(destination(sink),), spool_dir=place, state_dir=state)
        sent, left, _ = send_left_overs(config, 20)

    assert (sent.total(), left.total()) == (10, 0)


@pytest.mark.parametrize("spelling", ["HTTP://LOCALHOST:{port}/v1/traces", "http://127.0.0.1:{port}/v1/traces/"])
def test_the_same_endpoint_in_another_spelling_is_the_same(spelling: str, tmp_path: Path) -> None:
    """What was left under one is sent under the other."""
    sink = stopped_sink()
    run("start(); make(10)", sink.endpoint, tmp_path / "agentops_otel" / "spool")

    with sink:
        out, code = send(sink, tmp_path, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=spelling.format(port=sink.port))

        assert code == 0, out
    assert len(sink.ids) == 10


@pytest.mark.parametrize("name", [b"spool", "Spüle".encode(), b"sp\xff"])
def test_a_spool_dir_of_any_name_is_found(name: bytes, tmp_path: Path) -> None:
    """Names of files are bytes; one that is gone is forgotten."""
    place = tmp_path / os.fsdecode(name)
    place.mkdir()
    spool_places.reminder(tmp_path / "state", place)()

    found = list(spool_places.used(tmp_path / "state"))
    place.rmdir()
    gone = list(spool_places.used(tmp_path / "state"))
    place.mkdir()

    assert (found, gone, list(spool_places.used(tmp_path / "state"))) == ([place], [], [])


def test_nothing_to_send_to_is_no_success(tmp_path: Path) -> None:
    """Without a destination, and where spans wait for another one, the exit code is 1, and a line says why."""
    sink = stopped_sink()
    spool = tmp_path / "agentops_otel" / "spool"
    run("start(headers={'x-team': 'a'}); make(10)", sink.endpoint, spool)

    with sink:
        nowhere = sending(sink, tmp_path, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="")
        without_headers = sending(sink, tmp_path)
        with_headers = send(sink, tmp_path, OTEL_EXPORTER_OTLP_HEADERS="x-team=a")

    assert (nowhere.stdout, nowhere.returncode) == ("", 1)
    assert "no destination is named: set OTEL_EXPORTER_OTLP_ENDPOINT or AGENTOPS_API_KEY" in nowhere.stderr
    assert (without_headers.stdout, without_headers.returncode) == (f"{sink.endpoint}: 0 spans sent, none left\n", 1)
    assert f"spans for other endpoints, headers or keys wait in {spool}" in without_headers.stderr
    assert with_headers == (f"{sink.endpoint}: 10 spans sent, none left\n", 0)


def test_no_connection_is_left(tmp_path: Path) -> None:
    """When it has sent what waited, the connection is closed and its thread has ended."""
    sink = stopped_sink()
    run("start(); make(10)", sink.endpoint, tmp_path)

    with sink:
        sent, left, _ = send_left_overs(Config(destinations=(destination(sink),), spool_dir=tmp_path), 20)
        # Not `isinstance`: it asks proxies, whose object may be gone.
        sockets = [one for one in gc.get_objects() if issubclass(type(one), socket.socket)]
        open_to_it = [one for one in sockets if _leads_to(one, sink.port)]

    assert (sent.total(), left.total()) == (10, 0)
    assert open_to_it == []


def test_its_threads_are_waited_for_in_the_time_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all is sent: a thread that closes its connection is not left behind."""
    waits: list[float | None] = []
    join = threading.Thread.join

    def noted(thread: threading.Thread, timeout: float | None = None) -> None:
        waits.append(timeout)
        join(thread, timeout)

    sink = stopped_sink()
    run("start(); make(10)", sink.endpoint, tmp_path)
    with sink, monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "join", noted)
        send_left_overs(Config(destinations=(destination(sink),), spool_dir=tmp_path), 600)

    assert max(wait for wait in waits if wait is not None) <= 600
    assert [wait for wait in waits if wait is not None and wait > 300] != []


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_metrics_that_wait_are_sent_too_and_are_nobody_elses(protocol: OtlpProtocol, tmp_path: Path) -> None:
    """To the destination that metrics have, by its name; while it is down they are what is left."""
    with OtlpSink(protocol) as sink:
        pass
    spans = destination(sink)
    where = replace(spans, endpoint=spans.endpoint.replace("traces", "metrics"), signal="metrics")
    config = Config(destinations=(spans,), metrics=(where,), spool_dir=tmp_path)
    upload = metric_upload(config)
    assert upload is not None
    for sender in upload.senders:
        sender.outbox.store(Batch(b"", 1))
        sender.stop(0.0)

    down = send_left_overs(config, 20)
    with sink:
        up = send_left_overs(config, 20)

    name = f"{where.display_url} (metrics)" if protocol == "grpc" else where.display_url
    assert ({**down[0]}[name], {**down[1]}[name], down[2]) == (0, 1, [])
    assert ({**up[0]}[name], {**up[1]}[name], up[2]) == (1, 0, [])
    assert len(sink.metrics) == 1


def test_no_exporter_is_made_where_there_is_no_span_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits on disk is for collectors; one in this process is loaded for spans of this process alone."""
    (tmp_path / "theirs.py").write_text("raise ZeroDivisionError")
    (tmp_path / "theirs-1.dist-info").mkdir()
    (tmp_path / "theirs-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    points = "[opentelemetry_traces_exporter]\ntheirs = theirs:Exporter\n"
    (tmp_path / "theirs-1.dist-info" / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    with OtlpSink() as sink:
        config = Config(destinations=(destination(sink),), exporters=("theirs",), spool_dir=tmp_path / "spool")

        assert send_left_overs(config, 20)[1].total() == 0
        with pytest.raises(ZeroDivisionError):
            build(config)


def test_the_note_of_a_spool_dir_is_where_earlier_versions_left_it(tmp_path: Path) -> None:
    """What they left is found; it is made for the user alone, once, and a state directory that is none has none."""
    remind = spool_places.reminder(tmp_path / "state", Path("/var/agent"))
    remind()
    [note] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    (tmp_path / "in the way").touch()
    spool_places.reminder(tmp_path / "in the way", Path("/var/agent"))()
    remind()

    assert str(note.relative_to(tmp_path)) == snapshot("state/spools/1345bea32dcd8144")
    assert note.read_bytes() == b"/var/agent"


def _leads_to(connection: socket.socket, port: int) -> bool:
    try:
        return bool(connection.getpeername()[1:2] == (port,))
    except OSError:  # closed, or of no connection
        return False
