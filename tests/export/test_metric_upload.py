"""Metrics go where the spans go, and arrive as they do: at exit, after a fork, once a collector is back."""

import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace

import pytest
from inline_snapshot import snapshot
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceOfOtlp
from opentelemetry.sdk.resources import Resource

import agentops_otel
from agentops_otel import config
from agentops_otel.content import SpanRedaction
from agentops_otel.destinations import Destination
from agentops_otel.export import metric_upload
from agentops_otel.export.meters import MetricUpload, OwnMeterProvider, _attributes, _Reader
from agentops_otel.export.outbox import Outbox
from agentops_otel.export.sender import Answer as AnswerOfSender
from agentops_otel.export.sender import Sender, Verdict
from agentops_otel.export.spool import Spool
from tests.export.delivery import destination
from tests.export.processes import Protocol, python
from tests.loopback.agentops_backend import AgentOpsBackend
from tests.loopback.otlp_sink import METRICS_METHOD, Answer, OtlpSink, Received, value_of
from tests.program import run

PROTOCOLS: tuple[Protocol, ...] = ("http/protobuf", "grpc")
SECRET = "sk-" + "a1B2" * 12
EXIT_S = 2.0


def sums(sink: OtlpSink) -> dict[str, dict[str, float]]:
    """The newest value of each counter, or the number of measurements of a histogram, by the service's instance."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for request in sink.metrics:
        for resource in request.resource_metrics:
            about = {one.key: value_of(one.value) for one in resource.resource.attributes}
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                points = getattr(metric, metric.WhichOneof("data")).data_points
                values = (
                    point.count if hasattr(point, "count") else point.as_int + point.as_double for point in points
                )
                found[str(about["service.instance.id"])][metric.name] = sum(values)
    return found


def own(sink: OtlpSink) -> list[float]:
    """The newest value of the program's own counter, of each process."""
    return sorted(each["app.calls"] for each in sums(sink).values() if "app.calls" in each)


def each(sink: OtlpSink, name: str) -> list[int]:
    """The sum of a counter in each request that has it."""
    return [
        sum(point.as_int for point in metric.sum.data_points)
        for request in sink.metrics
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
    ]


PROGRAM = """
import os, sys
import agentops_otel
from opentelemetry import metrics

calls = metrics.get_meter("app").create_counter("app.calls")  # made before init(), as libraries do
agentops_otel.init(console=False)

@agentops_otel.record_tool("search")
def search():
    calls.add(1)

@agentops_otel.agent(name="writer")
def writer():
    search()
    search()
"""


def ran(program: str, sink: OtlpSink, spool: Path, **more: str) -> CompletedProcess[str]:
    """The program, run with the variables that send spans and metrics to the collector, and *more*."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint.removesuffix("/v1/traces"),
        "OTEL_EXPORTER_OTLP_PROTOCOL": sink.protocol,
        "AGENTOPS_SPOOL_DIR": str(spool),
        "OTEL_METRICS_EXPORTER": "otlp",
        "AGENTOPS_EXIT_TIMEOUT_S": "60",  # on a busy machine the usual time may not do
        **more,
    }
    return run(program, expect=0, cwd=None, **variables)


@pytest.mark.measured
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_program_measured_has_arrived_when_it_has_ended(protocol: Protocol, tmp_path: Path) -> None:
    """Its own metrics, those of agents and tools, and those of delivery; with the headers of the spans."""
    with OtlpSink(protocol) as sink:
        ran(PROGRAM + "writer()", sink, tmp_path, OTEL_EXPORTER_OTLP_HEADERS="x-team=tea")

    (found,) = sums(sink).values()
    assert {name: value for name, value in found.items() if not name.startswith("otel.sdk")} == snapshot(
        {
            "app.calls": 2,
            "gen_ai.execute_tool.duration": 2,
            "gen_ai.invoke_agent.duration": 1,
            "gen_ai.invoke_agent.inference_calls": 1,
            "gen_ai.invoke_agent.tool_calls": 1,
            "agentops.exporter.span.spooled": 0,
        }
    )
    of_metrics = [received for received in sink.received if received.metrics is not None]
    path = "/v1/metrics" if protocol == "http/protobuf" else METRICS_METHOD
    assert {(received.path, received.headers["x-team"]) for received in of_metrics} == {(path, "tea")}
    assert len(sink.every) == 3


@pytest.mark.parametrize("exporter", ["none", ""])
def test_without_the_setting_there_is_no_meter_provider(exporter: str, tmp_path: Path) -> None:
    """`none` is as if it were not set."""
    with OtlpSink() as sink:
        done = ran(
            PROGRAM + "writer(); print(type(metrics.get_meter_provider()).__name__)",
            sink,
            tmp_path,
            OTEL_METRICS_EXPORTER=exporter,
        )

    assert (done.stdout, sink.metrics, len(sink.every)) == ("_ProxyMeterProvider\n", [], 3)


FORKING = """
import os
from agentops_otel.export import meters, pipeline

