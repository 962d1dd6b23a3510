"""What a real Jaeger says of our spans when it is asked over HTTP."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.trace import Link

import agentops_otel
from agentops_otel.config import Config, Destination
from agentops_otel.doctor import examine
from tests.e2e.jaeger_spans import rows, tags
from tests.e2e.servers import ROOT, Jaeger
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import TEXT, TOOL_CALL, answer, completion


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    """One Jaeger for all tests; each looks at its own trace."""
    with Jaeger(tmp_path_factory.mktemp("jaeger")) as jaeger:
        yield jaeger


def trace_of(span: trace.Span) -> int:
    """The trace that the span belongs to."""
    return span.get_span_context().trace_id


def test_the_demo(jaeger: Jaeger, tmp_path: Path) -> None:
    """`examples/quickstart.py`, a program of its own, is one trace: parents, kinds and the failed tool are right."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.endpoint}
    subprocess.run([sys.executable, "examples/quickstart.py"], cwd=ROOT, env=environment, check=True, timeout=120)

    [spans] = jaeger.traces("quickstart", 9).values()

    assert rows(spans) == snapshot(
        [
            ("agent", None, "internal", False),
            ("chat gpt-4o-mini", "plan", "client", False),
            ("chat gpt-4o-mini", "write", "client", False),
            ("execute_tool weather", "research", "internal", False),
            ("execute_tool weather", "research", "internal", False),
            ("execute_tool weather", "research", "internal", True),
            ("plan", "agent", "internal", False),
            ("research", "agent", "internal", False),
            ("write", "agent", "internal", False),
        ]
    )
    assert {span["operationName"]: tags(span).get("gen_ai.operation.name") for span in spans} == snapshot(
        {
            "research": None,
            "write": None,
            "agent": None,
            "plan": None,
            "chat gpt-4o-mini": "chat",
            "execute_tool weather": "execute_tool",
        }
    )


def test_an_llm_program_over_grpc(jaeger: Jaeger) -> None:
    """Two calls of the real OpenAI client and the tool between them, under the agent that made them."""

    @agentops_otel.tool(name="weather")
    def weather(city: str, unit: str) -> str:
        return f"21 {unit} in {city}"

    @agentops_otel.agent(name="guide")
    def guide(base_url: str) -> int:
        with openai.OpenAI(base_url=base_url, api_key="none") as client:
            messages: Any = [{"role": "user", "content": "How warm is it in Paris?"}]
            client.chat.completions.create(model="gpt-4.1", messages=messages)
            messages += [TOOL_CALL, {"role": "tool", "tool_call_id": "call_1", "content": weather("Paris", "C")}]
            for _ in client.chat.completions.create(model="gpt-4.1", messages=messages, stream=True):
                pass
        return trace_of(trace.get_current_span())

    with LlmServer() as server:
        server.answer(answer(completion(TOOL_CALL, finish_reason="tool_calls"), stream=False))
        server.answer(answer(completion(TEXT), stream=True))
        agentops_otel.init(endpoint=f"http://127.0.0.1:{jaeger.grpc_port}", protocol="grpc", service_name="guide")
        trace_id = guide(f"{server.url}/v1")
        agentops_otel.flush()

    spans = jaeger.trace(trace_id, 4)
    assert rows(spans) == snapshot(
        [
            ("chat gpt-4.1", "invoke_agent guide", "client", False),
            ("chat gpt-4.1", "invoke_agent guide", "client", False),
            ("execute_tool weather", "invoke_agent guide", "internal", False),
            ("invoke_agent guide", None, "internal", False),
        ]
    )
    streamed = tags(max((s for s in spans if s["operationName"].startswith("chat")), key=lambda s: s["startTime"]))
    said = json.loads(streamed.pop("gen_ai.input.messages")) + json.loads(streamed.pop("gen_ai.output.messages"))
    assert [(message["role"], message["parts"][0]["type"]) for message in said] == snapshot(
        [("user", "text"), ("assistant", "tool_call"), ("tool", "tool_call_response"), ("assistant", "text")]
    )
    assert streamed.pop("gen_ai.response.time_to_first_chunk") > 0
    assert {name: value for name, value in streamed.items() if name.startswith("gen_ai")} == snapshot(
        {
            "gen_ai.agent.name": "guide",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4.1",
            "gen_ai.request.stream": True,
            "gen_ai.response.finish_reasons": '["stop"]',
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4.1-2025-04-14",
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.reasoning.output_tokens": 3,
        }
    )


