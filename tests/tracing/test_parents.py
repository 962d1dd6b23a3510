"""Spans below those of web frameworks: whose trace they are in."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags

import agentops_otel
from agentops_otel import semconv, testing
from agentops_otel.export import file, otlp_json
from agentops_otel.export.encode import Encoder
from agentops_otel.tracing.parents import begins_own_trace
from agentops_otel.tracing.provider import OwnProvider
from tests.program import run

PROGRAM = """
from contextlib import nullcontext

import agentops_otel
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind

agentops_otel.init(console=False, trace_file="trace.jsonl")

@agentops_otel.record_action("act")
def act():
    pass

@agentops_otel.record_action("outer")
def outer():
    act()

def serve(scope, traceparent="", end=False, endpoint=False, **attributes):
    context = propagate.extract({"traceparent": traceparent})
    attributes = {name.replace("_", "."): value for name, value in attributes.items()}
    span = trace.get_tracer(scope).start_span("GET /", context=context, kind=SpanKind.SERVER, attributes=attributes)
    with trace.use_span(span, end_on_exit=not end):
        if end:
            span.end()
        with trace.get_tracer("fastapi").start_as_current_span("endpoint") if endpoint else nullcontext():
            outer()
"""
CALLER = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-"


def spans(tmp_path: Path, call: str, **variables: str) -> dict[str, ReadableSpan]:
    """The spans of a program that makes one call of `serve`, by name."""
    run(PROGRAM + call, expect=0, cwd=tmp_path, **variables)
    return {span.name: span for span in file.read(tmp_path / "trace.jsonl") if isinstance(span, ReadableSpan)}


def is_below_server(made: dict[str, ReadableSpan]) -> bool:
    """Whether ours is below the server's span; elsewhere it is the root of its own trace, with a link."""
    outer, act = made["outer"], made["act"]
    above = outer.get_span_context()
    assert act.parent is not None
    assert above is not None
    assert act.parent.span_id == above.span_id
    if outer.parent is None:
        assert len(outer.links) == 1
        return False
    assert not outer.links
    return True


@pytest.mark.parametrize("trusts", [True, False])
@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("trace_id", [0, 1])
def test_a_span_that_records_nothing_is_left_for_a_trace_of_ones_own_if_a_caller_may_have_chosen_that(
    trace_id: int, remote: bool, sampled: bool, trusts: bool
) -> None:
    """It is valid, of this process and not sampled, and who asked is not trusted."""
    context = SpanContext(trace_id, trace_id, is_remote=remote, trace_flags=TraceFlags(int(sampled)))

    own = begins_own_trace(NonRecordingSpan(context), trusts_callers=trusts)

    assert own == ((trace_id, remote, sampled, trusts) == (1, False, False, False))


@pytest.mark.parametrize(
    ("call", "below"),
    [
        ("serve('fastapi')", True),
        ("serve('fastapi', end=True)", False),
        ("serve('fastapi', url_scheme='ws')", False),
        ("serve('fastapi', endpoint=True)", True),
        ("serve('fastapi', endpoint=True, url_scheme='ws')", False),
        ("serve('opentelemetry.instrumentation.asgi', http_scheme='wss')", False),
        ("serve('fastapi', endpoint=True, network_protocol_name='websocket')", False),
        (f"serve('opentelemetry.instrumentation.asgi', '{CALLER}01')", True),
    ],
)
def test_a_span_is_below_the_request_that_it_belongs_to(tmp_path: Path, call: str, below: bool) -> None:
    """Not below one that has ended, nor below a websocket."""
    assert is_below_server(spans(tmp_path, call)) is below


@pytest.mark.measured
@pytest.mark.parametrize("endpoint", [False, True])
@pytest.mark.parametrize("flag", ["00", "01"])
def test_an_unknown_caller_neither_hides_a_call_nor_chooses_its_trace(
    tmp_path: Path, flag: str, *, endpoint: bool
) -> None:
    """The request and what it calls are a trace of their own, and the request's span is linked with the caller's."""
    made = spans(tmp_path, f"serve('fastapi', '{CALLER}{flag}', endpoint={endpoint})")

    server = made["GET /"]
    context = server.get_span_context()
    assert is_below_server(made)
    assert context is not None
    assert server.parent is None
    assert [f"{link.context.trace_id:032x}" for link in server.links] == [CALLER[3:35]]
    assert {span.context.trace_id for span in made.values()} == {context.trace_id}
    assert f"{context.trace_id:032x}" != CALLER[3:35]