meters.FORK_WAIT_S = pipeline.FORK_WAIT_S = 30.0
os.register_at_fork(before=lambda: print(len(os.listdir("/proc/self/task")), flush=True))  # the last of these hooks
"""
"""Says how many threads the process has when it forks."""


def test_a_forked_child_counts_for_itself(tmp_path: Path) -> None:
    """What the parent measured before the fork is the parent's; no thread of ours is there when it forks."""
    with OtlpSink() as sink:
        done = ran(
            f"{FORKING}{PROGRAM}writer()\nif not os.fork():\n    search()\n    sys.exit()\nos.wait()\nwriter()",
            sink,
            tmp_path,
        )

    assert done.stdout == "1\n"

    assert own(sink) == [1, 4]
    tools = sorted(each["gen_ai.execute_tool.duration"] for each in sums(sink).values())
    assert tools == [1, 4]


def test_metrics_that_are_collected_at_a_fork_start_no_thread_then(tmp_path: Path) -> None:
    """The thread that collects ends first, and then the one that sends, which it wakes."""
    collecting = """
import threading, time
from opentelemetry import metrics
from opentelemetry.metrics import Observation

began, forking = threading.Event(), threading.Event()

def observed(options):
    began.set()
    forking.wait(30)
    time.sleep(0.1)  # until the fork waits for this thread
    return [Observation(1)]

os.register_at_fork(before=forking.set)  # the first of these hooks
metrics.get_meter("app").create_observable_gauge("waits", [observed])
assert began.wait(30)
if pid := os.fork():
    os.waitpid(pid, 0)
else:
    os._exit(0)
"""
    with OtlpSink() as sink:
        done = ran(f"{FORKING}{PROGRAM}{collecting}", sink, tmp_path, OTEL_METRIC_EXPORT_INTERVAL="20")

    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize(
    ("given", "of_parent", "is_kept"), [("mine", None, True), ("mine", "mine", True), (None, None, False)]
)
def test_a_process_has_one_name(
    given: str | None, of_parent: str | None, monkeypatch: pytest.MonkeyPatch, *, is_kept: bool
) -> None:
    """The one that it has, or one for all of its collections; its child has another."""
    reader = _Reader(of_parent)

    def named() -> str:
        resource = ResourceOfOtlp()
        if given is not None:
            resource.attributes.add(key="service.instance.id").value.string_value = given
        reader._identify(resource.attributes)
        return str(resource.attributes[0].value.string_value)

    first, second = named(), named()
    monkeypatch.setattr("os.getpid", lambda: 1)
    of_child, again = named(), named()

    assert first == second
    assert (first == given) is is_kept
    assert of_child == again
    assert (of_child == first) is (given is not None and of_parent is None)


@pytest.mark.parametrize(
    ("patched", "is_renewed"), [(None, True), ([], True), (["threading"], False), (["socket"], True)]
)
def test_the_sdk_renews_its_locks_in_a_child_but_where_threads_are_greenlets(
    patched: list[str] | None, monkeypatch: pytest.MonkeyPatch, *, is_renewed: bool
) -> None:
    """A lock of gevent's is not to be taken there."""
    if patched is not None:
        monkey = SimpleNamespace(is_module_patched=patched.__contains__)
        monkeypatch.setitem(sys.modules, "gevent.monkey", monkey)
    else:
        monkeypatch.delitem(sys.modules, "gevent.monkey", raising=False)
    provider = OwnMeterProvider(Resource({}))
    before = provider._lock

    provider._handle_fork()
    provider.shutdown()

    assert (provider._lock is not before) is is_renewed


