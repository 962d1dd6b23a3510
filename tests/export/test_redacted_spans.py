"""Spans of any library leave without secrets, whoever set what on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import Link, Span, SpanKind, StatusCode

from agentops_otel.config import Config
from agentops_otel.content import MAX_DEPTH, SpanRedaction
from agentops_otel.export import build
from agentops_otel.export.encode import Encoder
from tests.export.delivery import destination, running
from tests.loopback.otlp_sink import OtlpSink, attributes_of

KEY = "sk-proj-a1B2c3D4e5F6g7H8i9J0"


def ended(span: Span) -> ReadableSpan:
    """The span, which has ended."""
    span.end()
    assert isinstance(span, ReadableSpan)
    return span


def test_no_part_of_a_foreign_span_carries_a_secret(tmp_path: Path) -> None:
    """Name, attributes, events, links, status and resource, at the collector and in the trace file."""
    file = tmp_path / "trace.jsonl"
    with OtlpSink() as sink:
        pipeline = build(Config(destinations=(destination(sink),), trace_file=file))
        provider = TracerProvider(
            resource=Resource({"service.name": "x", "process.command_args": ["run", "--password", "letmein"]})
        )
        provider.add_span_processor(pipeline)
        tracer = provider.get_tracer("another.library")
        other = tracer.start_span("other")
        with tracer.start_as_current_span(
            f"GET /?key={KEY}",
            kind=SpanKind.SERVER,
            links=[Link(other.get_span_context(), {"note": f"with {KEY}", "gen_ai.output.messages": f"with {KEY}"})],
        ) as span:
            span.add_event("as ours would be named", {"gen_ai.input.messages": f"with {KEY}"})
            span.set_attribute("url.query", "api_key=letmein1&q=hello")
            span.set_attribute("http.request.header.authorization", ["Bearer letmein"])
            span.set_attribute("db.password", "letmein")
            span.set_attribute("command", ["mysql", "--password", "letmein"])
            span.set_attribute("input.value", '{"name": "DB_PASSWORD", "value": "letmein"}')
            span.set_attribute("gen_ai.usage.input_tokens", 25)
            span.add_event(f"used {KEY}", {"exception.message": f"cannot use {KEY}", "n": 1})
            span.set_status(StatusCode.ERROR, f"{KEY} is refused")

        assert pipeline.force_flush()
        pipeline.shutdown()

    [received] = [one.request for one in sink.received]
    sent, written = str(received), file.read_text()
    assert [text for text in (KEY, "a1B2c3", "letmein") if text in sent or text in written] == []
    assert all(text in sent and text in written for text in ("q=hello", "mysql", "service.name", "is refused"))
    assert [attributes_of(span).get("gen_ai.usage.input_tokens") for span in sink.spans.values()] == [25]


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("url.query", "q=hello", None),
        ("url.full", "https://x.org/a?q=hello", "https://x.org/a"),
        ("http.url", "https://x.org/a?q=hello", "https://x.org/a"),
        ("http.target", "/a?q=hello", "/a"),
        ("url.original", "/a?q=hello", "/a"),
        ("url.path", "/a", "/a"),
    ],
)
def test_query_strings_are_content(name: str, value: str, kept: str | None) -> None:
    """With content off what a program asks for in a URL stays in; with content on it is recorded."""
    provider = TracerProvider()
    span = ended(provider.get_tracer("x").start_span("GET /a?q=hello", attributes={name: value}))

    off, on = (SpanRedaction(capture_content=capture)(span) for capture in (False, True))

    assert ((off.attributes or {}).get(name), off.name) == (kept, "GET /a")
    assert on is span


@pytest.mark.parametrize(
    "name",
    [
        "input.value",
        "output.value",
        "traceloop.entity.input",
        "traceloop.entity.output",
        "gen_ai.prompt.0.content",
        "gen_ai.completion.0.tool_calls.0.arguments",
        "llm.input_messages.0.message.content",
        "llm.output_messages.0.message.content",
        "llm.prompts.0.prompt.text",
        "retrieval.documents.0.document.content",
        "tool.parameters",
    ],
)
def test_messages_under_the_names_of_other_conventions_are_content(name: str) -> None:
    """Those of OpenInference and OpenLLMetry: with content off they stay in, with content on they are recorded."""
    attributes = {name: "How warm is it?", "llm.model_name": "gpt-4.1"}
    span = ended(TracerProvider().get_tracer("x").start_span("llm", attributes=attributes))

    off, on = (SpanRedaction(capture_content=capture)(span) for capture in (False, True))

    assert off.attributes == {"llm.model_name": "gpt-4.1"}
    assert on is span


@pytest.mark.parametrize(
    ("capture_content", "kept"), [(True, {"url.path", "url.query", "input.value"}), (False, {"url.path"})]
)
def test_content_of_other_libraries_is_sent_where_content_is_captured(capture_content: bool, kept: set[str]) -> None:
    """By the setting, from the span to the collector."""
    with OtlpSink() as sink:
        config = Config(destinations=(destination(sink),), capture_content=capture_content)
        with running(config) as (pipeline, tracer):
            said = {"url.path": "/a", "url.query": "q=hello", "input.value": "How warm is it?"}
            tracer.start_span("GET /a", attributes=said).end()
            assert pipeline.force_flush()

        [span] = sink.spans.values()
    assert attributes_of(span).keys() == kept


@pytest.mark.parametrize("depth", [1, 15, MAX_DEPTH, MAX_DEPTH + 1, 200])
@pytest.mark.parametrize("nest", [lambda value: [value], lambda value: {"of": value}], ids=["lists", "mappings"])
def test_a_secret_is_found_as_deep_as_values_are_sent(nest: Callable[[object], Any], depth: int) -> None:
    """What is deeper stays out, whatever reads the span."""
    value: Any = f"with {KEY}"
    for _ in range(depth):
        value = nest(value)
    span = ReadableSpan("n", trace.INVALID_SPAN_CONTEXT, attributes={"note": value})

    redacted = SpanRedaction(capture_content=True)(span)

    places = str((redacted.attributes or {})["note"]), str(Encoder().batch([redacted]).body)
    assert [(KEY in place, "[redacted]" in place) for place in places] == [(False, depth <= MAX_DEPTH)] * 2


def test_a_span_without_secrets_stays_as_it_is() -> None:
    """Nothing is copied, and what the span had dropped is still counted on a copy."""
    provider = TracerProvider()
    tracer = provider.get_tracer("x")
    plain = ended(tracer.start_span("plain", attributes={"a": "b", "list": ("c", "d"), "n": 1.5, "max_tokens": 5}))
    secret = ended(tracer.start_span("secret", attributes={f"a{n}": n for n in range(200)} | {"password": "x"}))
    redaction = SpanRedaction(capture_content=True)

    redacted = redaction(secret)

    assert redaction(plain) is plain
    assert (redacted.attributes or {})["password"] == "[redacted]"
    assert redacted.dropped_attributes == 201 - 128


def test_a_span_that_cannot_be_searched_keeps_nothing_that_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ids and times arrive, so that the tree is whole."""
    from agentops_otel import guard

    monkeypatch.setattr(guard, "reraise", False)
    with OtlpSink() as sink, running(Config(destinations=(destination(sink),))) as (pipeline, tracer):
        monkeypatch.setattr(pipeline, "_redaction", lambda span: 1 / 0)
        parent = tracer.start_span("with a secret", attributes={"a": "b"})
        child = tracer.start_span("below", trace.set_span_in_context(parent), SpanKind.CLIENT, start_time=2)
        child.end(3)
        parent.end()

        assert pipeline.force_flush()

    below, above = sink.every
    assert [(span.name, list(span.attributes)) for span in (below, above)] == [("redacted", [])] * 2
    assert (below.trace_id, below.parent_span_id) == (above.trace_id, above.span_id)
    assert (below.kind, below.start_time_unix_nano, below.end_time_unix_nano) == (below.SPAN_KIND_CLIENT, 2, 3)
