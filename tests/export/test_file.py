"""The trace file: what stock readers of OTLP read, kept for the user alone."""

import base64
import json
import logging
import math
import multiprocessing
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, Parse
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from agentops_otel.config import Config
from agentops_otel.export.file import LINE_BYTES, FileExporter, read
from agentops_otel.export.otlp_json import dumps, loads
from agentops_otel.export.trace_directory import KEEP, default_path, latest_run, next_part, prune, trace_files
from tests.export.delivery import running
from tests.program import ROOT
from tests.python_process import Python
from tests.stock_encoder import complete_stock_encoder
from tests.view.spans import CHAT, RESOURCE, START, Trace, over_its_limits, research

VALUES: Mapping[str, Any] = {
    "text": "Grüße \u2028 \x00 😀",
    "empty": "",
    "yes": True,
    "no": False,
    "int": 2**63 - 1,
    "least": -(2**63),
    "zero": 0,
    "float": 0.1,
    "whole": 2.0,
    "bytes": b"\x00\xff",
    "list": ("a", "b"),
    "none": (),
    "mixed": [1, "a", None, {"deep": [True, {}]}],
    "map": {"a": 1, "b": {"c": b"d"}},
}


def rich_span() -> ReadableSpan:
    """A span that uses every field of OTLP."""
    trace = Trace(0xABC)
    parent = trace.context(99, is_remote=True)
    return trace.span(
        "chat gpt-4o",
        under=parent,
        attributes={**CHAT, **VALUES},
        error="ValueError: no",
        events=[Event("exception", {"exception.type": "ValueError"}, START + 5), Event("bare", timestamp=START)],
        links=[Link(Trace(7).context(8), {"why": "retry"}), Link(trace.context(9, is_remote=True))],
    )


def by(scope: InstrumentationScope | None) -> ReadableSpan:
    """A span that the scope has made; None: nobody says who."""
    context = Trace().context(1)
    return ReadableSpan("x", context, resource=RESOURCE, start_time=START, end_time=START, instrumentation_scope=scope)


STATED = ReadableSpan(
    "x",
    SpanContext(1, 2, False, TraceFlags(1), TraceState([("a", "b"), ("c", "d")])),
    resource=RESOURCE,
    start_time=START,
    end_time=START,
)
NAMED = by(InstrumentationScope("theirs", "2", "https://theirs.test/1", {"team": "a", "n": 3}))


def as_stock(spans: list[ReadableSpan]) -> dict[str, Any]:
    """What protobuf's own JSON says of the stock encoder's message, with the ids in hex as OTLP wants them."""

    def in_hex(value: Any) -> Any:
        if isinstance(value, list):
            return [in_hex(item) for item in value]
        if not isinstance(value, dict):
            return value
        ids = ("traceId", "spanId", "parentSpanId")
        return {key: base64.b64decode(item).hex() if key in ids else in_hex(item) for key, item in value.items()}

    answer = in_hex(MessageToDict(encode_spans(spans), use_integers_for_enums=True))
    assert isinstance(answer, dict)
    return answer


@complete_stock_encoder
@pytest.mark.parametrize(
    "spans", [research(), [rich_span()], [Trace().span("bare")], [by(None)], [NAMED], [STATED], [over_its_limits()]]
)
def test_a_line_is_field_for_field_what_protobuf_says(spans: list[ReadableSpan]) -> None:
    """The JSON equals that of the stock encoder's message, but for the ids, which are hex."""
    assert json.loads(dumps(spans)) == as_stock(spans)


