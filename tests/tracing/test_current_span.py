"""`start_as_current_span` of our tracer does what the SDK's does: as a block, as a decorator, with each exception."""

import asyncio
import json
from collections.abc import Callable
from contextvars import copy_context
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context, get_value, set_value
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode, Tracer

from agentops_otel.tracing import attached, context
from agentops_otel.tracing.provider import OwnProvider

RESOURCE = Resource({"service.name": "test"})
TIMED = ("start_time", "end_time", "timestamp", "context", "parent_id", "exception.stacktrace")


class UnreadableError(Exception):
    """Its text cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def nested(tracer: Tracer) -> None:
    """A block in a block."""
    with tracer.start_as_current_span("outer") as outer:
        assert trace.get_current_span() is outer
        with tracer.start_as_current_span(
            "inner", attributes={"a": 1}, kind=trace.SpanKind.CLIENT, start_time=5
        ) as inner:
            assert trace.get_current_span() is inner
        assert not inner.is_recording()
    assert trace.get_current_span() is trace.INVALID_SPAN


def failing(error: BaseException, **settings: bool) -> Callable[[Tracer], None]:
    """A block that *error* leaves."""

    def program(tracer: Tracer) -> None:
        with pytest.raises(type(error)), tracer.start_as_current_span("fails", **settings):  # type: ignore[arg-type]
            raise error

    return program


def left_open(tracer: Tracer) -> None:
    """A span that outlives its block."""
    with tracer.start_as_current_span("open", end_on_exit=False) as span:
        pass
    assert span.is_recording()
    span.end()


def ok_stays(tracer: Tracer) -> None:
    """A block that fails after it was well."""

    @tracer.start_as_current_span("ok")
    def fail() -> None:
        trace.get_current_span().set_status(Status(StatusCode.OK))
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        fail()


def decorated(tracer: Tracer) -> None:
    """A function, called twice."""

    @tracer.start_as_current_span("call", attributes={"a": 1})
    def call(n: int) -> int:
        trace.get_current_span().set_attribute("n", n)
        return n + 1

    assert [call(1), call(n=2), call.__name__] == [2, 3, "call"]


def decorated_coroutine(tracer: Tracer) -> None:
    """A coroutine function, run twice at the same time."""

    @tracer.start_as_current_span("run")
    async def run(n: int) -> int:
        await asyncio.sleep(0)
        trace.get_current_span().set_attribute("n", n)
        return n + 1

    async def two() -> list[int]:
        return list(await asyncio.gather(run(1), run(n=2)))

    assert asyncio.run(two()) == [2, 3]


def ended_within(tracer: Tracer) -> None:
    """A block whose span ends before it fails."""

    def fail() -> None:
        with tracer.start_as_current_span("ended") as span:
            span.end()
            raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        fail()


def spans_as_blocks(tracer: Tracer) -> None:
    """Blocks that fail, of spans that are not current in them, each with settings of its own."""

    def fail(**settings: bool) -> None:
        with tracer.start_span("block", **settings):  # type: ignore[arg-type]
            raise ValueError("no")

    for settings in ({}, {"record_exception": False}, {"set_status_on_exception": False}):
        with pytest.raises(ValueError, match="no"):
            fail(**settings)


def left_elsewhere(tracer: Tracer) -> None:
    """A block that ends in another context than it began in."""
    block = tracer.start_as_current_span("elsewhere")
    copy_context().run(block.__enter__)
    block.__exit__(None, None, None)


def decorated_silently(tracer: Tracer) -> None:
    """Functions that fail, each with settings of its own."""
    for settings in ({"record_exception": False}, {"set_status_on_exception": False}):

        @tracer.start_as_current_span("call", **settings)  # type: ignore[arg-type]
        def call() -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            call()


PROGRAMS = {
    "nested": nested,
    "an exception": failing(ValueError("no")),
    "StopIteration": failing(StopIteration("done")),
    "Ctrl-C": failing(KeyboardInterrupt()),
    "not recorded": failing(ValueError("no"), record_exception=False),
    "without a status": failing(ValueError("no"), set_status_on_exception=False),
    "left open": left_open,
    "OK stays OK": ok_stays,
    "a decorated function": decorated,
    "a decorated coroutine function": decorated_coroutine,
    "a decorated function that fails": decorated_silently,
    "ended within": ended_within,
    "spans as blocks": spans_as_blocks,
    "left in another context": left_elsewhere,
}


def spans_of(provider: TracerProvider, program: Callable[[Tracer], None]) -> list[dict[str, Any]]:
    """What the program's spans say."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    program(provider.get_tracer("test"))
    return [json.loads(span.to_json(), object_hook=without_times) for span in exporter.get_finished_spans()]


def without_times(parts: dict[str, Any]) -> dict[str, Any]:
    """Without what differs each time."""
    return {name: value for name, value in parts.items() if name not in TIMED}


@pytest.mark.parametrize("program", PROGRAMS)
def test_does_what_the_sdk_does(program: str, caplog: pytest.LogCaptureFixture) -> None:
    """Spans, statuses, exceptions, the current span and what is logged are those of the SDK's tracer."""
    ours = spans_of(OwnProvider(resource=RESOURCE), PROGRAMS[program])
    logged = [(record.name, record.getMessage()) for record in caplog.records]
    caplog.clear()
    theirs = spans_of(TracerProvider(resource=RESOURCE, shutdown_on_exit=False), PROGRAMS[program])
    assert ours == theirs
    assert logged == [(record.name, record.getMessage()) for record in caplog.records]


def test_an_exception_without_a_text_reaches_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the text of an exception raises, the program gets the first exception, and the span ends."""
    monkeypatch.setattr("agentops_otel.guard.reraise", False)
    (span,) = spans_of(OwnProvider(resource=RESOURCE), failing(UnreadableError()))
    assert span["name"] == "fails"


def test_a_block_that_ends_in_another_context_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """As where an event loop shuts down: there is nothing to undo there."""
    block = attached(set_value("mine", 1))
    copy_context().run(block.__enter__)

    block.__exit__(None, None, None)

    assert caplog.records == []
    assert get_value("mine") is None


class OwnRuntime(ContextVarsRuntimeContext):
    """Keeps contexts in a way of its own, as `OTEL_PYTHON_CONTEXT` allows."""


def test_the_variable_of_the_current_context_is_used_where_it_is_opentelemetrys_own() -> None:
    """Anything else is asked, as OpenTelemetry asks it."""
    theirs: Any = ContextVarsRuntimeContext()
    changed: Any = ContextVarsRuntimeContext()
    changed._current_context = SimpleNamespace(get=Context)
    found = []

    for runtime in (theirs, changed, OwnRuntime(), SimpleNamespace(get_current=Context)):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(context_api, "_RUNTIME_CONTEXT", runtime)
            found.append(context._variable())

    assert found == [theirs._current_context, None, None, None]
