"""`deploy/kubernetes/`: agents that redact and share out, gateways that sample, all on one machine."""

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.install_servers import COLLECTOR
from tests.e2e.servers import CONFIG, ROOT, Collector, eventually, program
from tests.e2e.test_collector import SECRET, to, tracer_to
from tests.loopback.otlp_sink import OtlpSink, attributes_of

KUBERNETES = ROOT / "deploy" / "kubernetes"
TRACES = 20


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


def test_all_spans_of_a_trace_reach_the_same_gateway(tmp_path: Path) -> None:
    """Two agents share the spans of each trace, two gateways share the traces; no trace is split, no secret passes."""
    folders = [tmp_path / name for name in ("agent-0", "agent-1", "gateway-0", "gateway-1")]
    for folder in folders:
        folder.mkdir()
    with ExitStack() as running:
        sinks = [running.enter_context(OtlpSink("grpc")) for _ in range(2)]
        gateways = [
            running.enter_context(Collector(folder, to(sink), overlay=KUBERNETES / "gateway.yaml"))
            for folder, sink in zip(folders[2:], sinks, strict=True)
        ]
        names = [f"127.0.0.1:{gateway.grpc_port}" for gateway in gateways]
        settings = {"GATEWAYS": json.dumps({"static": {"hostnames": names}})}
        agents = [
            running.enter_context(Collector(folder, settings, overlay=KUBERNETES / "agent.yaml"))
            for folder in folders[:2]
        ]
        here, there = (tracer_to(agent) for agent in agents)
        for _ in range(TRACES):
            with here.start_as_current_span("run"), there.start_as_current_span("step") as step:
                step.set_attribute("agentops.entity.input", SECRET)
        eventually(lambda: sum(len(sink.ids) for sink in sinks) == 2 * TRACES, "every span")

    reached = [{span.trace_id for received in sink.received for span in received.spans} for sink in sinks]
    spans = [span for sink in sinks for received in sink.received for span in received.spans]
    told = [attributes_of(span) for span in spans if span.name == "step"]
    assert [len(traces) > 0 for traces in reached] == [True, True]
    assert reached[0].isdisjoint(reached[1])
    assert [attributes["agentops.entity.input"] for attributes in told] == ["****"] * TRACES
