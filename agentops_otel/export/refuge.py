"""Where the spans of an account go whose key turns out to be refused."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export.pipeline import Sink

LIMIT = 512
"""How many spans wait for the service's word on the key; the oldest give way."""


@dataclass(slots=True, kw_only=True)
class Refuge(Sink):
    """A sink that is used only if the account's key is refused; until that is known it keeps the spans."""

    needed: bool | None = None
    """None: the service has not spoken yet."""
    waiting: deque[ReadableSpan] = field(default_factory=deque)

    @property
    def counts(self) -> bool:
        """True once the spans really go here."""
        return self.needed is True

    def export(self, spans: Sequence[ReadableSpan], patience_s: float) -> None:
        """Keep the spans, write them, or let them go, by what is known of the key."""
        if self.needed is False:
            return
        self.waiting.extend(spans)
        if self.needed:
            self._write(patience_s)
        else:
            self.dropped["no room"] += len(self._taken(len(self.waiting) - LIMIT))

    def decide(self, *, needed: bool) -> None:
        """The service has spoken, on the sender's thread: whether its spans are to go here from now on."""
        self.needed = needed
        if needed:
            self._write(-1)
        else:
            self.waiting.clear()

    def forked(self) -> None:
        """As for every sink; what waits is the parent's."""
        Sink.forked(self)
        self.waiting = deque()

    def _write(self, patience_s: float) -> None:
        if spans := self._taken(len(self.waiting)):
            Sink.export(self, spans, patience_s)

    def _taken(self, most: int) -> list[ReadableSpan]:
        """Each span once, also when two threads are at it."""
        spans: list[ReadableSpan] = []
        while len(spans) < most:
            try:
                spans.append(self.waiting.popleft())
            except IndexError:
                break
        return spans
