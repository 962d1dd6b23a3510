"""Spans below those of web frameworks: whose trace they are in."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

import agentops_otel
from agentops_otel import testing
from agentops_otel.export import file, otlp_json
from agentops_otel.export.encode import Encoder
from agentops_otel.tracing.parents import begins_own_trace
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
