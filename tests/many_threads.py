"""Threads that get in each other's way as often as they can."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

THREADS = 8


def at_once(work: Callable[[int], T], threads: int = THREADS) -> list[T]:
    """Call *work* with 0, 1, ... in a thread each, all begun at one moment and changed as often as can be.

    Returns:
        What each has returned.

    Raises:
        Exception: The first that one of them raised.
    """
    gate = threading.Barrier(threads)

    def begin(number: int) -> T:
        gate.wait(60)
        return work(number)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(begin, range(threads)))
    finally:
        sys.setswitchinterval(interval)