@pytest.mark.parametrize("spans", [research(), [rich_span()], [Trace().span("bare")], [NAMED], [STATED]])
def test_what_is_read_back_writes_the_same_line(spans: list[ReadableSpan]) -> None:
    """Nothing is lost between a file and the spans read from it, but how much the SDK had dropped."""
    line = dumps(spans)

    assert json.loads(dumps(loads(line))) == json.loads(line)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (2**63, str(2**63)),
        pytest.param(10**5000, "an integer of 16610 bits", id="huge"),
        (object(), None),
        ("a\udcffb", "a?b"),
        ({"\udcff": 1}, {"?": 1}),
        ((1, 2**70, object()), (1, str(2**70), None)),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
    ],
)
def test_what_json_cannot_hold_costs_at_most_itself(value: Any, kept: Any) -> None:
    """Lone surrogates, huge integers and unknown types leave the rest of the line as it was."""
    span = Trace().span("x", attributes={"odd": value, "good": "yes"})

    line = dumps([span, Trace().span("other")])

    attributes = loads(line)[0].attributes
    assert attributes == ({"good": "yes"} if kept is None else {"odd": kept, "good": "yes"})
    assert [span.name for span in loads(line)] == ["x", "other"]
    Parse(line, TracesData())


def test_not_a_number_is_written_as_protobuf_writes_it() -> None:
    """NaN, which JSON lacks, is a string."""
    span = Trace().span("x", attributes={"odd": math.nan})

    assert b'{"doubleValue":"NaN"}' in dumps([span])


def test_a_value_without_end_is_left_out() -> None:
    """A list that holds itself ends somewhere."""
    endless: list[Any] = [1]
    endless.append(endless)
    span = Trace().span("x", attributes={"odd": endless, "good": "yes"})

    assert (loads(dumps([span]))[0].attributes or {})["good"] == "yes"


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"null", b'{"resourceMetrics": []}', b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}'],
)
def test_a_line_of_something_else_is_a_value_error(line: bytes) -> None:
    """Half lines, other JSON and other signals are one kind of error."""
    with pytest.raises(ValueError, match="not a line of OTLP JSON traces"):
        loads(line)


def test_what_a_line_leaves_out_is_what_the_protocol_says() -> None:
    """Of a span nobody needs more than its ids and its start; events and links are as short."""
    line = """{"resourceSpans": [
        {"scopeSpans": [{"spans": [{"traceId": "0a", "spanId": "0b", "startTimeUnixNano": 5, "events": [{}],
         "links": [{"traceId": "0c", "spanId": "0d"}, {"traceId": "0c", "spanId": "0e", "flags": 768}],
         "status": {"message": "fine"}}, {"traceId": "0a", "spanId": "0b", "startTimeUnixNano": 6,
         "parentSpanId": "0f", "traceState": "a=b", "kind": 3, "flags": 512, "status": {"code": 2}}]}, {}]}, {}]}"""

    bare, child = loads(line)
    assert bare.context is not None
    assert child.parent is not None

    assert (bare.name, bare.kind, bare.parent, bare.end_time) == ("", SpanKind.INTERNAL, None, None)
    assert (bare.context.trace_id, bare.context.span_id, bare.context.trace_flags) == (10, 11, TraceFlags.SAMPLED)
    assert (bare.context.is_remote, dict(bare.context.trace_state)) == (False, {})
    assert (bare.status.status_code, bare.status.description) == (StatusCode.UNSET, None)
    assert [(event.name, event.timestamp, event.attributes) for event in bare.events] == [("", 0, {})]
    assert [(link.context.span_id, link.context.is_remote) for link in bare.links] == [(13, False), (14, True)]
    assert (bare.resource.attributes, bare.resource.schema_url) == ({}, "")
    assert bare.instrumentation_scope == InstrumentationScope("", None, None, {})
    assert (child.kind, child.status.status_code, child.status.description) == (SpanKind.CLIENT, StatusCode.ERROR, None)
    assert (child.parent.span_id, child.parent.is_remote, dict(child.parent.trace_state)) == (15, True, {"a": "b"})