def test_events_links_and_times_to_the_nanosecond(jaeger: Jaeger) -> None:
    """OTLP's own JSON comes back as it was sent: the exception's event, the link, the attributes of both, the times."""
    agentops_otel.init(endpoint=jaeger.endpoint, service_name="links")
    tracer = trace.get_tracer("app")
    first = tracer.start_span("first")
    first.end()

    @agentops_otel.record_action("second")
    def second() -> None:
        raise LookupError("no such city")

    with tracer.start_as_current_span("run", links=[Link(first.get_span_context(), {"why": "retry"})]) as run:
        with pytest.raises(LookupError):
            second()
        run.add_event("handled", {"attempt": 1}, timestamp=run.start_time + 1)  # type: ignore[attr-defined]  # SDK's
    agentops_otel.flush()

    read_back = jaeger.trace(trace_of(run), 2)
    told = {span["name"]: span for span in jaeger.otlp_trace(trace_of(run))}
    assert told["run"]["links"][0]["spanId"] == f"{first.get_span_context().span_id:016x}"
    assert told["run"]["links"][0]["attributes"] == [{"key": "why", "value": {"stringValue": "retry"}}]
    assert int(told["run"]["events"][0]["timeUnixNano"]) == int(told["run"]["startTimeUnixNano"]) + 1
    assert [event["name"] for event in told["second"]["events"]] == ["exception"]
    assert told["second"]["status"] == {"message": "no such city", "code": 2}
    assert told["second"]["parentSpanId"] == told["run"]["spanId"]
    assert rows(read_back) == snapshot([("run", None, "internal", False), ("second", "run", "internal", True)])


def test_jaeger_reads_the_trace_file(jaeger: Jaeger, tmp_path: Path) -> None:
    """The lines of a trace file, put together as Jaeger's page does with an upload, are the same trace."""
    file = tmp_path / "trace.jsonl"
    agentops_otel.init(trace_file=file, service_name="file")

    @agentops_otel.record_action("outer")
    def outer() -> int:
        with trace.get_tracer("app").start_as_current_span("inner"):
            return trace_of(trace.get_current_span())

    trace_id = outer()
    agentops_otel.shutdown()
    resource_spans = ",".join(line.removeprefix('{"resourceSpans":[').removesuffix("]}") for line in lines(file))
    [told] = jaeger.post("/api/transform", f'{{"resourceSpans":[{resource_spans}]}}'.encode())["data"]

    assert told["traceID"] == f"{trace_id:032x}"
    assert rows(told["spans"]) == snapshot([("inner", "outer", "internal", False), ("outer", None, "internal", False)])


def lines(file: Path) -> list[str]:
    """The lines of a trace file, each checked to be what the test takes apart."""
    found = file.read_text().splitlines()
    assert all(line.startswith('{"resourceSpans":[') and line.endswith("]}") for line in found)
    return found


def test_the_doctor_reads_its_span_back(jaeger: Jaeger) -> None:
    """With the address of its page."""
    to = Destination(endpoint=f"{jaeger.endpoint}/v1/traces", protocol="http/protobuf")
    port = int(jaeger.url.rpartition(":")[2])

    texts = [finding.text for finding in examine(Config(destinations=(to,)), jaeger_port=port)]

    assert any(text.startswith(f"the span was read back from Jaeger at {jaeger.url}/trace/") for text in texts), texts
