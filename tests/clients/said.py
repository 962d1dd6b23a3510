"""What a span says of a request, of an answer, and of an answer that came in chunks."""

from typing import Any

from agentops_otel.instrumentation.folding import joined
from agentops_otel.instrumentation.spec import Operation
from agentops_otel.instrumentation.tables import attributes, contents


def said(operation: Operation, answer: Any) -> dict[str, Any]:
    """What a span says of an answer."""
    return {**attributes(operation.response_rows, answer), **contents(operation.response_content_rows, answer)}


def streamed(operation: Operation, *chunks: Any) -> dict[str, Any]:
    """What a span says of the chunks."""
    whole: dict[str, Any] = {}
    assert operation.fold is not None
    for chunk in chunks:
        operation.fold(whole, chunk)
    return said(operation, joined(whole))


def asked(operation: Operation, request: Any) -> dict[str, Any]:
    """What a span says of a request."""
    return {**attributes(operation.request_rows, request), **contents(operation.request_content_rows, request)}
