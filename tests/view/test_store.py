"""The store of `agentops-otel view`: what arrived is found again, by what it is and by what is in it."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from stat import S_IMODE
from typing import Any

import genai_prices
import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan

from agentops_otel.export import file, otlp_json
from agentops_otel.view.live import files
from agentops_otel.view.live.briefs import Briefs, Run
from agentops_otel.view.live.store import Store
from agentops_otel.view.live.totals import percentile
from agentops_otel.view.live.wanted import SORTS, Filter
from tests.view.spans import AGENT, CHAT, MS, START, TOOL, Trace, research


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store, at a time shortly after the spans of the tests."""
    made = Store(tmp_path / "made" / "view.sqlite3", otlp_json, clock=lambda: 0.0)
    yield made
    made.close()


def names(store: Store, **wanted: object) -> list[object]:
    """The names of the runs that pass a filter."""
    return [run["name"] for run in store.runs(Filter(**wanted))]  # type: ignore[arg-type]


def test_a_run_is_a_row_with_its_totals(store: Store) -> None:
    """What the list shows of a run is what the tree's totals are."""
    store.add(research())

    (run,) = store.runs(Filter())

    assert run == snapshot(
        {
            "trace": "00000000000000000000000000000001",
            "start": 1700000000000000000,
            "duration": 1240000000,
            "name": "invoke_workflow research",
            "service": "bot",
            "session": "",
            "spans": 4,
            "llm_calls": 1,
            "tools": 1,
            "input_tokens": 1200,
            "output_tokens": 180,
            "cached_tokens": None,
            "cost": 0.0048,
            "errors": 1,
            "tags": [],
            "models": ["gpt-4o-2024-08-06"],
            "tool_names": ["search"],
            "agents": [],
        }
    )


def test_a_run_has_its_spans_by_start(store: Store) -> None:
    """Times are text, since they are larger than JavaScript's numbers are exact."""
    spans = research()
    store.add(spans[2:])
    store.add(spans[:2])

    run = store.run(str(store.runs(Filter())[0]["trace"]))

    assert run is not None
    shown = run["spans"]
    assert isinstance(shown, list)
    assert len(shown) == len(spans)
    assert [span["start"] for span in shown] == sorted((span["start"] for span in shown), key=int)
    assert store.run("no such trace") is None
    assert set(shown[0]) == {
        *("id", "parent", "name", "role", "start", "end", "error", "message", "model", "cost", "attributes", "events"),
    }


def test_a_span_that_comes_twice_is_there_once(store: Store) -> None:
    """A delivery that was tried again counts nothing twice."""
    store.add(research())
    once = store.runs(Filter())
    store.add(research())

    assert store.runs(Filter()) == once


def some_runs(store: Store) -> None:
    """Three runs, a minute long, a second and ten milliseconds."""
    first, second, third = Trace(1), Trace(2), Trace(3)
    costly = {**CHAT, "agentops.usage.cost": 0.5, "gen_ai.usage.cache_read.input_tokens": 7}
    store.add([first.span("long", 0, 60_000, attributes={"agentops.tags": ("nightly", "db"), "session.id": "s1"})])
    store.add([second.span("chat gpt-4o", 1, 1001, attributes=costly)])
    failing = {"gen_ai.agent.name": "Planner", "gen_ai.tool.name": "search", "gen_ai.operation.name": "execute_tool"}
    store.add([third.span("short", 2, 12, attributes={**failing, "note": 'Oslo "in" rain*'}, error="ValueError: no")])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["short", "chat gpt-4o", "long"]),
        ({"sort": "duration"}, ["long", "chat gpt-4o", "short"]),
        ({"sort": "name", "ascending": True}, ["chat gpt-4o", "long", "short"]),
        ({"sort": "name; DROP TABLE runs"}, ["short", "chat gpt-4o", "long"]),
        ({"tag": "db"}, ["long"]),
        ({"model": "gpt-4o-2024-08-06"}, ["chat gpt-4o"]),
        ({"tool": "search"}, ["short"]),
        ({"agent": "Planner"}, ["short"]),
        ({"service": "bot"}, ["short", "chat gpt-4o", "long"]),
        ({"service": "other"}, []),
        ({"failed": True}, ["short"]),
        ({"slower_s": 1.0}, ["chat gpt-4o", "long"]),
        ({"dearer_usd": 0.4}, ["chat gpt-4o"]),
        ({"text": "oslo rain"}, ["short"]),
        ({"text": "osl"}, ["short"]),
        ({"text": "ValueError"}, ["short"]),
        ({"text": "nightly"}, ["long"]),
        ({"text": "oslo snow"}, []),
        ({"text": "oslo s-now"}, []),
        ({"text": "oslo\0rain"}, ["short"]),
        ({"text": '"in" OR NOT ) *'}, []),
        ({"text": "gpt-4o", "dearer_usd": 1.0}, []),
    ],
)
def test_runs_are_filtered_and_sorted(store: Store, wanted: dict[str, object], found: list[str]) -> None:
    """Each filter alone and together; what is searched for is words, never a query."""
    some_runs(store)

    assert names(store, **wanted) == found


