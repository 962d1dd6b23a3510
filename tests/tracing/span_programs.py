"""Random programs of span operations, and the limits and samplers that they run under."""

from hypothesis import strategies as st
from opentelemetry.sdk.trace import SpanLimits, sampling
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

KEYS = st.sampled_from(["a", "b", "c", "d", "", "error.type"])
ATOMS = st.one_of(st.text(max_size=8), st.integers(), st.floats(allow_nan=False), st.booleans(), st.binary(max_size=4))
VALUES = st.recursive(
    ATOMS | st.none() | st.builds(object) | st.sampled_from([complex(1, 2), {1, 2}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=4)
STATUS = st.sampled_from([StatusCode.OK, StatusCode.ERROR, StatusCode.UNSET])
CONTEXTS = st.builds(
    SpanContext,
    st.sampled_from([0, 1, 2]),
    st.sampled_from([0, 7]),
    is_remote=st.booleans(),
    trace_flags=st.sampled_from([TraceFlags(0), TraceFlags(1), TraceFlags(3)]),
    trace_state=st.sampled_from([TraceState(), TraceState([("k", "v")])]),
)
LINKS = st.lists(st.builds(Link, CONTEXTS, ATTRIBUTES), max_size=3)
EXCEPTIONS = st.builds(
    lambda kind, text: kind(text), st.sampled_from([ValueError, KeyError, KeyboardInterrupt]), st.text(max_size=5)
)
OF_EXCEPTIONS = {name: st.booleans() for name in ("record_exception", "set_status_on_exception")}
FLAGS = st.fixed_dictionaries({**OF_EXCEPTIONS, "end_on_exit": st.booleans()})
CHILDREN = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(list(SpanKind)),
        "attributes": ATTRIBUTES,
        "start_time": st.none() | st.integers(0, 9),
        **OF_EXCEPTIONS,
    }
)

OPERATIONS = st.one_of(
    st.tuples(st.just("set_attribute"), KEYS, VALUES),
    st.tuples(st.just("set_attributes"), ATTRIBUTES),
    st.tuples(st.just("add_event"), st.text(max_size=5), st.none() | ATTRIBUTES, st.none() | st.integers(0, 9)),
    st.tuples(st.just("add_link"), CONTEXTS, st.none() | ATTRIBUTES),
    st.tuples(st.just("update_name"), st.text(max_size=5)),
    st.tuples(st.just("set_status"), STATUS, st.none() | st.text(max_size=5)),
    st.tuples(st.just("set_status"), st.builds(Status, STATUS, st.just("why")), st.none() | st.just("ignored")),
    st.tuples(st.just("record_exception"), EXCEPTIONS, st.none() | ATTRIBUTES, st.integers(0, 9), st.booleans()),
    st.tuples(st.just("start_child"), CHILDREN, LINKS),
    st.tuples(st.just("block"), FLAGS, ATTRIBUTES, st.none() | EXCEPTIONS),
    st.tuples(st.just("use"), FLAGS, st.none() | EXCEPTIONS),
    st.tuples(st.just("with"), CHILDREN, st.none() | EXCEPTIONS),
    st.tuples(st.just("start_below"), CONTEXTS, ATTRIBUTES),
    st.tuples(st.just("end"), st.sampled_from([0, 99])),
)
PROGRAMS = st.lists(st.tuples(st.integers(0, 3), OPERATIONS), max_size=12)


class Hostile:
    """Cannot be written as text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


HOSTILE = st.sampled_from([Hostile(), [Hostile()], {"inner": Hostile()}, {Hostile(): 1}])
HOSTILE_OPERATIONS = st.one_of(
    st.tuples(st.just("set_attribute"), KEYS, HOSTILE),
    st.tuples(st.just("add_event"), st.just("event"), st.fixed_dictionaries({"bad": HOSTILE}), st.just(1)),
    st.tuples(st.just("add_link"), CONTEXTS, st.fixed_dictionaries({"bad": HOSTILE})),
    st.tuples(st.just("record_exception"), st.builds(ValueError, st.builds(Hostile)), st.none(), st.just(1)),
)
HOSTILE_PROGRAMS = st.lists(st.tuples(st.integers(0, 3), OPERATIONS | HOSTILE_OPERATIONS), max_size=12)
LIMITS = st.builds(
    SpanLimits,
    max_span_attributes=st.sampled_from([None, 0, 1, 3]),
    max_events=st.sampled_from([None, 0, 2]),
    max_links=st.sampled_from([None, 0, 2]),
    max_event_attributes=st.sampled_from([None, 1]),
    max_span_attribute_length=st.sampled_from([None, 2]),
    max_attribute_length=st.sampled_from([None, 3]),
)
VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        f"OTEL_{name}_LIMIT": st.sampled_from(["", "0", "1", "3"])
        for name in (
            "ATTRIBUTE_COUNT",
            "ATTRIBUTE_VALUE_LENGTH",
            "SPAN_ATTRIBUTE_COUNT",
            "SPAN_ATTRIBUTE_VALUE_LENGTH",
            "SPAN_EVENT_COUNT",
            "SPAN_LINK_COUNT",
            "EVENT_ATTRIBUTE_COUNT",
            "LINK_ATTRIBUTE_COUNT",
        )
    },
)
SAMPLERS = st.sampled_from(
    [
        sampling.DEFAULT_ON,
        sampling.ALWAYS_ON,
        sampling.ALWAYS_OFF,
        sampling.ParentBased(sampling.TraceIdRatioBased(0.5)),
    ]
)
