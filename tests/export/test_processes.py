"""Processes that end in every way there is: what their spans come to, with a collector that is up, down or hanging."""

import ast
import signal
import socket
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from agentops_otel.export.pipeline import LINGER_S, OVERDUE_S, QUEUE_BYTES
from tests.export.processes import START_S, Protocol, python, run, stopped_sink, wait_for
from tests.loopback.otlp_sink import Answer, OtlpSink, Received

EXIT_S = 2.0
"""What `exit_timeout_s` is by default."""


def delivered_later(sink: OtlpSink, spool: Path, spans: int) -> None:
    """Start another process with the same destination, now that the collector is up: it delivers what was left."""
    with sink:
        _, err, code = run("client = start(); make(1); agentops_otel.flush(20)", sink.endpoint, spool)
        assert (err, code) == ("", 0)
        assert len(sink.ids) == spans + 1
        assert sink.duplicates == 0


@pytest.mark.skipif(
    sys.version_info >= (3, 13),
    reason="CPython 3.13 aborts such a child without us too: it releases a lock of imports that no hook has taken",
)
def test_a_host_that_forks_by_itself_and_calls_only_the_childs_hooks(tmp_path: Path) -> None:
    """As uWSGI does with `py-call-osafterfork`: nothing is printed, and the spans of both arrive, each once."""
    with OtlpSink() as sink:
        code = """
            import ctypes
            start(exit_timeout_s=30)
            make(100)
            agentops_otel.flush(20)
            if not (pid := ctypes.PyDLL(None).fork()):
                ctypes.pythonapi.PyOS_AfterFork_Child()
            make(10)
            if pid:
                os.waitpid(pid, 0)
            """
        assert run(textwrap.dedent(code), sink.endpoint, tmp_path) == ("", "", 0)
        assert len(sink.ids) == 120
        assert sink.duplicates == 0


@pytest.mark.parametrize("lives", ["long", "briefly"])
def test_a_process_that_makes_no_span_delivers_what_waits(lives: str, tmp_path: Path) -> None:
    """What an earlier process left goes out with the next one's `init()`, at its end at the latest."""
    sink = stopped_sink()
    run("start(); make(100)", sink.endpoint, tmp_path)

    with sink:
        if lives == "long":
            with python("start(); say(); sys.stdin.read()", sink.endpoint, tmp_path) as process:
                wait_for("ready", process)
                sink.wait_for(100)
        else:
            assert run("start(exit_timeout_s=30)", sink.endpoint, tmp_path)[1:] == ("", 0)
        assert len(sink.ids) == 100
        assert sink.duplicates == 0


def test_what_waits_does_not_hold_up_a_process_that_makes_no_span(tmp_path: Path) -> None:
    """With a collector that hangs, the process has its `exit_timeout_s` and no more; the spans still wait."""
    sink = stopped_sink()
    run("start(); make(100)", sink.endpoint, tmp_path)

    with sink:
        sink.decide = lambda received: Answer(hang=True)
        with python("start(); say()", sink.endpoint, tmp_path) as process:
            wait_for("ready", process)
            began = time.monotonic()
            process.communicate(timeout=START_S)
            assert time.monotonic() - began < EXIT_S + 10
    delivered_later(sink_again(sink), tmp_path, 100)


def sink_again(sink: OtlpSink) -> OtlpSink:
    """Another collector on the port of one that has stopped."""
    return OtlpSink(port=sink.port)


ENDINGS = {
    "the end": "",
    "sys.exit": "sys.exit(3)",
    "an exception": "raise ValueError('the app')",
    "SIGINT": "os.kill(os.getpid(), signal.SIGINT); time.sleep(20)",
    "SIGTERM through Python": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); os.kill(os.getpid(), signal.SIGTERM); time.sleep(20)"
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_spans_leave_with_the_process_while_the_collector_is_well(ending: str, tmp_path: Path) -> None:
    """However it ends, every span is at the collector and nothing is left on disk."""
    with OtlpSink() as sink:
        run(f"start(exit_timeout_s=30); make(2000); {ENDINGS[ending]}", sink.endpoint, tmp_path / "spool")

        assert len(sink.ids) == 2000
        assert sink.duplicates == 0
    assert list(tmp_path.rglob("*.spans")) == []


