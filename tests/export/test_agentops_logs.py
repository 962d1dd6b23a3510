"""The Logs tab of AgentOps: what a program prints in a trace, by a real upload to a stand-in of its backend."""

import io
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

import agentops_otel
from agentops_otel import ConfigError
from agentops_otel.config import Config, read_config
from agentops_otel.content import Content
from agentops_otel.content.policy import Redact
from agentops_otel.export import log_upload
from agentops_otel.export.agentops_logs import LogUpload, _shown
from agentops_otel.export.outbox import Outbox
from agentops_otel.export.sender import Answer, Sender, Verdict
from agentops_otel.export.spool import Spool
from agentops_otel.recording.printed import TRACE_CHARS, TRACES, PrintedText
from agentops_otel.version import VERSION
from tests.loopback.agentops_backend import AgentOpsBackend
from tests.loopback.agentops_dashboard import log_entries
from tests.python_process import run_python

SECRET = "sk-" + "a1B2" * 12


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AgentOpsBackend]:
    """A backend that the variables of AgentOps name, and a state directory of the test's own."""
    with AgentOpsBackend() as running:
        monkeypatch.setenv("AGENTOPS_API_KEY", running.api_key)
        monkeypatch.setenv("AGENTOPS_API_ENDPOINT", running.account.api_endpoint)
        monkeypatch.setenv("AGENTOPS_EXPORTER_ENDPOINT", running.sink.endpoint)
        yield running
        agentops_otel.shutdown()


def start(tmp_path: Path, **more: object) -> agentops_otel.Client:
    """A client that uploads what is printed."""
    return agentops_otel.init(upload_logs=True, auto_start_session=False, spool_dir=tmp_path, console=False, **more)  # type: ignore[arg-type]


