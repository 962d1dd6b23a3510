"""Other people's instrumentations of the same client, as they are installed: one warning, and one span of ours."""

import json
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from agentops_otel.instrumentation.another import another

# In a process of its own, which is slow to start: not all of them take off what they put on.
SCRIPT = """
import importlib, json, logging, sys

from opentelemetry.trace import NoOpTracerProvider

from tests.clients.capture import capture
from tests.clients.openai_calls import ASKED, sync_client
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import answer, completion

messages = []
handler = logging.Handler()
handler.emit = lambda record: messages.append(record.getMessage())
logging.getLogger("agentops_otel").addHandler(handler)
other = importlib.import_module(sys.argv[1]).OpenAIInstrumentor()

def said(before_asking):
    messages.clear()
    with LlmServer() as server, capture() as captured, sync_client(server) as client:
        before_asking()
        server.answer(answer(completion(), stream=False), times=2)
        for _ in range(2):
            client.chat.completions.create(**ASKED)
        return list(messages), len(captured.spans)

after = said(lambda: other.instrument(tracer_provider=NoOpTracerProvider()))
before = said(lambda: None)
print(json.dumps([after, before]))
"""


@pytest.mark.parametrize("package", ["opentelemetry.instrumentation.openai", "openinference.instrumentation.openai"])
def test_another_instrumentation_is_noticed(package: str) -> None:
    """Whoever came first, one warning names the other, and a call has one span of ours."""
    pytest.importorskip(package, reason=f"{package} is not installed", exc_type=ImportError)

    script = [sys.executable, "-c", SCRIPT, package]
    done = subprocess.run(script, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    for messages, spans in json.loads(done.stdout.splitlines()[-1]):
        (message,) = messages
        assert f"instrumented by {package}" in message
        assert spans == 2


def _instrumentor(*, is_on: bool) -> type:
    of_it = SimpleNamespace(_is_instrumented_by_opentelemetry=is_on)
    return type("Instrumentor", (), {"_instance": of_it})


class OfLogfire:
    """A provider of its."""

    __module__ = "logfire.integrations"


@pytest.mark.parametrize(
    ("framework", "module", "holds", "found"),
    [
        *(
            (framework, f"{beginning}{name}", {"Instrumentor": _instrumentor(is_on=is_on)}, is_on)
            for beginning in (
                *("openinference.instrumentation.", "opentelemetry.instrumentation."),
                "opentelemetry.instrumentation.genai.",
            )
            for framework, name in (
                *(("crewai", "crewai"), ("openai-agents", "openai_agents")),
                *(("autogen", "autogen_agentchat"), ("llama-index", "llamaindex"), ("llama-index", "llama_index")),
            )
            for is_on in (True, False)
        ),
        ("langchain", "langsmith._internal.otel._otel_exporter", {}, "langsmith"),
        ("crewai", "langsmith._internal.otel._otel_exporter", {}, False),
        ("openai-agents", "agents.tracing.setup", {"GLOBAL_TRACE_PROVIDER": OfLogfire()}, "logfire"),
        ("openai-agents", "agents.tracing.setup", {"GLOBAL_TRACE_PROVIDER": SimpleNamespace()}, False),
        ("crewai", "agents.tracing.setup", {"GLOBAL_TRACE_PROVIDER": OfLogfire()}, False),
        *(
            (framework, "mlflow.utils.autologging_utils", {"AUTOLOGGING_INTEGRATIONS": {name: options}}, found)
            for framework, name in (("openai-agents", "openai"), ("crewai", "crewai"))
            for options, found in (({"disable": False}, "mlflow"), ({"disable": True}, False), ({}, False))
        ),
    ],
)
def test_another_instrumentation_of_a_framework_is_found_where_it_is_on(
    framework: str, module: str, holds: dict[str, Any], found: str | bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what its package leaves in the modules that are imported; a module that is there alone is not enough."""
    imported = ModuleType(module)
    vars(imported).update(holds)
    monkeypatch.setitem(sys.modules, module, imported)

    assert another(framework) == (module if found is True else found or None)