@pytest.mark.parametrize("ending", ["the end", "SIGINT", "SIGTERM through Python"])
def test_an_exit_takes_two_seconds_at_most_while_the_collector_hangs(ending: str, tmp_path: Path) -> None:
    """What was not delivered by then is on disk, and the next process delivers it. The two seconds pass."""
    sink = OtlpSink()
    with sink:
        sink.decide = lambda received: Answer(hang=True)
        with python(f"start(); make(2000); say(); {ENDINGS[ending]}", sink.endpoint, tmp_path) as process:
            wait_for("ready", process)
            began = time.monotonic()
            process.communicate(timeout=START_S)
            took = time.monotonic() - began

    assert took < EXIT_S + 0.7  # the interpreter's own end
    delivered_later(OtlpSink(port=sink.port), tmp_path, 2000)


def test_a_collector_that_is_down_for_life_costs_nothing(tmp_path: Path) -> None:
    """The process ends at once, and the next one delivers its spans."""
    sink = stopped_sink()
    with python("start(); make(2000); say()", sink.endpoint, tmp_path) as process:
        wait_for("ready", process)
        began = time.monotonic()
        process.communicate(timeout=START_S)

    assert time.monotonic() - began < EXIT_S + 0.7
    delivered_later(sink, tmp_path, 2000)


KILLS = {
    "kill -9": "os.kill(os.getpid(), signal.SIGKILL)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "os._exit": "os._exit(0)",
}


@pytest.mark.parametrize("kill", KILLS)
def test_with_a_durable_span_no_way_to_die_loses_one(kill: str, tmp_path: Path) -> None:
    """With durability="span" a span is on disk when `end()` has returned."""
    sink = stopped_sink()

    run(f"start(durability='span'); make(500); {KILLS[kill]}", sink.endpoint, tmp_path)

    delivered_later(sink, tmp_path, 500)


def test_durable_spans_of_a_killed_process_arrive_once_when_the_collector_is_well(tmp_path: Path) -> None:
    """What was delivered before the kill is not delivered again; what was in a request at that moment may be."""
    with OtlpSink() as sink:
        run(f"start(durability='span'); make(500); {KILLS['kill -9']}", sink.endpoint, tmp_path)
        run("start(); make(1); agentops_otel.flush(20)", sink.endpoint, tmp_path)

        assert len(sink.ids) == 501
        # The collector may have read it after the kill.
        in_flight = [one for one in sink.received if one.peer == sink.received[0].peer][-1]
        assert sink.duplicates <= len(in_flight.spans)


def test_a_killed_process_loses_what_is_younger_than_a_moment_only(tmp_path: Path) -> None:
    """With durability="batch" and the collector down, what ended before the last moment is on disk."""
    sink = stopped_sink()
    code = f"client = start(); make(2000); settle(client); say(); time.sleep(0.3); {KILLS['kill -9']}"

    run(code, sink.endpoint, tmp_path)

    delivered_later(sink, tmp_path, 2000)


def test_a_process_killed_in_a_burst_loses_what_is_in_the_queue_only(tmp_path: Path) -> None:
    """The worker is outrun, and the app's thread helps before the queue holds a tenth of a second's work."""
    sink = stopped_sink()
    code = f"""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, TraceFlags

        pipeline, resource = start().pipeline, Resource({{}})
        for n in range(1, 50_001):
            context = SpanContext(1, n, is_remote=False, trace_flags=TraceFlags(1))
            pipeline.on_end(ReadableSpan("burst", context, resource=resource))
        {KILLS["kill -9"]}
        """

    run(code, sink.endpoint, tmp_path)

    with sink:
        run("start().pipeline.recover(50)", sink.endpoint, tmp_path)
    assert 50_000 - QUEUE_BYTES / 1000 < len(sink.ids) <= 50_000
    assert sink.duplicates == 0


