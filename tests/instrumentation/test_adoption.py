"""A call inside a framework's own inference span: recorded on that span, without a second one."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import agentops_otel
from tests.clients.capture import Captured, capture
from tests.clients.openai_calls import ASKED, async_client, sync_client
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import answer, chunks, completion

FAILURE = Answer.json({"error": {"message": "no"}}, 500)


@contextmanager
def framework(provider: TracerProvider, **said: Any) -> Iterator[trace.Span]:
    """The span that a framework makes around a request to a model."""
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "theirs", **said}
    tracer = provider.get_tracer("framework")
    with tracer.start_as_current_span("chat m", kind=SpanKind.CLIENT, attributes=attributes) as span:
        yield span


def attributes_of(captured: Captured) -> list[dict[str, Any]]:
    """Of each span."""
    return [dict(span.attributes or {}) for span in captured.spans]


def test_a_call_is_recorded_on_the_frameworks_span(captured: Captured, server: LlmServer) -> None:
    """Settings, tokens, finish reasons, messages and server are on it, and what the framework says stays."""
    server.answer(answer(completion(), stream=False))

    with sync_client(server) as client, framework(captured.provider):
        client.chat.completions.create(**ASKED, temperature=0.5)

    (span,) = captured.spans
    said: dict[str, Any] = dict(span.attributes or {})
    assert span.name == "chat m"
    assert said["gen_ai.provider.name"] == "theirs"
    assert said["gen_ai.request.temperature"] == 0.5
    assert said["gen_ai.usage.input_tokens"] > 0
    assert said["gen_ai.response.finish_reasons"] == ("stop",)
    assert said["server.address"] == "127.0.0.1"
    assert "gen_ai.input.messages" in said
    assert "gen_ai.output.messages" in said


def test_without_content_no_message_is_on_the_frameworks_span(server: LlmServer) -> None:
    """The content policy is ours."""
    server.answer(answer(completion(), stream=False))

    with capture(content=False) as captured, sync_client(server) as client, framework(captured.provider):
        client.chat.completions.create(**ASKED)

    (said,) = attributes_of(captured)
    assert "gen_ai.usage.input_tokens" in said
    assert not [name for name in said if name.endswith(".messages")]


def test_a_stream_is_recorded_on_the_frameworks_span(captured: Captured, server: LlmServer) -> None:
    """With the time to its first chunk."""
    server.answer(answer(completion(), stream=True))

    with sync_client(server) as client, framework(captured.provider):
        list(client.chat.completions.create(**ASKED, stream=True))

    (said,) = attributes_of(captured)
    assert said["gen_ai.response.time_to_first_chunk"] > 0
    assert "gen_ai.output.messages" in said


def test_a_stream_that_is_left_is_recorded_on_the_frameworks_span(captured: Captured, server: LlmServer) -> None:
    """As abandoned, with what had come."""
    server.answer(answer(completion(), stream=True))

    with (
        sync_client(server) as client,
        framework(captured.provider),
        client.chat.completions.create(**ASKED, stream=True) as stream,
    ):
        next(iter(stream))

    (said,) = attributes_of(captured)
    assert said["agentops.stream.abandoned"] is True


def test_a_stream_that_outlives_the_frameworks_span_is_read_on(
    captured: Captured, server: LlmServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is set on a span that has ended, and nothing is logged."""
    whole = completion()
    server.answer(answer(whole, stream=True))

    with caplog.at_level(logging.WARNING), sync_client(server) as client:
        with framework(captured.provider):
            stream = client.chat.completions.create(**ASKED, stream=True)
        assert len(list(stream)) == len(chunks(whole))

    assert len(captured.spans) == 1
    assert caplog.records == []


def test_the_frameworks_span_has_what_each_span_of_ours_has(server: LlmServer) -> None:
    """The session that the call is made in; what the call says itself comes first."""
    server.answer(answer(completion(), stream=False))
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    agentops_otel.init(tracer_provider=provider, console=False, trace_file=False, spool_dir=False)

    with sync_client(server) as client, agentops_otel.start_session() as session, framework(provider):
        client.chat.completions.create(**ASKED)
    agentops_otel.shutdown(timeout_s=1)
    provider.shutdown()

    span, *_ = exporter.get_finished_spans()
    said = span.attributes or {}
    assert (span.name, said["session.id"]) == ("chat m", session.session_id)
    assert said["gen_ai.provider.name"] == "theirs"