def test_the_first_process_of_a_container_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number is 1."""
    monkeypatch.setattr("os.getpid", lambda: 1)
    resource = ResourceOfOtlp()
    _Reader()._identify(resource.attributes)

    assert len(resource.attributes[0].value.string_value) == 36


class Waits:
    """A destination that answers when it is let."""

    limit_bytes = 1000

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.bodies: list[bytes] = []

    def prepare(self) -> None:
        """Nothing is left to import."""

    def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> AnswerOfSender:
        """Accept, then."""
        self.bodies.append(body)
        self.answers.wait(60)
        return AnswerOfSender(verdict=Verdict.ACCEPTED)

    def close(self) -> None:
        """Nothing is open."""

    forked = close


@contextmanager
def uploading(spool: Spool | None = None, *, durable: bool = False) -> Iterator[tuple[MetricUpload, Waits]]:
    """An upload of a provider with a counter and a histogram, at long intervals, to one who waits."""
    waits = Waits()
    sender = Sender("metrics", Outbox(spool, request_spans=1), waits)
    upload = MetricUpload([sender], interval_s=3600.0, durable=durable, redaction=SpanRedaction(capture_content=True))
    provider = OwnMeterProvider(Resource({"service.name": "s"}))
    upload.start(provider)
    provider.get_meter("m").create_counter("n").add(1, {"a": "b", "password": "hunter2!", "port": 5})
    provider.get_meter("m").create_histogram("h").record(2.0)
    try:
        yield upload, waits
    finally:
        waits.answers.set()
        upload.close()
        sender.stop(time.monotonic() + 60)
        upload._thread.join(60)


@pytest.mark.parametrize("durable", [True, False])
def test_a_collection_is_one_request_and_on_disk_at_once_where_spans_are(durable: bool, tmp_path: Path) -> None:
    """Else it is on its way first."""
    with uploading(Spool(tmp_path), durable=durable) as (upload, _):
        collected = upload.collect(60)
        stats = upload.senders[0].outbox.stats(1)

    assert collected
    assert (stats.spooled, stats.pending) == ((1, 0) if durable else (0, 1))


def test_after_its_end_nobody_gets_what_is_collected() -> None:
    """The program may still flush the provider."""
    with uploading() as (upload, _):
        provider = upload._provider
        assert provider is not None
        upload.close()
        assert provider.force_flush()

        assert not upload.senders[0].outbox.has_work


def test_without_a_thread_who_asks_collects(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the end of an interpreter, which starts none."""

    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with uploading() as (upload, _):
        assert upload.collect(60)
        assert upload.senders[0].outbox.stats(1).pending == 1


def test_histograms_are_collected_as_the_variable_prefers(monkeypatch: pytest.MonkeyPatch) -> None:
    """By buckets, or exponential."""
    name = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
    found = []
    for preferred in ("explicit_bucket_histogram", "base2_exponential_bucket_histogram"):
        monkeypatch.setenv(name, preferred)
        with uploading() as (upload, waits):
            upload.collect(60)
            entry = upload.senders[0].outbox.take(time.monotonic() + 60)
            assert entry is not None
            request = ExportMetricsServiceRequest.FromString(entry.body)
            waits.answers.set()
        [scope] = request.resource_metrics[0].scope_metrics
        found.append({metric.name: metric.WhichOneof("data") for metric in scope.metrics})

    assert found == [{"n": "sum", "h": "histogram"}, {"n": "sum", "h": "exponential_histogram"}]