def test_a_killed_process_has_on_disk_what_a_hanging_collector_did_not_acknowledge(tmp_path: Path) -> None:
    """A request that is not answered is written while it waits, and so is what ends meanwhile."""
    assert LINGER_S + OVERDUE_S < 0.25
    sink = OtlpSink()
    code = f"""
        client = start()
        for _ in range(20):
            make(10)
            time.sleep(0.01)
        settle(client)
        {KILLS["kill -9"]}
        """
    with sink:
        sink.decide = lambda received: Answer(hang=True)
        run(code, sink.endpoint, tmp_path)

    delivered_later(OtlpSink(port=sink.port), tmp_path, 200)


def test_an_outage_is_sat_out_on_disk_and_over_in_seconds(tmp_path: Path) -> None:
    """Ten thousand spans in an outage: all arrive after the collector's return, and the spool is empty."""
    sink = stopped_sink()
    code = "client = start(); make(10000); settle(client); say(); sys.stdin.readline(); agentops_otel.shutdown()"
    with python(code, sink.endpoint, tmp_path) as process:
        wait_for("ready", process)
        with sink:
            began = time.monotonic()
            sink.wait_for(10_000)
            took = time.monotonic() - began
            process.communicate("go on\n", timeout=START_S)

    assert took < 10
    assert sink.duplicates == 0
    assert list(tmp_path.rglob("*.spans")) == []


FORKS = {
    "os.fork": """
        pid = os.fork()
        make(500)
        if pid:
            os.waitpid(pid, 0)
        """,
    "os.fork and os._exit": """
        pid = os.fork()
        make(500)
        if not pid:
            agentops_otel.flush()
            os._exit(0)
        os.waitpid(pid, 0)
        """,
    "multiprocessing fork": """
        import multiprocessing
        child = multiprocessing.get_context("fork").Process(target=make, args=(500,))
        child.start()
        make(500)
        child.join()
        """,
    "a process pool": """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        make(500)
        with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
            list(pool.map(make, [250, 250]))
        """,
    "a grandchild": """
        pid = os.fork()
        if not pid:
            pid = os.fork()
            make(250)
        else:
            make(500)
        if pid:
            os.waitpid(pid, 0)
        """,
}


PATIENT = """
from agentops_otel.export import pipeline
pipeline.FORK_WAIT_S = 30.0
start(exit_timeout_s=30)
"""


@pytest.mark.parametrize(
    ("fork", "protocol"),
    [*((fork, "http/protobuf") for fork in FORKS), ("os.fork", "grpc"), ("a process pool", "grpc")],
)
def test_the_spans_of_forked_children_arrive_once(fork: str, protocol: Protocol, tmp_path: Path) -> None:
    """100 spans wait in the parent when it forks: each span of each process is delivered by its own, none twice.

    The time to leave is long: on a busy machine the usual one may not do, and spans then wait for the next run. So is
    the time that a fork waits for our threads: with one that is still there, Python would warn.
    """
    with OtlpSink(protocol) as sink:
        out, err, status = run(PATIENT + "make(100)\n" + textwrap.dedent(FORKS[fork]), sink.endpoint, tmp_path)

        assert (out, err, status) == ("", "", 0)
        assert len(sink.ids) == 1100
        assert sink.duplicates == 0
    assert list(tmp_path.rglob("*.spans")) == []


def test_a_child_of_a_fork_may_fork_at_once(tmp_path: Path) -> None:
    """The SDK detects the child's resource in a thread, which is gone before the child's own code runs."""
    code = """
        start(exit_timeout_s=30)
        say(len(os.listdir("/proc/self/task")))
        for _ in range(40):
            if pid := os.fork():
                os.waitpid(pid, 0)
            else:
                say(len(os.listdir("/proc/self/task")))
                os._exit(0)
        """
    with OtlpSink() as sink:
        out, err, status = run(code, sink.endpoint, tmp_path)

    assert (out, err, status) == ("1\n" * 41, "", 0)


