"""init and its life: where spans go, whose provider makes them, and what a second call does."""

import ast
import logging
import os
import pickle
import re
import sys
import threading
import time
from collections.abc import Callable
from inspect import getattr_static
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import openai
import pytest
from opentelemetry.context import Context, get_value, set_value
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import get_tracer_provider

import agentops_otel
from agentops_otel import sdk
from agentops_otel.export import Pipeline
from agentops_otel.export.user_processors import UserProcessors
from agentops_otel.launcher import Report, Run, program_name
from agentops_otel.testing import capture
from agentops_otel.tracing import gc_safe
from agentops_otel.view import cost
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import answer, completion
from tests.loopback.otlp_sink import OtlpSink
from tests.many_threads import at_once
from tests.program import ROOT, run

SPAN = """
from agentops_otel import sdk
def span(name):
    recorder = sdk.current()
    recorder.end(recorder.start(name))
"""
REQUEST = getattr_static(openai.OpenAI, "request")
QUIET = {"console": False, "trace_file": False, "spool_dir": False}


def span(name: str) -> None:
    """A span of ours, begun and ended."""
    recorder = sdk.current()
    assert recorder is not None

    recorder.end(recorder.start(name))


def test_second_init_returns_the_same_client() -> None:
    """Init with the same settings, or with none, returns the client that runs; so does Client()."""
    client = agentops_otel.init(endpoint="http://127.0.0.1:9", console=False)

    assert agentops_otel.init() is client
    assert agentops_otel.init(endpoint="http://127.0.0.1:9", console=False) is client
    assert agentops_otel.Client() is client


def test_other_settings_are_ignored_as_a_whole(caplog: pytest.LogCaptureFixture) -> None:
    """A second init with other settings changes nothing and names what it ignores, without the values."""
    client = agentops_otel.init(endpoint="http://127.0.0.1:9", console=False)

    again = agentops_otel.init(endpoint="http://127.0.0.1:8", console=False, headers={"x-key": "hunter2"})

    assert again is client
    assert client.config.destinations[0].endpoint == "http://127.0.0.1:9/v1/traces"
    assert "other settings (endpoint, headers)" in caplog.text
    assert "hunter2" not in caplog.text


def test_the_program_wins_over_its_launcher(capfd: pytest.CaptureFixture[str]) -> None:
    """A client that a launcher started gives way to the program's own init, without a warning; a bare one keeps it."""
    launched = sdk.init_for_program()

    assert agentops_otel.init() is launched
    own = agentops_otel.init(endpoint="http://127.0.0.1:9")
    assert own is not launched
    assert own.config.destinations[0].endpoint == "http://127.0.0.1:9/v1/traces"
    assert launched.recorder is None
    assert agentops_otel.init(endpoint="http://127.0.0.1:9") is own
    assert "other settings" not in capfd.readouterr().err


def test_guest_may_init_twice_with_the_same_settings(caplog: pytest.LogCaptureFixture) -> None:
    """Beside a provider of somebody else's, the same settings again are no other settings."""
    provider = TracerProvider(shutdown_on_exit=False)

    first = agentops_otel.init(tracer_provider=provider, tags=["a"])

    assert agentops_otel.init(tracer_provider=provider, tags=["a"]) is first
    assert [record.getMessage() for record in caplog.records if record.name == "agentops_otel"] == []


def test_wrong_settings_start_nothing() -> None:
    """After a ConfigError there is no client."""
    with pytest.raises(agentops_otel.ConfigError):
        agentops_otel.init(endpoint="nowhere")

    assert sdk.current() is None


def test_spans_reach_the_endpoint() -> None:
    """What is flushed has arrived, with the service's name; after shutdown init starts anew."""
    with OtlpSink() as first, OtlpSink("grpc") as second:
        agentops_otel.init(endpoint=first.endpoint, service_name="shop", **QUIET)  # type: ignore[arg-type]
        span("one")
        assert agentops_otel.flush()
        assert agentops_otel.shutdown()
        agentops_otel.init(endpoint=second.endpoint, protocol="grpc", **QUIET)  # type: ignore[arg-type]
        span("two")
        assert agentops_otel.shutdown()

    assert list(first.spans) == ["one"]
    assert list(second.spans) == ["two"]
    assert [resource["service.name"] for resource in first.resources.values()] == ["shop"]


def test_spans_are_sent_at_exit() -> None:
    """A program that just ends has sent its spans; its open session is closed as indeterminate."""
    with OtlpSink() as sink:
        run(
            SPAN + "import agentops_otel; agentops_otel.init(); agentops_otel.start_session(); span('last')",
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint.removesuffix("/v1/traces"),
        )

        assert set(sink.spans) == {"last", "invoke_workflow session"}


