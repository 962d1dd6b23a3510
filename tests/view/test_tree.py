"""Spans become one tree, whatever order, gaps and circles they come with."""

from dataclasses import astuple, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from agentops_otel.view.nested import nested
from agentops_otel.view.tree import Node, Summary, build, duration_ns, error_of, role, summarize, tokens, trace_id
from tests.view.spans import ACTION, CHAT, TOOL, Trace, research

Tree = dict[str, object]


def context(span_id: int) -> SpanContext:
    """A span's identity in the one trace."""
    return SpanContext(1, span_id + 1, is_remote=False)


def names(roots: list[Node]) -> Tree:
    """The names of a (shallow) tree, nested."""
    return {root.span.name: names(root.children) for root in roots}


def test_children_stand_under_their_parents_in_the_order_they_started() -> None:
    """Spans come in the order they ended and are shown in the order they started."""
    spans = research()

    assert names(build(spans)) == snapshot(
        {"invoke_workflow research": {"plan": {"chat gpt-4o": {}}, "execute_tool search": {}}}
    )


def test_traces_stand_side_by_side_though_their_span_ids_are_the_same() -> None:
    """A parent is looked for in its own trace only; roots stand in the order they started."""
    first, second = Trace(1), Trace(2)
    a, b = first.span("a", 5), second.span("b", 1)
    spans = [first.span("a1", 6, under=a), a, second.span("b1", 2, under=b), b]

    assert names(build(spans)) == snapshot({"b": {"b1": {}}, "a": {"a1": {}}})


def test_a_span_whose_parent_is_missing_is_a_root() -> None:
    """An orphan is shown, and what is under it stays under it."""
    trace = Trace()
    missing = trace.span("not here")
    orphan = trace.span("orphan", under=missing)

    assert names(build([trace.span("child", under=orphan), orphan])) == snapshot({"orphan": {"child": {}}})


def test_a_remote_parent_is_a_root_unless_its_span_is_there() -> None:
    """The file of two processes shows one tree; each process alone shows its own part."""
    trace = Trace()
    caller = trace.span("caller")
    served = trace.span("served", under=trace.context(1, is_remote=True))

    assert names(build([served])) == {"served": {}}
    assert names(build([served, caller])) == {"caller": {"served": {}}}


def test_a_span_given_twice_appears_once() -> None:
    """A retried batch does not double the tree."""
    spans = research()

    assert names(build([*spans, *spans])) == names(build(spans))


def test_spans_without_identity_are_roots() -> None:
    """A span that has no context is shown, each for itself."""
    spans = [ReadableSpan("a"), ReadableSpan("b")]

    assert names(build(spans)) == {"a": {}, "b": {}}
    assert trace_id(spans[0]) == "0" * 32


@pytest.mark.no_cover
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 3)), max_size=12))
def test_every_span_appears_once_whatever_the_parents_are(drawn: list[tuple[int, int, int]]) -> None:
    """Circles, orphans and doubles: the tree holds each span id exactly once."""
    spans = [
        ReadableSpan("s", context(own), context(parent - 1) if parent else None, start_time=start)
        for own, parent, start in drawn
    ]

    shown = [node.span.context.span_id for root in build(spans) for node in root.walk()]

    assert sorted(shown) == sorted({span.context.span_id for span in spans})


def test_a_summary_counts_what_a_tree_adds_up_to() -> None:
    """Calls, tokens, tools, actions, errors and the price of a whole run."""
    roots = build(research())

    assert summarize(roots) == snapshot(
        Summary(
            duration_ns=1240000000,
            spans=4,
            llm_calls=1,
            input_tokens=1200,
            output_tokens=180,
            tools=1,
            actions=1,
            errors=1,
            cost_usd=0.0048,
        )
    )


def test_nothing_adds_up_to_nothing() -> None:
    """No spans: zeros, and no price."""
    assert summarize([]) == Summary()


def test_the_totals_of_two_are_the_sums_of_each_number() -> None:
    """What only one of them knows is that of both."""
    numbers = [field.name for field in fields(Summary)]
    first, second = (Summary(**{name: n + step for n, name in enumerate(numbers)}) for step in (100, 7))

    assert astuple(first + second) == tuple(107 + 2 * n for n in range(len(numbers)))
    assert astuple(Summary() + second) == astuple(second)
    assert astuple(first + Summary()) == astuple(first)


