"""The counts as OpenTelemetry metrics."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot
from opentelemetry.semconv._incubating.metrics import otel_metrics

from agentops_otel import semconv
from tests.loopback.otlp_sink import Answer, OtlpSink
from tests.python_process import run_python

CODE = """
import sys
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
import agentops_otel

reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
agentops_otel.init(endpoint=sys.argv[1], console=False, spool_dir=sys.argv[3], durability=sys.argv[2])
work = agentops_otel.record_action("work")(lambda: None)
for _ in range(20):
    work()
agentops_otel.flush()
found = []
for resource in reader.get_metrics_data().resource_metrics:
    for scope in resource.scope_metrics:
        for metric in scope.metrics:
            for point in metric.data.data_points:
                found.append((metric.name, point.attributes.get("error.type"), point.value))
for line in sorted(found, key=str):
    print(*line)
"""


@pytest.mark.measured
@pytest.mark.parametrize("durability", ["batch", "span"])
def test_the_counts_are_metrics_of_the_users_meter_provider(durability: str, tmp_path: Path) -> None:
    """What was sent, what was dropped and why, what waits: under the SDK's names."""
    with OtlpSink() as sink:
        sink.decide = lambda received: Answer(rejected=5)

        run = run_python("-c", CODE, sink.endpoint, durability, tmp_path, timeout=60, check=True)

    assert "already" not in run.stderr  # as the SDK says of an instrument that is made twice
    lines = run.stdout.splitlines()
    sent = sum(int(line.split()[-1]) for line in lines if line.startswith("otel.sdk.exporter.span.exported"))
    assert sent == 20
    assert "otel.sdk.exporter.span.inflight None 0" in lines
    assert "agentops.exporter.span.spooled None 0" in lines
    assert any(line.startswith("otel.sdk.exporter.span.exported partial success") for line in lines)


ABOUT = """
import sys
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
import agentops_otel
from agentops_otel.version import VERSION

reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
clients = []
for _ in range(2):
    clients.append(agentops_otel.init(endpoint=sys.argv[1], console=False, spool_dir=sys.argv[2]))
    agentops_otel.record_action("work")(lambda: None)()
    agentops_otel.shutdown(60)
for resource in reader.get_metrics_data().resource_metrics:
    for scope in resource.scope_metrics:
        if scope.scope.name == "agentops_otel" and scope.scope.version == VERSION:
            for metric in scope.metrics:
                about = f"{metric.name} {metric.unit} {metric.data.is_monotonic} {metric.description}"
                print(about, *(f"{dict(point.attributes)} {point.value}" for point in metric.data.data_points), sep="|")
"""


def test_each_metric_says_what_it_counts_and_where(tmp_path: Path) -> None:
    """By the destination, and what was given up by its reason beside that."""
    with OtlpSink() as sink:
        sink.answer(Answer(status=404))
        done = run_python("-c", ABOUT, sink.endpoint, tmp_path, timeout=60, check=True)

    lines = dict(line.split("|", 1) for line in done.stdout.replace(sink.endpoint, "ENDPOINT").splitlines())
    assert {about: sorted(points.split("|")) for about, points in lines.items()} == snapshot(
        {
            "otel.sdk.exporter.span.exported {span} True Spans sent, and those given up by error.type.": [
                "{'otel.component.name': 'ENDPOINT', 'error.type': '404'} 1",
                "{'otel.component.name': 'ENDPOINT'} 1",
            ],
            "otel.sdk.exporter.span.inflight {span} False Spans in memory, on their way.": [
                "{'otel.component.name': 'ENDPOINT'} 0"
            ],
            "agentops.exporter.span.spooled {span} False Spans on disk, to be sent later.": [
                "{'otel.component.name': 'ENDPOINT'} 0"
            ],
        }
    )


def test_the_names_are_the_conventions() -> None:
    """As the installed conventions spell them."""
    assert otel_metrics.OTEL_SDK_EXPORTER_SPAN_EXPORTED == semconv.METRIC_SPANS_EXPORTED
    assert otel_metrics.OTEL_SDK_EXPORTER_SPAN_INFLIGHT == semconv.METRIC_SPANS_IN_FLIGHT