def test_disabled_sdk_passes_through() -> None:
    """OTEL_SDK_DISABLED=true: init returns a client, everything works, nothing is made or set."""
    printed = run(
        """
        import agentops_otel
        from opentelemetry import metrics, trace
        before = trace.get_tracer_provider(), metrics.get_meter_provider()
        client = agentops_otel.init(endpoint="http://127.0.0.1:9", upload_metrics=True)
        assert client.metrics is None
        with client.start_session(), agentops_otel.start_session(name="off") as session:
            session.add_tags(["y"])
        client.end_session("Success"), client.add_tags(["x"]), client.flush(), agentops_otel.shutdown()
        assert (trace.get_tracer_provider(), metrics.get_meter_provider()) == before
        """,
        OTEL_SDK_DISABLED="true",
    )

    assert printed.stdout == printed.stderr == ""


def test_placeholder_is_replaced_by_a_provider_of_ours() -> None:
    """With no provider set, ours becomes the global one, and spans of other instrumentations arrive as well."""
    with OtlpSink() as sink:
        run(
            SPAN
            + """
import agentops_otel
from opentelemetry import trace
early = trace.get_tracer("early")
agentops_otel.init(service_name="ours")
with early.start_as_current_span("theirs"):
    span("child")
agentops_otel.shutdown()
agentops_otel.init()
with early.start_as_current_span("after a restart"):
    pass
""",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint,
        )

        assert set(sink.spans) == {"theirs", "child", "after a restart"}
        assert sink.spans["child"].parent_span_id == sink.spans["theirs"].span_id


@pytest.mark.parametrize(("settings", "arrives"), [("", False), ("endpoint=url", True)])
def test_guest_adds_its_processor_only_when_asked_by_name(settings: str, arrives: bool) -> None:
    """Beside an SDK provider, spans are made by it; ours adds a processor once, and only for what init names."""
    with OtlpSink() as sink:
        program = f"""
import sys
import agentops_otel
from opentelemetry import trace
from opentelemetry.context import Context, get_value, set_value
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
theirs = TracerProvider(shutdown_on_exit=False)
theirs.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name + "\\n")))
trace.set_tracer_provider(theirs)
url = sys.argv[0] and {sink.endpoint!r}
for time in ("first", "second"):
    agentops_otel.init({settings})
    span(time)
    agentops_otel.shutdown()
assert trace.get_tracer_provider() is theirs
with trace.get_tracer("theirs").start_as_current_span("still running"):
    pass
"""
        printed = run(SPAN + program, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    assert printed.stdout.split("\n") == ["first", "second", "still running", ""]
    assert sorted(sink.spans) == (["first", "second"] if arrives else [])
    assert sink.duplicates == 0


def test_foreign_provider_stays_and_is_warned_of() -> None:
    """A provider that is no SDK's stays the global one; ours is private, and one warning says so."""
    with OtlpSink() as sink:
        printed = run(
            SPAN
            + """
import agentops_otel
from opentelemetry import trace
class Vendor(trace.NoOpTracerProvider):
    pass
vendor = Vendor()
trace.set_tracer_provider(vendor)
agentops_otel.init(console=False)
span("private")
assert trace.get_tracer_provider() is vendor
""",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint,
        )

    assert list(sink.spans) == ["private"]
    assert printed.stderr.count("global tracer provider is a Vendor") == 1


def test_given_provider_is_used() -> None:
    """tracer_provider= makes the spans and is not shut down; with nothing else named they go where it sends them."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    agentops_otel.init(tracer_provider=provider)
    span("given")
    agentops_otel.shutdown()
    provider.get_tracer("app").start_span("still running").end()

    assert [found.name for found in exporter.get_finished_spans()] == ["given", "still running"]


def test_further_span_processors_see_every_span() -> None:
    """span_processors= get the spans besides; one that raises is ours to answer for, not the app's."""
    exporter = InMemorySpanExporter()

    agentops_otel.init(span_processors=[SimpleSpanProcessor(exporter)], **QUIET)  # type: ignore[arg-type]
    span("seen")

    assert [found.name for found in exporter.get_finished_spans()] == ["seen"]


TWICE = {
    "to the program's provider, and by init": """
        provider.add_span_processor(processor)
        trace.set_tracer_provider(provider)
        agentops_otel.init(span_processors=[processor], **QUIET)
        """,
    "by init, and to the program's provider": """
        agentops_otel.init(span_processors=[processor], **QUIET)
        provider.add_span_processor(processor)
        trace.set_tracer_provider(provider)
        """,
    "by init, and to our provider": """
        agentops_otel.init(span_processors=[processor], **QUIET)
        trace.get_tracer_provider().add_span_processor(processor)
        """,
    "twice by init": "agentops_otel.init(span_processors=[processor, processor], **QUIET)",
}


@pytest.mark.parametrize("order", TWICE)
def test_a_processor_that_is_added_twice_sees_each_span_once(order: str) -> None:
    """In whichever order the program adds it; spans of ours and of others."""
    finished = run(
        f"""
        import agentops_otel
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        QUIET = {QUIET}
        exporter, provider = InMemorySpanExporter(), TracerProvider()
        processor = SimpleSpanProcessor(exporter)
        {TWICE[order]}
        agentops_otel.record_action("ours")(lambda: None)()
        trace.get_tracer("app").start_span("theirs").end()
        print([span.name for span in exporter.get_finished_spans()])
        """
    )

    assert finished.stdout == "['ours', 'theirs']\n"


class Hanging(SpanProcessor):
    """Of the user's: it does not come back."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Not in time."""
        return self.go_on.wait(600)

    def shutdown(self) -> None:
        """Neither."""
        self.go_on.wait(600)


def test_flush_and_shutdown_wait_for_the_users_processors() -> None:
    """What span_processors= hold has left when flush() and shutdown() come back with True."""
    exporter = InMemorySpanExporter()
    batches = BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000)

    agentops_otel.init(span_processors=[batches], **QUIET)  # type: ignore[arg-type]
    span("flushed")
    assert agentops_otel.flush()
    assert [found.name for found in exporter.get_finished_spans()] == ["flushed"]
    span("at the end")
    assert agentops_otel.shutdown(timeout_s=30)

    assert [found.name for found in exporter.get_finished_spans()] == ["flushed", "at the end"]


