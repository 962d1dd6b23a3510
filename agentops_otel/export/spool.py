"""Unsent requests on disk: append-only segments of records with checksums, one set per process.

A segment is locked (`flock`) by the process that owns it. One whose lock is free was left by a process that ended; the
next with the same destination adopts and delivers it. There is nothing in it but OTLP: no header, no key.
"""

import hashlib
import logging
import os
import secrets
import stat
import struct
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from agentops_otel.config import Destination
from agentops_otel.environment import is_loopback
from agentops_otel.export.drop_reason import DropReason
from agentops_otel.private_files import make_directories

try:
    import fcntl
except ImportError:  # Windows has none; what cannot be locked cannot be shared
    AVAILABLE = False
else:
    AVAILABLE = True

LIMIT_BYTES = 512 * 1024 * 1024
"""The most that one destination may take on disk; beyond that the oldest segments are removed."""
LIMIT_AGE_S = 7 * 24 * 3600.0
"""Age at which a record is dropped, in seconds."""
SEGMENT_BYTES = 8 * 1024 * 1024
SCAN_S = 10.0
"""Seconds between two searches for segments of ended processes."""
_ADOPT = 16
_SUFFIX = ".spans"
_MAGIC = b"AOTSPAN1"
# length, CRC-32 of what follows the state, state, spans
_HEAD = struct.Struct("<IIBI")
_STATE_AT = 8
_SETTLED, _FOREIGN = 1, 2

_logger = logging.getLogger("agentops_otel")


@dataclass(slots=True, eq=False)
class Segment:
    """An open segment file, locked by this process."""

    path: Path
    file: int
    own: bool
    """False: another process wrote it."""
    size: int = len(_MAGIC)
    begin: int = len(_MAGIC)
    """Offset of the first unsettled record."""
    waiting: int = 0
    """Number of unsettled records."""
    waiting_spans: int = 0
    """Of these records, the spans that this process produced."""
    gone: bool = False

    @property
    def has_vanished(self) -> bool:
        """True if the file was removed from outside: no later process will find it."""
        return not os.fstat(self.file).st_nlink

    def close(self, *, remove: bool) -> None:
        """Let go of the file; what stays of it is for the next process."""
        self.gone = True
        if remove:
            with suppress(OSError):
                self.path.unlink()
        with suppress(OSError):
            os.close(self.file)


@dataclass(frozen=True, slots=True, eq=False)
class RecordRef:
    """The position of a record."""

    segment: Segment
    offset: int
    own_spans: int


class Stored(NamedTuple):
    """Records read back, as one request."""

    body: bytes
    spans: int
    places: Sequence[RecordRef]
    own: bool


def folder(spool_dir: Path, destination: Destination) -> Path:
    """The folder for the destination's records. Other credentials at the same endpoint have another folder."""
    account = destination.agentops.api_key if destination.agentops else ""
    about = (
        _one_spelling(destination.endpoint),
        destination.protocol,
        account,
        *([] if destination.signal == "traces" else [destination.signal]),
        *sorted(map(str, destination.headers.items())),
    )
    return spool_dir / hashlib.sha256("\n".join(about).encode()).hexdigest()[:16]


def _one_spelling(endpoint: str) -> str:
    """The endpoint as all ways to write it: without case, default port, last slash, and with one name for loopback."""
    url = urlsplit(endpoint)
    host = (url.hostname or "").rstrip(".")
    host = "localhost" if is_loopback(host) else host
    port = url.port or (443 if url.scheme == "https" else 80)
    user = url.netloc.rpartition("@")[0]
    return f"{url.scheme}://{user}@{host}:{port}{url.path.rstrip('/')}?{url.query}"


