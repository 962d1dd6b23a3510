"""The one place that swallows an error of ours, so that it never reaches the app that is traced."""

import logging
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_logger = logging.getLogger("agentops_otel")
_reported: set[str] = set()

reraise = False
"""True only in our own tests: there a swallowed fault must not hide."""


class guard:
    """A block whose errors are ours: each place logs its first one and the app goes on.

    Only `Exception` is held back. A KeyboardInterrupt, a SystemExit or a cancellation belongs to the app.

    Args:
        place: What was being done, as it should read in the log: "reading the response".
    """

    __slots__ = ("_place",)

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return error is not None and self.holds_back(error)

    def holds_back(self, error: BaseException) -> bool:
        """Whether the error ends here, and is logged. For `except`, which costs nothing where there is no error."""
        if not isinstance(error, Exception) or reraise:
            return False
        if self._place not in _reported:
            _reported.add(self._place)
            _logger.warning("agentops_otel failed while %s; your program is not affected", self._place, exc_info=error)
        return True

    def each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R | None]:
        """The result of each item, None for one whose call failed: as a block for each of them, and much quicker."""
        results: list[R | None] = []
        for item in items:
            try:
                results.append(function(item))
            except BaseException as error:
                if not self.holds_back(error):
                    raise
                results.append(None)
        return results
