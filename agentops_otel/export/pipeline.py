"""From ended spans to their destinations, off the app's threads: a queue bounded in bytes and one worker."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from agentops_otel.export.drop_reason import DropReason
from agentops_otel.export.encode import Batch, Encoder, Translation
from agentops_otel.export.metrics import observe
from agentops_otel.export.outbox import Stats
from agentops_otel.export.sender import Sender
from agentops_otel.export.sink import Sink
from agentops_otel.export.threads import (
    FORK_WAIT_AGAIN_S,
    FORK_WAIT_S,
    STARTS_AT_FORK,
    BackgroundThread,
    WakeUp,
    are_greenlets,
)
from agentops_otel.guard import guard
from agentops_otel.tracing import OWN_WORK, is_sampled, suppressed
from agentops_otel.tracing.at_fork import at_fork
from agentops_otel.tracing.fork_wait import wait_before_fork

QUEUE_BYTES = 4 * 1024 * 1024
"""The most that queued spans may take. Beyond that the app's thread encodes a few spans itself."""
LINGER_S = 0.1
"""Seconds in which the worker lets spans gather."""
OVERDUE_S = 0.1
"""Age at which an undelivered request is spooled. `LINGER_S + OVERDUE_S` is what a killed process can lose."""
_GATHER = 512
_SLICE = 64
_HELP = 16
"""Spans that an app's thread encodes when the queue is full."""
_SPAN_BYTES = 2000
"""Estimated memory of a span without its content, in bytes."""
_PERSIST_S = 1.0
"""Seconds that `persist` waits for spans that another thread is encoding."""
_PATIENCE_S = 0.02
"""Seconds that an app's thread waits for a busy sink, or for another one that helps."""

_redacting = guard("redacting a span")
_observing = guard("observing a span")

DELIVERY_SHARE = 0.8
"""Of the time to end: for sending. The rest is for putting on disk what was not acknowledged."""


class Route(NamedTuple):
    """The way to one destination."""

    sender: Sender
    translation: Translation | None = None


