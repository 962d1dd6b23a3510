"""The contract of every client, held by anthropic and google-genai, and what is hostile in their own words."""

import json
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from tests.clients.capture import capture
from tests.clients.forms import anthropic, google_genai
from tests.clients.forms.form import QUESTION, TEXT, Forms
from tests.clients.test_contract import (
    both,
    outcome,
    test_a_stream_left_early_ends_its_span,
    test_a_stream_that_is_cut_says_what_came,
    test_a_suppressed_call_makes_no_span,
    test_an_asynchronous_stream_that_is_cancelled_ends_its_span,
    test_an_error_is_on_the_span_by_its_class,
    test_the_program_gets_the_same_and_sends_the_same,
    test_whatever_the_server_says_the_program_gets_the_same,
    test_with_content_off_nothing_that_was_said_is_kept,
)
from tests.loopback.anthropic_server import events, message
from tests.loopback.google_genai_server import content
from tests.loopback.llm_server import Answer, LlmServer

__all__ = [
    "test_a_stream_left_early_ends_its_span",
    "test_a_stream_that_is_cut_says_what_came",
    "test_a_suppressed_call_makes_no_span",
    "test_an_asynchronous_stream_that_is_cancelled_ends_its_span",
    "test_an_error_is_on_the_span_by_its_class",
    "test_the_program_gets_the_same_and_sends_the_same",
    "test_whatever_the_server_says_the_program_gets_the_same",
    "test_with_content_off_nothing_that_was_said_is_kept",
]

pytestmark = pytest.mark.filterwarnings(
    # google-genai's own, where aiohttp is installed.
    "ignore:Inheritance class AiohttpClientSession from ClientSession is discouraged:DeprecationWarning"
)

FORMS = {"anthropic": anthropic.FORMS, "google-genai": google_genai.FORMS}


@pytest.fixture(params=FORMS)
def client(request: pytest.FixtureRequest) -> Forms:
    """One client after the other."""
    if request.param == "google-genai" and "left_unread" in request.node.name:
        pytest.skip("asks for nothing until its stream is read")
    return FORMS[request.param]


def event(kind: str, **said: Any) -> dict[str, Any]:
    """An event of Anthropic's."""
    return {"type": kind, **said}


START = event("message_start", message=message(content=[], usage=None))
BLOCK = event("content_block_start", index=0, content_block={"type": "tool_use", "id": "1", "name": "f", "input": {}})
HOSTILE: list[tuple[Forms, str, Answer]] = [
    (anthropic.FORMS, "plain", Answer.json(message(usage=None, content=None))),
    (anthropic.FORMS, "plain", Answer.json(message(usage={"input_tokens": "many", "cache_read_input_tokens": True}))),
    (anthropic.FORMS, "plain", Answer.json(message(content=[None, 7, {"type": 3}, {"type": "surprise", "x": [1]}]))),
    (anthropic.FORMS, "plain", Answer.json(message(content=[{"type": "text", "text": "\ud83d half a smile"}]))),
    (anthropic.FORMS, "plain", Answer.json(message(content=[{"type": "text", "text": "long " * 500_000}]))),
    (anthropic.FORMS, "plain", Answer.json(message(id=None, model=7, role=[], stop_reason={"x": 1}))),
    (anthropic.FORMS, "streamed", Answer.events([event("surprise"), *events(message())], done=False)),
    (anthropic.FORMS, "streamed", Answer.events([START, event("message_delta", delta=None, usage="many")], done=False)),
    (
        anthropic.FORMS,
        "streamed",
        Answer.events(
            [
                START,
                BLOCK,
                event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": "{"}),
            ],
            done=False,
        ),
    ),
    (
        anthropic.FORMS,
        "streamed",
        Answer.events([event("content_block_delta", index="one", delta={"type": "text_delta", "text": 4})], done=False),
    ),
    (google_genai.FORMS, "plain", Answer.json(content(usageMetadata=None, candidates=None))),
    (google_genai.FORMS, "plain", Answer.json(content(usageMetadata={"promptTokenCount": None, "surprise": 1}))),
    (google_genai.FORMS, "plain", Answer.json(content(usageMetadata="many"))),
    (google_genai.FORMS, "plain", Answer.json(content(candidates=[{"content": None}, {"content": {"parts": None}}]))),
    (google_genai.FORMS, "plain", Answer.json(content(candidates=[{"finishReason": "SURPRISE", "index": -1}]))),
    (google_genai.FORMS, "plain", Answer.json(content([{"text": "\ud83d half a smile"}]))),
    (google_genai.FORMS, "plain", Answer.json(content([{"text": "long " * 500_000}]))),
    (google_genai.FORMS, "plain", Answer.json(content([{"functionCall": {"name": None, "args": None}}, {}]))),
    (google_genai.FORMS, "streamed", Answer.events([{"surprise": 1}, content(), content(candidates=None)], done=False)),
    (google_genai.FORMS, "streamed", Answer.events([content(), b"data: {\n\n"], done=False)),
    (google_genai.FORMS, "streamed", Answer.events([content(candidates=[{"index": 10**9}])], done=False)),
]


@pytest.mark.parametrize(("asked", "form", "hostile"), HOSTILE)
def test_what_is_hostile_in_the_clients_own_words_changes_nothing(
    asked: Forms, form: str, hostile: Answer, server: LlmServer
) -> None:
    """The outcome of a call is what it would be without us, and the call has its span."""
    bare, ours, captured = both(asked, form, server, hostile)

    assert ours == bare
    assert len(captured.spans) == 1
    assert len(json.dumps(captured.tree())) < 300_000


@pytest.mark.parametrize("form", ["plain", "streamed"])
def test_with_content_off_an_error_says_nothing_of_what_was_said(form: str, client: Forms, server: LlmServer) -> None:
    """A server that repeats the prompt, and half an answer, in its refusal: its class alone is on the span."""
    server.answer(Answer.json({"error": {"code": 400, "message": f"{QUESTION} {TEXT}", "status": "NO"}}, status=400))

    with capture(content=False) as captured:
        told = outcome(lambda: client.ask(form, server.url))

    (span,) = captured.spans
    assert QUESTION in told
    assert span.status.status_code is StatusCode.ERROR
    said = str([span.to_json(), [(event.name, dict(event.attributes or {})) for event in span.events]])
    assert "error.type" in said
    assert "warm" not in said
    assert "21 degrees" not in said


def test_with_content_off_a_stream_that_breaks_says_nothing_of_what_was_said(client: Forms, server: LlmServer) -> None:
    """What came before the break stays unsaid too."""
    whole = client.answer(stream=True)
    broken = Answer.events([*whole.chunks[:3], f"data: {{{TEXT}\n\n".encode()], done=False)
    server.answer(broken)

    with capture(content=False) as captured:
        outcome(lambda: client.ask("streamed", server.url))

    (span,) = captured.spans
    said = span.to_json()
    assert "gen_ai.request.model" in said
    assert TEXT[:4] not in said
    assert "21 degrees" not in said
