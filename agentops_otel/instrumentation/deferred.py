"""A call's attributes that are read from a copy of its request or response, on the exporting thread."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.content import LazyList, Source, source_of
from agentops_otel.instrumentation.spec import Operation
from agentops_otel.instrumentation.tables import attributes, contents


class DeferredRequest:
    """The attributes and the content of a request, but those that the span started with.

    Args:
        operation: What the request asks for.
        source: The copy of the request.
    """

    __slots__ = ("_operation", "_source")
    replaces = False

    def __init__(self, operation: Operation, source: Source) -> None:
        self._operation = operation
        self._source = source

    def attributes(self) -> Mapping[str, AttributeValue]:
        """The attributes of the request."""
        return attributes(self._operation.request_rows, self._source.value())

    def content(self) -> Mapping[str, object]:
        """Its messages and tools."""
        read = contents(self._operation.request_content_rows, self._source.value())
        return {name: value.copied() if type(value) is LazyList else value for name, value in read.items()}


def copy_request(operation: Operation, request: Any) -> DeferredRequest | None:
    """A request to be read later; None if it cannot be copied, as where it has the client itself."""
    copied = source_of(request) if type(request) is dict and "self" not in request else None
    return None if copied is None else DeferredRequest(operation, copied)


class DeferredResponse:
    """The attributes and the content of a response.

    Args:
        operation: What the response answers.
        source: The copy of the response.
        is_complete: False if the program read a part of it only.
    """

    __slots__ = ("_is_complete", "_operation", "_source")
    replaces = True

    def __init__(self, operation: Operation, source: Source, *, is_complete: bool) -> None:
        self._operation = operation
        self._source = source
        self._is_complete = is_complete

    def attributes(self) -> Mapping[str, AttributeValue]:
        """The attributes of the response."""
        return response_attributes(self._operation, self._source.value(), is_complete=self._is_complete)

    def content(self) -> Mapping[str, object]:
        """Its messages."""
        return contents(self._operation.response_content_rows, self._source.value())


def response_attributes(operation: Operation, response: Any, *, is_complete: bool) -> dict[str, AttributeValue]:
    """The attributes that the operation reads from a response."""
    read = attributes(operation.response_rows, response)
    if not is_complete and operation.has_finish_reasons:
        read.setdefault(semconv.GEN_AI_RESPONSE_FINISH_REASONS, ("error",))
    read.update(semconv.older_names(read))
    return read