def test_no_wait_of_flush_and_shutdown_is_for_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the time for what has to be waited for first; the rest is for delivery, once for all that is open."""
    waits: list[float] = []
    deliveries: list[float] = []

    def noting(wait: Callable[..., Any], noted_in: list[float] = waits) -> Callable[..., Any]:
        def noted(*args: Any) -> Any:
            noted_in.append(args[-1])
            return wait(*args)

        return noted

    monkeypatch.setattr(Pipeline, "drain", noting(Pipeline.drain))
    monkeypatch.setattr(Pipeline, "deliver", noting(Pipeline.deliver, deliveries))
    monkeypatch.setattr(gc_safe, "drain", noting(gc_safe.drain))
    monkeypatch.setattr("agentops_otel.client.are_kept", lambda: True)
    client = agentops_otel.init(exit_timeout_s=30, **QUIET)  # type: ignore[arg-type]
    agentops_otel.start_session().end_session()
    assert deliveries == [30.0]
    assert len(waits) >= 1
    agentops_otel.start_session()
    agentops_otel.start_session()

    agentops_otel.flush(timeout_s=30)
    client.deliver_at_once()
    agentops_otel.shutdown()

    assert deliveries.count(30.0) == 1
    assert len(waits) >= 6
    assert max(waits) == 15.0


def test_a_processor_that_takes_its_time_is_waited_for() -> None:
    """As long as there is time; the threads that stood ready for it end then."""
    hanging, before = Hanging(), threading.enumerate()
    processors = UserProcessors([hanging])
    release = threading.Timer(0.05, hanging.go_on.set)

    answers = processors.begin_shutdown()
    release.start()
    well = processors.wait(answers, 60)
    processors.close(60)

    assert well
    ready = [thread for thread in threading.enumerate() if thread not in before and thread.name.endswith("processor")]
    assert ready == []


@pytest.mark.parametrize("act", [agentops_otel.flush, agentops_otel.shutdown])
def test_a_processor_that_takes_its_time_has_the_time_of_flush_and_shutdown(act: Callable[[float], bool]) -> None:
    """It may have spans to deliver."""
    hanging = Hanging()
    agentops_otel.init(span_processors=[hanging], **QUIET)  # type: ignore[arg-type]
    threading.Timer(0.05, hanging.go_on.set).start()

    assert act(60)


def test_a_processor_that_hangs_is_told_and_holds_up_neither_flush_nor_shutdown() -> None:
    """Both come back in their time with False, and the processor beside it was done."""
    exporter, hanging = InMemorySpanExporter(), Hanging()
    batches = BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000)

    agentops_otel.init(span_processors=[hanging, batches], **QUIET)  # type: ignore[arg-type]
    span("beside")
    flushed = agentops_otel.flush(timeout_s=2)
    stopped = agentops_otel.shutdown(timeout_s=0.5)
    hanging.go_on.set()

    assert (flushed, stopped) == (False, False)
    assert [found.name for found in exporter.get_finished_spans()] == ["beside"]


@pytest.mark.measured
@pytest.mark.parametrize("forks", [False, True])
def test_a_processor_does_not_hold_up_the_end_of_the_program(forks: bool) -> None:
    """`exit_timeout_s` is for span_processors= too, also after a fork, and where no span was made."""
    began = time.monotonic()
    finished = run(
        f"""
        import os, threading, time, warnings
        warnings.simplefilter("always")  # an error of this kind is not raised by a fork
        os.register_at_fork(before=lambda: print("at the fork:", threading.active_count()))  # called after ours
        import agentops_otel
        from opentelemetry.sdk.trace import SpanProcessor

        class Slow(SpanProcessor):
            def shutdown(self):
                time.sleep(600)

        agentops_otel.init(span_processors=[Slow()], console=False, trace_file=False, exit_timeout_s=0.5)
        if {forks} and (child := os.fork()):
            os.waitpid(child, 0)
            agentops_otel.record_action("after the fork")(lambda: None)()
            agentops_otel.flush(30)
        """,
        PYTHONWARNINGS="",
    )

    assert "Slow was not done in time" in finished.stderr
    assert "multi-threaded" not in finished.stderr
    assert finished.stdout == ("at the fork: 1\n" if forks else "")
    assert time.monotonic() - began < 120


class Marking(SpanProcessor):
    """Sets an attribute on each span that starts, as baggage processors do."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """The span records, and can be changed."""
        span.set_attribute("marked", f"{span.name} began in {get_value('place', parent_context)}")


@pytest.mark.parametrize(("console", "waiting"), [(True, 0), (False, 1)])
def test_a_conversations_calls_are_priced_while_it_goes_on(console: bool, waiting: int) -> None:
    """Once the price list is there, so that the end of a session of TaskWeaver need not wait for it to be printed."""
    client = agentops_otel.init(endpoint="http://127.0.0.1:9", console=console, trace_file=False, spool_dir=False)
    call: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.conversation.id": "a conversation",
    }
    assert cost.price(call) == pytest.approx(2e-5)  # the price list is there now
    get_tracer_provider().get_tracer("x").start_span("chat", attributes=call).end()
    assert client.pipeline.drain(60)
    (counted,) = [count for key, count in client._totals._counts.items() if key == "a conversation"]
    assert counted.calls.total() == 1

    sdk._running.conversation_went_on("a conversation")

    assert counted.calls.total() == waiting


@pytest.mark.parametrize(("said", "guest", "trusts"), [
    ("false", False, False), ("true", False, True), ("false", True, True), ("true", True, True),
])  # fmt: skip
def test_whose_callers_are_followed(said: str, guest: bool, trusts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the program's own provider each caller: its sampler has decided about that."""
    monkeypatch.setenv("AGENTOPS_TRUST_CALLERS", said)
    provider = TracerProvider(shutdown_on_exit=False) if guest else None
    client = agentops_otel.init(tracer_provider=provider, console=False, trace_file=False, spool_dir=False)

    assert client.recorder is not None
    assert client.recorder.trusts_callers is trusts


