"""Spans in one SQLite file, and a row about each run (trace): found again after a restart, searched by text.

It knows nothing of HTTP. How a span is written is the caller's: a codec turns spans into bytes and back.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel import semconv
from agentops_otel.view.cost import cost_of
from agentops_otel.view.format import model_of
from agentops_otel.view.tree import build, error_of, role, summarize, trace_id

LIMIT_BYTES = 512 * 1024 * 1024
"""What all spans may take; the oldest runs give way."""
LIMIT_AGE_S = 30 * 24 * 3600.0
"""How long a run is kept after its last span has arrived."""
PAGE_RUNS = 200
"""How many runs one answer has at most."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
    trace TEXT NOT NULL, span TEXT NOT NULL, start INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (trace, span)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    trace TEXT PRIMARY KEY, start INTEGER, duration INTEGER, name TEXT, service TEXT, session TEXT, spans INTEGER,
    llm_calls INTEGER, tools INTEGER, input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER, cost REAL,
    errors INTEGER, tags TEXT, models TEXT, tool_names TEXT, agents TEXT, arrived REAL, bytes INTEGER
);
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stamp TEXT);
CREATE INDEX IF NOT EXISTS runs_by_start ON runs (start);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (trace UNINDEXED, text);
"""
_OWN = ("bytes", "arrived")
"""Columns that are nobody else's business."""
LISTS = ("tags", "models", "tool_names", "agents")
"""Columns that hold several values."""
SORTS = (
    "start",
    "duration",
    "name",
    "service",
    "llm_calls",
    "tools",
    "input_tokens",
    "output_tokens",
    "cost",
    "errors",
)


class Codec(Protocol):
    """How spans are written."""

    def dumps(self, spans: Iterable[ReadableSpan]) -> bytes:
        """The bytes of spans."""

    def loads(self, line: bytes | str) -> list[ReadableSpan]:
        """The spans of bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which runs are wanted. What is None or empty excludes none."""

    text: str = ""
    """Words that all are somewhere in the run's names and content."""
    model: str = ""
    tool: str = ""
    agent: str = ""
    tag: str = ""
    service: str = ""
    failed: bool = False
    slower_s: float | None = None
    dearer_usd: float | None = None
    sort: str = "start"
    """One of `SORTS`."""
    ascending: bool = False


class Store:
    """The spans that arrived. Safe on many threads.

    Args:
        path: The file, of mode 0600; made, with its directory, if it is missing. None keeps all in memory.
        codec: How spans are written.
        limit_bytes: What all spans may take.
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
        self._changed = threading.Condition()
        self._version = 0
        self._closed = False
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.executescript(_SCHEMA)

    def add(self, spans: Sequence[ReadableSpan]) -> None:
        """Keep the spans; one that is known already replaces itself.

        Raises:
            ValueError: A time or a count of theirs is no number of 64 bits; none of them is kept.
        """
        with self._changed:
            try:
                self._write(spans)
            except OverflowError as error:
                raise ValueError("a time or a count is no number of 64 bits") from error
            self._version += 1
            self._changed.notify_all()

    def first_read(self, path: str, stamp: str) -> bool:
        """Whether a file has not been read yet, or has another stamp than then; it has from now on."""
        with self._changed, self._database:
            row = self._database.execute("SELECT stamp FROM files WHERE path = ?", (path,)).fetchone()
            self._database.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (path, stamp))
            return row is None or row["stamp"] != stamp

    def runs(self, wanted: Filter, *, limit: int | None = PAGE_RUNS) -> list[dict[str, object]]:
        """The runs that pass the filter, *limit* at most."""
        where, values = _conditions(wanted)
        order = wanted.sort if wanted.sort in SORTS else "start"
        direction = "ASC" if wanted.ascending else "DESC"
        most = -1 if limit is None else limit
        query = f"SELECT * FROM runs {where} ORDER BY {order} {direction}, start DESC LIMIT {most}"
        with self._changed:
            return [_run(row) for row in self._database.execute(query, values)]

    def run(self, trace: str) -> dict[str, object] | None:
        """One run, and under `spans` what the page shows of each span by start; None if it is not known."""
        with self._changed:
            row = self._database.execute("SELECT * FROM runs WHERE trace = ?", (trace,)).fetchone()
            spans = self._spans(trace)
        return None if row is None else {**_run(row), "spans": [_shown(span) for span in spans]}

    def choices(self) -> dict[str, list[str]]:
        """What the filters can be set to: the models, tools, agents, tags and services of all runs."""
        with self._changed:
            found = {
                name: f"SELECT DISTINCT value FROM runs, json_each(runs.{name}) ORDER BY value LIMIT 500"
                for name in LISTS
            }
            found["services"] = "SELECT DISTINCT service FROM runs ORDER BY service LIMIT 500"
            return {name: [row[0] for row in self._database.execute(query)] for name, query in found.items()}

    def export(self, trace: str) -> bytes:
        """The spans of a run as the codec writes them."""
        with self._changed:
            return self._codec.dumps(self._spans(trace))

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

    # All below is called with the lock held.

    def _write(self, spans: Sequence[ReadableSpan]) -> None:
        with self._database:
            for span in spans:
                self._insert(span)
            for trace in {trace_id(span) for span in spans}:
                self._summarize(trace)
            self._prune()

    def _insert(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is not None:
            values = (trace_id(span), f"{context.span_id:016x}", span.start_time or 0, self._codec.dumps([span]))
            self._database.execute("INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?)", values)

    def _spans(self, trace: str) -> list[ReadableSpan]:
        rows = self._database.execute("SELECT body FROM spans WHERE trace = ? ORDER BY start", (trace,))
        return [span for row in rows for span in self._codec.loads(row[0])]

    def _summarize(self, trace: str) -> None:
        """Write the run's row and its words anew."""
        spans = self._spans(trace)
        values = {"trace": trace, **_summary(spans), "arrived": self._clock()}
        size = "SELECT sum(length(body)) FROM spans WHERE trace = ?"
        values["bytes"] = self._database.execute(size, (trace,)).fetchone()[0]
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self._database.execute(f"INSERT OR REPLACE INTO runs ({names}) VALUES ({marks})", values)
        self._database.execute("DELETE FROM words WHERE trace = ?", (trace,))
        self._database.execute("INSERT INTO words VALUES (?, ?)", (trace, "\n".join(map(_words, spans))))

    def _prune(self) -> None:
        oldest_first = "SELECT trace, arrived, bytes FROM runs ORDER BY arrived, start"
        runs = self._database.execute(oldest_first).fetchall()
        too_much = sum(row["bytes"] for row in runs) - self._limit_bytes
        too_old = self._clock() - self._limit_age_s
        for row in runs:
            if too_much <= 0 and row["arrived"] >= too_old:
                break
            too_much -= row["bytes"]
            for table in ("spans", "runs", "words"):
                self._database.execute(f"DELETE FROM {table} WHERE trace = ?", (row["trace"],))


