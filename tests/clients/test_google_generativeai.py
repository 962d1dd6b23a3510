"""The google-generativeai package, by REST and by gRPC on loopback: what its spans say."""

import asyncio
import gc
import importlib
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import StatusCode

from tests.clients.capture import Captured, capture
from tests.clients.contract import outcome, was_left
from tests.clients.forms.form import QUESTION, STREAMED, forms_of, told
from tests.loopback.google_genai_server import CALL, content
from tests.loopback.llm_server import LlmServer

pytest.importorskip("google.generativeai", reason="google-generativeai is not installed", exc_type=ImportError)
forms: Any = importlib.import_module("tests.clients.forms.google_generativeai")
loopback: Any = importlib.import_module("tests.loopback.google_generativeai_server")

VECTORS = [[0.25, -0.5]] * 2
FORMS = ["plain", "streamed", "async_plain", "async_streamed"]
TOOL = {
    "function_declarations": [{"name": "weather", "description": "How warm it is.", "parameters": {"type": "OBJECT"}}]
}


def asked(form: str, port: int, **settings: Any) -> Any:
    """Ask the model by gRPC in the form; a stream is read to its end."""
    model = forms.model(**settings)
    if form.startswith("async_"):
        return asyncio.run(_asked_async(model, port, stream=form == "async_streamed"))
    with forms.by_grpc(port) as model._client:
        said = model.generate_content(QUESTION, stream=form == "streamed")
        return [chunk.to_dict() for chunk in said]


async def _asked_async(model: Any, port: int, *, stream: bool) -> Any:
    async with forms.by_async_grpc(port) as model._async_client:
        said = await model.generate_content_async(QUESTION, stream=stream)
        return [chunk.to_dict() async for chunk in said]


def the_span(captured: Captured, form: str, port: int) -> dict[str, object]:
    """The one span, without what differs: the port, and what only a stream has."""
    (span,) = captured.tree()
    attributes = span["attributes"]
    assert isinstance(attributes, dict)
    assert attributes.pop("server.port") == port
    if form.endswith("streamed"):
        assert {name: attributes.pop(name, None) for name in STREAMED} == STREAMED
    return span


CHAT = snapshot(
    {
        "name": "generate_content gemini-test",
        "kind": "CLIENT",
        "attributes": {
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]}
            ],
            "gen_ai.operation.name": "generate_content",
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [{"type": "text", "content": "It is 21 degrees in Paris."}]}
            ],
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.model": "gemini-test",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.model": "gemini-test-001",
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 4,
            "server.address": "127.0.0.1",
        },
    }
)


@pytest.mark.parametrize("form", ["plain", "streamed"])
def test_every_form_of_a_call_by_rest_makes_the_same_span(form: str, captured: Captured, server: LlmServer) -> None:
    """One span a request to the model, and a stream's says what the plain call's says."""
    assert told(forms_of("google.generativeai"), form, captured, server) == CHAT


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_call_by_grpc_makes_the_same_span(form: str, captured: Captured) -> None:
    """The package's own way, where there is no URL: the span is the one that REST makes."""
    with loopback.GrpcServer(content(), VECTORS) as server:
        asked(form, server.port)

    assert the_span(captured, form, server.port) == CHAT


@pytest.mark.parametrize("form", FORMS)
def test_tools_and_instructions_are_on_the_span(form: str, captured: Captured) -> None:
    """What the model may call and what it wants to call, plain or streamed."""
    with loopback.GrpcServer(content(CALL[1:]), VECTORS) as server:
        asked(form, server.port, tools=[TOOL], system_instruction="Be brief.")

    attributes = the_span(captured, form, server.port)["attributes"]
    assert isinstance(attributes, dict)
    names = ("gen_ai.response.finish_reasons", "gen_ai.system_instructions", "gen_ai.tool.definitions")
    assert {name: attributes[name] for name in (*names, "gen_ai.output.messages")} == snapshot(
        {
            "gen_ai.response.finish_reasons": ["tool_call"],
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.tool.definitions": [
                {
                    "type": "function",
                    "name": "weather",
                    "description": "How warm it is.",
                    "parameters": {"type_": "OBJECT"},
                }
            ],
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": "Let me see."},
                        {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
                    ],
                }
            ],
        }
    )


@pytest.mark.parametrize(("texts", "vectors"), [("Paris", VECTORS[0]), (["Paris", "Rome"], VECTORS)])
def test_embeddings_have_a_span(texts: Any, vectors: Any, captured: Captured) -> None:
    """The vectors' length and the texts, of one text and of a batch."""
    with loopback.GrpcServer(content(), VECTORS) as server, forms.by_grpc(server.port) as client:
        found = forms.genai.embed_content("models/embedding-001", texts, client=client, output_dimensionality=2)

    assert found["embedding"] == vectors
    span = the_span(captured, "plain", server.port)
    attributes = span["attributes"]
    assert isinstance(attributes, dict)
    said = [message["parts"][0]["content"] for message in attributes.pop("gen_ai.input.messages")]
    assert said == ([texts] if isinstance(texts, str) else texts)
    assert span == snapshot(
        {
            "name": "embeddings embedding-001",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.embeddings.dimension.count": 2,
                "gen_ai.operation.name": "embeddings",
                "gen_ai.provider.name": "gcp.gemini",
                "gen_ai.request.model": "embedding-001",
                "server.address": "127.0.0.1",
            },
        }
    )


