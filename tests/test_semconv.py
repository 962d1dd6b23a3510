"""What is known of the conventions is known in one place."""

import re

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from agentops_otel import semconv
from agentops_otel.export.agentops_names import translate
from agentops_otel.view.tree import role

SUFFIX_OF_ROLE = {"agent": ".agent", "tool": ".tool", "workflow": ".workflow", "llm": ".llm", "other": ".operation"}


def test_a_name_is_written_as_its_constant_is_called() -> None:
    """So that neither has a mistake alone; the others are metrics, events, prefixes and words of other projects."""
    names = {name: value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}
    otherwise = {name: value for name, value in names.items() if re.sub(r"\W", "_", value).upper() != name}

    assert len(names) - len(otherwise) > 100
    assert otherwise == {
        "SCOPE": "agentops_otel",
        "EXCEPTION_EVENT": "exception",
        "GEN_AI_USAGE": "gen_ai.usage.",
        "METRIC_EXECUTE_TOOL_DURATION": "gen_ai.execute_tool.duration",
        "METRIC_INFERENCE_DURATION": "gen_ai.client.inference.duration",
        "METRIC_INFERENCE_CHUNK": "gen_ai.client.inference.time_per_output_chunk",
        "METRIC_INFERENCE_FIRST_CHUNK": "gen_ai.client.inference.time_to_first_chunk",
        "METRIC_INFERENCE_INPUT_TOKENS": "gen_ai.client.inference.operation.input_tokens",
        "METRIC_INFERENCE_OUTPUT_TOKENS": "gen_ai.client.inference.operation.output_tokens",
        "METRIC_INFERENCE_USAGE": "gen_ai.client.inference.usage.",
        "METRIC_INVOKE_AGENT_DURATION": "gen_ai.invoke_agent.duration",
        "METRIC_INVOKE_AGENT_INFERENCES": "gen_ai.invoke_agent.inference_calls",
        "METRIC_INVOKE_AGENT_TOOLS": "gen_ai.invoke_agent.tool_calls",
        "METRIC_OPERATION_CHUNK": "gen_ai.client.operation.time_per_output_chunk",
        "METRIC_OPERATION_DURATION": "gen_ai.client.operation.duration",
        "METRIC_OPERATION_FIRST_CHUNK": "gen_ai.client.operation.time_to_first_chunk",
        "METRIC_TOKEN_USAGE": "gen_ai.client.token.usage",
        "METRIC_COST": "agentops.usage.cost",
        "EVENT_EXCEPTION": "gen_ai.client.operation.exception",
        "EVENT_INFERENCE_DETAILS": "gen_ai.client.inference.operation.details",
        "METRIC_SPANS_EXPORTED": "otel.sdk.exporter.span.exported",
        "METRIC_SPANS_IN_FLIGHT": "otel.sdk.exporter.span.inflight",
        "METRIC_SPANS_SPOOLED": "agentops.exporter.span.spooled",
        "ANTHROPIC_COUNTED_INPUT_TOKENS": "anthropic.message.count_tokens.input_tokens",
        "SESSION_FAILED": "agentops.session.fail",
        "EVENT_FAILED": "agentops.event.fail",
        "PYDANTIC_AI_FINAL_RESULT": "final_result",
        "TASKWEAVER_ARTIFACTS": "taskweaver.artifact_paths",
        "TASKWEAVER_ATTACHMENT_PREFIX": "taskweaver.",
        "TASKWEAVER_KERNEL_START_SPAN": "taskweaver.kernel.start",
        "TASKWEAVER_STATUS_EVENT": "taskweaver.status",
        "GEN_AI_EVENTS": "gen_ai.",
    }


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
