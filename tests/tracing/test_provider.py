"""The tracer provider of ours: ids, processors, the content policy for everybody's spans, a second `init()`."""

import gc
import inspect
import json
import os
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

import agentops_otel
from agentops_otel import guard, semconv
from agentops_otel.content import Content
from agentops_otel.export import file
from agentops_otel.tracing import ids, lazy_span
from agentops_otel.tracing import tracer as tracer_module
from agentops_otel.tracing.ids import EntropyIdGenerator
from agentops_otel.tracing.parents import RequestTracer
from agentops_otel.tracing.processors import dispatch_for, not_in
from agentops_otel.tracing.provider import OwnProvider, tracer_of
from agentops_otel.tracing.relay import Relay
from agentops_otel.tracing.span import Span as OwnSpan
from agentops_otel.tracing.tracer import Tracer
from tests.many_threads import at_once
from tests.program import run
from tests.tracing.this_sdk import THIS_SDK

SECRET = "sk-abcdefghijklmnopqrstuvwx"


class Kept(SpanProcessor):
    """Keeps the spans, as they are handed over."""

    def __init__(self) -> None:
        self.started: list[Span] = []
        self.ending: list[Span] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span starts."""
        self.started.append(span)

    def _on_ending(self, span: Span) -> None:
        span.set_attribute("by", "on_ending")
        self.ending.append(span)

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        self.ended.append(span)


@pytest.fixture
def kept() -> Kept:
    """A processor of the test's own."""
    return Kept()


@pytest.fixture
def provider(kept: Kept) -> OwnProvider:
    """A provider of ours with that processor, and the usual content policy."""
    provider = OwnProvider()
    provider.set_policy(Content())
    provider.add_span_processor(kept)
    return provider


def test_the_classes_are_opentelemetrys(provider: OwnProvider) -> None:
    """`isinstance` holds for provider, tracer, running and ended span."""
    tracer = provider.get_tracer("test")
    span = tracer.start_span("step")

    assert isinstance(provider, sdk_trace.TracerProvider)
    assert isinstance(tracer, sdk_trace.Tracer)
    assert isinstance(span, trace.Span)
    assert isinstance(span, sdk_trace.Span)
    assert isinstance(span, ReadableSpan)
    assert provider.get_tracer("test") is tracer


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(OwnProvider, sdk_trace.TracerProvider), (Tracer, sdk_trace.Tracer), (OwnSpan, sdk_trace.Span)],
)
def test_the_methods_have_the_parameters_and_defaults_of_opentelemetrys(ours: type, theirs: type) -> None:
    """Those of the SDK that are decorated hide theirs: the interface of the API says them."""
    methods = [name for name, method in vars(theirs).items() if not name.startswith("_") and callable(method)]
    of_ours, of_theirs = ({name: inspect.signature(getattr(kind, name)) for name in methods} for kind in (ours, theirs))
    hidden = {name for name, signature in of_theirs.items() if "args" in signature.parameters}

    assert hidden <= {"update_name", "set_status"}
    for name in hidden:
        of_theirs[name] = inspect.signature(getattr(trace.Span, name))
    assert _defaults(of_ours) == _defaults(of_theirs)


def _defaults(signatures: dict[str, inspect.Signature]) -> dict[str, list[tuple[str, object, object]]]:
    return {
        name: [(each.name, each.kind, each.default) for each in signature.parameters.values()]
        for name, signature in signatures.items()
    }