def test_what_is_being_encoded_at_a_fork_starts_no_thread_then(tmp_path: Path) -> None:
    """The thread that encodes ends first, and then those that it wakes: the child is of a process with one thread."""
    code = """
        from agentops_otel.export import pipeline
        import threading
        forking = threading.Event()
        pipeline.FORK_WAIT_S = 30.0
        os.register_at_fork(before=lambda: say(len(os.listdir("/proc/self/task"))))  # the last of these hooks
        encoding = threading.Event()
        def redact(name, value):
            encoding.set()
            forking.wait()
            time.sleep(0.1)  # until the fork waits for this thread
            return value
        start(redact=redact, exit_timeout_s=30)
        os.register_at_fork(before=forking.set)  # the first
        agentops_otel.record_action("ask")(len)("why")
        assert encoding.wait(30)
        if pid := os.fork():
            os.waitpid(pid, 0)
        """
    with OtlpSink() as sink:
        out, err, status = run(code, sink.endpoint, tmp_path)

        assert (out, err, status) == ("1\n", "", 0)
        assert len(sink.ids) == 1


def test_what_waits_at_a_fork_is_on_disk_soon_without_another_span(tmp_path: Path) -> None:
    """The parent makes none any more, and is killed; its collector is down."""
    sink = stopped_sink()
    code = f"""
        from agentops_otel.export import pipeline
        pipeline.FORK_WAIT_S = 30.0
        client = start()
        make(100)
        if not os.fork():
            os._exit(0)
        os.wait()
        settle(client)
        {KILLS["kill -9"]}
        """

    _, err, _ = run(code, sink.endpoint, tmp_path)

    assert "fork" not in err
    delivered_later(sink, tmp_path, 100)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_child_delivers_while_its_parent_waits_for_an_answer(protocol: Protocol, tmp_path: Path) -> None:
    """The parent's thread is at the connection when it forks, longer than a fork waits."""
    code = """
        client = start(exit_timeout_s=30)
        work()
        say()
        input()
        if not (pid := os.fork()):
            work()
            os._exit(0 if agentops_otel.flush(20) else 1)
        say(os.waitpid(pid, 0)[1])
        """
    asked = threading.Event()

    def first_waits(received: Received) -> Answer:
        answer = Answer(hang=not asked.is_set())
        asked.set()
        return answer

    with OtlpSink(protocol) as sink:
        sink.decide = first_waits
        with python(code, sink.endpoint, tmp_path) as process:
            assert process.stdin
            wait_for("ready", process)
            assert asked.wait(START_S)
            process.stdin.write("\n")
            process.stdin.flush()
            wait_for("0", process)
        assert len(sink.ids) == 1


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="it goes on with the next span")
def test_what_is_on_disk_at_a_fork_is_sent_without_another_span(tmp_path: Path) -> None:
    """Nothing has to be encoded for it."""
    sink = stopped_sink()
    code = """
        start(durability="span")
        make(3)
        if not os.fork():
            os._exit(0)
        os.wait()
        say()
        input()
        """

    with python(code, sink.endpoint, tmp_path) as process:
        wait_for("ready", process)
        with sink:
            sink.wait_for(3)


def test_a_durable_span_after_a_fork_is_sent_as_one_before_it(tmp_path: Path) -> None:
    """Nobody flushes for it."""
    code = """
        start(durability="span")
        work()
        agentops_otel.flush(30)
        if not os.fork():
            os._exit(0)
        os.wait()
        work()
        input()
        """

    with OtlpSink() as sink, python(code, sink.endpoint, tmp_path):
        sink.wait_for(2)


FRESH = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import agentops_otel

agentops_otel.init(endpoint=sys.argv[1], spool_dir=sys.argv[2], console=False, exit_timeout_s=30)

@agentops_otel.record_action("work")
def work(n): ...

def make(n):
    for _ in range(n):
        work(n)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    make(100)
    child = context.Process(target=make, args=(200,))
    child.start()
    child.join()
    with ProcessPoolExecutor(2, context) as pool:
        list(pool.map(make, [200, 200]))
