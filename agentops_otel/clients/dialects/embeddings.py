"""The embeddings dialect of OpenAI, which many other APIs speak."""

from typing import Any

from agentops_otel import semconv
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.reading import field, first, items
from agentops_otel.instrumentation.spec import Operation
from agentops_otel.instrumentation.tables import Table


def dimensions(vector: Any) -> int | None:
    """The length of a vector, which is a list of numbers or base64 of four bytes each."""
    if isinstance(vector, str):
        return (len(vector) * 3 // 4 - vector[-2:].count("=")) // 4
    return len(items(vector)) or None


INPUT: Table = {semconv.GEN_AI_INPUT_MESSAGES: lambda body: gen_ai.texts(field(body, "input"))}

EMBEDDINGS = Operation(
    name="embeddings",
    methods=(),
    request={
        semconv.GEN_AI_REQUEST_MODEL: "model",
        semconv.GEN_AI_REQUEST_ENCODING_FORMATS: "encoding_format",
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: "dimensions",
    },
    request_content=INPUT,
    response={
        semconv.GEN_AI_RESPONSE_MODEL: "model",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: "usage.prompt_tokens",
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: dimensions(
            field(first(response, "data"), "embedding")
        ),
    },
    has_finish_reasons=False,
)
"""The operation. A client's spec adds its methods with `replace()`."""