COLUMNS = (
    *("start", "duration", "name", "service", "llm_calls", "tools", "input_tokens", "output_tokens", "cached_tokens"),
    *("cost", "errors"),
)


def test_a_person_can_choose_among_the_columns_of_the_page() -> None:
    """No other text comes into a query."""
    assert set(SORTS) == set(COLUMNS)


@pytest.mark.parametrize("sort", COLUMNS)
def test_runs_are_sorted_by_each_column_that_a_person_can_choose(store: Store, sort: str) -> None:
    """The largest first, or last; of equal ones the newest."""
    trace = Trace(2)
    more = trace.span("invoke_agent z", 1, 900, attributes=AGENT)
    usage = {**CHAT, "gen_ai.usage.cache_read.input_tokens": 9}
    below = [
        *(trace.span("chat", n, n + 1, under=more, attributes=usage) for n in (10, 20)),
        *(trace.span("execute_tool x", n, n + 1, under=more, attributes=TOOL, error=f"E: {n}") for n in (30, 40)),
    ]
    less = Trace(1).span("chat a", 0, 20, attributes={**CHAT, "gen_ai.usage.cache_read.input_tokens": 1}, error="E: 1")
    tool = Trace(1, count(7)).span("execute_tool y", 2, 3, attributes=TOOL)
    service = Resource({"service.name": "another"})
    alike = [Trace(n).span("b", n, n + 10) for n in (3, 4)]
    store.add([more, *below, less, tool, *(_of(service, one) for one in alike)])

    falling, rising = (store.runs(Filter(sort=sort, ascending=ascending)) for ascending in (False, True))

    values = [run[sort] for run in falling]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)  # type: ignore[type-var]  # numbers or texts
    assert [run[sort] for run in rising] == values[::-1]
    assert len(set(known)) > 1
    equal = [run["trace"] for run in falling if run["name"] == "b"]
    assert equal == [run["trace"] for run in rising if run["name"] == "b"] or sort == "start"
    assert equal == ["0" * 31 + "4", "0" * 31 + "3"]


def test_a_run_keeps_its_service_when_more_of_it_comes(store: Store) -> None:
    """It is added up anew from what is kept of its spans."""
    trace = Trace(1)
    root = trace.span("root")
    store.add([root])
    store.add([trace.span("step", under=root, attributes=TOOL)])

    assert [(run["service"], run["spans"]) for run in store.runs(Filter())] == [("bot", 2)]


def _of(resource: Resource, span: ReadableSpan) -> ReadableSpan:
    span._resource = resource
    return span


def test_the_page_is_told_all_of_a_span(store: Store) -> None:
    """Times as text; an error by its kind and its words; what is not known is null."""
    trace = Trace()
    root = trace.span("root", 0, 10, error="ValueError: no", events=[Event("seen", {"a": (1, 2)})])
    call = trace.span("chat", 1, 5, under=root, attributes={**CHAT, "gen_ai.response.finish_reasons": ("stop",)})
    store.add([call, root])

    run = store.run("0" * 31 + "1")

    assert run is not None
    assert run["spans"] == [
        {
            "id": "0000000000000001",
            "parent": None,
            "name": "root",
            "role": "other",
            "start": "1700000000000000000",
            "end": "1700000000010000000",
            "error": "ValueError: no",
            "message": "ValueError: no",
            "model": None,
            "cost": None,
            "attributes": {"error.type": "ValueError"},
            "events": [{"name": "seen", "attributes": {"a": (1, 2)}}],
        },
        {
            "id": "0000000000000002",
            "parent": "0000000000000001",
            "name": "chat",
            "role": "llm",
            "start": "1700000000001000000",
            "end": "1700000000005000000",
            "error": None,
            "message": None,
            "model": "gpt-4o-2024-08-06",
            "cost": pytest.approx(0.0048),
            "attributes": dict(CHAT),
            "events": [],
        },
    ]


