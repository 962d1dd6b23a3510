"""A program in a process of its own: a framework imported before `init()` and after, and disabled by its name."""

from ast import literal_eval

from tests.program import run

START_TRACING = """
import agentops_otel
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
agentops_otel.init(span_processors=[SimpleSpanProcessor(exporter)], console=False, trace_file=False, spool_dir=False)
"""
UNWARNED = "import warnings; warnings.simplefilter('ignore')"  # the frameworks warn of each other
PRINT = "print([span.name for span in exporter.get_finished_spans()])"


def spans(
    imports: str, work: str, *, imported: str = "before", disabled: str = "", trust_callers: str = ""
) -> list[str]:
    """The names of the program's spans; *imported* says on which side of `init()` the framework is."""
    order = (imports, START_TRACING) if imported == "before" else (START_TRACING, imports)
    program = "\n".join((UNWARNED, *order, work, PRINT))
    variables = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": disabled, "AGENTOPS_TRUST_CALLERS": trust_callers}
    finished = run(program, expect=0, cwd=None, **variables)
    assert "agentops_otel" not in finished.stderr
    found: list[str] = literal_eval(finished.stdout.splitlines()[-1])
    return found
