"""Sends requests and acts on the answers (retry, split, bisect, renew the token, drop), alike for every transport."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from enum import Enum, auto
from random import Random
from typing import NamedTuple, Protocol

from opentelemetry.context import attach, detach, set_value

from agentops_otel.export.drop_reason import DropReason
from agentops_otel.export.outbox import Entry, Outbox
from agentops_otel.export.split import split_in_two, truncate_values
from agentops_otel.export.threads import BackgroundThread
from agentops_otel.guard import guard
from agentops_otel.tracing import OWN_WORK, SUPPRESS_KEY

BACKOFF_S = 0.2
BACKOFF_LIMIT_S = 5.0
FEW_TRIES = 3
"""Retries after an answer that is not retryable by OTLP but by the documentation of other collectors."""
QUIET_S = 60.0
"""Seconds in which the same fault is logged once."""
PROBE_AGAIN_S = 5.0
"""Seconds between probes of the default collector while it does not answer."""
_TRUNCATED_BYTES = 1024
_random = Random()
"""Not the program's own generator, which it may have seeded."""

_logger = logging.getLogger("agentops_otel")


class Authorization(Protocol):
    """Gives the headers that authorise requests. Called on the sender's thread alone: it may use the network briefly.

    It logs why it has no headers.
    """

    refused: bool
    """True: there will never be headers. The spans are dropped as "unauthorised"."""

    def headers(self) -> Mapping[str, str] | None:
        """The headers that authorise a request now; None: not available yet, and the spans wait."""

    def renew(self) -> bool:
        """Get new headers, after a 401 or 403. True if there are new ones: the request is tried again."""


class Verdict(Enum):
    """The meaning of an answer for the request."""

    ACCEPTED = auto()
    RETRY = auto()
    """The destination fails: retry without a limit."""
    RETRY_FEW = auto()
    """Destination or request may be at fault: retry `FEW_TRIES` times."""
    TOO_LARGE = auto()
    BAD = auto()
    """A span in the request is bad: bisect the request to find it."""
    UNAUTHORISED = auto()
    REFUSED = auto()
    """The destination refuses the request for good: drop it."""
    NO_TOKEN = auto()
    """Not sent: no authorisation yet."""
    NO_ACCESS = auto()
    """Not sent: there will never be an authorisation."""


class Answer(NamedTuple):
    """The result of sending one request, over any transport."""

    verdict: Verdict
    fault: str = ""
    """The fault in a few words, for the log and the counts: "503", "timed out". Never contains secrets."""
    retry_after_s: float | None = None
    """The pause that the destination asks for, in seconds."""
    rejected: int = 0
    """Spans of an accepted request that were rejected."""
    message: str = ""
    """The destination's own message."""
    is_otlp: bool = False
    """True if the answer to an accepted request is valid OTLP, so that the server must be a collector."""


