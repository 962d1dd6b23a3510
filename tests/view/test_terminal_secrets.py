"""What a terminal shows has passed redaction, whichever library made the span."""

import io

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import StatusCode

from agentops_otel.config import Config
from agentops_otel.export import build
from agentops_otel.semconv import SCOPE
from agentops_otel.view.printer import Printer
from agentops_otel.view.terminal_processor import TerminalProcessor

KEY = "sk-proj-a1B2c3D4e5F6g7H8i9J0"


def test_a_tree_on_the_terminal_has_no_secret_of_any_library() -> None:
    """Names and statuses are printed as they are sent: without keys."""
    stream = io.StringIO()
    terminal = TerminalProcessor(Printer(stream))
    pipeline = build(Config(), observers=(terminal,))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(pipeline)

    with (
        provider.get_tracer(SCOPE).start_as_current_span(f"ours {KEY}"),
        provider.get_tracer("another.library").start_as_current_span(f"GET /?api_key=letmein&k={KEY}") as span,
    ):
        span.set_status(StatusCode.ERROR, f"{KEY} is refused")
    pipeline.shutdown()
    terminal.shutdown()

    printed = stream.getvalue()
    assert "[redacted] is refused" in printed
    assert "ours [redacted]" in printed
    assert [secret for secret in ("a1B2c3", "letmein") if secret in printed] == []