class Pipeline(SpanProcessor):
    """Hands every ended, sampled span to its destinations, and counts the results.

    Args:
        routes: Destinations reached by OTLP.
        sinks: Span exporters, run one after the other by the worker.
        senders: Of something else than spans: flushed, recovered and closed with those of the routes.
        observers: Span processors whose `on_end` the worker calls. They count and show spans. Spans that they miss
            are in no count.
        exit_timeout_s: What `shutdown` may take in all.
        durable: True to have each span on disk before `on_end` returns.
        redaction: Takes the secrets out of a span before any destination or sink sees it.
    """

    def __init__(
        self,
        routes: Sequence[Route] = (),
        sinks: Sequence[Sink] = (),
        senders: Sequence[Sender] = (),
        observers: Sequence[SpanProcessor] = (),
        *,
        exit_timeout_s: float,
        durable: bool = False,
        redaction: Callable[[ReadableSpan], ReadableSpan] = lambda span: span,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._routes = tuple(routes)
        self._sinks = tuple(sinks)
        self._senders = (*(route.sender for route in self._routes), *senders)
        self._observers = tuple(observers)
        self._exit_timeout_s = exit_timeout_s
        self._durable = durable
        self._clock = clock
        self._encoder = Encoder()
        self._redaction = redaction
        self._mean_bytes = float(_SPAN_BYTES)
        self._closed = False
        self._observed = False
        self._greenlets = are_greenlets()
        self._fork_wait_s = FORK_WAIT_S
        self._deliver_until: float | None = None
        """When `deliver_at_once` stops trying, by the clock; None: threads deliver."""
        self._worker = BackgroundThread("agentops-otel", self._work)
        self._clear()
        at_fork(before=self._before_fork, after_in_parent=self._after_fork_in_parent, after_in_child=self._forked)

    def _clear(self) -> None:
        self._queue: deque[ReadableSpan] = deque()
        self._changed = threading.Condition()
        self._helping = threading.Lock()
        """Held by the app's thread that helps the worker."""
        self._wake_up = WakeUp()
        self._worker.forked()
        self._forking = self._hurry = False
        self._threshold = 1
        """From this length of the queue on, `on_end` does more than append: 1 while the worker sleeps."""
        self._popped = self._taken = self._encoding = 0
        self._looking_back: Sequence[Sender] = ()
        """Senders whose spools were not empty at the start."""
        self._told = 0
        """Dropped spans that `_kept_all` has reported."""

    takes_running_spans = True
    """The provider may give it the span itself, which is never changed here, in place of a copy."""

    def on_end(self, span: ReadableSpan) -> None:
        """Called by the provider when a span has ended."""
        self._queue.append(span)
        if len(self._queue) >= self._threshold:
            with guard("queueing a span"):
                self._signal()

    def drain(self, timeout_s: float) -> bool:
        """Wait until the spans that have ended so far were encoded and observed; True if they were in time."""
        return self._drain(self._clock() + timeout_s)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Deliver what has ended so far.

        Args:
            timeout_millis: How long to wait.

        Returns:
            True if within the time every span was accepted by its destinations, or put on disk for one that fails,
            and none was dropped since this was asked last.
        """
        in_time = self.deliver(timeout_millis / 1000)
        return self._kept_all() and in_time

    def deliver(self, timeout_s: float) -> bool:
        """As `force_flush`, but drops are still reported to the program's next `force_flush`."""
        deadline = self._clock() + timeout_s
        delivered = self._drain(deadline)
        for sender in self._senders:
            sender.outbox.resume()
        self._send_here(deadline)
        for sender in self._senders:
            delivered &= sender.outbox.wait(deadline)
        for sink in self._sinks:
            with guard(f"flushing {sink.name}"):
                # The SDK's own base class answers None.
                in_time = sink.exporter.force_flush(max(0, int((deadline - self._clock()) * 1000)))
                delivered &= in_time is not False
        return delivered

    def shutdown(self) -> None:
        """Deliver what can be delivered within the exit's time, put the rest on disk, and stop."""
        self.close(self._exit_timeout_s)

    def close(self, timeout_s: float) -> bool:
        """Deliver what can be delivered in *timeout_s* seconds, put the rest on disk, and stop.

        Returns:
            True if nothing was dropped on the way out, or since the last `force_flush`.
        """
        if self._closed:
            return True
        deadline = self._clock() + timeout_s
        self.deliver(timeout_s * DELIVERY_SHARE)
        if not self._taken:  # A process that made no span has its time for what others left.
            for sender in self._looking_back:
                if sender.start():
                    sender.outbox.recover(deadline - timeout_s * (1 - DELIVERY_SHARE))
        self._closed, self._threshold = True, 1
        self._wake_up.set()
        self._close_queue()
        for sender in self._senders:
            sender.outbox.close()
        for sender in self._senders:
            sender.stop(deadline)
            sender.say_what_is_left()
        for sink in self._sinks:
            with guard(f"shutting down {sink.name}"):
                sink.exporter.shutdown()
        self._worker.join(deadline - self._clock())  # A subinterpreter must not end with a thread.
        return self._kept_all()

    def persist(self) -> None:
        """Put on disk whatever has ended: the process may be killed at any moment from now on.

        Where there is no spool, spans stay in memory and are on their way.
        """
        while self._encode_some(_PATIENCE_S):
            pass
        with self._changed:
            self._changed.wait_for(lambda: self._encoding == 0, _PERSIST_S)
        for sender in self._senders:
            sender.outbox.persist()

    def deliver_at_once(self) -> None:
        """Deliver each span when it ends, in its thread: the interpreter is ending, and will not call `shutdown`.

        All deliveries together take the exit's time at most; what ends later is put on disk.
        """
        if self._deliver_until is None:
            self._deliver_until, self._threshold = self._clock() + self._exit_timeout_s, 1
        self.deliver(max(0.0, self._deliver_until - self._clock()))
        self.persist()

    def look_back(self) -> None:
        """Begin to deliver what earlier processes left on disk, if they did; nothing waits for it but `close`."""
        self._looking_back = [sender for sender in self._senders if sender.outbox.has_left_overs]
        if self._looking_back:
            self._prepare()
        for sender in self._looking_back:
            sender.start()

    def recover(self, timeout_s: float) -> dict[str, tuple[int, int]]:
        """Deliver what earlier processes left on disk.

        Args:
            timeout_s: How long to try.

        Returns:
            For each destination by its endpoint: how many spans were delivered, and how many still wait.
        """
        deadline = self._clock() + timeout_s
        self._prepare()
        for sender in self._senders:
            sender.start()
        return {sender.name: sender.outbox.recover(deadline) for sender in self._senders}

    def stats(self) -> Stats:
        """The counts of spans so far; see `Stats`."""
        produced = self._taken + len(self._queue)
        each = {
            **{route.sender.name: route.sender.outbox.stats(produced) for route in self._routes if route.sender.wanted},
            **{sink.name: sink.stats(produced) for sink in self._sinks if sink.counts},
        }
        if not each:
            return Stats()
        furthest_behind = min(each.values(), key=lambda stats: stats.sent)
        return replace(furthest_behind, destinations=each)

    def _signal(self) -> None:
        """The slow part of `on_end`: wake the worker, or help it."""
        if self._closed:
            self._give_up(DropReason.SHUT_DOWN)
        elif self._deliver_until is not None:
            self.deliver_at_once()
        elif self._durable or self._threshold >= self._limit:
            self._start()
            self._help()
        else:
            begun = self._start()
            self._let_gather(self._limit)
            if begun:
                self._wake_up.set()

    def _help(self) -> None:
        """Encode a few spans in the app's thread; one thread at a time, until the queue is twice its limit."""
        must = self._durable or len(self._queue) >= 2 * self._limit
        # Threads that wait for each other's locks, one span after the other, cost more than they encode.
        alone = self._helping.acquire(timeout=_PATIENCE_S if must else 0)
        try:
            if alone or must:
                self._encode_some(_PATIENCE_S, _HELP)
        finally:
            if alone:
                self._helping.release()

    def _let_gather(self, spans: int) -> None:
        """From now on `on_end` only appends while the queue is shorter than *spans*."""
        self._threshold = spans
        if self._deliver_until is not None:
            self._threshold = 1  # `deliver_at_once` began meanwhile, in another thread.

    @property
    def _limit(self) -> int:
        return max(_HELP, int(QUEUE_BYTES / self._mean_bytes))

    def _start(self) -> bool:
        """Make sure that the worker runs; False if spans are encoded in the app's threads, or have to be."""
        if not self._observed:
            self._observed = True
            observe(self.stats)
            self._prepare()
        if self._greenlets != are_greenlets():
            self._renew_locks()
        return not self._durable and self._deliver_until is None and self._worker.start()

    def _prepare(self) -> None:
        for sender in self._senders:
            sender.prepare()

    def _work(self) -> None:
        try:
            for sender in self._senders:
                sender.start()  # While it can be: at its end, Python 3.12 starts no thread.
            due = self._secure()
            while self._runs():
                self._threshold = 1
                if not self._queue:
                    self._wake_up.wait(due)
                if self._queue and not self._hurry and self._runs():
                    self._let_gather(min(_GATHER, self._limit))
                    self._wake_up.wait(LINGER_S if due is None else min(LINGER_S, due))
                self._let_gather(self._limit)
                self._hurry = False
                due = self._secure()
                while self._runs() and self._encode_some(-1):
                    time.sleep(0)  # The app's threads go first.
                    due = self._secure()
        finally:
            if self._runs():  # It dies. Who saw it alive for its last moment would start no other.
                self._worker.detach()
            self._threshold = 1  # However this thread ended, the next span starts another.

    def _runs(self) -> bool:
        return self._worker.is_current() and not self._closed

    def _secure(self) -> float | None:
        """Put on disk what is overdue; in how many seconds more will be, None if nothing is on its way."""
        due = [sender.outbox.spool_older_than(OVERDUE_S) for sender in self._senders]
        return min((seconds for seconds in due if seconds is not None), default=None)

    def _drain(self, deadline: float) -> bool:
        """See to it that all that has ended so far is encoded by *deadline*; True if it is."""
        with self._changed:
            target = self._popped + len(self._queue)
        if self._queue:
            self._hurry = True
            if self._start():
                self._wake_up.set()
            else:
                while (left_s := deadline - self._clock()) > 0 and self._encode_some(left_s):
                    pass
        with self._changed:
            return self._changed.wait_for(
                lambda: self._popped - self._encoding >= target, max(0.0, deadline - self._clock())
            )

    def _send_here(self, deadline: float) -> None:
        """Send in this thread what has no thread to send it, each destination within its share of the time."""
        waiting = [sender for sender in self._senders if not sender.outbox.settled]
        while waiting:
            share_s = max(0.0, deadline - self._clock()) / len(waiting)
            sender = waiting.pop()
            if self._deliver_until is not None or not sender.start():
                sender.send_here(self._clock() + share_s)

    def _kept_all(self) -> bool:
        """Whether nothing was dropped since this was asked last."""
        before = self._told
        self._told = sum(sum(stats.dropped.values()) for stats in self.stats().destinations.values())
        return self._told == before

    def _close_queue(self) -> None:
        """Take what no worker got to, at the end: encoded for the spools, given up for the sinks."""
        spans = self._take(len(self._queue))
        if spans:
            with guard("encoding spans"):
                self._hand_over(self._redacted(spans))
            for sink in self._sinks:
                sink.dropped[DropReason.EXIT] += len(spans)
            self._encoded(len(spans))

    def _encode_some(self, patience_s: float, limit: int = _SLICE) -> bool:
        """Take the next few spans to the outboxes and sinks; False if there were none."""
        spans = self._take(limit)
        if not spans:
            return False
        try:
            with suppressed(OWN_WORK), guard("exporting spans"):
                redacted = self._redacted(spans)
                self._hand_over(redacted)
                for sink in self._sinks:
                    sink.export(redacted, patience_s)
                self._show(redacted)
        finally:
            self._encoded(len(spans))
        return True

    def _encoded(self, number: int) -> None:
        """So many of those that were taken are with the outboxes, or given up: whoever waits for that goes on."""
        with self._changed:
            self._encoding -= number
            self._changed.notify_all()

    def _show(self, spans: Sequence[ReadableSpan]) -> None:
        for observer in self._observers:
            _observing.each(observer.on_end, spans)

    def _take(self, limit: int) -> list[ReadableSpan]:
        spans: list[ReadableSpan] = []
        with self._changed:
            while self._queue and len(spans) < limit:
                span = self._queue.popleft()
                self._popped += 1
                if is_sampled(span):
                    spans.append(span)
            self._taken += len(spans)
            self._encoding += len(spans)
            self._changed.notify_all()
        return spans

    def _redacted(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        """The spans without secrets. One that cannot be searched keeps its ids and times alone."""
        redacted = _redacting.each(self._redaction, spans)
        return [_withheld(span) if clean is None else clean for span, clean in zip(spans, redacted, strict=True)]

    def _hand_over(self, spans: Sequence[ReadableSpan]) -> None:
        encoded: dict[Translation | None, Batch] = {}
        for route in self._routes:
            batch = encoded.get(route.translation)
            if batch is None:
                batch = encoded[route.translation] = self._encoder.batch(spans, route.translation)
                size = _SPAN_BYTES + len(batch.body) / len(spans)
                self._mean_bytes = max(size, (self._mean_bytes + size) / 2)
                self._let_gather(min(self._threshold, self._limit))
            outbox = route.sender.outbox
            if self._durable:
                outbox.store(batch)
            else:
                outbox.add(batch, more=bool(self._queue))
            outbox.count_lost(len(spans) - batch.spans, DropReason.NOT_ENCODABLE)
            if self._deliver_until is None and not (self._closed or self._forking):
                route.sender.start()

    def _give_up(self, reason: str) -> None:
        lost = len(self._take(len(self._queue)))
        self._encoded(lost)
        for route in self._routes:
            route.sender.outbox.count_lost(lost, reason)
        for sink in self._sinks:
            sink.dropped[reason] += lost

    def _forked(self) -> None:
        """In the child of a fork: the parent delivers what it had, and the threads and locks are gone."""
        self._clear()
        for sender in self._senders:
            sender.forked()
        for sink in self._sinks:
            sink.forked()

    def _renew_locks(self) -> None:
        """The program has turned threads into greenlets: one that waited for a native lock would stop all the others.

        The threads that run already are left behind, at locks that are never released.
        """
        self._greenlets = are_greenlets()
        self._changed, self._helping, self._wake_up = threading.Condition(), threading.Lock(), WakeUp()
        self._worker.forked()
        for sender in self._senders:
            sender.renew_locks()
        for sink in self._sinks:
            sink.lock = threading.RLock()

    def _before_fork(self) -> None:
        """End our threads: a program that has one thread without us has one when it forks.

        Where they cannot begin again at once, what waits is on disk until the next span, a flush or the end.
        """
        if are_greenlets():
            return
        worker = self._worker.detach()
        self._wake_up.set()
        # Each sender is paused when the worker, which may wake it once more, has ended.
        threads = chain([worker], (sender.pause() for sender in self._senders))
        in_time = wait_before_fork(threads, self._fork_wait_s)
        self._fork_wait_s = FORK_WAIT_S if in_time else FORK_WAIT_AGAIN_S
        if in_time and not STARTS_AT_FORK:
            self._forking = True
            self.persist()

    def _after_fork_in_parent(self) -> None:
        """Go on with what the threads were at."""
        is_secured, self._forking = self._forking, False
        if is_secured or self._closed:
            return
        if self._queue or any(sender.outbox.has_work for sender in self._senders):
            self._start()
            for sender in self._senders:
                sender.start()


def _withheld(span: ReadableSpan) -> ReadableSpan:
    """The ids and times of the span."""
    return ReadableSpan(
        "redacted",
        span.context,
        span.parent,
        Resource({}),  # without one the SDK detects it anew, in threads
        kind=span.kind,
        start_time=span.start_time,
        end_time=span.end_time,
    )
