"""Which tests a fault is shown to: those that run the line, the nearest first, within a bound of time."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.mutants.covering import Covering
from tests.mutants.faults import Fault

TESTS_S = 30.0
"""How long the tests of one fault may take in all, as they took unchanged."""

SECOND_LOOK_S = 120.0
"""How long the further tests may take that a fault is shown to which those have let pass."""

QUICK_S = 0.1
"""A test that takes no longer goes before those that do, whatever its room, and all such have a third of that time."""

PROGRAMS = (
    *("tests/test_leaving.py", "tests/test_servers.py"),
    *("tests/export/test_processes.py", "tests/export/test_gunicorn.py"),
)
"""Their programs fork and leave, and coverage does not measure them: nobody knows which lines they run."""

READING = ("tests/clients/test_tables.py", "tests/test_house.py")
"""Say the tables of all clients a second time, and read the code: they run no line of it."""

CONTRACT = "tests/clients/test_contract.py"
"""Holds of each client that is installed."""

ROOMS_OF_PROGRAMS = ("client", "export", "launcher", "one_trace", "sdk", "startup", "taskweaver")
"""Where a fault may be noticed by those alone, or by a test whose program is killed, which leaves nothing measured.

What the tests which run the line let pass is shown to the others of their files, and to those.
"""


ELSEWHERE = {
    **dict.fromkeys(("launcher", "one_trace", "startup"), ("tests/test_launcher.py", "tests/test_run.py")),
    **dict.fromkeys(("api", "client"), ("tests/test_sdk.py",)),
    **dict.fromkeys(("destinations", "settings"), ("tests/test_config.py",)),
    "metrics": ("tests/instrumentation/test_metrics.py",),
}
"""Where the tests of a room are that has no folder or file of its name."""


def room(file: str) -> str:
    """The room that the file is in."""
    return Path(file).parts[1].removesuffix(".py")


def tests_of(file: str, fault: Fault, source: bytes, measured: Covering) -> list[str]:
    """The tests for a fault in the file: of the room's own and the quickest first; none if none runs the line."""
    ordered = _by_distance(_near(file, fault, source, measured), measured)
    chosen = list(
        _within([test for test in ordered if measured.seconds[test] <= QUICK_S], measured.seconds, TESTS_S / 3)
    )
    chosen += _within([test for test in ordered if measured.seconds[test] > QUICK_S], measured.seconds)
    if chosen and room(file) in ROOMS_OF_PROGRAMS:
        beside = () if fault.names else tuple({f"{test.partition('::')[0]}::" for test in chosen})
        for starts in (beside, PROGRAMS):
            further = {test for test in measured.seconds if test.startswith(starts)} - set(chosen)
            chosen += _within(sorted(further, key=measured.seconds.__getitem__), measured.seconds)
    return chosen


def second_look(
    file: str, fault: Fault, source: bytes, measured: Covering, seen: Collection[str], most_s: float
) -> list[str]:
    """For a fault that *seen* have let pass: all others that run the line, then those of their files.

    Then, where programs are killed, those of the room and whose programs leave. Slow ones too, while there is time.
    """
    beside = {f"{test.partition('::')[0]}::" for test in measured.tests[file].get(fault.line, ())}
    places = [beside, _of_room(file), PROGRAMS] if room(file) in ROOMS_OF_PROGRAMS else [beside]
    distance = _near(file, fault, source, measured)
    for n, names in enumerate(places, start=4):
        distance = dict.fromkeys(_starting(names, measured), n) | distance
    unseen = [test for test in _by_distance(distance, measured) if test not in seen]
    return list(_within(unseen, measured.seconds, most_s))


def _near(file: str, fault: Fault, source: bytes, measured: Covering) -> dict[str, int]:
    """The tests that run the line, or where it runs once any, and how far each is from it."""
    if fault.names is not None:
        return _distances(file, fault, fault.names, source, measured)
    own_file, in_room = f"/test_{Path(file).stem}.py::", _of_room(file)
    distance = {
        test: 0 if own_file in test else 1 if test.startswith(in_room) else 2
        for test in measured.tests[file].get(fault.line, ())
    }
    if fault.line in measured.at_import.get(file, ()):
        return dict.fromkeys(_starting(in_room, measured), 3) | distance
    return distance


def _of_room(file: str) -> tuple[str, ...]:
    return (f"tests/{room(file)}/", f"tests/test_{room(file)}.py", *ELSEWHERE.get(room(file), ()))


def _starting(names: Iterable[str], measured: Covering) -> list[str]:
    return [test for test in measured.seconds if test.startswith(tuple(names))]


def _by_distance(distance: Mapping[str, int], measured: Covering) -> list[str]:
    return sorted(distance, key=lambda test: (distance[test], measured.seconds[test], test))


def is_tested(file: str, measured: Covering) -> bool:
    """Not the file of a client or framework that is not installed: it is imported, and its tests are skipped."""
    name = Path(file).parts[2].removesuffix(".py") if room(file) in ("clients", "frameworks") else ""
    if name in ("", "__init__", "dialects"):
        return True
    own = f"tests/frameworks/test_{name}.py::"
    return any(
        test.startswith(own) or (test.startswith(f"{CONTRACT}::") and f"[{name}" in test) for test in measured.seconds
    )


def _distances(file: str, fault: Fault, names: tuple[str, ...], source: bytes, measured: Covering) -> dict[str, int]:
    """Of a line that runs once, when the module is imported, every test may notice.

    The nearest are those that have the file's name in theirs, whose file says what the line makes or has the same word,
    or that run a function of the file that names it; then those that run any of its functions.
    """
    stem, made = Path(file).stem, re.compile(rf"\b({'|'.join(names or ['$.'])})\b")
    was = fault.was(source) if fault.kind == "word" else "\0"
    saying = (*READING, *(name for name, text in measured.texts.items() if was in text or made.search(text)))
    distance = {test: 0 if stem in test or test.startswith(saying) else 2 for test in measured.seconds}
    lines = source.decode().splitlines()
    for line in _lines_of_functions(source):
        named = made.search(lines[line - 1])
        for test in measured.tests[file].get(line, ()):
            distance[test] = min(distance[test], 0 if named else 1)
    return distance


@cache
def _lines_of_functions(source: bytes) -> frozenset[int]:
    return frozenset(
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in range(node.body[0].lineno, (node.end_lineno or 0) + 1)
    )


def _within(tests: list[str], seconds: Mapping[str, float], most_s: float | None = None) -> Iterator[str]:
    spent = 0.0
    for test in tests:
        if spent + seconds[test] <= (TESTS_S if most_s is None else most_s):
            spent += seconds[test]
            yield test
