"""Makes a span for each call of a Flask view, with the request and the answer."""

import sys
from collections.abc import Callable
from typing import Any

from opentelemetry.trace import Span

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.recording.decorated import DecoratedCall, SpanTemplate
from agentops_otel.tracing import Recorder


class EndpointCall(DecoratedCall):
    """Makes a span for each call of a view. Reads the request after the view: the view must be the first to do so.

    Args:
        function: The view.
        template: The template of its spans.
        get_recorder: Returns the running recorder.
        request: False leaves out the query and the body.
        response: False leaves out the answer's body.
    """

    __slots__ = ("_request", "_response")

    def __init__(
        self,
        function: Callable[..., Any],
        template: SpanTemplate,
        get_recorder: Callable[[], Recorder | None],
        request: bool,
        response: bool,
    ) -> None:
        super().__init__(function, template, get_recorder)
        self._request = request
        self._response = response

    def __reduce__(self) -> tuple[Any, ...]:
        kind, arguments = super().__reduce__()
        return kind, (*arguments, self._request, self._response)

    def finish(self, recorder: Recorder, span: Span, result: object) -> None:
        """End the span of an answered request; a status of 500 or more is a failure."""
        body: object = None
        with guard("reading a Flask answer"):
            self._record_request(recorder, span)
            status, body = _answer(result)
            span.set_attribute(semconv.HTTP_RESPONSE_STATUS_CODE, status)
            if status >= 500:
                recorder.set_error(span, str(status))
        super().finish(recorder, span, body if self._response else None)

    def fail(self, recorder: Recorder, span: Span, error: BaseException) -> None:
        """End the span of a request whose view raised; `abort(404)` is an answer, not a failure."""
        code = getattr(error, "code", None)
        if isinstance(code, int) and 300 <= code < 500:
            self.finish(recorder, span, (None, code))
            return
        with guard("reading a Flask request"):
            self._record_request(recorder, span)
        super().fail(recorder, span, error)

    def _record_request(self, recorder: Recorder, span: Span) -> None:
        # Flask is not imported here: it has been, if a view is called.
        flask: Any = sys.modules.get("flask")
        if flask is None or not flask.has_request_context():
            return
        request = flask.request
        span.set_attributes({semconv.HTTP_REQUEST_METHOD: request.method, semconv.URL_PATH: request.path})
        if self._request:
            asked = {
                **(request.view_args or {}),
                "query": request.args.to_dict(flat=False),
                "body": request.get_json(silent=True) or request.form.to_dict(flat=False),
            }
            given = {name: value for name, value in asked.items() if value}
            if given:
                recorder.set_content(span, self.template.input_name, given)


def _answer(result: Any) -> tuple[int, object]:
    """Status and body of the view's result; a body of None if reading it would consume it."""
    result, *rest = result if isinstance(result, tuple) else (result,)
    status = next((code for code in rest if isinstance(code, int)), getattr(result, "status_code", 200))
    if getattr(result, "is_sequence", False) and not result.direct_passthrough:
        result = result.get_data(as_text=True)
    return status, result if isinstance(result, str | dict | list) else None
