"""The undelivered requests of one destination: in memory, or on disk once the destination fails."""

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from agentops_otel.export.drop_reason import DropReason
from agentops_otel.export.encode import Batch
from agentops_otel.export.spool import RecordRef, Spool

MEMORY_BYTES = 16 * 1024 * 1024
"""The most that waits in memory. Beyond that, requests go to disk; without a spool the oldest are dropped."""
LONGEST_WAIT_S = 3600.0
_DISK_AGAIN_S = 1.0
"""Seconds until a failed disk is tried again."""
SLICE_BYTES = 1024 * 1024
"""The most that is written to disk at a time: an app's thread may have to wait for it."""
REQUEST_BYTES = 512 * 1024
REQUEST_SPANS = 2048
"""Requests from a backlog are joined up to this many spans."""
GATHERED_BYTES = 256 * 1024
"""With so much the sender is woken, though more is being encoded: a small request costs it as much as a large one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts of spans: `produced == sent + spooled + pending + sum(dropped.values())`.

    With several destinations the counts are those of the one that is furthest behind; see `destinations`.

    ```python
    for endpoint, counts in agentops_otel.stats().destinations.items():
        print(endpoint, counts.sent, counts.dropped)
    ```
    """

    produced: int = 0
    """Spans that ended and were to be exported."""
    sent: int = 0
    """Accepted by the destination."""
    spooled: int = 0
    """On disk, waiting: the destination gets them later, from this process or the next one."""
    pending: int = 0
    """In memory, on the way. 0 after a flush that was in time."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Given up, by reason: an HTTP or gRPC status, or a `DropReason` such as "outbox full"."""
    recovered: int = 0
    """Delivered on behalf of earlier processes, from what they left on disk; not among the others."""
    given_up: int = 0
    """Left on disk by earlier processes and given up: too old, or refused. A line on stderr says so."""
    destinations: Mapping[str, "Stats"] = field(default_factory=dict)
    """The same for each destination, by its endpoint without secrets."""


@dataclass(slots=True, eq=False)
class Entry:
    """One request that is not delivered yet."""

    body: bytes
    spans: int
    at: float
    """When it was added, by the outbox's clock."""
    places: Sequence[RecordRef] = ()
    """Its records on disk; empty if it is only in memory."""
    own: bool = True
    """False if an earlier process made it."""
    is_truncated: bool = False
    tries: int = 0