def _summary(spans: Sequence[ReadableSpan]) -> dict[str, object]:
    """The columns of a run: the first root names it."""
    roots = build(spans)
    first, total = roots[0].span, summarize(roots)
    attributes = [span.attributes or {} for span in spans]
    cached = [value[semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS] for value in attributes if _CACHED in value]
    return {
        "start": first.start_time or 0,
        "duration": total.duration_ns,
        "name": first.name,
        "service": str(first.resource.attributes.get(semconv.SERVICE_NAME, "")),
        "session": str((first.attributes or {}).get(semconv.SESSION_ID, "")),
        "spans": total.spans,
        "llm_calls": total.llm_calls,
        "tools": total.tools,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cached_tokens": sum(tokens for tokens in cached if isinstance(tokens, int)) if cached else None,
        "cost": total.cost_usd,
        "errors": total.errors,
        "tags": _json(tag for value in attributes for tag in _texts(value.get(semconv.AGENTOPS_TAGS))),
        "models": _json(model for span in spans if role(span) == "llm" and (model := model_of(span))),
        "tool_names": _json(str(value[semconv.GEN_AI_TOOL_NAME]) for value in attributes if _TOOL in value),
        "agents": _json(str(value[semconv.GEN_AI_AGENT_NAME]) for value in attributes if _AGENT in value),
    }


_CACHED, _TOOL, _AGENT = (
    semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    semconv.GEN_AI_TOOL_NAME,
    semconv.GEN_AI_AGENT_NAME,
)


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, tuple | list) else []


def _json(values: Iterable[str]) -> str:
    return orjson.dumps(list(dict.fromkeys(values))).decode()


def _run(row: sqlite3.Row) -> dict[str, object]:
    return {name: orjson.loads(row[name]) if name in LISTS else row[name] for name in row.keys() if name not in _OWN}  # noqa: SIM118 - a Row iterates over its values


def _shown(span: ReadableSpan) -> dict[str, object]:
    """What the page shows of a span; times in nanoseconds since the epoch, as text, since JavaScript rounds them."""
    context = span.get_span_context()
    return {
        "id": f"{context.span_id:016x}" if context else "",
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "role": role(span),
        "start": str(span.start_time or 0),
        "end": str(span.end_time or 0),
        "error": error_of(span),
        "message": span.status.description,
        "model": model_of(span),
        "cost": cost_of(span) if role(span) == "llm" else None,
        "attributes": dict(span.attributes or {}),
        "events": [{"name": event.name, "attributes": dict(event.attributes or {})} for event in span.events],
    }


def _words(span: ReadableSpan) -> str:
    """What a search finds a span by: its name, and every text in its attributes and events."""
    said = [span.attributes or {}, *(event.attributes or {} for event in span.events)]
    return "\n".join([span.name, *(value for one in said for value in one.values() if isinstance(value, str))])


def _conditions(wanted: Filter) -> tuple[str, Mapping[str, object]]:
    """The WHERE clause and its values."""
    found: dict[str, tuple[str, object]] = {}
    for column, value in (
        ("models", wanted.model),
        ("tool_names", wanted.tool),
        ("agents", wanted.agent),
        ("tags", wanted.tag),
    ):
        found[column] = (f"EXISTS (SELECT 1 FROM json_each(runs.{column}) WHERE value = :{column})", value)
    found["service"] = ("service = :service", wanted.service)
    found["failed"] = ("errors > 0 AND :failed", wanted.failed)
    found["slower"] = ("duration >= :slower * 1e9", wanted.slower_s)
    found["dearer"] = ("cost >= :dearer", wanted.dearer_usd)
    # Each word in quotes, so that none is taken for an operator of the search.
    words = " ".join('"' + word.replace('"', '""') + '"*' for word in wanted.text.replace("\0", " ").split())
    found["text"] = ("trace IN (SELECT trace FROM words WHERE words MATCH :text)", words)
    used = {name: pair for name, pair in found.items() if pair[1] not in (None, "", False)}
    clause = " AND ".join(condition for condition, _ in used.values())
    return f"WHERE {clause}" if clause else "", {name: value for name, (_, value) in used.items()}
