"""Faults in a small package: each kind is found, and one that a test notices is told from one that none does."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.mutants import __main__ as mutants
from tests.mutants import choice, covering
from tests.mutants.accepted import ACCEPTED, without_line
from tests.mutants.faults import faults

SOURCE = b'''
"""A module."""
LIMIT: int = 8
SIZES = {"a": LIMIT, "b": LIMIT}

class Box:
    def put(self, item: str) -> int:
        """Put it there."""
        with self.lock:
            if len(self.items) < LIMIT and item != "no":
                self.items[item] = max(1, 2 - self.one)
                return list(zip(self.items, self.items, strict=True))
        return self.count
'''


def test_faults_of_each_kind_are_found() -> None:
    """In a line that runs once they have the names that it makes; docstrings and annotations have none."""
    assert [(fault.names, fault.shown(SOURCE)) for fault in faults(SOURCE)] == snapshot(
        [
            (("LIMIT",), "constant: 8 -> 9"),
            (("SIZES",), 'row: {"a": LIMIT, "b": LIMIT} -> {\'b\': LIMIT}'),
            (("SIZES",), 'row: {"a": LIMIT, "b": LIMIT} -> {\'a\': LIMIT}'),
            (("SIZES",), "word: \"a\" -> '`'"),
            (("SIZES",), "word: \"b\" -> 'c'"),
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
            (None, "return: return list(zip(self.items, self.items, strict=True)) -> return None"),
            (None, "return: return self.count -> return None"),
        ]
    )


def test_a_fault_is_told_by_its_line_from_others_like_it() -> None:
    """Also where both are in one line; the number of the line may change."""
    source = b"one = 0\ntwo = 0, 0\nall = {\n    0: 1,\n}\n"

    places = [fault.place("a.py", source) for fault in faults(source) if fault.kind != "row"]

    assert places == snapshot(
        [
            "a.py:1 constant: 0 -> 1 | one = >>0<<",
            "a.py:2 constant: 0 -> 1 | two = >>0<<, 0",
            "a.py:2 constant: 0 -> 1 | two = 0, >>0<<",
            "a.py:4 constant: 0 -> 1 | >>0<<: 1,",
            "a.py:4 constant: 1 -> 2 | 0: >>1<<,",
        ]
    )
    assert len({without_line(place) for place in places}) == len(places)


def test_what_checkers_of_types_read_has_no_faults() -> None:
    """A signature among several, and the bound of a type variable."""
    source = b"""
F = TypeVar("F", bound=int)

@overload
def one(number: int = 1) -> int: ...
def one(number: int = 2) -> int:
    return number
"""

    assert [fault.shown(source) for fault in faults(source)] == [
        "constant: 2 -> 3",
        "return: return number -> return None",
    ]


def test_a_fault_that_a_test_notices_is_told_from_one_that_none_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured, planted and judged by a pytest of its own; the copy is left as it was.

    It starts three, which takes seconds.
    """
    copy, data = tmp_path / "copy", tmp_path / "data"
    source = "def double(number):\n    return number + number\n\n\ndef dead(number):\n    return number\n"
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:agentops_otel")
    _write(
        copy,
        {
            "agentops_otel/__init__.py": "",
            "agentops_otel/small.py": source,
            "tests/test_small.py": (
                "from agentops_otel.small import dead, double\n\n"
                "def test_double():\n    assert double(2) == 4\n\n"
                "def test_nothing():\n    dead(1)\n"
            ),
            "agentops_otel/late.py": "def late(number):\n    return number\n",
            "tests/test_late.py": (
                "from agentops_otel.late import late\n\n"
                "def test_late():\n    assert late(2) == 2\n\n"
                "def test_nothing():\n    late(1)\n"
            ),
        },
    )

    covering.measure(copy, data, mutants.pytest_command("-q", "tests"))
    measured = covering.read(copy, data)
    measured = replace(measured, seconds={**measured.seconds, "tests/test_late.py::test_late": choice.TESTS_S + 1})
    drawn = mutants.draw(copy, measured, seed=1)
    verdicts = mutants.judge(drawn, copy, measured, data / "verdicts.json", preloaded=())

    assert sorted(verdicts.items()) == snapshot(
        [
            (
                "agentops_otel/late.py:2 return: return number -> return None | >>return number<<",
                "tests/test_late.py::test_late at the second look",
            ),
            (
                "agentops_otel/small.py:2 return: return number + number -> return None | >>return number + number<<",
                "tests/test_small.py::test_double",
            ),
            ("agentops_otel/small.py:6 return: return number -> return None | >>return number<<", "no test"),
        ]
    )
    assert (copy / "agentops_otel/small.py").read_text() == source


