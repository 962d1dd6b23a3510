"""The names that spans and metrics of calls carry, against the semantic-convention package where it has them."""

import importlib
import pkgutil
import re
from importlib import metadata

import opentelemetry.semconv._incubating.attributes as incubating
import opentelemetry.semconv._incubating.metrics as metrics
import opentelemetry.semconv.attributes as stable
import pytest
from inline_snapshot import snapshot
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from agentops_otel import semconv
from agentops_otel.clients import SPECS

OURS = ("agentops.", "langgraph.", "openai_agents.", "pydantic_ai.", "taskweaver.")
VERSION = tuple(int(part) for part in re.findall(r"\d+", metadata.version("opentelemetry-semantic-conventions"))[:2])
KNOWN = {
    value
    for package in (incubating, metrics, stable)
    for found in pkgutil.iter_modules(package.__path__)
    for name, value in vars(importlib.import_module(f"{package.__name__}.{found.name}")).items()
    if name.isupper() and isinstance(value, str)
}

NEWER = {
    "anthropic.message.count_tokens.input_tokens",
    "gen_ai.client.inference.duration",
    "gen_ai.client.inference.operation.details",
    "gen_ai.client.inference.operation.input_tokens",
    "gen_ai.client.inference.operation.output_tokens",
    "gen_ai.client.inference.time_per_output_chunk",
    "gen_ai.client.inference.time_to_first_chunk",
    "gen_ai.client.operation.exception",
    "gen_ai.execute_tool.duration",
    "gen_ai.invoke_agent.duration",
    "gen_ai.invoke_agent.inference_calls",
    "gen_ai.invoke_agent.tool_calls",
    "gen_ai.prompt.version",
    "gen_ai.request.previous_response.id",
    "gen_ai.request.reasoning.level",
    "gen_ai.transfer.mode",
    "gen_ai.transfer.target.name",
    "gen_ai.transfer.target.type",
    "gen_ai.usage.audio.input_tokens",
    "gen_ai.usage.audio.output_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.image.input_tokens",
    "gen_ai.usage.image.output_tokens",
    "gen_ai.usage.text.input_tokens",
    "gen_ai.usage.text.output_tokens",
    "operation.name",
    "operation.version",
}
"""What version 0.66 of the package does not have yet, or is not OpenTelemetry's."""


@pytest.mark.skipif(VERSION < (0, 66), reason="this version of the package is older than the names")
def test_every_name_is_the_conventions_own() -> None:
    """What the package has is spelt as there; the rest are newer than it, or not OpenTelemetry's."""
    written = {value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}
    names = {name for name in written if "." in name and not name.endswith(".") and not name.startswith(OURS)}

    providers = {value.value for value in gen_ai_attributes.GenAiProviderNameValues}
    assert names - KNOWN - providers <= NEWER


def test_names_of_ours_stay() -> None:
    """Dashboards and searches ask for them."""
    ours = {value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}

    assert sorted(name for name in ours if name.startswith(OURS)) == snapshot(
        [
            "agentops.action.type",
            "agentops.counted.input_tokens",
            "agentops.entity.input",
            "agentops.entity.output",
            "agentops.event.error.code",
            "agentops.event.fail",
            "agentops.event.logs",
            "agentops.event.result",
            "agentops.event.screenshot",
            "agentops.event.trigger",
            "agentops.exporter.span.spooled",
            "agentops.guardrail.spec",
            "agentops.printed",
            "agentops.session.end_state",
            "agentops.session.end_state_reason",
            "agentops.session.fail",
            "agentops.session.rating",
            "agentops.span.kind",
            "agentops.stream.abandoned",
            "agentops.tags",
            "agentops.usage.cost",
            "langgraph.node",
            "langgraph.step",
            "openai_agents.guardrail.triggered",
            "pydantic_ai.all_messages",
            "taskweaver.",
            "taskweaver.artifact.count",
            "taskweaver.artifact_paths",
            "taskweaver.execution_status",
            "taskweaver.file.count",
            "taskweaver.kernel.mode",
            "taskweaver.kernel.start",
            "taskweaver.post.attempt",
            "taskweaver.post.id",
            "taskweaver.post.send_to",
            "taskweaver.roles",
            "taskweaver.round.id",
            "taskweaver.round.index",
            "taskweaver.round.state",
            "taskweaver.status",
        ]
    )


def test_operations_are_named_as_the_conventions_name_them() -> None:
    """The values of `gen_ai.operation.name` are the conventions', but for what they have no word for."""
    known = {value.value for value in gen_ai_attributes.GenAiOperationNameValues}
    named = {operation.name for spec in SPECS for operation in spec.operations}

    assert sorted(named - known) == snapshot(["count_tokens", "fetch_response", "moderation"])


LACKING = {
    "AI21": "ai21",
    "DASHSCOPE": "dashscope",
    "HUGGING_FACE": "hugging_face",
    "LLAMA_STACK": "llama_stack",
    "MOONSHOT_AI": "moonshot_ai",
    "OLLAMA": "ollama",
    "TOGETHER_AI": "together_ai",
    "ZHIPU_AI": "zhipu_ai",
}
"""Providers that version 0.66 of the package has no name for."""


@pytest.mark.skipif(VERSION < (0, 66), reason="this version of the package is older than the names")
def test_a_provider_has_the_conventions_name_where_there_is_one() -> None:
    """The others have the names that dashboards know."""
    theirs = {member.name: member.value for member in gen_ai_attributes.GenAiProviderNameValues}

    assert {name: getattr(semconv, name) for name in theirs} == theirs
    assert {name: getattr(semconv, name) for name in LACKING} == LACKING