def test_texts_of_points_and_exemplars_are_redacted_and_numbers_stay() -> None:
    """Wherever a request has attributes."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    point = resource.scope_metrics.add().metrics.add(name="n").sum.data_points.add()
    holders = (resource.resource.attributes, point.attributes, point.exemplars.add().filtered_attributes)
    for holder in holders:
        holder.add(key="password").value.string_value = "hunter2!"
        holder.add(key="city").value.string_value = "Oslo"
        holder.add(key="port").value.int_value = 5
    reader = _Reader()

    for attributes in _attributes(request):
        reader._redact(attributes)

    kept = {"password": "[redacted]", "city": "Oslo", "port": 5}
    assert [{one.key: value_of(one.value) for one in holder} for holder in holders] == [kept] * 3


def test_a_child_under_gevent_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Its resource is its parent's, but for the instance: else its counts would be taken for those of its parent."""
    pytest.importorskip("gevent")
    program = f"from gevent import monkey\nmonkey.patch_all()\n{PROGRAM}writer()\n"
    with OtlpSink() as sink:
        ran(
            f"{program}if not os.fork():\n    search()\n    agentops_otel.flush()\n    sys.exit()\n"
            "os.wait()\nwriter()\nagentops_otel.flush()",
            sink,
            tmp_path,
        )

    assert own(sink) == [1, 4]


@pytest.mark.parametrize(
    "then",
    [
        "work()",
        pytest.param("", marks=pytest.mark.skipif(sys.version_info >= (3, 13), reason="it begins with the next span")),
    ],
)
def test_metrics_are_sent_at_intervals(then: str, tmp_path: Path) -> None:
    """While the program runs, and after a fork has ended the thread that sends them."""
    begun = "start(upload_metrics=True)\nwork()\nagentops_otel.flush(30)\n"
    code = f"{begun}if not os.fork():\n    os._exit(0)\nos.wait()\n{then}\nsay()\ninput()"
    with pytest.MonkeyPatch.context() as environment, OtlpSink() as sink:
        environment.setenv("OTEL_METRIC_EXPORT_INTERVAL", "20")
        with python(code, sink.endpoint, tmp_path):
            sink.wait_until(
                lambda: any("otel.sdk.exporter.span.exported" in each for each in sums(sink).values()), "metrics"
            )
            seen = len(sink.metrics)
            sink.wait_until(lambda: len(sink.metrics) > seen + 2, "more metrics")


@pytest.mark.parametrize("before", ["", "writer()\nif os.fork():\n    os.wait()\n    sys.exit()\n"])
def test_a_process_that_makes_no_span_sends_its_metrics_at_intervals(before: str, tmp_path: Path) -> None:
    """Also the child of one that has made some, as a worker of a server that forks."""
    program = PROGRAM + (
        f"{before}calls.add(5)\n"
        "import time\nwhile not os.path.exists(os.environ['DONE']):\n    time.sleep(0.01)\nos._exit(0)"
    )
    done = tmp_path / "done"
    with OtlpSink() as sink:

        def decide(received: Received) -> Answer:
            if 5 in own(sink):
                done.touch()
            return Answer()

        sink.decide = decide
        ran(program, sink, tmp_path, OTEL_METRIC_EXPORT_INTERVAL="50", DONE=str(done))

    assert own(sink) == ([2, 5] if before else [5])


def test_metrics_wait_on_disk_for_a_collector_that_fails(tmp_path: Path) -> None:
    """The next process delivers them; each once."""
    with OtlpSink() as sink:
        sink.decide = lambda received: Answer(status=503)
        done = ran(PROGRAM + "writer()", sink, tmp_path)
        assert "metrics wait in" in done.stderr
        assert sink.metrics == []

        sink.decide = lambda received: Answer()
        ran(
            "import agentops_otel; agentops_otel.init(console=False); agentops_otel.flush()",
            sink,
            tmp_path,
        )

    assert 2 in own(sink)


def test_a_collector_that_refuses_metrics_costs_no_span(tmp_path: Path) -> None:
    """They are given up, with one line that says so."""
    with OtlpSink() as sink:
        sink.decide = lambda received: Answer(status=404 if received.metrics is not None else 200)
        done = ran(PROGRAM + "writer()", sink, tmp_path)

    assert len(sink.every) == 3
    assert re.search(r"/v1/metrics refused metrics: 404", done.stderr)


