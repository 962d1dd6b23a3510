"""`make shaken`: the tests that wait for threads, processes and limits of time, again and again on a busy machine.

No test may depend on the machine being idle: each run is in another order, beside two processes that do nothing but
take the processor's time. `python -m pytest -p randomly --randomly-seed=N` plays the order of one again.
"""

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

RUNS = 20
BUSY = 2
RUN_S = 600
TESTS = (
    *("tests/export/test_pipeline.py", "tests/export/test_spool.py", "tests/export/test_grpc.py"),
    *("tests/recording/test_threads.py", "tests/tracing/test_gc_safe.py", "tests/instrumentation/test_stream.py"),
)


def main() -> int:
    """Run them; the number of runs in which a test failed."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with _busy():
        failed = [seed for seed in range(1, runs + 1) if not _passes(seed)]
    print(f"{runs} runs beside {BUSY} busy loops, seeds 1 to {runs}: failed with {failed or 'none'}")
    return len(failed)


def _passes(seed: int) -> bool:
    order = ("-p", "randomly", f"--randomly-seed={seed}")
    command = [sys.executable, "-m", "pytest", "-q", "-rf", *order, *TESTS]
    return subprocess.run(command, timeout=RUN_S, check=False).returncode == 0


@contextmanager
def _busy() -> Iterator[None]:
    loops = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(BUSY)]
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()


def _spin() -> None:
    while True:
        pass


if __name__ == "__main__":
    sys.exit(main())