def test_a_line_of_the_collector_is_read() -> None:
    """Fields that say nothing may be missing or spelled out, and int64 may be a number."""
    line = """{"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [
        {"traceId": "0000000000000000000000000000000a", "spanId": "000000000000000b", "parentSpanId": "", "name": "x",
         "kind": 0, "startTimeUnixNano": 5, "endTimeUnixNano": "9", "status": {"code": 1, "message": "fine"},
         "attributes": [{"key": "n", "value": {"intValue": 3}}, {"key": "nothing"}]}]}]}]}"""

    (span,) = loads(line)

    assert (span.parent, span.start_time, span.end_time, span.status.is_ok) == (None, 5, 9, True)
    assert span.attributes == {"n": 3, "nothing": None}


def test_the_file_holds_a_line_a_batch_for_the_user_alone(tmp_path: Path) -> None:
    """File 0600, directory 0700, both made at the first span and not before."""
    exporter = FileExporter(tmp_path / "state" / "traces" / "t.jsonl")
    assert not (tmp_path / "state").exists()

    results = [exporter.export([]), exporter.export(research()), exporter.export([rich_span()])]
    exporter.force_flush()
    exporter.shutdown()

    assert results == [SpanExportResult.SUCCESS] * 3
    assert len(exporter.path.read_bytes().splitlines()) == 2
    assert [span.name for span in read(exporter.path) if isinstance(span, ReadableSpan)] == [
        "chat gpt-4o",
        "plan",
        "execute_tool search",
        "invoke_workflow research",
        "chat gpt-4o",
    ]
    assert stat.S_IMODE(exporter.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(exporter.path.parent.stat().st_mode) == 0o700


def test_no_line_is_too_long_for_the_collectors_receiver(tmp_path: Path) -> None:
    """A batch of more than a megabyte is several lines; a span that is larger alone stays whole."""
    spans = [Trace().span(f"{number}", attributes={"text": "x" * 300_000}) for number in range(7)]
    alone = Trace().span("alone", attributes={"text": "x" * 2_000_000})
    exporter = FileExporter(tmp_path / "t.jsonl")

    exporter.export([*spans, alone])

    lengths = [len(line) for line in exporter.path.read_bytes().splitlines(keepends=True)]
    assert [length <= LINE_BYTES for length in lengths] == [True] * (len(lengths) - 1) + [False]
    assert [span.name for span in read(exporter.path) if isinstance(span, ReadableSpan)] == [*"0123456", "alone"]


def test_a_path_is_what_it_was_when_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that changes its directory does not scatter its trace."""
    monkeypatch.chdir(tmp_path)
    exporter = FileExporter(Path("t.jsonl"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    exporter.export(research())

    assert (tmp_path / "t.jsonl").is_file()


def test_a_directory_that_cannot_be_written_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The exporter says so once, and answers failure so that the spans are counted."""
    (tmp_path / "file").write_text("in the way")
    exporter = FileExporter(tmp_path / "file" / "t.jsonl")

    with caplog.at_level(logging.WARNING, "agentops_otel"):
        results = {exporter.export(research()) for _ in range(3)}

    assert results == {SpanExportResult.FAILURE}
    exporter.shutdown()  # says nothing: it has said that there is no file
    assert [record.message.split(" (")[0] for record in caplog.records] == [f"no trace file at {exporter.path}"]


def test_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    """A full disk that left half a line costs that line; the reader names it and goes on."""
    file_size = pytest.importorskip("resource")
    exporter = FileExporter(tmp_path / "t.jsonl")
    exporter.export(research())
    whole, limits = exporter.path.stat().st_size, file_size.getrlimit(file_size.RLIMIT_FSIZE)

    # A limit on the file's size is what a full disk is to `write`: half a line, then an error.
    file_size.setrlimit(file_size.RLIMIT_FSIZE, (whole + 50, limits[1]))
    try:
        cut = exporter.export(research())
    finally:
        file_size.setrlimit(file_size.RLIMIT_FSIZE, limits)
    exporter.export([rich_span()])

    found = list(read(exporter.path))
    assert cut is SpanExportResult.FAILURE
    assert [span.name for span in found if isinstance(span, ReadableSpan)][-1] == "chat gpt-4o"
    assert [str(error).split(" (")[0] for error in found if isinstance(error, ValueError)] == [
        f"{exporter.path}:2: not a line of OTLP JSON traces"
    ]


def write_many(exporter: FileExporter, batches: int = 50) -> None:
    """Long lines, many times."""
    for _ in range(batches):
        exporter.export([Trace().span("x" * 5000)])


@pytest.mark.parametrize(
    "start",
    [
        lambda exporter: threading.Thread(target=write_many, args=(exporter,)),
        lambda exporter: multiprocessing.get_context("fork").Process(target=write_many, args=(exporter,)),
    ],
    ids=["threads", "forks"],
)
def test_lines_stay_whole_however_many_write(tmp_path: Path, start: Callable[[FileExporter], threading.Thread]) -> None:
    """Threads and forked children append whole lines."""
    exporter = FileExporter(tmp_path / "t.jsonl")
    exporter.export(research())
    writers = [start(exporter) for _ in range(4)]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)

    found = list(read(exporter.path))
    assert len(found) == 4 + 200
    assert all(isinstance(span, ReadableSpan) for span in found)


