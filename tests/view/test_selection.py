"""Which traces `show` shows, in bounded memory."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view import selection
from agentops_otel.view.selection import Filter
from agentops_otel.view.tree import build
from tests.view.spans import START, Trace, research


def test_traces_are_given_before_all_is_read() -> None:
    """A file of any size is read with so many spans in memory."""
    read = 0

    def spans() -> Iterator[ReadableSpan]:
        nonlocal read
        for number in range(1, 10_001):
            trace = Trace(number)
            root = trace.span("root")
            for span in (trace.span("child", under=root), root):
                read += 1
                yield span

    given = selection.traces(spans(), held_spans=100)

    assert [root.span.name for root in next(given)] == ["root"]
    assert read <= 101
    assert sum(1 for _ in given) == 9_999


def test_a_trace_is_given_soon_after_its_root() -> None:
    """What ends after its root is waited for, a thousand spans long; the rest of the file is not."""
    trace = Trace(1)
    root = trace.span("root")
    late = trace.span("late", 5, 20, under=root)
    others = (Trace(number).span("other") for number in range(2, 10_000))
    given = selection.traces(chain([root], islice(others, 900), [late], others))

    assert [node.span.name for node in next(given)[0].walk()] == ["root", "late"]
    assert next(others).get_span_context().trace_id < 1200  # type: ignore[union-attr]


@pytest.mark.parametrize(("between", "pieces"), [(999, 1), (1000, 2)])
def test_a_span_may_come_a_thousand_spans_after_its_root(between: int, pieces: int) -> None:
    """One that comes later is shown by itself."""
    trace = Trace(1)
    root = trace.span("root")
    late = trace.span("late", 5, 20, under=root)
    others = [Trace(2 + n).span("other") for n in range(700 + between)]
    spans = [*others[:700], root, *others[700:], late]

    given = [[node.span.name for root in roots for node in root.walk()] for roots in selection.traces(spans)]

    assert [names for names in given if "other" not in names] == [["root", "late"], ["root"]][pieces - 1 : pieces] + [
        ["late"]
    ] * (pieces - 1)


def test_traces_are_given_in_the_order_in_which_their_last_roots_ended() -> None:
    """One of several roots is waited for from the last of them on."""
    first, second = Trace(1), Trace(2)
    others = [Trace(3 + n).span("other") for n in range(1100)]
    spans = [first.span("one"), second.span("between"), first.span("another"), *others]

    given = [[root.span.name for root in roots] for roots in selection.traces(spans)]

    assert given[:2] == [["between"], ["one", "another"]]


@pytest.mark.parametrize(("held", "pieces"), [(4, 1), (3, 2)])
def test_as_many_spans_are_held_as_may_be(held: int, pieces: int) -> None:
    """Of a trace whose root has not been read, too."""
    trace = Trace(1)
    root = trace.span("root")
    steps = [trace.span(f"step {n}", n, under=root) for n in range(5)]

    assert len(list(selection.traces(steps, held_spans=held))) == pieces


def test_a_trace_whose_spans_lie_apart_is_whole() -> None:
    """Traces that run side by side are put together."""
    first, second = research(), [Trace(2).span(f"step {number}", number) for number in range(4)]
    mixed = [span for pair in zip(first, second, strict=True) for span in pair]

    assert sorted(len(list(roots[0].walk())) for roots in selection.traces(mixed)) == [1, 4]


@pytest.mark.parametrize(
    ("only", "taken"),
    [
        (Filter(), True),
        (Filter(errors=True), True),
        (Filter(slow_s=1.24), True),
        (Filter(slow_s=1.2400001), False),
        (Filter(slow_s=1.3), False),
        (Filter(model="gpt-4o"), True),
        (Filter(model="claude"), False),
        (Filter(trace_id="0000"), True),
        (Filter(trace_id="1"), False),
        (Filter(since=datetime.fromtimestamp(START / 1e9, UTC)), True),
        (Filter(since=datetime.fromtimestamp(START / 1e9 + 0.000001, UTC)), False),
    ],
)
def test_a_filter_takes_a_trace_or_not(only: Filter, taken: bool) -> None:
    """Each condition on its own."""
    assert only.takes(build(research())) is taken


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10m", "2026-01-02T11:50:00+00:00"),
        ("1.5h", "2026-01-02T10:30:00+00:00"),
        ("90s", "2026-01-02T11:58:30+00:00"),
        ("2d", "2025-12-31T12:00:00+00:00"),
        ("2026-01-01", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T10:00:00+02:00"),
    ],
)
def test_a_point_in_time_is_said_in_two_ways(text: str, moment: str) -> None:
    """Before now, or as a date."""
    assert selection.since(text, datetime(2026, 1, 2, 12, tzinfo=UTC)).isoformat() == moment


def test_spans_whose_parent_never_ended_are_counted() -> None:
    """A run that was killed has them."""
    spans = research()

    assert selection.unfinished(build(spans)) == 0
    assert selection.unfinished(build(spans[:-1])) == 2
