"""The trace file: lines of OTLP JSON, readable by the user alone."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from agentops_otel import private_files
from agentops_otel.export import trace_directory
from agentops_otel.export.otlp_json import dumps, loads
from agentops_otel.export.trace_directory import FILE_BYTES

FOLLOW_S = 0.2
"""Seconds between two reads of `follow`."""
LINE_BYTES = 1_000_000
"""The longest line: the Collector's otlp_json_file receiver drops lines over 1 MiB without a message."""

_logger = logging.getLogger("agentops_otel")


def read(path: Path, progress: Callable[[int], object] = bool) -> Iterator[ReadableSpan | ValueError]:
    """Read the spans of a trace file in the order they ended; an invalid line gives a ValueError in their place.

    Args:
        path: The file.
        progress: Called with the bytes of each line, when it has been read.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            progress(len(line))
            if line.strip():
                try:
                    yield from loads(line)
                except ValueError as error:
                    yield ValueError(f"{path}:{number}: {error}")


def read_from(path: Path, place: int) -> Iterator[tuple[list[ReadableSpan] | ValueError, int]]:
    """The spans of each line from a place in the file on, or what is wrong with it, and where the next line begins.

    A last line without its end is left for the next call.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as lines:
        lines.seek(place)
        for line in lines:
            try:
                spans: list[ReadableSpan] | ValueError = loads(line) if line.strip() else []
            except ValueError as error:
                if not line.endswith(b"\n"):
                    return
                spans = ValueError(f"{path} at byte {place}: {error}")
            place += len(line)
            yield spans, place


def follow(paths: Callable[[], Sequence[Path]]) -> Iterator[ReadableSpan | None]:
    """The spans of trace files that are being written, without end; None each time when all there was has been read.

    Incomplete and invalid lines are skipped.

    Args:
        paths: Gives the files each time: a run begins further ones.
    """
    read_to: dict[Path, int] = {}
    while True:
        for path in paths():
            with suppress(FileNotFoundError):
                for spans, read_to[path] in read_from(path, read_to.get(path, 0)):  # noqa: B020 - where it goes on
                    if not isinstance(spans, ValueError):
                        yield from spans
        yield None
        time.sleep(FOLLOW_S)


class FileExporter(SpanExporter):
    """Appends spans to a file of mode 0600; made, with its directory, at the first span.

    Each batch is one `write` to a file opened for it: processes and threads may share the path, a fork needs no care,
    and a file that was taken away is made again.

    Args:
        path: The file.
        keep: How many trace files of ours stay beside it, the newest; None touches no other file, and the file has no
            bound.
        limit_bytes: The spans go on in another file beyond it, where *keep* is given.
    """

    def __init__(self, path: Path, *, keep: int | None = None, limit_bytes: int = FILE_BYTES) -> None:
        self.path = path.absolute()
        self._keep = keep
        self._limit_bytes = limit_bytes
        self._lock: int | None = None
        self._locked: tuple[int, int] | None = None
        """Device and inode of the file that the lock is on."""
        self._torn = False
        self._written = self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append the spans; FAILURE, and one warning, when the file cannot be written."""
        if not spans:
            return SpanExportResult.SUCCESS
        try:
            self._append(_lines(spans), len(spans))
        except OSError as error:
            self._lost += len(spans)
            if self._lost == len(spans):
                _logger.warning("%s", self._what_is_missing(error))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def _append(self, line: bytes, spans: int) -> None:
        with open(self.path, "ab", buffering=0, opener=private_files.opener) as file:
            # A full disk left half a line: end it, so that this line stays valid.
            data = b"\n" + line if self._torn else line
            self._torn = True
            while data:
                data = data[file.write(data) :]
            self._torn = False
            self._written += spans
            if self._keep is not None:
                self._make_room(self._keep, file.fileno())

    def _make_room(self, keep: int, descriptor: int) -> None:
        """Lock our file against `prune`, and apply the directory's limits once it exists."""
        about = os.fstat(descriptor)
        if (about.st_dev, about.st_ino) != self._locked:
            self._release()
            self._locked, self._lock = (about.st_dev, about.st_ino), trace_directory.hold(descriptor)
            trace_directory.prune(self.path.parent, keep)
        if about.st_size >= self._limit_bytes:
            self._release()
            self.path, self._written = trace_directory.next_part(self.path), 0

    def _release(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def _what_is_missing(self, error: OSError) -> str:
        if not self._written:
            return f"no trace file at {self.path} ({error}); name one that can be written: trace_file="
        return (
            f"the trace file {self.path} holds {self._written} spans, and takes no more ({error}): "
            "those that follow are dropped until it does"
        )

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """True: what was exported is in the file."""
        return True

    def shutdown(self) -> None:
        """Close the file, and log how many spans could not be written."""
        self._release()
        lost, self._lost = self._lost, 0
        if lost and self._written:
            _logger.warning("the trace file %s holds %d spans, and %d were dropped", self.path, self._written, lost)


def _lines(spans: Sequence[ReadableSpan]) -> bytes:
    line = dumps(spans) + b"\n"
    if len(line) <= LINE_BYTES or len(spans) == 1:
        return line
    half = len(spans) // 2
    return _lines(spans[:half]) + _lines(spans[half:])
