"""Traces whose spans are spread over agents and gateways."""

from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.trace import StatusCode

from tests.e2e.collector_spans import SECRET, tracer_to
from tests.e2e.servers import ROOT, Collector, eventually

KUBERNETES = ROOT / "deploy" / "kubernetes"
KAFKA = ROOT / "deploy" / "kubernetes-kafka"
# Enough for the gateways' shares, which chance decides, never to be none.
TRACES = 60


def make_traces(agents: Sequence[Collector], gateways: Sequence[Collector], *, before: int = 0) -> set[str]:
    """Traces of two spans, one at each agent, and as many *before*; the ids of those in which the second failed."""
    here, there = (tracer_to(agent) for agent in agents)
    runs = [here.start_span("run") for _ in range(TRACES)]
    for number, run in enumerate(runs):
        with there.start_as_current_span("step", trace.set_span_in_context(run)) as step:
            step.set_attribute("agentops.entity.input", SECRET)
            if number % 2:
                step.set_status(StatusCode.ERROR)
    # What decides is there before the root, which ends the wait for more.
    eventually(
        lambda: total(gateways, "otelcol_receiver_accepted_spans") == 2 * before + TRACES, "every step at a gateway"
    )
    for run in runs:
        run.end()
    return {f"{run.get_span_context().trace_id:032x}" for run in runs[1::2]}


def total(collectors: Sequence[Collector], metric: str) -> float:
    """The sum of what they say of themselves under this name."""
    return sum(collector.own(metric) or 0 for collector in collectors)
