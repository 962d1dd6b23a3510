"""`collector-config.yaml`, run by a real Collector between a program and a sink."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.trace import Status, StatusCode
from opentelemetry.util.types import AttributeValue

import agentops_otel
from agentops_otel.export.file import read
from tests.e2e.collector_spans import DECIDED, SECRET, tracer_to
from tests.e2e.install_servers import COLLECTOR
from tests.e2e.servers import CONFIG, WAIT_S, Collector, eventually, get, program
from tests.loopback.otlp_sink import Answer, OtlpSink, attributes_of
from tests.program import run

PROMPT = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"my key is {SECRET}, I am a@b.example"}]}])
SECOND = 1_000_000_000
EXPENSIVE = {"agentops.usage.cost": 0.5}
MASKED = {
    "AKIAABCDEFGHIJKLMNOP": "****",
    "-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----.": "****.",
    "Authorization: Bearer abcdefghijklmnop.q": "Authorization: ****",
    "ghp_" + "a1" * 18: "****",
    '{"password": "hunter22", "user": "joe"}': '{"****", "user": "joe"}',
    "OPENAI_API_KEY=abcd1234 python app.py": "OPENAI_**** python app.py",
    "task-management-of-many-things; the secret is patience": "task-management-of-many-things; the secret is patience",
    "joe@example.com": "joe@example.com",
}


@pytest.fixture(scope="module")
def sink() -> Iterator[OtlpSink]:
    """What stands for Jaeger: the Collector's exporter speaks gRPC to it. Each test has its own span names."""
    with OtlpSink("grpc") as sink:
        yield sink


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory, sink: OtlpSink) -> Iterator[Collector]:
    """One that keeps every trace, and masks e-mail addresses too."""
    settings = to(sink, OTELCOL_MASK_ALSO=r"[\w.+-]+@[\w-]+\.[\w.-]+")
    with Collector(tmp_path_factory.mktemp("collector"), settings) as collector:
        yield collector


@pytest.fixture(scope="module")
def sampling(tmp_path_factory: pytest.TempPathFactory, sink: OtlpSink) -> Iterator[Collector]:
    """One that keeps none of the ordinary runs."""
    with Collector(tmp_path_factory.mktemp("sampling"), to(sink, OTELCOL_KEEP_PERCENT="0")) as collector:
        yield collector


def arrived(sink: OtlpSink, *names: str) -> dict[str, Span]:
    """The spans of these names, once they are there."""
    sink.wait_until(lambda: {span.name for span in sink.every} >= set(names), f"{names}", WAIT_S)
    return {name: sink.spans[name] for name in names}


def to(sink: OtlpSink, **settings: str) -> dict[str, str]:
    """The settings of a Collector that delivers to the sink."""
    return {"JAEGER_OTLP": f"127.0.0.1:{sink.port}", **settings}


