"""What is hostile in the first clients' own words."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from anthropic import Anthropic
from openai import AzureOpenAI, OpenAI

from tests.clients.capture import Captured
from tests.clients.contract import both, was_left
from tests.clients.forms import anthropic, google_genai, openai
from tests.clients.forms.form import Forms
from tests.loopback import openai_server
from tests.loopback.anthropic_server import events, message
from tests.loopback.google_genai_server import content
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import chunks, completion

pytestmark = [
    # google-genai's own, where aiohttp is installed.
    pytest.mark.filterwarnings(
        "ignore:Inheritance class AiohttpClientSession from ClientSession is discouraged:DeprecationWarning"
    ),
    pytest.mark.no_cover,
]


def event(kind: str, **said: Any) -> dict[str, Any]:
    """An event of Anthropic's."""
    return {"type": kind, **said}


START = event("message_start", message=message(content=[], usage=None))
BLOCK = event("content_block_start", index=0, content_block={"type": "tool_use", "id": "1", "name": "f", "input": {}})
BROKEN_CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"city": '}}],
}
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
    (openai.FORMS, "plain", Answer.json(completion(usage=None))),
    (openai.FORMS, "plain", Answer.json(completion(usage={"prompt_tokens": "many", "completion_tokens": True}))),
    (openai.FORMS, "plain", Answer.json(completion() | {"choices": None, "id": 7, "model": [], "service_tier": {}})),
    (openai.FORMS, "plain", Answer.json(completion({"role": 3, "content": [None, 7, {"type": "surprise"}]}))),
    (openai.FORMS, "plain", Answer.json(completion({"role": "assistant", "content": "\ud83d half a smile"}))),
    (openai.FORMS, "plain", Answer.json(completion({"role": "assistant", "content": "long " * 500_000}))),
    (openai.FORMS, "plain", Answer.json(completion(BROKEN_CALL, finish_reason="surprise"))),
    (openai.FORMS, "streamed", Answer.events([{"surprise": 1}, {"type": "surprise"}, *chunks(completion())])),
    (openai.FORMS, "streamed", Answer.events([chunks(completion())[0] | {"choices": None}, *chunks(completion())])),
    (openai.FORMS, "streamed", Answer.events(chunks(completion(BROKEN_CALL)))),
    (openai.FORMS, "streamed", Answer.events([*chunks(completion())[:3], b"data: {\n\n"])),
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


ANTHROPIC_ASKED: dict[str, Any] = {
    "model": "claude-test",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "How warm?"}],
}
HELPERS: list[tuple[Forms, Callable[[Any], Any], Answer]] = [
    (
        openai.FORMS,
        lambda client: client.responses.stream(model="gpt-test", input="How warm?"),
        Answer.events(openai_server.events(openai_server.response()), done=False),
    ),
    (
        anthropic.FORMS,
        lambda client: client.messages.stream(**ANTHROPIC_ASKED),
        Answer.events(events(message()), done=False),
    ),
]
helpers = pytest.mark.parametrize(("client", "ask", "answer"), HELPERS, ids=["openai", "anthropic"])


@helpers
@pytest.mark.parametrize("breaks", [False, True], ids=["left", "by an exception"])
def test_a_helper_left_early_ends_its_span(
    breaks: bool,
    client: Forms,
    ask: Callable[[Any], Any],
    answer: Answer,
    captured: Captured,
    server: LlmServer,
) -> None:
    """Leaving the `with` of stream() leaves the call, whether or not the program's own exception does it."""
    server.answer(answer)

    with client.client(server.url) as opened:
        with suppress(ZeroDivisionError), ask(opened) as stream:
            next(iter(stream))
            assert captured.spans == ()
            if breaks:
                raise ZeroDivisionError
        was_left(captured)


@helpers
def test_an_asynchronous_helper_left_early_ends_its_span(
    client: Forms, ask: Callable[[Any], Any], answer: Answer, captured: Captured, server: LlmServer
) -> None:
    """The same rule, in an event loop."""
    opens = client.async_client
    assert opens is not None
    server.answer(answer)

    async def run() -> None:
        async with opens(server.url) as opened:
            async with ask(opened) as stream:
                await anext(aiter(stream))
                assert captured.spans == ()
            was_left(captured)

    asyncio.run(run())


def _chat(client: Any) -> None:
    with client:
        client.chat.completions.create(model="gpt-5", messages=[])


def _response(client: Any) -> None:
    with client:
        client.responses.create(model="gpt-5", input="x")


def _message(client: Any) -> None:
    with client:
        client.messages.create(model="claude", messages=[], max_tokens=3)


AZURE: dict[str, Any] = {"api_key": "key", "api_version": "1"}
ELSEWHERE: list[Callable[[str, str], Any]] = [
    lambda wrong, right: _chat(OpenAI(base_url=wrong, api_key="key").with_options(base_url=right)),
    lambda _, right: _chat(AzureOpenAI(azure_endpoint=right, **AZURE)),
    lambda _, right: _response(AzureOpenAI(azure_endpoint=right, azure_deployment="d", **AZURE)),
    lambda wrong, right: _response(AzureOpenAI(azure_endpoint=wrong, **AZURE).with_options(base_url=right)),
    lambda wrong, right: _message(Anthropic(base_url=wrong, api_key="key").with_options(base_url=right)),
]


@pytest.mark.parametrize("ask", ELSEWHERE)
def test_the_server_is_where_the_request_went(
    ask: Callable[[str, str], Any], captured: Captured, server: LlmServer
) -> None:
    """Whatever address the client had before its options were changed."""
    server.answer(Answer.json({}))

    ask("http://localhost:1", server.url)

    (span,) = captured.spans
    said = span.attributes or {}
    assert (said["server.address"], said["server.port"]) == ("127.0.0.1", server.port)
