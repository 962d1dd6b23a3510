"""`python -m tests.environments install FOLDER NAME`, `lock`, or `run NAME...`: what the Makefile calls.

`run` is `first`, and then `again` what failed.
"""

import sys
from pathlib import Path

from tests.environments.install import CannotInstall, install
from tests.environments.lock import lock
from tests.environments.running import again, first, run
from tests.environments.suites import named

RUNS = {"run": run, "first": first, "again": again}


def main(command: str, *arguments: str) -> int:
    """Do it, and give back the exit code."""
    if command == "lock":
        return lock()
    if command in RUNS:
        return RUNS[command]([suite for name in arguments for suite in named(name)])
    folder, name = arguments
    try:
        install(Path(folder), name)
    except CannotInstall as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
