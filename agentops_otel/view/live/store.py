"""Stores spans, and a row about each run (trace), in one SQLite file with a full-text index.

It knows nothing of HTTP. The caller's codec turns spans into bytes and back.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Protocol

import orjson
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view.live.briefs import Briefs, Run
from agentops_otel.view.live.facts import LISTS, call_cost, run_row, shown, span_id, steps, words
from agentops_otel.view.live.totals import Step, Total, totals
from agentops_otel.view.live.wanted import Filter
from agentops_otel.view.tree import build, trace_id

LIMIT_BYTES = 512 * 1024 * 1024
"""The most that all spans may take; beyond that the oldest runs are removed."""
LIMIT_AGE_S = 30 * 24 * 3600.0
"""Seconds that a run is kept after its last span has arrived."""
PAGE_RUNS = 2000
"""The most runs in one answer."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
    trace TEXT NOT NULL, span TEXT NOT NULL, start INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (trace, span)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    trace TEXT PRIMARY KEY, start INTEGER, duration INTEGER, name TEXT, service TEXT, session TEXT, spans INTEGER,
    llm_calls INTEGER, tools INTEGER, input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER, cost REAL,
    errors INTEGER, tags TEXT, models TEXT, tool_names TEXT, agents TEXT, arrived REAL, bytes INTEGER
);
CREATE TABLE IF NOT EXISTS steps (
    trace TEXT NOT NULL, kind TEXT, name TEXT, duration INTEGER, failed INTEGER, input_tokens INTEGER,
    output_tokens INTEGER, cost REAL
);
CREATE INDEX IF NOT EXISTS steps_by_trace ON steps (trace);
CREATE TABLE IF NOT EXISTS costs (number INTEGER PRIMARY KEY, trace TEXT, span TEXT, cost REAL, UNIQUE (trace, span));
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, place INTEGER);
CREATE INDEX IF NOT EXISTS runs_by_start ON runs (start);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (text);
"""
_STEP = tuple(field.name for field in fields(Step))
_PART_SPANS = 50
"""Spans that are read from the database at a time."""
_OWN = ("bytes", "arrived")
"""Columns that are not returned."""
_LAYOUT = 4
"""Version of the derived tables. In a database with another version they are built anew."""
_DERIVED = ("words", "costs", "steps", "runs", "files")


class Codec(Protocol):
    """Converts spans to bytes and back."""

    def dumps(self, spans: Iterable[ReadableSpan]) -> bytes:
        """The bytes of spans."""

    def loads(self, line: bytes | str) -> list[ReadableSpan]:
        """The spans of bytes."""


class Store:
    """The stored spans. Thread-safe.

    Args:
        path: The file, of mode 0600; made, with its directory, if it is missing. None keeps all in memory.
        codec: How spans are written.
        limit_bytes: The most that all spans may take.
        limit_age_s: How long a run is kept after its last span has arrived, in seconds.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        path: Path | None,
        codec: Codec,
        *,
        limit_bytes: int = LIMIT_BYTES,
        limit_age_s: float = LIMIT_AGE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._codec = codec
        self._limit_bytes = limit_bytes
        self._limit_age_s = limit_age_s
        self._clock = clock
        self._briefs = Briefs(self._read_run)
        self._changed = threading.Condition()
        self._version = 0
        self._closed = False
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._lay_out()

    def add(self, spans: Sequence[ReadableSpan], *, read_to: tuple[str, int] | None = None) -> None:
        """Store the spans. A span that is stored already is replaced.

        Args:
            spans: The spans.
            read_to: The file that they are from, and how far it has been read with them.

        Raises:
            ValueError: A time or a count of theirs is no number of 64 bits; none of them is kept.
        """
        with self._changed, ExitStack() as failed:
            failed.callback(self._briefs.clear)
            try:
                self._write(spans, read_to)
            except OverflowError as error:
                raise ValueError("a time or a count is no number of 64 bits") from error
            failed.pop_all()
            self._version += 1
            self._changed.notify_all()

    def read_to(self, path: str) -> int:
        """The offset up to which a file has been read, as `add` was given it."""
        with self._changed:
            row = self._database.execute("SELECT place FROM files WHERE path = ?", (path,)).fetchone()
            return 0 if row is None else int(row["place"])

    def runs(self, wanted: Filter, *, limit: int | None = PAGE_RUNS) -> list[dict[str, object]]:
        """The runs that pass the filter, *limit* at most."""
        where, values = wanted.conditions()
        query = f"SELECT * FROM runs {where} {wanted.order()} LIMIT {-1 if limit is None else limit}"
        with self._changed:
            return [_run(row) for row in self._database.execute(query, values)]

    def run(self, trace: str) -> dict[str, object] | None:
        """One run with its spans by start, as the page shows them; None if there is no such run."""
        runs = self.runs(Filter(trace=trace)) if trace else []
        return {**runs[0], "spans": list(self.spans(trace))} if runs else None

    def spans(self, trace: str) -> Iterator[dict[str, object]]:
        """The fields of each span of a run that the page shows, by start. A few are in memory at a time."""
        return (shown(*one) for one in self._loaded(self._bodies(trace)))

    def totals(self, wanted: Filter) -> dict[str, list[Total]]:
        """Totals of the runs that pass the filter, by `day` (local time), `model`, `tool` and `agent`."""
        where, values = wanted.conditions()
        columns = "duration, {} AS failed, {}.input_tokens, {}.output_tokens, {}.cost"
        of_runs = f"SELECT start, {columns.format('errors > 0', *['runs'] * 3)} FROM runs {where}"
        of_steps = f"SELECT * FROM steps WHERE trace IN (SELECT trace FROM runs {where})"
        with self._changed:
            runs = [dict(row) for row in self._database.execute(of_runs, values)]
            below = [dict(row) for row in self._database.execute(of_steps, values)]
        days = [Step(kind="day", name=day(row.pop("start")), **row) for row in runs]
        return totals([*days, *(Step(**{name: row[name] for name in row if name != "trace"}) for row in below)])

    def choices(self) -> dict[str, list[str]]:
        """The values of the filters: models, tools, agents, tags and services of all runs."""
        with self._changed:
            queries = {
                name: f"SELECT DISTINCT value FROM runs, json_each(runs.{name}) ORDER BY value LIMIT 500"
                for name in LISTS
            }
            queries["services"] = "SELECT DISTINCT service FROM runs ORDER BY service LIMIT 500"
            return {name: [row[0] for row in self._database.execute(query)] for name, query in queries.items()}

    def export(self, trace: str) -> Iterator[bytes]:
        """The spans of a run as the codec has written them, a line each; what began first comes last, as in a file."""
        return (bytes(row["body"]) + b"\n" for row in self._bodies(trace, "DESC"))

    def wait(self, since: int, timeout_s: float) -> int:
        """The number of changes so far, once there are more than *since*, or after the time, or when it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._version > since, timeout_s)
            return self._version

    def close(self) -> None:
        """Close the file, and end every `wait`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._database.close()

    def _bodies(self, trace: str, order: str = "ASC") -> Iterator[sqlite3.Row]:
        """The spans of a run as they are kept, with their costs; the lock is held for a few at a time."""
        with self._changed:
            rows = self._database.execute(f"SELECT span FROM spans WHERE trace = ? ORDER BY start {order}", (trace,))
            spans = [row["span"] for row in rows]
        for first in range(0, len(spans), _PART_SPANS):
            part = spans[first : first + _PART_SPANS]
            query = "SELECT body, cost FROM spans LEFT JOIN costs USING (trace, span) WHERE spans.trace = ?"
            query += f" AND spans.span IN ({', '.join('?' * len(part))}) ORDER BY start {order}"
            with self._changed:
                bodies = self._database.execute(query, (trace, *part)).fetchall()
            yield from bodies

    def _loaded(self, bodies: Iterable[sqlite3.Row]) -> Iterator[tuple[ReadableSpan, float | None]]:
        """The spans of the bodies, with the cost of each."""
        return ((span, row["cost"]) for row in bodies for span in self._codec.loads(row["body"]))

    # All below is called with the lock held.

    def _lay_out(self) -> None:
        if self._database.execute("PRAGMA user_version").fetchone()[0] != _LAYOUT:
            self._database.executescript("".join(f"DROP TABLE IF EXISTS {table};" for table in _DERIVED))
        self._database.executescript(f"{_SCHEMA}; PRAGMA user_version = {_LAYOUT}")
        with self._database:
            for row in self._database.execute(
                "SELECT DISTINCT trace FROM spans WHERE trace NOT IN (SELECT trace FROM runs)"
            ).fetchall():
                for span, _ in self._loaded(self._bodies(row["trace"])):
                    self._index(span)
                self._summarize(row["trace"])

    def _write(self, spans: Sequence[ReadableSpan], read_to: tuple[str, int] | None) -> None:
        with self._database:
            if read_to is not None:
                self._database.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", read_to)
            for span in spans:
                self._insert(span)
            for trace in {trace_id(span) for span in spans}:
                self._summarize(trace)
            self._prune()

    def _insert(self, span: ReadableSpan) -> None:
        if key := span_id(span):
            body = self._codec.dumps([span])
            values = (trace_id(span), key, span.start_time or 0, body)
            self._database.execute("INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?)", values)
            for kept in self._codec.loads(body):  # without what could not be written
                self._index(kept)

    def _index(self, span: ReadableSpan) -> None:
        """Keep what follows from this span alone: the cost of the call, and the words to find it by."""
        key, cost = (trace_id(span), span_id(span)), call_cost(span)
        known = self._database.execute("SELECT number FROM costs WHERE trace = ? AND span = ?", key).fetchone()
        if known is not None:
            self._database.execute("DELETE FROM words WHERE rowid = ?", (known["number"],))
        query = "INSERT OR REPLACE INTO costs (trace, span, cost) VALUES (?, ?, ?)"
        number = self._database.execute(query, (*key, cost)).lastrowid
        self._database.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, words(span)))
        self._briefs.add(span, cost)

    def _read_run(self, trace: str) -> Run:
        run = Run()
        for span, cost in self._loaded(self._bodies(trace)):
            run.add(span, cost)
        return run

    def _summarize(self, trace: str) -> None:
        """Write the run's row and its steps anew."""
        run = self._briefs.run(trace)
        roots = build(run.spans.values())
        made = steps(roots, run.costs)
        size = "SELECT sum(length(body)) FROM spans WHERE trace = ?"
        taken = self._database.execute(size, (trace,)).fetchone()[0]
        row = {"trace": trace, **run_row(roots, made), "arrived": self._clock(), "bytes": taken}
        for table in ("steps", "runs"):
            self._database.execute(f"DELETE FROM {table} WHERE trace = ?", (trace,))
        self._insert_rows("runs", [row])
        self._insert_rows("steps", [{"trace": trace, **{name: getattr(step, name) for name in _STEP}} for step in made])

    def _insert_rows(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        if rows:
            marks = ", ".join(f":{name}" for name in rows[0])
            self._database.executemany(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})", rows)

    def _forget(self, trace: str) -> None:
        """Remove the run and all that follows from it."""
        self._briefs.forget(trace)
        # By their numbers: in a table of words no other column is found without reading all of them.
        query = "DELETE FROM words WHERE rowid IN (SELECT number FROM costs WHERE trace = ?)"
        self._database.execute(query, (trace,))
        for table in ("costs", "steps", "runs", "spans"):
            self._database.execute(f"DELETE FROM {table} WHERE trace = ?", (trace,))

    def _prune(self) -> None:
        oldest_first = "SELECT trace, arrived, bytes FROM runs ORDER BY arrived, start"
        runs = self._database.execute(oldest_first).fetchall()
        too_much = sum(row["bytes"] for row in runs) - self._limit_bytes
        too_old = self._clock() - self._limit_age_s
        for row in runs:
            if too_much <= 0 and row["arrived"] >= too_old:
                break
            too_much -= row["bytes"]
            self._forget(row["trace"])


def _run(row: sqlite3.Row) -> dict[str, object]:
    return {name: orjson.loads(row[name]) if name in LISTS else row[name] for name in row.keys() if name not in _OWN}  # noqa: SIM118 - a Row iterates over its values


def day(start_ns: int) -> str:
    """The day on this machine, as `2026-01-31`."""
    return datetime.fromtimestamp(start_ns / 1e9).date().isoformat()