def test_a_run_has_the_names_and_sums_of_all_its_spans(store: Store) -> None:
    """Each name once, in the order they came up; the first root names the run, its session and its service."""
    trace = Trace()
    tagged = {"session.id": "s1", "agentops.tags": ("a", "b")}
    root = trace.span("invoke_agent travel", 0, 90, attributes={**AGENT, **tagged})
    other = trace.span("invoke_agent cook", 1, 80, under=root, attributes={**AGENT, "gen_ai.agent.name": "cook"})
    cached = {**CHAT, "gen_ai.usage.cache_read.input_tokens": 7, "agentops.tags": ("b", "c")}
    calls = [
        trace.span("chat", 2, 3, under=other, attributes=cached),
        trace.span("chat", 4, 5, under=other, attributes={**cached, "gen_ai.response.model": "gpt-4o-mini"}),
        trace.span("chat", 6, 7, under=root, attributes=CHAT),
    ]
    tools = [
        trace.span("execute_tool x", 8, 9, under=root, attributes={**TOOL, "gen_ai.tool.name": name})
        for name in ("search", "open", "search")
    ]
    store.add([*tools, *calls, other, root])

    (run,) = store.runs(Filter())

    assert {name: run[name] for name in run if name not in ("trace", "start", "duration", "cost")} == {
        "name": "invoke_agent travel",
        "service": "bot",
        "session": "s1",
        "spans": 8,
        "llm_calls": 3,
        "tools": 3,
        "input_tokens": 3600,
        "output_tokens": 540,
        "cached_tokens": 14,
        "errors": 0,
        "tags": ["a", "b", "c"],
        "models": ["gpt-4o-2024-08-06", "gpt-4o-mini"],
        "tool_names": ["search", "open"],
        "agents": ["travel", "cook"],
    }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"since_s": START / 1e9}, ["second", "first"]),
        ({"since_s": START / 1e9 + 1}, ["second"]),
        ({"until_s": START / 1e9 + 1}, ["first"]),
        ({"until_s": START / 1e9}, []),
        ({"slower_s": 0.01}, ["second", "first"]),
        ({"slower_s": 0.02}, ["second"]),
        ({"dearer_usd": 0.5}, ["second", "first"]),
        ({"dearer_usd": 0.75}, ["second"]),
        ({"trace": "0" * 31 + "1"}, ["first"]),
        ({"trace": "0" * 31 + "1", "service": "bot"}, ["first"]),
        ({"failed": False}, ["second", "first"]),
    ],
)
def test_a_bound_takes_what_is_just_on_it(store: Store, wanted: dict[str, object], found: list[str]) -> None:
    """From a moment on, and before another; as slow and as dear as said."""
    paid = ({**CHAT, "agentops.usage.cost": cost} for cost in (0.5, 0.75))
    store.add([Trace(1).span("first", 0, 10, attributes=next(paid))])
    store.add([Trace(2).span("second", 1000, 1020, attributes=next(paid))])

    assert names(store, **wanted) == found


def test_a_run_is_kept_for_just_as_long_and_as_large_as_it_may_be() -> None:
    """A second or a byte more is too much."""
    now = [0.0]
    runs = [Trace(n).span(f"run {n}", n) for n in (1, 2)]
    size = sum(len(otlp_json.dumps([one])) for one in runs)
    kept = []
    for age_s, limit_bytes in ((10.0, size), (10.5, size), (10.0, size - 1)):
        now[0] = 0.0
        with closing(Store(None, otlp_json, limit_age_s=10.0, limit_bytes=limit_bytes, clock=lambda: now[0])) as store:
            store.add(runs[:1])
            now[0] = age_s
            store.add(runs[1:])
            kept.append(len(store.runs(Filter())))

    assert kept == [2, 1, 1]


def test_the_filters_can_be_set_to_what_is_there(store: Store) -> None:
    """Models, tools, agents, tags and services of all runs, each once."""
    some_runs(store)
    some_runs(store)

    assert store.choices() == {
        "tags": ["db", "nightly"],
        "models": ["gpt-4o-2024-08-06"],
        "tool_names": ["search"],
        "agents": ["Planner"],
        "services": ["bot"],
    }


