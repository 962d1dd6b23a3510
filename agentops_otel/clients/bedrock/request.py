"""The request of a Bedrock call: its operation, model and body."""

from collections.abc import Callable, Mapping
from typing import Any

from agentops_otel.instrumentation.reading import field, loads

METHODS = ("BaseClient._make_api_call",)


def body(arguments: Mapping[str, Any]) -> Any:
    """The parameters of Converse, the body of InvokeModel, or the input of StartAsyncInvoke; and the model's id."""
    params = arguments["api_params"]
    sent = params.get("body")
    sent_body = loads(sent) if isinstance(sent, bytes | bytearray | str) else params.get("modelInput", params)
    return {**(sent_body if isinstance(sent_body, dict) else {}), "model": params.get("modelId")}


def asks(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a call is of one of the operations."""
    return lambda arguments: arguments.get("operation_name") in names


_invokes_any = asks("InvokeModel", "InvokeModelWithResponseStream")


def ranks(arguments: Mapping[str, Any]) -> bool:
    """Whether a call has documents put in order. No text comes of it, and no other client's ranking has a span."""
    request = body(arguments)
    return "rerank" in str(request["model"]) or ("query" in request and "documents" in request)


def invokes(*models: str, mark: str | None = None, unless: str | None = None) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a call invokes one of the models, by a part of its id, or any with the key *mark* in its body.

    Without models and mark: any model that writes.
    """

    def applies(arguments: Mapping[str, Any]) -> bool:
        if not _invokes_any(arguments):
            return False
        request = body(arguments)
        named = any(model in str(request["model"]) for model in models)
        is_any = not models and mark is None and not ranks(arguments)
        return (named or is_any or (mark is not None and mark in request)) and unless not in request

    return applies


def either(*names: str) -> Callable[[Any], Any]:
    """Reads the first of the fields that is there; dots lead inwards."""
    return lambda source: next(
        (value for name in names if (value := field(source, *name.split("."))) is not None), None
    )
