"""OpenTelemetry's own encoder, as a judge of ours: what the installed version of it can say."""

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext


def _encodes_empty_values() -> bool:
    span = ReadableSpan("probe", SpanContext(1, 1, is_remote=False), attributes={"none": None}, resource=Resource({}))
    return bool(encode_spans([span]).resource_spans[0].scope_spans[0].spans[0].attributes)


complete_stock_encoder = pytest.mark.skipif(
    not _encodes_empty_values(), reason="this version of OpenTelemetry's own encoder leaves out empty and mixed values"
)