@pytest.mark.parametrize(
    "variables", [{"AGENTOPS_TRUST_CALLERS": "true"}, {"OTEL_TRACES_SAMPLER": "parentbased_always_on"}]
)
def test_callers_can_be_trusted(tmp_path: Path, variables: dict[str, str]) -> None:
    """With the switch, or a sampler of the user's own, the caller's trace and flag are followed."""
    made = spans(tmp_path, f"serve('fastapi', '{CALLER}01', endpoint=True)", **variables)
    assert is_below_server(made)
    assert f"{made['act'].context.trace_id:032x}" == CALLER[3:35]
    (tmp_path / "trace.jsonl").unlink()
    run(PROGRAM + f"serve('fastapi', '{CALLER}00')", expect=0, cwd=tmp_path, **variables)
    assert not (tmp_path / "trace.jsonl").exists()


HEADERS = st.text(max_size=80) | st.binary(max_size=80).map(lambda said: said.decode("latin-1"))
PARENTS = HEADERS | st.builds(
    "{}-{}-{}-{}".format,
    st.sampled_from(["00", "01", "ff", "0"]),
    st.sampled_from([CALLER[3:35], "0" * 32, "g" * 32, "0af7"]),
    st.sampled_from([CALLER[36:52], "0" * 16, "\u0661" * 16, "00f0"]),
    st.sampled_from(["00", "01", "ff", "03", "", "01-more"]),
)
STATES = HEADERS | st.lists(st.tuples(st.text(max_size=10), st.text(max_size=10)).map("=".join), max_size=40).map(
    ",".join
)


@pytest.mark.no_cover
@given(
    parent=PARENTS | st.lists(PARENTS, max_size=2),
    state=STATES | st.lists(STATES, max_size=3),
    baggage=STATES | st.lists(STATES, max_size=3),
)
def test_any_headers_of_a_caller_cost_no_span(
    parent: str | list[str], state: str | list[str], baggage: str | list[str]
) -> None:
    """traceparent, tracestate and baggage as OpenTelemetry reads them: the spans are sent, and can be read again."""
    headers = {"traceparent": parent, "tracestate": state, "baggage": baggage}
    caller = propagate.extract(headers)
    with testing.capture() as captured:

        @agentops_otel.record_action("act")
        def act() -> str:
            return "done"

        with trace.get_tracer("fastapi").start_as_current_span("GET /", context=caller, kind=SpanKind.SERVER):
            assert act() == "done"

    names = [span.name for span in captured.spans]
    assert names == ["act", "GET /"] or not sampled(caller)
    request = ExportTraceServiceRequest.FromString(Encoder().batch(captured.spans).body)
    sent = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert [span.name for span in sent] == names
    assert [span.name for span in otlp_json.loads(otlp_json.dumps(captured.spans))] == names


def sampled(caller: Context) -> bool:
    """Whether the caller says nothing, or that its callees record; elsewhere it depends on who trusts it."""
    context = trace.get_current_span(caller).get_span_context()
    return not context.is_valid or context.trace_flags.sampled


REMOTE = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))


def request(
    scope: str, kind: SpanKind, attributes: Mapping[str, str] = MappingProxyType({}), *, remote: bool
) -> tuple[OwnProvider, ReadableSpan]:
    """A provider of ours, and the span of a request on it."""
    provider = OwnProvider()
    context = trace.set_span_in_context(NonRecordingSpan(REMOTE), Context()) if remote else Context()
    named = {name.replace("_", "."): value for name, value in attributes.items()}
    span = provider.get_tracer(scope).start_span("GET /", context, kind, named)
    assert isinstance(span, ReadableSpan)
    return provider, span


