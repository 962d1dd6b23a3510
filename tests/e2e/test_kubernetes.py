"""`deploy/kubernetes/`: agents that redact and share out, gateways that sample, all on one machine."""

import json
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import StatusCode, Tracer

from tests.e2e.install_servers import COLLECTOR
from tests.e2e.servers import CONFIG, ROOT, Collector, Jaeger, eventually, program
from tests.e2e.test_collector import SECRET, tracer_to
from tests.e2e.test_jaeger import tags

KUBERNETES = ROOT / "deploy" / "kubernetes"
# Enough for the gateways' shares, which chance decides, never to be none.
TRACES = 60


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
    """Two agents mask and share out, two gateways judge whole traces: what failed is in one Jaeger or the other, whole.

    Each gateway has a Jaeger of its own here, which tells what went through it.
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
        failed = make_traces(*(tracer_to(agent) for agent in agents))
        eventually(lambda: sum(g.decided(kept=False) or 0 for g in gateways) == TRACES - len(failed), "every decision")
        eventually(lambda: sum(len(spans(jaeger)) for jaeger in jaegers) == 2 * len(failed), "every span that is kept")
        reached = [jaeger.traces("crew") for jaeger in jaegers]
        steps = [tags(span) for jaeger in jaegers for span in spans(jaeger) if span["operationName"] == "step"]

    assert [len(traces) > 0 for traces in reached] == [True, True]
    assert reached[0].keys().isdisjoint(reached[1])
    assert reached[0].keys() | reached[1].keys() == failed
    assert {len(found) for traces in reached for found in traces.values()} == {2}
    assert [attributes["agentops.entity.input"] for attributes in steps] == ["****"] * len(failed)


def make_traces(here: Tracer, there: Tracer) -> set[str]:
    """Traces of two spans, one at each agent; the ids of those in which the second failed: every other one."""
    failed = set()
    for number in range(TRACES):
        with here.start_as_current_span("run"), there.start_as_current_span("step") as step:
            step.set_attribute("agentops.entity.input", SECRET)
            if number % 2:
                step.set_status(StatusCode.ERROR)
                failed.add(f"{step.get_span_context().trace_id:032x}")
    return failed


def spans(jaeger: Jaeger) -> list[dict[str, Any]]:
    """Every span it holds."""
    return [span for found in jaeger.traces("crew").values() for span in found]
