"""The anthropic package over HTTP on loopback: what the program gets, and what the spans say."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

from tests.clients.anthropic_tracing import KINDS
from tests.clients.capture import Captured, capture
from tests.clients.openai_calls import STREAMED, said
from tests.loopback.anthropic_server import answer, events, message, text
from tests.loopback.llm_server import Answer, LlmServer

ASKED: dict[str, Any] = {
    "model": "claude-test",
    "max_tokens": 100,
    "system": "Be brief.",
    "messages": [
        {"role": "user", "content": "How warm is it in Paris?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_0", "name": "place", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_0", "content": "Paris"}]},
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                {"type": "document", "source": {"type": "url", "url": "http://there/doc.pdf"}},
            ],
        },
    ],
    "stop_sequences": ["END"],
    "tools": [{"name": "weather", "input_schema": {"type": "object"}}],
}

TRACES = "open_telemetry" in inspect.signature(Anthropic.__init__).parameters
traces = pytest.mark.skipif(not TRACES, reason="this version of anthropic does not trace itself")


def sync_client(server: LlmServer, **options: Any) -> Anthropic:
    """The package's own client, pointed at the server."""
    return Anthropic(base_url=server.url, api_key="key", **{"max_retries": 0, **options})


def plain(client: Anthropic) -> None:
    """Create."""
    client.messages.create(**ASKED)


def streamed(client: Anthropic) -> None:
    """Create with stream=True, read to the end."""
    list(client.messages.create(**ASKED, stream=True))


def parsed(client: Anthropic) -> None:
    """The parse() helper."""
    client.messages.parse(**ASKED)


def raw(client: Anthropic) -> None:
    """With the raw response, parsed."""
    client.messages.with_raw_response.create(**ASKED).parse()


def unread(client: Anthropic) -> None:
    """A response whose body is read by parsing it."""
    with client.messages.with_streaming_response.create(**ASKED) as response:
        response.parse()


def helped(client: Anthropic) -> None:
    """The stream() helper, read to the end."""
    with client.messages.stream(**ASKED) as stream:
        stream.until_done()


def beta(client: Anthropic) -> None:
    """The beta API."""
    client.beta.messages.create(**ASKED)


def beta_helped(client: Anthropic) -> None:
    """The stream() helper of the beta API."""
    with client.beta.messages.stream(**ASKED) as stream:
        stream.get_final_message()


async def async_plain(client: AsyncAnthropic) -> None:
    """Create."""
    await client.messages.create(**ASKED)


async def async_streamed(client: AsyncAnthropic) -> None:
    """Create with stream=True, read to the end."""
    async for _ in await client.messages.create(**ASKED, stream=True):
        pass


async def async_helped(client: AsyncAnthropic) -> None:
    """The stream() helper, read for its text."""
    async with client.messages.stream(**ASKED) as stream:
        async for _ in stream.text_stream:
            pass


STREAMS = [streamed, helped, beta_helped, async_streamed, async_helped]


def run(form: Callable[[Any], Any], server: LlmServer, **options: Any) -> None:
    """Run the form with a client of its kind."""

    async def awaited() -> None:
        async with AsyncAnthropic(base_url=server.url, api_key="key", max_retries=0, **options) as client:
            await form(client)

    if asyncio.iscoroutinefunction(form):
        asyncio.run(awaited())
    else:
        with sync_client(server, **options) as client:
            form(client)