@pytest.mark.parametrize("guest", [False, True])
def test_further_span_processors_are_told_of_a_start(guest: bool) -> None:
    """What their `on_start` sets is on the span, on our provider and on one that the program brought.

    Also on the first span of a second client, whose provider has had one before.
    """
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False) if guest else None

    @agentops_otel.record_action("decorated")
    def decorated() -> None: ...

    agentops_otel.init(tracer_provider=provider, **QUIET)  # type: ignore[arg-type]
    decorated()
    agentops_otel.shutdown()

    agentops_otel.init(
        tracer_provider=provider,
        span_processors=[Marking(), SimpleSpanProcessor(exporter)],
        **QUIET,  # type: ignore[arg-type]
    )
    decorated()
    span("ours")
    app = (provider or get_tracer_provider()).get_tracer("app")
    app.start_span("the app's", context=set_value("place", "Rome")).end()

    assert [found.attributes and found.attributes["marked"] for found in exporter.get_finished_spans()] == [
        "decorated began in None",
        "ours began in None",
        "the app's began in Rome",
    ]


@pytest.mark.parametrize("guest", [False, True])
def test_further_span_processors_are_told_of_nothing_after_shutdown(guest: bool) -> None:
    """The program's tracers go on; what it gave to us has been shut down."""
    told = []

    class Told(SpanProcessor):
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            told.append(f"{span.name} began")

        def on_end(self, span: ReadableSpan) -> None:
            told.append(f"{span.name} ended")

    provider = TracerProvider(shutdown_on_exit=False) if guest else None
    agentops_otel.init(tracer_provider=provider, span_processors=[Told()], **QUIET)  # type: ignore[arg-type]
    app = (provider or get_tracer_provider()).get_tracer("app")

    app.start_span("before").end()
    agentops_otel.shutdown()
    app.start_span("after").end()

    assert told == ["before began", "before ended"]


def test_a_span_goes_to_the_client_that_runs_when_it_ends() -> None:
    """It began under an earlier one, which has been shut down."""
    exporter = InMemorySpanExporter()
    agentops_otel.init(**QUIET)  # type: ignore[arg-type]
    tracer = get_tracer_provider().get_tracer("app")
    tracer.start_span("before").end()
    across = tracer.start_span("across")
    agentops_otel.shutdown()

    agentops_otel.init(span_processors=[SimpleSpanProcessor(exporter)], **QUIET)  # type: ignore[arg-type]
    across.end()

    assert [found.name for found in exporter.get_finished_spans()] == ["across"]