def test_content_that_the_framework_has_set_counts_in_the_bound_of_its_span(
    captured: Captured, server: LlmServer
) -> None:
    """What the call says has the rest of the room."""
    server.answer(answer(completion(), stream=False))
    asked = {**ASKED, "messages": [{"role": "user", "content": "How warm? " * 1000}]}

    with (
        sync_client(server) as client,
        framework(captured.provider, **{"gen_ai.system_instructions": "x" * 255 * 1024}),
    ):
        client.chat.completions.create(**asked)

    (said,) = attributes_of(captured)
    assert 0 < len(said["gen_ai.input.messages"]) <= 1024


def test_an_asynchronous_call_is_recorded_on_the_frameworks_span(captured: Captured, server: LlmServer) -> None:
    """As a synchronous one."""
    server.answer(answer(completion(), stream=False))

    async def program() -> None:
        async with async_client(server) as client:
            with framework(captured.provider):
                await client.chat.completions.create(**ASKED)

    asyncio.run(program())

    (said,) = attributes_of(captured)
    assert said["gen_ai.usage.input_tokens"] > 0


def test_a_second_call_in_one_span_has_its_own(captured: Captured, server: LlmServer) -> None:
    """A framework that tries again, or asks twice, has a span for each request."""
    server.answer(answer(completion(), stream=False), times=2)

    with sync_client(server) as client, framework(captured.provider):
        client.chat.completions.create(**ASKED)
        client.chat.completions.create(**ASKED)

    second, first = captured.spans
    assert first.instrumentation_scope is not None
    assert first.instrumentation_scope.name == "framework"
    assert second.parent is not None
    assert first.context is not None
    assert second.parent.span_id == first.context.span_id


def test_an_error_that_the_framework_handles_does_not_fail_its_span(captured: Captured, server: LlmServer) -> None:
    """The retry has a span of its own, and the framework's has the status that the framework gives it."""
    server.answer(FAILURE)
    server.answer(answer(completion(), stream=False))

    with sync_client(server, max_retries=0) as client, framework(captured.provider):
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(**ASKED)
        client.chat.completions.create(**ASKED)

    assert [span.status.status_code for span in captured.spans] == [StatusCode.UNSET, StatusCode.UNSET]


def test_a_span_between_keeps_the_call_its_own(captured: Captured, server: LlmServer) -> None:
    """Only a call directly inside the framework's span is the one that it tells of."""
    server.answer(answer(completion(), stream=False))

    between = captured.provider.get_tracer("program").start_as_current_span("between")
    with sync_client(server) as client, framework(captured.provider), between:
        client.chat.completions.create(**ASKED)

    assert [span.name for span in captured.spans] == [f"chat {ASKED['model']}", "between", "chat m"]


@pytest.mark.parametrize("said", [{"gen_ai.operation.name": "invoke_agent"}, {"gen_ai.operation.name": "execute_tool"}])
def test_a_span_of_another_operation_is_only_the_parent(
    said: dict[str, Any], captured: Captured, server: LlmServer
) -> None:
    """An agent's or a tool's span tells of no request."""
    server.answer(answer(completion(), stream=False))

    with sync_client(server) as client, framework(captured.provider, **said):
        client.chat.completions.create(**ASKED)

    assert len(captured.spans) == 2


def test_a_span_of_another_provider_is_not_used(captured: Captured, server: LlmServer) -> None:
    """It goes elsewhere: the call has its own span where ours go."""
    server.answer(answer(completion(), stream=False))

    with sync_client(server) as client, framework(TracerProvider(shutdown_on_exit=False)):
        client.chat.completions.create(**ASKED)

    assert [span.name for span in captured.spans] == [f"chat {ASKED['model']}"]