def test_a_refusal_by_grpc_is_an_error(captured: Captured) -> None:
    """ERROR with the class of the exception that the program gets."""
    with loopback.GrpcServer({"refusal": "no"}, VECTORS) as server, pytest.raises(Exception, match="no") as raised:
        asked("plain", server.port)

    (span,) = captured.spans
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == f"{raised.type.__module__}.{raised.type.__qualname__}"


@pytest.mark.parametrize("form", ["streamed", "async_streamed"])
def test_a_stream_that_is_cut_is_an_error(form: str, captured: Captured) -> None:
    """What came is said, and the class of the exception."""
    with (
        loopback.GrpcServer({**content(), "cut": "the model went away"}, VECTORS) as server,
        pytest.raises(Exception, match="away"),
    ):
        asked(form, server.port)

    (span,) = captured.spans
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == snapshot("google.api_core.exceptions.ServiceUnavailable")
    assert "21 degrees" in str((span.attributes or {})["gen_ai.output.messages"])


REQUEST = {"model": "models/gemini-test", "contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}


def left_unread(client: Any) -> None:
    """Dropped unread."""
    forms.model(client=client).generate_content(QUESTION, stream=True)


def broken_off(client: Any) -> None:
    """A loop left by `break`."""
    for _ in forms.model(client=client).generate_content(QUESTION, stream=True):
        break


def left_by_error(client: Any) -> None:
    """Left by an exception of the reader."""
    stream = forms.model(client=client).generate_content(QUESTION, stream=True)
    with pytest.raises(ZeroDivisionError):
        [1 // 0 for _ in stream]


def cancelled(client: Any) -> Any:
    """The call beneath is cancelled; the program holds it still."""
    stream = client.stream_generate_content(REQUEST)
    next(stream)
    stream.cancel()
    return stream


def channel_closed(client: Any) -> None:
    """The channel is closed, and what was begun is dropped."""
    stream = client.stream_generate_content(REQUEST)
    next(stream)
    client.transport.close()


WAYS = [left_unread, broken_off, left_by_error, cancelled, channel_closed]


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_left_early_ends_its_span_at_once(way: Any, captured: Captured) -> None:
    """By gRPC as by REST: UNSET, "error" for the finish reason that never came, and the flag."""
    with loopback.GrpcServer(content(), VECTORS) as server, forms.by_grpc(server.port) as client:
        held = way(client)

        was_left(captured)
        del held


async def async_left_unread(model: Any) -> None:
    """Dropped unread."""
    await model.generate_content_async(QUESTION, stream=True)


async def async_broken_off(model: Any) -> None:
    """A loop left by `break`."""
    async for _ in await model.generate_content_async(QUESTION, stream=True):
        break


async def async_cancelled(model: Any) -> Any:
    """The call beneath is cancelled; the program holds it still."""
    stream = await model._async_client.stream_generate_content(REQUEST)
    await anext(aiter(stream))
    stream.cancel()
    return stream


async def async_task_cancelled(model: Any) -> None:
    """The task that reads it is cancelled between two chunks."""
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in await model.generate_content_async(QUESTION, stream=True):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await asyncio.wait_for(begun.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


ASYNC_WAYS = [async_left_unread, async_broken_off, async_cancelled, async_task_cancelled]


@pytest.mark.parametrize("way", ASYNC_WAYS)
def test_an_asynchronous_stream_left_early_ends_its_span(way: Any, captured: Captured) -> None:
    """The same rule, in an event loop."""

    async def run(port: int) -> None:
        model = forms.model()
        async with forms.by_async_grpc(port) as model._async_client:
            held = await way(model)
            gc.collect()
            async with asyncio.timeout(60):
                while not captured.spans:  # the loop closes a generator that was dropped in a task of its own
                    await asyncio.sleep(0)
            was_left(captured)
            del held

    with loopback.GrpcServer(content(), VECTORS) as server:
        asyncio.run(run(server.port))


SAID = f"{QUESTION} It is 21 degrees in Paris."


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "whole", [content(), {"refusal": SAID}, {**content(), "cut": SAID}], ids=["", "refused", "cut"]
)
def test_with_content_off_nothing_that_was_said_is_kept(form: str, whole: Any) -> None:
    """Neither prompt nor answer is on the span, nor what a refusal or a break repeats of them."""
    with capture(content=False) as captured, loopback.GrpcServer(whole, VECTORS) as server:
        outcome(lambda: asked(form, server.port, tools=[TOOL], system_instruction="Be brief."))

    (span,) = captured.spans
    said = str([span.to_json(), [(event.name, dict(event.attributes or {})) for event in span.events]])
    assert "gemini-test" in said
    assert not [word for word in ("warm", "degrees", "brief", "weather") if word in said]
