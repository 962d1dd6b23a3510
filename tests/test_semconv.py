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


def test_each_operation_has_the_role_that_readers_give_it() -> None:
    """Those that ask a model for an answer are some of the calls."""
    assert {"chat", "generate_content", "text_completion"} == semconv.INFERENCE_OPERATIONS
    assert dict(semconv.OPERATION_ROLES) == {
        "chat": "llm",
        "count_tokens": "llm",
        "create_agent": "agent",
        "embeddings": "llm",
        "execute_tool": "tool",
        "fetch_response": "llm",
        "generate_content": "llm",
        "invoke_agent": "agent",
        "invoke_workflow": "workflow",
        "moderation": "llm",
        "plan": "agent",
        "retrieval": "tool",
        "search_memory": "tool",
        "text_completion": "llm",
        "upsert_memory": "tool",
    }


def test_what_is_content_is_known_by_its_name() -> None:
    """Ours, the conventions' of any generation, and those of OpenInference and OpenLLMetry."""
    assert sorted(semconv.CONTENT) == [
        "agentops.entity.input",
        "agentops.entity.output",
        "agentops.event.logs",
        "agentops.event.screenshot",
        "agentops.printed",
        "agentops.session.end_state_reason",
        "exception.message",
        "exception.stacktrace",
        "final_result",
        "gen_ai.completion",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.prompt",
        "gen_ai.retrieval.documents",
        "gen_ai.retrieval.query.text",
        "gen_ai.system_instructions",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.tool.definitions",
        "pydantic_ai.all_messages",
    ]
    assert sorted(semconv.OTHERS_CONTENT) == [
        "input.value", "output.value", "tool.parameters", "traceloop.entity.input", "traceloop.entity.output",
    ]  # fmt: skip
    assert semconv.OTHERS_CONTENT_PREFIXES == (
        "gen_ai.completion.", "gen_ai.prompt.", "llm.completions.", "llm.input_messages.", "llm.output_messages.",
        "llm.prompts.", "retrieval.documents.",
    )  # fmt: skip
    assert sorted(semconv.GEN_AI_EVENT_FIELDS) == [
        "error.type", "finish_reason", "id", "index", "name", "role", "server.address", "server.port",
    ]  # fmt: skip
    assert sorted(semconv.USER_TEXTS) == [
        "agentops.event.error.code", "agentops.session.rating", "gen_ai.request.stop_sequences",
    ]  # fmt: skip


def test_what_has_had_another_name_is_told_by_both() -> None:
    """A reader may know the older one alone."""
    written = {"gen_ai.usage.cache_write.input_tokens": 3, "gen_ai.usage.input_tokens": 5}

    assert semconv.older_names(written) == {"gen_ai.usage.cache_creation.input_tokens": 3}
    assert semconv.older_names({}) == {}
