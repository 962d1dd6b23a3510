"""A trace file for the spans of an AgentOps account whose key is refused."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.export.drop_reason import DropReason
from agentops_otel.export.sink import Sink

LIMIT = 512
"""Spans kept until the key is accepted or refused; beyond that the oldest are dropped."""


@dataclass(kw_only=True)
class FallbackFile(Sink):
    """A sink that writes only if the account's key is refused. Until that is known it keeps the spans in memory."""

    counts: bool = False
    """True once spans are written here."""
    active: bool | None = None
    """True: the key was refused. False: it was accepted. None: not known yet."""
    waiting: deque[ReadableSpan] = field(default_factory=deque)

    def export(self, spans: Sequence[ReadableSpan], patience_s: float) -> None:
        """Keep the spans while the key is unchecked, write them if it was refused, ignore them if it was accepted."""
        if self.active is False:
            return
        self.waiting.extend(spans)
        if self.active:
            self._write(patience_s)
        else:
            self.dropped[DropReason.NO_ROOM] += len(self._taken(len(self.waiting) - LIMIT))

    def activate(self) -> None:
        """The key was refused: write the spans that wait, and all that follow. Runs on the sender's thread."""
        self.active = self.counts = True
        self._write(-1)

    def discard(self) -> None:
        """The key was accepted: nothing is written here."""
        self.active = False
        self.waiting.clear()

    def forked(self) -> None:
        """In the child of a fork: forget the spans that wait, which are the parent's."""
        super().forked()
        self.waiting = deque()

    def _write(self, patience_s: float) -> None:
        if spans := self._taken(len(self.waiting)):
            super().export(spans, patience_s)

    def _taken(self, most: int) -> list[ReadableSpan]:
        """Take spans that wait, at most *most*; each once, also if two threads call this."""
        spans: list[ReadableSpan] = []
        while len(spans) < most:
            try:
                spans.append(self.waiting.popleft())
            except IndexError:
                break
        return spans