class Spool:
    """The folder of one destination. Not safe on many threads: its outbox sees to that.

    Args:
        directory: Made, for the user alone, when the first record is written.
        limit_bytes: The most bytes that are kept there; beyond that the oldest segments are removed.
        limit_age_s: How long it may lie there, in seconds.
        segment_bytes: A segment is closed and another begun at this size.
        clock: Seconds since the epoch.
        begun: Called when the first record is written.
    """

    def __init__(
        self,
        directory: Path,
        *,
        limit_bytes: int = LIMIT_BYTES,
        limit_age_s: float = LIMIT_AGE_S,
        segment_bytes: int = SEGMENT_BYTES,
        clock: Callable[[], float] = time.time,
        begun: Callable[[], None] | None = None,
    ) -> None:
        self.directory = directory
        self._begun = begun
        self._limit_bytes = limit_bytes
        self._limit_age_s = limit_age_s
        self._segment_bytes = min(segment_bytes, max(1, limit_bytes // 4))
        self._clock = clock
        self._warned = False
        self._clear()

    def _clear(self) -> None:
        self.given_up = 0
        """Spans of earlier processes that were given up here: too old, over the limit, or the disk failed."""
        self._segments: list[Segment] = []
        """Own and adopted, oldest first; the last own one is written to."""
        self._open: Segment | None = None
        self._scan_at = 0.0
        self._turn = self._more = False
        self._left = 0
        self._expired: Counter[str] = Counter()

    @property
    def own_spans(self) -> int:
        """Number of spans of this process that wait here."""
        return self._left + sum(segment.waiting_spans for segment in self._segments)

    @property
    def has_segments(self) -> bool:
        """Whether there is a segment of any process."""
        return next(self.directory.glob(f"*{_SUFFIX}"), None) is not None

    @property
    def has_records(self) -> bool:
        """Whether a record waits in a segment that is ours."""
        return any(segment.waiting for segment in self._segments)

    def count_spans(self) -> int:
        """Number of spans in the segments that are ours now, including adopted ones."""
        return sum(spans for segment in self._segments for *_, spans in _heads(segment))

    def append(self, body: bytes, spans: int, *, own: bool = True) -> RecordRef | None:
        """Write a record.

        Args:
            body: A request.
            spans: How many are in it.
            own: Whether this process made them.

        Returns:
            Where it is; None: it could not be written.
        """
        try:
            segment = self._writable()
            state = 0 if own else _FOREIGN
            record = _HEAD.pack(len(body), _checksum(body, spans), state, spans) + body
            if os.pwrite(segment.file, record, segment.size) < len(record):
                os.ftruncate(segment.file, segment.size)
                raise OSError("the disk is full")
        except OSError as error:
            if not self._warned:
                self._warned = True
                _logger.warning(
                    "No spool at %s (%s): what cannot be sent waits in memory. Name a place with spool_dir=.",
                    self.directory,
                    error.strerror or error,
                )
            return None
        place = RecordRef(segment, segment.size, spans if own else 0)
        segment.size += len(record)
        segment.waiting += 1
        segment.waiting_spans += place.own_spans
        return place

    def read(self, limit_bytes: int, limit_spans: int) -> Stored | None:
        """The next records that wait, up to one of the limits but at least one; None: nothing waits."""
        if self._clock() >= self._scan_at or (self._more and all(segment.own for segment in self._segments)):
            self._scan_at = self._clock() + SCAN_S
            with suppress(OSError):
                self._tidy()
                self._adopt()
        self._turn = not self._turn
        for segment in sorted(self._segments, key=lambda segment: segment.own is self._turn):
            try:
                if segment.waiting and (stored := self._read_from(segment, limit_bytes, limit_spans)):
                    return stored
            except OSError:
                self._give_up(segment, DropReason.DISK_FAILED)
        return None

    def settle(self, places: Sequence[RecordRef]) -> None:
        """Mark records as delivered or given up, so that they are not read again."""
        for place in places:
            segment = place.segment
            if segment.gone:
                continue
            segment.waiting -= 1
            segment.waiting_spans -= place.own_spans
            try:
                os.pwrite(segment.file, bytes((_SETTLED,)), place.offset + _STATE_AT)
                self._release(segment)
            except OSError:
                self._give_up(segment, DropReason.DISK_FAILED)

    def expired(self) -> Mapping[str, int]:
        """Spans of this process that were given up here since the last call, by reason."""
        expired, self._expired = self._expired, Counter()
        return expired

    def sweep(self) -> None:
        """Remove the segment that is kept open for the next record, if there is nothing in it."""
        if self._open and not self._open.waiting:
            self._drop(self._open)

    def forked(self) -> None:
        """In the child of a fork: the segments are the parent's, and its lock outlives our copy of the file."""
        for segment in self._segments:
            segment.close(remove=False)
        self._clear()

    def close(self) -> None:
        """Let go of everything; what waits is for the next process."""
        for segment in [segment for segment in self._segments if segment.has_vanished]:
            self._give_up(segment, DropReason.DISK_FAILED)
        self._left = self.own_spans
        for segment in self._segments:
            segment.close(remove=not segment.waiting)
        self._segments, self._open = [], None

    def _writable(self) -> Segment:
        if self._open is None or self._open.size >= self._segment_bytes or self._open.has_vanished:
            self._open = None
            self._tidy()
            make_directories(self.directory)
            if self._begun:
                self._begun()
                self._begun = None
            path = self.directory / f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            self._open = Segment(path, file, own=True)
            self._segments.append(self._open)
            fcntl.flock(file, fcntl.LOCK_EX)
            os.pwrite(file, _MAGIC, 0)
        return self._open

    def _release(self, segment: Segment) -> None:
        if segment.waiting:
            return
        if segment is self._open and segment.size < self._segment_bytes:
            # Emptied rather than removed: with a record a span, making a file for each would cost more than the span.
            os.ftruncate(segment.file, len(_MAGIC))
            segment.size = segment.begin = len(_MAGIC)
        else:
            self._drop(segment)

    def _drop(self, segment: Segment) -> None:
        self._segments.remove(segment)
        self._open = None if segment is self._open else self._open
        segment.close(remove=True)

    def _read_from(self, segment: Segment, limit_bytes: int, limit_spans: int) -> Stored | None:
        bodies: list[bytes] = []
        places: list[RecordRef] = []
        spans = size = foreign = 0
        for offset, state, count, body in _waiting(segment):
            if not bodies:
                segment.begin, foreign = offset, state & _FOREIGN
            elif size + len(body) > limit_bytes or spans + count > limit_spans or state & _FOREIGN != foreign:
                break
            bodies.append(body)
            places.append(RecordRef(segment, offset, count if segment.own and not foreign else 0))
            spans, size = spans + count, size + len(body)
        else:
            if len(bodies) < segment.waiting:
                self._repair(segment, sum(place.own_spans for place in places), len(bodies))
        return Stored(b"".join(bodies), spans, places, segment.own and not foreign) if bodies else None

    def _repair(self, segment: Segment, own_spans: int, records: int) -> None:
        """Settle for what can be read: a record was damaged since it was written."""
        if segment.waiting_spans > own_spans:
            self._expired[DropReason.DAMAGED] += segment.waiting_spans - own_spans
        segment.waiting, segment.waiting_spans = records, own_spans
        self._release(segment)

    def _tidy(self) -> None:
        """Remove what is too old, and the oldest of what is over the limit."""
        if not self.directory.is_dir():
            return
        files = sorted(self.directory.glob(f"*{_SUFFIX}"))
        sizes = {path: _size(path) for path in files}
        too_much = sum(sizes.values()) + self._segment_bytes - self._limit_bytes
        for path in files:
            too_old = _age(path, self._clock()) > self._limit_age_s
            if too_much <= 0 and not too_old:
                continue
            segment = next((s for s in self._segments if s.path == path), None) or self._locked(path)
            if segment is not None and segment is not self._open:
                self._give_up(segment, DropReason.TOO_OLD if too_old else DropReason.SPOOL_FULL)
                too_much -= sizes[path]

    def _give_up(self, segment: Segment, reason: str) -> None:
        if segment.waiting_spans:
            self._expired[reason] += segment.waiting_spans
        with suppress(OSError):
            waiting = _heads(segment)
            if foreign := sum(spans for *_, state, spans in waiting if state & _FOREIGN or not segment.own):
                self.given_up += foreign
                message = "%s: %d spans that earlier processes left were given up: %s"
                _logger.warning(message, self.directory, foreign, reason)
        if segment in self._segments:
            self._drop(segment)
        else:
            segment.close(remove=True)

    def _adopt(self) -> None:
        """Take over what ended processes left, a few segments at a time."""
        own_paths = {segment.path for segment in self._segments}
        budget = _ADOPT - sum(not segment.own for segment in self._segments)
        self._more = False
        for path in sorted(self.directory.glob(f"*{_SUFFIX}")) if budget > 0 else ():
            if path not in own_paths and budget > 0 and (segment := self._locked(path)):
                segment.waiting = sum(1 for _ in _heads(segment))
                if segment.waiting:
                    self._segments.append(segment)
                    budget -= 1
                    self._more = budget == 0
                else:
                    segment.close(remove=True)

    def _locked(self, path: Path) -> Segment | None:
        """The segment, locked by us; None if another process has it."""
        try:
            file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_a_segment(file):
                raise OSError("delivered and removed since it was found, or none of ours")
            return Segment(path, file, own=False, size=os.fstat(file).st_size)
        except OSError:
            os.close(file)
            return None


def _is_a_segment(file: int) -> bool:
    """Whether the open file is a segment that this user wrote: in a folder that others share, anything may lie."""
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_nlink != 1:
        return False
    return os.pread(file, len(_MAGIC), 0) == _MAGIC[: about.st_size]


def _heads(segment: Segment) -> Iterator[tuple[int, int, int, int, int]]:
    """Offset, length, checksum, state and spans of each whole record that waits; a torn tail is the end."""
    offset = segment.begin
    while offset + _HEAD.size <= segment.size:
        length, checksum, state, spans = _HEAD.unpack(os.pread(segment.file, _HEAD.size, offset))
        after = offset + _HEAD.size + length
        if after > segment.size:
            return
        if not state & _SETTLED:
            yield offset, length, checksum, state, spans
        offset = after


def _waiting(segment: Segment) -> Iterator[tuple[int, int, int, bytes]]:
    """Offset, state, spans and body of each record that waits and is what was written."""
    for offset, length, checksum, state, spans in _heads(segment):
        body = os.pread(segment.file, length, offset + _HEAD.size)
        if _checksum(body, spans) == checksum:
            yield offset, state, spans, body


def _checksum(body: bytes, spans: int) -> int:
    return zlib.crc32(body, zlib.crc32(struct.pack("<I", spans)))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _age(path: Path, now: float) -> float:
    """By the time in the name: writing the last record does not make the first one younger."""
    try:
        return now - int(path.name.split("-")[0]) / 1e9
    except ValueError:
        return 0.0