def test_a_draw_may_be_of_one_room(tmp_path: Path) -> None:
    """The others' lines are not drawn."""
    files = {f"agentops_otel/{name}.py": "def one(number):\n    return number\n" for name in ("small", "large")}
    _write(tmp_path, files)
    test = "tests/test_small.py::test_one"
    measured = covering.Covering({key: {2: frozenset([test])} for key in files}, {test: 0.0})

    drawn = mutants.draw(tmp_path, measured, seed=1, rooms="^sm")

    assert [file for file, _ in drawn] == ["agentops_otel/small.py"]


def test_a_draw_has_one_fault_of_a_line_or_each(tmp_path: Path) -> None:
    """A line with many counts as one with few."""
    file, test = "agentops_otel/small.py", "tests/test_small.py::test_one"
    _write(tmp_path, {file: "def one(number):\n    return number + 1\n"})
    measured = covering.Covering({file: {2: frozenset([test])}}, {test: 0.0})

    drawn = [[fault.kind for _, fault in mutants.draw(tmp_path, measured, seed=1, each=each)] for each in (False, True)]

    assert (len(drawn[0]), sorted(drawn[1])) == (1, ["constant", "operator", "return"])


@pytest.mark.parametrize(
    ("source", "text"), [(b"LIMIT = 8\n", "small.LIMIT == 8"), (b'WORDS = ("no room",)\n', 'dropped == {"no room": 1}')]
)
def test_a_constant_is_shown_first_to_tests_that_name_it_or_have_its_word(source: bytes, text: str) -> None:
    """However many others have the name of its file."""
    [fault, *_] = faults(source)
    seconds = {"tests/test_small.py::test_long": 20.0, "tests/test_pages.py::test_limit": 0.1}
    texts = {"tests/test_small.py": "", "tests/test_pages.py": text}
    measured = covering.Covering({"agentops_otel/small.py": {}}, seconds, texts)

    assert choice.tests_of("agentops_otel/small.py", fault, source, measured) == [
        "tests/test_pages.py::test_limit",
        "tests/test_small.py::test_long",
    ]


def test_a_fault_is_shown_to_quick_tests_of_other_rooms_before_slow_ones_of_its_own() -> None:
    """These use up no time that those need."""
    source = b"def one(number):\n    return number\n"
    [fault] = faults(source)
    seconds = {
        "tests/view/test_other.py::test_slow": 2.0,
        "tests/view/test_small.py::test_slow": 29.0,
        "tests/view/test_small.py::test": 0.1,
        "tests/test_x.py::test": 0.01,
    }
    file = "agentops_otel/view/small.py"
    measured = covering.Covering({file: {2: frozenset(seconds)}}, seconds)

    assert choice.tests_of(file, fault, source, measured) == [
        "tests/view/test_small.py::test",
        "tests/test_x.py::test",
        "tests/view/test_small.py::test_slow",
    ]


def test_a_fault_where_programs_are_killed_is_shown_to_the_tests_beside_those_that_run_the_line() -> None:
    """And to those whose programs fork and leave; elsewhere to those that run it."""
    source = b"def one(number):\n    return number\n"
    [fault] = faults(source)
    names = ("export/test_small.py::test_runs", "export/test_small.py::test_kills", "test_leaving.py::test_leaves")
    runs, kills, leaves = (f"tests/{name}" for name in names)
    files = [f"agentops_otel/{name}/small.py" for name in ("export", "view")]
    measured = covering.Covering(
        {file: {2: frozenset([runs])} for file in files},
        dict.fromkeys((runs, kills, leaves, "tests/test_other.py::test"), 1.0),
    )

    assert [choice.tests_of(file, fault, source, measured) for file in files] == [[runs, kills, leaves], [runs]]


