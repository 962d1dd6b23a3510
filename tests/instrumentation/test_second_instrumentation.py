"""Other people's instrumentations of the same client, as they are installed: one warning, and one span of ours."""

import json
import subprocess
import sys

import pytest

# Each in a process of its own: not all of them take off what they put on.
SCRIPT = """
import importlib, json, logging, sys

from opentelemetry.trace import NoOpTracerProvider

from tests.clients.capture import capture
from tests.clients.test_openai import ASKED, sync_client
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import answer, completion

package, order = sys.argv[1:]
messages = []
handler = logging.Handler()
handler.emit = lambda record: messages.append(record.getMessage())
logging.getLogger("agentops_otel").addHandler(handler)
other = lambda: importlib.import_module(package).OpenAIInstrumentor().instrument(tracer_provider=NoOpTracerProvider())
if order == "before":
    other()
with LlmServer() as server, capture() as captured, sync_client(server) as client:
    if order == "after":
        other()
    server.answer(answer(completion(), stream=False), times=2)
    for _ in range(2):
        client.chat.completions.create(**ASKED)
    print(json.dumps([messages, len(captured.spans)]))
"""


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("package", ["opentelemetry.instrumentation.openai", "openinference.instrumentation.openai"])
def test_another_instrumentation_is_noticed(package: str, order: str) -> None:
    """Whoever came first, one warning names the other, and a call has one span of ours."""
    pytest.importorskip(package, reason=f"{package} is not installed", exc_type=ImportError)

    script = [sys.executable, "-c", SCRIPT, package, order]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    (message,), spans = json.loads(done.stdout.splitlines()[-1])
    assert f"instrumented by {package}" in message
    assert spans == 2
