"""How a stream has ended, by what its read raised."""

import asyncio
from typing import Any

import pytest
from opentelemetry.context import Context

from agentops_otel.wrapping.stream import StreamObserver


class Noting(StreamObserver):
    """Notes each end."""

    def __init__(self) -> None:
        super().__init__(Context())
        self.ends: list[object] = []

    def chunk(self, chunk: Any) -> Any:
        """Twice as much."""
        return chunk * 2

    def exhausted(self) -> None:
        """Note it."""
        self.ends.append("exhausted")

    def failed(self, error: Exception) -> None:
        """Note the error."""
        self.ends.append(error)

    def abandoned(self) -> None:
        """Note it."""
        self.ends.append("abandoned")


@pytest.mark.parametrize(
    ("raised", "end"),
    [
        (StopIteration(), "exhausted"),
        (StopAsyncIteration(), "exhausted"),
        (KeyboardInterrupt(), "abandoned"),
        (GeneratorExit(), "abandoned"),
        (asyncio.CancelledError(), "abandoned"),
        (ValueError("generator already executing"), None),
        (RuntimeError("anext(): asynchronous generator is already running"), None),
        (ValueError("generator already executing, or not"), "failed"),
        (OSError("generator already executing"), "failed"),
    ],
    ids=repr,
)
def test_a_read_that_raises_is_one_end_of_a_stream(raised: BaseException, end: str | None) -> None:
    """Another thread's or task's read is none: the stream goes on."""
    observer = Noting()

    assert observer.returned("a") == "aa"
    observer.raised(raised)

    assert observer.ends == ([] if end is None else [raised if end == "failed" else end])