@pytest.mark.parametrize("guest", [False, True])
def test_a_span_processor_that_is_given_twice_sees_each_span_once(guest: bool) -> None:
    """Also one that the program has added to its provider itself."""
    exporter = InMemorySpanExporter()
    processor = SimpleSpanProcessor(exporter)
    provider = TracerProvider(shutdown_on_exit=False) if guest else None
    if provider is not None:
        provider.add_span_processor(processor)

    agentops_otel.init(
        tracer_provider=provider,
        span_processors=[processor, processor],
        **QUIET,  # type: ignore[arg-type]
    )
    span("seen")

    assert [found.name for found in exporter.get_finished_spans()] == ["seen"]


class Asking(Sampler):
    """Notes what it may decide by, and takes every span."""

    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []

    def should_sample(
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: Any = None,
        attributes: Any = None,
        *more: Any,
        **named: Any,
    ) -> SamplingResult:
        """Take it."""
        self.given.append(dict(attributes or {}))
        return SamplingResult(Decision.RECORD_AND_SAMPLE)

    def get_description(self) -> str:
        """Its name."""
        return "Asking"


def test_a_sampler_of_the_programs_sees_what_is_asked() -> None:
    """Attributes that are read later elsewhere are there when it is asked."""
    sampler = Asking()
    agentops_otel.init(tracer_provider=TracerProvider(sampler=sampler, shutdown_on_exit=False), **QUIET)  # type: ignore[arg-type]

    with LlmServer() as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
        server.answer(answer(completion(), stream=False))
        client.chat.completions.create(model="gpt-x", temperature=0.5, messages=[{"role": "user", "content": "hi"}])

    (given,) = sampler.given
    assert (given.get("gen_ai.request.model"), given.get("gen_ai.request.temperature")) == ("gpt-x", 0.5)


def test_sampler_and_limits_come_from_the_environment() -> None:
    """OTEL_TRACES_SAMPLER, the span limits and the resource variables keep their meaning."""
    with OtlpSink() as sink:
        run(
            SPAN + "import agentops_otel; agentops_otel.init(); span('kept')",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint,
            OTEL_SERVICE_NAME="by-variable",
            OTEL_RESOURCE_ATTRIBUTES="team=red",
            OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="0",
        )
        run(
            SPAN + "import agentops_otel; agentops_otel.init(); span('dropped')",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint,
            OTEL_TRACES_SAMPLER="always_off",
        )

    (resource,) = sink.resources.values()
    assert (resource["service.name"], resource["team"]) == ("by-variable", "red")
    assert list(sink.spans) == ["kept"]
    assert not sink.spans["kept"].attributes


def test_init_imports_little() -> None:
    """Neither the import nor init brings in an LLM client, gRPC, rich or TaskWeaver, nor starts a thread."""
    run(
        """
        import sys, threading
        import agentops_otel
        agentops_otel.init(endpoint="http://127.0.0.1:9")
        heavy = {"openai", "anthropic", "litellm", "google.genai", "grpc", "rich", "taskweaver", "genai_prices"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        assert threading.active_count() == 1, threading.enumerate()
        """
    )


def test_stats_add_up_and_the_method_is_the_function() -> None:
    """What was produced is what became of it, on the module and on the client."""
    with OtlpSink() as sink:
        client = agentops_otel.init(endpoint=sink.endpoint, **QUIET)  # type: ignore[arg-type]
        for _ in range(3):
            span("counted")
        agentops_otel.flush()
        stats = agentops_otel.stats()

    assert (stats.produced, stats.sent, stats.spooled, dict(stats.dropped)) == (3, 3, 0, {})
    assert client.stats() == stats


def test_clients_may_be_left_alone_and_wrapped_again() -> None:
    """uninstrument() takes our wrappers off, and instrument() puts them back, once."""
    before = getattr_static(openai.OpenAI, "request")

    with capture():
        wrapped = getattr_static(openai.OpenAI, "request")
        agentops_otel.instrument()
        twice = getattr_static(openai.OpenAI, "request")
        agentops_otel.uninstrument()
        off = getattr_static(openai.OpenAI, "request")
        agentops_otel.instrument()
        again = getattr_static(openai.OpenAI, "request")
    after = getattr_static(openai.OpenAI, "request")

    assert twice is wrapped
    assert wrapped is not before
    assert off is before
    assert again is not before
    assert after is before


def test_init_by_many_threads_starts_one_client() -> None:
    """All have the same one, and after one shutdown nothing of it is left."""
    for _ in range(3):
        clients = at_once(lambda number: agentops_otel.init(**QUIET))  # type: ignore[arg-type]

        assert len(set(map(id, clients))) == 1
        assert getattr_static(openai.OpenAI, "request") is not REQUEST
        at_once(lambda number: agentops_otel.shutdown())
        assert sdk.client() is None
        assert getattr_static(openai.OpenAI, "request") is REQUEST


def test_a_shutdown_waits_while_the_programs_own_provider_takes_over() -> None:
    """What it has emptied is not filled again."""
    program = """
import threading
import agentops_otel
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

class Slow(TracerProvider):
    def add_span_processor(self, processor):
        stop = threading.Thread(target=agentops_otel.shutdown)
        stop.start()
        stop.join(0.2)
        print("stopped" if not stop.is_alive() else "waits")
        super().add_span_processor(processor)

agentops_otel.init(console=False, trace_file=False)
trace.set_tracer_provider(Slow(shutdown_on_exit=False))
"""
    assert run(program).stdout == "waits\n"


