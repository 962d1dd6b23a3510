"""The mistralai package's own tracing: switched off where nobody asked for it, warned of where somebody did."""

import os
import subprocess

import pytest

from tests.python_process import run_python

PROGRAM = """
import sys
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import agentops_otel
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import answer, completion

try:
    from mistralai.client import Mistral
except ImportError:  # before its second version
    from mistralai import Mistral

spans = InMemorySpanExporter()
agentops_otel.init(console=False, trace_file=False, spool_dir=False, span_processors=[SimpleSpanProcessor(spans)])
with LlmServer() as server:
    server.answer(answer(completion(), stream=False))
    client = Mistral(server_url=server.url, api_key="key")
    client.chat.complete(model="m", messages=[{"role": "user", "content": "How warm?"}])
    headers = dict(server.requests[0].headers)
print(len(spans.get_finished_spans()), "traceparent" in headers)
agentops_otel.shutdown()
"""


def told(**environment: str) -> subprocess.CompletedProcess[str]:
    """What a program that asks once prints: its spans, and whether it sent the trace along."""
    pytest.importorskip("mistralai", reason="mistralai is not installed", exc_type=ImportError)
    settings = {**os.environ, **environment, "OTEL_TRACES_EXPORTER": "none"}
    return run_python("-c", PROGRAM, timeout=120, env=settings)


def test_a_call_has_one_span_and_the_trace_stays_here() -> None:
    """Nobody asked the package to trace itself, or to send the trace to its server."""
    done = told()

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "False"]


def test_telemetry_that_was_asked_for_is_warned_of() -> None:
    """`MISTRAL_SDK_TELEMETRY=global` makes a second span; one line says so."""
    pytest.importorskip("mistralai.extra.observability.telemetry", reason="mistralai before 3", exc_type=ImportError)

    done = told(MISTRAL_SDK_TELEMETRY="global")

    assert done.stdout.split()[0] == "2"
    assert done.stderr.count("mistralai is instrumented by its own telemetry (MISTRAL_SDK_TELEMETRY) too") == 1