def test_totals_are_by_day_model_tool_and_agent(store: Store) -> None:
    """A call's tokens and cost are also the agent's that made it; of nested calls the outer counts; filters hold."""
    for number, length in enumerate((100, 200, 900), 1):
        trace = Trace(number)
        agent = trace.span("invoke_agent a", 0, 1000, attributes={**AGENT, "gen_ai.agent.name": "a"})
        outer = trace.span("chat gpt-4o", 1, 1 + length, under=agent, attributes=CHAT)
        inner = trace.span("chat gpt-4o", 2, length, under=outer, attributes=CHAT)
        tool = trace.span("execute_tool search", 950, 960, under=agent, attributes=TOOL, error="E: x")
        store.add([agent, outer, inner, tool][: 4 if number > 1 else 3])
    found = {kind: [asdict(total) for total in totals] for kind, totals in store.totals(Filter()).items()}

    day = found["day"][0].pop("name")
    assert date.fromisoformat(day) - date(2023, 11, 14) <= timedelta(days=1)
    usage = {"input_tokens": 3600, "output_tokens": 540, "cost": 0.0144}
    second, none = 1000 * MS, {"input_tokens": None, "output_tokens": None, "cost": None}
    assert found == {
        "day": [{"calls": 3, "errors": 2, "p50": second, "p95": second, **usage}],
        "agent": [{"name": "a", "calls": 3, "errors": 0, "p50": second, "p95": second, **usage}],
        "model": [{"name": "gpt-4o-2024-08-06", "calls": 3, "errors": 0, "p50": 200 * MS, "p95": 900 * MS, **usage}],
        "tool": [{"name": "search", "calls": 2, "errors": 2, "p50": 10 * MS, "p95": 10 * MS, **none}],
    }
    assert [total.calls for total in store.totals(Filter(tool="search"))["model"]] == [2]
    assert store.totals(Filter(tool="none")) == {}


def test_the_usage_of_a_call_is_also_that_of_the_tool_and_of_the_agent_that_it_was_made_for(store: Store) -> None:
    """Each of them has all of it."""
    trace = Trace()
    agent = trace.span("invoke_agent travel", 0, 90, attributes=AGENT)
    tool = trace.span("execute_tool search", 1, 80, under=agent, attributes=TOOL)
    store.add([agent, tool, trace.span("chat", 2, 70, under=tool, attributes=CHAT)])

    found = store.totals(Filter())

    assert {kind: [total.input_tokens for total in found[kind]] for kind in ("agent", "tool", "model")} == {
        "agent": [1200],
        "tool": [1200],
        "model": [1200],
    }


def test_names_stand_in_the_order_in_which_they_came_up(store: Store) -> None:
    """By the start of their spans, wherever in the tree these are."""
    trace = Trace()
    root = trace.span("root", 0, 90)
    above = [trace.span("step", start, 90, under=root) for start in (1, 2)]
    tools = [
        trace.span("execute_tool x", start, 80, under=under, attributes={**TOOL, "gen_ai.tool.name": name})
        for name, start, under in (("second", 50, above[0]), ("first", 20, above[1]))
    ]
    store.add([root, *above, *tools])

    assert [run["tool_names"] for run in store.runs(Filter())] == [["first", "second"]]


def test_what_an_event_says_is_found(store: Store) -> None:
    """Each text of it; an event may have none."""
    events = [Event("empty"), Event("seen", {"said": ("snow in", "Oslo")})]
    store.add([Trace(1).span("with", events=events), Trace(2).span("without")])

    assert names(store, text="oslo snow") == ["with"]


def test_a_run_that_was_removed_begins_anew() -> None:
    """Its row counts what has come since."""
    now, trace = [0.0], Trace(1)
    with closing(Store(None, otlp_json, limit_age_s=10.0, clock=lambda: now[0])) as store:
        store.add([trace.span("before")])
        now[0] = 20.0
        store.add([Trace(2).span("another")])
        removed = names(store, trace="0" * 31 + "1")
        store.add([trace.span("after", 1)])
        runs = store.runs(Filter(trace="0" * 31 + "1"))

    assert removed == []
    assert [(run["name"], run["spans"]) for run in runs] == [("after", 1)]


@pytest.mark.parametrize(("part", "found"), [(0.5, 5), (0.95, 10), (0.0, 1), (1.0, 10)])
def test_a_percentile_is_one_of_the_values(part: float, found: int) -> None:
    """The nearest rank."""
    assert percentile(range(1, 11), part) == found


