"""The account of a soak finds what is missing, and says of what is lost to a kill that it is."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.soak.account import account, other_answers
from tests.soak.collector import Collector
from tests.soak.service import ENDED

SECOND = 1_000_000_000
WELL = {"produced": 2, "sent": 2, "spooled": 0, "pending": 0, "dropped": {}, "given_up": 0}
LESS, MORE = {**WELL, "sent": 1}, {**WELL, "produced": 3, "sent": 3}


def notes(folder: Path, number: int, spans: Mapping[int, int], stats: object = None, *, pid: int = 10) -> Collector:
    """What one process has noted, and a collector that has taken nothing yet."""
    for name in ("ended", "stats", "spool"):
        (folder / name).mkdir()
    path = folder / "ended" / f"{number}-{pid}"
    path.write_bytes(b"".join(ENDED.pack(span, at * SECOND) for span, at in spans.items()))
    if stats is not None:
        (folder / "stats" / path.name).write_text(json.dumps(stats))
    return Collector(folder)


def ids(*numbers: int) -> list[bytes]:
    """Span ids."""
    return [number.to_bytes(8, "big") for number in numbers]


def test_what_arrived_once_is_well(tmp_path: Path) -> None:
    """Of a process that ended in order, and counted right."""
    collector = notes(tmp_path, 0, {1: 1, 2: 2}, WELL)
    collector.take(ids(1, 2), [])

    found = account(tmp_path, collector, set())

    assert (found.ended, found.delivered, found.faults) == (2, 2, [])


@pytest.mark.parametrize(
    ("taken", "stats", "fault"),
    [
        (ids(1), WELL, "1 of 2 spans of 0-10 are nowhere"),
        (ids(1, 2, 2), WELL, "1 spans of processes that ended in order were delivered twice"),
        (ids(1, 2), None, "0-10 did not end in order"),
        (ids(1, 2), LESS, f"0-10: 2 spans ended, and its stats are {LESS}"),
        (ids(1, 2), MORE, f"0-10: 2 spans ended, and its stats are {MORE}"),
    ],
)
def test_what_does_not_add_up_is_a_fault(tmp_path: Path, taken: list[bytes], stats: object, fault: str) -> None:
    """A span that is nowhere, one that came twice, an end out of order, a count that is wrong."""
    collector = notes(tmp_path, 0, {1: 1, 2: 2}, stats)
    collector.take(taken, [])

    assert account(tmp_path, collector, set()).faults == [fault]


@pytest.mark.parametrize(("number", "faults"), [(0, []), (1, ["1 of 2 spans of 1-10 are nowhere"])])
def test_a_kill_may_take_what_was_not_written(tmp_path: Path, number: int, faults: list[str]) -> None:
    """Services of even numbers have durability="batch"; of the others a kill takes nothing."""
    collector = notes(tmp_path, number, {1: 1, 2: 3})
    collector.take(ids(1, 1), [])

    found = account(tmp_path, collector, {10})

    assert found.faults == faults
    assert found.twice == 1
    assert (found.lost_by_kills, found.oldest_lost_s) == ((1, 0.0) if not faults else (0, 0.0))


def test_another_answer_is_found(tmp_path: Path) -> None:
    """A line that a kill has cut is none; each other is compared."""
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "0-bare").write_text('[0, "a"]\n[1, "b"]\n')
    (tmp_path / "answers" / "0").write_text('[1, "c"]\n[0, "a"]\n[2, "d')

    assert other_answers(tmp_path) == ["0/1"]