def test_a_program_without_a_stream_to_print_on_is_traced(
    backend: AgentOpsBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under pythonw, which has none."""
    monkeypatch.setattr(sys, "stdout", None)
    start(tmp_path)
    with agentops_otel.start_session() as session:
        agentops_otel.record_action("step")(lambda: print("nowhere"))()

    assert agentops_otel.shutdown()
    assert set(backend.sink.spans) == {"step.operation", "session.session"}
    assert session.end_state == "Success"


def test_what_is_printed_in_a_trace_is_in_its_logs_tab(
    backend: AgentOpsBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each print is an entry, also of a thread and of several lines; what is printed outside stays here."""
    before = (type(sys.stdout), sys.stdout, print)
    start(tmp_path)
    print("before")
    with agentops_otel.start_session() as session:
        print("one", 'and "two"', "C:\\new", flush=True)
        agentops_otel.record_action("step")(lambda: print("in a step\nof two lines"))()
        thread = threading.Thread(target=print, args=("in a thread",))
        thread.start()
        thread.join()
        print("no end", end="")
    print("after")

    assert agentops_otel.shutdown()
    assert log_entries(backend.log_of(session.trace_id)) == [
        ("INFO", 'one and "two" C:\\new'),
        ("INFO", "in a step\nof two lines"),
        ("INFO", "in a thread"),
        ("INFO", "no end"),
    ]
    assert len(backend.logs) == 1
    assert (type(sys.stdout), sys.stdout, print) == before
    assert "write" not in vars(sys.stdout)
    assert capsys.readouterr().out.startswith("before\none and ")


def test_nothing_is_uploaded_unless_it_is_asked_for(backend: AgentOpsBackend, tmp_path: Path) -> None:
    """Not by default, and not where content is off."""
    for wanted, content in ((None, True), (True, False)):
        agentops_otel.init(
            auto_start_session=False, spool_dir=tmp_path, console=False, upload_logs=wanted, capture_content=content
        )
        with agentops_otel.start_session():
            print("mine")
        agentops_otel.shutdown()

    assert backend.uploads == 0


def test_the_variable_asks_for_it(backend: AgentOpsBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`AGENTOPS_UPLOAD_LOGS` is the setting, too; it has no effect without a key."""
    monkeypatch.setenv("AGENTOPS_UPLOAD_LOGS", "true")
    agentops_otel.init(auto_start_session=False, spool_dir=tmp_path, console=False)
    with agentops_otel.start_session():
        print("mine")
    agentops_otel.shutdown()
    monkeypatch.delenv("AGENTOPS_API_KEY")
    agentops_otel.init(console=False, trace_file=False)

    assert backend.uploads == 1


def test_without_a_key_the_setting_is_refused() -> None:
    """There is nowhere to upload to."""
    with pytest.raises(ConfigError, match="upload_logs"):
        agentops_otel.init(upload_logs=True)


def test_secrets_are_redacted(backend: AgentOpsBackend, tmp_path: Path) -> None:
    """By shape and by name, over all that one print writes; `redact=` has the last word."""
    start(tmp_path, redact=lambda name, text: text.replace("Oslo", "a city") if name == "agentops.printed" else text)
    with agentops_otel.start_session() as session:
        print("key", SECRET)
        print("password:", "hunter2!")
        print("in Oslo")
    agentops_otel.shutdown()

    log = backend.log_of(session.trace_id)
    assert SECRET not in log
    assert "hunter2" not in log
    assert log_entries(log)[-1] == ("INFO", "in a city")


def test_an_upload_is_tried_again(backend: AgentOpsBackend, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A service that is down for a while gets the log once it is up, whole."""
    backend.fail_logs(503, times=2)
    start(tmp_path)
    with agentops_otel.start_session() as session:
        print("kept")
    backend.wait_for_logs(1)

    assert log_entries(backend.log_of(session.trace_id)) == [("INFO", "kept")]
    assert "503. The logs wait, and are sent when it takes them" in caplog.text


def test_a_log_that_is_refused_is_given_up(
    backend: AgentOpsBackend, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is too large for a proxy on the way cannot be split; the spans arrive."""
    backend.fail_logs(413)
    start(tmp_path)
    with agentops_otel.start_session():
        print("large")
    agentops_otel.shutdown()

    assert backend.logs == {}
    assert "refused logs: 413" in caplog.text
    backend.sink.wait_for(1)


def test_two_traces_have_a_log_each(backend: AgentOpsBackend, tmp_path: Path) -> None:
    """Requests of a backlog are not joined, neither from memory nor from the disk."""
    backend.fail_logs(503)
    start(tmp_path)
    traces = []
    for text in ("first", "second"):
        with agentops_otel.start_session() as session:
            print(text)
        traces.append(session.trace_id)
    backend.wait_for_logs(2)

    assert [log_entries(backend.log_of(trace)) for trace in traces] == [[("INFO", "first")], [("INFO", "second")]]


def test_a_log_waits_on_disk_for_the_next_process(backend: AgentOpsBackend, tmp_path: Path) -> None:
    """A process that ends while AgentOps is down leaves the log, redacted; the next one delivers it."""
    backend.fail_logs(503, times=1000)
    start(tmp_path, exit_timeout_s=0.5)
    with agentops_otel.start_session() as session:
        print("kept", SECRET)
    agentops_otel.shutdown()
    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*.spans"))
    backend.fail_logs_no_more()
    start(tmp_path)
    with agentops_otel.start_session():
        print("another")
    backend.wait_for_logs(2)

    assert b"kept" in on_disk
    assert SECRET.encode() not in on_disk
    assert log_entries(backend.log_of(session.trace_id))[0][1].startswith("kept ")


def test_a_session_that_the_end_of_the_program_ends_has_its_log(backend: AgentOpsBackend, tmp_path: Path) -> None:
    """A whole program: one setting, and what it prints is there when it is gone."""
    program = (
        f"import agentops_otel\nagentops_otel.init(upload_logs=True, spool_dir={str(tmp_path)!r})\nprint('hello')\n"
    )
    run_python("-c", program, check=True, timeout=60)

    (body,) = backend.logs.values()
    assert log_entries(body.decode()) == [("INFO", "hello")]


class Kept:
    """A stream that is watched, and what was handed over."""

    def __init__(self, redact: Redact | None = None) -> None:
        self.stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        self.trace_id = 1
        self.logs: dict[int, str] = {}
        self.printed = PrintedText(
            self.stream, self.where, Content(redact=redact), self.logs.__setitem__, clock=lambda: 0.0
        )

    def where(self) -> SpanContext:
        """The trace that a print belongs to."""
        return SpanContext(self.trace_id, 1, is_remote=False, trace_flags=TraceFlags(1))

    def end(self) -> str:
        """End the trace's root, and give what was handed over."""
        self.printed.on_end(_root(self.trace_id))
        return self.logs.get(self.trace_id, "")


def _root(trace_id: int) -> ReadableSpan:
    return ReadableSpan("root", SpanContext(trace_id, 1, is_remote=False, trace_flags=TraceFlags(1)))


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_log_is_sent_as_the_api_reads_it(slash: str) -> None:
    """As JSON below the API, under its trace's id, and with nothing that is for the spans: headers, a compression."""
    with AgentOpsBackend("grpc") as backend:
        account = replace(backend.account, api_endpoint=backend.account.api_endpoint + slash)
        where = replace(backend.destination, headers={"x-team": "agents"}, compression="gzip", agentops=account)
        upload = log_upload(Config(destinations=(where,), upload_logs=True))
        assert upload is not None
        upload(0x0A, 'a "b"\ud800')
        backend.wait_for_logs(1)
        upload.sender.stop(time.monotonic() + 60)

    assert backend.logs == {"10": b'"a \\"b\\"?"'}
    assert backend.log_headers == [
        {
            "host": f"127.0.0.1:{backend.api_port}",
            "accept-encoding": "identity",
            "user-agent": f"agentops-otel/{VERSION}",
            "content-type": "application/json",
            "authorization": f"Bearer {backend.tokens[0]}",
            "trace-id": "10",
            "content-length": "10",
        }
    ]


@pytest.mark.parametrize("durable", [True, False])
def test_a_log_is_on_disk_at_once_where_spans_are(durable: bool, tmp_path: Path) -> None:
    """Else it is on its way first."""
    answering = threading.Event()

    class Waits:
        limit_bytes = 1000

        def prepare(self) -> None:
            """Nothing is left to import."""

        def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
            answering.wait(60)
            return Answer(verdict=Verdict.ACCEPTED)

        def close(self) -> None: ...
        def forked(self) -> None: ...

    sender = Sender("logs", Outbox(Spool(tmp_path)), Waits())
    LogUpload(sender, durable=durable)(1, "said")

    assert sender.outbox.stats(1).spooled == durable
    answering.set()
    sender.outbox.close()
    sender.stop(time.monotonic() + 60)


@pytest.mark.parametrize("durability", ["span", "batch"])
def test_logs_are_as_durable_as_spans(durability: str, backend: AgentOpsBackend, tmp_path: Path) -> None:
    """The setting holds of both."""
    settings = read_config(upload_logs=True, spool_dir=tmp_path, durability=durability)

    upload = log_upload(settings)

    assert upload is not None
    assert (upload._put == upload.sender.outbox.store) is (durability == "span")


def test_a_log_is_bounded() -> None:
    """Of what is printed beyond the bound the number of prints is kept; the stream gets all of it."""
    kept = Kept()
    for _ in range(TRACE_CHARS // 100 + 3):
        print("x" * 99, file=kept.stream)

    entries = log_entries(kept.end())
    assert entries[-1] == ("WARNING", "3 more prints were left out")
    assert sum(len(text) + 1 for _, text in entries[:-1]) <= TRACE_CHARS


def test_the_beginning_of_a_print_is_left_out_with_its_end() -> None:
    """Where it crosses the bound, nothing of it is kept."""
    kept = Kept()
    kept.stream.write("kept\n")
    kept.stream.write("begun ")
    kept.stream.write("x" * TRACE_CHARS)
    kept.stream.write(" ended\n")

    assert log_entries(kept.end()) == [("INFO", "kept"), ("WARNING", "1 more prints were left out")]


def test_what_is_written_is_written_and_kept_where_a_trace_is_recorded() -> None:
    """The stream answers as it does; of a trace that is not sampled, and outside of one, nothing is kept."""
    kept = Kept()
    for where in (SpanContext(1, 1, False, TraceFlags(0)), SpanContext(0, 0, False, TraceFlags(1))):
        kept.printed._where = lambda where=where: where  # type: ignore[misc]
        assert kept.stream.write("lost\n") == 5

    assert kept.end() == ""


def test_what_redact_prints_is_not_kept() -> None:
    """Nor redacted, which would print again."""
    kept = Kept(redact=lambda name, text: print("seen", file=kept.stream) or text.upper())

    print("said", file=kept.stream)

    assert log_entries(kept.end()) == [("INFO", "SAID")]


def test_a_print_that_fills_a_log_is_whole() -> None:
    """And one character more is left out."""
    kept = Kept()
    kept.stream.write("x" * (TRACE_CHARS - 1) + "\n")
    kept.stream.write("\n")

    assert [kind for kind, _ in log_entries(kept.end())] == ["INFO", "WARNING"]


def test_the_number_of_traces_is_bounded() -> None:
    """The oldest gives way."""
    kept = Kept()
    for kept.trace_id in range(1, TRACES + 2):
        print(kept.trace_id, file=kept.stream)

    assert log_entries(kept.end()) == [("INFO", str(TRACES + 1))]
    kept.trace_id = 1
    assert kept.end() == ""


def test_a_stream_that_was_wrapped_again_stays_usable() -> None:
    """Whoever wrapped it after us keeps writing through us, and nothing is kept any more."""
    kept = Kept()
    ours = kept.stream.write
    kept.stream.write = lambda text: ours(text.upper())  # type: ignore[method-assign]
    kept.printed.shutdown()

    print("late", file=kept.stream)

    kept.stream.flush()
    assert kept.stream.buffer.getvalue() == b"LATE\n"
    assert kept.end() == ""


def test_a_stream_without_attributes_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """It is said that nothing will be uploaded."""

    class Bare:
        __slots__ = ()

        def write(self, text: str) -> int:
            return len(text)

    printed = PrintedText(Bare(), Kept().where, Content(), lambda trace_id, text: None)  # type: ignore[arg-type]
    printed.shutdown()

    assert "What is printed is not uploaded: " in caplog.text


@pytest.mark.parametrize(
    ("trace_id", "shown"),
    [(0x0A, "10"), (0x10000000000000000000000000000000, "1" + "0" * 31), (2**128 - 1, str(2**128 - 1))],
)
def test_a_trace_is_named_as_agentops_looks_it_up(trace_id: int, shown: str) -> None:
    """Its page turns an id into a number where a hex digit is a letter, and only there."""
    assert _shown(trace_id.to_bytes(16)) == shown