class Outbox:
    """Holds the undelivered requests of one sender and counts results. Thread-safe.

    Args:
        spool: The disk; None: memory alone.
        memory_bytes: What waits in memory at most.
        request_spans: A request is filled up to this from a backlog.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        spool: Spool | None = None,
        *,
        memory_bytes: int = MEMORY_BYTES,
        request_spans: int = REQUEST_SPANS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.spool = spool
        self._memory_bytes = memory_bytes
        self._request_spans = request_spans
        self._clock = clock
        self._clear()

    def _clear(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Entry] = deque()
        self._waiting_bytes = 0
        self._in_flight: list[Entry] = []
        """Requests that the sender has taken; each stays here until it is settled, through every retry."""
        self._failing = False
        self._idle = False
        self._paused_until = 0.0
        self._paused_by_destination = False
        self._closed = False
        self.interrupts = 0
        """Number of calls of `interrupt` so far."""
        self._added = self._sent = self._recovered = self._given_up = self._forgotten = 0
        self._dropped: Counter[str] = Counter()

    def forked(self) -> None:
        """In the child of a fork: what is here is the parent's to deliver."""
        self._clear()
        if self.spool:
            self.spool.forked()

    def renew_lock(self) -> None:
        """A lock of the kind that threads are of now."""
        self._changed = threading.Condition()

    def add(self, batch: Batch, *, more: bool = False) -> None:
        """Keep a request until it is settled; with a destination that fails it goes straight to disk.

        Args:
            batch: The request.
            more: True if the next one is added at once: the sender may wait for it.
        """
        if not batch.spans:
            return
        entry = Entry(batch.body, batch.spans, self._clock())
        with self._changed:
            self._added += entry.spans
            full = self._waiting_bytes + len(batch.body) > self._memory_bytes
            if not ((self._failing or full or self._closed) and self._write([entry])):
                self._waiting.append(entry)
                self._waiting_bytes += len(entry.body)
                self._make_room()
            if not more or self._waiting_bytes >= GATHERED_BYTES:
                self._changed.notify_all()

    def store(self, batch: Batch) -> None:
        """Keep a request on disk, before anything else; in memory where there is no disk."""
        with self._changed:
            if self._write([Entry(batch.body, batch.spans, self._clock())]):
                self._added += batch.spans
                self._changed.notify_all()
            else:
                self.add(batch)

    def take(self, deadline: float = math.inf, *, interrupts: int | None = None) -> Entry | None:
        """Wait until a request is due; the same one is returned until it is settled.

        Args:
            deadline: With one, an empty outbox is not waited for.
            interrupts: An earlier value of `self.interrupts`: an interrupt since then ends the wait too. None: the
                present one.

        Returns:
            None after `close()`, when interrupted, and if nothing was due by *deadline*.
        """
        with self._changed:
            known = self.interrupts if interrupts is None else interrupts
            while not self._closed and self.interrupts == known and (now := self._clock()) < deadline:
                if now < self._paused_until:
                    self._changed.wait(min(self._paused_until - now, deadline - now, LONGEST_WAIT_S))
                elif self._in_flight or self._fill_hand():
                    return self._in_flight[-1]
                elif deadline < math.inf:
                    return None
                else:
                    self._idle = True
                    self._changed.notify_all()
                    self._changed.wait()
                    self._idle = False
            return None

    def interrupt(self) -> None:
        """Make a `take` that is waiting return None."""
        with self._changed:
            self.interrupts += 1
            self._changed.notify_all()

    @property
    def settled(self) -> bool:
        """Whether all that has been added is delivered, or on disk while the destination fails."""
        with self._changed:
            return self._done() >= self._added

    @property
    def is_closed(self) -> bool:
        """Whether nothing is given out any more."""
        return self._closed

    @property
    def has_left_overs(self) -> bool:
        """Whether something lies on disk for the destination, of whichever process."""
        return self.spool is not None and self.spool.has_segments

    @property
    def has_work(self) -> bool:
        """Whether there is anything to send, in memory or on disk."""
        with self._changed:
            return bool(self._in_flight or self._waiting or (self.spool and self.spool.has_records))

    def delivered(self, entry: Entry, rejected: int = 0) -> None:
        """The destination has it, all but *rejected* spans."""
        with self._changed:
            self._failing = False
            if self._settle(entry) and entry.own:
                self._sent += entry.spans - rejected
                self._dropped.update({DropReason.PARTIAL_SUCCESS: rejected} if rejected else {})
            elif not entry.own:
                self._recovered += entry.spans - rejected
                self._given_up += rejected

    def dropped(self, entry: Entry, reason: str) -> None:
        """Count the request as dropped, for *reason*, and remove it."""
        with self._changed:
            if self._settle(entry) and entry.own:
                self._dropped[reason] += entry.spans
            elif not entry.own:
                self._given_up += entry.spans

    def count_lost(self, spans: int, reason: str) -> None:
        """Count spans that were lost before they were added."""
        if spans:
            with self._changed:
                self._added += spans
                self._dropped[reason] += spans

    def replace(self, entry: Entry, parts: Sequence[Batch]) -> None:
        """Go on with these instead of the entry: halves of it, or a smaller self."""
        with self._changed:
            entries = [Entry(part.body, part.spans, entry.at, (), entry.own, len(parts) == 1) for part in parts]
            if entry.places:
                # On disk before the whole is taken off it: a crash in between sends twice rather than never.
                self._write(entries)
            if self._settle(entry):
                self._in_flight.extend(entries)

    def failed(self) -> None:
        """The destination fails: write waiting requests to disk, and new ones directly until it accepts again."""
        self._failing, more = True, True
        while more:
            with self._changed:
                more = self._secure(SLICE_BYTES)
                self._changed.notify_all()
            time.sleep(0)  # The app's threads go first.

    def pause(self, seconds: float, *, by_destination: bool) -> None:
        """Send nothing for *seconds*. A flush ends the pause, unless the destination asked for it."""
        with self._changed:
            self._paused_until, self._paused_by_destination = self._clock() + seconds, by_destination

    def resume(self) -> None:
        """End the pause, unless the destination asked for it."""
        with self._changed:
            if not self._paused_by_destination:
                self._paused_until = 0.0
            self._changed.notify_all()

    def spool_older_than(self, older_than_s: float = 0.0) -> float | None:
        """Spool the requests that are older than *older_than_s* seconds.

        Returns:
            In how many seconds there is more to put there; None: nothing that could be is on its way.
        """
        with self._changed:
            since = self._since()
            if since is not None and since + older_than_s <= self._clock():
                more = self._secure(SLICE_BYTES)
                self._changed.notify_all()
                if not more and self._since() == since:
                    return _DISK_AGAIN_S  # The disk does not take it.
                since = self._since()
            return None if since is None else max(0.0, since + older_than_s - self._clock())

    def persist(self) -> None:
        """Put on disk all that is on its way; without a disk it stays in memory."""
        with self._changed:
            self._secure()
            self._changed.notify_all()

    def discard(self) -> None:
        """Drop everything in memory without counting it: the default collector does not answer."""
        with self._changed:
            self._forgotten += self._pending()
            self._waiting.clear()
            self._waiting_bytes = 0
            self._in_flight.clear()
            self._changed.notify_all()

    def wait(self, deadline: float) -> bool:
        """Wait until all that has been added so far is delivered, or on disk while the destination fails.

        Returns:
            True if that was by *deadline*.
        """
        with self._changed:
            target = self._added
            done = self._changed.wait_for(lambda: self._done() >= target, max(0.0, deadline - self._clock()))
            if self.spool:
                self.spool.sweep()
            return done

    def recover(self, deadline: float) -> tuple[int, int]:
        """Wait until what is on disk is delivered, or the destination fails, or *deadline*.

        Returns:
            How many spans of earlier processes were delivered, and how many wait.
        """
        with self._changed:
            self._changed.wait_for(self._is_at_rest, max(0.0, deadline - self._clock()))
            return self._recovered, self.spool.count_spans() if self.spool else 0

    def close(self, reason: str = DropReason.EXIT) -> None:
        """Give out nothing more; what is in memory goes to disk, or is dropped for the reason."""
        with self._changed:
            self._closed = True
            self._secure()
            for entry in (*self._waiting, *self._in_flight):
                if not entry.places:
                    self._dropped[reason] += entry.spans
            self._waiting.clear()
            # A record on disk whose request is in flight is still removed if the answer comes in time.
            self._in_flight = [entry for entry in self._in_flight if entry.places]
            self._changed.notify_all()

    def release(self) -> None:
        """After `close`: let other processes have what is on disk."""
        with self._changed:
            if self.spool:
                self.spool.close()
                self._dropped.update(self.spool.expired())

    def is_pending(self, entry: Entry) -> bool:
        """Whether it still matters what becomes of the entry."""
        with self._changed:
            return entry in self._in_flight

    def stats(self, produced: int) -> Stats:
        """The counts, given the number of spans produced for the destination."""
        with self._changed:
            spooled = self.spool.own_spans if self.spool else 0
            produced -= self._forgotten
            return Stats(
                produced=produced,
                sent=self._sent,
                spooled=spooled,
                pending=produced - self._sent - spooled - self._dropped.total(),
                dropped=dict(self._dropped),
                recovered=self._recovered,
                given_up=self._given_up + (self.spool.given_up if self.spool else 0),
            )

    # All below is called with the lock held.

    def _done(self) -> int:
        """Number of added spans that a flush need not wait for."""
        stored = self.spool.own_spans if self.spool and (self._failing or self._closed) else 0
        return self._sent + self._dropped.total() + self._forgotten + stored

    def _is_at_rest(self) -> bool:
        """Whether the sender has nothing to do, or the destination fails."""
        # A sender that was woken is idle until it has the lock.
        return self._failing or (self._idle and not (self._waiting or self._in_flight))

    def _pending(self) -> int:
        return sum(e.spans for e in (*self._waiting, *self._in_flight) if not e.places)

    def _since(self) -> float | None:
        """When the oldest request was added that is only in memory and could be on disk; None if there is none."""
        oldest = (*self._in_flight, *islice(self._waiting, 1)) if self.spool else ()
        return min((entry.at for entry in oldest if not entry.places), default=None)

    def _fill_hand(self) -> bool:
        spans = size = 0
        bodies: list[Entry] = []
        while self._waiting and (not bodies or (spans < self._request_spans and size < REQUEST_BYTES)):
            entry = self._waiting.popleft()
            bodies.append(entry)
            spans, size = spans + entry.spans, size + len(entry.body)
        self._waiting_bytes -= size
        if bodies:
            self._in_flight.append(Entry(b"".join(e.body for e in bodies), spans, bodies[0].at))
        elif self.spool:
            if stored := self.spool.read(REQUEST_BYTES, self._request_spans):
                self._in_flight.append(Entry(stored.body, stored.spans, self._clock(), stored.places, stored.own))
            self._dropped.update(self.spool.expired())
        return bool(self._in_flight)

    def _settle(self, entry: Entry) -> bool:
        """Let the entry go; False if it has been let go of before."""
        if entry not in self._in_flight:
            return False
        self._in_flight.remove(entry)
        if self.spool and entry.places:
            if entry.places[0].segment.gone:
                return False  # it had to make room while it was on its way, and is counted
            self.spool.settle(entry.places)
            self._dropped.update(self.spool.expired())
        self._changed.notify_all()
        return True

    def _write(self, entries: Sequence[Entry]) -> bool:
        """Put the entries on disk until a write fails; True if all are there."""
        if self.spool is None:
            return False
        for entry in entries:
            place = self.spool.append(entry.body, entry.spans, own=entry.own)
            if place is None:
                return False
            entry.places = (place,)
            self._dropped.update(self.spool.expired())
        return True

    def _secure(self, most_bytes: float = math.inf) -> bool:
        """Write the requests in flight and about *most_bytes* of the waiting ones to disk; True if there are more."""
        takes = self._write([e for e in self._in_flight if not e.places])
        while takes and self._waiting and most_bytes > 0:
            if takes := self._write([self._waiting[0]]):
                size = len(self._waiting.popleft().body)
                self._waiting_bytes -= size
                most_bytes -= size
        return takes and bool(self._waiting)

    def _make_room(self) -> None:
        while self._waiting_bytes > self._memory_bytes and len(self._waiting) > 1:
            oldest = self._waiting.popleft()
            self._waiting_bytes -= len(oldest.body)
            self._dropped[DropReason.OUTBOX_FULL] += oldest.spans
