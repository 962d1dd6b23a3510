"""One library that traces, measured in an environment of its own: `peers.py` runs this with that environment's Python.

`python _peer.py NAME calls` prints what decorated calls cost, `NAME start` what importing and starting costs, `NAME
deliver ENDPOINT` what calls cost with their delivery over OTLP/HTTP. Everything is CPU time, printed as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

BLOCKS = 25
BATCH, BATCHES = 500, 8

Decorate = Callable[[Callable[..., Any]], Callable[..., Any]]
Started = tuple[Decorate, Callable[[], object]]
"""How a function is decorated, and how everything that has ended is exported."""


def _provider(endpoint: str | None) -> Any:
    """A provider of the SDK that sends by OTLP/HTTP, or nowhere."""
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider()
    provider.add_span_processor(_processor(endpoint))
    return provider


def _processor(endpoint: str | None) -> Any:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(_exporter(endpoint), max_queue_size=100_000)


def _exporter(endpoint: str | None) -> Any:
    if endpoint is None:
        from _decorated import Nowhere

        return Nowhere()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint)


def sdk(endpoint: str | None) -> Started:
    """A raw span, which records nothing."""
    provider = _provider(endpoint)
    tracer = provider.get_tracer("raw")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            with tracer.start_as_current_span(function.__name__):
                return function(*args)

        return call

    return decorate, provider.force_flush


def by_hand(endpoint: str | None) -> Started:
    """A span that records its arguments and its result as JSON, as a careful programmer writes it."""
    import functools
    import inspect

    provider = _provider(endpoint)
    tracer = provider.get_tracer("by hand")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)

        def begin(span: Any, *args: Any) -> None:
            span.set_attribute("input", json.dumps(signature.bind(*args).arguments))

        @functools.wraps(function)
        def call(*args: Any) -> Any:
            with tracer.start_as_current_span(function.__name__) as span:
                begin(span, *args)
                result = function(*args)
                span.set_attribute("output", json.dumps(result))
                return result

        @functools.wraps(function)
        async def run(*args: Any) -> Any:
            with tracer.start_as_current_span(function.__name__) as span:
                begin(span, *args)
                result = await function(*args)
                span.set_attribute("output", json.dumps(result))
                return result

        return run if inspect.iscoroutinefunction(function) else call

    return decorate, provider.force_flush


def agentops_otel(endpoint: str | None) -> Started:
    import agentops_otel as ours

    client = ours.init(endpoint=endpoint, console=False, trace_file=False, spool_dir=False)
    return ours.record_action, (lambda: ours.flush(timeout_s=30)) if endpoint else lambda: client.pipeline.drain(30)


def agentops(endpoint: str | None) -> Started:
    import agentops as theirs
    from agentops.sdk import core
    from agentops.sdk.decorators import operation
    from opentelemetry import trace

    if endpoint is None:
        core.AuthenticatedOTLPExporter = lambda **settings: _exporter(None)
    key = "00000000-0000-4000-8000-000000000000"
    theirs.init(
        key,
        endpoint=endpoint or "http://127.0.0.1:9",
        exporter_endpoint=endpoint,
        instrument_llm_calls=False,
        auto_start_session=False,
        log_level="CRITICAL",
        max_queue_size=512,
    )
    return operation, trace.get_tracer_provider().force_flush  # type: ignore[attr-defined]  # it is the SDK's


def openlit(endpoint: str | None) -> Started:
    import openlit as theirs
    from opentelemetry import trace

    provider = _provider(endpoint)
    trace.set_tracer_provider(provider)  # it uses the one that is there
    theirs.init(disable_metrics=True, disable_events=True)
    return theirs.trace, provider.force_flush


def langfuse(endpoint: str | None) -> Started:
    from langfuse import Langfuse, observe

    client = Langfuse(
        public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", span_exporter=_exporter(endpoint)
    )
    return observe, client.flush


def openinference(endpoint: str | None) -> Started:
    from openinference.instrumentation import OITracer, TraceConfig

    provider = _provider(endpoint)
    return OITracer(provider.get_tracer("app"), TraceConfig()).chain, provider.force_flush


def logfire(endpoint: str | None) -> Started:
    import logfire as theirs

    theirs.configure(send_to_logfire=False, console=False, additional_span_processors=[_processor(endpoint)])
    return theirs.instrument(record_return=True), theirs.force_flush


def ddtrace(endpoint: str | None) -> Started:
    from ddtrace.trace import tracer

    return tracer.wrap(), tracer.flush


def openllmetry(endpoint: str | None) -> Started:
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import task

    processor = _processor(endpoint)
    Traceloop.init("app", processor=processor, telemetry_enabled=False)
    return task(), processor.force_flush


STARTS: dict[str, Callable[[str | None], Started]] = {
    start.__name__: start
    for start in (
        sdk,
        by_hand,
        agentops_otel,
        agentops,
        openlit,
        langfuse,
        openinference,
        logfire,
        ddtrace,
        openllmetry,
    )
}


def calls(name: str) -> object:
    """What a decorated call adds to a bare one, and a raw span of the SDK in the same process."""
    import asyncio

    from _decorated import CALLS, CASES, NESTED, decorated_calls, median_cost, none

    decorate, drain = STARTS[name](None)
    raw, drain_raw = sdk(None)

    def drain_both() -> None:
        drain()
        drain_raw()

    kinds = {"raw": raw(none), **decorated_calls(decorate)}
    cost = asyncio.run(median_cost(kinds, drain_both, BLOCKS))
    bare = {case: cost[f"bare {case}"] for case in CASES}
    return {
        "calls in a block": CALLS,
        "raw": _less(cost["raw"], bare["no arguments"]),
        **{case: _less(cost[case], bare[case]) for case in CASES},
        NESTED: _less(cost[NESTED], bare["no arguments"], 10),
    }


def _less(cost: Any, bare: Any, share: int = 1) -> dict[str, float]:
    return {part: (getattr(cost, part) - getattr(bare, part)) / share for part in ("thread", "process")}


def start(name: str) -> object:
    """Importing and starting, with what the interpreter had imported before."""
    before, wall = time.process_time(), time.perf_counter()
    STARTS[name]("http://127.0.0.1:9/v1/traces")
    return {"cpu": time.process_time() - before, "wall": time.perf_counter() - wall, "modules": len(sys.modules)}


def deliver(name: str, endpoint: str) -> object:
    """The CPU time of the process for each call with three arguments, until all of them were accepted."""
    from _decorated import three

    decorate, drain = STARTS[name](endpoint)
    call = decorate(three)

    def batch() -> None:  # drained before a queue of 2048 spans is full
        for _ in range(BATCH):
            call(1, "two", 3.0)
        drain()

    batch()  # connected, imported
    began = time.process_time()
    for _ in range(BATCHES):
        batch()
    return {"cpu": (time.process_time() - began) / BATCH / BATCHES}


if __name__ == "__main__":
    what = {"calls": calls, "start": start, "deliver": deliver}[sys.argv[2]]
    print(json.dumps(what(sys.argv[1], *sys.argv[3:])), flush=True)