@pytest.mark.parametrize("form", [plain, parsed, raw, unread, beta, async_plain, *STREAMS])
def test_every_form_of_a_message_makes_the_same_span(
    form: Callable[[Any], Any], captured: Captured, server: LlmServer
) -> None:
    """One span a call; a stream's says what the plain call's says, and cached tokens are part of the input."""
    server.answer(answer(message(), stream=form in STREAMS))

    run(form, server)

    (node,) = said(captured, server)
    attributes = node["attributes"]
    assert isinstance(attributes, dict)
    if form in STREAMS:
        assert {name: attributes.pop(name) for name in STREAMED} == STREAMED
    assert node == snapshot(
        {
            "name": "chat claude-test",
            "kind": "CLIENT",
            "attributes": {
                "gen_ai.input.messages": [
                    {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]},
                    {
                        "role": "assistant",
                        "parts": [{"type": "tool_call", "id": "toolu_0", "name": "place", "arguments": {}}],
                    },
                    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "toolu_0", "response": "Paris"}]},
                    {
                        "role": "user",
                        "parts": [
                            {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 2},
                            {"type": "uri", "modality": "document", "uri": "http://there/doc.pdf"},
                        ],
                    },
                ],
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [
                    {
                        "role": "assistant",
                        "parts": [
                            {"type": "reasoning", "content": "Look it up."},
                            {"type": "text", "content": "Let me see."},
                            {
                                "type": "tool_call",
                                "id": "toolu_1",
                                "name": "weather",
                                "arguments": {"city": "Paris", "unit": "C"},
                            },
                        ],
                    }
                ],
                "gen_ai.provider.name": "anthropic",
                "gen_ai.request.max_tokens": 100,
                "gen_ai.request.model": "claude-test",
                "gen_ai.request.stop_sequences": ["END"],
                "gen_ai.response.finish_reasons": ["tool_call"],
                "gen_ai.response.id": "msg_1",
                "gen_ai.response.model": "claude-test-1",
                "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
                "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
                "gen_ai.usage.cache_creation.input_tokens": 30,
                "gen_ai.usage.cache_read.input_tokens": 64,
                "gen_ai.usage.cache_write.input_tokens": 30,
                "gen_ai.usage.input_tokens": 114,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 3,
                "server.address": "127.0.0.1",
            },
        }
    )


@traces
def test_the_conversation_that_the_package_was_told_of_is_on_the_span(captured: Captured, server: LlmServer) -> None:
    """It is said once, in the package's own tracing options."""
    server.answer(answer(text(), stream=False))

    run(plain, server, open_telemetry={"conversation_id": "conv_1"})

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.conversation.id"] == "conv_1"


@traces
def test_suppressed_calls_make_no_span_of_anyone(captured: Captured, server: LlmServer) -> None:
    """Suppression silences the package's own tracing too."""
    server.answer(answer(text(), stream=False))
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))

    try:
        run(plain, server, open_telemetry={"tracer_provider": captured.provider})
    finally:
        detach(token)

    assert captured.spans == ()


@traces
def test_uninstalled_the_package_traces_itself_again(captured: Captured, server: LlmServer) -> None:
    """What is not ours to trace is left as it was."""
    captured.installation.uninstall()
    server.answer(answer(text(), stream=False))

    run(plain, server, open_telemetry={"tracer_provider": captured.provider})

    assert [span.name for span in captured.spans] == ["anthropic.messages.create"]


def sent(server: LlmServer, messages: Callable[[], Any]) -> tuple[Any, ...]:
    """The request of a fresh client."""
    server.answer(answer(text(), stream=False))
    with sync_client(server, **({"open_telemetry": False} if TRACES else {})) as client:
        client.messages.create(**{**ASKED, "messages": messages()})
    request = server.requests[-1]
    return request.path, [pair for pair in request.headers if pair[0] != "idempotency-key"], request.body


@pytest.mark.parametrize(
    "messages", [lambda: ASKED["messages"], lambda: iter(ASKED["messages"]), lambda: (m for m in ASKED["messages"])]
)
def test_the_request_is_the_same_byte_for_byte(messages: Callable[[], Any], server: LlmServer) -> None:
    """An iterator of messages goes out whole, and is recorded as it is read."""
    bare = sent(server, messages)

    with capture() as captured:
        recorded = sent(server, messages)

    assert recorded == bare
    assert "How warm is it in Paris?" in str((captured.spans[0].attributes or {})["gen_ai.input.messages"])


def test_tokens_are_counted_without_being_usage(captured: Captured, server: LlmServer) -> None:
    """count_tokens has a span that says the count, which nobody is billed for."""
    server.answer(Answer.json({"input_tokens": 14}))

    with sync_client(server) as client:
        client.messages.count_tokens(model="claude-test", messages=[{"role": "user", "content": "How warm?"}])

    assert said(captured, server) == snapshot(
        [
            {
                "name": "count_tokens claude-test",
                "kind": "CLIENT",
                "attributes": {
                    "anthropic.message.count_tokens.input_tokens": 14,
                    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How warm?"}]}],
                    "gen_ai.operation.name": "count_tokens",
                    "gen_ai.provider.name": "anthropic",
                    "gen_ai.request.model": "claude-test",
                    "server.address": "127.0.0.1",
                },
            }
        ]
    )