"""


def test_the_spans_of_spawned_children_arrive_once(tmp_path: Path) -> None:
    """Multiprocessing and a process pool that start Python anew, where the module's own `init()` runs again."""
    program = tmp_path / "program.py"
    program.write_text(FRESH)
    with OtlpSink() as sink:
        code = f"import runpy; sys.argv[0] = {str(program)!r}; runpy.run_path({str(program)!r}, run_name='__main__')"
        out, err, status = run(code, sink.endpoint, tmp_path / "spool")

        assert (out, err, status) == ("", "", 0)
        assert len(sink.ids) == 700
        assert sink.duplicates == 0
    assert list(tmp_path.rglob("*.spans")) == []


def test_prefork_workers_deliver_theirs(tmp_path: Path) -> None:
    """Four workers forked before the first span, ended by SIGTERM as their server handles it."""
    code = """
        start()
        workers = []
        for _ in range(4):
            pid = os.fork()
            if not pid:
                signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
                make(300)
                say()
                time.sleep(30)
            workers.append(pid)
        sys.stdin.readline()
        for pid in workers:
            os.kill(pid, signal.SIGTERM)
        for pid in workers:
            os.waitpid(pid, 0)
        """
    with OtlpSink() as sink:
        with python(code, sink.endpoint, tmp_path) as process:
            for _ in range(4):
                wait_for("ready", process)
            process.communicate("stop\n", timeout=START_S)

        assert len(sink.ids) == 1200
        assert sink.duplicates == 0


def test_a_fork_waits_while_the_name_of_a_host_is_looked_up(tmp_path: Path) -> None:
    """The C library holds locks meanwhile, and a child that looks up a name would wait for them for ever."""
    code = """
        import socket, threading
        begun, lock, look_up = threading.Event(), threading.Lock(), socket.getaddrinfo
        def slowly(*arguments, **named):
            with lock:
                begun.set()
                time.sleep(0.6)
                return look_up(*arguments, **named)
        socket.getaddrinfo = slowly
        start()
        make(1)
        begun.wait()
        pid = os.fork()
        if not pid:
            make(1)
            os._exit(0 if agentops_otel.flush(30) else 1)
        say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """
    with OtlpSink() as sink:
        out, _, status = run(code, sink.endpoint, tmp_path)

        assert (out, status) == ("0\n", 0)
        assert (len(sink.ids), sink.duplicates) == (2, 0)


def test_forks_do_not_wait_for_a_name_server_that_does_not_answer(tmp_path: Path) -> None:
    """The first one waits for a moment."""
    code = """
        import socket, threading
        begun, answers, look_up = threading.Event(), threading.Event(), socket.getaddrinfo
        def late(*arguments, **named):
            begun.set()
            answers.wait()
            return look_up(*arguments, **named)
        socket.getaddrinfo = late
        start()
        make(1)
        begun.wait()
        for _ in range(20):
            if not (pid := os.fork()):
                os._exit(0)
            os.waitpid(pid, 0)
        answers.set()
        say(agentops_otel.flush(30))
        """
    with OtlpSink() as sink:
        assert run(code, sink.endpoint, tmp_path)[::2] == ("True\n", 0)
        assert (len(sink.ids), sink.duplicates) == (1, 0)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_forty_forks_while_other_threads_make_spans_hang_nothing(protocol: Protocol, tmp_path: Path) -> None:
    """Locks that another thread held at the fork do not stop the child."""
    code = """
        import threading
        start()
        stop = threading.Event()
        def load():
            while not stop.is_set():
                make(20)
                time.sleep(0.001)
        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        children = []
        for _ in range(40):
            pid = os.fork()
            if not pid:
                with agentops_otel.start_session(name="child"):
                    pass
                os._exit(0 if agentops_otel.flush(20) else 1)
            children.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        stop.set()
        for thread in threads:
            thread.join()
        say(sum(codes))
        """
    with OtlpSink(protocol) as sink:
        out, _, status = run(code, sink.endpoint, tmp_path)

        assert (out, status) == ("0\n", 0)
        assert sink.duplicates == 0
        assert sum(span.name == "invoke_workflow child" for span in sink.every) == 40


