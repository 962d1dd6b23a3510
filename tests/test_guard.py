"""The guard: what it holds back, what it lets through, and how often it says so."""

import asyncio
import logging

import pytest

from agentops_otel import guard as module
from agentops_otel.guard import guard


@pytest.fixture(autouse=True)
def _as_in_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults are swallowed as in a user's program, and none has been reported yet."""
    monkeypatch.setattr(module, "reraise", False)
    monkeypatch.setattr(module, "_reported", set())


def test_an_error_is_held_back_and_logged_once_for_each_place(caplog: pytest.LogCaptureFixture) -> None:
    """The program goes on; the first error of a place is logged with its traceback, the next ones are not."""
    for place in ("here", "here", "there"):
        with guard(place):
            raise ValueError(place)

    assert [(record.levelno, record.getMessage(), record.exc_info is not None) for record in caplog.records] == [
        (logging.WARNING, f"agentops_otel failed while {place}; your program is not affected", True)
        for place in ("here", "there")
    ]


def test_of_many_items_those_that_fail_have_no_result(caplog: pytest.LogCaptureFixture) -> None:
    """Each is called, and the first error is logged."""
    seen: list[int] = []

    def tenth(item: int) -> float:
        seen.append(item)
        return 10 / item

    assert guard("dividing").each(tenth, [0, 2, 0, 5]) == [None, 5.0, None, 2.0]
    assert seen == [0, 2, 0, 5]
    assert [record.getMessage() for record in caplog.records] == [
        "agentops_otel failed while dividing; your program is not affected"
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit])
def test_what_belongs_to_the_program_passes(error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    """An interrupt, an exit or a cancellation is the program's own: it goes on, and nothing is logged."""

    def fail(item: int) -> None:
        raise error

    with pytest.raises(error), guard("here"):
        raise error
    with pytest.raises(error):
        guard("here").each(fail, [1])

    assert caplog.records == []


def test_our_own_tests_see_every_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `reraise`, as the tests have it, no fault hides."""
    monkeypatch.setattr(module, "reraise", True)

    with pytest.raises(ValueError, match="shown"), guard("here"):
        raise ValueError("shown")
    with pytest.raises(ZeroDivisionError):
        guard("here").each((1).__truediv__, [0])
