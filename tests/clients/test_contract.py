"""What holds for every client: the program gets what it would get without us, and each call ends its one span."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from types import ModuleType

import pytest
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.trace import StatusCode

from tests.clients.capture import Captured, capture
from tests.clients.contract import any_client, both, described, each_client, outcome
from tests.clients.contract import pytestmark as of_each_client
from tests.clients.forms.form import CLIENTS, QUESTION, TEXT, Forms, Taken, installed
from tests.loopback.llm_server import Answer, LlmServer

__all__ = ["any_client"]

pytestmark = [of_each_client, pytest.mark.no_cover]


@pytest.fixture(params=installed(*CLIENTS))
def client(request: pytest.FixtureRequest) -> Iterator[Forms]:
    """One client after the other."""
    yield from each_client(request)


@pytest.mark.parametrize("form", ["plain", "streamed", "async_plain", "async_streamed"])
def test_the_program_gets_the_same_and_sends_the_same(form: str, any_client: Forms, server: LlmServer) -> None:
    """Answer, chunks, their types, the body on the wire and its headers are those of a call without us."""
    if form not in any_client.names:
        pytest.skip("the client has no asynchronous form")

    bare, ours, captured = both(any_client, form, server, any_client.answer(stream=form.endswith("streamed")))

    assert TEXT[:4] in bare
    assert ours == bare
    assert len(captured.spans) == 1
    first, second = server.requests
    varying = {"host", *any_client.varying}
    assert (second.path, second.body) == (first.path, first.body)
    # Where there is a global tracer provider, a client that traces itself sends its span along; with us, none does.
    sent = [pair for pair in first.headers if pair[0] != "traceparent"]
    assert [name for name, _ in second.headers] == [name for name, _ in sent]
    assert [pair for pair in second.headers if pair[0].lower() not in varying] == [
        pair for pair in sent if pair[0].lower() not in varying
    ]


def test_an_error_is_on_the_span_by_its_class(any_client: Forms, captured: Captured, server: LlmServer) -> None:
    """A refused request is ERROR with the qualified class of the very exception that the program gets."""
    if not any_client.raises:
        pytest.skip("the client answers with the refusal")
    server.answer(Answer.json({"error": {"message": "no"}}, status=400))

    with pytest.raises(Exception) as raised:  # noqa: PT011 - each client has its own
        any_client.ask("plain", server.url)

    (span,) = captured.spans
    kind = type(raised.value)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == f"{kind.__module__}.{kind.__qualname__}"


@pytest.mark.parametrize("form", ["plain", "streamed"])
def test_with_content_off_nothing_that_was_said_is_kept(form: str, any_client: Forms, server: LlmServer) -> None:
    """Neither prompt nor answer is on the span."""
    server.answer(any_client.answer(stream=form == "streamed"))

    with capture(content=False) as captured:
        any_client.ask(form, server.url)

    kept = json.dumps(captured.tree())
    assert "gen_ai.operation.name" in kept
    assert QUESTION not in kept
    assert TEXT[:4] not in kept


@pytest.mark.parametrize("form", ["plain", "streamed"])
def test_with_content_off_an_error_says_nothing_of_what_was_said(
    form: str, any_client: Forms, server: LlmServer
) -> None:
    """A server that repeats the prompt, and half an answer, in its refusal: nothing of it is on the span."""
    refusal = {"code": 400, "message": f"{QUESTION} {TEXT}", "status": "NO"}
    server.answer(Answer.json({"error": refusal}, status=400))

    with capture(content=False) as captured:
        outcome(lambda: any_client.ask(form, server.url))

    _says_nothing(captured)


def test_with_content_off_a_stream_that_breaks_says_nothing_of_what_was_said(
    any_client: Forms, server: LlmServer
) -> None:
    """What came before the break stays unsaid too."""
    whole = any_client.answer(stream=True)
    server.answer(replace(whole, chunks=[*whole.chunks[:3], f"data: {{{TEXT}\n\n".encode()]))

    with capture(content=False) as captured:
        outcome(lambda: any_client.ask("streamed", server.url))

    _says_nothing(captured)


def _says_nothing(captured: Captured) -> None:
    (span,) = captured.spans
    said = str([span.to_json(), [(event.name, dict(event.attributes or {})) for event in span.events]])
    assert "gen_ai.operation.name" in said
    assert "warm" not in said
    assert "21 degrees" not in said


def test_a_suppressed_call_makes_no_span(client: Forms, captured: Captured, server: LlmServer) -> None:
    """OpenTelemetry's suppression is kept."""
    server.answer(client.answer(stream=False))
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))

    try:
        client.ask("plain", server.url)
    finally:
        detach(token)

    assert not captured.spans


@pytest.mark.parametrize("form", ["plain", "streamed"])
def test_a_client_that_was_made_before_is_traced_until_the_wrappers_are_off(
    form: str, client: Forms, server: LlmServer
) -> None:
    """One object of a subclass, asked before, while and after the clients are wrapped, gets the same each time."""
    server.answer(client.answer(stream=form == "streamed"), times=3)

    with client.client(server.url) as opened:
        if not isinstance(opened, ModuleType):
            opened.__class__ = type("Mine", (type(opened),), {})
        before = outcome(lambda: client.read(form, opened))
        with capture() as captured:
            ours = outcome(lambda: client.read(form, opened))
        after = outcome(lambda: client.read(form, opened))

    assert TEXT[:4] in before
    assert before == ours == after
    assert len(captured.spans) == 1


@pytest.mark.parametrize("form", ["plain", "streamed", "async_plain", "async_streamed"])
def test_a_method_that_was_taken_before_is_traced_until_the_wrappers_are_off(
    form: str, any_client: Forms, server: LlmServer
) -> None:
    """`ask = client.chat.completions.create`, before: called then, while the clients are wrapped, and after."""
    if form not in any_client.names:
        pytest.skip("the client has no asynchronous form")
    server.answer(any_client.answer(stream=form.endswith("streamed")), times=3)

    before, ours, after, captured = asyncio.run(_taken(any_client, form, server))

    assert TEXT[:4] in before
    assert before == ours == after
    assert len(captured.spans) == 1


async def _taken(client: Forms, form: str, server: LlmServer) -> tuple[str, str, str, Captured]:
    async def ask(taken: Taken) -> str:
        if form.startswith("async_"):
            return described(await client.read_async(form.removeprefix("async_"), taken))
        return described(client.read(form, taken))

    async with AsyncExitStack() as stack:
        if form.startswith("async_"):
            assert client.async_client is not None
            opened = await stack.enter_async_context(client.async_client(server.url))
        else:
            opened = stack.enter_context(client.client(server.url))
        taken = Taken(opened)
        before = await ask(taken)
        with capture() as captured:
            ours = await ask(taken)
        return before, ours, await ask(taken), captured
