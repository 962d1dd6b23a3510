"""Other people's instrumentations of the same client, as they are installed: one warning, and one span of ours."""

import json
import subprocess
import sys

import pytest

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