def test_init_and_shutdown_by_many_threads_leave_nothing_behind() -> None:
    """Whoever was last, each client is stopped and other people's code is as it was."""

    def again_and_again(number: int) -> None:
        for _ in range(5):
            agentops_otel.init(**QUIET)  # type: ignore[arg-type]
            agentops_otel.shutdown()

    at_once(again_and_again)
    agentops_otel.shutdown()

    assert sdk.client() is None
    assert getattr_static(openai.OpenAI, "request") is REQUEST


def test_the_totals_of_a_conversation_have_the_calls_that_ended_just_before(capsys: pytest.CaptureFixture[str]) -> None:
    """The exporting thread, which counts them, has had no time yet."""
    client = agentops_otel.init(trace_file=False, spool_dir=False)
    tracer = get_tracer_provider().get_tracer("app")

    for _ in range(50):
        tracer.start_span("chat", attributes={"gen_ai.operation.name": "chat", "gen_ai.conversation.id": "one"}).end()
    client.conversation_ended("one", 1, 10**9)

    assert "stopped after 1 round: 1.00 s, 50 LLM calls" in capsys.readouterr().err


def test_a_conversation_that_goes_on_after_shutdown_is_nobodys(capfd: pytest.CaptureFixture[str]) -> None:
    """TaskWeaver may be in the middle of a round then."""
    agentops_otel.init(trace_file=False, spool_dir=False)
    agentops_otel.shutdown()
    capfd.readouterr()

    sdk._running.conversation_went_on("one")
    sdk._running.conversation_ended("one", 1, 10**9)

    assert capfd.readouterr().err == ""


def test_suppressed_work_leaves_no_span() -> None:
    """Inside suppress() nothing is recorded, and after it everything is again."""
    with capture() as captured:
        with agentops_otel.suppress():
            span("hidden")
        span("seen")

    assert [found.name for found in captured.spans] == ["seen"]


def test_functions_without_a_client_warn_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before init nothing is recorded, nothing fails, and one warning a function says so."""
    monkeypatch.setattr(sdk._running, "latest", None)  # that of an earlier test
    monkeypatch.setattr(sdk._running, "warned", set())  # those of earlier tests
    caplog.set_level(logging.WARNING)
    calls: dict[str, tuple[Any, ...]] = {
        "start_session": (),
        "end_session": ("Success",),
        "record": (agentops_otel.ActionEvent("a"),),
        "add_tags": (["x"],),
        "set_tags": (["x"],),
        "get_api_key": (),
        "update_trace_metadata": ({"a": 1},),
        "create_agent": ("a",),
        "get_session": ("an id",),
        "end_all_sessions": (),
    }
    for _ in range(2):
        for name, arguments in calls.items():
            getattr(agentops_otel, name)(*arguments)

    assert agentops_otel.flush()
    assert agentops_otel.shutdown()
    assert agentops_otel.stats() == agentops_otel.Stats()
    assert [record.getMessage() for record in caplog.records] == [
        f"agentops_otel.{name}() recorded nothing: call agentops_otel.init() first." for name in calls
    ]


@pytest.mark.parametrize(
    ("said", "in_events"), [("SPAN_ONLY", None), ("EVENT_ONLY", "rain in ***"), ("NO_CONTENT", None)]
)
def test_events_have_their_content_under_the_users_rule(
    said: str, in_events: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the variable asks for events; elsewhere there are none."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", said)
    settings: dict[str, Any] = {**QUIET, "redact": lambda name, text: text.replace("Oslo", "***")}
    recorder = agentops_otel.init(**settings).recorder
    assert recorder is not None

    content = recorder.event_content

    assert (content and content.text("gen_ai.output.messages", "rain in Oslo")) == in_events
    on_spans = recorder.content.text("gen_ai.output.messages", "rain in Oslo")
    assert on_spans == ("rain in ***" if said == "SPAN_ONLY" else None)


@pytest.mark.skipif(not hasattr(os, "getpgrp"), reason="Windows has no process groups")
def test_a_trace_file_has_the_name_of_its_process_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the workers of a server are one run."""
    monkeypatch.setattr(os, "getpgrp", lambda: 7)

    client = agentops_otel.init(console=False, trace_file=True)

    assert str(client.trace_file).endswith(f"-7.{os.getpid()}.jsonl")


def test_the_session_that_init_opens_has_the_name_and_id_that_it_is_given() -> None:
    """By the names that AgentOps had for them."""
    exporter = InMemorySpanExporter()
    client = agentops_otel.init(
        auto_start_session=True,
        trace_name="nightly",
        inherited_session_id="abc",
        span_processors=[SimpleSpanProcessor(exporter)],
        **QUIET,  # type: ignore[arg-type]
    )
    span("inside")
    client.end_session("Success")
    client.flush()

    assert {found.name: (found.attributes or {})["session.id"] for found in exporter.get_finished_spans()} == {
        "inside": "abc",
        "invoke_workflow nightly": "abc",
    }