def test_a_file_of_an_older_layout_is_read(tmp_path: Path) -> None:
    """What follows from the spans is made anew, since it may have other columns."""
    path = tmp_path / "view.sqlite3"
    before = Store(path, otlp_json)
    before.add(research())
    rows, totals = before.runs(Filter()), before.totals(Filter())
    before.close()
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript("DROP TABLE runs; CREATE TABLE runs (trace TEXT PRIMARY KEY); PRAGMA user_version = 1")
    after = Store(path, otlp_json)

    assert (after.runs(Filter()), after.totals(Filter())) == (rows, totals)
    assert after.runs(Filter(text="page")) == rows
    after.close()


def test_the_folder_of_a_store_is_made(tmp_path: Path) -> None:
    """With those above it, and for the user alone."""
    path = tmp_path / "above" / "own" / "view.sqlite3"
    for _ in range(2):
        Store(path, otlp_json).close()

    assert S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    """The file has it all, and is the user's alone."""
    path = tmp_path / "view.sqlite3"
    before = Store(path, otlp_json, clock=lambda: 0.0)
    before.add(research())
    rows = before.runs(Filter())
    modes = {S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    before.close()
    after = Store(path, otlp_json, clock=lambda: 0.0)

    assert after.runs(Filter()) == rows
    assert [otlp_json.loads(line)[0].name for line in after.export(str(rows[0]["trace"]))] == [
        "execute_tool search",
        "chat gpt-4o",
        "plan",
        "invoke_workflow research",
    ]
    assert modes == {0o600}
    after.close()


class Counting:
    """OTLP JSON, and how often it was read."""

    read = 0

    def dumps(self, spans: Iterable[ReadableSpan]) -> bytes:
        """The bytes of spans."""
        return otlp_json.dumps(spans)

    def loads(self, line: bytes | str) -> list[ReadableSpan]:
        """The spans of bytes."""
        self.read += 1
        return otlp_json.loads(line)


def test_a_span_more_costs_no_second_look_at_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the run: it is read and priced alone; a run is read once after a restart, and never priced again."""
    priced, price = list[object](), genai_prices.calc_price

    def counted(*given: Any, **named: Any) -> object:
        priced.append(given)
        return price(*given, **named)

    monkeypatch.setattr(genai_prices, "calc_price", counted)
    path, codec, trace = tmp_path / "view.sqlite3", Counting(), Trace()
    root = trace.span("root", 0, 9000)
    unknown = {**CHAT, "gen_ai.response.model": "of nobody"}
    calls = [trace.span("chat", n, n + 1, under=root, attributes=unknown if n % 2 else CHAT) for n in range(200)]

    def work(done: Callable[[], object]) -> tuple[int, int]:
        priced.clear()
        codec.read = 0
        done()
        return codec.read, len(priced)

    before = Store(path, codec)
    work(lambda: before.add([root, *calls[:-3]]))
    added = [work(lambda: before.add(calls[-3:-2])), work(lambda: before.add(calls[-2:-1]))]
    opened = work(lambda: before.run("0" * 31 + "1"))
    before.close()
    after = Store(path, codec)
    listed = work(lambda: after.runs(Filter()))
    later = [work(lambda: after.add(calls[-1:])), work(lambda: after.add(calls[-1:]))]
    at_once = Store(None, otlp_json)
    at_once.add([root, *calls])

    assert (added, opened, listed, later) == ([(1, 1)] * 2, (200, 0), (0, 0), [(202, 1), (1, 1)])
    assert after.runs(Filter()) == at_once.runs(Filter())
    assert after.totals(Filter()) == at_once.totals(Filter())
    after.close()
    at_once.close()


def test_what_was_refused_counts_nothing_later(store: Store) -> None:
    """A delivery is kept as a whole or not at all."""
    trace = Trace()
    store.add([trace.span("a")])
    with pytest.raises(ValueError, match="no number of 64 bits"):
        store.add([trace.span("b"), trace.span("too long", end=1e13)])
    store.add([trace.span("c", 1, 20)])

    (run,) = store.runs(Filter())
    assert (run["spans"], run["duration"]) == (2, 20 * MS)


def test_the_runs_that_have_not_grown_for_long_are_read_again() -> None:
    """So many spans are held, and of one run as many as it has."""
    read = list[str]()

    def kept(trace: str) -> Run:
        read.append(trace)
        made = Run()
        for span in (Trace(int(trace)).span("a"), Trace(int(trace), count(2)).span("b")):
            made.add(span, None)
        return made

    held = Briefs(kept, limit_spans=5)
    for trace in "121312":
        held.run(trace)
    small = Briefs(kept, limit_spans=1)
    for trace in "9989":
        small.run(trace)

    assert "".join(read) == "12329" + "89"


def test_words_of_a_search_may_be_in_different_spans(store: Store) -> None:
    """Of one run; a word that a span had before it came again is found no more, and a sign is no word."""
    store.add([Trace().span("Oslo"), Trace(2).span("Oslo"), Trace(2, count(2)).span("rain, in the morning")])
    found = [len(names(store, text=text)) for text in ("oslo", "oslo rain", "oslo - rain", "rain snow", "-")]
    store.add([Trace(2).span("Rome")])

    assert found == [2, 1, 1, 0, 0]
    assert len(names(store, text="oslo")) == 1
    assert len(names(store, text="rome rain")) == 1


def test_the_oldest_runs_make_room(tmp_path: Path) -> None:
    """By size, and by age; of a run that goes nothing stays."""
    small = Store(tmp_path / "small.sqlite3", otlp_json, limit_bytes=2000, clock=lambda: 0.0)
    some_runs(small)
    times = iter(range(100))
    late = Store(tmp_path / "late.sqlite3", otlp_json, limit_age_s=3, clock=lambda: next(times))
    some_runs(late)

    assert names(small) == ["short", "chat gpt-4o"]
    assert names(small, text="long") == []
    assert names(late) == ["short", "chat gpt-4o"]
    assert small.run("0" * 31 + "1") is None
    small.close()
    late.close()


def test_text_that_no_database_takes_is_kept_as_far_as_it_can_be(store: Store) -> None:
    """A lone surrogate, a zero and an endless number cost themselves."""
    store.add([Trace().span("a\udcff\0b", attributes={"x": "\ud800 fine", "n": float("nan")})])

    assert names(store, text="fine") == ["a?\0b"]


def test_a_file_is_read_as_it_grows(store: Store, tmp_path: Path) -> None:
    """From where it was read to, a line only when it is whole; another file in its place from its beginning."""
    path, said = tmp_path / "t.jsonl", list[str]()

    def read() -> list[object]:
        files.read_on(path, store, file.read_from, said.append)
        return names(store, sort="name")

    first, second = (otlp_json.dumps([Trace(n).span(f"run {n}")]) for n in (1, 2))
    gone = read()
    path.write_bytes(first + b"\nno span\n" + second[:50])
    once = read()
    with path.open("ab") as more:
        more.write(second[50:])
    whole = read()
    path.rename(tmp_path / "old.jsonl")
    path.write_bytes(otlp_json.dumps([Trace(3).span("run 3"), Trace(4).span("too long", end=1e13)]) + b"\n")
    bad = (read(), read())[0]
    path.write_bytes(b"")

    assert (gone, once, whole, bad) == ([], ["run 1"], ["run 2", "run 1"], ["run 2", "run 1"])
    assert read() == bad
    assert len(said) == 2
    assert said[0].startswith(f"left out: {path} at byte {len(first) + 1}: ")
    assert said[1].startswith(f"left out: 2 spans of {path} ")


def test_who_waits_hears_of_a_change(store: Store) -> None:
    """A change that has happened already is no wait; closing ends every one."""
    heard: list[int] = []
    waiting = threading.Thread(target=lambda: heard.append(store.wait(0, 20.0)))
    waiting.start()
    store.add(research())
    waiting.join(20.0)

    assert heard == [1]
    assert store.wait(0, 0.0) == 1
    assert store.wait(1, 0.0) == 1
    waiting = threading.Thread(target=lambda: heard.append(store.wait(1, 60.0)), daemon=True)
    waiting.start()
    store.close()
    waiting.join(20.0)
    assert heard == [1, 1]


def test_a_file_of_many_lines_is_kept_in_parts(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part with the place up to which it has been read; none is read twice, and none is missing."""
    monkeypatch.setattr(files, "BATCH", 2)
    path, said = tmp_path / "t.jsonl", list[str]()
    lines = [otlp_json.dumps([Trace(n).span(f"run {n}")]) + b"\n" for n in range(1, 6)]
    path.write_bytes(b"".join(lines))

    for _ in range(2):
        files.read_on(path, store, file.read_from, said.append)

    # Each part that is added is a change: two, two and one.
    assert (store.wait(-1, 0.0), said) == (3, [])
    assert names(store, sort="name", ascending=True) == [f"run {n}" for n in range(1, 6)]
