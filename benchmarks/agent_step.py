"""What tracing costs a run of an agent with one tool, with us and with two other instrumentations, and what each tells.

LangChain's `create_agent` with a model that answers at once: what is measured is the framework and the tracing of it.
Each kind runs in a process of its own; the least of its blocks counts, in CPU time of the process, less the bare run.
All end their spans into a `BatchSpanProcessor` whose exporter does nothing. `make agent-benchmark` installs what it
compares.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

RUNS, BLOCKS = 20, 40
COUNTED: list[str] = []


class Nowhere(SpanExporter):
    """Counts the spans of the first runs."""

    def export(self, spans: Any) -> SpanExportResult:
        """Keep the names."""
        COUNTED.extend(span.name for span in spans if isinstance(span, ReadableSpan))
        return SpanExportResult.SUCCESS


def agent() -> Any:
    from langchain.agents import create_agent
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    class Model(BaseChatModel):
        """Asks for the tool, then answers."""

        def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
            asked = messages[-1].type == "human"
            call = {"name": "weather", "args": {"city": "Paris"}, "id": "call_1", "type": "tool_call"}
            said = AIMessage("", tool_calls=[call]) if asked else AIMessage("Sunny.")
            return ChatResult(generations=[ChatGeneration(message=said)])

        def bind_tools(self, *_: Any, **__: Any) -> Any:
            return self

        @property
        def _llm_type(self) -> str:
            return "ready"

    def weather(city: str) -> str:
        """Say the weather of a city."""
        return f"sunny in {city}"

    return create_agent(Model(), [weather], name="guide")


def ours(provider: TracerProvider) -> None:
    import agentops_otel

    agentops_otel.init(tracer_provider=provider, console=False, trace_file=False, spool_dir=False)


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.langchain import LangChainInstrumentor

    LangChainInstrumentor().instrument(tracer_provider=provider)


def openllmetry(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.langchain import LangchainInstrumentor

    LangchainInstrumentor().instrument(tracer_provider=provider)


KINDS: dict[str, Callable[[TracerProvider], None]] = {
    "bare": lambda provider: None,
    "agentops_otel": ours,
    "OpenInference": openinference,
    "OpenLLMetry": openllmetry,
}


def measure(kind: str) -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    KINDS[kind](provider)
    guide = agent()
    asked: Any = {"messages": [("user", "How is the weather in Paris?")]}
    guide.invoke(asked)
    provider.force_flush()
    told = list(COUNTED)
    blocks = []
    for _ in range(BLOCKS):
        began = time.process_time()
        for _ in range(RUNS):
            guide.invoke(asked)
        blocks.append((time.process_time() - began) / RUNS)
    print(json.dumps({"seconds": min(blocks), "spans": told}))


def main() -> None:
    """Measure each kind in a process of its own, and print a table."""
    if find_spec("langchain") is None or find_spec("openinference") is None:
        print("not installed: make agent-benchmark")
        return
    found = {kind: _measured(kind) for kind in KINDS}
    bare = found["bare"]["seconds"]
    print(f"{'':16} {'CPU a run':>12} {'more than bare':>16} {'spans a run':>13}")
    for kind, said in found.items():
        more = said["seconds"] - bare
        print(f"{kind:16} {said['seconds'] * 1e6:9.0f} µs {more * 1e6:13.0f} µs {len(said['spans']):13}")


def _measured(kind: str) -> Any:
    command = [sys.executable, str(Path(__file__)), kind]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


if __name__ == "__main__":
    measure(sys.argv[1]) if sys.argv[1:] else main()