def test_the_default_path_says_when_what_and_who(tmp_path: Path) -> None:
    """Names sort by time and hold nothing that a file system minds."""
    when = datetime(2026, 1, 2, 3, 4, 5, 78_999, tzinfo=timezone(timedelta(hours=1)))

    paths = [
        default_path("../my bot/ü", when, 42, tmp_path),
        default_path("bot", when, 42, tmp_path, group=42),
        default_path("bot", when, 42, tmp_path, group=7),
        default_path("b" * 100, when, 42, tmp_path),
    ]
    parts = [next_part(paths[2]), next_part(next_part(paths[2]))]

    assert [str(path.relative_to(tmp_path)) for path in (*paths, *parts)] == [
        "traces/20260102T020405.078Z-.._my_bot_-42.jsonl",
        "traces/20260102T020405.078Z-bot-42.jsonl",
        "traces/20260102T020405.078Z-bot-7.42.jsonl",
        f"traces/20260102T020405.078Z-{'b' * 64}-42.jsonl",
        "traces/20260102T020405.078Z-bot-7.42.part2.jsonl",
        "traces/20260102T020405.078Z-bot-7.42.part3.jsonl",
    ]
    paths[0].parent.mkdir()
    for path in (*paths, *parts):
        path.touch()
    assert {*trace_files(paths[0].parent)} == {*paths, *parts}


def test_only_old_files_of_ours_are_pruned(tmp_path: Path) -> None:
    """The newest stay, by when they were last written; what we did not make stays too."""
    others = [tmp_path / "traces" / "mine.jsonl", tmp_path / "traces" / "notes.txt"]
    paths = [default_path("bot", datetime(2026, 1, day, tzinfo=UTC), day, tmp_path) for day in range(1, 8)]
    paths[0].parent.mkdir(parents=True)
    for age, path in enumerate([*others, *paths]):
        path.touch()
        os.utime(path, (age, age))
    new = FileExporter(default_path("bot", datetime(2026, 2, 1, tzinfo=UTC), 1, tmp_path), keep=3)

    new.export(research())
    new.export(research())

    assert trace_files(new.path.parent) == [new.path, paths[6], paths[5]]
    assert all(path.exists() for path in others)


@pytest.mark.parametrize("own", [True, False])
def test_files_are_pruned_beside_a_trace_file_of_ours_alone(own: bool, tmp_path: Path) -> None:
    """One that the program named stands among the program's own: none of them is touched."""
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    paths = [default_path("bot", begun + timedelta(minutes=n), 1, tmp_path) for n in range(KEEP + 5)]
    paths[0].parent.mkdir(parents=True)
    for path in paths[1:]:
        path.touch()

    with running(Config(trace_file=paths[0], own_trace_file=own)) as (pipeline, tracer):
        tracer.start_span("step").end()
        assert pipeline.force_flush()

    assert len(trace_files(paths[0].parent)) == (KEEP if own else len(paths))
    assert names(paths[0]) == ["step"]


