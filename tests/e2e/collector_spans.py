"""Spans sent to a Collector, and the metric of its decisions."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Tracer

from tests.e2e.servers import Collector

SECRET = "sk-proj-Abcdefghijklmnop0123456789"
DECIDED = "otelcol_processor_tail_sampling_global_count_traces_sampled"


def tracer_to(collector: Collector) -> Tracer:
    """A tracer of the bare SDK, which redacts nothing itself; each span is delivered as it ends."""
    provider = TracerProvider(resource=Resource({"service.name": "crew"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{collector.endpoint}/v1/traces")))
    return provider.get_tracer("tests")
