"""A child of a fork that says whether something is so there."""

import os
import signal
import time
from collections.abc import Callable


def fork(in_child: Callable[[], object] = lambda: True) -> bool:
    """Whether that is so in a child."""
    if not (child := os.fork()):
        well = False
        try:
            well = bool(in_child())
        finally:
            os._exit(0 if well else 1)
    end = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
        time.sleep(0.001)
    if ended == (0, 0):  # it waits for a lock that nobody will release
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return ended == (child, 0)
