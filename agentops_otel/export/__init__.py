"""How spans leave the process."""

from opentelemetry.sdk.trace.export import SpanExporter

from agentops_otel.config import Config, Destination
from agentops_otel.export.pipeline import Pipeline, Stats

__all__ = ["Pipeline", "Stats", "build"]


def build(config: Config) -> Pipeline:
    """The pipeline that the settings ask for."""
    return Pipeline([_exporter(destination) for destination in config.destinations])


def _exporter(destination: Destination) -> SpanExporter:
    if destination.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        return GrpcExporter(
            endpoint=destination.endpoint, headers=dict(destination.headers), timeout=destination.timeout_s
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(
        endpoint=destination.endpoint, headers=dict(destination.headers), timeout=destination.timeout_s
    )
