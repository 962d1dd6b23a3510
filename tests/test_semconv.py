"""What is known of the conventions is known in one place."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from agentops_otel import semconv
from agentops_otel.export.agentops_names import translate
from agentops_otel.view.tree import role

SUFFIX_OF_ROLE = {"agent": ".agent", "tool": ".tool", "workflow": ".workflow", "llm": ".llm", "other": ".operation"}


@pytest.mark.parametrize("operation", [*sorted(semconv.OPERATION_ROLES), "execute_event_loop_cycle"])
def test_an_operation_has_one_role(operation: str) -> None:
    """The tree and the AgentOps backend are told the same of an operation; an unlisted one is a framework's own."""
    tracer = TracerProvider().get_tracer("t")
    with tracer.start_as_current_span("parent"):
        span = tracer.start_span("x", attributes={semconv.GEN_AI_OPERATION_NAME: operation})
    assert isinstance(span, ReadableSpan)

    expected = semconv.OPERATION_ROLES.get(operation, "other")

    assert role(span) == expected
    assert translate(span)[0] == f"x{SUFFIX_OF_ROLE[expected]}"
