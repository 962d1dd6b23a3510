"""The names that spans and metrics of calls carry, against the semantic-convention package where it has them."""

from inline_snapshot import snapshot
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, openai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

from agentops_otel import semconv
from agentops_otel.clients import SPECS

KNOWN = {
    value
    for module in (gen_ai_attributes, openai_attributes, gen_ai_metrics)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
}


def test_every_name_is_the_conventions_own() -> None:
    """What the package has is spelt as there; the rest are the names that are newer than it, and no others."""
    written = {value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}
    names = {name for name in written if name.startswith(("gen_ai.", "openai.")) and not name.endswith(".")}
    newer = names - KNOWN

    assert sorted(newer) == snapshot(
        [
            "gen_ai.client.inference.duration",
            "gen_ai.client.inference.operation.input_tokens",
            "gen_ai.client.inference.operation.output_tokens",
            "gen_ai.client.inference.time_to_first_chunk",
            "gen_ai.prompt.version",
            "gen_ai.request.previous_response.id",
            "gen_ai.request.reasoning.level",
            "gen_ai.usage.audio.input_tokens",
            "gen_ai.usage.audio.output_tokens",
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.image.input_tokens",
            "gen_ai.usage.image.output_tokens",
            "gen_ai.usage.text.input_tokens",
            "gen_ai.usage.text.output_tokens",
        ]
    )


def test_operations_are_named_as_the_conventions_name_them() -> None:
    """The values of `gen_ai.operation.name` are the conventions', but for what they have no word for."""
    known = {value.value for value in gen_ai_attributes.GenAiOperationNameValues}
    named = {operation.name for spec in SPECS for operation in spec.operations}

    assert sorted(named - known) == snapshot(["count_tokens", "fetch_response", "moderation"])
