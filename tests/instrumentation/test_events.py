"""The conventions' events of a call: where content goes when it is not to be on spans, or not only there."""

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from inline_snapshot import snapshot
from opentelemetry._logs import Logger, set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.trace import get_current_span

from agentops_otel.version import VERSION
from tests.clients.capture import capture
from tests.clients.openai_calls import ASKED, sync_client
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import answer, completion, embeddings

pytestmark = pytest.mark.skipif(not hasattr(Logger, "enabled"), reason="OpenTelemetry's logs take no events yet")


class _Kept(LogRecordProcessor):
    """Keeps what is written, and what it was asked whether it wants it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.records: list[Any] = []
        self.scopes: list[Any] = []
        self.asked: list[tuple[int, str, str]] = []
        self.unwanted = ""

    def enabled(self, *, context: Any = None, severity_number: Any = None, event_name: Any = None, **_: Any) -> bool:
        within = get_current_span(context).get_span_context().span_id
        self.asked.append((within, severity_number.name, event_name))
        return bool(event_name != self.unwanted)

    def on_emit(self, log_record: Any) -> None:
        self.records.append(log_record.log_record)
        self.scopes.append(log_record.instrumentation_scope)

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


_kept = _Kept()


@pytest.fixture(scope="module", autouse=True)
def _logs() -> Iterator[None]:
    """OpenTelemetry takes one logger provider a process."""
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(_kept)
    set_logger_provider(provider)
    yield
    provider.shutdown()


@pytest.fixture(autouse=True)
def _none_before() -> None:
    _kept.reset()


def events() -> list[dict[str, Any]]:
    """The events so far, in the order they were written, without the server's port."""
    found = []
    for record in _kept.records:
        attributes = {name: value for name, value in (record.attributes or {}).items() if name != "server.port"}
        severity = record.severity_number.name if record.severity_number else ""
        found.append({"name": record.event_name, "severity": severity, "attributes": attributes})
    return found


def test_an_inference_is_told_by_an_event_within_its_span(server: LlmServer) -> None:
    """EVENT_ONLY: the event says what the span says, and the messages as structures; the span has none of them."""
    server.answer(answer(completion(), stream=True))

    with capture(content=False, events=True) as captured, sync_client(server) as client:
        list(client.chat.completions.create(**ASKED, stream=True))

    (span,) = captured.spans
    (record,) = _kept.records
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert "gen_ai.input.messages" not in (span.attributes or {})
    assert set(span.attributes or {}) <= set(record.attributes or {})
    assert events() == snapshot(
        [
            {
                "name": "gen_ai.client.inference.operation.details",
                "severity": "DEBUG",
                "attributes": {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "server.address": "127.0.0.1",
                    "openai.api.type": "chat_completions",
                    "gen_ai.request.model": "gpt-4.1",
                    "gen_ai.request.stream": True,
                    "gen_ai.response.time_to_first_chunk": 0.001,
                    "openai.response.service_tier": "default",
                    "openai.response.system_fingerprint": "fp_1",
                    "gen_ai.response.finish_reasons": ("stop",),
                    "gen_ai.response.id": "chatcmpl-1",
                    "gen_ai.response.model": "gpt-4.1-2025-04-14",
                    "gen_ai.usage.cache_read.input_tokens": 4,
                    "gen_ai.usage.input_tokens": 11,
                    "gen_ai.usage.output_tokens": 7,
                    "gen_ai.usage.reasoning.output_tokens": 3,
                    "gen_ai.input.messages": (
                        {"role": "user", "parts": ({"type": "text", "content": "How warm is it in Paris?"},)},
                    ),
                    "gen_ai.output.messages": (
                        {"role": "assistant", "parts": ({"type": "text", "content": "It is 21 degrees in Paris."},)},
                    ),
                },
            }
        ]
    )


def test_content_is_on_both_where_both_are_wanted(server: LlmServer) -> None:
    """SPAN_AND_EVENT."""
    server.answer(answer(completion(), stream=False))

    with capture(events=True) as captured, sync_client(server) as client:
        client.chat.completions.create(**ASKED)

    (span,) = captured.spans
    (event,), (record,) = events(), _kept.records
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert _kept.asked == [(span.context.span_id, "DEBUG", "gen_ai.client.inference.operation.details")]
    assert "Paris" in str((span.attributes or {})["gen_ai.input.messages"])
    assert event["attributes"]["gen_ai.input.messages"][0]["role"] == "user"


