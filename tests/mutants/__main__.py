"""`make mutants`: plant faults at random, one at a time, run the tests that run the line, and say what went unnoticed.

All of it happens in a copy of the checkout, in a folder that is kept: what the tests run is measured once for a copy,
and a draw that was interrupted goes on where it was. Another seed is another draw. Remove the folder after a change.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from random import Random

from tests.mutants import covering
from tests.mutants.accepted import ACCEPTED, without_line
from tests.mutants.choice import SECOND_LOOK_S, is_tested, room, second_look, tests_of
from tests.mutants.covering import ROOT, Covering
from tests.mutants.faults import Fault, compiles, faults
from tests.mutants.forking import HANGS, PRELOADED, Forking

# Those that others' servers, or environments of their own, are needed for.
LEFT_OUT = ("e2e", "frameworks", "other_programs", "test_wheel.py", "mutants")
_TESTS = [*(f"--ignore=tests/{name}" for name in LEFT_OUT), "tests"]
SURVIVED = "no test"
SECOND = " at the second look"

Place = tuple[str, Fault]


def main() -> None:
    """Draw, plant, and print what was not noticed and the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--number", type=int, default=60, help="how many faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--matching", default="", help="only in lines with this regular expression")
    parser.add_argument(
        "--room", default="", help="only in files whose path in the package has this regular expression"
    )
    parser.add_argument("--each", action="store_true", help="each fault of a line, in place of one")
    parser.add_argument("--tests", nargs="+", default=_TESTS, help="what may notice: those of a framework, say")
    parser.add_argument("--second-look", type=float, default=SECOND_LOOK_S, help="so many seconds of tests at most")
    parser.add_argument("--folder", type=Path, default=ROOT / ".mutants")
    options = parser.parse_args()
    copy, data = options.folder / "copy", options.folder / "data"
    measured = _measured(copy, data, options.tests)
    matching, rooms = options.matching, options.room
    in_rooms = draw(copy, measured, seed=options.seed, matching=matching, rooms=rooms, each=options.each)
    drawn = list(islice(in_rooms, options.number))
    narrowed = re.sub(r"\W+", "-", f"{options.seed}-{options.room}-{options.matching}").strip("-")
    verdicts = data / f"seed-{narrowed}.json"
    print(f"seed {options.seed}: {len(drawn)} faults")
    _print_table(judge(drawn, copy, measured, verdicts, second_look_s=options.second_look))


def _measured(copy: Path, data: Path, tests: Sequence[str]) -> Covering:
    restore(copy)
    if not data.exists():
        _copy(copy)
        processes = ("-n", "2", "--dist", "worksteal") if find_spec("xdist") else ()
        covering.measure(copy, data, pytest_command("-q", *processes, *tests))
    return covering.read(copy, data)


def restore(copy: Path) -> None:
    """Put back the file that a draw which was killed has left with a fault in it."""
    for original in _originals(copy).rglob("*.py"):
        original.replace(copy / original.relative_to(_originals(copy)))


def _originals(copy: Path) -> Path:
    return copy.parent / "original"


def _copy(copy: Path) -> None:
    """Copy what git knows or would add, as a checkout: there are tests of that."""
    listed = subprocess.check_output(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    subprocess.run(["git", "add", "."], cwd=copy, check=True)


def pytest_command(*options: str) -> list[str]:
    """A pytest that leaves no cache behind."""
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]


def draw(
    copy: Path, measured: Covering, *, seed: int, matching: str = "", rooms: str = "", each: bool = False
) -> Iterator[Place]:
    """A fault in each line that tests run, in random order: a line with many counts as one with few.

    With *each*, all that a line can have.
    """
    random = Random(seed)
    places = [
        (file, found)
        for file in sorted(measured.tests)
        if re.search(rooms, file.partition("/")[2])
        for line, found in sorted(_by_line((copy / file).read_bytes()).items())
        if line in measured.tests[file]
    ]
    random.shuffle(places)
    for file, found in places:
        source = (copy / file).read_bytes()
        random.shuffle(found)
        line = source.decode().splitlines()[found[0].line - 1]
        if re.search(matching, line) and is_tested(file, measured) and tests_of(file, found[0], source, measured):
            planted = ((file, fault) for fault in found if compiles(fault.planted(source)))
            yield from planted if each else islice(planted, 1)


def _by_line(source: bytes) -> dict[int, list[Fault]]:
    found: dict[int, list[Fault]] = {}
    for fault in faults(source):
        found.setdefault(fault.line, []).append(fault)
    return found


def judge(
    drawn: Iterable[Place],
    copy: Path,
    measured: Covering,
    kept: Path,
    *,
    preloaded: Sequence[str] = PRELOADED,
    second_look_s: float = SECOND_LOOK_S,
) -> dict[str, str]:
    """By place: the test that notices it, or `SURVIVED`. Those that an earlier run has judged are not judged again."""
    verdicts: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    with closing(Forking(copy, {**covering.unmeasured(), "PYTHONPATH": str(copy)}, preloaded)) as pytest:
        quickest = min(measured.seconds, key=measured.seconds.__getitem__)
        if failed := pytest.first_failure([quickest], measured.seconds):
            raise RuntimeError(f"{failed} fails without a fault")
        for file, fault in drawn:
            source = (copy / file).read_bytes()
            place = fault.place(file, source)
            if place not in verdicts:
                tests = tests_of(file, fault, source, measured)
                with _planted(fault, copy, file):
                    failed = pytest.first_failure(tests, measured.seconds)
                    if failed is None and without_line(place) not in ACCEPTED:
                        more = second_look(file, fault, source, measured, tests, second_look_s)
                        tests += more
                        failed = (noticed := pytest.first_failure(more, measured.seconds)) and noticed + SECOND
                verdicts[place] = failed or SURVIVED
                print(f"{verdicts[place]}: {place}  ({len(tests)} tests)", flush=True)
                kept.write_text(json.dumps(verdicts, indent=0))
        noticing = {verdict.removesuffix(SECOND).removesuffix(HANGS) for verdict in verdicts.values()}
        noticing &= measured.seconds.keys()
        for test in pytest.failures(sorted(noticing), measured.seconds):
            print(f"fails without a fault, too: {test}", flush=True)
    return verdicts


@contextmanager
def _planted(fault: Fault, copy: Path, file: str) -> Iterator[None]:
    source, original = (copy / file).read_bytes(), _originals(copy) / file
    original.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(copy / file, original)
    try:
        (copy / file).write_bytes(fault.planted(source))
        yield
    finally:
        restore(copy)


def _print_table(verdicts: Mapping[str, str]) -> None:
    survived = [place for place, verdict in verdicts.items() if verdict == SURVIVED]
    alike = [place for place in survived if without_line(place) in ACCEPTED]
    unnoticed = [place for place in survived if place not in alike]
    late = [place for place, verdict in verdicts.items() if verdict.endswith(SECOND)]
    kinds = (verdicts, alike, unnoticed, late)
    counts = [Counter(room(place.partition(":")[0]) for place in places) for places in kinds]
    for name in (*sorted(counts[0]), "all"):
        planted, accepted, missed, second = (count[name] if name != "all" else count.total() for count in counts)
        first = planted - accepted - missed - second
        print(
            f"{name:18} {planted:4} planted {accepted:3} accepted {first:4} noticed at first {second:3} at second look"
        )
    print("Unnoticed:", *unnoticed, sep="\n")


if __name__ == "__main__":
    main()
