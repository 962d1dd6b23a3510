"""The conventions' events of a call: log records for programs that want content apart from the spans, or with them."""

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
    """Writes to the global logger provider; without one, and with an OpenTelemetry before 1.45, nothing is written."""

    def __init__(self) -> None:
        self._logger = get_logger(semconv.SCOPE, VERSION)

    def details(self, context: Context, said: Mapping[str, AttributeValue], told: Mapping[str, AnyValue]) -> None:
        """What the span of an inference says, with content as structures."""
        self._emit(semconv.EVENT_INFERENCE_DETAILS, context, SeverityNumber.DEBUG, {**said, **told})

    def exception(self, context: Context, error: BaseException, content: Content) -> None:
        """The exception that a call ended by."""
        said: dict[str, AnyValue] = {semconv.EXCEPTION_TYPE: qualified_name(type(error))}
        if content.enabled:
            stack = "".join(traceback.format_exception(error))
            said[semconv.EXCEPTION_MESSAGE] = content.text(semconv.EXCEPTION_MESSAGE, str(error))
            said[semconv.EXCEPTION_STACKTRACE] = content.text(semconv.EXCEPTION_STACKTRACE, stack)
        known = {name: value for name, value in said.items() if value is not None}
        self._emit(semconv.EVENT_EXCEPTION, context, SeverityNumber.WARN, known)

    def _emit(self, name: str, context: Context, severity: SeverityNumber, attributes: Mapping[str, AnyValue]) -> None:
        # Loggers that cannot be asked are those of older SDKs, which take no records but their own.
        enabled = getattr(self._logger, "enabled", None)
        if enabled is not None and enabled(context=context, severity_number=severity, event_name=name):
            record = LogRecord(context=context, severity_number=severity, event_name=name, attributes=attributes)
            self._logger.emit(record)


def structured(content: Content, name: str, value: object) -> AnyValue:
    """The content as far as it may be told: what its JSON says; the text where a redaction of the user's broke it."""
    text = content.json(name, value)
    if text is None:
        return None
    try:
        found: AnyValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return found
