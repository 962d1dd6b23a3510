"""Decodes the body of an OTLP request into spans. Its size is limited, also when decompressed."""

import base64
import zlib
from typing import Any

import orjson
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view.live.store import Codec

LIMIT_BYTES = 64 * 1024 * 1024
"""The largest body, decompressed."""
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_IDS = ("traceId", "spanId", "parentSpanId")


def decode(body: bytes, codec: Codec, *, content_type: str, encoding: str = "") -> list[ReadableSpan]:
    """The spans of a request.

    Args:
        body: As it was sent.
        codec: Reads OTLP JSON.
        content_type: `application/json`, or protobuf.
        encoding: How it is compressed: "gzip", "deflate" or "".

    Raises:
        ValueError: The body is no such request, or too large.
    """
    if encoding not in ("", "identity", "gzip", "deflate"):
        raise ValueError(f"no such content-encoding is taken: {encoding}")
    plain = _decompressed(body) if encoding in ("gzip", "deflate") else body
    if content_type.partition(";")[0].strip() == "application/json":
        return codec.loads(plain)
    return codec.loads(orjson.dumps(_from_protobuf(plain)))


def _decompressed(body: bytes) -> bytes:
    inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = inflate.decompress(body, LIMIT_BYTES)
    except zlib.error as error:
        raise ValueError(f"the body cannot be decompressed: {error}") from error
    if inflate.unconsumed_tail:
        raise ValueError(f"the body is larger than {LIMIT_BYTES} bytes")
    return plain


def _from_protobuf(body: bytes) -> dict[str, Any]:
    """The request as OTLP JSON has it: that of protobuf, but for ids, which are hex digits."""
    # Imported here: the rest of the package does without these.
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        message = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise ValueError("the body is no ExportTraceServiceRequest") from error
    request: dict[str, Any] = {"resourceSpans": [], **MessageToDict(message, use_integers_for_enums=True)}
    for resource in request["resourceSpans"]:
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                for one in (span, *span.get("links", ())):
                    one.update({name: base64.b64decode(one[name]).hex() for name in _IDS if name in one})
    return request