def test_a_directory_that_is_not_there_has_no_trace_files(tmp_path: Path) -> None:
    """Before the first run there is nothing to show, and no error."""
    assert trace_files(tmp_path / "none") == []
    assert latest_run(tmp_path / "none") == []


def names(path: Path) -> list[str]:
    """The names of the spans in a file."""
    return [span.name for span in read(path) if isinstance(span, ReadableSpan)]


def test_a_process_that_runs_for_weeks_goes_on_in_further_files(tmp_path: Path) -> None:
    """A file has a bound, the files are one run, and the oldest of them make room."""
    first = default_path("bot", datetime.now(UTC), os.getpid(), tmp_path)
    exporter = FileExporter(first, keep=3, limit_bytes=1)

    for number in range(5):
        exporter.export([Trace(number + 1).span(f"span {number}")])
    exporter.shutdown()

    files = latest_run(first.parent)
    assert [path.name.removeprefix(first.stem) for path in files] == [".part3.jsonl", ".part4.jsonl", ".part5.jsonl"]
    assert [names(path) for path in files] == [["span 2"], ["span 3"], ["span 4"]]


@pytest.mark.parametrize(("more", "files"), [(-1, 2), (0, 2), (1, 1)])
def test_a_file_that_has_its_size_is_the_last_but_one(more: int, files: int, tmp_path: Path) -> None:
    """Below its bound it goes on."""
    span = [Trace().span("x")]
    size = len(dumps(span)) + 1
    exporter = FileExporter(default_path("bot", datetime.now(UTC), 1, tmp_path), keep=9, limit_bytes=size + more)

    exporter.export(span)
    exporter.export(span)
    exporter.shutdown()

    assert len(trace_files(tmp_path / "traces")) == files


def test_a_file_is_held_while_it_is_written_to(tmp_path: Path) -> None:
    """Until the exporter goes on in another, or is shut down; one that was taken away holds nothing open."""
    exporter = FileExporter(default_path("bot", datetime.now(UTC), 1, tmp_path), keep=9, limit_bytes=1)
    first, before = exporter.path, len(os.listdir("/dev/fd"))
    exporter.export([Trace().span("x")])
    assert exporter.path != first
    prune(first.parent, keep=0)
    gone_on = first.exists()
    exporter = FileExporter(first, keep=9)
    exporter.export([Trace().span("x")])
    prune(first.parent, keep=0)
    written_to = first.exists()
    for _ in range(3):
        first.unlink()
        exporter.export([Trace().span("x")])
    prune(first.parent, keep=0)
    made_again = first.exists()
    held_open = len(os.listdir("/dev/fd")) - before
    exporter.shutdown()
    prune(first.parent, keep=0)

    assert (gone_on, written_to, made_again, first.exists()) == (False, True, True, False)
    assert (held_open, len(os.listdir("/dev/fd")) - before) == (1, 0)


def test_a_file_that_the_user_named_is_one(tmp_path: Path) -> None:
    """It has no bound, and nothing beside it is touched."""
    exporter = FileExporter(tmp_path / "agent.jsonl", limit_bytes=1)

    for name in ("a", "b"):
        exporter.export([Trace().span(name)])

    assert names(tmp_path / "agent.jsonl") == ["a", "b"]


def test_the_directory_has_a_bound_in_bytes(tmp_path: Path) -> None:
    """The files that were written last stay as far as they fit."""
    paths = [default_path("bot", datetime(2026, 1, day, tzinfo=UTC), day, tmp_path) for day in range(1, 5)]
    paths[0].parent.mkdir()
    for age, path in enumerate(paths):
        path.write_bytes(b"x" * 100)
        os.utime(path, (age, age))

    prune(paths[0].parent, keep=100, limit_bytes=200)

    assert trace_files(paths[0].parent) == [paths[3], paths[2]]


