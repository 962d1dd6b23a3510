"""Programs started by OpenTelemetry's own launcher, `opentelemetry-instrument`, with our package installed."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.e2e.launcher import launch
from tests.loopback.agentops_backend import AgentOpsBackend
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import TEXT, answer, completion
from tests.loopback.otlp_sink import OtlpSink

ASK = """
    import os, groq
    with groq.Groq(base_url=os.environ["MODEL_URL"], api_key="none") as client:
        client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "hi"}])
"""
DECORATED = """
    import agentops_otel
    @agentops_otel.record_action("act")
    def act():
        pass
    act()
"""


@pytest.fixture
def model() -> Iterator[LlmServer]:
    """A model's server that answers twice."""
    with LlmServer() as server:
        server.answer(answer(completion(TEXT), stream=False), times=2)
        yield server


def names(sink: OtlpSink) -> list[str]:
    """The spans that arrived, once for each time they did."""
    return [span.name for received in sink.received for span in received.spans]


def test_llm_calls_and_decorators_need_no_line_of_code(tmp_path: Path, model: LlmServer) -> None:
    """The launcher's provider and exporter carry our spans, and we say nothing and send nothing ourselves."""
    with OtlpSink() as sink:
        said = launch(ASK + DECORATED, tmp_path, MODEL_URL=model.url, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint)

    assert names(sink) == ["chat gpt-4.1", "act"]
    assert said == ""
    assert list(tmp_path.iterdir()) == []


def test_an_instrumentation_is_switched_off_by_its_name(tmp_path: Path, model: LlmServer) -> None:
    """OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=agentops_otel leaves LLM clients alone."""
    variables = {"MODEL_URL": model.url, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "agentops_otel"}
    with OtlpSink() as sink:
        launch(ASK + DECORATED, tmp_path, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint, **variables)

    assert names(sink) == ["act"]


@pytest.mark.measured
def test_what_was_started_is_put_back(tmp_path: Path, model: LlmServer) -> None:
    """After `uninstrument()` a call leaves no span; decorated functions still do."""
    stop = "from agentops_otel.entry_points import LlmInstrumentor; LlmInstrumentor().uninstrument()"
    variables = {"MODEL_URL": model.url}
    with OtlpSink() as sink:
        variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = sink.endpoint
        launch(f"{ASK}\n    {stop}\n{ASK}{DECORATED}", tmp_path, **variables)

    assert names(sink) == ["chat gpt-4.1", "act"]


def test_the_programs_own_init_takes_over(tmp_path: Path, model: LlmServer) -> None:
    """Settings of an `init()` that comes later hold, and no call is recorded twice."""
    program = ASK + '\n    import agentops_otel\n    agentops_otel.init(tags=["own"], console=False)\n' + ASK
    with OtlpSink() as sink:
        said = launch(program, tmp_path, MODEL_URL=model.url, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint)

    tags = [[a.key for a in span.attributes].count("agentops.tags") for r in sink.received for span in r.spans]
    assert names(sink) == ["chat gpt-4.1", "chat gpt-4.1"]
    assert tags == [0, 1]
    assert said == ""


@pytest.mark.measured
@pytest.mark.parametrize("init", ["", "import agentops_otel; agentops_otel.init()"])
def test_the_agentops_exporter_delivers_to_the_account(tmp_path: Path, model: LlmServer, init: str) -> None:
    """OTEL_TRACES_EXPORTER=agentops: a token for the key, each span once and in AgentOps' names, with `init()` too."""
    with AgentOpsBackend() as backend:
        variables = {
            "OTEL_TRACES_EXPORTER": "agentops",
            "AGENTOPS_API_KEY": backend.api_key,
            "AGENTOPS_API_ENDPOINT": backend.account.api_endpoint,
            "AGENTOPS_EXPORTER_ENDPOINT": backend.sink.endpoint,
            "AGENTOPS_AUTO_START_SESSION": "false",
        }
        launch(f"    {init}\n{ASK}", tmp_path, MODEL_URL=model.url, **variables)

    keys = {a.key for received in backend.sink.received for span in received.spans for a in span.attributes}
    assert backend.exchanges == [200]
    assert len(names(backend.sink)) == 1
    assert {"gen_ai.usage.prompt_tokens", "gen_ai.prompt.0.content"} <= keys


def test_without_a_key_the_exporter_says_so_and_the_program_runs(tmp_path: Path, model: LlmServer) -> None:
    """OTEL_TRACES_EXPORTER=agentops alone cannot work: the launcher's log names the variable."""
    said = launch(ASK, tmp_path, MODEL_URL=model.url, OTEL_TRACES_EXPORTER="agentops")

    assert "AGENTOPS_API_KEY='' is not usable: the agentops exporter needs the key of an account" in said
    assert len(model.requests) == 1


def test_a_wrong_setting_of_ours_does_not_stop_the_launcher(tmp_path: Path, model: LlmServer) -> None:
    """What `init()` would refuse is logged, and OpenTelemetry's own tracing starts all the same."""
    program = ASK + '\n    from opentelemetry import trace\n    trace.get_tracer("app").start_span("work").end()\n'
    variables = {"MODEL_URL": model.url, "AGENTOPS_API_KEY": "two words"}
    with OtlpSink() as sink:
        said = launch(program, tmp_path, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint, **variables)

    assert names(sink) == ["work"]
    assert "agentops_otel failed while starting under an OpenTelemetry launcher" in said


def test_what_the_launcher_finds_of_us() -> None:
    """An exporter and two instrumentors under names of our own; no distro and no configurator, which would hijack."""
    ours = {
        f"{group}: {point.name}"
        for group in entry_points().groups
        if group.startswith("opentelemetry")
        for point in entry_points(group=group)
        if point.value.startswith("agentops_otel")
    }

    assert ours == snapshot(
        {
            "opentelemetry_instrumentor: agentops_otel",
            "opentelemetry_instrumentor: taskweaver",
            "opentelemetry_traces_exporter: agentops",
        }
    )
