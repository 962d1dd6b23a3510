"""Faults in a small package: each kind is found, and one that a test notices is told from one that none does."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.mutants import __main__ as mutants
from tests.mutants import covering
from tests.mutants.faults import faults

SOURCE = b'''
"""A module."""
LIMIT: int = 8

class Box:
    def put(self, item: str) -> int:
        """Put it there."""
        with self.lock:
            if len(self.items) < LIMIT and item != "no":
                self.items[item] = max(1, 2 - self.one)
        return self.count
'''


def test_faults_of_each_kind_are_found() -> None:
    """In a line that runs once they have the names that it makes; docstrings and annotations have none."""
    assert [(fault.names, fault.shown(SOURCE)) for fault in faults(SOURCE)] == snapshot(
        [
            (("LIMIT",), "constant: 8 -> 9"),
            (None, "lock: with self.lock -> if True"),
            (
                None,
                "condition: len(self.items) < LIMIT and item != \"no\" -> (not (len(self.items) < LIMIT and item != 'no'))",  # noqa: E501
            ),
            (None, "operator: len(self.items) < LIMIT and item != \"no\" -> (len(self.items) < LIMIT or item != 'no')"),
            (None, "comparison: len(self.items) < LIMIT -> (len(self.items) <= LIMIT)"),
            (None, "comparison: len(self.items) < LIMIT -> (len(self.items) >= LIMIT)"),
            (None, "comparison: item != \"no\" -> (item == 'no')"),
            (None, "word: \"no\" -> 'nn'"),
            (None, "statement: self.items[item] = max(1, 2 - self.one) -> pass"),
            (None, "function: max -> min"),
            (None, "constant: 1 -> 2"),
            (None, "operator: 2 - self.one -> (2 + self.one)"),
            (None, "operands: 2 - self.one -> (self.one - 2)"),
            (None, "constant: 2 -> 3"),
            (None, "return: return self.count -> return None"),
        ]
    )


def test_a_fault_that_a_test_notices_is_told_from_one_that_none_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured, planted and judged by a pytest of its own; the copy is left as it was."""
    copy, data = tmp_path / "copy", tmp_path / "data"
    source = "def double(number):\n    return number + number\n\n\ndef dead(number):\n    return number\n"
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:agentops_otel")
    for name, text in {
        "agentops_otel/__init__.py": "",
        "agentops_otel/small.py": source,
        "tests/test_small.py": (
            "from agentops_otel.small import dead, double\n\n"
            "def test_double():\n    assert double(2) == 4\n\n"
            "def test_nothing():\n    dead(1)\n"
        ),
    }.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(text)

    covering.measure(copy, data, mutants.pytest_command("-q", "tests"))
    measured = covering.read(copy, data)
    drawn = mutants.draw(copy, measured, seed=1)
    verdicts = mutants.judge(drawn, copy, measured, data / "verdicts.json")

    assert sorted(verdicts.items()) == snapshot(
        [
            ("agentops_otel/small.py:2 operator: number + number -> (number - number)", "noticed"),
            ("agentops_otel/small.py:6 return: return number -> return None", "survived"),
        ]
    )
    assert (copy / "agentops_otel/small.py").read_text() == source