def test_a_callback_that_hangs_holds_up_no_further_client(tmp_path: Path) -> None:
    """The thread that waits for it has the SDK's lock, and keeps it."""
    program = PROGRAM + (
        "import time\nhangs = True\n"
        "metrics.get_meter('app').create_observable_gauge('app.stuck', [lambda _: time.sleep(60) if hangs else []])\n"
        "writer()\nagentops_otel.shutdown(0.5)\nhangs = False\nagentops_otel.init(console=False)\nsearch()\n"
        "print(agentops_otel.flush(20))\nsys.stdout.flush()\nos._exit(0)"
    )
    with OtlpSink() as sink:
        assert ran(program, sink, tmp_path).stdout == "True\n"

    assert own(sink) == [1]


def test_a_callback_that_hangs_holds_up_no_exit(tmp_path: Path) -> None:
    """The program's own callbacks are called on a thread of ours, and waited for within the exit's time."""
    program = PROGRAM + (
        "import time\n"
        "metrics.get_meter('app').create_observable_gauge('app.stuck', [lambda options: time.sleep(60)])\n"
        "writer()\nbegun = time.monotonic()\nagentops_otel.shutdown()\nagentops_otel.init(console=False)\n"
        "print(time.monotonic() - begun)\nsys.stdout.flush()\nos._exit(0)"
    )
    with OtlpSink() as sink:
        done = ran(program, sink, tmp_path, AGENTOPS_EXIT_TIMEOUT_S=str(EXIT_S))

    assert float(done.stdout) < 10 * EXIT_S
    assert len(sink.every) == 3


def test_under_opentelemetrys_launcher_its_provider_sends_metrics_and_nothing_is_said(tmp_path: Path) -> None:
    """Its distribution sets the variable for everybody, and a provider up."""
    theirs = "from opentelemetry import metrics\nfrom opentelemetry.sdk.metrics import MeterProvider\n"
    program = theirs + "metrics.set_meter_provider(MeterProvider())\nimport agentops_otel\nagentops_otel.init()"
    with OtlpSink() as sink:
        done = ran(program, sink, tmp_path)

    assert "metrics" not in done.stderr


@pytest.mark.measured
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_meter_provider_of_the_program_is_never_replaced(when: str, tmp_path: Path) -> None:
    """One that was there before init() gets ours, and nothing is uploaded; a later one is taken, as without us."""
    own_provider = (
        "from opentelemetry.sdk.metrics import MeterProvider\n"
        "from opentelemetry.sdk.metrics.export import InMemoryMetricReader\n"
        "from opentelemetry import metrics\nimport agentops_otel\n"
        "theirs = MeterProvider([InMemoryMetricReader()])\n"
    )
    start = "agentops_otel.init(console=False, upload_metrics=True)\n"
    use = "metrics.set_meter_provider(theirs)\n"
    with OtlpSink() as sink:
        done = ran(
            own_provider
            + (use + start if when == "before" else start + use)
            + "assert metrics.get_meter_provider() is theirs\n"
            + "agentops_otel.record_tool('search')(lambda: None)()",
            sink,
            tmp_path,
        )

    found = {name for each in sums(sink).values() for name in each}
    assert ("gen_ai.execute_tool.duration" in found) is (when == "after")
    said = "metrics are not uploaded: the program has a meter provider of its own, which gets those of agentops_otel.\n"
    assert (said in done.stderr) is (when == "before")
    assert ("metrics are not uploaded" in done.stderr) is (when == "before")
    assert "Overriding" not in done.stderr


@pytest.mark.parametrize(("preference", "sent"), [("", [2, 4]), ("delta", [2, 2])])
def test_counts_are_sent_as_the_variable_prefers(preference: str, sent: list[int], tmp_path: Path) -> None:
    """From the start by default, or since the last collection."""
    program = PROGRAM + "writer()\nagentops_otel.flush()\nwriter()"
    with OtlpSink() as sink:
        ran(program, sink, tmp_path, OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=preference)

    assert each(sink, "app.calls") == sent


