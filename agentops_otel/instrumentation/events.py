"""The conventions' events of a call: log records with the content, beside the spans or in place of content on them."""

import traceback
from collections.abc import Mapping

import orjson
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger
from opentelemetry.context import Context
from opentelemetry.util.types import AnyValue, AttributeValue

from agentops_otel import semconv
from agentops_otel.content import Content
from agentops_otel.tracing import qualified_name
from agentops_otel.version import VERSION


class Events:
    """Emits log records by the global logger provider. Without one, or before OpenTelemetry 1.45, there are none."""

    def __init__(self) -> None:
        self._logger = get_logger(semconv.SCOPE, VERSION)

    def details(
        self, context: Context, attributes: Mapping[str, AttributeValue], content: Mapping[str, AnyValue]
    ) -> None:
        """Emit the event of an inference: the span's attributes, and content as structures."""
        self._emit(semconv.EVENT_INFERENCE_DETAILS, context, SeverityNumber.DEBUG, {**attributes, **content})

    def exception(self, context: Context, error: BaseException, content: Content) -> None:
        """Emit the event of the exception that ended a call."""
        attributes: dict[str, AnyValue] = {semconv.EXCEPTION_TYPE: qualified_name(type(error))}
        if content.enabled:
            stack = "".join(traceback.format_exception(error))
            attributes[semconv.EXCEPTION_MESSAGE] = content.text(semconv.EXCEPTION_MESSAGE, str(error))
            attributes[semconv.EXCEPTION_STACKTRACE] = content.text(semconv.EXCEPTION_STACKTRACE, stack)
        present = {name: value for name, value in attributes.items() if value is not None}
        self._emit(semconv.EVENT_EXCEPTION, context, SeverityNumber.WARN, present)

    def _emit(self, name: str, context: Context, severity: SeverityNumber, attributes: Mapping[str, AnyValue]) -> None:
        # Loggers of older SDKs have no `enabled`, and take no `LogRecord` of the API.
        enabled = getattr(self._logger, "enabled", None)
        if enabled is not None and enabled(context=context, severity_number=severity, event_name=name):
            record = LogRecord(context=context, severity_number=severity, event_name=name, attributes=attributes)
            self._logger.emit(record)


def structured(content: Content, name: str, value: object) -> AnyValue:
    """The content as a structure, redacted and truncated; as text, if the program's redaction broke the JSON."""
    text = content.json(name, value)
    if text is None:
        return None
    try:
        parsed: AnyValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return parsed
