"""`agentops-otel run --one-trace`: the root span above the spans of all processes of a run, made by `run` itself."""

import secrets
import time
from dataclasses import dataclass, replace

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from agentops_otel import export, semconv
from agentops_otel.config import Config
from agentops_otel.export import file, trace_directory
from agentops_otel.launcher import Run
from agentops_otel.version import VERSION
from agentops_otel.view import terminal, tree

DELIVERY_S = 2.0
"""The longest that the root's delivery takes; it is spooled then."""


@dataclass(frozen=True, slots=True)
class OneTrace:
    """The root span of a run, from the command's start to its end.

    Args:
        run: The run.
        name: The workflow's name.
        config: Where the root goes; the processes read the same settings.
    """

    run: Run
    name: str
    config: Config
    context: SpanContext
    start_ns: int

    @classmethod
    def begin(cls, run: Run, name: str, config: Config) -> "OneTrace":
        """Start the root span, and make it the parent for the processes of the run."""
        flags = TraceFlags(TraceFlags.SAMPLED)
        context = SpanContext(secrets.randbits(128), secrets.randbits(64), is_remote=False, trace_flags=flags)
        run.set_parent(context)
        return cls(run, name, config, context, time.time_ns())

    def end(self, exit_code: int) -> None:
        """Deliver the root span, and print the whole trace if the processes have written it to files."""
        traces = self.config.state_dir / trace_directory.DIRECTORY
        own = traces / f"{self.run.name}.jsonl" if self.config.own_trace_file else self.config.trace_file
        pipeline = export.build(replace(self.config, trace_file=own))
        pipeline.on_end(self._span(exit_code))
        pipeline.close(DELIVERY_S)
        if self.config.own_trace_file:
            spans = [span for path in trace_directory.files_of_run(traces, self.run.name) for span in file.read(path)]
            made = [span for span in spans if isinstance(span, ReadableSpan)]
            for roots in tree.by_trace(made):
                terminal.show(roots, limit=terminal.LINES)

    def _span(self, exit_code: int) -> ReadableSpan:
        return ReadableSpan(
            f"invoke_workflow {self.name}",
            self.context,
            attributes={
                semconv.GEN_AI_OPERATION_NAME: "invoke_workflow",
                semconv.GEN_AI_WORKFLOW_NAME: self.name,
            },
            resource=Resource.create({semconv.SERVICE_NAME: self.name}),
            instrumentation_scope=InstrumentationScope(semconv.SCOPE, VERSION),
            status=Status(StatusCode.ERROR, f"exit code {exit_code}") if exit_code else Status(),
            start_time=self.start_ns,
            end_time=time.time_ns(),
        )
