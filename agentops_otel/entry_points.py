"""Entry points for OpenTelemetry's own launcher. A program that calls `init()` needs none of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from agentops_otel import export, sdk
from agentops_otel.config import read_config
from agentops_otel.environment import ConfigError
from agentops_otel.guard import guard


class AgentOpsExporter(SpanExporter):
    """`OTEL_TRACES_EXPORTER=agentops`: spans of any OpenTelemetry program go to the account of `AGENTOPS_API_KEY`.

    Raises:
        ConfigError: No key, or a setting that cannot work.
    """

    def __init__(self) -> None:
        config = read_config(console=False, trace_file=False, auto_start_session=False)
        hosted = tuple(destination for destination in config.destinations if destination.agentops)
        if not hosted:
            raise ConfigError("AGENTOPS_API_KEY", "", "the agentops exporter needs the key of an account")
        self._pipeline = export.build(replace(config, destinations=hosted, exporters=()))

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take the spans; the pipeline delivers them, and keeps on disk what it cannot deliver yet."""
        for span in spans:
            self._pipeline.on_end(span)
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until the spans are delivered, or safe on disk."""
        return self._pipeline.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Deliver what is left."""
        self._pipeline.shutdown()


class _Instrumentor:
    """Base of the instrumentors. The launcher makes an object and calls `instrument` with arguments of its own."""

    what: Literal["llm_calls", "taskweaver"]

    def instrument(self, **_: object) -> None:
        """Record from now on, with the global tracer provider."""
        # An exception here would keep the launcher from starting every other instrumentation.
        with guard("starting under an OpenTelemetry launcher"):
            sdk.instrument_until_init(self.what, wanted=True)

    def uninstrument(self, **_: object) -> None:
        """Put back what was wrapped."""
        with guard("stopping under an OpenTelemetry launcher"):
            sdk.instrument_until_init(self.what, wanted=False)


class LlmInstrumentor(_Instrumentor):
    """`agentops_otel`: the LLM clients, whichever the program imports."""

    what = "llm_calls"


class TaskWeaverInstrumentor(_Instrumentor):
    """`taskweaver`: its sessions, down to the code that they run."""

    what = "taskweaver"
