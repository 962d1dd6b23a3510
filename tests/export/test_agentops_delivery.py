"""Spans reach an AgentOps backend through the whole pipeline, whatever its tokens and its services do."""

import itertools
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

import agentops_otel
from agentops_otel import export, sdk
from agentops_otel.config import Config, Destination, Protocol
from agentops_otel.export import Pipeline
from tests.loopback.agentops_backend import AgentOpsBackend
from tests.loopback.otlp_sink import OtlpSink, attributes_of

PROTOCOLS: tuple[Protocol, ...] = ("http/protobuf", "grpc")


@contextmanager
def pipeline_to(*destinations: Destination, spool_dir: Path) -> Iterator[tuple[Tracer, Pipeline]]:
    """A tracer whose spans go down the real pipeline to these."""
    pipeline = export.build(Config(destinations=destinations, spool_dir=spool_dir, quiet=True))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(pipeline)
    yield provider.get_tracer("test"), pipeline
    pipeline.shutdown()


def work(tracer: Tracer, spans: int) -> None:
    """So many spans, each a step of its own."""
    for n in range(spans):
        tracer.start_span(f"step {n}", attributes={"agentops.span.kind": "operation"}).end()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What we have logged."""
    return [record.getMessage() for record in caplog.records if record.name == "agentops_otel"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_spans_come_with_a_token_and_in_its_names(protocol: Protocol, tmp_path: Path) -> None:
    """Over HTTP and gRPC: one exchange of the key, a bearer token on the request, the backend's names in it."""
    with AgentOpsBackend(protocol) as backend, pipeline_to(backend.destination, spool_dir=tmp_path) as (tracer, _):
        tracer.start_span("search", attributes={"agentops.span.kind": "operation"}).end()
        backend.sink.wait_for(1)

    assert set(backend.sink.spans) == {"search.session"}
    assert backend.exchanges == [200]
    assert [r.headers["authorization"] for r in backend.sink.received] == [f"Bearer {backend.tokens[0]}"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_span_arrives_though_tokens_expire(protocol: Protocol, tmp_path: Path) -> None:
    """Tokens that live two seconds are renewed before they end: each span once, no request refused."""
    with (
        AgentOpsBackend(protocol, token_life_s=3) as backend,
        pipeline_to(backend.destination, spool_dir=tmp_path) as (tracer, pipeline),
    ):
        for spans in itertools.count(1):
            work(tracer, 1)
            backend.sink.wait_for(spans)
            if len(backend.tokens) == 3:
                break

    stats = pipeline.stats()
    assert (stats.produced, stats.sent, dict(stats.dropped)) == (spans, spans, {})
    assert backend.sink.duplicates == 0
    assert backend.rejected == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_lost_while_both_services_are_down_at_the_start(
    protocol: Protocol, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Spans wait for the token service and the collector; one line says so, and all arrive when they are there."""
    with AgentOpsBackend(protocol) as gone:
        destination = gone.destination
    with pipeline_to(destination, spool_dir=tmp_path) as (tracer, pipeline):
        work(tracer, 50)
        waiting = pipeline.force_flush(500), pipeline.stats().sent
        with AgentOpsBackend(
            protocol, api_key=gone.api_key, api_port=gone.api_port, otlp_port=gone.sink.port
        ) as backend:
            work(tracer, 50)
            backend.sink.wait_for(100)
            pipeline.force_flush(5000)

    assert waiting[1] == 0
    assert pipeline.stats().sent == 100
    assert lines(caplog) == [
        "AgentOps gives no token: 127.0.0.1 cannot be reached. It is asked again, and the spans wait"
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_rejected_token_is_replaced_once_and_costs_nothing(
    protocol: Protocol, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After a 401 the key is exchanged again and the same request goes out: nothing lost, nothing twice, no line."""
    with (
        AgentOpsBackend(protocol) as backend,
        pipeline_to(backend.destination, spool_dir=tmp_path) as (tracer, pipeline),
    ):
        backend.reject_tokens(1)
        work(tracer, 20)
        backend.sink.wait_for(20)
        pipeline.force_flush(5000)

    assert backend.exchanges == [200, 200]
    assert pipeline.stats().sent == 20
    assert backend.sink.duplicates == 0
    assert lines(caplog) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refused_key_costs_only_the_spans_that_were_to_go_there(
    protocol: Protocol, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They are counted, in one line it is said what to do, and the other destination has everything."""
    with (
        AgentOpsBackend(protocol) as backend,
        OtlpSink() as collector,
        pipeline_to(
            replace(backend.destination, agentops=replace(backend.account, api_key="not a key")),
            Destination(endpoint=collector.endpoint),
            spool_dir=tmp_path,
        ) as (tracer, pipeline),
    ):
        work(tracer, 30)
        collector.wait_for(30)
        flushed = pipeline.force_flush(5000)
        work(tracer, 30)
        collector.wait_for(60)
        pipeline.force_flush(5000)

    by_destination = pipeline.stats().destinations
    assert flushed
    assert backend.exchanges == [400]
    assert backend.sink.received == []
    assert dict(by_destination[backend.destination.shown].dropped) == {"unauthorised": 60}
    assert by_destination[Destination(endpoint=collector.endpoint).shown].sent == 60
    assert len(lines(caplog)) == 1
    assert "Set AGENTOPS_API_KEY" in lines(caplog)[0]


def test_the_key_and_the_tokens_are_written_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a span, a spool file, a log at any level, a repr or the counts, while services fail in every way."""
    caplog.set_level(logging.DEBUG)
    with AgentOpsBackend() as backend:
        with pipeline_to(backend.destination, spool_dir=tmp_path) as (tracer, pipeline):
            work(tracer, 5)
            backend.sink.wait_for(5)
            backend.fail_auth(500)
            backend.reject_tokens(1)
            work(tracer, 5)
            backend.sink.wait_for(10)
        destination = backend.destination
    with pipeline_to(destination, spool_dir=tmp_path) as (tracer, down):
        work(tracer, 5)
        down.force_flush(300)
        down.shutdown()

    secrets = [backend.api_key, *backend.tokens]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    written = b"".join(path.read_bytes() for path in files).decode(errors="replace") + "".join(map(str, files))
    said = [caplog.text, repr(pipeline), repr(pipeline.stats()), repr(down.stats()), repr(destination), written]
    said += [str(span) for span in backend.sink.spans.values()]
    assert len(backend.tokens) >= 2
    assert not [secret for secret in secrets if secret in "".join(said)]


def start(backend: AgentOpsBackend, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> agentops_otel.Client:
    """`init()` with the key, in an environment that names the backend."""
    monkeypatch.setenv("AGENTOPS_API_ENDPOINT", backend.account.api_endpoint)
    monkeypatch.setenv("AGENTOPS_EXPORTER_ENDPOINT", backend.sink.endpoint)
    return agentops_otel.init(backend.api_key, console=False, **settings)


STEPS: tuple[tuple[str, SpanKind, Mapping[str, AttributeValue]], ...] = (
    ("search", SpanKind.INTERNAL, {"agentops.span.kind": "operation"}),
    (
        "execute_tool clock",
        SpanKind.INTERNAL,
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "clock"},
    ),
    (
        "chat gpt-4o",
        SpanKind.CLIENT,
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 9,
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
        },
    ),
)


def agent_run() -> None:
    """A small agent: a session with an action, a tool that fails and an LLM call."""
    recorder = sdk.current()
    assert recorder is not None
    with agentops_otel.start_session(["nightly"], name="report") or pytest.fail("no session"):
        for name, kind, attributes in STEPS:
            span = recorder.start(name, kind=kind, attributes=attributes)
            if name == "execute_tool clock":
                recorder.mark_failed(span, "TimeoutError", "too slow")
            recorder.end(span)


def test_a_collector_and_agentops_have_the_whole_run_each_in_its_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """One program, an endpoint and a key: both get every span; names, attributes and statuses differ, ids do not."""
    with AgentOpsBackend() as backend, OtlpSink() as collector:
        start(backend, monkeypatch, endpoint=collector.endpoint, auto_start_session=False)
        agent_run()
        agentops_otel.shutdown(timeout_s=10)

    assert sorted(collector.spans) == ["chat gpt-4o", "execute_tool clock", "invoke_workflow report", "search"]
    assert sorted(backend.sink.spans) == ["chat gpt-4o", "clock.tool", "report.session", "search.operation"]
    assert collector.ids == backend.sink.ids
    assert not [received for received in collector.received if "authorization" in received.headers]
    assert attribute_names(collector) == snapshot(
        [
            "agentops.session.end_state",
            "agentops.span.kind",
            "agentops.tags",
            "error.type",
            "gen_ai.input.messages",
            "gen_ai.operation.name",
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "gen_ai.tool.name",
            "gen_ai.usage.input_tokens",
            "gen_ai.workflow.name",
            "session.id",
        ]
    )
    assert attribute_names(backend.sink) == snapshot(
        [
            "agentops.session.end_state",
            "agentops.span.kind",
            "agentops.tags",
            "error.message",
            "error.type",
            "gen_ai.operation.name",
            "gen_ai.prompt.0.content",
            "gen_ai.prompt.0.role",
            "gen_ai.request.model",
            "gen_ai.system",
            "gen_ai.usage.prompt_tokens",
            "gen_ai.usage.total_tokens",
            "operation.name",
            "session.id",
            "tool.name",
            "tool.status",
            "workflow.name",
        ]
    )
    assert {span.name: span.status.code for span in collector.spans.values() if span.status.code} == {
        "execute_tool clock": StatusCode.ERROR.value
    }
    assert {span.name: span.status.code for span in backend.sink.spans.values()} == {
        "report.session": StatusCode.OK.value,
        "search.operation": StatusCode.OK.value,
        "chat gpt-4o": StatusCode.OK.value,
        "clock.tool": StatusCode.ERROR.value,
    }


def attribute_names(sink: OtlpSink) -> list[str]:
    """All names of attributes that arrived, on whatever span."""
    return sorted({name for span in sink.spans.values() for name in attributes_of(span)})


def test_the_oldest_span_of_a_trace_is_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend takes name and tags of a trace from the span that started first: the root, which arrives last."""
    with AgentOpsBackend() as backend:
        start(backend, monkeypatch, tags=["v2"], auto_start_session=False)
        agent_run()
        agentops_otel.shutdown(timeout_s=10)

    oldest, *others = sorted(backend.sink.spans.values(), key=lambda span: span.start_time_unix_nano)
    assert oldest.name == "report.session"
    assert oldest.start_time_unix_nano < others[0].start_time_unix_nano
    assert attributes_of(oldest)["agentops.tags"] == ["v2", "nightly"]
    assert not [span.name for span in others if span.name.endswith(".session")]
