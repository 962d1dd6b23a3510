"""What tracing costs an LLM call and a streamed chunk, against a hand-written span with the same attributes.

The openai package's own requests and answers, and a client that answers at once: what is measured is the tracing alone.
Blocks of every kind are interleaved in random order in one process; the minimum of a kind's blocks counts, in CPU time
of the calling thread, less the bare call. The hand-written span ends in a `BatchSpanProcessor` whose exporter does
nothing, ours in our own pipeline with nowhere to send it.
Run it with `python benchmarks/llm_call.py`.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from decorated_call import Nowhere
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Tracer

import agentops_otel
from agentops_otel import sdk
from agentops_otel.clients import openai
from agentops_otel.instrumentation import install
from agentops_otel.testing import capture

CALLS, BLOCKS, CHUNKS = 5, 300, 200
ASKED: dict[str, Any] = {
    "model": "gpt-4.1",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How warm is it? " * 20}],
    "temperature": 0.5,
}
HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1-2025-04-14"}
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
SAID = {"role": "assistant", "content": "It is 21 degrees. " * 10}
WHOLE = ChatCompletion.model_validate(
    {
        **HEAD,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": SAID, "finish_reason": "stop"}],
        "usage": USAGE,
    }
)
LAST = {"index": 0, "delta": {}, "finish_reason": "stop"}
PIECES = [
    ChatCompletionChunk.model_validate({**HEAD, "object": "chat.completion.chunk", "choices": [choice]})
    for choice in [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}] * (CHUNKS - 1) + [LAST]
]


class Stream:
    """A stream whose chunks are there already."""

    def __init__(self) -> None:
        self._chunks = iter(PIECES)

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        return self

    def __next__(self) -> ChatCompletionChunk:
        return next(self._chunks)


class Bare:
    """Answers at once, where the openai package sends."""

    base_url = "http://model/v1"

    def request(self, options: SimpleNamespace) -> Any:
        """The answer, or a stream of it."""
        return Stream() if "stream" in options.json_data else WHOLE


class Client(Bare):
    """The same, to be traced."""


def options(*, stream: bool) -> SimpleNamespace:
    """A request as the package makes it."""
    body = {**ASKED, "stream": True} if stream else ASKED
    return SimpleNamespace(method="post", url="/chat/completions", json_data=body)


def set_by_hand(span: Span, attributes: dict[str, Any]) -> None:
    """What a careful programmer says of a call, one by one."""
    for name, value in attributes.items():
        messages = json.loads(value) if name.endswith(".messages") else None
        span.set_attribute(name, json.dumps(messages) if messages else value)


def by_hand(tracer: Tracer, client: Bare, attributes: dict[str, Any]) -> None:
    """The span that a careful programmer writes."""
    with tracer.start_as_current_span("chat gpt-4.1", kind=SpanKind.CLIENT) as span:
        set_by_hand(span, attributes)
        client.request(options=ASKS[False])


def stream_by_hand(tracer: Tracer, client: Bare, attributes: dict[str, Any]) -> None:
    """The same round a stream: its texts are put together, and its end is looked for."""
    with tracer.start_as_current_span("chat gpt-4.1", kind=SpanKind.CLIENT) as span:
        texts, reason, usage = [], None, None
        for chunk in client.request(options=ASKS[True]):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                texts.append(choice.delta.content or "")
                reason = choice.finish_reason or reason
        set_by_hand(span, attributes)


ASKS = {stream: options(stream=stream) for stream in (False, True)}


def main() -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    tracer, bare, client = provider.get_tracer("by hand"), Bare(), Client()
    spec = replace(
        openai.SPEC, module=__name__, operations=(replace(openai.CHAT, where=("Client.request",)),), others=()
    )
    install([spec], sdk.current)
    with capture() as captured:
        client.request(options=ASKS[False])
        list(client.request(options=ASKS[True]))
        plain, streamed = (dict(span.attributes or {}) for span in captured.spans)
    agentops_otel.init(console=False, trace_file=False)
    cost = minimum_ns(
        {
            "bare": lambda: bare.request(options=ASKS[False]),
            "by hand": lambda: by_hand(tracer, bare, plain),
            "ours": lambda: client.request(options=ASKS[False]),
            "bare stream": lambda: read(bare.request(options=ASKS[True])),
            "stream by hand": lambda: stream_by_hand(tracer, bare, streamed),
            "our stream": lambda: read(client.request(options=ASKS[True])),
        }
    )
    agentops_otel.shutdown()
    provider.shutdown()
    show(cost)


def read(stream: Iterator[Any]) -> None:
    """Read it, and do nothing with it."""
    for _ in stream:
        pass


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
    bare = cost["bare stream"]
    chunk_by_hand, chunk = ((cost[kind] - bare) / CHUNKS for kind in ("stream by hand", "our stream"))
    print(f"{'a call, by hand':28} {hand / 1000:8.1f} µs")
    print(f"{'a call, ours':28} {ours / 1000:8.1f} µs {ours / hand:6.2f} x")
    print(f"{f'a chunk of {CHUNKS}, by hand':28} {chunk_by_hand / 1000:8.2f} µs")
    print(f"{f'a chunk of {CHUNKS}, ours':28} {chunk / 1000:8.2f} µs {chunk / chunk_by_hand:6.2f} x")


if __name__ == "__main__":
    main()
