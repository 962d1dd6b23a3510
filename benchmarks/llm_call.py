"""What tracing costs an LLM call and a streamed chunk, against a hand-written span with the same attributes.

The openai client talks to an in-memory transport. Blocks of calls of every kind are interleaved in random order in one
process; the minimum of a kind's blocks counts, in CPU time of the calling thread, less the bare call. The hand-written
span ends in a `BatchSpanProcessor` whose exporter does nothing, ours in our own pipeline with nowhere to send it.
Run it with `python benchmarks/llm_call.py`.
"""

import json
import random
import time
from collections.abc import Callable
from typing import Any

import httpx2
import openai
from decorated_call import Nowhere
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Tracer

import agentops_otel
from agentops_otel.testing import capture

CALLS, BLOCKS, CHUNKS = 5, 30, 200
ASKED: dict[str, Any] = {
    "model": "gpt-4.1",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How warm is it? " * 20}],
    "temperature": 0.5,
}
HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1-2025-04-14"}
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
SAID = {"role": "assistant", "content": "It is 21 degrees. " * 10}
WHOLE = {
    **HEAD,
    "object": "chat.completion",
    "choices": [{"index": 0, "message": SAID, "finish_reason": "stop"}],
    "usage": USAGE,
}


def chunks(count: int) -> bytes:
    """A stream of so many chunks."""
    deltas = [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}] * (count - 1)
    ends = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    said = [{**HEAD, "object": "chat.completion.chunk", "choices": [choice]} for choice in [*deltas, *ends]]
    return b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in said) + b"data: [DONE]\n\n"


ANSWERS = {False: json.dumps(WHOLE).encode(), True: chunks(CHUNKS)}
KINDS = {False: "application/json", True: "text/event-stream"}


def respond(request: httpx2.Request) -> httpx2.Response:
    stream = b'"stream":true' in request.content
    return httpx2.Response(200, headers={"content-type": KINDS[stream]}, content=ANSWERS[stream])


def client() -> openai.OpenAI:
    http = httpx2.Client(transport=httpx2.MockTransport(respond))
    return openai.OpenAI(api_key="key", base_url="http://model/v1", http_client=http)


def by_hand(tracer: Tracer, ask: Callable[[], Any], attributes: dict[str, Any]) -> None:
    """The span that a careful programmer writes: the same attributes, set one by one."""
    with tracer.start_as_current_span("chat gpt-4.1", kind=SpanKind.CLIENT) as span:
        for name, value in attributes.items():
            messages = json.loads(value) if name.endswith(".messages") else None
            span.set_attribute(name, json.dumps(messages) if messages else value)
        ask()


def main() -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    tracer, asked = provider.get_tracer("by hand"), client()

    def plain() -> Any:
        return asked.chat.completions.create(**ASKED)

    def stream() -> Any:
        return [chunk.choices for chunk in asked.chat.completions.create(**ASKED, stream=True)]

    with capture() as captured:
        plain()
        attributes = dict(captured.spans[0].attributes or {})
    own = agentops_otel.init(console=False, trace_file=False)

    def bare(ask: Callable[[], Any]) -> Callable[[], Any]:
        def call() -> Any:
            recorder, own.recorder = own.recorder, None
            try:
                return ask()
            finally:
                own.recorder = recorder

        return call

    cost = minimum_ns(
        {
            "bare": bare(plain),
            "by hand": bare(lambda: by_hand(tracer, plain, attributes)),
            "ours": plain,
            "bare stream": bare(stream),
            "our stream": stream,
        }
    )
    agentops_otel.shutdown()
    provider.shutdown()
    show(cost)


def minimum_ns(kinds: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The least CPU time of a call of each kind, in nanoseconds."""
    best = dict.fromkeys(kinds, float("inf"))
    order = list(kinds) * BLOCKS
    random.Random(1).shuffle(order)
    for name in order:
        call = kinds[name]
        start = time.thread_time_ns()
        for _ in range(CALLS):
            call()
        best[name] = min(best[name], (time.thread_time_ns() - start) / CALLS)
    return best


def show(cost: dict[str, float]) -> None:
    """Print the table."""
    hand, ours = cost["by hand"] - cost["bare"], cost["ours"] - cost["bare"]
    chunk = (cost["our stream"] - cost["bare stream"] - ours) / CHUNKS
    print(f"{'bare call':26} {cost['bare'] / 1000:8.1f} µs")
    print(f"{'a span by hand adds':26} {hand / 1000:8.1f} µs")
    print(f"{'ours adds':26} {ours / 1000:8.1f} µs {ours / hand:6.2f} x")
    print(f"{'a chunk, bare':26} {(cost['bare stream'] - cost['bare']) / CHUNKS / 1000:8.2f} µs")
    print(f"{'ours adds to a chunk':26} {chunk / 1000:8.2f} µs")


if __name__ == "__main__":
    main()
