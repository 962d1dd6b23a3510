"""`python -m tests.environments install FOLDER NAME`, `lock`, `run NAME...` or `pythons`: what the Makefile calls."""

import sys
from pathlib import Path

from tests.environments.install import CannotInstall, install
from tests.environments.lock import lock
from tests.environments.suites import SUITES, pythons, run


def main(command: str, *arguments: str) -> int:
    """Do it, and give back the exit code."""
    if command == "lock":
        return lock()
    if command == "run":
        return run([SUITES[name] for name in arguments])
    if command == "pythons":
        return run(pythons(*arguments))
    folder, name = arguments
    try:
        install(Path(folder), name)
    except CannotInstall as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
