"""Children of multiprocessing that make spans: `children.py METHOD WHERE`. Run by tests/test_leaving.py.

METHOD is fork, spawn or forkserver; `init()` is called in the parent, the child or both, as WHERE says.
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import util
from typing import Any

from opentelemetry import trace

from tests.programs.leaving import start

WHERE = sys.argv[2] if len(sys.argv) > 2 else ""


def begin() -> None:
    if WHERE in ("child", "both"):
        start()


def task(kind: str) -> str:
    with trace.get_tracer("program").start_as_current_span(kind):
        return kind


def process() -> None:
    begin()
    util.Finalize(None, task, ("finalizer",), exitpriority=0)
    for _ in range(10):
        task("process")


def main(method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    child = context.Process(target=process)
    child.start()
    child.join()

    closed = context.Pool(1, begin)
    closed.map(task, ["closed"] * 10, chunksize=1)
    closed.close()
    closed.join()

    with context.Pool(1, begin) as terminated:
        terminated.map(task, ["terminated"] * 10, chunksize=1)

    with ProcessPoolExecutor(1, context, begin) as executor:
        list(executor.map(task, ["executor"] * 10))


if __name__ == "__main__":
    if WHERE in ("parent", "both"):
        start()
    main(sys.argv[1])
