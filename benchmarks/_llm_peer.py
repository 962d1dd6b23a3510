"""One library that traces openai, measured in an environment of its own: `llm_peers.py` runs this.

`python _llm_peer.py NAME` prints the CPU time that tracing adds to a call of the real client, whose transport answers
at once, as JSON: to a question, and to a stream; in the program's thread, and in the process until everything has been
exported, to nowhere. And that of a raw span of OpenTelemetry's SDK, which is measured in turn with them.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

try:
    import httpx2 as httpx  # openai 3 sends with it
except ImportError:
    import httpx

CALLS, BLOCKS, CHUNKS, SPANS = 15, 25, 100, 300
QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How warm is it? " * 20}]
ANSWER = "It is 21 degrees. " * 10
HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1-2025-04-14"}
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.model": "gpt-4.1-2025-04-14",
    "gen_ai.usage.input_tokens": 11,
    "gen_ai.usage.output_tokens": 7,
    "server.address": "model",
}

Drain = Callable[[], object]


def _message(**said: Any) -> dict[str, Any]:
    return {**HEAD, "object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop", **said}]}


def _answer(request: httpx.Request) -> httpx.Response:
    if b'"stream":true' not in request.content:
        whole = {**_message(message={"role": "assistant", "content": ANSWER}), "usage": USAGE}
        return httpx.Response(200, json=whole)
    chunk = {**_message(delta={"content": "word "}, finish_reason=None), "object": "chat.completion.chunk"}
    said = f"data: {json.dumps(chunk)}\n\n" * CHUNKS + "data: [DONE]\n\n"
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=said.encode())


def _ask(client: Any, *, stream: bool) -> None:
    answer = client.chat.completions.create(model="gpt-4.1", messages=QUESTION, temperature=0.5, stream=stream)
    for _ in answer if stream else ():
        pass


def _client(module: Any) -> Any:
    return module.OpenAI(
        api_key="none", base_url="http://model/v1", http_client=httpx.Client(transport=httpx.MockTransport(_answer))
    )


def bare() -> tuple[Any, Drain]:
    import openai

    return _client(openai), lambda: None


def by_hand() -> tuple[Any, Drain]:
    """A span with the attributes of the conventions, its messages as JSON, as a careful programmer writes it."""
    from _peer import _provider

    client, _ = bare()
    provider = _provider(None)
    tracer = provider.get_tracer("by hand")
    create = client.chat.completions.create

    def traced(*, stream: bool, **asked: Any) -> Any:
        with tracer.start_as_current_span("chat gpt-4.1") as span:
            answer = create(stream=stream, **asked)
            span.set_attribute("gen_ai.input.messages", json.dumps(asked["messages"]))
            if stream:
                return answer  # its chunks are left alone
            span.set_attribute("gen_ai.output.messages", json.dumps([answer.choices[0].message.content]))
            for name, value in ATTRIBUTES.items():
                span.set_attribute(name, value)
            return answer

    client.chat.completions.create = traced
    return client, provider.force_flush


def agentops_otel() -> tuple[Any, Drain]:
    import _peer

    _, drain = _peer.agentops_otel(None)
    return bare()[0], drain


def agentops() -> tuple[Any, Drain]:
    import agentops as theirs
    from _peer import _exporter
    from agentops.sdk import core
    from opentelemetry import trace

    core.AuthenticatedOTLPExporter = lambda **settings: _exporter(None)
    key = "00000000-0000-4000-8000-000000000000"
    theirs.init(key, endpoint="http://127.0.0.1:9", auto_start_session=False, log_level="CRITICAL", max_queue_size=512)
    return bare()[0], trace.get_tracer_provider().force_flush  # type: ignore[attr-defined]  # it is the SDK's


def openlit() -> tuple[Any, Drain]:
    import _peer

    _, drain = _peer.openlit(None)
    return bare()[0], drain


def langfuse() -> tuple[Any, Drain]:
    import _peer
    from langfuse import openai

    _, drain = _peer.langfuse(None)
    return _client(openai), drain


def openinference() -> tuple[Any, Drain]:
    from _peer import _provider
    from openinference.instrumentation.openai import OpenAIInstrumentor

    provider = _provider(None)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return bare()[0], provider.force_flush


def logfire() -> tuple[Any, Drain]:
    import _peer
    import logfire as theirs

    _, drain = _peer.logfire(None)
    client, _ = bare()
    theirs.instrument_openai(client)
    return client, drain


def openllmetry() -> tuple[Any, Drain]:
    import _peer

    _, drain = _peer.openllmetry(None)
    return bare()[0], drain


STARTS: dict[str, Callable[[], tuple[Any, Drain]]] = {
    start.__name__: start
    for start in (by_hand, agentops_otel, agentops, openlit, langfuse, openinference, logfire, openllmetry)
}


def _blocks(client: Any, drain: Drain, *, stream: bool) -> Iterator[tuple[float, float]]:
    for _ in range(BLOCKS):
        process, thread = time.process_time_ns(), time.thread_time_ns()
        for _ in range(CALLS):
            _ask(client, stream=stream)
        in_thread = (time.thread_time_ns() - thread) / CALLS / 1000
        drain()
        yield in_thread, (time.process_time_ns() - process) / CALLS / 1000


def cost(client: Any, drain: Drain) -> dict[str, dict[str, float]]:
    """The least of the blocks, in microseconds a call."""
    taken = {}
    for name, stream in (("question", False), ("stream", True)):
        thread, process = zip(*_blocks(client, drain, stream=stream), strict=True)
        taken[name] = {"thread": min(thread), "process": min(process)}
    return taken


def raw_us() -> float:
    """The least of the blocks of a raw span, in microseconds of the thread."""
    from _peer import sdk

    decorate, drain = sdk(None)
    call, taken = decorate(lambda: None), []
    for _ in range(BLOCKS):
        began = time.thread_time_ns()
        for _ in range(SPANS):
            call()
        taken.append((time.thread_time_ns() - began) / SPANS / 1000)
        drain()
    return min(taken)


def main(name: str) -> None:
    """Measure bare calls, then traced ones."""
    without, raw = cost(*bare()), raw_us()
    traced = cost(*STARTS[name]())
    added = {
        call: {part: traced[call][part] - without[call][part] for part in ("thread", "process")} for call in traced
    }
    print(json.dumps({**added, "bare": without, "raw": min(raw, raw_us())}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
