"""The trace file: lines of OTLP JSON, for the user's eyes only."""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from agentops_otel import private_files
from agentops_otel.export.otlp_json import dumps, loads

DIRECTORY = "traces"
"""Where the trace files are in the user's state directory."""
FOLLOW_S = 0.2
"""How often `follow` looks for more."""
KEEP = 100
"""How many of them stay."""
LINE_BYTES = 1_000_000
"""A line is no longer, since the Collector's otlp_json_file receiver drops what is over 1 MiB, without a word."""

_OURS = re.compile(r"(?P<run>\d{8}T\d{6}Z-.*-\d+)(\.\d+)?\.jsonl")
_logger = logging.getLogger("agentops_otel")


def default_path(service: str, when: datetime, pid: int, state_dir: Path) -> Path:
    """Where the spans of one process go when no file was named.

    Args:
        service: The service's name; what a file name cannot hold is replaced.
        when: When the process began to record.
        pid: The process.
        state_dir: The user's state directory, from the settings.

    Example:
        ```python
        default_path("bot", datetime(2026, 1, 2, tzinfo=UTC), 7, Path("/s"))
        # /s/traces/20260102T000000Z-bot-7.jsonl
        ```
    """
    name = re.sub(r"[^\w.-]+", "_", service, flags=re.ASCII)[:64]
    return state_dir / DIRECTORY / f"{when.astimezone(UTC):%Y%m%dT%H%M%SZ}-{name}-{pid}.jsonl"


def trace_files(directory: Path) -> list[Path]:
    """The trace files of ours in the directory, the one written last first."""
    files = [(path.stat().st_mtime_ns, path.name, path) for path in _found(directory) if path.is_file()]
    return [path for _, _, path in sorted(files, reverse=True)]


def latest_run(directory: Path) -> list[Path]:
    """The trace files of the run, or of the process, that wrote last."""
    files = trace_files(directory)
    return files_of_run(directory, _run_of(files[0])) if files else []


def files_of_run(directory: Path, run: str) -> list[Path]:
    """The trace files of a run, by its name."""
    return [path for path in trace_files(directory) if _run_of(path) == run]


def read(path: Path) -> Iterator[ReadableSpan | ValueError]:
    """The spans of a trace file in the order they ended, and an error in the place of each line that holds none.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield from loads(line)
                except ValueError as error:
                    yield ValueError(f"{path}:{number}: {error}")


def follow(paths: Sequence[Path]) -> Iterator[ReadableSpan | None]:
    """The spans of trace files that are being written, without end; None each time when all there was has been read.

    Lines that are not whole yet, or hold no spans, are passed over.
    """
    read_to = dict.fromkeys(paths, 0)
    while True:
        for path, position in read_to.items():
            with path.open("rb") as lines:
                lines.seek(position)
                for line in lines:
                    if line.endswith(b"\n"):
                        read_to[path] += len(line)
                        with suppress(ValueError):
                            yield from loads(line)
        yield None
        time.sleep(FOLLOW_S)


class FileExporter(SpanExporter):
    """Appends spans to a file of mode 0600; made, with its directory, at the first span.

    Each batch is one `write` to a file opened for it: processes and threads may share the path, a fork needs no care,
    and a file that was taken away is made again.

    Args:
        path: The file.
        keep: How many trace files of ours stay beside it, the newest; None touches no other file.
    """

    def __init__(self, path: Path, *, keep: int | None = None) -> None:
        self.path = path.absolute()
        self._keep = keep
        self._torn = False
        self._warned = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append the spans; FAILURE, and one warning, when the file cannot be written."""
        if not spans:
            return SpanExportResult.SUCCESS
        try:
            self._append(_lines(spans))
        except OSError as error:
            self._warn(error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def _append(self, line: bytes) -> None:
        with open(self.path, "ab", buffering=0, opener=private_files.opener) as file:
            # A disk that was full left half a line; it must not spoil this one.
            data = b"\n" + line if self._torn else line
            self._torn = True
            while data:
                data = data[file.write(data) :]
            self._torn = False
        self._prune()

    def _prune(self) -> None:
        """Once a process, and only after our own file is there."""
        keep, self._keep = self._keep, None
        if keep is not None:
            with suppress(OSError):  # another process prunes too
                for old in trace_files(self.path.parent)[keep:]:
                    old.unlink()

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            _logger.warning("no trace file at %s (%s); name one that can be written: trace_file=", self.path, error)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """True: what was exported is in the file."""
        return True

    def shutdown(self) -> None:
        """Nothing to close: no file stays open between two batches."""


def _lines(spans: Sequence[ReadableSpan]) -> bytes:
    line = dumps(spans) + b"\n"
    if len(line) <= LINE_BYTES or len(spans) == 1:
        return line
    half = len(spans) // 2
    return _lines(spans[:half]) + _lines(spans[half:])


def _run_of(path: Path) -> str:
    match = _OURS.fullmatch(path.name)
    return match["run"] if match else path.name


def _found(directory: Path) -> Iterator[Path]:
    return (path for path in directory.iterdir() if _OURS.fullmatch(path.name)) if directory.is_dir() else iter(())
