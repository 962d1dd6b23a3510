"""`collector-config.yaml`, run by a real Collector between a program and a sink."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from tests.e2e.install_servers import COLLECTOR
from tests.e2e.servers import CONFIG, Collector, eventually, get, program
from tests.loopback.otlp_sink import OtlpSink, attributes_of, value_of

SECRET = "sk-proj-Abcdefghijklmnop0123456789"
PROMPT = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"my key is {SECRET}, I am a@b.example"}]}])
SECOND = 1_000_000_000
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


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    """What stands for Jaeger: the Collector's exporter speaks gRPC to it."""
    with OtlpSink("grpc") as sink:
        yield sink


def tracer_to(collector: Collector) -> Tracer:
    """A tracer of the bare SDK, which redacts nothing itself; each span is delivered as it ends."""
    provider = TracerProvider(resource=Resource({"service.name": "crew"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{collector.endpoint}/v1/traces")))
    return provider.get_tracer("tests")


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


def test_secrets_are_masked_and_counts_are_not(tmp_path: Path, sink: OtlpSink) -> None:
    """A secret in a prompt, a header, an exception or the status leaves as asterisks; token counts and text stay."""
    settings = to(sink, OTELCOL_MASK_ALSO=r"[\w.+-]+@[\w-]+\.[\w.-]+")
    with Collector(tmp_path, settings) as collector:
        span = tracer_to(collector).start_span("chat gpt-5")
        span.set_attributes({"gen_ai.input.messages": PROMPT, "http.request.header.authorization": "abc"})
        span.set_attributes({"gen_ai.usage.input_tokens": 12, "url.full": "https://joe:hunter2@example.com/x"})
        span.add_event("exception", {"exception.message": f"bad key {SECRET}"})
        span.set_status(Status(StatusCode.ERROR, f"bad key {SECRET}"))
        span.end()
        sink.wait_for(1)

    arrived = sink.spans["chat gpt-5"]
    attributes = attributes_of(arrived)
    assert attributes["gen_ai.input.messages"] == PROMPT.replace(SECRET, "****").replace("a@b.example", "****")
    assert attributes["http.request.header.authorization"] == "****"
    assert attributes["gen_ai.usage.input_tokens"] == 12
    assert attributes["url.full"] == "https****example.com/x"
    assert {a.key: value_of(a.value) for a in arrived.events[0].attributes}["exception.message"] == "bad key ****"
    assert arrived.status.message == "bad key ****"
    assert "collector.status.message" not in attributes


def test_what_a_secret_looks_like(tmp_path: Path, sink: OtlpSink) -> None:
    """Keys and passwords are known by their shape, wherever they stand; what only looks a little like one stays."""
    with Collector(tmp_path, to(sink)) as collector:
        for text in MASKED:
            tracer_to(collector).start_span(text, attributes={"agentops.entity.input": text}).end()
        sink.wait_for(len(MASKED))

    assert {name: attributes_of(span)["agentops.entity.input"] for name, span in sink.spans.items()} == MASKED


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
        span = tracer_to(collector).start_span("chat gpt-5", attributes={**content, **kept})
        span.add_event("exception", {"exception.type": "ValueError", "exception.message": "no such city"})
        span.set_status(Status(StatusCode.ERROR, "no such city"))
        span.end()
        sink.wait_for(1)

    arrived = sink.spans["chat gpt-5"]
    assert attributes_of(arrived) == kept
    assert {a.key: value_of(a.value) for a in arrived.events[0].attributes} == {"exception.type": "ValueError"}
    assert (arrived.status.code, arrived.status.message) == (arrived.status.STATUS_CODE_ERROR, "")


def test_sampling_keeps_what_failed_was_slow_or_expensive(tmp_path: Path, sink: OtlpSink) -> None:
    """With none of the ordinary runs kept, the four kinds that matter arrive whole, and the ordinary one does not."""
    with Collector(tmp_path, to(sink, OTELCOL_KEEP_PERCENT="0")) as collector:
        tracer = tracer_to(collector)
        tracer.start_span("ordinary", start_time=SECOND).end(2 * SECOND)
        tracer.start_span("slow", start_time=SECOND).end(40 * SECOND)
        tracer.start_span("costs", attributes={"agentops.usage.cost": 0.5}).end()
        tracer.start_span("reads", attributes={"gen_ai.usage.input_tokens": 60_000}).end()
        with tracer.start_as_current_span("run"), tracer.start_as_current_span("step") as step:
            step.set_status(StatusCode.ERROR)
        sink.wait_for(5)

    assert sorted(sink.spans) == ["costs", "reads", "run", "slow", "step"]


def test_late_spans_follow_the_decision_of_their_trace(tmp_path: Path, sink: OtlpSink) -> None:
    """A span that ends after its root, and after the trace was decided, arrives too."""
    with Collector(tmp_path, to(sink, OTELCOL_KEEP_PERCENT="0")) as collector:
        tracer = tracer_to(collector)
        with tracer.start_as_current_span("run") as run:
            late = tracer.start_span("late")
            run.set_status(StatusCode.ERROR)
        sink.wait_for(1)
        late.end()
        sink.wait_for(2)

    assert sorted(sink.spans) == ["late", "run"]


def test_metrics_count_every_call_by_model_operation_and_agent(tmp_path: Path, sink: OtlpSink) -> None:
    """Calls are counted before sampling, with the names a dashboard groups by and never a conversation."""
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5", "gen_ai.conversation.id": "c-1"}
    name = "traces_span_metrics_calls_total"
    labels = {"gen_ai_operation_name": "chat", "gen_ai_request_model": "gpt-5"}
    with Collector(tmp_path, to(sink, OTELCOL_KEEP_PERCENT="0")) as collector:
        tracer = tracer_to(collector)
        for _ in range(3):
            tracer.start_span("chat gpt-5", attributes=attributes).end()
        tracer.start_span("invoke_agent Planner", attributes={"gen_ai.agent.name": "Planner"}).end()
        eventually(lambda: collector.metric(collector.metrics_url, name, gen_ai_agent_name="Planner"), "the metric")

        assert collector.metric(collector.metrics_url, name, **labels) == 3
        assert b"c-1" not in get(collector.metrics_url)


def test_the_queue_survives_a_crash_of_the_collector(tmp_path: Path) -> None:
    """What waits for a Jaeger that is down is delivered by the next Collector, though the first was killed."""
    with OtlpSink("grpc") as sink:
        pass
    with Collector(tmp_path, to(sink)) as first:
        tracer_to(first).start_span("run").end()
        eventually(lambda: first.metric(first.telemetry_url, "otelcol_exporter_queue_size"), "a span in the queue")
        first.kill()

    with sink, Collector(tmp_path, to(sink)):
        sink.wait_for(1)

    assert list(sink.spans) == ["run"]


def test_agentops_gets_the_token_that_the_file_holds_now(tmp_path: Path) -> None:
    """The token is read from its file, and read again after it was renewed."""
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
            sink.wait_for(1)
            token.write_text("second")
            collector.wait_for_log("refresh token")
            tracer_to(collector).start_span("two").end()
            sink.wait_for(2)

    assert [received.headers["authorization"] for received in sink.received] == ["Bearer first", "Bearer second"]


def test_it_says_that_it_is_well_and_listens_on_loopback_alone(tmp_path: Path, sink: OtlpSink) -> None:
    """The health check answers, and every address the log names is a loopback one."""
    with Collector(tmp_path, to(sink)) as collector:
        health = json.loads(get(collector.health_url))

    listening = [line for line in collector.log if "Starting" in line and '"endpoint"' in line]
    assert health["status"] == "Server available"
    assert len(listening) == 2
    assert all("127.0.0.1" in line for line in listening)