def test_content_is_on_the_span_alone_where_events_are_to_have_none(server: LlmServer) -> None:
    """SPAN_ONLY, with events."""
    server.answer(answer(completion(), stream=False))

    with capture(events=False) as captured, sync_client(server) as client:
        client.chat.completions.create(**ASKED)

    (span,), (event,) = captured.spans, events()
    assert "Paris" in str((span.attributes or {})["gen_ai.input.messages"])
    assert [name for name in event["attributes"] if name.endswith(".messages")] == []


def test_an_exception_is_an_event_too(server: LlmServer) -> None:
    """WARN with its class and text; the details say that it failed."""
    server.answer(Answer.json({"error": {"message": "no, Paris"}}, 400))

    with capture(events=True), sync_client(server) as client, pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**ASKED)

    exception, details = events()
    assert "Traceback" in exception["attributes"].pop("exception.stacktrace")
    assert exception == snapshot(
        {
            "name": "gen_ai.client.operation.exception",
            "severity": "WARN",
            "attributes": {
                "exception.type": "openai.BadRequestError",
                "exception.message": "Error code: 400 - no, Paris",
            },
        }
    )
    assert details["attributes"]["error.type"] == "openai.BadRequestError"


def test_an_event_that_nobody_wants_is_not_written(server: LlmServer) -> None:
    """Who is asked knows its name, its severity and its span."""
    server.answer(Answer.json({"error": {"message": "no"}}, 400))
    _kept.unwanted = "gen_ai.client.inference.operation.details"

    with capture(events=True) as captured, sync_client(server) as client, pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**ASKED)

    (span,) = captured.spans
    assert _kept.asked == [
        (span.context.span_id, "WARN", "gen_ai.client.operation.exception"),
        (span.context.span_id, "DEBUG", "gen_ai.client.inference.operation.details"),
    ]
    assert [event["name"] for event in events()] == ["gen_ai.client.operation.exception"]
    assert [(scope.name, scope.version) for scope in _kept.scopes] == [("agentops_otel", VERSION)]


@pytest.mark.parametrize(
    ("redact", "messages", "words"),
    [
        (lambda name, text: text[:9], '[{"role":', "Error cod"),
        (lambda name, text: None, None, None),
        (
            lambda name, text: text.replace("Paris", "Rome"),
            ({"role": "user", "parts": ({"type": "text", "content": "How warm is it in Rome?"},)},),
            "Error code: 400 - no, Rome",
        ),
    ],
    ids=["no JSON any more", "nothing", "other words"],
)
def test_events_have_what_the_programs_redaction_leaves(
    redact: Callable[[str, str], str | None], messages: object, words: str | None, server: LlmServer
) -> None:
    """A structure as long as it is one, else the text; of an exception without its words its type."""
    server.answer(Answer.json({"error": {"message": "no, Paris"}}, 400))

    with capture(events=True, redact=redact), sync_client(server) as client, pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**ASKED)

    exception, details = (event["attributes"] for event in events())
    assert details["gen_ai.input.messages"] == messages
    assert exception.get("exception.message") == words


def test_with_content_off_events_say_nothing_of_what_was_said(server: LlmServer) -> None:
    """Events without content: neither prompt nor answer nor an error's text."""
    server.answer(answer(completion(), stream=False))
    server.answer(Answer.json({"error": {"message": "no, Paris"}}, 400))

    with capture(content=False, events=False), sync_client(server) as client:
        client.chat.completions.create(**ASKED)
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(**ASKED)

    assert [event["name"] for event in events()] == [
        "gen_ai.client.inference.operation.details",
        "gen_ai.client.operation.exception",
        "gen_ai.client.inference.operation.details",
    ]
    assert "Paris" not in str(events())


def test_there_are_no_events_unless_they_are_asked_for(server: LlmServer) -> None:
    """Nor is there one for a call that is no inference."""
    server.answer(answer(completion(), stream=False))
    server.answer(embeddings([0.1]))

    with capture(), sync_client(server) as client:
        client.chat.completions.create(**ASKED)
    with capture(events=True), sync_client(server) as client:
        client.embeddings.create(model="embed", input="warm")

    assert events() == []
