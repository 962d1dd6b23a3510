"""What could not be sent yet, on disk: append-only segments of checked records, one set a process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Records read back, as one request."""

    body: bytes
    spans: int
    places: Sequence[Place]
    own: bool


class Spool:
    """The folder of one destination."""

    own_spans = 0

    def append(self, body: bytes, spans: int) -> Place | None:
        """Write a record; None: it could not be."""

    def read(self, limit_bytes: int, limit_spans: int) -> Stored | None:
        """The next records that are not settled."""

    def settle(self, places: Sequence[Place]) -> None:
        """The records are delivered or given up."""

    def expired(self) -> Mapping[str, int]:
        """Own spans that had to make room since the last call, by reason."""
        return {}

    def forked(self) -> None:
        """In the child of a fork: the segments are the parent's."""