@pytest.mark.filterwarnings("ignore:You should use InstrumentationScope")  # the SDK hides it, not for several threads
def test_threads_are_given_the_same_tracer(provider: OwnProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a scope there is one, also where a second thread asks for it while the first makes it."""
    made, both = provider._own_tracer, threading.Barrier(2)

    def make(tracer: sdk_trace.Tracer) -> Tracer:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # the other comes in, unless it has to wait
        return made(tracer)

    monkeypatch.setattr(provider, "_own_tracer", make)

    first, second = at_once(lambda number: provider.get_tracer("scope"), threads=2)

    assert first is second


def test_a_scope_that_is_asked_for_while_the_settings_change_has_the_new_ones(
    provider: OwnProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits until those that there are have them."""
    for scope in ("a", "b"):
        provider.get_tracer(scope)
    read, asking = Tracer.read_limits, [threading.Thread(target=provider.get_tracer, args=(scope,)) for scope in "cd"]

    def slowly(tracer: Tracer) -> None:
        read(tracer)
        if (thread := next((thread for thread in asking if not thread.ident), None)) is not None:
            thread.start()
            thread.join(0.3)

    monkeypatch.setattr(Tracer, "read_limits", slowly)
    fresh = OwnProvider(sampler=sampling.ALWAYS_OFF)
    provider.renew(fresh)
    for thread in asking:
        thread.join()

    samplers = [provider.get_tracer(scope).sampler for scope in "abcd"]  # type: ignore[attr-defined]  # of the SDK
    assert samplers == [sampling.ALWAYS_OFF] * 4


def test_tracers_that_there_are_take_the_limits_of_new_settings(provider: OwnProvider) -> None:
    """Of a second `init()` with other variables."""
    tracer = provider.get_tracer("app")

    provider.renew(OwnProvider(span_limits=sdk_trace.SpanLimits(max_span_attributes=2)))
    span = tracer.start_span("step", attributes={"a": 1, "b": 2, "c": 3})

    assert isinstance(span, ReadableSpan)
    assert dict(span.attributes or {}) == {"b": 2, "c": 3}


def test_an_ended_span_is_handed_over_read_only(provider: OwnProvider, kept: Kept) -> None:
    """Processors may keep it; later writes do not reach it."""
    span = provider.get_tracer("test").start_span("step")
    span.set_attribute("before", 1)
    span.end()
    span.set_attribute("after", 2)

    (ended,) = kept.ended
    assert not hasattr(ended, "set_attribute")
    assert not hasattr(ended, "end")
    assert dict(ended.attributes or {}) == {"before": 1, "by": "on_ending"}


def test_an_ended_span_keeps_its_attributes_when_the_running_one_is_collected(
    provider: OwnProvider, kept: Kept
) -> None:
    """Python 3.13's garbage collector empties what an object in a cycle shares its `__dict__` with."""
    cycle: list[Any] = [provider.get_tracer("test").start_span("step", attributes={"tags": ("a", "b")})]
    cycle.append(cycle)
    cycle[0].end()
    kept.started.clear()
    kept.ending.clear()
    del cycle
    gc.collect()

    assert dict(kept.ended[0].attributes or {}) == {"tags": ("a", "b"), "by": "on_ending"}


def test_ids_leave_the_programs_random_alone() -> None:
    """A program that seeds `random` has other ids in each run, and its own numbers."""
    random.seed(42)
    expected = random.random()

    def trace_id() -> int:
        random.seed(42)
        span = OwnProvider().get_tracer("test").start_span("step")
        assert random.random() == expected
        return span.get_span_context().trace_id

    assert trace_id() != trace_id()


def test_children_of_a_fork_have_ids_of_their_own() -> None:
    """Parent and children draw different ids after a fork."""
    program = (
        "import os\nfrom agentops_otel.tracing.provider import OwnProvider\n"
        "tracer = OwnProvider().get_tracer('test')\ntracer.start_span('first')\n"
        "def show(): print(tracer.start_span('step').get_span_context().trace_id, flush=True)\n"
        "for _ in range(3):\n    if not (pid := os.fork()):\n        show()\n        os._exit(0)\n"
        "    os.waitpid(pid, 0)\nshow()\n"
    )
    printed = run(program).stdout.split()

    assert len(set(printed)) == 4


@pytest.mark.parametrize("of_whom", ["raw", "exception"])
def test_what_anybody_records_is_redacted(provider: OwnProvider, kept: Kept, of_whom: str) -> None:
    """Content, exceptions and statuses of other instrumentations pass the policy before a processor sees them."""
    tracer = provider.get_tracer("strands")
    if of_whom == "raw":
        with tracer.start_as_current_span("chat") as span:
            span.set_attribute(semconv.GEN_AI_INPUT_MESSAGES, json.dumps([{"content": f"my key is {SECRET}"}]))
    else:
        with pytest.raises(ValueError, match="sk-"), tracer.start_as_current_span("chat"):
            raise ValueError(f"refused: {SECRET}")

    (ended,) = kept.ended
    assert SECRET not in ended.to_json()
    assert "[redacted]" in ended.to_json()


@pytest.mark.parametrize(
    ("text", "is_json"),
    [
        (json.dumps({"content": "long " * 500, "role": "user"}), True),
        (json.dumps([{"content": "long " * 500}, {"role": "user"}]), True),
        ("{no JSON " * 500, False),
        (json.dumps("long " * 500), False),
    ],
    ids=["object", "list", "neither", "text"],
)
def test_json_of_anybodys_stays_json_where_it_is_shortened(kept: Kept, text: str, *, is_json: bool) -> None:
    """By what is in it; any other text is cut as a text is."""
    provider = OwnProvider()
    provider.set_policy(Content(limit_bytes=400))
    provider.add_span_processor(kept)
    provider.get_tracer("strands").start_span("chat", attributes={semconv.GEN_AI_INPUT_MESSAGES: text}).end()

    (ended,) = kept.ended
    said = str((ended.attributes or {})[semconv.GEN_AI_INPUT_MESSAGES])
    assert len(said) <= 400
    if is_json:
        assert type(json.loads(said)) is type(json.loads(text))
        assert '"user"' in said
    else:
        assert said.startswith(text[:100])


def test_content_that_is_off_is_off_for_everybody(kept: Kept) -> None:
    """With content off, no attribute, event or status has any."""
    provider = OwnProvider()
    provider.set_policy(Content(enabled=False))
    provider.add_span_processor(kept)
    attributes = {semconv.GEN_AI_INPUT_MESSAGES: "a word"}
    tracer = provider.get_tracer("strands")
    with pytest.raises(ValueError, match="a word"), tracer.start_as_current_span("chat", attributes=attributes):
        raise ValueError("a word")

    (ended,) = kept.ended
    assert "a word" not in ended.to_json()
    assert ended.status.status_code is StatusCode.ERROR


EVENTS = {
    "gen_ai.user.message": {"role": "user", "content": f"a word, {SECRET}"},
    "gen_ai.choice": {"finish_reason": "stop", "message": f"a word, {SECRET}"},
    "gen_ai.tool.message": {"role": "tool", "id": "call_1", "content": f"a word, {SECRET}"},
    "gen_ai.choice of a tool": {"tool.result": f"a word, {SECRET}"},
    "gen_ai.content.prompt": {"gen_ai.prompt": f"a word, {SECRET}"},
    "gen_ai.client.inference.operation.details": {
        semconv.GEN_AI_REQUEST_MODEL: "gpt-4.1",
        semconv.GEN_AI_OUTPUT_MESSAGES: f"a word, {SECRET}",
    },
    "read a page": {"content": "a word of the program's own", semconv.GEN_AI_INPUT_MESSAGES: f"a word, {SECRET}"},
}
"""As Strands and other instrumentations record them, and one of a program."""


@pytest.mark.parametrize("enabled", [True, False])
def test_content_in_events_of_the_conventions_is_content(kept: Kept, *, enabled: bool) -> None:
    """It is redacted, or left out with content off; roles, ids and finish reasons stay, and all of other events."""
    provider = OwnProvider()
    provider.set_policy(Content(enabled=enabled))
    provider.add_span_processor(kept)
    with provider.get_tracer("strands").start_as_current_span("chat") as span:
        for name, attributes in EVENTS.items():
            span.add_event(name, attributes)

    recorded = {event.name: dict(event.attributes or {}) for event in kept.ended[0].events}
    content = "a word, [redacted]"
    assert recorded == {
        name: {
            key: content if SECRET in value else value
            for key, value in attributes.items()
            if enabled or SECRET not in value
        }
        for name, attributes in EVENTS.items()
    }


@pytest.mark.parametrize("enabled", [True, False])
def test_content_on_links_and_in_what_is_logged_is_content(
    kept: Kept, caplog: pytest.LogCaptureFixture, *, enabled: bool
) -> None:
    """Given at the start or later; a link's other attributes stay, and a description that does not count is no leak."""
    provider = OwnProvider()
    provider.set_policy(Content(enabled=enabled))
    provider.add_span_processor(kept)
    word = f"a word, {SECRET}"
    attributes = {"of": "theirs", semconv.GEN_AI_INPUT_MESSAGES: word, "gen_ai.prompt": word}
    links = [Link(SpanContext(1, 2, is_remote=True), attributes)]
    with provider.get_tracer("theirs").start_as_current_span("step", links=links, attributes=attributes) as span:
        span.add_link(SpanContext(1, 3, is_remote=True), attributes)
        span.set_status(Status(StatusCode.ERROR), word)

    (ended,) = kept.ended
    recorded = [dict(each or {}) for each in (*(link.attributes for link in ended.links), ended.attributes)]
    content = {name: "a word, [redacted]" for name in list(attributes)[1:]} if enabled else {}
    assert [{k: v for k, v in each.items() if k != "by"} for each in recorded] == [{"of": "theirs", **content}] * 3
    assert SECRET not in caplog.text
    assert enabled or "a word" not in caplog.text


@THIS_SDK
def test_what_is_logged_of_a_full_span_is_logged_as_the_sdk_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the same logger, in the same words: filters of it hold for our spans."""
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1")
    said = []
    for provider in (OwnProvider(), sdk_trace.TracerProvider()):
        caplog.clear()
        span = provider.get_tracer("theirs").start_span("step", attributes={"a": 1})
        span.set_attribute("b", 2)
        said.append(caplog.record_tuples)

    assert said[0] == said[1] != []


def test_a_hostile_value_does_not_reach_the_program(
    provider: OwnProvider, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attribute whose `__str__` raises is left out."""

    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    monkeypatch.setattr("agentops_otel.guard.reraise", False)
    span = provider.get_tracer("test").start_span("step")
    span.set_attribute("bad", Hostile())  # type: ignore[arg-type]
    span.set_attribute("good", 1)
    span.end()

    assert dict(kept.ended[0].attributes or {}) == {"good": 1, "by": "on_ending"}


def test_processors_of_init_see_starts_and_ends(kept: Kept) -> None:
    """`on_start`, `_on_ending` and `on_end` of `init(span_processors=)` are called, with our spans and raw ones."""
    agentops_otel.init(span_processors=[kept], console=False, trace_file=False, spool_dir=False)
    agentops_otel.record_action(lambda: None)()
    with trace.get_tracer("raw").start_as_current_span("raw"):
        pass

    assert [span.name for span in kept.started] == ["<lambda>", "raw"]
    assert [span.name for span in kept.ending] == ["<lambda>", "raw"]
    assert [(span.attributes or {}).get("by") for span in kept.ended] == ["on_ending"] * 2


class Failing(SpanProcessor):
    """Raises when a span starts, and when it ends."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span starts."""
        raise ValueError("no start")

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        raise ValueError("no end")


def test_a_fault_of_a_processor_is_the_programs_only_if_it_added_it_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that was given to `init()` is ours to guard; one on the provider raises, as on the SDK's."""
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(guard, "_reported", set())  # each place is told once
    agentops_otel.init(console=False, trace_file=False, span_processors=[Failing()])
    provider: Any = trace.get_tracer_provider()
    processor, tracer = provider._active_span_processor, provider.get_tracer("app")
    monkeypatch.setattr(processor, "_span_processors", processor._span_processors)  # as it was for other tests

    tracer.start_span("of init").end()
    assert [record.exc_info and str(record.exc_info[1]) for record in caplog.records] == ["no start", "no end"]
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "agentops_otel failed while starting a span",
        "agentops_otel failed while ending a span",
    ]
    provider.add_span_processor(Failing())
    with pytest.raises(ValueError, match="no start"):
        tracer.start_span("of the program")