class Transport(Protocol):
    """Sends encoded requests to one destination."""

    limit_bytes: int
    """Requests of several spans are split down to this before they are sent."""

    def send(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
        """Send one request and wait for its answer. Never raises what the network does."""

    def prepare(self) -> None:
        """Import what the first request needs. Called in a thread of the program's: the sender's imports nothing."""

    def close(self) -> None:
        """Let go of connections; the next `send` makes new ones."""

    def forked(self) -> None:
        """Forget connections without touching them, in the child of a fork."""


class Sender:
    """Empties one outbox over one transport, on a thread of its own that starts with the first span.

    Args:
        name: The destination's name in logs, without secrets.
        outbox: What is to be sent.
        transport: How.
        timeout_s: For one request.
        authorization: Gives the headers that authorise a request, where they are not fixed.
        probe: Nobody named the destination: ask whether it is there, and drop its spans uncounted if not.
        cargo: What is sent, as the log calls it.
        splits: False: a request that is too large or bad is dropped as a whole, not split.
    """

    def __init__(
        self,
        name: str,
        outbox: Outbox,
        transport: Transport,
        *,
        timeout_s: float = 10.0,
        authorization: Authorization | None = None,
        probe: bool = False,
        cargo: str = "spans",
        splits: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._cargo = cargo
        self.outbox = outbox
        self._transport = transport
        self._timeout_s = timeout_s
        self._authorization = authorization
        self._probing = probe
        self._clock = clock
        self._next_probe_at = 0.0
        self._said: dict[str, float] = {}
        self._failures = 0
        self._renewed = False
        self._limit_bytes = transport.limit_bytes
        self._thread = BackgroundThread("agentops-otel-send", self._run)
        self._sending = threading.Lock()
        """Held for one request: the thread that a fork ended may still be in one when the next begins."""
        self._act: dict[Verdict, Callable[[Entry, Answer], None]] = {
            Verdict.ACCEPTED: self._accepted,
            Verdict.RETRY: self._later,
            Verdict.RETRY_FEW: self._few_times,
            Verdict.TOO_LARGE: self._too_large,
            Verdict.BAD: self._bad,
            Verdict.UNAUTHORISED: self._unauthorised,
            Verdict.REFUSED: self._refused,
            Verdict.NO_TOKEN: self._back_off,
            **({} if splits else dict.fromkeys((Verdict.TOO_LARGE, Verdict.BAD), self._refused)),
            Verdict.NO_ACCESS: lambda entry, answer: self.outbox.dropped(entry, DropReason.UNAUTHORISED),
        }

    @property
    def wanted(self) -> bool:
        """False for the default collector while it has not answered."""
        return not self._probing

    def prepare(self) -> None:
        """Import what the first request needs, in the calling thread."""
        self._transport.prepare()

    def start(self) -> bool:
        """Make sure that the thread runs; cheap when it does. False if the interpreter allows no thread."""
        return self._thread.start()

    def pause(self) -> threading.Thread | None:
        """Let the thread end, after its request if it is in one. The next `start()` begins another.

        Returns:
            The thread, to be waited for.
        """
        thread = self._thread.detach()
        self.outbox.interrupt()
        return thread

    def send_here(self, deadline: float) -> None:
        """Send in the calling thread, where the interpreter allows no other: at its end, and in some subinterpreters.

        Args:
            deadline: When to give up, by the clock.
        """
        token = attach(set_value(SUPPRESS_KEY, OWN_WORK))
        try:
            while not self.outbox.settled and (entry := self.outbox.take(deadline)) is not None:
                self._send(entry, deadline - self._clock())
        finally:
            detach(token)

    def stop(self, deadline: float) -> None:
        """Let the thread end and close the connections, until *deadline* (the clock's)."""
        self.outbox.close()
        ended = self._thread.join(deadline - self._clock())
        self.outbox.release()
        if ended:
            self._transport.close()  # Otherwise it is still in a request, and closes it after that.

    def forked(self) -> None:
        """In the child of a fork: the thread is gone and the connections are the parent's."""
        self._failures = 0
        self.renew_locks()
        self.outbox.forked()

    def renew_locks(self) -> None:
        """Locks, thread and connection anew: those there are belong to threads that are gone or of another kind."""
        self._thread.forked()
        self._sending = threading.Lock()
        self._transport.forked()
        self.outbox.renew_lock()

    def _run(self) -> None:
        attach(set_value(SUPPRESS_KEY, OWN_WORK))
        while (entry := self._next()) is not None:
            self._send(entry, self._timeout_s)
        if self.outbox.is_closed:
            self._transport.close()

    def _next(self) -> Entry | None:
        interrupts = self.outbox.interrupts  # first: `pause` lets the thread end, and interrupts it after that
        return self.outbox.take(interrupts=interrupts) if self._thread.is_current() else None

    def _send(self, entry: Entry, timeout_s: float) -> None:
        """Send one request and act on the answer. A fault of ours costs the request, never the thread."""
        acted = False
        with self._sending, guard("sending spans"):
            if self._probing and not self._probe():
                self.outbox.discard()
            elif self.outbox.is_pending(entry):
                answer = self._ask(entry, min(timeout_s, self._timeout_s))
                if self.outbox.is_pending(entry):
                    self._act[answer.verdict](entry, answer)
            acted = True
        if not acted:
            self.outbox.dropped(entry, DropReason.SENDER_FAILED)

    def _probe(self) -> bool:
        if self._clock() < self._next_probe_at:
            return False
        with guard("probing for a collector"):
            answer = self._transport.send(b"", {}, 1.0)
            self._probing = not (answer.verdict is Verdict.ACCEPTED and answer.is_otlp)
        self._next_probe_at = self._clock() + PROBE_AGAIN_S
        return not self._probing

    def _ask(self, entry: Entry, timeout_s: float) -> Answer:
        if entry.spans > 1 and len(entry.body) > self._limit_bytes:
            return Answer(verdict=Verdict.TOO_LARGE)
        answer = Answer(verdict=Verdict.RETRY, fault="failed")
        with guard("sending spans"):
            headers = self._authorization.headers() if self._authorization else {}
            if headers is None:
                refused = self._authorization is not None and self._authorization.refused
                return Answer(verdict=Verdict.NO_ACCESS if refused else Verdict.NO_TOKEN)
            answer = self._transport.send(entry.body, headers, timeout_s)
        return answer

    def _accepted(self, entry: Entry, answer: Answer) -> None:
        self._failures, self._renewed = 0, False
        self.outbox.delivered(entry, min(answer.rejected, entry.spans))
        if answer.rejected or answer.message:
            self._say("partial", "%s took all but %d %s: %s", self.name, answer.rejected, self._cargo, answer.message)

    def _later(self, entry: Entry, answer: Answer) -> None:
        fault = f"{answer.fault}: {answer.message}" if answer.message else answer.fault
        waits = "%s: %s. The %s wait, and are sent when it takes them."
        self._say(answer.fault, waits, self.name, fault, self._cargo)
        self._back_off(entry, answer)

    def _back_off(self, entry: Entry, answer: Answer) -> None:
        self._failures += 1
        self.outbox.failed()
        if answer.retry_after_s:  # 0 is no leave to ask without a pause
            self.outbox.pause(answer.retry_after_s, by_destination=True)
        else:
            limit = min(BACKOFF_LIMIT_S, BACKOFF_S * 2 ** min(self._failures - 1, 10))
            self.outbox.pause(limit * _random.uniform(0.5, 1), by_destination=False)

    def _few_times(self, entry: Entry, answer: Answer) -> None:
        entry.tries += 1
        if entry.tries > FEW_TRIES:
            self._refused(entry, answer)
        else:
            self._later(entry, answer)

    def _too_large(self, entry: Entry, answer: Answer) -> None:
        if entry.spans > 1:
            self._limit_bytes = min(self._limit_bytes, len(entry.body) - 1)
            self.outbox.replace(entry, split_in_two(entry.body))
        elif not entry.is_truncated:
            self.outbox.replace(entry, [truncate_values(entry.body, _TRUNCATED_BYTES)])
        else:
            self._refused(entry, answer)

    def _bad(self, entry: Entry, answer: Answer) -> None:
        if entry.spans > 1:
            self.outbox.replace(entry, split_in_two(entry.body))
        else:
            self._refused(entry, answer)

    def _unauthorised(self, entry: Entry, answer: Answer) -> None:
        if self._authorization and not self._renewed:
            self._renewed = True
            with guard("renewing a token"):
                if self._authorization.renew() or self._authorization.refused:
                    return
        self._renewed = False
        self._later(entry, answer)

    def _refused(self, entry: Entry, answer: Answer) -> None:
        self.outbox.dropped(entry, answer.fault)
        self._say(answer.fault, "%s refused %s: %s %s", self.name, self._cargo, answer.fault, answer.message)

    def say_what_is_left(self) -> None:
        """Log one line at the end if spans were dropped or are still on disk."""
        stats = self.outbox.stats(0)
        spool = self.outbox.spool
        if stats.spooled and spool:
            where = spool.directory.parent
            _logger.warning("%s: %d %s wait in %s for the next run.", self.name, stats.spooled, self._cargo, where)
        if stats.dropped:
            _logger.warning("%s: %s were dropped: %s", self.name, self._cargo, dict(stats.dropped))

    def _say(self, fault: str, line: str, *args: object) -> None:
        now = self._clock()
        if now - self._said.get(fault, -QUIET_S) >= QUIET_S:
            self._said[fault] = now
            _logger.warning(line, *args)
