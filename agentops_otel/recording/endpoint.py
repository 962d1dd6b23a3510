"""What is done round each call of a Flask view: its span says what was asked and what was answered."""

import sys
from collections.abc import Callable
from typing import Any

from opentelemetry.trace import Span

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.recording.decorated import Call, Label
from agentops_otel.tracing import Recorder


class EndpointCall(Call):
    """As for any function; the request is read when the view has had it, so that its body is the view's to read.

    Args:
        function: The view.
        label: What its spans say.
        current: The running recorder.
        request: False leaves out the query and the body.
        response: False leaves out the answer's body.
    """

    __slots__ = ("_request", "_response")

    def __init__(
        self,
        function: Callable[..., Any],
        label: Label,
        current: Callable[[], Recorder | None],
        request: bool,
        response: bool,
    ) -> None:
        super().__init__(function, label, current)
        self._request = request
        self._response = response

    def finish(self, recorder: Recorder, span: Span, result: object) -> None:
        """End the span of a request that was answered; an answer from 500 on is a failure."""
        status, body = 200, None
        with guard("reading a Flask answer"):
            self._say_request(recorder, span)
            status, body = _answer(result)
            span.set_attribute(semconv.HTTP_RESPONSE_STATUS_CODE, status)
            if status >= 500:
                recorder.mark_failed(span, str(status))
        super().finish(recorder, span, body if self._response else None)

    def fail(self, recorder: Recorder, span: Span, error: BaseException) -> None:
        """End the span of a request whose view raised; `abort(404)` is an answer, not a failure."""
        code = getattr(error, "code", None)
        if isinstance(code, int) and 300 <= code < 500:
            self.finish(recorder, span, (None, code))
            return
        with guard("reading a Flask request"):
            self._say_request(recorder, span)
        super().fail(recorder, span, error)

    def _say_request(self, recorder: Recorder, span: Span) -> None:
        # A view is only ever called by a Flask that is there; importing it is not for us to do.
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
                recorder.content_of(span, self._label.input_name, given)


def _answer(result: Any) -> tuple[int, object]:
    """Status and body of what a view returned, as far as they can be had without consuming it."""
    result, *rest = result if isinstance(result, tuple) else (result,)
    status = next((code for code in rest if isinstance(code, int)), getattr(result, "status_code", 200))
    if getattr(result, "is_sequence", False) and not result.direct_passthrough:
        result = result.get_data(as_text=True)
    return status, result if isinstance(result, str | dict | list) else None
