"""`deploy/kubernetes/`: agents that redact and share out, gateways that sample, all on one machine."""

import json
import re
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.collector_spans import DECIDED
from tests.e2e.gateways import KAFKA, KUBERNETES, TRACES, make_traces, total
from tests.e2e.install_servers import COLLECTOR, JAEGER, MANIFEST
from tests.e2e.jaeger_spans import tags
from tests.e2e.servers import CONFIG, ROOT, Collector, Jaeger, eventually, program


@pytest.mark.parametrize(
    ("overlay", "settings"),
    [
        ("agent.yaml", {"GATEWAYS": '{dns: {hostname: gateway, port: "4317"}}'}),
        ("gateway.yaml", {}),
        ("gateway.yaml", {"OTELCOL_EXPORTERS": "[kafka]", "KAFKA_BROKERS": "[kafka-0:9092, kafka-1:9092]"}),
    ],
)
def test_the_configurations_are_valid(overlay: str, settings: dict[str, str]) -> None:
    """The Collector's own `validate` finds nothing wrong, whichever way the spans leave."""
    command = [str(program(COLLECTOR)), "validate", f"--config={CONFIG}", f"--config={KUBERNETES / overlay}"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=settings)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_jaeger_behind_kafka_is_valid() -> None:
    """Jaeger's own `validate` finds nothing wrong with the configuration that reads the gateways' topic."""
    command = [str(program(JAEGER)), "validate", f"--config={KAFKA / 'jaeger.yaml'}"]
    settings = {"KAFKA_BROKERS": "[kafka-0:9092, kafka-1:9092]"}

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=settings)

    assert done.returncode == 0, done.stderr


def test_every_image_is_pinned_to_what_is_tested() -> None:
    """Compose and Kubernetes name the same exact tags, and the Collector's is the version that these tests run."""
    tags = {image: tag for image, tag in re.findall(r"image: (\S+):(\S+)", (ROOT / "deploy/compose.yaml").read_text())}
    kustomization = (KUBERNETES / "kustomization.yaml").read_text()

    assert dict(re.findall(r"name: (\S+/\S+)\n +newTag: (\S+)", kustomization)) == tags
    assert f"version: {tags['otel/opentelemetry-collector-contrib']}" in MANIFEST.read_text()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", tag) for tag in tags.values())


def test_all_spans_of_a_trace_reach_the_same_gateway(tmp_path: Path) -> None:
    """Two agents mask and share out, two gateways judge whole traces: what failed is in one Jaeger or the other, whole.

    Each gateway has a Jaeger of its own here, which tells what went through it.
    Its seconds are the starts of six servers, and those until the gateways decide.
    """
    with ExitStack() as running:

        def folder() -> Path:
            return Path(tempfile.mkdtemp(dir=tmp_path))

        jaegers = [running.enter_context(Jaeger(folder())) for _ in range(2)]
        gateways = [
            running.enter_context(Collector(folder(), settings, overlay=KUBERNETES / "gateway.yaml"))
            for settings in ({"JAEGER_OTLP": f"127.0.0.1:{j.grpc_port}", "OTELCOL_KEEP_PERCENT": "0"} for j in jaegers)
        ]
        names = [f"127.0.0.1:{gateway.grpc_port}" for gateway in gateways]
        settings = {"GATEWAYS": json.dumps({"static": {"hostnames": names}})}
        agents = [
            running.enter_context(Collector(folder(), settings, overlay=KUBERNETES / "agent.yaml")) for _ in range(2)
        ]
        failed = make_traces(agents, gateways)
        eventually(lambda: total(gateways, DECIDED) == TRACES, "every decision")
        kept = [int(gateway.own(DECIDED, sampled="true") or 0) for gateway in gateways]
        reached = [jaeger.traces("crew", 2 * count) for jaeger, count in zip(jaegers, kept, strict=True)]

    assert [len(traces) > 0 for traces in reached] == [True, True]
    assert reached[0].keys().isdisjoint(reached[1])
    assert reached[0].keys() | reached[1].keys() == failed
    assert {len(found) for traces in reached for found in traces.values()} == {2}
    every = [span for traces in reached for found in traces.values() for span in found]
    steps = [tags(span) for span in every if span["operationName"] == "step"]
    assert [attributes["agentops.entity.input"] for attributes in steps] == ["****"] * len(failed)