@pytest.mark.parametrize("scope", ["fastapi", "gradio", "starlette", "opentelemetry.instrumentation.asgi"])
@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.INTERNAL])
@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("trusts", [True, False])
def test_a_request_of_an_unknown_caller_is_left_where_a_framework_traces_by_itself(
    scope: str, kind: SpanKind, *, remote: bool, trusts: bool
) -> None:
    """Installing an instrumentation is consent; so is to trust the callers."""
    _, span = request(scope, kind, remote=remote)

    own = begins_own_trace(span, trusts_callers=trusts)  # type: ignore[arg-type]  # a span is both

    assert own == (scope in {"fastapi", "gradio", "starlette"} and kind is SpanKind.SERVER and remote and not trusts)


@pytest.mark.parametrize(
    ("attributes", "own"),
    [
        *(({name: scheme}, True) for name in ("url_scheme", "http_scheme") for scheme in ("ws", "wss")),
        *(({name: scheme}, False) for name in ("url_scheme", "http_scheme") for scheme in ("http", "https", "w")),
        ({"url_scheme": "https", "http_scheme": "ws"}, False),
        ({"network_protocol_name": "websocket"}, True),
        ({"network_protocol_name": "http"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_what_a_websocket_asks_for_is_a_trace_of_its_own(attributes: dict[str, str], depth: int, *, own: bool) -> None:
    """It may be open for days; so are the spans that the framework makes below it."""
    provider, span = request("fastapi", SpanKind.SERVER, attributes, remote=False)
    for number in range(depth):
        context = trace.set_span_in_context(span, Context())  # type: ignore[arg-type]  # as above
        span = provider.get_tracer("fastapi").start_span(f"step {number}", context)  # type: ignore[assignment]

    assert begins_own_trace(span, trusts_callers=True) is own  # type: ignore[arg-type]


def test_a_span_that_has_ended_is_left_if_it_is_not_ours() -> None:
    """Its context lives on in a queue; ours are left by who started them. One that no tracer made says nothing."""
    ends = {}
    for scope in (semconv.SCOPE, "app"):
        _, span = request(scope, SpanKind.INTERNAL, remote=False)
        before = begins_own_trace(span, trusts_callers=True)  # type: ignore[arg-type]
        span.end()  # type: ignore[attr-defined]  # as above
        ends[scope] = before, begins_own_trace(span, trusts_callers=True)  # type: ignore[arg-type]
    bare = ReadableSpan("bare", start_time=1, end_time=2)

    assert ends == {semconv.SCOPE: (False, False), "app": (False, True)}
    assert not begins_own_trace(bare, trusts_callers=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("trusts", [True, False])
@pytest.mark.parametrize("remote", [True, False])
def test_the_span_of_a_request_keeps_what_the_framework_gives_it(*, remote: bool, trusts: bool) -> None:
    """Its links, kind, attributes and times; of an unknown caller it is a root, with a link to the caller's besides."""
    provider = OwnProvider()
    provider.set_policy(None, trusts_callers=trusts)
    theirs, link = Context({"mine": 1}), Link(SpanContext(3, 4, is_remote=True))
    caller = SpanContext(1, 2, is_remote=remote, trace_flags=TraceFlags(1))
    context = trace.set_span_in_context(NonRecordingSpan(caller), theirs)

    tracer = provider.get_tracer("fastapi")
    span = tracer.start_span("GET /", context, SpanKind.SERVER, {"a": 1}, [link], start_time=5, record_exception=False)
    bare = tracer.start_span("GET /", context, links=None)
    with pytest.raises(ValueError, match="no"), span:
        raise ValueError("no")

    assert isinstance(span, ReadableSpan)
    assert isinstance(bare, ReadableSpan)
    is_left = remote and not trusts
    assert (span.kind, dict(span.attributes or {}), span.start_time, span.events) == (SpanKind.SERVER, {"a": 1}, 5, ())
    assert [each.context.span_id for each in span.links] == [4, 2][: 1 + is_left]
    assert [each.context.span_id for each in bare.links] == [2][:is_left]
    assert (span.parent and span.parent.span_id) == (None if is_left else 2)