def test_a_process_of_a_run_reports_at_its_start_and_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has imported, with the versions, and which of that is not traced; another process reports by itself."""
    run = Run.begin("app", [])
    monkeypatch.setenv(Run.VARIABLE, str(run.folder))
    for name, version in (("zhipuai", "0.9"), ("smolagents", None)):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        if version is not None:
            sys.modules[name].__version__ = version  # type: ignore[attr-defined]  # as packages have it
    try:
        client = agentops_otel.init(trace_file=True, console=False, spool_dir=False)
        (begun,) = run.reports()
        span("one")
        agentops_otel.shutdown()
        (ended,) = run.reports()
        agentops_otel.init(**QUIET)  # type: ignore[arg-type]
        agentops_otel.uninstrument()
        agentops_otel.shutdown()
        (untraced,) = run.reports()
    finally:
        run.end()

    program = program_name(sys.orig_argv[1:])
    assert begun[:5] == Report(os.getpid(), program, ended=False, trace_file=str(client.trace_file), clients={})[:5]
    assert client.trace_file == client.config.state_dir / "traces" / f"{run.name}.{os.getpid()}.jsonl"
    assert (ended.ended, ended.traces, ended.trace_file) == (True, 1, begun.trace_file)
    assert ended.clients.items() >= {"zhipuai": "0.9", "openai": openai.__version__}.items()
    assert ended.not_wrapped == ["zhipuai"]
    assert untraced.not_wrapped == sorted(ended.clients)


@pytest.mark.parametrize(
    ("settings", "variables", "run_of", "said"),
    [
        ({}, {}, None, True),
        ({"console": True}, {}, None, True),
        ({"console": False}, {}, None, False),
        ({}, {"OTEL_SDK_DISABLED": "true"}, None, False),
        ({"console": False}, {"OTEL_SDK_DISABLED": "true"}, None, False),
        ({}, {}, "this process", True),
        ({}, {}, "its parent", False),
        ({"console": False}, {}, "its parent", False),
    ],
)
def test_where_spans_go_is_said_once(
    settings: dict[str, Any],
    variables: dict[str, str],
    run_of: str | None,
    said: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """By the first process of a run, and not where nothing is to be printed or recorded."""
    run = Run.begin("app", [])
    if run_of:
        variables = {**variables, Run.VARIABLE: str(run.folder)}
        monkeypatch.setattr(os, "getppid", lambda: os.getpid() if run_of == "this process" else 1)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    agentops_otel.init(endpoint="http://127.0.0.1:9", spool_dir=False, **settings)
    agentops_otel.init()
    run.end()

    line = "agentops_otel: spans go to http://127.0.0.1:9/v1/traces"
    assert capfd.readouterr().err.count(line) == said


@pytest.mark.parametrize(
    ("guest", "settings", "seen"),
    [
        (False, {}, True),
        (True, {}, False),
        (True, {"endpoint": "http://127.0.0.1:9"}, True),
        (True, {"span_processors": [SpanProcessor()]}, True),
    ],
)
def test_spans_are_counted_where_one_of_our_processors_gets_them(
    guest: bool, settings: dict[str, Any], seen: bool
) -> None:
    """On the program's own provider, where it is to send them or somebody is to see them."""
    provider = TracerProvider(shutdown_on_exit=False) if guest else None
    client = agentops_otel.init(tracer_provider=provider, **{**QUIET, **settings})
    with client.start_session() as session:
        span("one")
        counted = session.get_analytics()["Actions"]  # type: ignore[index]  # there is a client

    assert counted == ("0" if seen else "unknown")


def test_what_is_open_at_the_end_ends_the_newest_first() -> None:
    """As blocks would: each as indeterminate, and all are delivered together."""
    exporter = InMemorySpanExporter()
    client = agentops_otel.init(span_processors=[SimpleSpanProcessor(exporter)], **QUIET)  # type: ignore[arg-type]
    for name in ("first", "second", "third"):
        client.start_session(name=name)
    shown = repr(client)

    agentops_otel.shutdown()

    assert shown == (
        "<agentops_otel.Client: spans go to http://localhost:4318/v1/traces if a collector answers there,"
        " to your span processors>"
    )
    ended = [
        (found.name, (found.attributes or {})["agentops.session.end_state"]) for found in exporter.get_finished_spans()
    ]
    assert ended == [(f"invoke_workflow {name}", "Indeterminate") for name in ("third", "second", "first")]