@pytest.mark.measured
def test_a_second_init_counts_anew(tmp_path: Path) -> None:
    """`shutdown()` sends the last of it; what is measured until the next `init()` is sent by nobody."""
    again = (
        "first = agentops_otel.get_client()\nwriter()\nagentops_otel.shutdown()\ncalls.add(5)\n"
        "agentops_otel.init(console=False)\nsearch()\nagentops_otel.flush()"
    )
    with OtlpSink() as sink:
        ran(PROGRAM + again, sink, tmp_path)

    assert own(sink) == [1]
    # The three spans of the first client, whose counts are there for as long as it is, and one.
    assert max(each(sink, "otel.sdk.exporter.span.exported")) == 4


def test_one_thread_collects_and_none_does_after_the_end(tmp_path: Path) -> None:
    """However often a program flushes."""
    counts = """
import threading, time
def collecting():
    return sum(thread.name == "agentops-otel-metrics" for thread in threading.enumerate())
writer()
print(all(agentops_otel.flush() for _ in range(3)), collecting())
agentops_otel.shutdown()
while collecting():
    time.sleep(0.01)
"""
    with OtlpSink() as sink:
        assert ran(PROGRAM + counts, sink, tmp_path).stdout == "True 1\n"


def test_no_secret_is_in_an_attribute_of_a_metric(tmp_path: Path) -> None:
    """Of a point, or of the resource, which the environment gives."""
    with OtlpSink() as sink:
        ran(
            PROGRAM + f"calls.add(1, {{'query': 'key {SECRET}', 'password': 'hunter2!', 'city': 'Oslo'}})",
            sink,
            tmp_path,
            OTEL_RESOURCE_ATTRIBUTES=f"api_key={SECRET}",
        )

    sent = b"".join(request.SerializeToString() for request in sink.metrics)
    assert SECRET.encode() not in sent
    assert b"hunter2" not in sent
    assert b"Oslo" in sent


@pytest.mark.parametrize("capture", ["true", "false"])
def test_what_a_program_asks_for_is_content_in_metrics_too(capture: str, tmp_path: Path) -> None:
    """As in spans. The attribute stays: points without it might be the same."""
    asked = {"url.full": "https://x.org/a?q=warm", "url.query": "q=warm", "city": "Oslo"}
    with OtlpSink() as sink:
        ran(
            PROGRAM + f"calls.add(1, {asked})",
            sink,
            tmp_path,
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=capture,
        )

    [found] = [
        {one.key: one.value.string_value for one in point.attributes}
        for request in sink.metrics
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "app.calls"
        for point in metric.sum.data_points
    ]
    without = {"url.full": "https://x.org/a", "url.query": "[redacted]", "city": "Oslo"}
    assert found == (asked if capture == "true" else without)


@pytest.mark.parametrize("durability", ["batch", "span"])
def test_durability_is_of_metrics_too(durability: config.Durability, tmp_path: Path) -> None:
    """With "span" a collection is on disk before it is sent."""
    answers = threading.Event()
    with OtlpSink() as sink:
        sink.decide = lambda received: Answer() if answers.wait(60) else Answer(status=503)
        where = replace(destination(sink), endpoint=sink.endpoint.replace("traces", "metrics"), signal="metrics")
        upload = metric_upload(config.Config(metrics=(where,), spool_dir=tmp_path, durability=durability))
        assert upload is not None
        provider = OwnMeterProvider(Resource({"service.name": "s"}))
        upload.start(provider)
        provider.get_meter("m").create_counter("n").add(1)
        try:
            assert upload.collect(60)
            stats = upload.senders[0].outbox.stats(1)
        finally:
            answers.set()
            upload.close()
            upload.senders[0].stop(time.monotonic() + 60)
            upload._thread.join(60)

    assert (stats.spooled, stats.pending) == ((1, 0) if durability == "span" else (0, 1))
    assert len(sink.metrics) == 1