@pytest.mark.parametrize("trace_id", [0, 1, 2**128 - 1, 2**128])
@pytest.mark.parametrize("span_id", [0, 1, 2**64 - 1, 2**64])
@pytest.mark.parametrize("state", [None, TraceState(), TraceState([("vendor", "1")])])
def test_a_spans_context_is_as_opentelemetry_makes_it(trace_id: int, span_id: int, state: TraceState | None) -> None:
    """Also of an id that is none, which a program's id generator may give."""
    made = lazy_span._local_context(trace_id, span_id, TraceFlags(1), state)
    expected = SpanContext(trace_id, span_id, False, TraceFlags(1), state)

    assert (type(made), tuple(made)) == (type(expected), tuple(expected))


def test_a_guests_span_is_ours_on_the_programs_provider(kept: Kept) -> None:
    """It has the provider's resource, sampler and limits; if the SDK's tracer changes, this test says so."""
    provider = sdk_trace.TracerProvider(span_limits=sdk_trace.SpanLimits(max_span_attributes=2))
    provider.add_span_processor(kept)
    span = tracer_of(provider, "test", "1", Content()).start_span("step", attributes={"a": 1, "b": 2, "c": 3})
    span.end()

    assert type(span) is OwnSpan
    (ended,) = kept.ended
    assert (dict(ended.attributes or {}), ended.dropped_attributes) == ({"c": 3, "by": "on_ending"}, 2)
    assert ended.resource is provider.resource


