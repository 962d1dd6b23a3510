"""Spans reach an AgentOps backend through the whole pipeline, whatever its tokens and its services do."""

import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode, Tracer

from agentops_otel import export
from agentops_otel.config import Config, Destination, OtlpProtocol
from agentops_otel.export import Pipeline
from agentops_otel.export.fallback_file import LIMIT, FallbackFile
from agentops_otel.export.file import FileExporter, read
from agentops_otel.export.trace_directory import KEEP, default_path, trace_files
from tests import program
from tests.export.delivery import tracer_for
from tests.loopback.agentops_backend import AgentOpsBackend
from tests.loopback.agentops_dashboard import show
from tests.loopback.otlp_sink import OtlpSink, attributes_of
from tests.python_process import run_python

PROTOCOLS: tuple[OtlpProtocol, ...] = ("http/protobuf", "grpc")


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
def test_spans_come_with_a_token_and_in_its_names(protocol: OtlpProtocol, tmp_path: Path) -> None:
    """Over HTTP and gRPC: one exchange of the key, a bearer token on the request, the backend's names in it."""
    with AgentOpsBackend(protocol) as backend, pipeline_to(backend.destination, spool_dir=tmp_path) as (tracer, _):
        tracer.start_span("search", attributes={"agentops.span.kind": "operation"}).end()
        backend.sink.wait_for(1)

    assert set(backend.sink.spans) == {"search.session"}
    assert backend.exchanges == [200]
    assert [r.headers["authorization"] for r in backend.sink.received] == [f"Bearer {backend.tokens[0]}"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_span_arrives_though_tokens_expire(protocol: OtlpProtocol, tmp_path: Path) -> None:
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
    protocol: OtlpProtocol, tmp_path: Path, caplog: pytest.LogCaptureFixture
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
            pipeline.force_flush(60_000)

    assert waiting[1] == 0
    assert pipeline.stats().sent == 100
    assert lines(caplog) == [
        "AgentOps gives no token: 127.0.0.1 cannot be reached. It is asked again, and the spans wait"
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_rejected_token_is_replaced_once_and_costs_nothing(
    protocol: OtlpProtocol, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After a 401 the key is exchanged again and the same request goes out: nothing lost, nothing twice, no line."""
    with (
        AgentOpsBackend(protocol) as backend,
        pipeline_to(backend.destination, spool_dir=tmp_path) as (tracer, pipeline),
    ):
        backend.reject_tokens(1)
        work(tracer, 20)
        backend.sink.wait_for(20)
        pipeline.force_flush(60_000)

    assert backend.exchanges == [200, 200]
    assert pipeline.stats().sent == 20
    assert backend.sink.duplicates == 0
    assert lines(caplog) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refused_key_costs_only_the_spans_that_were_to_go_there(
    protocol: OtlpProtocol, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They are counted; one line says what to do, one at the end how many; the other destination has everything.

    A flush tells of those that were dropped since the one before.
    """
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
        flushed = [pipeline.force_flush(60_000), pipeline.force_flush(60_000)]
        work(tracer, 30)
        collector.wait_for(60)
        flushed.append(pipeline.force_flush(60_000))

    by_destination = pipeline.stats().destinations
    assert flushed == [False, True, False]
    assert backend.exchanges == [400]
    assert backend.sink.received == []
    assert dict(by_destination[backend.destination.display_url].dropped) == {"unauthorised": 60}
    assert by_destination[Destination(endpoint=collector.endpoint).display_url].sent == 60
    advice, end = lines(caplog)
    assert "Set AGENTOPS_API_KEY" in advice
    assert end == f"{backend.destination.display_url}: spans were dropped: {{'unauthorised': 60}}"


def test_what_a_run_had_to_leave_on_disk_comes_with_the_next_one(tmp_path: Path) -> None:
    """Without a token the spans are kept as they will be sent; another account's run does not touch them."""
    with AgentOpsBackend() as gone:
        destination = gone.destination
    with pipeline_to(destination, spool_dir=tmp_path) as (tracer, left):
        work(tracer, 5)
    with (
        AgentOpsBackend(api_port=gone.api_port, otlp_port=gone.sink.port) as other,
        pipeline_to(other.destination, spool_dir=tmp_path) as (tracer, _),
    ):
        work(tracer, 1)
        other.sink.wait_for(1)
    with (
        AgentOpsBackend(api_key=gone.api_key, api_port=gone.api_port, otlp_port=gone.sink.port) as back,
        pipeline_to(destination, spool_dir=tmp_path) as (tracer, _),
    ):
        work(tracer, 1)
        back.sink.wait_for(6)

    assert left.stats().spooled == 5
    assert len(other.sink.ids) == 1
    assert set(back.sink.spans) == {f"step {n}.session" for n in range(5)}


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
        waiting = down.stats().spooled

    secrets = [backend.api_key, *backend.tokens]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    written = b"".join(path.read_bytes() for path in files).decode(errors="replace") + "".join(map(str, files))
    said = [caplog.text, repr(pipeline), repr(pipeline.stats()), repr(down.stats()), repr(destination), written]
    said += [str(span) for span in backend.sink.spans.values()]
    assert waiting == 5
    assert files
    assert len(backend.tokens) >= 2
    assert not [secret for secret in secrets if secret in "".join(said)]


def run(backend: AgentOpsBackend, **environment: str) -> None:
    """The program in a process of its own, with the account in its environment."""
    settings = {
        "AGENTOPS_API_KEY": backend.api_key,
        "AGENTOPS_API_ENDPOINT": backend.account.api_endpoint,
        "AGENTOPS_EXPORTER_ENDPOINT": backend.sink.endpoint,
        "AGENTOPS_AUTO_START_SESSION": "false",
    }
    done = run_python("-m", "tests.export.agentops_program", env={**os.environ, **settings, **environment}, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_collector_and_agentops_have_the_whole_run_each_in_its_own_names() -> None:
    """One program, an endpoint and a key: both get every span, and each its own names; the token goes to one alone."""
    with AgentOpsBackend() as backend, OtlpSink() as collector:
        run(backend, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.endpoint)

    assert collector.ids == backend.sink.ids
    assert not [received for received in collector.received if "authorization" in received.headers]
    assert {span.name: attribute_names(span) for span in in_order(collector)} == snapshot(
        {
            "invoke_workflow report": [
                "agentops.session.end_state",
                "agentops.span.kind",
                "agentops.tags",
                "gen_ai.operation.name",
                "gen_ai.workflow.name",
                "session.id",
            ],
            "answer": [
                "agentops.entity.input",
                "agentops.entity.output",
                "agentops.span.kind",
                "agentops.tags",
                "operation.name",
                "session.id",
            ],
            "invoke_agent Planner": [
                "agentops.entity.input",
                "agentops.entity.output",
                "agentops.span.kind",
                "agentops.tags",
                "gen_ai.agent.name",
                "gen_ai.operation.name",
                "session.id",
            ],
            "chat gpt-4o": [
                "agentops.action.type",
                "agentops.span.kind",
                "agentops.tags",
                "gen_ai.agent.name",
                "gen_ai.input.messages",
                "gen_ai.operation.name",
                "gen_ai.output.messages",
                "gen_ai.request.model",
                "gen_ai.usage.input_tokens",
                "gen_ai.usage.output_tokens",
                "session.id",
            ],
            "execute_tool clock": [
                "agentops.span.kind",
                "agentops.tags",
                "error.type",
                "gen_ai.agent.name",
                "gen_ai.operation.name",
                "gen_ai.tool.name",
                "session.id",
            ],
            "execute_tool weather": [
                "agentops.span.kind",
                "agentops.tags",
                "gen_ai.agent.name",
                "gen_ai.operation.name",
                "gen_ai.tool.call.arguments",
                "gen_ai.tool.call.result",
                "gen_ai.tool.name",
                "session.id",
            ],
        }
    )
    assert {span.name: attribute_names(span) for span in in_order(backend.sink)} == snapshot(
        {
            "report.session": [
                "agentops.session.end_state",
                "agentops.span.kind",
                "agentops.tags",
                "session.id",
                "workflow.name",
            ],
            "answer.operation": [
                "agentops.entity.input",
                "agentops.entity.output",
                "agentops.span.kind",
                "agentops.tags",
                "operation.name",
                "session.id",
            ],
            "Planner.agent": [
                "agent.id",
                "agent.name",
                "agent.role",
                "agentops.agent.input",
                "agentops.entity.output",
                "agentops.span.kind",
                "agentops.tags",
                "session.id",
            ],
            "chat gpt-4o.llm": [
                "agentops.action.type",
                "agentops.span.kind",
                "agentops.tags",
                "gen_ai.agent.name",
                "gen_ai.completion.0.content",
                "gen_ai.completion.0.role",
                "gen_ai.operation.name",
                "gen_ai.prompt.0.content",
                "gen_ai.prompt.0.role",
                "gen_ai.request.model",
                "gen_ai.usage.completion_tokens",
                "gen_ai.usage.prompt_tokens",
                "gen_ai.usage.total_tokens",
                "session.id",
            ],
            "clock.tool": [
                "agent_name",
                "agentops.span.kind",
                "agentops.tags",
                "error.message",
                "error.type",
                "operation.name",
                "session.id",
                "tool.name",
                "tool.status",
            ],
            "weather.tool": [
                "agent_name",
                "agentops.span.kind",
                "agentops.tags",
                "agentops.tool.input",
                "operation.name",
                "session.id",
                "tool.name",
                "tool.parameters",
                "tool.result",
                "tool.status",
            ],
        }
    )


def test_the_dashboard_shows_the_whole_run() -> None:
    """What the API and the dashboard make of the run: its session first, then each step in its place."""
    with AgentOpsBackend() as backend:
        run(backend)

    oldest, *others = in_order(backend.sink)
    assert not oldest.parent_span_id
    assert oldest.start_time_unix_nano < others[0].start_time_unix_nano
    assert [shown(span) for span in (oldest, *others)] == snapshot(
        [
            {
                "name": "report.session",
                "header": "Session: report",
                "bar": "session: report",
                "type": "other",
                "outcome": "success",
                "tags": ["nightly"],
            },
            {
                "name": "answer.operation",
                "header": "Operation: answer",
                "bar": "operation: answer",
                "type": "other",
                "outcome": "success",
                "tags": ["nightly"],
                "step": {
                    "name": "answer",
                    "args": [],
                    "kwargs": {"question": "Weather in Oslo?"},
                    "output": "rain in Oslo",
                },
            },
            {
                "name": "Planner.agent",
                "header": "Agent: Planner",
                "bar": "agent: Planner",
                "type": "agent",
                "outcome": "success",
                "tags": ["nightly"],
                "step": {
                    "name": "Planner.agent",
                    "args": [],
                    "kwargs": {},
                    "output": "rain in Oslo",
                },
                "agent card": {"id": "Planner", "role": "Planner"},
            },
            {
                "name": "chat gpt-4o.llm",
                "header": "LLM: chat gpt-4o",
                "bar": "llm: I look it up",
                "type": "request",
                "outcome": "success",
                "counts as": ["llm call"],
                "tags": ["nightly"],
                "model": "gpt-4o",
                "tokens": {
                    "prompt_tokens": 9,
                    "completion_tokens": 4,
                    "cache_read_input_tokens": 0,
                    "reasoning_tokens": 0,
                    "total": 13,
                },
                "prompts": ["user: Weather in Oslo?"],
                "completions": ["assistant: I look it up."],
            },
            {
                "name": "clock.tool",
                "header": "Tool: clock",
                "bar": "error: too slow",
                "type": "tool",
                "outcome": "fail",
                "counts as": ["tool call"],
                "tags": ["nightly"],
                "tool": {"name": "clock", "status": "failed", "error": "too slow"},
            },
            {
                "name": "weather.tool",
                "header": "Tool: weather",
                "bar": "tool: weather",
                "type": "tool",
                "outcome": "success",
                "counts as": ["tool call"],
                "tags": ["nightly"],
                "tool": {
                    "name": "weather",
                    "parameters": '{"city":"Oslo"}',
                    "result": "rain in Oslo",
                    "status": "succeeded",
                },
            },
        ]
    )


def in_order(sink: OtlpSink) -> list[Span]:
    """The spans by the time they started at, as the backend goes through a trace."""
    return sorted(sink.spans.values(), key=lambda span: span.start_time_unix_nano)


def attribute_names(span: Span) -> list[str]:
    """The names alone."""
    return sorted(attributes_of(span))


def shown(span: Span) -> dict[str, object]:
    """What is seen of a span that arrived."""
    code = StatusCode(span.status.code)
    status = Status(code, span.status.message) if code is StatusCode.ERROR else Status(code)
    return show(span.name, attributes_of(span), status)


REFUSED = """
    import os, agentops_otel
    from opentelemetry import trace

    client = agentops_otel.init(service_name="bot", auto_start_session=False)
    @agentops_otel.record_action
    def early(): ...
    @agentops_otel.record_action
    def late(): ...
    @agentops_otel.record_action
    def forked(): ...

    early()
    agentops_otel.flush()
    late()
    pid = os.fork()
    if not pid:
        forked()
    else:
        os.waitpid(pid, 0)
    agentops_otel.shutdown(20)
    """


@pytest.mark.measured
@pytest.mark.parametrize("known", [False, True], ids=["a refused key", "a good key"])
def test_tracing_goes_on_locally_when_the_key_is_refused(known: bool, tmp_path: Path) -> None:
    """A trace file is made of what ended before the refusal and after it, also by a fork; with a good key, none is."""
    with AgentOpsBackend() as backend:
        done = program.run(
            REFUSED,
            AGENTOPS_API_KEY=backend.api_key if known else "not-the-key",
            AGENTOPS_API_ENDPOINT=backend.account.api_endpoint,
            AGENTOPS_EXPORTER_ENDPOINT=backend.sink.endpoint,
            AGENTOPS_APP_URL=backend.account.app_url,
            XDG_STATE_HOME=str(tmp_path),
        )

    files = [path for path in tmp_path.rglob("*.jsonl")]
    names = sorted(span.name for path in files for span in read(path) if isinstance(span, ReadableSpan))
    assert names == ([] if known else ["early", "forked", "late"])
    assert sorted(backend.sink.spans) == (["early.session", "forked.session", "late.session"] if known else [])
    assert [line.split("(127.0.0.1 ")[1] for line in done.stderr.splitlines() if "refused the API key" in line] == (
        [] if known else [f"answered 400): nothing is sent there, spans go to the trace file {files[0]}. " + ADVICE]
    )


ADVICE = "Set AGENTOPS_API_KEY, or init(api_key=...), to a key from http://app.agentops.test/settings/projects"


def test_what_waits_for_the_word_on_the_key_is_the_parents(tmp_path: Path) -> None:
    """After a fork the parent writes it, and the child does not."""
    file = tmp_path / "spare.jsonl"
    fallback = FallbackFile(name="the trace file", exporter=FileExporter(file))
    ended = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(ended))
    work(provider.get_tracer("test"), 1)

    fallback.export(ended.get_finished_spans() * (LIMIT + 1), -1)
    counted = dict(fallback.dropped)
    fallback.forked()
    fallback.activate()

    assert not file.exists()
    assert (counted, fallback.sent, fallback.dropped) == ({"no room": 1}, 0, {})


@pytest.mark.parametrize(("refused", "kept"), [(True, LIMIT), (False, 0), (None, 0)])
def test_what_waits_for_the_word_on_the_key_is_bounded(refused: bool | None, kept: int, tmp_path: Path) -> None:
    """The newest wait, the others are counted; only a refusal makes the sink one that counts."""
    file = tmp_path / "spare.jsonl"
    fallback = FallbackFile(name="the trace file", exporter=FileExporter(file))
    ended = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(ended))
    work(provider.get_tracer("test"), LIMIT + 3)

    fallback.export(ended.get_finished_spans(), -1)
    if refused is not None:
        (fallback.activate if refused else fallback.discard)()
        fallback.export([], -1)

    assert len(list(read(file)) if file.exists() else []) == kept
    assert fallback.counts is (refused is True)
    assert (fallback.sent, fallback.dropped) == (kept, {"no room": 3})
    assert len(fallback.waiting) == (LIMIT if refused is None else 0)


def test_the_spare_trace_file_ends_where_a_key_is_taken_after_all(tmp_path: Path) -> None:
    """A key that AgentOps refused for a while: what comes after it is where it belongs."""
    file = tmp_path / "spare.jsonl"
    fallback = FallbackFile(name="the trace file", exporter=FileExporter(file))
    ended = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(ended))
    work(provider.get_tracer("test"), 2)
    first, second = ended.get_finished_spans()

    fallback.activate()
    fallback.export([first], -1)
    fallback.discard()
    fallback.export([second], -1)
    fallback.export([], -1)

    assert len(list(read(file))) == 1


def test_the_spare_trace_file_is_one_of_the_newest_that_stay(tmp_path: Path) -> None:
    """As any trace file that nobody named: the oldest of them makes room."""
    traces = [default_path("old", datetime(2026, 1, 1, tzinfo=UTC), pid, tmp_path) for pid in range(KEEP)]
    traces[0].parent.mkdir()
    for age, path in enumerate(traces):
        path.touch()
        os.utime(path, (age, age))
    spare = default_path("new", datetime.now(UTC), 1, tmp_path)
    with AgentOpsBackend() as backend:
        refused = replace(backend.destination, agentops=replace(backend.account, api_key="not a key"))
        pipeline = export.build(Config(destinations=(refused,)), spare)
        work(tracer_for(pipeline), 1)
        pipeline.force_flush(60_000)
        pipeline.close(60)

    assert {*trace_files(spare.parent)} == {spare, *traces[1:]}