def test_a_cut_stream_says_what_came(captured: Captured, server: LlmServer) -> None:
    """The counts of the output are placeholders until the end, so there are none."""
    server.answer(Answer.events(events(message())[:-3], cut=True))

    with pytest.raises(Exception, match="peer closed"):
        run(streamed, server)

    (node,) = said(captured, server)
    attributes = node["attributes"]
    assert isinstance(attributes, dict)
    assert node["status"] == "ERROR"
    assert "gen_ai.usage.output_tokens" not in attributes
    assert attributes["gen_ai.usage.input_tokens"] == 114
    assert attributes["gen_ai.response.finish_reasons"] == ["error"]
    assert attributes["gen_ai.output.messages"] == snapshot(
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Look it up."},
                    {"type": "text", "content": "Let me see."},
                    {
                        "type": "tool_call",
                        "id": "toolu_1",
                        "name": "weather",
                        "arguments": {"city": "Paris", "unit": "C"},
                    },
                ],
            }
        ]
    )


def test_an_error_event_is_an_error(captured: Captured, server: LlmServer) -> None:
    """The exception of the package names itself."""
    broken = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    server.answer(Answer.events([*events(text())[:3], broken], done=False))

    with pytest.raises(anthropic.APIStatusError):
        run(streamed, server)

    (span,) = captured.spans
    assert span.status.status_code is trace.StatusCode.ERROR
    assert str((span.attributes or {})["error.type"]).startswith("anthropic.")


def test_the_tool_runner_has_a_span_for_each_call(captured: Captured, server: LlmServer) -> None:
    """Each request of the loop is one call."""

    @anthropic.beta_tool
    def weather(city: str, unit: str) -> str:
        """Look up the weather."""
        return f"21 {unit} in {city}"

    server.answer(answer(message(), stream=False))
    server.answer(answer(text(), stream=False))

    with sync_client(server) as client:
        runner = client.beta.messages.tool_runner(
            model="claude-test",
            max_tokens=100,
            messages=[{"role": "user", "content": "How warm is it in Paris?"}],
            tools=[weather],
        )
        runner.until_done()

    spans = [span for span in captured.spans if span.name == "chat claude-test"]
    assert [(span.attributes or {})["gen_ai.response.finish_reasons"] for span in spans] == [("tool_call",), ("stop",)]
    assert "21 C in Paris" in str((spans[1].attributes or {})["gen_ai.input.messages"])


@pytest.mark.parametrize(
    ("kind", "provider"),
    [
        ("AnthropicBedrock", "aws.bedrock"),
        ("AnthropicBedrockMantle", "aws.bedrock"),
        ("AnthropicVertex", "gcp.vertex_ai"),
        ("AnthropicFoundry", "azure.ai.inference"),
        ("AnthropicAWS", "anthropic"),
        ("AnthropicGoogleCloud", "anthropic"),
    ],
)
def test_the_provider_is_told_by_the_client(kind: str, provider: str, captured: Captured, server: LlmServer) -> None:
    """Clouds have clients of their own, some for Anthropic's own API, and the model asked for is on the span."""
    if not hasattr(anthropic, kind):
        pytest.skip(f"this version of anthropic has no {kind}")
    server.answer(answer(text(), stream=False), times=2)

    async def ask() -> None:
        async with getattr(anthropic, f"Async{kind}")(base_url=server.url, max_retries=0, **KINDS[kind]) as client:
            await client.messages.create(**ASKED)

    with getattr(anthropic, kind)(base_url=server.url, max_retries=0, **KINDS[kind]) as client:
        client.messages.create(**ASKED)
    asyncio.run(ask())

    assert [(span.attributes or {})["gen_ai.provider.name"] for span in captured.spans] == [provider, provider]
    assert {(span.attributes or {})["gen_ai.request.model"] for span in captured.spans} == {"claude-test"}