@pytest.mark.parametrize("sampler", [sampling.ALWAYS_ON, sampling.ALWAYS_OFF], ids=["on", "off"])
def test_the_sdks_own_metrics_count_our_spans_as_its_own(
    sampler: sampling.Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are sampled and those that are not."""
    monkeypatch.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")

    def counted(make: Callable[[sdk_trace.TracerProvider], trace.Tracer]) -> list[Any]:
        reader = InMemoryMetricReader()
        tracer = make(sdk_trace.TracerProvider(sampler, meter_provider=MeterProvider([reader])))
        with tracer.start_as_current_span("step"):
            tracer.start_span("below").end()
        data = reader.get_metrics_data()
        assert data is not None
        found = json.loads(data.to_json())["resource_metrics"][0]["scope_metrics"][0]["metrics"]
        return sorted(
            (metric["name"], sorted(point["attributes"].items()), point["value"])
            for metric in found
            for point in metric["data"]["data_points"]
        )

    ours = counted(lambda provider: tracer_of(provider, "test", "1", Content()))

    assert ours == counted(lambda provider: provider.get_tracer("test", "1"))
    assert ours


@THIS_SDK
def test_a_guests_spans_in_a_forked_child_have_the_childs_resource() -> None:
    """Beside the program's provider our spans say the `service.instance.id` that its own say, after a fork too."""
    program = """
        import os, sys
        from opentelemetry.sdk.trace import TracerProvider
        import agentops_otel

        provider = TracerProvider()
        agentops_otel.init(tracer_provider=provider, console=False, trace_file=False, spool_dir=False)
        raw = provider.get_tracer("raw")

        def instance(span):
            return span.resource.attributes["service.instance.id"]

        @agentops_otel.record_action
        def act():
            from opentelemetry.trace import get_current_span
            return instance(get_current_span())

        before = act()
        assert before == instance(raw.start_span("raw"))
        if child := os.fork():
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os._exit(0 if act() == instance(raw.start_span("raw")) != before else 3)
    """
    run(program)


def test_a_second_init_keeps_the_programs_processors(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The global provider stays, with new settings: spans of ours and raw ones go to the same processors."""
    agentops_otel.init(console=False, trace_file=False, spool_dir=False, service_name="first")
    provider: Any = trace.get_tracer_provider()
    processor = provider._active_span_processor
    monkeypatch.setattr(processor, "_span_processors", processor._span_processors)  # without it again for other tests
    provider.add_span_processor(kept)
    agentops_otel.shutdown()
    agentops_otel.init(console=False, trace_file=False, spool_dir=False, service_name="second")

    agentops_otel.record_action(lambda: None)()
    trace.get_tracer("raw").start_span("raw").end()

    mine = [span for span in kept.ended if span.name in ("<lambda>", "raw")]
    assert [span.resource.attributes["service.name"] for span in mine] == ["second", "second"]


def test_processors_that_the_program_added_are_shut_down_at_exit() -> None:
    """What another library's batch processor holds is delivered at the end."""
    program = (
        "import agentops_otel\nfrom opentelemetry import trace\n"
        "from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter\n"
        "agentops_otel.init(console=False, trace_file=False, spool_dir=False)\n"
        "trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))\n"
        "trace.get_tracer('raw').start_span('held').end()\n"
    )

    assert '"name": "held"' in run(program).stdout


@pytest.mark.measured
def test_a_provider_that_the_program_sets_later_makes_the_spans(tmp_path: Path) -> None:
    """Its exporter gets its spans as without us, and ours, which still go to our destinations, once each."""
    program = (
        "import agentops_otel\nfrom opentelemetry import trace\nfrom opentelemetry.sdk.resources import Resource\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter\n"
        "early = trace.get_tracer('early')\n"
        "agentops_otel.init(console=False, trace_file='trace.jsonl', spool_dir=False)\n"
        "between = trace.get_tracer('between')\nbetween.start_span('before').end()\n"
        "agentops_otel.start_session(name='run')\n"
        "provider = TracerProvider(resource=Resource({'service.name': 'theirs'}))\n"
        "provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))\n"
        "trace.set_tracer_provider(provider)\n"
        "assert trace.get_tracer_provider() is provider\n"
        "agentops_otel.init()\n"
        "for tracer in early, between, trace.get_tracer('late'):\n"
        "    tracer.start_span('raw').end()\n"
        "agentops_otel.record_action(lambda: None)()\n"
        "trace.set_tracer_provider(TracerProvider())\n"
        "assert trace.get_tracer_provider() is provider\n"
    )

    done = run(program, cwd=tmp_path)

    kept = [span for span in file.read(tmp_path / "trace.jsonl") if isinstance(span, ReadableSpan)]
    theirs = sorted((span.name, span.resource.attributes["service.name"] == "theirs") for span in kept)
    ours = [("before", False), ("invoke_workflow run", False)]
    assert theirs == [("<lambda>", True), *ours, ("raw", True), ("raw", True), ("raw", True)]
    assert [done.stdout.count(f'"name": "{name}"') for name in ("before", "raw", "<lambda>")] == [0, 3, 1]
    assert done.stderr.count("Overriding of current TracerProvider is not allowed") == 1


def test_a_limit_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A negative limit is named, as any wrong setting."""
    monkeypatch.setenv("OTEL_SPAN_EVENT_COUNT_LIMIT", "-1")

    with pytest.raises(agentops_otel.ConfigError) as refused:
        agentops_otel.init(console=False, trace_file=False, spool_dir=False)
    assert str(refused.value) == "OTEL_SPAN_EVENT_COUNT_LIMIT='-1' is not usable: give a number that is not negative"


def test_an_exception_has_its_stack_once() -> None:
    """On its way through decorated calls an exception is formatted once; the outer spans have its type and message."""
    exporter = InMemorySpanExporter()
    provider = sdk_trace.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    agentops_otel.init(tracer_provider=provider, console=False, trace_file=False, spool_dir=False)

    @agentops_otel.record_action
    def down(depth: int) -> None:
        if not depth:
            raise ValueError("deep")
        down(depth - 1)

    with pytest.raises(ValueError, match="deep"):
        down(20)

    spans = exporter.get_finished_spans()
    events = [event.attributes or {} for span in spans for event in span.events]
    assert len(events) == 21
    assert [semconv.EXCEPTION_STACKTRACE in event for event in events] == [True] + [False] * 20
    assert {event[semconv.EXCEPTION_MESSAGE] for event in events} == {"deep"}


def test_two_exceptions_have_their_stacks() -> None:
    """One that was handled says nothing of the next."""
    exporter = InMemorySpanExporter()
    provider = sdk_trace.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    agentops_otel.init(tracer_provider=provider, console=False, trace_file=False, spool_dir=False)

    @agentops_otel.record_action
    def inner() -> None:
        raise ValueError("first")

    @agentops_otel.record_action
    def outer() -> None:
        with suppress(ValueError):
            inner()
        raise ValueError("second")

    with pytest.raises(ValueError, match="second"):
        outer()

    stacks = [
        (event.attributes or {}).get(semconv.EXCEPTION_STACKTRACE)
        for span in exporter.get_finished_spans()
        for event in span.events
    ]
    assert len(stacks) == 2
    assert all(stacks)


def test_a_decorated_function_recurses_as_deep_as_a_wrapped_one() -> None:
    """One frame of ours a call: what `functools.wraps` takes."""
    import functools
    import sys

    def wrapped(function: Callable[[int], int]) -> Callable[[int], int]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return call

    def depth_with(decorator: Any) -> int:
        deepest = 0

        @decorator  # type: ignore[untyped-decorator]
        def down(depth: int) -> None:
            nonlocal deepest
            deepest = depth
            down(depth + 1)

        with pytest.raises(RecursionError):
            down(0)
        return deepest

    agentops_otel.init(console=False, trace_file=False, spool_dir=False)
    ours, theirs = depth_with(agentops_otel.record_action), depth_with(wrapped)

    assert sys.getrecursionlimit() >= 1000
    assert ours > 0.9 * theirs


def test_the_stack_is_bounded() -> None:
    """Of a deep stack the innermost frames are recorded."""
    kept, provider = Kept(), OwnProvider()
    provider.add_span_processor(kept)

    def down() -> None:
        down()

    span = provider.get_tracer("test").start_span("step")
    with pytest.raises(RecursionError) as caught:
        down()
    span.record_exception(caught.value)
    span.end()

    stack = str((kept.ended[0].events[0].attributes or {})[semconv.EXCEPTION_STACKTRACE])
    assert stack.startswith("Traceback (most recent call last):")
    assert stack.endswith("RecursionError: maximum recursion depth exceeded\n")


@pytest.mark.parametrize(("said", "trusts"), [({}, True), ({"trusts_callers": False}, False)])
def test_callers_are_trusted_by_whoever_says_nothing(said: dict[str, bool], *, trusts: bool) -> None:
    """`init()` says it."""
    provider = OwnProvider()

    tracer_of(provider, "test", "", Content(), **said)

    assert provider.trusts_callers is trusts
    made = sdk_trace.TracerProvider(shutdown_on_exit=False).get_tracer("fastapi")
    assert isinstance(made, sdk_trace.Tracer)
    assert RequestTracer(made).trusts_callers
    assert OwnProvider().trusts_callers


class Read(SpanProcessor):
    """Keeps what it is told; takes running spans, or not."""

    def __init__(self, *, takes_running: bool = False) -> None:
        self.takes_running_spans = takes_running
        self.contexts: list[Context | None] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span starts."""
        self.contexts.append(parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        self.ended.append(span)


def _relayed(provider: sdk_trace.TracerProvider, *processors: SpanProcessor) -> Relay:
    relay = Relay()
    relay.targets = processors
    provider.add_span_processor(relay)
    return relay


@pytest.mark.parametrize("theirs", [False, True])
@pytest.mark.parametrize("relayed", [False, True])
def test_a_span_is_handed_over_as_it_is_if_all_who_get_it_take_that(*, relayed: bool, theirs: bool) -> None:
    """One that does not gets what cannot be changed, and so do the others; each is told the context of the start."""
    provider, processors = OwnProvider(), [Read(takes_running=True), Read(takes_running=not theirs)]
    if relayed:
        _relayed(provider, *processors)
    else:
        for processor in processors:
            provider.add_span_processor(processor)
    context = Context({"mine": 1})

    span: Any = provider.get_tracer("test").start_span("step", context)
    span.end()

    for processor in processors:
        assert processor.contexts == [context]
        assert [ended is span for ended in processor.ended] == [not theirs]
        assert [hasattr(ended, "set_attribute") for ended in processor.ended] == [not theirs]


def test_nothing_stands_between_a_span_and_a_processor_of_ours() -> None:
    """It guards itself; another one behind the relay is guarded."""
    provider, ours, theirs = OwnProvider(), Read(takes_running=True), Read()
    _relayed(provider, ours, theirs)

    dispatch = dispatch_for(provider._active_span_processor)

    assert [ours.on_end in dispatch.on_end, theirs.on_end in dispatch.on_end] == [True, False]


def test_a_processor_that_is_on_the_provider_and_behind_the_relay_is_told_once() -> None:
    """The others behind the relay are told too, and what is put behind it later."""
    provider, shared, own, late = OwnProvider(), Read(), Read(), Read()
    relay = _relayed(provider, shared, own)
    provider.add_span_processor(shared)
    tracer = provider.get_tracer("test")

    tracer.start_span("first").end()
    relay.targets = (late,)
    tracer.start_span("second").end()

    names = [[span.name for span in one.ended] for one in (shared, own, late)]
    assert names == [["first", "second"], ["first"], ["second"]]
    assert [len(one.contexts) for one in (shared, own, late)] == [2, 1, 1]


@pytest.mark.parametrize("make", [OwnProvider, sdk_trace.TracerProvider])
def test_a_provider_that_calls_its_processors_at_the_same_time_is_left_to_it(
    make: Callable[..., sdk_trace.TracerProvider],
) -> None:
    """OpenTelemetry has a class for that: each span starts and ends once, for one that is added later too."""
    concurrent = sdk_trace.ConcurrentMultiSpanProcessor(2)
    provider, first, second = make(active_span_processor=concurrent, shutdown_on_exit=False), Read(), Read()
    provider.add_span_processor(first)
    tracer = tracer_of(provider, "test", "", Content())

    tracer.start_span("one").end()
    provider.add_span_processor(second)
    tracer.start_span("two").end()
    provider.shutdown()
    concurrent._executor.shutdown()

    assert [[span.name for span in one.ended] for one in (first, second)] == [["one", "two"], ["two"]]
    assert [len(one.contexts) for one in (first, second)] == [2, 1]


@pytest.mark.parametrize("kind", [sdk_trace.TracerProvider, OwnProvider])
def test_a_processor_that_is_added_while_a_span_is_open_is_told_of_its_end(
    kind: type[sdk_trace.TracerProvider],
) -> None:
    """As the SDK does."""
    provider = kind(shutdown_on_exit=False)
    exporters = [InMemorySpanExporter(), InMemorySpanExporter()]
    provider.add_span_processor(SimpleSpanProcessor(exporters[0]))
    span = provider.get_tracer("test").start_span("step")
    provider.add_span_processor(SimpleSpanProcessor(exporters[1]))
    span.end()

    assert [[span.name for span in exporter.get_finished_spans()] for exporter in exporters] == [["step"], ["step"]]


def test_processors_that_a_provider_has_not_yet_are_added_once_each() -> None:
    """Compared by what they are, not by what they say they equal."""

    class Equal(Read):
        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 0

    provider, there, new, newer = OwnProvider(), Equal(), Equal(), Equal()
    provider.add_span_processor(there)

    missing = not_in(provider, [new, there, newer, new])

    assert [id(one) for one in missing] == [id(new), id(newer)]
    assert [id(one) for one in not_in(object(), [there, there])] == [id(there)]


def test_a_switched_off_sdk_has_the_tracer_that_makes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's own, from our provider too."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    tracer = OwnProvider().get_tracer("test")

    assert type(tracer) is type(sdk_trace.TracerProvider(shutdown_on_exit=False).get_tracer("test"))
    assert not isinstance(tracer, sdk_trace.Tracer)


def test_ids_are_as_wide_as_they_are_said_to_be_and_never_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random ones of 128 and 64 bits, 1 where the random number is 0, and their contexts say that they are random."""
    generator = EntropyIdGenerator()
    traces = [generator.generate_trace_id() for _ in range(200)]
    spans = [generator.generate_span_id() for _ in range(200)]

    assert 2**120 < max(traces) < 2**128
    assert 2**56 < max(spans) < 2**64
    assert len({*traces, *spans}) == 400
    assert generator.is_trace_id_random()
    made = OwnProvider().get_tracer("test").start_span("step").get_span_context()
    assert made.trace_flags == TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID
    for module in (ids, tracer_module):
        monkeypatch.setattr(module, "random_bits", lambda bits: 0)
    nothing = OwnProvider().get_tracer("test").start_span("step").get_span_context()
    assert (nothing.trace_id, nothing.span_id) == (1, 1)
    assert (generator.generate_trace_id(), generator.generate_span_id()) == (1, 1)


def test_a_second_provider_of_ours_leaves_the_programs_where_it_is() -> None:
    """One that the program has set in the meantime stays, and OpenTelemetry warns of a third, as without us."""
    program = """
        import logging
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider
        from agentops_otel.tracing.global_provider import set_global, set_global_meters
        from agentops_otel.tracing.provider import OwnProvider

        said, replaced = [], []
        handler = logging.Handler()
        handler.emit = lambda record: said.append(record.getMessage())
        logging.getLogger("opentelemetry").addHandler(handler)
        theirs, meters = TracerProvider(shutdown_on_exit=False), MeterProvider(shutdown_on_exit=False)
        trace.set_tracer_provider(theirs)
        metrics.set_meter_provider(meters)
        set_global(OwnProvider(), replaced.append)
        set_global_meters(MeterProvider(shutdown_on_exit=False))
        trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
        metrics.set_meter_provider(MeterProvider(shutdown_on_exit=False))
        assert trace.get_tracer_provider() is theirs
        assert metrics.get_meter_provider() is meters
        assert (len(said), replaced) == (4, []), (said, replaced)
    """
    run(program)


def test_a_provider_of_ours_gives_way_once() -> None:
    """To the tracer and meter provider that the program sets; a further one is refused, as without us."""
    program = """
        import logging
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider
        from agentops_otel.tracing.global_provider import set_global, set_global_meters
        from agentops_otel.tracing.provider import OwnProvider

        said, replaced = [], []
        handler = logging.Handler()
        handler.emit = lambda record: said.append(record.getMessage())
        logging.getLogger("opentelemetry").addHandler(handler)
        theirs, meters = TracerProvider(shutdown_on_exit=False), MeterProvider(shutdown_on_exit=False)
        set_global(OwnProvider(), replaced.append)
        set_global_meters(MeterProvider(shutdown_on_exit=False))
        trace.set_tracer_provider(theirs)
        metrics.set_meter_provider(meters)
        assert (said, replaced) == ([], [theirs]), (said, replaced)
        trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
        metrics.set_meter_provider(MeterProvider(shutdown_on_exit=False))
        assert trace.get_tracer_provider() is theirs
        assert metrics.get_meter_provider() is meters
        assert (len(said), replaced) == (2, [theirs]), (said, replaced)
    """
    run(program)


@pytest.mark.parametrize("what", ["a provider of ours", "none of the SDK's"])
def test_a_provider_that_cannot_be_followed_is_said(what: str, caplog: pytest.LogCaptureFixture) -> None:
    """Our spans stay with ours."""
    provider = OwnProvider()
    tracer = provider.get_tracer("test")

    followed = provider.follow(OwnProvider() if what == "a provider of ours" else trace.NoOpTracerProvider())

    assert not followed
    assert provider.get_tracer("test") is tracer
    assert [record.getMessage() for record in caplog.records if record.name == "agentops_otel"] == [
        "spans of agentops_otel stay with its own provider: the new one is not the SDK's"
    ]


def test_tracers_follow_the_programs_provider_under_the_policy_of_their_scope() -> None:
    """Our own scope keeps the policy, for what we record; others' spans are then theirs alone."""
    provider, theirs, kept = OwnProvider(), sdk_trace.TracerProvider(shutdown_on_exit=False), Kept()
    provider.set_policy(Content())
    theirs.add_span_processor(kept)
    tracers = [provider.get_tracer(scope) for scope in (semconv.SCOPE, "strands")]

    assert provider.follow(theirs)
    for tracer in (*tracers, provider.get_tracer("late")):
        tracer.start_span("chat", attributes={semconv.GEN_AI_INPUT_MESSAGES: SECRET}).end()

    told = [(span.attributes or {})[semconv.GEN_AI_INPUT_MESSAGES] for span in kept.ended]
    assert told == ["[redacted]", SECRET, SECRET]
    assert type(provider.get_tracer("late")) is sdk_trace.Tracer


def test_a_policy_and_whom_to_trust_hold_for_tracers_that_there_are_and_for_later_ones() -> None:
    """Of a web framework's tracer both, of any other the policy."""
    provider = OwnProvider()
    early: list[Any] = [provider.get_tracer(scope) for scope in ("fastapi", "app")]
    policy = Content(enabled=False)

    provider.set_policy(policy, trusts_callers=False)

    tracers: list[Any] = [*early, *(provider.get_tracer(scope) for scope in ("starlette", "gradio", "other"))]
    assert [tracer.policy is policy for tracer in tracers] == [True] * 5
    trusting = [getattr(tracer, "trusts_callers", None) for tracer in tracers]
    assert trusting == [False, None, False, False, None]
    provider.set_policy(policy)
    assert [getattr(tracer, "trusts_callers", None) for tracer in tracers] == [True, None, True, True, None]


@pytest.mark.measured
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_a_provider_of_ours_has_another_instance_id_in_a_child_but_beside_greenlets() -> None:
    """The threads of gevent are greenlets: to wait for one would run all others in the child too."""
    program = """
        import os, sys, types
        from agentops_otel.tracing.provider import OwnProvider

        provider = OwnProvider()

        def instance():
            return provider.get_tracer("app").start_span("step").resource.attributes.get("service.instance.id")

        def changes(patched):
            if patched is not None:
                module = types.ModuleType("gevent.monkey")
                module.is_module_patched = {"threading": patched}.__getitem__
                sys.modules["gevent.monkey"] = module
            before = instance()
            if not (child := os.fork()):
                os._exit(instance() != before)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        print(changes(None), changes(False), changes(True))
    """
    assert run(program).stdout == "1 1 0\n"


def test_a_provider_that_is_made_while_the_interpreter_ends_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK asks in threads for a resource, of which none can be started then: the environment's is taken."""

    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=search,service.name=environment")
    monkeypatch.setattr(threading.Thread, "start", no_thread)

    names = [OwnProvider(name).resource.attributes for name in ("given", None)]

    assert [attributes["service.name"] for attributes in names] == ["given", "environment"]
    assert [attributes["team"] for attributes in names] == ["search", "search"]


def test_the_settings_of_a_provider_are_the_sdks() -> None:
    """A resource that is given counts, and nothing is shut down at exit but by whoever made it."""
    given, named = Resource({"service.name": "given"}), OwnProvider("named")

    assert OwnProvider("named", resource=given).resource is given
    assert named.resource.attributes["service.name"] == "named"
    assert isinstance(named.id_generator, EntropyIdGenerator)
    assert named._atexit_handler is None
    assert OwnProvider(shutdown_on_exit=True)._atexit_handler is not None


def test_only_what_the_program_added_is_shut_down_at_exit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is behind the relay is shut down with the client; one that fails keeps none of the others from it."""
    shut: list[str] = []

    class Named(SpanProcessor):
        def __init__(self, name: str) -> None:
            self.name = name

        def shutdown(self) -> None:
            shut.append(self.name)
            raise RuntimeError("a fault")

    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(guard, "_reported", set())  # each place is told once
    provider = OwnProvider()
    provider.add_span_processor(Named("first"))
    _relayed(provider, Named("relayed"))
    provider.add_span_processor(Named("last"))

    provider.shut_down_added()

    assert shut == ["first", "last"]
    assert "agentops_otel failed while shutting down a span processor" in caplog.text


def test_a_tracer_stays_as_it_is_where_the_new_provider_has_another_kind() -> None:
    """Its spans go on where they went."""

    class Quiet(sdk_trace.TracerProvider):
        """Has no tracers of the SDK's."""

        def get_tracer(self, *_: object, **__: object) -> trace.Tracer:
            """One that makes no spans."""
            return trace.NoOpTracer()

    provider, exporter = OwnProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("a library")

    assert provider.follow(Quiet(shutdown_on_exit=False))
    tracer.start_span("after").end()

    assert [span.name for span in exporter.get_finished_spans()] == ["after"]