@pytest.mark.parametrize(
    ("times", "duration"),
    [
        ([], 0),
        ([(3, None)], 0),
        ([(None, 3)], 0),
        ([(5, 3)], 0),
        ([(3, 5), (4, 9), (2, 2)], 7),
        ([(3, None), (None, 8)], 5),
        ([(None, None), (1, 2)], 1),
    ],
)
def test_a_duration_is_from_the_first_start_to_the_last_end(
    times: list[tuple[int | None, int | None]], duration: int
) -> None:
    """As far as they are known: a clock may have been set back, and a span of another library may have no end."""
    assert duration_ns([ReadableSpan("x", start_time=start, end_time=end) for start, end in times]) == duration


def test_a_call_within_a_call_counts_once() -> None:
    """A client built on another client does not double tokens and cost."""
    trace = Trace()
    outer = trace.span("chat gpt-4o", attributes=CHAT)
    inner = trace.span("chat gpt-4o", attributes=CHAT, under=outer)

    found = summarize(build([inner, outer]))

    assert (found.llm_calls, found.input_tokens) == (1, 1200)


def test_an_error_that_passes_through_parents_is_one_error() -> None:
    """A failure is counted where it came up; another failure of the parent is another one."""
    trace = Trace()
    root = trace.span("root", error="RuntimeError: given up")
    middle = trace.span("middle", error="ValueError: no", under=root)
    leaf = trace.span("leaf", error="ValueError: no", under=middle)

    assert summarize(build([root, middle, leaf])).errors == 2


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (CHAT, "llm"),
        ({"gen_ai.operation.name": "embeddings"}, "llm"),
        ({"gen_ai.operation.name": "execute_event_loop_cycle"}, "other"),
        ({"gen_ai.operation.name": "search_memory"}, "tool"),
        (TOOL, "tool"),
        (ACTION, "action"),
        ({"operation.name": "x"}, "action"),
        ({"http.request.method": "GET"}, "other"),
    ],
)
def test_the_role_of_a_span_is_read_from_its_attributes(attributes: dict[str, str], expected: str) -> None:
    """GenAI's operation first, then ours; a span of somebody else's is other."""
    assert role(Trace().span("x", attributes=attributes)) == expected


def test_tokens_that_are_no_numbers_are_not_tokens() -> None:
    """Foreign spans may hold anything."""
    span = Trace().span("x", attributes={"gen_ai.usage.input_tokens": "many", "gen_ai.usage.output_tokens": 3})

    assert tokens(span) == (None, 3)


@pytest.mark.parametrize(
    ("error", "expected"),
    [("ValueError: no", "ValueError: no"), ("ValueError", "ValueError"), (None, None)],
)
def test_the_error_says_its_kind_once(error: str | None, expected: str | None) -> None:
    """`error.type` and the status are one text."""
    assert error_of(Trace().span("x", error=error)) == expected


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("KeyError", "no such key", "KeyError: no such key"),
        ("KeyError", None, "KeyError"),
        (None, "no such key", "no such key"),
        (None, None, ""),
    ],
)
def test_the_error_of_another_library_is_told_as_far_as_it_is_known(
    kind: str | None, text: str | None, expected: str
) -> None:
    """Its kind before its words."""
    attributes = {"error.type": kind} if kind else {}

    assert error_of(ReadableSpan("x", attributes=attributes, status=Status(StatusCode.ERROR, text))) == expected


def test_a_nested_span_has_all_that_a_test_compares() -> None:
    """Kind, status, attributes, events and links where there are any; not what is new in each run."""
    trace = Trace()
    other = trace.context(0xAB)
    root = trace.span(
        "root",
        attributes={"session.id": "s", "tags": ("a", "b"), "n": 1},
        error="ValueError: no",
        kind=SpanKind.CLIENT,
        events=[Event("event", {"exception.stacktrace": "new", "b": (1,), "a": 2})],
        links=[Link(other)],
    )
    done = ReadableSpan("done", trace.context(7), root.get_span_context(), status=Status(StatusCode.OK), start_time=1)

    assert nested([done, root]) == [
        {
            "name": "root",
            "kind": "CLIENT",
            "status": "ERROR: ValueError: no",
            "attributes": {"error.type": "ValueError", "n": 1, "tags": ["a", "b"]},
            "events": [{"name": "event", "a": 2, "b": [1]}],
            "links": ["ab"],
            "children": [{"name": "done", "status": "OK"}],
        }
    ]