def test_a_worker_that_died_is_restarted(tmp_path: Path) -> None:
    """An exporter that raises SystemExit in the worker's thread costs its spans, not those that follow."""
    code = """
        from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
        from agentops_otel.export.pipeline import Pipeline
        from agentops_otel.export.sink import Sink
        from opentelemetry.sdk.trace import TracerProvider

        class Deadly(SpanExporter):
            calls = 0
            def export(self, spans):
                self.calls += 1
                if self.calls == 1:
                    raise SystemExit
                return SpanExportResult.SUCCESS

        pipeline = Pipeline(sinks=[Sink(name="deadly", exporter=Deadly())], exit_timeout_s=2.0)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(pipeline)
        tracer = provider.get_tracer("t")
        tracer.start_span("first").end()
        pipeline.force_flush(60_000)
        tracer.start_span("second").end()
        say(pipeline.force_flush(60_000))
        say(pipeline.stats().sent)
        say(dict(pipeline.stats().dropped))
        """

    out, err, exit_code = run(code, "unused", tmp_path)

    assert (out, err, exit_code) == ("True\n1\n{'the exporter failed': 1}\n", "", 0)


def test_signals_of_the_app_are_left_alone(tmp_path: Path) -> None:
    """`init()` installs no handler: what a signal does is the app's to say."""
    code = """
        before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
        start()
        make(1)
        say(before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)])
        """
    with OtlpSink() as sink:
        out, _, status = run(code, sink.endpoint, tmp_path)

    assert (out, status) == ("True\n", 0)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


BURST = """
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags
from agentops_otel.config import Config, Destination
from agentops_otel.export import build
from pathlib import Path

def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

spool_dir = Path(sys.argv[2]) if {spool} else None
pipeline = build(Config(destinations=(Destination(endpoint=sys.argv[1]),), spool_dir=spool_dir))
resource, text = Resource({{}}), "x" * 400
before, most, took = rss(), 0, []
for n in range(1, 200_001):
    context = SpanContext(1, n, is_remote=False, trace_flags=TraceFlags(1))
    span = ReadableSpan("burst", context, resource=resource, attributes={{"text": text, "n": n}})
    began = time.thread_time()
    pipeline.on_end(span)
    took.append(time.thread_time() - began)
    most = max(most, rss()) if n % 1000 == 0 else most
pipeline.force_flush(60_000 if {spool} else 2_000)
stats = pipeline.stats()
say((stats.produced, stats.sent, stats.spooled, stats.pending, dict(stats.dropped)))
say((most - before) // 1_000_000)
say(max(took) * 1000)
pipeline.close(1)
stats = pipeline.stats()
say(stats.produced == stats.sent + stats.spooled + sum(stats.dropped.values()))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory from /proc")
@pytest.mark.parametrize("spool", [True, False], ids=["spool", "memory alone"])
def test_a_burst_of_two_hundred_thousand_spans(spool: bool, tmp_path: Path) -> None:
    """With the collector down: none is lost where there is a disk, memory is bounded, and no `end()` is slow.

    Without a disk what does not fit is counted to the span. It takes the seconds that making so many spans takes.
    """
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: no collector of another test can come to be there
        endpoint = f"http://127.0.0.1:{held.getsockname()[1]}/v1/traces"
        out, err, status = run(BURST.format(spool=spool), endpoint, tmp_path)

    counts, megabytes, slow_ms, adds_up = out.splitlines()
    assert status == 0, err
    produced, sent, spooled, pending, dropped = ast.literal_eval(counts)
    assert (produced, sent) == (200_000, 0)
    if spool:
        assert (spooled, pending, dropped) == (200_000, 0, {})
    else:
        assert spooled == 0
        assert 10_000 < pending == 200_000 - dropped["outbox full"]
    assert int(megabytes) < 64
    assert float(slow_ms) < 50  # its own time: beside it is what else runs on the machine
    assert adds_up == "True"
