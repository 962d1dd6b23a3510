"""The google-generativeai package, the predecessor of google-genai: Gemini by gRPC or REST.

The API client is wrapped that `GenerativeModel`, its chats and `embed_content` call. It takes and returns protocol
buffers, whose fields have the same names as google-genai's.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentops_otel import semconv
from agentops_otel.clients.dialects import embeddings
from agentops_otel.clients.google import genai
from agentops_otel.instrumentation.call import Call
from agentops_otel.instrumentation.reading import field, items
from agentops_otel.instrumentation.spec import ClientSpec


def _methods(*names: str) -> tuple[str, ...]:
    return tuple(f"GenerativeService{kind}Client.{name}" for kind in ("", "Async") for name in names)


def _plain(message: Any) -> Any:
    """A protocol buffer as a dict of the fields that are set; any other value unchanged."""
    kind: Any = type(message)
    if not hasattr(kind, "pb"):
        return message
    from google.protobuf.json_format import MessageToDict  # installed wherever protocol buffers are

    return MessageToDict(kind.pb(message), preserving_proto_field_name=True)


def _body(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The request in the shape that google-genai's tables read. A batch of embeddings is a list of requests."""
    request = arguments.get("request")
    given = arguments if request is None else _plain(request)
    if not isinstance(given, Mapping):
        return {}
    fields = {name: _plain(value) for name, value in given.items()}
    requests = items(fields, "requests") or [fields]
    config = field(fields, "generation_config")
    return {
        "model": fields.get("model"),
        "contents": items(fields, "contents") or [field(single, "content") for single in requests],
        "config": {**requests[0], **(config if isinstance(config, dict) else {})},
    }


def _url(client: Any) -> str:
    host: str = client.transport.host
    return host if "://" in host else f"https://{host}"


def _fold(response: dict[str, Any], chunk: Any) -> None:
    genai.fold(response, _plain(chunk))


def wrap_result(call: Call, value: Any) -> Any:
    """The response itself. An asynchronous stream is observed: it is iterable, but no iterator."""
    if hasattr(value, "__aiter__"):
        return call.observe_stream(value)
    call.completed(_plain(value))
    return value


GENERATE = replace(
    genai.GENERATE,
    methods=_methods("generate_content", "stream_generate_content"),
    fold=_fold,
)

EMBED = replace(
    genai.EMBED,
    methods=_methods("embed_content", "batch_embed_contents"),
    response={
        semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: lambda response: embeddings.dimensions(
            field(next(iter(items(response, "embeddings")), field(response, "embedding")), "values")
        )
    },
)

SPEC = ClientSpec(
    name="google-generativeai",
    module="google.ai.generativelanguage_v1beta.services.generative_service",
    operations=(GENERATE, EMBED),
    provider=semconv.GCP_GEMINI,
    url=_url,
    body=_body,
    wrap_result=wrap_result,
)