def test_an_account_gets_metrics_with_its_token(tmp_path: Path) -> None:
    """At AgentOps' place for them, beside that of the spans."""
    with AgentOpsBackend() as backend:
        run(
            PROGRAM + "writer()",
            AGENTOPS_API_KEY=backend.api_key,
            AGENTOPS_API_ENDPOINT=backend.account.api_endpoint,
            AGENTOPS_EXPORTER_ENDPOINT=backend.sink.endpoint,
            AGENTOPS_SPOOL_DIR=str(tmp_path),
            OTEL_METRICS_EXPORTER="otlp",
        )

    of_metrics = [received for received in backend.sink.received if received.metrics is not None]
    assert {received.path for received in of_metrics} == {"/v1/metrics"}
    assert all(received.headers["authorization"].startswith("Bearer ") for received in of_metrics)
    assert own(backend.sink) == [2]


def to(**settings: str) -> list[str]:
    """Where metrics go with these variables, and what is sent along."""
    with pytest.MonkeyPatch.context() as environment:
        for name, text in settings.items():
            environment.setenv(name, text)
        places: tuple[Destination, ...] = config.read_config(upload_metrics=True).metrics
    return [
        " ".join([place.display_url, place.protocol, *place.headers.values()]) + (" if it is there" * place.probe)
        for place in places
    ]


def test_where_metrics_go() -> None:
    """Where the spans do; by OpenTelemetry's variables for metrics, if they are set."""
    otlp = "OTEL_EXPORTER_OTLP_"

    assert [
        to(),
        to(**{f"{otlp}ENDPOINT": "http://c:4318"}),
        to(**{f"{otlp}ENDPOINT": "http://c:4317"}),
        to(**{f"{otlp}ENDPOINT": "http://c:4318", f"{otlp}METRICS_ENDPOINT": "http://m/own"}),
        to(**{f"{otlp}ENDPOINT": "http://c:4318", f"{otlp}HEADERS": "a=1", f"{otlp}METRICS_HEADERS": "a=2"}),
        to(**{f"{otlp}TRACES_ENDPOINT": "http://c:4318/v1/traces", f"{otlp}TRACES_HEADERS": "a=1"}),
        to(**{f"{otlp}TRACES_ENDPOINT": "http://c:4318/own"}),
        to(**{f"{otlp}PROTOCOL": "grpc"}),
        to(**{f"{otlp}ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}),
        to(AGENTOPS_API_KEY="key"),
        to(AGENTOPS_API_KEY="key", **{f"{otlp}ENDPOINT": "http://c:4318"}),
    ] == snapshot(
        [
            ["http://localhost:4318/v1/metrics http/protobuf if it is there"],
            ["http://c:4318/v1/metrics http/protobuf"],
            ["http://c:4317 grpc"],
            ["http://m/own http/protobuf"],
            ["http://c:4318/v1/metrics http/protobuf 2"],
            ["http://c:4318/v1/metrics http/protobuf 1"],
            ["http://localhost:4318/v1/metrics http/protobuf if it is there"],
            ["http://localhost:4317 grpc"],
            ["http://c:4318/v1/metrics http/protobuf"],
            ["https://otlp.agentops.ai/v1/metrics http/protobuf"],
            ["http://c:4318/v1/metrics http/protobuf", "https://otlp.agentops.ai/v1/metrics http/protobuf"],
        ]
    )


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("OTEL_METRICS_EXPORTER", "otpl", "use otlp, none or the name of an installed exporter"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "soon", "give a number of milliseconds greater than 0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0", "give a number of milliseconds greater than 0"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "collector", "give a URL such as http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json", "use http/protobuf or grpc"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "none", "use cumulative, delta or lowmemory"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "none",
            "use explicit_bucket_histogram or base2_exponential_bucket_histogram",
        ),
    ],
)
def test_a_setting_of_metrics_that_cannot_work_is_named(
    name: str, text: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what would be right; it is looked at only where metrics are sent."""
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp")
    monkeypatch.setenv(name, text)

    with pytest.raises(agentops_otel.ConfigError, match=f"^{name}='{text}' is not usable: {right}$"):
        config.read_config()

    if name != "OTEL_METRICS_EXPORTER":
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        assert config.read_config().metrics == ()
