"""Flask views under `track_endpoint`."""

from collections.abc import Iterator
from types import FunctionType
from typing import Any

import flask
import pytest
from inline_snapshot import snapshot
from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract

from tests.recording.conftest import Recording


@pytest.fixture
def app() -> flask.Flask:
    """A Flask app whose errors are answers."""
    return flask.Flask("test")


def test_request_and_answer_are_said(recording: Recording, app: flask.Flask) -> None:
    """Method, path, query, body and the answer of each request; the view reads the body as ever."""

    @app.post("/ask/<topic>")
    @recording.decorators.track_endpoint(name="ask", tags=["web"], version="1")
    def ask(topic: str) -> dict[str, object]:
        return {"topic": topic, "asked": flask.request.get_json()}

    @app.post("/raw")
    @recording.decorators.track_endpoint
    def raw() -> str:
        return flask.request.stream.read().decode()

    client = app.test_client()

    assert client.post("/ask/tea?q=1", json={"a": 2}).json == {"topic": "tea", "asked": {"a": 2}}
    assert client.post("/raw", data='{"b": 3}', content_type="application/json").text == '{"b": 3}'
    assert recording.tree() == snapshot(
        [
            {
                "name": "invoke_workflow ask",
                "attributes": {
                    "agentops.entity.input": '{"topic": "tea", "query": {"q": ["1"]}, "body": {"a": 2}}',
                    "agentops.entity.output": '{"topic": "tea", "asked": {"a": 2}}',
                    "agentops.span.kind": "workflow",
                    "agentops.tags": ["session", "web"],
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "ask",
                    "http.request.method": "POST",
                    "http.response.status_code": 200,
                    "operation.version": "1",
                    "url.path": "/ask/tea",
                },
            },
            {
                "name": "invoke_workflow raw",
                "attributes": {
                    "agentops.entity.output": '"{\\"b\\": 3}"',
                    "agentops.span.kind": "workflow",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "raw",
                    "http.request.method": "POST",
                    "http.response.status_code": 200,
                    "url.path": "/raw",
                },
            },
        ]
    )


def test_a_view_that_is_a_function_stays_one(recording: Recording) -> None:
    """Any other that can be called stays what it is, too."""

    def view() -> str:
        return "a function's"

    class View:
        def __call__(self) -> str:
            """As Flask calls it."""
            return "an object's"

    decorated, other = recording.decorators.track_endpoint(view), recording.decorators.track_endpoint(View())

    assert type(decorated) is FunctionType
    assert isinstance(other, View)
    assert (decorated(), other()) == ("a function's", "an object's")


def test_a_callers_trace_is_continued_only_where_the_app_says_so(recording: Recording, app: flask.Flask) -> None:
    """A request's `traceparent` is not believed by itself; a view that is called under `extract()` continues it."""

    @app.get("/unasked")
    @recording.decorators.track_endpoint
    def unasked() -> str:
        return "a trace of its own"

    @recording.decorators.track_endpoint
    def asked() -> str:
        return "the caller's trace"

    @app.get("/asked")
    def under_the_caller() -> str:
        token = attach(extract(flask.request.headers))
        try:
            return asked()
        finally:
            detach(token)

    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    for path in ("/unasked", "/asked"):
        app.test_client().get(path, headers=headers)

    alone, continued = recording.spans
    assert alone.parent is None
    assert f"{alone.context.trace_id:032x}" != "0af7651916cd43dd8448eb211c80319c"
    assert continued.parent is not None
    assert f"{continued.parent.trace_id:032x}-{continued.parent.span_id:016x}" in headers["traceparent"]


def test_statuses_are_said_and_500_is_a_failure(recording: Recording, app: flask.Flask) -> None:
    """An answer from 500 on, and an exception, are failures; `abort(404)` is an answer."""

    @app.get("/<int:code>")
    @recording.decorators.track_endpoint(capture_request=False, capture_response=False)
    def answer(code: int) -> Any:
        match code:
            case 200:
                return flask.Response("fine")
            case 503:
                return {"sorry": True}, 503
            case 500:
                return "sorry", 500
            case 404:
                flask.abort(404)
            case 299:
                return flask.Response(_pieces()), 299
        raise ValueError("no such code")

    client = app.test_client()

    assert [client.get(f"/{code}").status_code for code in (200, 503, 500, 404, 299, 1)] == [
        *(200, 503, 500, 404, 299, 500)
    ]
    assert [
        (span.status.status_code.name, (span.attributes or {}).get("http.response.status_code"))
        for span in recording.spans
    ] == [("UNSET", 200), ("ERROR", 503), ("ERROR", 500), ("UNSET", 404), ("UNSET", 299), ("ERROR", None)]


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [(299, "ERROR", None), (300, "UNSET", 300), (499, "UNSET", 499), (500, "ERROR", None), ("404", "ERROR", None)],
)
def test_an_exception_with_the_code_of_an_answer_is_one(
    recording: Recording, app: flask.Flask, code: object, status: str, told: object
) -> None:
    """From 300 to 499, as `abort` and a redirect raise it; any other is a failure, which the view's caller gets."""

    class Answer(Exception):
        def __init__(self) -> None:
            self.code = code

    @recording.decorators.track_endpoint
    def view() -> None:
        raise Answer

    with app.test_request_context("/"), pytest.raises(Answer):
        view()

    [span] = recording.spans
    assert (span.status.status_code.name, (span.attributes or {}).get("http.response.status_code")) == (status, told)
    assert (span.attributes or {})["url.path"] == "/"
    assert [event.name for event in span.events] == ["exception"] * (status == "ERROR")


@pytest.mark.parametrize(
    ("body", "told"), [("fine", '"fine"'), ({"sorry": True}, '{"sorry": true}'), (b"as bytes", '"as bytes"')]
)
def test_the_text_of_a_response_is_said(recording: Recording, app: flask.Flask, body: Any, told: str) -> None:
    """What the view answers with, in whichever form; reading it leaves it as it was."""

    @app.get("/")
    @recording.decorators.track_endpoint
    def answer() -> Any:
        return body if isinstance(body, dict) else flask.Response(body)

    assert app.test_client().get("/").status_code == 200
    [span] = recording.spans
    assert (span.attributes or {})["agentops.entity.output"] == told


def test_view_that_is_called_outside_a_request_is_a_function(recording: Recording) -> None:
    """Without a request there is nothing to say of one."""

    @recording.decorators.track_endpoint
    def view() -> list[int]:
        return [1]

    assert view() == [1]
    assert [span.name for span in recording.spans] == ["invoke_workflow view"]


def _pieces() -> Iterator[str]:
    yield "a"