def test_the_configuration_is_valid() -> None:
    """The Collector's own `validate` finds nothing wrong with it."""
    command = [str(program(COLLECTOR)), "validate", f"--config={CONFIG}"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_wrong_configuration_is_not_valid(tmp_path: Path) -> None:
    """`validate` does look: a processor that is not there fails it."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(CONFIG.read_text().replace("memory_limiter, transform/content", "memory_limiter, transform/none"))

    done = subprocess.run([str(program(COLLECTOR)), "validate", f"--config={wrong}"], capture_output=True, timeout=60)

    assert done.returncode == 1


def test_secrets_are_masked_and_counts_are_not(collector: Collector, sink: OtlpSink) -> None:
    """A secret in a prompt, a header, an exception or the status leaves as asterisks; token counts and text stay."""
    span = tracer_to(collector).start_span("has secrets")
    span.set_attributes({"gen_ai.input.messages": PROMPT, "http.request.header.authorization": "abc"})
    span.set_attributes({"gen_ai.usage.input_tokens": 12, "url.full": "https://joe:hunter2@example.com/x"})
    span.add_event("exception", {"exception.message": f"bad key {SECRET}"})
    span.set_status(Status(StatusCode.ERROR, f"bad key {SECRET}"))
    span.end()

    found = arrived(sink, "has secrets")["has secrets"]
    attributes = attributes_of(found)
    assert attributes["gen_ai.input.messages"] == PROMPT.replace(SECRET, "****").replace("a@b.example", "****")
    assert attributes["http.request.header.authorization"] == "****"
    assert attributes["gen_ai.usage.input_tokens"] == 12
    assert attributes["url.full"] == "https****example.com/x"
    assert attributes_of(found.events[0])["exception.message"] == "bad key ****"
    assert found.status.message == "bad key ****"
    assert "collector.status.message" not in attributes


def test_what_a_secret_looks_like(sampling: Collector, sink: OtlpSink) -> None:
    """Keys and passwords are known by their shape, wherever they stand; what only looks a little like one stays."""
    tracer = tracer_to(sampling)
    for text in MASKED:
        tracer.start_span(text, attributes={"agentops.entity.input": text, **EXPENSIVE}).end()

    found = arrived(sink, *MASKED)
    assert {name: attributes_of(span)["agentops.entity.input"] for name, span in found.items()} == MASKED


def test_the_switch_drops_content_and_nothing_else(tmp_path: Path, sink: OtlpSink) -> None:
    """OTELCOL_CONTENT=drop takes away what people, models and tools said; names, counts and errors stay."""
    content = {
        "gen_ai.input.messages": PROMPT,
        "gen_ai.output.messages": "[]",
        "gen_ai.system_instructions": "[]",
        "gen_ai.tool.definitions": "[]",
        "gen_ai.tool.call.arguments": "{}",
        "gen_ai.tool.call.result": "4",
        "gen_ai.prompt.0.content": "hi",
        "agentops.entity.input": "{}",
        "agentops.entity.output": "{}",
        "agentops.session.end_state_reason": "gave up",
        "taskweaver.plan": "1. compute",
        "taskweaver.reply_content": "6*7",
        "input.value": "hi",
    }
    kept: dict[str, AttributeValue] = {
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.prompt.name": "greeting",
        "taskweaver.round.state": "finished",
        "agentops.session.end_state": "Fail",
    }
    with Collector(tmp_path, to(sink, OTELCOL_CONTENT="drop")) as collector:
        span = tracer_to(collector).start_span("has content", attributes={**content, **kept})
        span.add_event("exception", {"exception.type": "ValueError", "exception.message": "no such city"})
        span.set_status(Status(StatusCode.ERROR, "no such city"))
        span.end()
        found = arrived(sink, "has content")["has content"]

    assert attributes_of(found) == kept
    assert attributes_of(found.events[0]) == {"exception.type": "ValueError"}
    assert (found.status.code, found.status.message) == (found.status.STATUS_CODE_ERROR, "")


def test_sampling_keeps_what_failed_was_slow_or_expensive(sampling: Collector, sink: OtlpSink) -> None:
    """With none of the ordinary runs kept, the four kinds that matter arrive whole, and the ordinary one does not."""
    tracer = tracer_to(sampling)
    tracer.start_span("ordinary", start_time=SECOND).end(2 * SECOND)
    tracer.start_span("slow", start_time=SECOND).end(40 * SECOND)
    tracer.start_span("costs", attributes=EXPENSIVE).end()
    tracer.start_span("reads", attributes={"gen_ai.usage.input_tokens": 60_000}).end()
    with tracer.start_as_current_span("run"), tracer.start_as_current_span("step") as step:
        step.set_status(StatusCode.ERROR)

    arrived(sink, "slow", "costs", "reads", "run", "step")
    eventually(lambda: sampling.own(DECIDED, sampled="false"), "the decision about the ordinary run")
    assert "ordinary" not in sink.spans


def test_late_spans_follow_the_decision_of_their_trace(sampling: Collector, sink: OtlpSink) -> None:
    """A span that ends after its root, and after the trace was decided, arrives too.

    Its seconds are those until the Collector decides.
    """
    tracer = tracer_to(sampling)
    with tracer.start_as_current_span("early") as run:
        late = tracer.start_span("late")
        run.set_status(StatusCode.ERROR)
    arrived(sink, "early")
    late.end()

    assert arrived(sink, "late")["late"].trace_id == sink.spans["early"].trace_id


def test_metrics_count_every_call_by_model_operation_and_agent(sampling: Collector) -> None:
    """Calls, errors and durations are counted before sampling, by what a dashboard groups by; never by conversation."""
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5", "gen_ai.conversation.id": "c-1"}
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Planner"}
    tracer = tracer_to(sampling)
    for _ in range(3):
        tracer.start_span("chat gpt-5", attributes=call, start_time=SECOND).end(3 * SECOND)
    with tracer.start_as_current_span("invoke_agent Planner", attributes=agent) as span:
        span.set_status(StatusCode.ERROR)

    def counted(metric: str, **labels: str) -> float | None:
        return sampling.metric(sampling.metrics_url, f"traces_span_metrics_{metric}", **labels)

    chats = {"gen_ai_operation_name": "chat", "gen_ai_request_model": "gpt-5"}
    planned = {"gen_ai_operation_name": "invoke_agent", "gen_ai_agent_name": "Planner"}
    eventually(lambda: counted("calls_total", **planned), "the agent's count")
    assert counted("calls_total", **chats) == 3
    assert counted("duration_seconds_sum", **chats) == 6
    assert counted("calls_total", **planned, status_code="STATUS_CODE_ERROR") == 1
    assert b"c-1" not in get(sampling.metrics_url)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_what_programs_measure_themselves_is_there_to_fetch(collector: Collector, protocol: str) -> None:
    """Metrics of `init(upload_metrics=True)`, of two processes with one name: each is counted once."""
    service = f"measured by {protocol.partition('/')[0]}"
    program = """
        import os, sys
        import agentops_otel
        agentops_otel.init(console=False, spool_dir=False, upload_metrics=True)
        search = agentops_otel.record_tool("search")(lambda: None)
        search()
        if os.fork():
            sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
        search()
        search()
        """
    endpoint = collector.endpoint if protocol == "http/protobuf" else f"http://127.0.0.1:{collector.grpc_port}"
    run(
        program,
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
        OTEL_SERVICE_NAME=service,
    )

    def counted() -> float | None:
        name = "gen_ai_execute_tool_duration_seconds_count"
        return collector.metric(collector.metrics_url, name, gen_ai_tool_name="search", job=service)

    assert eventually(lambda: counted() == 3 or None, "three calls of the tool")


def test_the_queue_survives_a_crash_of_the_collector(tmp_path: Path) -> None:
    """What waits for a Jaeger that takes nothing is delivered by the next Collector, though the first was killed.

    Its seconds are the starts of two Collectors and a Jaeger.
    """
    with OtlpSink("grpc") as sink:
        sink.decide = lambda received: Answer(code="UNAVAILABLE")
        with Collector(tmp_path, to(sink)) as first:
            tracer_to(first).start_span("run").end()
            sink.wait_for_requests(1, WAIT_S)
            first.kill()
        assert sink.spans == {}
        sink.decide = lambda received: Answer()

        with Collector(tmp_path, to(sink)):
            sink.wait_for(1, WAIT_S)

    assert list(sink.spans) == ["run"]


def test_the_trace_file_is_read_by_its_own_receiver(tmp_path: Path, sink: OtlpSink) -> None:
    """`otlp_json_file` reads every line of a trace file as it was written, those with much content in them too."""
    file = tmp_path / "trace.jsonl"
    agentops_otel.init(trace_file=file, console=False)
    tracer = trace.get_tracer("app")
    for number in range(100):
        with tracer.start_as_current_span(f"line {number}", attributes={"n": number, "text": "x" * 30_000}) as span:
            span.add_event("read", {"n": number})
    agentops_otel.shutdown()
    written = {span.name: span for span in read(file) if not isinstance(span, ValueError)}
    reader = {"include": [str(file)], "start_at": "beginning", "include_file_name": False}
    overlay = {
        "receivers": {"otlp_json_file": reader},
        "service": {"pipelines": {"traces": {"receivers": ["otlp_json_file"]}}},
    }
    (tmp_path / "overlay.yaml").write_text(json.dumps(overlay))

    with Collector(tmp_path, to(sink), overlay=tmp_path / "overlay.yaml"):
        found = arrived(sink, *written)

    assert len(found) == 100
    for name, span in found.items():
        told = written[name]
        assert attributes_of(span) == dict(told.attributes or {})
        assert (span.start_time_unix_nano, span.end_time_unix_nano) == (told.start_time, told.end_time)
        assert [attributes_of(event) for event in span.events] == [{"n": attributes_of(span)["n"]}]


def test_agentops_gets_the_token_that_the_file_holds_now(tmp_path: Path) -> None:
    """The token is read from its file, and read again after it was renewed.

    Its seconds are those until the Collector reads the file again.
    """
    token = tmp_path / "token"
    token.write_text("first")
    with OtlpSink() as sink:
        settings = {
            "OTELCOL_EXPORTERS": "[otlp_http/agentops]",
            "AGENTOPS_OTLP": sink.endpoint.removesuffix("/v1/traces"),
            "AGENTOPS_TOKEN_FILE": str(token),
        }
        with Collector(tmp_path, settings) as collector:
            tracer_to(collector).start_span("one").end()
            sink.wait_for(1, WAIT_S)
            token.write_text("second")
            collector.wait_for_log("refresh token")
            tracer_to(collector).start_span("two").end()
            sink.wait_for(2, WAIT_S)

    assert [received.headers["authorization"] for received in sink.received] == ["Bearer first", "Bearer second"]


def test_it_says_that_it_is_well_and_listens_on_loopback_alone(collector: Collector) -> None:
    """The health check answers, and every address the log names is a loopback one."""
    health = json.loads(get(collector.url("HEALTH")))

    listening = [line for line in collector.log if "Starting" in line and '"endpoint"' in line]
    assert health["status"] == "Server available"
    assert len(listening) == 2
    assert all("127.0.0.1" in line for line in listening)