def test_a_fault_that_is_let_pass_is_shown_to_all_that_run_the_line_and_those_beside_them() -> None:
    """The quickest first, within a bound of time, and none twice; where programs are killed, others too."""
    source = b"def one(number):\n    return number\n"
    [fault] = faults(source)
    names = (
        "a.py::test_seen",
        "a.py::test_slow",
        "a.py::test_beside",
        "b.py::test_runs",
        "test_leaving.py::test_leaves",
    )
    seen, slow, beside, runs, leaves = (f"tests/{name}" for name in names)
    seconds = {seen: 1.0, slow: 40.0, beside: 1.0, runs: 30.0, leaves: 1.0, "tests/view/test_long.py::test": 1.0}
    export, view = (f"agentops_otel/{name}/small.py" for name in ("export", "view"))
    measured = covering.Covering({key: {2: frozenset([seen, slow, runs])} for key in (export, view)}, seconds)

    looks = [choice.second_look(file, fault, source, measured, [seen], 72.0) for file in (export, view)]
    assert looks == [[runs, slow, beside, leaves], [runs, slow, beside]]
    assert choice.second_look(view, fault, source, measured, [seen], 35.0) == [runs, beside]


def test_a_fault_in_what_modules_call_is_shown_to_the_tests_of_the_room() -> None:
    """After those that run the line: what it makes is made when they begin."""
    source, file = b"def one(number):\n    return number\n", "agentops_otel/view/small.py"
    [fault] = faults(source)
    runs, near, far = "tests/test_b.py::test_runs", "tests/view/test_a.py::test_near", "tests/test_c.py::test_far"
    measured = covering.Covering({file: {2: frozenset([runs])}}, dict.fromkeys((runs, near, far), 1.0))

    assert choice.tests_of(file, fault, source, measured) == [runs]
    called = replace(measured, at_import={file: frozenset([2])})
    assert choice.tests_of(file, fault, source, called) == [runs, near]


def test_each_test_of_the_checkout_is_known_by_the_lines_that_it_runs(tmp_path: Path) -> None:
    """In a copy of it, with its conftest, which pauses coverage in other runs.

    It imports the package and what the tests share, under coverage, which takes seconds.
    """
    copy, data = tmp_path / "copy", tmp_path / "data"
    mutants._copy(copy)

    covering.measure(copy, data, mutants.pytest_command("-q", "tests/recording/test_parameters.py"))
    measured = covering.read(copy, data)

    running = measured.tests["agentops_otel/recording/parameters.py"].values()
    assert len(measured.seconds) > 5
    assert frozenset().union(*running) == measured.seconds.keys()


KILLED = """
import os, sys
from pathlib import Path
from tests.mutants import __main__ as mutants
from tests.mutants.covering import Covering
from tests.mutants.faults import faults

copy, file, test = Path(sys.argv[1]), "agentops_otel/small.py", "tests/test_small.py::test_kills"
fault = next(iter(faults((copy / file).read_bytes())))
measured = Covering({file: {fault.line: frozenset([test])}}, {test: 1.0, "tests/test_small.py::test_passes": 0.0})
os.environ["DRAW"] = str(os.getpid())
mutants.judge([(file, fault)], copy, measured, copy / "verdicts.json", preloaded=())
"""


def test_a_draw_that_is_killed_leaves_a_copy_that_is_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test that the fault is shown to kills the draw, while the fault is in the file."""
    copy = tmp_path / "copy"
    source = "def one(number):\n    return number\n"
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:agentops_otel")
    kills = """
import os, signal

def test_passes(): ...

def test_kills():
    os.kill(int(os.environ["DRAW"]), signal.SIGKILL)
"""
    _write(copy, {"agentops_otel/__init__.py": "", "agentops_otel/small.py": source, "tests/test_small.py": kills})

    subprocess.run([sys.executable, "-c", KILLED, str(copy)], cwd=covering.ROOT, check=False)
    left = (copy / "agentops_otel/small.py").read_text()
    mutants.restore(copy)

    assert (left, (copy / "agentops_otel/small.py").read_text()) == ("def one(number):\n    return None\n", source)


def test_the_accepted_faults_are_those_of_the_code_as_it_is() -> None:
    """A line that has changed is judged again."""
    found = {
        without_line(fault.place(file, source))
        for file in {place.partition(" ")[0] for place in ACCEPTED}
        for source in [(covering.ROOT / file).read_bytes()]
        for fault in faults(source)
    }

    assert ACCEPTED.keys() - found == set()
    assert without_line("agentops_otel/one.py:12 word: a:1 -> b") == "agentops_otel/one.py word: a:1 -> b"


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