HOLDS = """
import sys
from pathlib import Path
from agentops_otel.export.file import FileExporter
from tests.view.spans import Trace
exporter = FileExporter(Path(sys.argv[1]), keep=100)
exporter.export([Trace().span("idle")])
print("written", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked on Windows")
def test_the_file_of_a_living_process_is_never_pruned(tmp_path: Path) -> None:
    """An idle process keeps its file, however many others write; it makes room once the process has ended."""
    directory = tmp_path / "traces"
    idle = default_path("idle", datetime(2026, 1, 1, tzinfo=UTC), 1, tmp_path)
    with Python("-c", HOLDS, idle, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        os.utime(idle, (1, 1))
        new = FileExporter(default_path("bot", datetime.now(UTC), 2, tmp_path), keep=1)
        new.export(research())
        while_it_lives = trace_files(directory)
        process.communicate()
    prune(directory, keep=1)

    assert while_it_lives == [new.path, idle]
    assert trace_files(directory) == [new.path]
    new.shutdown()


def test_the_last_run_is_all_the_processes_that_wrote_at_the_same_time(tmp_path: Path) -> None:
    """Workers of a server are one run without `agentops-otel run`; what ran before, or beside them, is another."""
    at = [datetime(2026, 1, 1, 0, minute, tzinfo=UTC) for minute in range(4)]
    earlier = default_path("bot", at[0], 7, tmp_path, group=5)
    workers = [default_path("bot", at[2], pid, tmp_path, group=5) for pid in (8, 9)]
    other = default_path("other", at[2], 10, tmp_path, group=10)
    workers[0].parent.mkdir()
    for path, written in ((earlier, at[1]), (other, at[2]), (workers[0], at[2]), (workers[1], at[3])):
        path.touch()
        os.utime(path, (written.timestamp(), written.timestamp()))

    assert latest_run(earlier.parent) == workers


@pytest.mark.parametrize(
    ("third", "run"), [(2, [2, 1, 0]), (1, [2, 1, 0]), (0, [1, 0])], ids=["meanwhile", "as it began", "before"]
)
def test_a_process_that_wrote_while_an_older_one_of_the_run_did_is_of_the_run(
    third: int, run: list[int], tmp_path: Path
) -> None:
    """The newest began when the third had ended, and the second was there for both."""
    at = [datetime(2026, 1, 1, 0, minute, tzinfo=UTC) for minute in range(5)]
    paths = [default_path("bot", at[began], pid, tmp_path, group=5) for began, pid in ((3, 7), (1, 8), (0, 9))]
    paths[0].parent.mkdir()
    for path, written in zip(paths, (at[4], at[3], at[third]), strict=True):
        path.touch()
        os.utime(path, (written.timestamp(), written.timestamp()))

    assert latest_run(paths[0].parent) == [paths[number] for number in run]


def test_a_full_disk_says_what_is_in_the_file_and_what_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line when it begins, and one with the number at the end."""
    file_size = pytest.importorskip("resource")
    exporter = FileExporter(tmp_path / "t.jsonl")
    exporter.export(research())
    whole, limits = exporter.path.stat().st_size, file_size.getrlimit(file_size.RLIMIT_FSIZE)

    file_size.setrlimit(file_size.RLIMIT_FSIZE, (whole + 50, limits[1]))
    try:
        results = {exporter.export(research()) for _ in range(3)}
    finally:
        file_size.setrlimit(file_size.RLIMIT_FSIZE, limits)
    exporter.shutdown()
    exporter.shutdown()

    assert results == {SpanExportResult.FAILURE}
    assert [re.sub(r" \(.*\)", "", record.getMessage()) for record in caplog.records] == [
        f"the trace file {exporter.path} holds 4 spans, and takes no more: those that follow are dropped until it does",
        f"the trace file {exporter.path} holds 4 spans, and 12 were dropped",
    ]
