"""The new client of dashscope: the ways to read its streams, refusals that are answers, and the forms of parts."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from agentops_otel import semconv
from agentops_otel.clients.dashscope import client as dashscope_client
from agentops_otel.instrumentation.tables import attributes, contents
from tests.clients.capture import Captured
from tests.clients.forms.form import QUESTION, TEXT, forms_of
from tests.loopback.llm_server import Answer, LlmServer

WAYS: dict[str, Callable[[Any], Any]] = {
    "chunks": list,
    "texts": lambda stream: list(stream.text_stream),
    "thoughts": lambda stream: list(stream.reasoning_stream),
    "calls": lambda stream: list(stream.tool_call_stream),
    "whole": lambda stream: stream.get_final_message(),
}


def said(captured: Captured) -> tuple[str, Any]:
    """The finish reason and the parts of the one span's answer."""
    (span,) = captured.tree()
    attributes: Any = span["attributes"]
    (message,) = attributes["gen_ai.output.messages"]
    return attributes["gen_ai.response.finish_reasons"][0], [part.get("content") for part in message["parts"]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("incremental", [None, True, False])
def test_a_stream_is_told_whichever_way_it_is_read(
    way: str, incremental: bool | None, captured: Captured, server: LlmServer
) -> None:
    """Chunks, what the client makes of them, and the same where it adds them up for the program."""
    forms = forms_of("dashscope:client")
    import dashscope.v2.resources.chat.completions as package

    server.answer(forms.answer(stream=True))

    with forms.client(server.url) as client:
        stream = client.chat.completions.create(
            model="qwen-plus", messages=[QUESTION], stream=True, incremental_output=incremental
        )
        found = WAYS[way](stream)

    assert type(stream) is package.ChatStream
    assert found
    assert said(captured) == ("tool_call", ["Look it up.", TEXT, None])


@pytest.mark.parametrize("name", ["text_stream", "reasoning_stream", "tool_call_stream", "get_final_message"])
def test_an_asynchronous_stream_is_told_whichever_way_it_is_read(
    name: str, captured: Captured, server: LlmServer
) -> None:
    """What the client makes of the chunks, or the whole."""
    forms = forms_of("dashscope:client")
    opens = forms.async_client
    assert opens is not None
    server.answer(forms.answer(stream=True))

    async def run() -> Any:
        async with opens(server.url) as client:
            stream = await client.chat.completions.create(model="qwen-plus", messages=QUESTION, stream=True)
            assert stream.headers["content-type"] == "text/event-stream"
            found = getattr(stream, name)
            return [piece async for piece in found] if name.endswith("stream") else await found()

    assert asyncio.run(run())
    assert said(captured) == ("tool_call", ["Look it up.", TEXT, None])


def test_an_error_in_a_stream_is_on_the_span(captured: Captured, server: LlmServer) -> None:
    """By the class of the exception that the program gets."""
    forms = forms_of("dashscope:client")
    import dashscope.v2.errors as package

    whole = forms.answer(stream=True)
    refused = Answer.events([{"code": "Throttling", "message": "no"}], done=False).chunks
    server.answer(Answer(headers=whole.headers, chunks=[*whole.chunks[:3], *refused]))

    with pytest.raises(package.DashScopeError) as raised:
        forms.ask("streamed", server.url)

    (span,) = captured.spans
    kind = type(raised.value)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == f"{kind.__module__}.{kind.__qualname__}"
    assert said(captured) == ("error", ["Look it up.", TEXT[:9]])


@pytest.mark.parametrize("form", ["plain", "embed"])
def test_a_refusal_that_is_an_answer_is_an_error(form: str, captured: Captured, server: LlmServer) -> None:
    """For a client that does not raise: ERROR with the server's code."""
    forms = forms_of("dashscope:client")
    server.answer(Answer.json({"code": "InvalidApiKey", "message": "no", "request_id": "req-1"}, status=401))

    with forms.client(server.url) as client:
        answer = forms.read(form, client.with_options(raise_on_error=False))

    (span,) = captured.spans
    assert answer.is_error
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "InvalidApiKey"


def test_the_quickest_way_to_ask_has_a_span(
    captured: Captured, server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dashscope.chat()`, whose client is the package's own."""
    forms = forms_of("dashscope:client")
    import dashscope

    server.answer(forms.answer(stream=False))

    with forms.client(server.url) as client:
        monkeypatch.setattr("dashscope.v2._quickstart._client", client)
        assert dashscope.chat("qwen-plus", QUESTION).output_text == TEXT

    assert said(captured) == ("tool_call", ["Look it up.", TEXT, None])


def test_what_a_program_sends_besides_is_told() -> None:
    """`parameters` go over the arguments, as they do in the request."""
    (spec, *_) = dashscope_client.SPECS
    asked = {"model": "qwen-plus", "temperature": 0.5, "parameters": {"temperature": 0.9, "seed": 7}}

    assert attributes(dashscope_client.CHAT.request_rows, spec.body(asked)) == {
        "gen_ai.request.model": "qwen-plus",
        "gen_ai.request.seed": 7,
        "gen_ai.request.temperature": 0.9,
    }


def test_the_forms_of_messages_and_parts() -> None:
    """Texts as they are, dashscope's own parts, OpenAI's, and the client's; what nobody knows says nothing."""
    content = [
        "Well?",
        {"audio": "https://example.com/a.wav"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
        {"type": "image", "url": "https://example.com/b.png"},
        {"type": "audio", "data": "UklGRg==", "format": "wav"},
        {"type": "surprise", "url": "https://example.com/c"},
        7,
    ]
    asked = {"messages": ["Hello.", {"role": "user", "content": content}, {"role": "user", "content": "Now?"}]}

    found: Any = contents(dashscope_client.CHAT.request_content_rows, asked)[semconv.GEN_AI_INPUT_MESSAGES]

    assert [message["parts"] for message in found] == [
        [{"type": "text", "content": "Hello."}],
        [
            {"type": "text", "content": "Well?"},
            {"type": "uri", "modality": "audio", "uri": "https://example.com/a.wav"},
            {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
            {"type": "uri", "modality": "video", "uri": "https://example.com/a.mp4"},
            {"type": "uri", "modality": "image", "uri": "https://example.com/b.png"},
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "byte_size": 4},
        ],
        [{"type": "text", "content": "Now?"}],
    ]