def test_what_a_launcher_asks_for_is_wrapped_until_the_programs_own_init(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """On whatever provider there is: nothing is sent, written, printed or begun, whatever the environment says."""
    monkeypatch.setattr(sdk._running, "temporary_client", None)  # that of an earlier test
    monkeypatch.setattr(sdk._running, "wanted_parts", frozenset())
    variables = {
        "AGENTOPS_API_KEY": "key",
        "AGENTOPS_AUTO_START_SESSION": "true",
        "AGENTOPS_CONSOLE": "true",
        "AGENTOPS_TRACE_FILE": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_TRACES_EXPORTER": "otlp,otlp_proto_http",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = []

    def ask(what: Literal["llm_calls", "taskweaver"], *, wanted: bool, content: bool | None = None) -> None:
        sdk.instrument_until_init(what, wanted=wanted, capture_content=content)
        client = sdk.client()
        assert client is not None
        settings = client.config
        assert (settings.destinations, settings.exporters, settings.metrics) == ((), (), ())
        assert (client.trace_file, settings.console, settings.quiet, client.sessions.current()) == (
            None,
            False,
            True,
            None,
        )
        assert client.recorder is not None
        assert (client.recorder.provider, client.recorder.trusts_callers) == (get_tracer_provider(), True)
        is_wrapped = getattr_static(openai.OpenAI, "request") is not REQUEST
        parts = settings.instrument_llm_calls, settings.instrument_frameworks, settings.instrument_taskweaver
        found.append((*parts, is_wrapped, settings.capture_content))

    ask("taskweaver", wanted=False)
    ask("llm_calls", wanted=True)
    ask("llm_calls", wanted=True, content=False)
    ask("taskweaver", wanted=True)
    ask("llm_calls", wanted=False)
    ask("taskweaver", wanted=False)
    of_own: dict[str, Any] = {"auto_start_session": False, "upload_metrics": False, **QUIET}
    own = agentops_otel.init(endpoint="http://127.0.0.1:9", **of_own)
    sdk.instrument_until_init("llm_calls", wanted=True)

    assert sdk.client() is own
    assert found == [
        (False, False, False, False, True),
        (True, True, False, True, True),
        (True, True, False, True, False),
        (True, True, True, True, True),
        (False, False, True, True, True),
        (False, False, False, False, True),
    ]
    assert capfd.readouterr().err == ""


def test_a_launcher_leaves_a_program_alone_whose_tracing_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_SDK_DISABLED` holds for it too."""
    monkeypatch.setattr(sdk._running, "temporary_client", None)
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    sdk.instrument_until_init("llm_calls", wanted=True)

    assert sdk.current() is None
    assert getattr_static(openai.OpenAI, "request") is REQUEST


def test_a_client_may_be_shut_down_twice() -> None:
    """The second time nothing happens, also to the client that has come after it."""
    first = agentops_otel.init(**QUIET)  # type: ignore[arg-type]
    assert first.shutdown()
    assert first.shutdown()
    second = agentops_otel.init(**QUIET)  # type: ignore[arg-type]
    assert first.shutdown()

    assert sdk.client() is second
    assert sdk.current() is second.recorder
    assert second.recorder is not None


def test_capture_sets_a_running_client_aside() -> None:
    """A client that was running runs on after capture(), and has seen nothing of it."""
    exporter = InMemorySpanExporter()
    client = agentops_otel.init(span_processors=[SimpleSpanProcessor(exporter)], **QUIET)  # type: ignore[arg-type]

    with capture() as captured:
        span("captured")
    span("back")

    assert agentops_otel.init() is client
    assert [found.name for found in captured.spans] == ["captured"]
    assert [found.name for found in exporter.get_finished_spans()] == ["back"]


@pytest.mark.parametrize("name", ["record_action", "record_tool", "agent", "tool", "track_endpoint"])
def test_the_decorators_are_pickled_by_name(name: str) -> None:
    """A function of `__main__` that goes to another process by value takes them along, as cloudpickle has it do."""
    decorator = getattr(agentops_otel, name)

    assert pickle.loads(pickle.dumps(decorator)) == decorator


class Unhashable(TracerProvider):
    """A provider as logfire's is, which compares its fields, and so has no hash."""

    __hash__ = None  # type: ignore[assignment]


def test_a_provider_without_a_hash_is_used(tmp_path: Path) -> None:
    """As any other: with two clients one after the other, each of its spans is kept once."""
    provider, file = Unhashable(shutdown_on_exit=False), tmp_path / "trace.jsonl"
    for name in ("first", "second"):
        agentops_otel.init(tracer_provider=provider, trace_file=file, console=False)
        provider.get_tracer("program").start_span(name).end()
        agentops_otel.shutdown()

    assert re.findall("first|second", file.read_text()) == ["first", "second"]


def test_what_is_called_too_early_is_named_as_it_was_called() -> None:
    """Each function that needs a client says its own name."""
    functions = [
        node
        for path in ("api.py", "compat.py", "sdk/__init__.py")
        for node in ast.walk(ast.parse((ROOT / "agentops_otel" / path).read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    named = [
        (node.name, word) for node in functions for word in re.findall(r"client_for\('(\w+)'\)", ast.unparse(node))
    ]

    assert len(named) > 10
    assert [pair for pair in named if pair[0] != pair[1]] == []
